/* Goes along with the rows. The worst are a heap whose first is the least of them. */
#include "batch/analyse_gather.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vedette/evaluate.h"

/* Sets for how long an event may be quiet, and for how many rows at most. */
static const double QUIET_S = 10;
enum { QUIET_ROWS_MAX = 10 };

/* A leak: so many rows on end in which memory grows, by so many sigmas in all. */
enum { LEAK_ROWS = 4 };
static const double LEAK_SIGMAS = 2;

/* ---- begin ---- */

static enum vd_status begin_envelopes(struct batch_gather *g)
{
    struct batch_analysis *out = g->out;

    for (size_t c = 0; c < out->n_columns && g->n_envelopes < BATCH_ENVELOPES; c++) {
        struct batch_column *column = &out->column[c];

        if (column->metric == SIZE_MAX)
            continue;
        column->low = malloc(BATCH_BUCKETS * sizeof *column->low);
        column->high = malloc(BATCH_BUCKETS * sizeof *column->high);
        if (column->low == NULL || column->high == NULL)
            return VD_ERR_MEMORY;
        for (size_t b = 0; b < BATCH_BUCKETS; b++)
            column->low[b] = column->high[b] = NAN;
        g->envelope[g->n_envelopes++] = (struct batch_envelope){
            column->low, column->high, column->metric, g->words->scale[column->metric]};
    }
    return VD_OK;
}

/* Says where the labels are from. */
static const char *label_source(const struct batch_rows *rows)
{
    const struct format_table *t = &rows->table[0];

    if (t->label != SIZE_MAX)
        return t->column[t->label].name;
    return rows->phase[0] != SIZE_MAX ? t->column[rows->phase[0]].name : "file names";
}

enum vd_status batch_gather_begin(struct batch_gather *g, struct batch_analysis *out,
                                  struct batch_words *words,
                                  const struct batch_rows *rows, struct vd_error *err)
{
    enum vd_status status;
    size_t n;

    *g = (struct batch_gather){
        .out = out, .words = words, .total = rows->n, .timed = rows->timed, .step = 1};
    status = begin_envelopes(g);
    g->step = rows->n / BATCH_LABELLED_MAX + 1;
    if (rows->pace_s > 0)
        g->quiet_most = (unsigned)fmin(QUIET_S / rows->pace_s, QUIET_ROWS_MAX);
    n = (size_t)(rows->n / g->step + 1);
    if (rows->labelled) {
        g->label = malloc(n * sizeof *g->label);
        g->surprise = malloc(n * sizeof *g->surprise);
        if (g->label == NULL || g->surprise == NULL)
            status = VD_ERR_MEMORY;
    }
    out->worst = calloc(BATCH_WORST, sizeof *out->worst);
    if (out->worst == NULL)
        status = VD_ERR_MEMORY;
    out->n_buckets = rows->n < BATCH_BUCKETS ? (size_t)rows->n : BATCH_BUCKETS;
    out->quality.known = rows->labelled;
    if (rows->labelled)
        snprintf(out->quality.column, sizeof out->quality.column, "%s",
                 label_source(rows));
    return status == VD_OK
               ? status
               : vd_error_set(err, status, NULL, "no memory for what is found");
}

/* ---- events ---- */

/* Orders by surprise, and among the utmost by how far the values are away. */
static bool is_worse(const struct batch_row *a, const struct batch_row *b)
{
    return a->surprise != b->surprise ? a->surprise > b->surprise : a->told > b->told;
}

static enum vd_status keep_event(struct batch_gather *g, struct vd_error *err)
{
    struct batch_analysis *out = g->out;

    g->open = false;
    if (out->n_events == BATCH_EVENTS_MAX) {
        out->events_left_out++;
        return VD_OK;
    }
    if ((out->n_events & (out->n_events - 1)) == 0) { /* a power of two: it is full */
        size_t room = out->n_events == 0 ? 1 : 2 * out->n_events;
        struct batch_event *event = realloc(out->event, room * sizeof *event);

        if (event == NULL)
            return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the events");
        out->event = event;
    }
    out->event[out->n_events++] = g->event;
    return VD_OK;
}

