/* Words in a fixed vocabulary come first, since people count them; what the explanation
 * of the monitor says follows where those have nothing to say. */
#include "batch/analyse_words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/baseline.h"
#include "metrics.h"
#include "vedette/stats.h"

/* Sets how many rows the middle of a column is taken from, evenly chosen. */
enum { MIDDLE_ROWS = 50000 };

/* ---- metrics ---- */

/* Splits "disk_busy_percent{sda}" into its name and its label. */
static void split_name(const char *text, char name[RECORD_NAME_MAX],
                       char label[RECORD_LABEL_MAX])
{
    size_t length = strlen(text);
    const char *brace = strchr(text, '{');

    label[0] = '\0';
    if (brace != NULL && brace > text && text[length - 1] == '}') {
        snprintf(label, RECORD_LABEL_MAX, "%.*s",
                 (int)(length - 2 - (size_t)(brace - text)), brace + 1);
        length = (size_t)(brace - text);
    }
    /* Keeps the end of a name that is too long: it says most. */
    if (length >= RECORD_NAME_MAX)
        snprintf(name, RECORD_NAME_MAX, "..%.*s", RECORD_NAME_MAX - 3,
                 text + length - (RECORD_NAME_MAX - 3));
    else
        snprintf(name, RECORD_NAME_MAX, "%.*s", (int)length, text);
}

/* Adds the metric of value k, at index k. Two columns whose names are cut to the same
 * text get a number. */
static bool add_metric(struct batch_words *words, const struct batch_rows_column *column,
                       size_t k)
{
    char name[RECORD_NAME_MAX], label[RECORD_LABEL_MAX];
    struct record_metric metric;

    split_name(column->name, name, label);
    metric = metrics_guess(metrics_canonical(name), column->counts);
    metric.kind = RECORD_GAUGE; /* rates are made before */
    if (record_schema_add_named(&words->schema, &metric, name, label) == k)
        return true;
    snprintf(label, sizeof label, "column %zu", k + 1);
    return record_schema_add_named(&words->schema, &metric, name, label) == k;
}

static void find_known(struct batch_words *words)
{
    static const char *const name[BATCH_KNOWN] = {"cpu_percent",     "cpu_memory",
                                                  "disk_read_mb",    "disk_write_mb",
                                                  "network_sent_mb", "network_recv_mb"};

    for (size_t i = 0; i < BATCH_KNOWN; i++) {
        words->known[i] = SIZE_MAX;
        for (size_t k = 0; k < words->schema.n && words->known[i] == SIZE_MAX; k++)
            if (strcmp(metrics_canonical(words->schema.metric[k].name), name[i]) == 0 &&
                words->schema.metric[k].label[0] == '\0')
                words->known[i] = k;
    }
}

