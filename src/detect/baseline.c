#include "detect/baseline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sigma floors by unit: below a few of these no engineer calls it a deviation. */
static const struct {
    const char *unit;
    double floor;
} unit_floor[] = {
    {"%", 2}, {"MB/s", 1},  {"GB", 0.1}, {"MB", 20},
    {"C", 2}, {"MHz", 100}, {"ms", 5},   {"1/s", 50},
};

/* Events per second differ by what they are: one shell command is a thousand page faults,
 * one error is one. Names that begin so, the longer first. */
static const struct {
    const char *prefix;
    double floor;
} event_floor[] = {
    {"page_faults_major", 20},
    {"page_faults", 2000},
    {"context_switches", 2000},
    {"network_recv_packets", 1000},
    {"network_sent_packets", 1000},
    {"network_errors", 1},
    {"network_drops", 5},
    {"oom_kills", 0.1},
    {"forks", 10},
    {"disk_", 100},
};

/* Counts and rates without a unit of their own: a tenth of what is expected, and not less
 * than five (load is a count of one kind: an idle machine has 0.05). */
static const double COUNT_FLOOR = 5, RELATIVE_FLOOR = 0.1;

/* Use of memory moves by less than use of a processor: in whole programs. */
static const double MEMORY_FLOOR = 0.75;

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

double detect_sigma_floor(const struct record_metric *metric, double expected)
{
    double relative = RELATIVE_FLOOR * fabs(expected);

    if (strcmp(metric->unit, "1/s") == 0)
        for (size_t i = 0; i < sizeof event_floor / sizeof *event_floor; i++)
            if (begins_with(metric->name, event_floor[i].prefix))
                return fmax(event_floor[i].floor, relative);
    for (size_t i = 0; i < sizeof unit_floor / sizeof *unit_floor; i++) {
        if (strcmp(metric->unit, unit_floor[i].unit) != 0)
            continue;
        /* A share of a hundred is its own scale; a tenth of 60 % is not small. */
        if (strcmp(metric->unit, "%") == 0)
            return strstr(metric->name, "memory") == NULL ||
                           begins_with(metric->name, "pressure")
                       ? unit_floor[i].floor
                       : MEMORY_FLOOR;
        return fmax(unit_floor[i].floor, relative);
    }
    if (begins_with(metric->name, "load"))
        return fmax(0.25, relative);
    return fmax(COUNT_FLOOR, relative);
}

void detect_baseline_release(struct detect_baseline *b)
{
    for (size_t i = 0; i < b->n; i++)
        vd_rolling_release(&b->rolling[i]);
    free(b->rolling);
    free(b->expected);
    free(b->z);
    *b = (struct detect_baseline){0};
}

static enum vd_status reserve(struct detect_baseline *b, size_t n)
{
    void *rolling, *expected, *z;

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
    if (rolling == NULL || expected == NULL || z == NULL)
        return VD_ERR_MEMORY;
    b->capacity = n;
    return VD_OK;
}

static enum vd_status grow(struct detect_baseline *b, const struct record_schema *schema)
{
    enum vd_status status = reserve(b, schema->n);

    while (status == VD_OK && b->n < schema->n) {
        status = vd_rolling_init(&b->rolling[b->n], 0);
        if (status == VD_OK)
            b->n++;
    }
    return status;
}

enum vd_status detect_baseline_read(struct detect_baseline *b,
                                    const struct record_schema *schema,
                                    const double *value)
{
    enum vd_status status = grow(b, schema);

    for (size_t i = 0; i < b->n; i++) {
        double sigma = vd_rolling_sigma(&b->rolling[i]);
        double floor;

        b->expected[i] = vd_rolling_expected(&b->rolling[i]);
        floor = detect_sigma_floor(&schema->metric[i], b->expected[i]);
        b->z[i] = (value[i] - b->expected[i]) / (sigma > floor ? sigma : floor);
        if (isnan(sigma))
            b->z[i] = NAN;
        b->z[i] = b->z[i] > VD_Z_MAX    ? VD_Z_MAX
                  : b->z[i] < -VD_Z_MAX ? -VD_Z_MAX
                                        : b->z[i];
    }
    return status;
}

double detect_baseline_weight(const struct detect_baseline *b,
                              const struct record_schema *schema, const double *value)
{
    double largest = 0;

    for (size_t i = 0; i < b->n; i++) {
        double floor = detect_sigma_floor(&schema->metric[i], b->expected[i]);

        largest = fmax(largest, fabs(value[i] - b->expected[i]) / floor);
    }
    return largest;
}

void detect_baseline_learn(struct detect_baseline *b, const double *value)
{
    for (size_t i = 0; i < b->n; i++)
        vd_rolling_push(&b->rolling[i], value[i]);
}

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

enum vd_status detect_baseline_load(struct detect_baseline *b,
                                    const struct record_schema *schema,
                                    struct vd_reader *r, struct vd_error *err)
{
    struct vd_rolling other = {0};
    enum vd_status status = grow(b, schema);
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
