/* The way through an analysis: open, learn, find the threshold, score, gather, write. */
#include "batch/analyse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch/analyse_state.h"
#include "batch/model_file.h"
#include "os/clock.h"
#include "vedette/stats.h"

static const double WEEK_S = 7 * 86400;

/* Without a budget so many rows of a table are flagged by chance: one quiet table in
 * twenty has an anomaly. */
static const double BY_CHANCE = 0.05;

/* The least threshold: in a table of a few rows, too, an anomaly is one in a hundred. */
static const double THRESHOLD_LEAST = 2;

/* Rows between two looks at the clock, and the time between two words of progress. */
enum { STEP_ROWS = 4096 };
static const int64_t TELL_NS = 100000000;

struct batch_analyse_options batch_analyse_options_default(void)
{
    return (struct batch_analyse_options){
        .contamination = NAN, .budget = NAN, .threads = 1};
}

/* ---- progress ---- */

static enum vd_status tell(struct analysis *a, struct vd_error *err)
{
    double done = a->to_do == 0 ? 0 : (double)a->done / (double)a->to_do;

    if (a->options->progress == NULL ||
        a->options->progress(a->options->context, fmin(done, 1), a->rows.n))
        return VD_OK;
    return vd_error_set(err, VD_ERR_BUSY, NULL, "stopped, as was asked");
}

enum vd_status batch_analysis_step(struct analysis *a, struct vd_error *err)
{
    return a->done % STEP_ROWS != 0 ? (a->done++, VD_OK)
                                    : batch_analysis_steps(a, 1, err);
}

enum vd_status batch_analysis_steps(struct analysis *a, uint64_t rows,
                                    struct vd_error *err)
{
    int64_t now = os_clock_mono_ns();

    a->done += rows;
    if (now - a->told_ns < TELL_NS)
        return VD_OK;
    a->told_ns = now;
    return tell(a, err);
}

static double seconds_since(int64_t start_ns)
{
    return (double)(os_clock_mono_ns() - start_ns) * 1e-9;
}

/* ---- opening ---- */

/* Copies what is known of the columns, once it is known which are used. */
static enum vd_status take_columns(struct analysis *a, struct vd_error *err)
{
    struct batch_analysis *out = a->out;

    out->column = calloc(a->rows.n_columns + 1, sizeof *out->column);
    if (out->column == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the columns");
    out->n_columns = a->rows.n_columns;
    for (size_t c = 0; c < out->n_columns; c++) {
        struct batch_column *column = &out->column[c];

        memcpy(column->name, a->rows.column[c].name, sizeof column->name);
        memcpy(column->why, a->rows.column[c].why, sizeof column->why);
        memcpy(column->note, a->rows.column[c].note, sizeof column->note);
        column->metric = SIZE_MAX;
        column->expected = column->sigma = NAN;
    }
    for (size_t k = 0; k < a->rows.d; k++) {
        struct batch_column *column = &out->column[a->rows.used[k]];

        column->metric = k;
        column->expected = a->words.expected[k];
        column->sigma = a->words.sigma[k];
        if (a->words.scale[k] != 1)
            snprintf(column->note, sizeof column->note, "0 to 1: shown in percent");
        else if (strcmp(a->words.schema.metric[k].unit, "%") == 0)
            snprintf(column->note, sizeof column->note, "in percent");
    }
    out->n_used = a->rows.d;
    return VD_OK;
}

static enum vd_status open_all(struct analysis *a, struct vd_error *err)
{
    const struct batch_analyse_options *o = a->options;
    int64_t start = os_clock_mono_ns();
    enum vd_status status = VD_OK;

