/* Used memory is what new programs cannot have: total - available, as psutil, free(1) and
 * htop count it. Kernels before 3.14 do not say what is available; it is then estimated
 * from the free pages and the caches.
 */
#include "collect/meminfo.h"

#include <math.h>

#include "collect/plain.h"
#include "format/scan.h"

#define MIB_OF_KIB (1.0 / 1024)
#define GIB_OF_KIB (1.0 / (1024 * 1024))

enum {
    USED_PERCENT, /* the core metric */
    TOTAL,
    AVAILABLE,
    CACHED,
    DIRTY,
    WRITEBACK,
    SLAB,
    ANONYMOUS,
    COMMITTED,
    SWAP_PERCENT,
    SWAP_USED,
    ROWS
};

static const struct record_metric rows[ROWS] = {
    [TOTAL] = COLLECT_ROW("memory_total_gb", "GB", GAUGE, GIB_OF_KIB,
                          "Memory of this machine."),
    [AVAILABLE] = COLLECT_ROW("memory_available_gb", "GB", GAUGE, GIB_OF_KIB,
                              "Memory that programs can still have."),
    [CACHED] =
        COLLECT_ROW("memory_cached_gb", "GB", GAUGE, GIB_OF_KIB, "Files kept in memory."),
    [DIRTY] = COLLECT_ROW("memory_dirty_mb", "MB", GAUGE, MIB_OF_KIB,
                          "Written data that is not on the disk yet."),
    [WRITEBACK] = COLLECT_ROW("memory_writeback_mb", "MB", GAUGE, MIB_OF_KIB,
                              "Data on its way to the disk."),
    [SLAB] = COLLECT_ROW("memory_slab_mb", "MB", GAUGE, MIB_OF_KIB,
                         "The kernel's own structures."),
    [ANONYMOUS] = COLLECT_ROW("memory_anonymous_gb", "GB", GAUGE, GIB_OF_KIB,
                              "Memory of programs that is no file."),
    [COMMITTED] = COLLECT_ROW("memory_committed_gb", "GB", GAUGE, GIB_OF_KIB,
                              "Memory promised to programs."),
    [SWAP_PERCENT] = COLLECT_ROW("swap_percent", "%", GAUGE, 1, "Swap space in use."),
    [SWAP_USED] =
        COLLECT_ROW("swap_used_gb", "GB", GAUGE, GIB_OF_KIB, "Swap space in use."),
};

static const struct {
    const char *name; /* with the colon */
    size_t offset;
} fields[] = {
    {"MemTotal:", offsetof(struct collect_meminfo, total)},
    {"MemFree:", offsetof(struct collect_meminfo, free)},
    {"MemAvailable:", offsetof(struct collect_meminfo, available)},
    {"Buffers:", offsetof(struct collect_meminfo, buffers)},
    {"Cached:", offsetof(struct collect_meminfo, cached)},
    {"SReclaimable:", offsetof(struct collect_meminfo, reclaimable)},
    {"Shmem:", offsetof(struct collect_meminfo, shared)},
    {"Dirty:", offsetof(struct collect_meminfo, dirty)},
    {"Writeback:", offsetof(struct collect_meminfo, writeback)},
    {"Slab:", offsetof(struct collect_meminfo, slab)},
    {"AnonPages:", offsetof(struct collect_meminfo, anonymous)},
    {"Committed_AS:", offsetof(struct collect_meminfo, committed)},
    {"SwapTotal:", offsetof(struct collect_meminfo, swap_total)},
    {"SwapFree:", offsetof(struct collect_meminfo, swap_free)},
};

enum { FIELDS = sizeof fields / sizeof *fields };

static double *field_at(struct collect_meminfo *mem, size_t i)
{
    return (double *)(void *)((char *)mem + fields[i].offset);
}

/* MemTotal:       24684084 kB
 * MemFree:        20145312 kB
 * MemAvailable:   22311044 kB */
void collect_meminfo_parse(const char *text, size_t size, struct collect_meminfo *mem)
{
    struct collect_text t = collect_text_of(text, size);
    uint64_t value;

    for (size_t i = 0; i < FIELDS; i++)
        *field_at(mem, i) = NAN;
    if (size == 0)
        return;
    do {
        for (size_t i = 0; i < FIELDS; i++) {
            if (!collect_text_skip(&t, fields[i].name))
                continue;
            if (collect_text_u64(&t, &value))
                *field_at(mem, i) = (double)value;
            break;
        }
    } while (collect_text_next_line(&t));
}

static double zero_if_nan(double x)
{
    return isnan(x) ? 0 : x;
}

static double available_of(const struct collect_meminfo *mem)
{
    double cache;

    if (!isnan(mem->available))
        return mem->available;
    cache = zero_if_nan(mem->buffers) + zero_if_nan(mem->cached) +
            zero_if_nan(mem->reclaimable) - zero_if_nan(mem->shared);
    return mem->free + cache;
}

/* part / whole in percent, NaN when that is no share. */
static double percent(double part, double whole)
{
    return whole > 0 && part >= 0 && part <= whole ? 100 * part / whole : NAN;
}

static void fill(const struct collect_plain *self, const struct collect_meminfo *mem,
                 struct record_sample *sample)
{
    double available = available_of(mem);
    double swap_used = mem->swap_total - mem->swap_free;

    collect_put(sample, self->id[USED_PERCENT],
                percent(mem->total - available, mem->total));
    collect_put(sample, self->id[TOTAL], mem->total);
    collect_put(sample, self->id[AVAILABLE], available);
    collect_put(sample, self->id[CACHED], mem->cached);
    collect_put(sample, self->id[DIRTY], mem->dirty);
    collect_put(sample, self->id[WRITEBACK], mem->writeback);
    collect_put(sample, self->id[SLAB], mem->slab);
    collect_put(sample, self->id[ANONYMOUS], mem->anonymous);
    collect_put(sample, self->id[COMMITTED], mem->committed);
    /* No swap is no swap in use; a machine without it is not one that hides it. */
    collect_put(sample, self->id[SWAP_PERCENT],
                mem->swap_total == 0 ? 0 : percent(swap_used, mem->swap_total));
    collect_put(sample, self->id[SWAP_USED], swap_used >= 0 ? swap_used : NAN);
}

static enum vd_status read_meminfo(void *context, struct record_sample *sample,
                                   struct vd_error *err)
{
    struct collect_plain *self = context;
    struct collect_meminfo mem;
    enum vd_status status = collect_plain_read(self, err);

    if (status != VD_OK)
        return status;
    collect_meminfo_parse(self->buffer.at, self->buffer.size, &mem);
    fill(self, &mem, sample);
    if (isnan(mem.total))
        return vd_error_set(err, VD_ERR_FORMAT, NULL, "%s has no MemTotal",
                            self->file.path);
    return VD_OK;
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct record_metric all[ROWS];

    (void)err;
    memcpy(all, rows, sizeof all);
    all[USED_PERCENT] = collect_core_metrics[COLLECT_CPU_MEMORY];
    return collect_plain_new(out, config, schema, "/proc/meminfo", all, ROWS);
}

const struct collect_type collect_meminfo = {
    .name = "meminfo",
    .summary = "memory and swap",
    .create = create,
    .read = read_meminfo,
    .destroy = collect_plain_free,
};
