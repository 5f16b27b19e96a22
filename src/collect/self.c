/* What vedette itself takes, by the same measures as everything else. It reads this
 * machine whatever the root is: a recorded tree does not know this process.
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "collect/plain.h"
#include "format/scan.h"

enum { CPU, MEMORY, ROWS };

static const struct record_metric rows[ROWS] = {
    [CPU] = COLLECT_ROW("self_cpu_percent", "%", SELF, 2, RATE, 100,
                        "CPU time that vedette uses, of one core."),
    [MEMORY] = COLLECT_ROW("self_memory_mb", "MB", SELF, 20, GAUGE, 1.0 / (1024 * 1024),
                           "Memory that vedette takes (resident)."),
};

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct collect_config here = *config;

    (void)err;
    here.root = "";
    return collect_plain_new(out, &here, schema, "/proc/self/statm", rows, ROWS);
}

/* Reads what this process used, the memory from
 * 11182 2910 1800 16 0 900 0
 * size resident shared text lib data dt, in pages */
static enum vd_status read_self(void *context, struct record_sample *sample,
                                struct vd_error *err)
{
    struct collect_plain *self = context;
    struct timespec used;
    struct format_scan t;
    uint64_t pages;
    enum vd_status status;

    /* This clock counts all threads, also those that have ended, but no helper process.
     */
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0)
        collect_put(sample, self->id[CPU],
                    (double)used.tv_sec + (double)used.tv_nsec * 1e-9);
    status = collect_plain_read(self, err);
    if (status != VD_OK)
        return status;
    t = format_scan_of(self->buffer.at, self->buffer.size);
    if (!format_scan_u64(&t, &pages) || !format_scan_u64(&t, &pages))
        return VD_ERR_FORMAT;
    collect_put(sample, self->id[MEMORY], (double)pages * (double)sysconf(_SC_PAGESIZE));
    return VD_OK;
}

const struct collect_type collect_self = {
    .name = "self",
    .summary = "what vedette itself takes",
    .rows = {COLLECT_TABLE(rows)},
    .create = create,
    .read = read_self,
    .destroy = collect_plain_free,
};
