/* Used memory is what new programs cannot have: total - available, as psutil, free(1) and
 * htop count it. What is available is estimated from the free pages and the caches where
 * the kernel does not say it (before 3.14), or a container's file says what cannot be.
 * The cache of ZFS (ARC) is no file cache to the kernel: what it gives back on demand is
 * added.
 */
#include "collect/meminfo.h"

#include <math.h>
#include <stdlib.h>

#include "collect/mounts.h"
#include "collect/plain.h"
#include "format/scan.h"

#define MIB_OF_KIB (1.0 / 1024)
#define GIB_OF_KIB (1.0 / (1024 * 1024))

/* No machine has that much (4 EiB): a number below zero that was written as unsigned. */
#define KIB_MAX 0x1p52

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
    [TOTAL] = COLLECT_ROW("memory_total_gb", "GB", MEMORY, 0.1, GAUGE, GIB_OF_KIB,
                          "Memory of this machine."),
    [AVAILABLE] =
        COLLECT_ROW("memory_available_gb", "GB", MEMORY, 0.1, GAUGE, GIB_OF_KIB,
                    "Memory that programs can still have.", .less_is_worse = true),
    [CACHED] = COLLECT_ROW("memory_cached_gb", "GB", MEMORY, 0.1, GAUGE, GIB_OF_KIB,
                           "Files kept in memory."),
    [DIRTY] = COLLECT_ROW("memory_dirty_mb", "MB", MEMORY, 20, GAUGE, MIB_OF_KIB,
                          "Written data that is not on the disk yet."),
    [WRITEBACK] = COLLECT_ROW("memory_writeback_mb", "MB", MEMORY, 20, GAUGE, MIB_OF_KIB,
                              "Data on its way to the disk."),
    [SLAB] = COLLECT_ROW("memory_slab_mb", "MB", MEMORY, 20, GAUGE, MIB_OF_KIB,
                         "The kernel's own structures."),
    [ANONYMOUS] = COLLECT_ROW("memory_anonymous_gb", "GB", MEMORY, 0.1, GAUGE, GIB_OF_KIB,
                              "Memory of programs that is no file."),
    [COMMITTED] = COLLECT_ROW("memory_committed_gb", "GB", MEMORY, 0.1, GAUGE, GIB_OF_KIB,
                              "Memory promised to programs."),
    [SWAP_PERCENT] =
        COLLECT_ROW("swap_percent", "%", MEMORY, 2, GAUGE, 1, "Swap space in use."),
    [SWAP_USED] = COLLECT_ROW("swap_used_gb", "GB", MEMORY, 0.1, GAUGE, GIB_OF_KIB,
                              "Swap space in use."),
};

/* Where the number of each line goes. A part that is more than the total was written by
 * something else than a kernel (a container's file system) and is unknown. */
static const struct {
    const char *name; /* with the colon */
    size_t offset;
    bool part; /* cannot be more than the total, which comes first */
} fields[] = {
    {"MemTotal:", offsetof(struct collect_meminfo, total), false},
    {"MemFree:", offsetof(struct collect_meminfo, free), true},
    {"MemAvailable:", offsetof(struct collect_meminfo, available), true},
    {"Buffers:", offsetof(struct collect_meminfo, buffers), true},
    {"Cached:", offsetof(struct collect_meminfo, cached), true},
    {"SReclaimable:", offsetof(struct collect_meminfo, reclaimable), true},
    {"Shmem:", offsetof(struct collect_meminfo, shared), true},
    {"Dirty:", offsetof(struct collect_meminfo, dirty), true},
    {"Writeback:", offsetof(struct collect_meminfo, writeback), true},
    {"Slab:", offsetof(struct collect_meminfo, slab), true},
    {"AnonPages:", offsetof(struct collect_meminfo, anonymous), true},
    {"Committed_AS:", offsetof(struct collect_meminfo, committed), false},
    {"SwapTotal:", offsetof(struct collect_meminfo, swap_total), false},
    {"SwapFree:", offsetof(struct collect_meminfo, swap_free), false},
};

enum { FIELDS = sizeof fields / sizeof *fields };

/* Goes by way of void * because the compiler cannot know that the offset is aligned. */
static double *field_at(struct collect_meminfo *mem, size_t i)
{
    return (double *)(void *)((char *)mem + fields[i].offset);
}

/* Takes one line. Most of some fifty lines are none of ours, and kernels add new ones. */
static void parse_line(struct format_scan *t, struct collect_meminfo *mem)
{
    uint64_t value;

    for (size_t i = 0; i < FIELDS; i++) {
        if (!format_scan_skip(t, fields[i].name))
            continue;
        if (format_scan_u64(t, &value) && (double)value < KIB_MAX)
            *field_at(mem, i) = (double)value;
        return;
    }
}

/* Takes the numbers of /proc/meminfo, in KiB; what no line tells is NaN:
 * MemTotal:       24684084 kB
 * MemFree:        20145312 kB
 * MemAvailable:   22311044 kB */
void collect_meminfo_parse(const char *text, size_t size, struct collect_meminfo *mem)
{
    struct format_scan t = format_scan_of(text, size);

    for (size_t i = 0; i < FIELDS; i++)
        *field_at(mem, i) = NAN;
    if (size == 0)
        return;
    do
        parse_line(&t, mem);
    while (format_scan_next_line(&t));
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].part && *field_at(mem, i) > mem->total)
            *field_at(mem, i) = NAN;
}

/* Returns how much the ARC holds beyond its minimum, in KiB; NaN when that is not told:
 * 13 1 0x01 123 33456 3714625811 5278411268
 * name                            type data
 * c_min                           4    536870912
 * size                            4    10737418240
 * in bytes. c_min is what it keeps however short memory is. */