enum vd_status batch_words_init(struct batch_words *words, struct batch_rows *rows,
                                struct vd_error *err)
{
    *words = (struct batch_words){0};
    while (rows->d > RECORD_METRICS_MAX)
        batch_rows_leave_out(rows, rows->d - 1, "too many columns");
    words->expected = calloc(rows->d + 1, sizeof *words->expected);
    words->sigma = calloc(rows->d + 1, sizeof *words->sigma);
    words->scale = calloc(rows->d + 1, sizeof *words->scale);
    words->middle = calloc(rows->d + 1, sizeof *words->middle);
    words->per_sigma = calloc(rows->d + 1, sizeof *words->per_sigma);
    words->value = calloc(rows->d + 1, sizeof *words->value);
    words->z = calloc(rows->d + 1, sizeof *words->z);
    words->told = calloc(rows->d + 1, sizeof *words->told);
    if (words->expected == NULL || words->sigma == NULL || words->scale == NULL ||
        words->middle == NULL || words->per_sigma == NULL || words->value == NULL ||
        words->z == NULL || words->told == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the columns");
    for (size_t k = 0; k < rows->d; k++) {
        words->scale[k] = 1;
        if (!add_metric(words, &rows->column[rows->used[k]], k))
            return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the columns");
    }
    find_known(words);
    return VD_OK;
}

/* ---- what is expected ---- */

static double largest_of(const struct vd_matrix *x, size_t k)
{
    double largest = NAN;

    for (size_t i = 0; i < x->n; i++)
        largest = fmax(largest, vd_matrix_row(x, i)[k]);
    return largest;
}

static bool is_percent(const struct batch_words *words, size_t k)
{
    return strcmp(words->schema.metric[k].unit, "%") == 0;
}

/* A column that is called percent and stays below 1 may be an idle processor; memory in
 * use never is so little. */
static bool memory_is_share(const struct batch_words *words, const struct vd_matrix *x)
{
    for (size_t k = 0; k < x->d; k++)
        if (is_percent(words, k) &&
            words->schema.metric[k].group == RECORD_GROUP_MEMORY && largest_of(x, k) <= 1)
            return true;
    return false;
}

/* Finds shares from 0 to 1 among what is meant in percent, by all of the rows. A load
 * may be above 1. */
void batch_words_find_shares(struct batch_words *words, const struct vd_matrix *x)
{
    bool sure = memory_is_share(words, x);

    for (size_t k = 0; k < x->d; k++) {
        const char *name = words->schema.metric[k].name;
        bool says = strstr(name, "percent") != NULL || strstr(name, "pct") != NULL;

        if (is_percent(words, k) && (sure || !says) && largest_of(x, k) <= 2)
            words->scale[k] = 100;
    }
}

/* Sets the middle and the spread of one column. The spread is the largest of three: the
 * median distance, that of the middle nine tenths, and, for a column that hardly moves,
 * the standard deviation. */
static void measure(struct batch_words *words, size_t k, double *x, size_t n)
{
    struct vd_moments moments = {0};
    double middle, wide, sigma;

    words->expected[k] = words->sigma[k] = NAN;
    words->middle[k] = words->per_sigma[k] = NAN;
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        vd_moments_add(&moments, x[i]);
    vd_sort(x, n);
    middle = vd_quantile_sorted(x, n, 0.5);
    wide = (vd_quantile_sorted(x, n, 0.95) - vd_quantile_sorted(x, n, 0.05)) / 3.29;
    sigma = fmax(vd_mad(x, n, middle), wide);
    if (sigma <= 0)
        sigma = n > 1 ? sqrt(vd_moments_variance(&moments)) : 0;
    words->expected[k] = middle * words->scale[k];
    words->sigma[k] = sigma * words->scale[k];
    words->middle[k] = middle;
    sigma = fmax(words->sigma[k],
                 detect_sigma_floor(&words->schema.metric[k], words->expected[k]));
    words->per_sigma[k] = words->scale[k] / fmax(sigma, 1e-300);
}

/* Learns what is usual at each time of the day. Its spread has the floors of the whole.
 */
static enum vd_status learn_season(struct batch_words *words, const struct vd_matrix *x,
                                   const int64_t *time_ns, const bool *odd,
                                   struct vd_error *err)
{
    double *sigma = malloc((x->d + 1) * sizeof *sigma);
    enum vd_status status;

    if (sigma == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the columns");
    for (size_t k = 0; k < x->d; k++)
        sigma[k] = 1 / words->per_sigma[k];
    status = batch_season_learn(&words->season, x, time_ns, odd, sigma, err);
    free(sigma);
    return status;
}

enum vd_status batch_words_learn(struct batch_words *words, const struct vd_matrix *x,
                                 const int64_t *time_ns, const bool *odd,
                                 struct vd_error *err)
{
    size_t step = x->n / MIDDLE_ROWS + 1;
    double *column = malloc((x->n / step + 1) * sizeof *column);

