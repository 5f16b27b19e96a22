/* Registers the rows of metric tables, one by one or all of a device, and holds the core
 * metrics, which several collectors fill in. */
#include "collect/fill.h"

#define CORE_ROW(NAME, UNIT, GROUP, FLOOR, KIND, SCALE, HELP)                            \
    COLLECT_ROW(NAME, UNIT, GROUP, FLOOR, KIND, SCALE, HELP, .core = true)

const struct record_metric collect_core_metrics[COLLECT_CORE_METRICS] = {
    CORE_ROW("cpu_percent", "%", CPU, 2, RATIO, 100,
             "CPU time used, of all cores together."),
    CORE_ROW("cpu_freq", "MHz", CPU, 100, GAUGE, 1, "Mean clock rate of all cores."),
    CORE_ROW("cpu_memory", "%", MEMORY, 0.75, GAUGE, 1,
             "Memory in use: what new programs cannot have."),
    CORE_ROW("cpu_temp", "C", TEMPERATURE, 2, GAUGE, 1, "Temperature of the processor."),
    CORE_ROW("gpu_percent", "%", GPU, 2, GAUGE, 1,
             "Load of the busiest graphics processor."),
    CORE_ROW("gpu_memory", "%", GPU, 0.75, GAUGE, 1,
             "Memory in use of the fullest graphics processor."),
    CORE_ROW("gpu_temp", "C", GPU, 2, GAUGE, 1,
             "Temperature of the hottest graphics processor."),
};

void collect_add_rows(struct record_schema *schema, const struct record_metric *rows,
                      size_t n, const char *label, size_t *id)
{
    for (size_t i = 0; i < n; i++)
        id[i] = record_schema_add(schema, &rows[i], label);
}

/* Sets the new metrics to NaN: the sample was cleared when the tick began, before they
 * were there. */
bool collect_add_rows_now(struct record_sample *sample, const struct record_metric *rows,
                          size_t n, const char *label, size_t *id)
{
    bool all = true;

    collect_add_rows(sample->schema, rows, n, label, id);
    for (size_t i = 0; i < n; i++) {
        collect_put_ratio(sample, id[i], NAN, NAN);
        all &= id[i] != COLLECT_NO_METRIC;
    }
    return all;
}

/* Registers all rows or none: a device with half of its metrics would seem to have no
 * more to tell. */
bool collect_show(struct record_sample *sample, const struct record_metric *rows,
                  size_t n, const char *label, size_t *id)
{
    for (size_t i = 0; i < n; i++)
        id[i] = COLLECT_NO_METRIC;
    if (record_schema_has_room(sample->schema) &&
        collect_add_rows_now(sample, rows, n, label, id))
        return true;
    collect_hide(sample->schema, id, n);
    return false;
}

void collect_hide(struct record_schema *schema, size_t *id, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        record_schema_give_back(schema, id[i]);
        id[i] = COLLECT_NO_METRIC;
    }
}

enum vd_status collect_left_out(struct vd_error *err, const char *things, size_t n)
{
    if (n == 0)
        return VD_OK;
    return vd_error_set(err, VD_ERR_LIMIT, NULL,
                        "%zu %s have no metrics of their own: there are too many", n,
                        things);
}