double collect_arcstats_parse(const char *text, size_t size)
{
    struct format_scan t = format_scan_of(text, size);
    uint64_t type, held = 0, kept = UINT64_MAX;

    if (size == 0)
        return NAN;
    do {
        uint64_t *value = NULL;

        if (format_scan_skip(&t, "size "))
            value = &held;
        else if (format_scan_skip(&t, "c_min "))
            value = &kept;
        if (value != NULL && format_scan_u64(&t, &type))
            format_scan_u64(&t, value);
    } while (format_scan_next_line(&t));
    if (kept == UINT64_MAX)
        return NAN;
    return held > kept ? (double)(held - kept) / 1024 : 0;
}

static double zero_if_nan(double x)
{
    return isnan(x) ? 0 : x;
}

/* Estimates what is available, in KiB. Shared memory and tmpfs are among the cached pages
 * but cannot be dropped. Caches that do not fit beside the free pages are those of
 * another machine, a container's host, and do not count. */
static double estimate(const struct collect_meminfo *mem)
{
    double files = fmax(0, zero_if_nan(mem->cached) - zero_if_nan(mem->shared));
    double all =
        mem->free + files + zero_if_nan(mem->buffers) + zero_if_nan(mem->reclaimable);

    return all <= mem->total ? all : mem->free;
}

/* Tells whether what is given as available is only the free pages: LXC's file system for
 * containers wrote that for years, and no buffers. Where a real kernel comes to the same
 * number, because all caches are in use, it has buffers. */
static bool is_free_memory(const struct collect_meminfo *mem)
{
    return mem->available == mem->free && zero_if_nan(mem->buffers) == 0;
}

double collect_meminfo_available(const struct collect_meminfo *mem, double arc)
{
    bool said = !isnan(mem->available) && !is_free_memory(mem);
    double available = said ? mem->available : estimate(mem);

    return available + arc <= mem->total ? available + arc : available;
}

/* Returns part / whole in percent; NaN when that is no share. */
static double percent(double part, double whole)
{
    return whole > 0 && part >= 0 && part <= whole ? 100 * part / whole : NAN;
}

/* ---- the collector ---- */

struct meminfo_collector {
    struct collect_plain *plain;
    struct collect_file arcstats, mounts;
    struct collect_buffer buffer;
    bool knows_whose, foreign; /* foreign: the ARC is that of a container's host */
};

/* Finds out whose memory /proc/meminfo tells of. Where a container's own file is mounted
 * over the kernel's, the ARC that the kernel counts is the host's and must not be added.
 */
static void look_whose(struct meminfo_collector *self)
{
    struct collect_mount mount;
    struct format_scan t;

    self->knows_whose = true;
    if (collect_file_read(&self->mounts, &self->buffer, NULL) != VD_OK)
        return;
    t = format_scan_of(self->buffer.at, self->buffer.size);
    while (collect_mounts_next(&t, &mount, NULL))
        self->foreign |= strcmp(mount.point, "/proc/meminfo") == 0;
    collect_file_release(&self->mounts);
}

/* Returns what ZFS would give back, in KiB; 0 where there is no ZFS. Whose memory it is
 * matters only where there is some, so the list of mounts is read once, and then only. */
static double read_arc(struct meminfo_collector *self)
{
    if (self->foreign || collect_file_read(&self->arcstats, &self->buffer, NULL) != VD_OK)
        return 0;
    if (!self->knows_whose) {
        look_whose(self);
        return read_arc(self);
    }
    return zero_if_nan(collect_arcstats_parse(self->buffer.at, self->buffer.size));
}

static void fill(const struct collect_plain *self, const struct collect_meminfo *mem,
                 double arc, struct record_sample *sample)
{
    double available = collect_meminfo_available(mem, arc);
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
    struct meminfo_collector *self = context;
    struct collect_plain *plain = self->plain;
    struct collect_meminfo mem;
    enum vd_status status = collect_plain_read(plain, err);

    if (status != VD_OK)
        return status;
    collect_meminfo_parse(plain->buffer.at, plain->buffer.size, &mem);
    fill(plain, &mem, read_arc(self), sample);
    if (isnan(mem.total))
        return vd_error_set(err, VD_ERR_FORMAT, NULL, "%s has no MemTotal",
                            plain->file.path);
    return VD_OK;
}

static void destroy(void *context)
{
    struct meminfo_collector *self = context;

    if (self == NULL)
        return;
    collect_plain_free(self->plain);
    collect_file_release(&self->arcstats);
    collect_file_release(&self->mounts);
    collect_buffer_release(&self->buffer);
    free(self);
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct meminfo_collector *self = calloc(1, sizeof *self);
    struct record_metric all[ROWS];
    void *plain = NULL;

    (void)err;
    if (self == NULL)
        return VD_ERR_MEMORY;
    collect_file_init(&self->arcstats, config->root, "/proc/spl/kstat/zfs/arcstats");
    collect_file_init(&self->mounts, config->root, "/proc/mounts");
    /* The core metric has no row here, so that it is registered as the one which others
     * fill in as well. */
    memcpy(all, rows, sizeof all);
    all[USED_PERCENT] = collect_core_metrics[COLLECT_CPU_MEMORY];
    if (collect_plain_new(&plain, config, schema, "/proc/meminfo", all, ROWS) != VD_OK) {
        destroy(self);
        return VD_ERR_MEMORY;
    }
    self->plain = plain;
    *out = self;
    return VD_OK;
}

const struct collect_type collect_meminfo = {
    .name = "meminfo",
    .summary = "memory and swap",
    .rows = {COLLECT_TABLE(rows)},
    .create = create,
    .read = read_meminfo,
    .destroy = destroy,
};
