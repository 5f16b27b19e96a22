/* One rolling window (vedette/stats.h) for each metric of the schema, followed by index;
 * a metric with another serial number begins anew. Reading gives z, learning adds the
 * value; the caller decides which samples are normal enough to be learned. */
#include "detect/baseline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Below a tenth of what is expected no engineer calls it a deviation, whatever the floor,
 * except of a share, which has its own scale: a tenth of 60 % is not small. Of a number
 * that nobody told us anything about (a column of somebody's file), a hundredth. */
static const double TENTH = 0.1, HUNDREDTH = 0.01;

/* Gives the sigma below which a metric is not said to deviate, in the metric's unit.
 * `expected` is NaN or 0 where nothing is known yet, and then only the fixed floor
 * counts. */
double detect_sigma_floor(const struct record_metric *metric, double expected)
{
    if (!(metric->sigma_floor > 0))
        return HUNDREDTH * fabs(expected);
    if (strcmp(metric->unit, "%") == 0)
        return metric->sigma_floor;
    return fmax(metric->sigma_floor, TENTH * fabs(expected));
}

void detect_baseline_release(struct detect_baseline *b)
{
    for (size_t i = 0; i < b->n; i++)
        vd_rolling_release(&b->rolling[i]);
    free(b->rolling);
    free(b->expected);
    free(b->z);
    free(b->serial);
    *b = (struct detect_baseline){0};
}

/* Makes room for n metrics. Each array that could be grown is kept even when another
 * could not: they are all at least as large as `capacity` says. */
static enum vd_status reserve(struct detect_baseline *b, size_t n)
{
    void *rolling, *expected, *z, *serial;

    if (n <= b->capacity)
        return VD_OK;
    rolling = realloc(b->rolling, n * sizeof *b->rolling);
    if (rolling != NULL)
        b->rolling = rolling;
    expected = realloc(b->expected, n * sizeof *b->expected);
    if (expected != NULL)
        b->expected = expected;
    z = realloc(b->z, n * sizeof *b->z);
    if (z != NULL)
        b->z = z;
    serial = realloc(b->serial, n * sizeof *b->serial);
    if (serial != NULL)
        b->serial = serial;
    if (rolling == NULL || expected == NULL || z == NULL || serial == NULL)
        return VD_ERR_MEMORY;
    b->capacity = n;
    return VD_OK;
}

/* Empties the window of an index that another metric has now, as its values say nothing
 * about the new one. */
static enum vd_status forget_others(struct detect_baseline *b,
                                    const struct record_schema *schema)
{
    for (size_t i = 0; i < b->n; i++) {
        struct vd_rolling fresh;

        if (b->serial[i] == schema->metric[i].serial)
            continue;
        if (vd_rolling_init(&fresh, 0) != VD_OK)
            return VD_ERR_MEMORY;
        vd_rolling_release(&b->rolling[i]);
        b->rolling[i] = fresh;
        b->serial[i] = schema->metric[i].serial;
    }
    return VD_OK;
}

/* Follows the schema: new metrics get a window, and those whose index was reused begin
 * anew. */
static enum vd_status follow(struct detect_baseline *b,
                             const struct record_schema *schema)
{
    enum vd_status status = reserve(b, schema->n);

    if (status == VD_OK)
        status = forget_others(b, schema);
    while (status == VD_OK && b->n < schema->n) {
        status = vd_rolling_init(&b->rolling[b->n], 0);
        if (status == VD_OK)
            b->serial[b->n] = schema->metric[b->n].serial;
        if (status == VD_OK)
            b->n++;
    }
    return status;
}

/* Computes what is expected of each metric and how far it is from that. Without memory
 * for new metrics the others are still read. */
enum vd_status detect_baseline_read(struct detect_baseline *b,
                                    const struct record_schema *schema,
                                    const double *value)
{
    enum vd_status status = follow(b, schema);

    for (size_t i = 0; i < b->n; i++) {
        b->expected[i] = vd_rolling_expected(&b->rolling[i]);
        b->z[i] = vd_rolling_z(&b->rolling[i], value[i],
                               detect_sigma_floor(&schema->metric[i], b->expected[i]));
    }
    return status;
}

/* Finds the largest deviation in floors of sigma, not in the metric's own sigma: what is
 * rare on a very quiet machine may still be nothing. A metric without a floor counts by
 * its own sigma. */
double detect_baseline_weight(const struct detect_baseline *b,
                              const struct record_schema *schema, const double *value)
{
    double largest = 0;

    for (size_t i = 0; i < b->n; i++) {
        const struct record_metric *metric = &schema->metric[i];
        double away = value[i] - b->expected[i];

        if (detect_sigma_floor(metric, 0) > 0)
            away /= detect_sigma_floor(metric, b->expected[i]);
        else
            away = b->z[i];
        largest = fmax(largest, fabs(away));
    }
    return largest;
}

void detect_baseline_learn(struct detect_baseline *b, const double *value)
{
    for (size_t i = 0; i < b->n; i++)
        vd_rolling_push(&b->rolling[i], value[i]);
}

/* Saves the windows by the names of their metrics, since the indices of the next run may
 * be others. */
void detect_baseline_save(const struct detect_baseline *b,
                          const struct record_schema *schema, struct vd_writer *w)
{
    vd_write_u64(w, b->n);
    for (size_t i = 0; i < b->n; i++) {
        char name[RECORD_NAME_MAX + RECORD_LABEL_MAX];

        vd_write_text(w, record_metric_label(&schema->metric[i], name, sizeof name));
        vd_rolling_save(&b->rolling[i], w);
    }
}

/* Loads the windows of metrics that are here. Those of others are read into a window that
 * is thrown away, to come to the next name. */
enum vd_status detect_baseline_load(struct detect_baseline *b,
                                    const struct record_schema *schema,
                                    struct vd_reader *r, struct vd_error *err)
{
    struct vd_rolling other = {0};
    enum vd_status status = follow(b, schema);
    size_t n = vd_read_count(r, 8);

    if (status == VD_OK)
        status = vd_rolling_init(&other, 0);
    for (size_t i = 0; status == VD_OK && i < n; i++) {
        char name[RECORD_NAME_MAX + RECORD_LABEL_MAX];
        size_t metric;

        vd_read_text(r, name, sizeof name);
        metric = record_schema_find(schema, name);
        /* A window that nobody has a use for is read past. */
        status = vd_rolling_load(metric < b->n ? &b->rolling[metric] : &other, r, err);
    }
    vd_rolling_release(&other);
    return status;
}
