/* The averages in these files look back 10 seconds and more; the totals give the share of
 * exactly the time between two ticks, so they are what is taken.
 */
#include "collect/pressure.h"

#include <stdlib.h>

#include "collect/collectors.h"
#include "collect/file.h"
#include "collect/fill.h"
#include "format/scan.h"

enum { CPU, MEMORY, IO, FILES };

/* The totals are microseconds: of a second, 10 000 are one percent. */
#define PERCENT_OF_US 1e-4

static const char *const paths[FILES] = {
    [CPU] = "/proc/pressure/cpu",
    [MEMORY] = "/proc/pressure/memory",
    [IO] = "/proc/pressure/io",
};

/* The whole machine never stalls on the CPU alone: `full` of cpu is always 0. */
enum { CPU_SOME, MEMORY_SOME, IO_SOME, MEMORY_FULL, IO_FULL, ROWS };

static const struct record_metric rows[ROWS] = {
    [CPU_SOME] = COLLECT_SHARE_ROW("pressure_cpu_percent", CPU, 2, RATE, PERCENT_OF_US,
                                   "Time in which some task waited for a core."),
    [MEMORY_SOME] =
        COLLECT_SHARE_ROW("pressure_memory_percent", MEMORY, 2, RATE, PERCENT_OF_US,
                          "Time in which some task waited for memory."),
    [IO_SOME] = COLLECT_SHARE_ROW("pressure_io_percent", DISK, 2, RATE, PERCENT_OF_US,
                                  "Time in which some task waited for a disk."),
    [MEMORY_FULL] =
        COLLECT_SHARE_ROW("pressure_memory_full_percent", MEMORY, 2, RATE, PERCENT_OF_US,
                          "Time in which all tasks waited for memory."),
    [IO_FULL] =
        COLLECT_SHARE_ROW("pressure_io_full_percent", DISK, 2, RATE, PERCENT_OF_US,
                          "Time in which all tasks waited for a disk."),
};

struct pressure_collector {
    struct collect_file file[FILES];
    struct collect_buffer buffer;
    size_t id[ROWS];
};

/* Takes the totals, in microseconds; NaN for a line that is not there:
 * some avg10=3.11 avg60=0.82 avg300=0.26 total=8359116
 * full avg10=0.00 avg60=0.00 avg300=0.00 total=0 */
void collect_pressure_parse(const char *text, size_t size, struct collect_pressure *p)
{
    struct format_scan t = format_scan_of(text, size);
    uint64_t total;

    *p = (struct collect_pressure){NAN, NAN};
    if (size == 0)
        return;
    do {
        double *field = NULL;

        if (format_scan_skip(&t, "some "))
            field = &p->some;
        else if (format_scan_skip(&t, "full "))
            field = &p->full;
        while (field != NULL && format_scan_skip_word(&t)) {
            format_scan_skip_blanks(&t);
            if (format_scan_skip(&t, "total=") && format_scan_u64(&t, &total))
                *field = (double)total;
        }
    } while (format_scan_next_line(&t));
}

static enum vd_status read_pressure(void *context, struct record_sample *sample,
                                    struct vd_error *err)
{
    struct pressure_collector *self = context;
    enum vd_status status = VD_OK;

    for (int i = 0; i < FILES; i++) {
        struct collect_pressure p;
        enum vd_status one = collect_file_read(&self->file[i], &self->buffer, err);

        if (one != VD_OK) {
            status = one;
            continue;
        }
        collect_pressure_parse(self->buffer.at, self->buffer.size, &p);
        /* The rows stand in the order of the files; that of CPU has no `full`. */
        collect_put(sample, self->id[CPU_SOME + i], p.some);
        if (i != CPU)
            collect_put(sample, self->id[MEMORY_FULL + i - MEMORY], p.full);
    }
    return status;
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct pressure_collector *self = calloc(1, sizeof *self);

    (void)err;
    if (self == NULL)
        return VD_ERR_MEMORY;
    for (int i = 0; i < FILES; i++)
        collect_file_init(&self->file[i], config->root, paths[i]);
    collect_add_rows(schema, rows, ROWS, NULL, self->id);
    *out = self;
    return VD_OK;
}

static void destroy(void *context)
{
    struct pressure_collector *self = context;

    if (self == NULL)
        return;
    for (int i = 0; i < FILES; i++)
        collect_file_release(&self->file[i]);
    collect_buffer_release(&self->buffer);
    free(self);
}

const struct collect_type collect_pressure = {
    .name = "pressure",
    .summary = "time lost waiting for CPU, memory and disks (PSI)",
    .rows = {COLLECT_TABLE(rows)},
    .create = create,
    .read = read_pressure,
    .destroy = destroy,
};
