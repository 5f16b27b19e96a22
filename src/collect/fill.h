/* How collectors register metrics and put values into a sample. */
#ifndef VD_COLLECT_FILL_H
#define VD_COLLECT_FILL_H

#include <math.h>

#include "record.h"

/* An index that fits no sample: what is put there is dropped. */
#define COLLECT_NO_METRIC SIZE_MAX

/* Rows of metric tables. GROUP is of RECORD_GROUP_, FLOOR the sigma floor, KIND is GAUGE,
 * RATE or RATIO, KEY the label's key. The help comes last; behind it more may be said of
 * the metric: "Data read.", .is_byte_rate = true. */
#define COLLECT_ROW(NAME, UNIT, GROUP, FLOOR, KIND, SCALE, ...)                          \
    {                                                                                    \
        .name = NAME, .unit = UNIT, .group = RECORD_GROUP_##GROUP, .sigma_floor = FLOOR, \
        .kind = RECORD_##KIND, .scale = SCALE, .help = __VA_ARGS__                       \
    }
#define COLLECT_ROW_OF(KEY, NAME, UNIT, GROUP, FLOOR, KIND, SCALE, ...)                  \
    COLLECT_ROW(NAME, UNIT, GROUP, FLOOR, KIND, SCALE, __VA_ARGS__, .label_key = KEY)

/* A share of a time, in %: clocks that do not agree must not make it more than all. */
#define COLLECT_SHARE_ROW(NAME, GROUP, FLOOR, KIND, SCALE, ...)                          \
    COLLECT_ROW(NAME, "%", GROUP, FLOOR, KIND, SCALE, __VA_ARGS__, .most = 100)
#define COLLECT_SHARE_ROW_OF(KEY, NAME, GROUP, FLOOR, KIND, SCALE, ...)                  \
    COLLECT_SHARE_ROW(NAME, GROUP, FLOOR, KIND, SCALE, __VA_ARGS__, .label_key = KEY)

/* Registers `n` rows with one label (NULL = none); indices into id[n]. */
void collect_add_rows(struct record_schema *schema, const struct record_metric *rows,
                      size_t n, const char *label, size_t *id);

/* Does the same while a tick is being read: values of new metrics begin as NaN. False
 * when one of them did not fit. */
bool collect_add_rows_now(struct record_sample *sample, const struct record_metric *rows,
                          size_t n, const char *label, size_t *id);

/* Does the same for a thing that comes and goes: it gets all of its rows, or false and
 * none when there is no room. */
bool collect_show(struct record_sample *sample, const struct record_metric *rows,
                  size_t n, const char *label, size_t *id);

/* Ends a thing that is gone: its metrics go back to the schema, and id[n] becomes
 * COLLECT_NO_METRIC. */
void collect_hide(struct record_schema *schema, size_t *id, size_t n);

/* Gives what a collector returns in the end when `n` of its `things` got no metrics for
 * want of room: VD_OK for none. */
enum vd_status collect_left_out(struct vd_error *err, const char *things, size_t n);

static inline void collect_put(struct record_sample *sample, size_t id, double raw)
{
    if (id != COLLECT_NO_METRIC)
        sample->raw[id] = raw;
}

/* Numerator and denominator of a RECORD_RATIO. */
static inline void collect_put_ratio(struct record_sample *sample, size_t id, double raw,
                                     double base)
{
    if (id == COLLECT_NO_METRIC)
        return;
    sample->raw[id] = raw;
    sample->base[id] = base;
}

/* Rows of the core features, in their order; each belongs to one collector. */
enum {
    COLLECT_CPU_PERCENT,
    COLLECT_CPU_FREQ,
    COLLECT_CPU_MEMORY,
    COLLECT_CPU_TEMP,
    COLLECT_GPU_PERCENT,
    COLLECT_GPU_MEMORY,
    COLLECT_GPU_TEMP,
    COLLECT_CORE_METRICS
};

extern const struct record_metric collect_core_metrics[COLLECT_CORE_METRICS];

/* The index of a core metric (COLLECT_NO_METRIC without memory). */
static inline size_t collect_core(struct record_schema *schema, int which)
{
    return record_schema_add(schema, &collect_core_metrics[which], NULL);
}

#endif
