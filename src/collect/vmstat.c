/* Reads /proc/vmstat, a name and a counter on each line: page faults, swapping, kills for
 * want of memory. */
#include "collect/vmstat.h"

#include <unistd.h>

#include "collect/plain.h"
#include "format/scan.h"

enum { FAULTS, MAJOR_FAULTS, SWAP_IN, SWAP_OUT, OOM_KILLS, ROWS };

#define MIB_OF_KIB (1.0 / 1024)

static const struct record_metric rows[ROWS] = {
    [FAULTS] = COLLECT_ROW("page_faults", "1/s", KERNEL, 2000, RATE, 1,
                           "Page faults of all programs."),
    [MAJOR_FAULTS] = COLLECT_ROW("page_faults_major", "1/s", KERNEL, 20, RATE, 1,
                                 "Page faults that had to wait for a disk."),
    [SWAP_IN] = COLLECT_ROW("swap_in_mb", "MB/s", MEMORY, 1, RATE, MIB_OF_KIB,
                            "Memory brought back from swap.", .is_byte_rate = true),
    [SWAP_OUT] = COLLECT_ROW("swap_out_mb", "MB/s", MEMORY, 1, RATE, MIB_OF_KIB,
                             "Memory moved out to swap.", .is_byte_rate = true),
    [OOM_KILLS] = COLLECT_ROW("oom_kills", "1/s", MEMORY, 0.1, RATE, 1,
                              "Programs killed because memory ran out."),
};

/* Where the number of each line goes. The blank keeps "pgfault" from fitting longer
 * names. */
static const struct {
    const char *name; /* with the blank */
    size_t offset;
} fields[ROWS] = {
    [FAULTS] = {"pgfault ", offsetof(struct collect_vmstat, faults)},
    [MAJOR_FAULTS] = {"pgmajfault ", offsetof(struct collect_vmstat, major_faults)},
    [SWAP_IN] = {"pswpin ", offsetof(struct collect_vmstat, swapped_in)},
    [SWAP_OUT] = {"pswpout ", offsetof(struct collect_vmstat, swapped_out)},
    [OOM_KILLS] = {"oom_kill ", offsetof(struct collect_vmstat, oom_kills)},
};

static double *field_at(struct collect_vmstat *vm, size_t i)
{
    return (double *)(void *)((char *)vm + fields[i].offset);
}

/* Takes the counters; one that a kernel does not have (oom_kill before 4.13) is NaN:
 * pgfault 2146312
 * pgmajfault 12006
 * oom_kill 0
 * among some 180 lines of the same form. */
void collect_vmstat_parse(const char *text, size_t size, struct collect_vmstat *vm)
{
    struct format_scan t = format_scan_of(text, size);
    uint64_t value;

    for (size_t i = 0; i < ROWS; i++)
        *field_at(vm, i) = NAN;
    if (size == 0)
        return;
    do {
        /* All names that matter begin with one of two letters. */
        if (*t.at != 'p' && *t.at != 'o')
            continue;
        for (size_t i = 0; i < ROWS; i++)
            if (format_scan_skip(&t, fields[i].name)) {
                if (format_scan_u64(&t, &value))
                    *field_at(vm, i) = (double)value;
                break;
            }
    } while (format_scan_next_line(&t));
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    (void)err;
    return collect_plain_new(out, config, schema, "/proc/vmstat", rows, ROWS);
}

static enum vd_status read_vmstat(void *context, struct record_sample *sample,
                                  struct vd_error *err)
{
    struct collect_plain *self = context;
    struct collect_vmstat vm;
    double page_kib = (double)sysconf(_SC_PAGESIZE) / 1024;
    enum vd_status status = collect_plain_read(self, err);

    if (status != VD_OK)
        return status;
    collect_vmstat_parse(self->buffer.at, self->buffer.size, &vm);
    collect_put(sample, self->id[FAULTS], vm.faults);
    collect_put(sample, self->id[MAJOR_FAULTS], vm.major_faults);
    collect_put(sample, self->id[SWAP_IN], vm.swapped_in * page_kib);
    collect_put(sample, self->id[SWAP_OUT], vm.swapped_out * page_kib);
    collect_put(sample, self->id[OOM_KILLS], vm.oom_kills);
    return isnan(vm.faults) ? VD_ERR_FORMAT : VD_OK;
}

const struct collect_type collect_vmstat = {
    .name = "vmstat",
    .summary = "page faults, swapping and OOM kills",
    .rows = {COLLECT_TABLE(rows)},
    .create = create,
    .read = read_vmstat,
    .destroy = collect_plain_free,
};