    if (o->model != NULL)
        status = batch_model_file_read(&a->model, o->model, NULL, err);
    if (status == VD_OK)
        status = tell(a, err);
    if (status == VD_OK)
        status = batch_rows_open(&a->rows, o, o->file, o->n_files, err);
    if (status == VD_OK)
        status = batch_analysis_choose(a, err);
    a->out->n_files = a->rows.n_tables;
    a->out->pace_s = a->rows.pace_s;
    for (size_t i = 0; i < a->rows.n_tables; i++)
        a->out->skipped +=
            a->rows.table[i].untimed.n + a->rows.table[i].faults.too_long.n;
    a->out->read_s = seconds_since(start);
    return status;
}

/* ---- the threshold ---- */

static void say_threshold(struct analysis *a, double threshold, const char *text)
{
    a->out->threshold = fmax(threshold, 1e-9);
    snprintf(a->out->threshold_text, sizeof a->out->threshold_text, "%s", text);
}

/* Lets of the rows that are as odd as the last one that is to be flagged only so many
 * stay so, the first ones, that `above` are flagged. The sorted surprises follow. */
static void part_equals(const struct batch_lesson *lesson, double *sorted, size_t above)
{
    size_t n = lesson->x.n, keep = 0;
    double last = sorted[n - above], below = nextafter(last, -1);

    for (size_t i = n - above; i < n && sorted[i] == last; i++)
        keep++;
    for (size_t i = n - above; i-- > 0 && sorted[i] == last;)
        sorted[i] = nextafter(below, -1);
    for (size_t i = 0; i < n; i++)
        if (lesson->surprise[i] == last && !(keep > 0 && keep-- > 0))
            lesson->surprise[i] = nextafter(below, -1);
}

/* Finds the surprise that a share of the rows is above: between two rows, so that as many
 * are flagged as were asked for. */
static void threshold_by_share(struct analysis *a)
{
    const struct batch_lesson *lesson = &a->lesson;
    size_t n = lesson->x.n, above;
    double *sorted = malloc((n + 1) * sizeof *sorted), share = a->options->contamination;
    char text[160];

    snprintf(text, sizeof text, "%.4g %% of the rows, as was asked", 100 * share);
    if (sorted == NULL || n < 2) {
        say_threshold(a, vd_surprise_of_contamination(share), text);
        free(sorted);
        return;
    }
    memcpy(sorted, lesson->surprise, n * sizeof *sorted);
    vd_sort(sorted, n);
    above = (size_t)llround(share * (double)n);
    above = above < 1 ? 1 : above < n ? above : n - 1;
    part_equals(lesson, sorted, above);
    say_threshold(a, (sorted[n - above] + sorted[n - above - 1]) / 2, text);
    free(sorted);
}

/* Takes the threshold of a bundle: that of its ensemble, or the mean of its detectors'.
 */
static void threshold_by_model(struct analysis *a)
{
    const struct vd_model_entry *entry = vd_model_find(a->model, "ensemble");
    double sum = 0;
    size_t n = 0;

    for (size_t i = 0; entry == NULL && vd_model_at(a->model, i) != NULL; i++, n++)
        sum += vd_model_at(a->model, i)->threshold;
    say_threshold(a, entry != NULL ? entry->threshold : sum / (double)n,
                  "that of the model");
}

/* Takes the detector's own threshold, where one alone was fitted with a share on rows to
 * train on, as `vedette compare` does. */
static bool is_own_threshold(const struct analysis *a)
{
    const struct batch_scorer *scorer = &a->scorer;

    return scorer->n_members == 1 && a->options->n_train > 0 &&
           scorer->member[0].kind == BATCH_MEMBER_LIBRARY &&
           (!isnan(a->options->contamination) ||
            vd_detector_find(scorer->member[0].name)->needs_labels);
}

static void threshold_by_detector(struct analysis *a)
{
    const struct batch_member *member = &a->scorer.member[0];
    double raw = batch_member_raw(member, vd_detector_threshold(member->detector));

    say_threshold(a, vd_calibration_surprise(&member->calibration, raw),
                  "the detector's own");
}

static void threshold_by_tail(struct analysis *a)
{
    const struct batch_analyse_options *o = a->options;
    double pace = a->rows.pace_s > 0 ? a->rows.pace_s : 1;
    double n = fmax((double)a->rows.n, 1);
    char text[160];

    if (!isnan(o->budget)) {
        snprintf(text, sizeof text, "%.4g false alarms a week", o->budget);
        say_threshold(a, vd_surprise_of_budget(o->budget, WEEK_S, pace), text);
        return;
    }
    say_threshold(a, fmax(-log10(BY_CHANCE / n), THRESHOLD_LEAST),
                  "the calibrated tail: a quiet table has none");
}

static void find_threshold(struct analysis *a)
{
    if (a->model != NULL && isnan(a->options->contamination))
        threshold_by_model(a);
    else if (is_own_threshold(a))
        threshold_by_detector(a);
    else if (!isnan(a->options->contamination) && a->options->n_train > 0)
        say_threshold(a, vd_surprise_of_contamination(a->options->contamination),
                      "a share of the rows to train on, as was asked");
    else if (!isnan(a->options->contamination))
        threshold_by_share(a);
    else
        threshold_by_tail(a);
}

/* ---- rows, block by block ---- */

struct block {
    struct vd_matrix x;
    int64_t *time_ns;
    int8_t *label;
    double *surprise;
    char (*task)[40];
};

static void block_release(struct block *b)
{
    vd_matrix_release(&b->x);
    free(b->time_ns);
    free(b->label);
    free(b->surprise);
    free(b->task);
}

static enum vd_status block_init(struct block *b, size_t d, struct vd_error *err)
{
    *b = (struct block){0};
    b->time_ns = calloc(BATCH_BLOCK, sizeof *b->time_ns);
    b->label = calloc(BATCH_BLOCK, sizeof *b->label);
    b->surprise = calloc(BATCH_BLOCK, sizeof *b->surprise);
    b->task = calloc(BATCH_BLOCK, sizeof *b->task);
    if (vd_matrix_init(&b->x, BATCH_BLOCK, d) == VD_OK && b->time_ns != NULL &&
        b->label != NULL && b->surprise != NULL && b->task != NULL)
        return VD_OK;
    return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for a block of rows");
}

/* Reads the next rows; x.n is 0 at the end. */
static enum vd_status read_block(struct analysis *a, struct block *b,
                                 struct vd_error *err)
{
    enum vd_status status = VD_OK;
    bool more = true;