    if (column == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for a column");
    for (size_t k = 0; k < x->d; k++) {
        size_t n = 0;

        for (size_t i = 0; i < x->n; i += step) {
            double value = vd_matrix_row(x, i)[k];

            if (!isnan(value) && (odd == NULL || !odd[i]))
                column[n++] = value;
        }
        measure(words, k, column, n);
    }
    free(column);
    return time_ns == NULL ? VD_OK : learn_season(words, x, time_ns, odd, err);
}

long batch_words_slot(const struct batch_words *words, int64_t time_ns)
{
    return batch_season_slot(&words->season, time_ns);
}

/* ---- words ---- */

static double known(const struct batch_words *words, int which)
{
    return words->known[which] == SIZE_MAX ? NAN : words->value[words->known[which]];
}

/* Adds " | " and the words unless they are there. */
static void add(struct batch_reason *out, const char *words)
{
    size_t length = strlen(out->reason);

    if (strstr(out->reason, words) == NULL)
        snprintf(out->reason + length, sizeof out->reason - length, "%s%s",
                 length == 0 ? "" : " | ", words);
}

/* Adds the reasons of hard limits, whose words and bounds are fixed: scripts count
 * them. Returns whether there was one. */
static bool add_limits(const struct batch_words *words, struct batch_reason *out)
{
    double disk = fmax(known(words, BATCH_READ), known(words, BATCH_WRITE));
    double network = fmax(known(words, BATCH_SENT), known(words, BATCH_RECEIVED));
    const struct {
        double value, limit;
        const char *words, *name, *unit;
    } limits[] = {
        {known(words, BATCH_CPU), 80, "High CPU usage detected", "CPU", "%"},
        {known(words, BATCH_MEMORY), 80, "High memory consumption", "Memory", "%"},
        {disk, 50, "High disk activity", "Disk I/O", " MB/s"},
        {network, 50, "High network traffic", "Network", " MB/s"},
    };

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (limits[i].value > limits[i].limit) {
            add(out, limits[i].words);
            snprintf(out->factor[out->n_factors++], sizeof *out->factor, "%s: %.1f%s",
                     limits[i].name, limits[i].value, limits[i].unit);
        }
    return out->reason[0] != '\0';
}

/* Adds the factors of the explanation, of each kind of resource one. */
static void add_own_factors(const struct record_event *event, struct batch_reason *out)
{
    for (size_t i = 0; i < event->n_top && out->n_factors < BATCH_FACTORS; i++) {
        size_t name = strcspn(event->factor[i], ":");
        bool there = false;

        for (size_t k = 0; k < out->n_factors; k++)
            there = there || strncmp(out->factor[k], event->factor[i], name) == 0;
        if (!there)
            snprintf(out->factor[out->n_factors++], sizeof *out->factor, "%s",
                     event->factor[i]);
    }
}

/* Adds what the score alone says. */
static void add_score(double score, struct batch_reason *out)
{
    if (score < -0.8)
        add(out, "Extremely unusual system behavior pattern");
    else if (score < -0.6)
        add(out, "Significantly abnormal system behavior");
}

/* Makes the row the one that is explained. */
static void take_row(struct batch_words *words, const double *row, int64_t time_ns)
{
    long slot = batch_words_slot(words, time_ns);

    for (size_t k = 0; k < words->schema.n; k++) {
        const struct batch_season_level *level = batch_season_at(&words->season, slot, k);

        words->value[k] = row[k] * words->scale[k];
        words->z[k] = batch_words_z(words, slot, k, row[k]);
        words->told[k] =
            level == NULL ? words->expected[k] : (double)level->middle * words->scale[k];
    }
}

double batch_words_explain(struct batch_words *words, const double *row, int64_t time_ns,
                           double score, const char *task, struct batch_reason *out)
{
    struct explain_input in = batch_words_input(words);
    char failed[80];
    double told;
    bool limit;

    take_row(words, row, time_ns);
    told = explain_event(&in, &words->event);
    *out = (struct batch_reason){.n_top = words->event.n_top};
    memcpy(out->top, words->event.top, sizeof out->top);
    memcpy(out->explanation, words->event.explanation, sizeof out->explanation);
    limit = add_limits(words, out);
    if (task[0] != '\0') {
        snprintf(failed, sizeof failed, "Task failure detected: task_status=%s", task);
        add(out, failed);
    }
    add_score(score, out);
    if (out->reason[0] == '\0')
        add(out, "Unusual combination of system metrics");
    if (!limit && words->event.n_top > 0)
        add(out, words->event.reason);
    add_own_factors(&words->event, out);
    return told;
}

struct explain_input batch_words_input(const struct batch_words *words)
{
    return (struct explain_input){.schema = &words->schema,
                                  .value = words->value,
                                  .expected = words->told,
                                  .z = words->z};
}

void batch_words_release(struct batch_words *words)
{
    record_schema_release(&words->schema);
    free(words->expected);
    free(words->sigma);
    free(words->scale);
    free(words->middle);
    free(words->per_sigma);
    free(words->value);
    free(words->z);
    free(words->told);
    batch_season_release(&words->season);
    *words = (struct batch_words){0};
}
