/* Reads /proc/loadavg: the three load averages and the number of tasks. */
#include "collect/loadavg.h"

#include "collect/plain.h"
#include "format/scan.h"

enum { ROWS = 4, TASKS_MAX = 1 << 22 }; /* the kernel has no more pids */

static const struct record_metric rows[ROWS] = {
    COLLECT_ROW("load_1", "", CPU, 0.25, GAUGE, 1,
                "Tasks running or waiting, mean of 1 minute."),
    COLLECT_ROW("load_5", "", CPU, 0.25, GAUGE, 1,
                "Tasks running or waiting, mean of 5 minutes."),
    COLLECT_ROW("load_15", "", CPU, 0.25, GAUGE, 1,
                "Tasks running or waiting, mean of 15 minutes."),
    COLLECT_ROW("threads", "", PROCESSES, 5, GAUGE, 1,
                "Threads of all processes, the kernel's own among them."),
};

/* Takes three averages, running and all tasks, and the pid given out last:
 * 0.17 0.05 0.01 3/96 6624 */
void collect_loadavg_parse(const char *text, size_t size, struct collect_loadavg *load)
{
    struct format_scan t = format_scan_of(text, size);
    uint64_t running, tasks, pid;

    *load = (struct collect_loadavg){{NAN, NAN, NAN}, NAN, NAN};
    for (int i = 0; i < 3; i++)
        if (!format_scan_number(&t, &load->load[i]) || load->load[i] < 0 ||
            load->load[i] > TASKS_MAX) {
            load->load[i] = NAN;
            return;
        }
    if (!format_scan_u64(&t, &running) || !format_scan_skip(&t, "/") ||
        !format_scan_u64(&t, &tasks))
        return;
    load->tasks = (double)tasks;
    if (format_scan_u64(&t, &pid))
        load->last_pid = (double)pid;
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    (void)err;
    return collect_plain_new(out, config, schema, "/proc/loadavg", rows, ROWS);
}

static enum vd_status read_loadavg(void *context, struct record_sample *sample,
                                   struct vd_error *err)
{
    struct collect_plain *self = context;
    struct collect_loadavg load;
    enum vd_status status = collect_plain_read(self, err);

    if (status != VD_OK)
        return status;
    collect_loadavg_parse(self->buffer.at, self->buffer.size, &load);
    for (int i = 0; i < 3; i++)
        collect_put(sample, self->id[i], load.load[i]);
    collect_put(sample, self->id[3], load.tasks);
    return isnan(load.load[0]) ? VD_ERR_FORMAT : VD_OK;
}

const struct collect_type collect_loadavg = {
    .name = "loadavg",
    .summary = "load averages and the number of threads",
    .rows = {COLLECT_TABLE(rows)},
    .create = create,
    .read = read_loadavg,
    .destroy = collect_plain_free,
};