    b->x.n = 0;
    batch_scored_clear(&a->scored);
    while (status == VD_OK && b->x.n < BATCH_BLOCK) {
        size_t i = b->x.n;

        status = batch_rows_next(&a->rows, vd_matrix_row(&b->x, i), &more, err);
        if (status != VD_OK || !more)
            return status;
        b->time_ns[i] = a->rows.time_ns;
        b->label[i] = (int8_t)a->rows.label;
        memcpy(b->task[i], a->rows.task_text, sizeof b->task[i]);
        b->x.n++;
        status = batch_scored_take(&a->scored, err);
        if (status == VD_OK)
            status = batch_analysis_step(a, err);
    }
    return status;
}

/* Scores the rows, unless that was done when they were learned from. */
static enum vd_status score_block(struct analysis *a, struct block *b, uint64_t first,
                                  struct vd_error *err)
{
    if (!a->held || a->options->n_train > 0)
        return batch_scorer_score(&a->scorer, &b->x, b->time_ns, b->surprise, err);
    memcpy(b->surprise, a->lesson.surprise + first, b->x.n * sizeof *b->surprise);
    return VD_OK;
}

/* A task that failed is at least a high severity. */
static const double FAILED_SCORE = -0.75;

bool batch_analysis_judge(const struct analysis *a, uint64_t number, int64_t time_ns,
                          double surprise, const char *task, struct batch_row *row)
{
    double threshold = a->out->threshold;
    bool failed = task[0] != '\0', odd;

    row->row = number;
    row->time_ns = time_ns;
    row->surprise = isnan(surprise) ? 0 : surprise;
    odd = failed || row->surprise > threshold;
    row->score = vd_score_of_surprise(row->surprise, threshold);
    if (failed)
        row->score = fmin(row->score, FAILED_SCORE);
    else if (!odd)
        row->score = fmax(row->score, 0);
    row->severity = record_severity_of(row->score);
    if (odd && row->severity == RECORD_NORMAL)
        row->severity = RECORD_LOW;
    return odd;
}

static enum vd_status finish_row(struct analysis *a, const struct block *b, size_t i,
                                 uint64_t row, struct vd_error *err)
{
    struct batch_row one;
    enum vd_status status;
    bool odd =
        batch_analysis_judge(a, row, b->time_ns[i], b->surprise[i], b->task[i], &one);

    status = batch_gather_add(&a->gather, &one, odd, vd_matrix_row(&b->x, i), b->label[i],
                              b->task[i], err);
    if (status == VD_OK && a->options->take_row != NULL)
        a->options->take_row(a->options->context, &one);
    return status == VD_OK ? batch_scored_write(&a->scored, i, &one, odd, err) : status;
}

static enum vd_status go_through(struct analysis *a, struct vd_error *err)
{
    enum vd_status status;
    struct block b;
    uint64_t row = 0;