static void open_event(struct batch_gather *g, const struct batch_row *row)
{
    g->open = true;
    g->event = (struct batch_event){
        .first = row->row, .first_ns = row->time_ns, .peak = *row, .pattern = "spike"};
    explain_course_start(&g->course);
    g->grown_rows = 0;
    g->memory = g->grown = 0;
}

/* Follows memory whatever else is odd: a leak is one although the disk that it is written
 * to deviates more. */
static bool is_leak(struct batch_gather *g)
{
    size_t k = g->words->known[BATCH_MEMORY];
    double now = k == SIZE_MAX ? NAN : g->words->value[k];

    if (isnan(now))
        return false;
    if (g->event.rows > 1 && now > g->memory) {
        g->grown_rows++;
        g->grown += now - g->memory;
    } else {
        g->grown_rows = 0;
        g->grown = 0;
    }
    g->memory = now;
    return g->grown_rows >= LEAK_ROWS && g->grown > LEAK_SIGMAS * g->words->sigma[k];
}

/* Adds an odd row to the event. What it is called is decided anew with each row. */
static void extend_event(struct batch_gather *g, const struct batch_row *row)
{
    struct explain_input in = batch_words_input(g->words);
    double seconds = g->timed ? (double)(row->time_ns - g->event.first_ns) * 1e-9
                              : (double)(row->row - g->event.first);

    g->event.last = row->row;
    g->event.last_ns = row->time_ns;
    g->event.rows++;
    if (is_worse(row, &g->event.peak))
        g->event.peak = *row;
    explain_course_add(&g->course, &in, &g->words->event);
    if (is_leak(g))
        g->event.pattern = "leak";
    else if (strcmp(g->event.pattern, "leak") != 0)
        g->event.pattern = explain_pattern(&g->course, &in, &g->words->event, seconds);
}

static enum vd_status follow_event(struct batch_gather *g, const struct batch_row *row,
                                   bool odd, struct vd_error *err)
{
    if (odd) {
        if (!g->open)
            open_event(g, row);
        extend_event(g, row);
        g->quiet = 0;
    } else if (g->open && g->quiet++ == g->quiet_most) {
        return keep_event(g, err);
    }
    return VD_OK;
}

/* ---- the worst rows ---- */

static void sift_down(struct batch_row *heap, size_t n, size_t at)
{
    for (;;) {
        size_t least = at, left = 2 * at + 1;

        for (size_t child = left; child < left + 2 && child < n; child++)
            if (is_worse(&heap[least], &heap[child]))
                least = child;
        if (least == at)
            return;
        struct batch_row one = heap[at];

        heap[at] = heap[least];
        heap[least] = one;
        at = least;
    }
}

static void keep_worst(struct batch_analysis *out, const struct batch_row *row)
{
    if (out->n_worst < BATCH_WORST) {
        out->worst[out->n_worst++] = *row;
        if (out->n_worst == BATCH_WORST)
            for (size_t i = BATCH_WORST / 2; i-- > 0;)
                sift_down(out->worst, BATCH_WORST, i);
        return;
    }
    if (!is_worse(row, &out->worst[0]))
        return;
    out->worst[0] = *row;
    sift_down(out->worst, BATCH_WORST, 0);
}

static int by_surprise(const void *a, const void *b)
{
    const struct batch_row *one = a, *other = b;

    if (is_worse(one, other) || is_worse(other, one))
        return is_worse(one, other) ? -1 : 1;
    return one->row < other->row ? -1 : one->row > other->row;
}

/* ---- the envelope ---- */