    batch_rows_rewind(&a->rows);
    if (batch_analysis_streams(a)) {
        int64_t start = os_clock_mono_ns();

        status = batch_analysis_stream(a, err);
        a->out->score_s = seconds_since(start);
        return status;
    }
    status = block_init(&b, a->rows.d, err);
    while (status == VD_OK) {
        int64_t start = os_clock_mono_ns();

        status = read_block(a, &b, err);
        a->out->read_s += seconds_since(start);
        if (status != VD_OK || b.x.n == 0)
            break;
        start = os_clock_mono_ns();
        status = score_block(a, &b, row, err);
        a->out->score_s += seconds_since(start);
        start = os_clock_mono_ns();
        for (size_t i = 0; status == VD_OK && i < b.x.n; i++)
            status = finish_row(a, &b, i, row++, err);
        a->out->write_s += seconds_since(start);
    }
    block_release(&b);
    return status;
}

/* ---- the whole ---- */

static enum vd_status score_all(struct analysis *a, struct vd_error *err)
{
    enum vd_status status = take_columns(a, err);

    if (a->options->n_train == 0)
        batch_scorer_restart(&a->scorer);
    find_threshold(a);
    if (status == VD_OK)
        status = batch_gather_begin(&a->gather, a->out, &a->words, &a->rows, err);
    if (status == VD_OK)
        status = batch_scored_open(&a->scored, &a->rows, err);
    if (status == VD_OK)
        status = go_through(a, err);
    if (status == VD_OK)
        batch_gather_end(&a->gather);
    if (status == VD_OK)
        status = tell(a, err);
    return status == VD_OK ? batch_scored_close(&a->scored, err) : status;
}

static void release(struct analysis *a)
{
    batch_scored_drop(&a->scored);
    batch_gather_release(&a->gather);
    batch_scorer_release(&a->scorer);
    batch_words_release(&a->words);
    vd_matrix_release(&a->lesson.x);
    free(a->lesson.time_ns);
    free(a->lesson.label);
    free(a->lesson.surprise);
    batch_rows_close(&a->rows);
    batch_rows_close(&a->train);
    vd_model_free(a->model);
    free(a);
}

enum vd_status batch_analyse(struct batch_analysis *out,
                             const struct batch_analyse_options *options,
                             struct vd_error *err)
{
    struct analysis *a = calloc(1, sizeof *a);
    int64_t start = os_clock_mono_ns(), learning;
    enum vd_status status;

    *out = (struct batch_analysis){.pace_s = NAN};
    if (a == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the analysis");
    a->options = options;
    a->out = out;
    status = open_all(a, err);
    learning = os_clock_mono_ns();
    if (status == VD_OK)
        status = batch_analysis_learn(a, err);
    out->fit_s = seconds_since(learning);
    if (status == VD_OK)
        status = score_all(a, err);
    out->schema = a->words.schema;
    a->words.schema = (struct record_schema){0};
    release(a);
    out->seconds = seconds_since(start);
    if (status != VD_OK)
        batch_analysis_release(out);
    return status;
}

void batch_analysis_release(struct batch_analysis *out)
{
    for (size_t c = 0; c < out->n_columns; c++) {
        free(out->column[c].low);
        free(out->column[c].high);
    }
    free(out->column);
    free(out->event);
    free(out->worst);
    record_schema_release(&out->schema);
    *out = (struct batch_analysis){0};
}