/* Goes to the bucket of the row; rows come in order. */
static void find_bucket(struct batch_gather *g, const struct batch_row *row)
{
    struct batch_analysis *out = g->out;

    while (row->row >= g->next_bucket && g->bucket < out->n_buckets) {
        size_t b = g->bucket++;

        out->bucket_row[b] = row->row;
        out->bucket_ns[b] = row->time_ns;
        out->bucket_score[b] = NAN;
        g->next_bucket =
            (uint64_t)((double)g->bucket * (double)g->total / (double)out->n_buckets);
    }
}

static void widen(struct batch_gather *g, const struct batch_row *row, bool odd,
                  const double *value)
{
    struct batch_analysis *out = g->out;
    size_t b;

    find_bucket(g, row);
    b = g->bucket - 1;
    if ((float)row->score < out->bucket_score[b] || isnan(out->bucket_score[b]))
        out->bucket_score[b] = (float)row->score;
    out->bucket_anomalies[b] += odd;
    for (size_t i = 0; i < g->n_envelopes; i++) {
        const struct batch_envelope *e = &g->envelope[i];
        float x = (float)(value[e->metric] * e->scale);

        if (x < e->low[b] || isnan(e->low[b]))
            e->low[b] = x;
        if (x > e->high[b] || isnan(e->high[b]))
            e->high[b] = x;
    }
}

/* ---- labels ---- */

static void end_run(struct batch_gather *g)
{
    g->out->quality.events += g->in_run;
    g->out->quality.events_found += g->in_run && g->run_found;
    g->in_run = g->run_found = false;
}

static void compare(struct batch_gather *g, const struct batch_row *row, bool odd,
                    int label)
{
    struct batch_quality *q = &g->out->quality;

    if (g->label == NULL || label < 0)
        return;
    q->tp += label == 1 && odd;
    q->fn += label == 1 && !odd;
    q->fp += label == 0 && odd;
    q->tn += label == 0 && !odd;
    if (label == 0)
        end_run(g);
    g->in_run = label == 1;
    g->run_found = g->run_found || (label == 1 && odd);
    if (row->row % g->step == 0) {
        g->label[g->n_labelled] = (uint8_t)label;
        g->surprise[g->n_labelled++] = row->surprise;
    }
}

static void measure(struct batch_gather *g)
{
    struct batch_quality *q = &g->out->quality;
    struct vd_confusion c = {q->tp, q->fp, q->tn, q->fn};

    end_run(g);
    q->anomalies = q->tp + q->fn;
    q->normal = q->tn + q->fp;
    q->precision = vd_precision(&c);
    q->recall = vd_recall(&c);
    q->f1 = q->anomalies > 0 ? vd_f1(&c) : NAN;
    q->false_alarm_rate = vd_false_positive_rate(&c);
    q->miss_rate = vd_false_negative_rate(&c);
    q->roc_auc = q->average_precision = NAN;
    vd_areas(g->label, g->surprise, g->n_labelled, &q->roc_auc, &q->average_precision,
             NULL);
}

/* ---- rows ---- */

enum vd_status batch_gather_add(struct batch_gather *g, struct batch_row *row, bool odd,
                                const double *value, int label, const char *task,
                                struct vd_error *err)
{
    struct batch_analysis *out = g->out;

    if (odd) {
        row->told = batch_words_explain(g->words, value, row->time_ns, row->score, task,
                                        &row->why);
        out->anomalies++;
        keep_worst(out, row);
    }
    if (out->rows++ == 0)
        out->first_ns = row->time_ns;
    out->last_ns = row->time_ns;
    widen(g, row, odd, value);
    compare(g, row, odd, label);
    return follow_event(g, row, odd, err);
}

void batch_gather_end(struct batch_gather *g)
{
    if (g->open)
        keep_event(g, NULL);
    g->out->n_buckets = g->bucket;
    qsort(g->out->worst, g->out->n_worst, sizeof *g->out->worst, by_surprise);
    if (g->label != NULL)
        measure(g);
}

void batch_gather_release(struct batch_gather *g)
{
    free(g->label);
    free(g->surprise);
    *g = (struct batch_gather){0};
}
