/* Analyses a table that was uploaded: the same analysis as `vedette detect`, and what the
 * page shows of it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "batch/report.h"
#include "monitor/state.h"
#include "os/log.h"
#include "show/json.h"

enum {
    SHOWN_COLUMNS = 64, /* whose course is drawn */
    SHOWN_EVENTS = 1000,
    SHOWN_WORST = 200,
};

/* ---- as JSON ---- */

/* Writes a list of texts of one size each. */
static void write_texts(struct show_json *j, const char *key, const char *first,
                        size_t stride, size_t n)
{
    show_json_open(j, key, '[');
    for (size_t i = 0; i < n; i++)
        show_json_string(j, NULL, first + i * stride);
    show_json_close(j, ']');
}

/* Writes a row with its reason, as members of an object. */
static void write_row(struct show_json *j, const struct batch_row *row)
{
    const struct batch_reason *why = &row->why;

    show_json_integer(j, "row", (int64_t)row->row);
    show_json_time(j, "t", row->time_ns);
    show_json_number(j, "score", row->score);
    show_json_string(j, "severity", record_severity_name(row->severity));
    show_json_string(j, "reason", why->reason);
    write_texts(j, "factors", why->factor[0], sizeof why->factor[0], why->n_factors);
    write_texts(j, "explanation", why->explanation[0], sizeof why->explanation[0],
                why->n_top);
}

static void write_events(struct show_json *j, const struct batch_analysis *a)
{
    show_json_open(j, "events", '[');
    for (size_t i = 0; i < a->n_events && i < SHOWN_EVENTS; i++) {
        const struct batch_event *e = &a->event[i];

        show_json_open(j, NULL, '{');
        show_json_integer(j, "first", (int64_t)e->first);
        show_json_integer(j, "last", (int64_t)e->last);
        show_json_time(j, "start", e->first_ns);
        show_json_time(j, "end", e->last_ns);
        show_json_integer(j, "rows", (int64_t)e->rows);
        show_json_string(j, "pattern", e->pattern);
        show_json_open(j, "peak", '{');
        write_row(j, &e->peak);
        show_json_close(j, '}');
        show_json_close(j, '}');
    }
    show_json_close(j, ']');
}

static void write_worst(struct show_json *j, const struct batch_analysis *a)
{
    show_json_open(j, "worst", '[');
    for (size_t i = 0; i < a->n_worst && i < SHOWN_WORST; i++) {
        show_json_open(j, NULL, '{');
        write_row(j, &a->worst[i]);
        show_json_close(j, '}');
    }
    show_json_close(j, ']');
}

/* Writes the envelope of a column, coarsely: it is drawn. */
static void write_envelope(struct show_json *j, const char *key, const float *value,
                           size_t n)
{
    show_json_open(j, key, '[');
    for (size_t i = 0; i < n; i++)
        show_json_coarse(j, NULL, (double)value[i]);
    show_json_close(j, ']');
}

/* Writes the columns: those that were used with their course, the others with why not. */
static void write_columns(struct show_json *j, const struct batch_analysis *a)
{
    size_t drawn = 0;

    show_json_open(j, "columns", '[');
    for (size_t i = 0; i < a->n_columns; i++) {
        const struct batch_column *column = &a->column[i];
        bool used = column->metric != SIZE_MAX;

        show_json_open(j, NULL, '{');
        show_json_string(j, "name", column->name);
        show_json_string(j, "left_out", used ? NULL : column->why);
        show_json_string(j, "note", column->note);
        show_json_string(j, "unit", used ? a->schema.metric[column->metric].unit : "");
        show_json_number(j, "expected", used ? column->expected : NAN);
        show_json_number(j, "sigma", used ? column->sigma : NAN);
        if (column->low != NULL && drawn++ < SHOWN_COLUMNS) {
            write_envelope(j, "low", column->low, a->n_buckets);
            write_envelope(j, "high", column->high, a->n_buckets);
        }
        show_json_close(j, '}');
    }
    show_json_close(j, ']');
}

/* Writes the parts of the table over which its course is drawn. */
static void write_parts(struct show_json *j, const struct batch_analysis *a)
{
    show_json_open(j, "parts", '{');
    show_json_open(j, "row", '[');
    for (size_t i = 0; i < a->n_buckets; i++)
        show_json_integer(j, NULL, (int64_t)a->bucket_row[i]);
    show_json_close(j, ']');
    show_json_open(j, "t", '[');
    for (size_t i = 0; i < a->n_buckets; i++)
        show_json_time(j, NULL, a->bucket_ns[i]);
    show_json_close(j, ']');
    write_envelope(j, "score", a->bucket_score, a->n_buckets);
    show_json_open(j, "anomalies", '[');
    for (size_t i = 0; i < a->n_buckets; i++)
        show_json_integer(j, NULL, a->bucket_anomalies[i]);
    show_json_close(j, ']');
    show_json_close(j, '}');
}

/* Writes how the analysis compares with the table's labels, null where it has none. */
static void write_quality(struct show_json *j, const struct batch_quality *q)
{
    if (!q->known) {
        show_json_raw(j, "quality", "null", 4);
        return;
    }
    show_json_open(j, "quality", '{');
    show_json_string(j, "labels", q->column);
    show_json_number(j, "precision", q->precision);
    show_json_number(j, "recall", q->recall);
    show_json_number(j, "f1", q->f1);
    show_json_number(j, "roc_auc", q->roc_auc);
    show_json_number(j, "average_precision", q->average_precision);
    show_json_integer(j, "events", (int64_t)q->events);
    show_json_integer(j, "events_found", (int64_t)q->events_found);
    show_json_close(j, '}');
}

/* Writes the few lines that the list shows. */
static void write_summary(struct show_json *j, const struct batch_analysis *a,
                          bool reported)
{
    show_json_open(j, NULL, '{');
    show_json_integer(j, "rows", (int64_t)a->rows);
    show_json_integer(j, "anomalies", (int64_t)a->anomalies);
    show_json_integer(j, "events", (int64_t)(a->n_events + a->events_left_out));
    show_json_integer(j, "skipped", (int64_t)a->skipped);
    show_json_integer(j, "columns", (int64_t)a->n_used);
    show_json_time(j, "from", a->first_ns);
    show_json_time(j, "to", a->last_ns);
    show_json_number(j, "pace", a->pace_s);
    show_json_string(j, "way", a->way);
    show_json_number(j, "seconds", a->seconds);
    show_json_bool(j, "report", reported);
    show_json_close(j, '}');
}

static void write_result(struct show_json *j, const struct batch_analysis *a)
{
    show_json_open(j, NULL, '{');
    show_json_string(j, "why", a->why);
    show_json_string(j, "threshold_from", a->threshold_text);
    show_json_integer(j, "learned_rows", (int64_t)a->learned_rows);
    write_quality(j, &a->quality);
    write_columns(j, a);
    write_parts(j, a);
    write_events(j, a);
    show_json_integer(j, "events_left_out", (int64_t)a->events_left_out);
    write_worst(j, a);
    show_json_close(j, '}');
}

/* ---- the analysis ---- */

static bool on_progress(void *context, double done, size_t rows)
{
    const struct show_analysis_task *task = context;

    return task->progress(task->context, done, rows);
}

static void on_row(void *context, const struct batch_row *row)
{
    const struct show_analysis_task *task = context;

    task->take_row(task->context, row->surprise);
}

/* Calls the table by its own name: its path means nothing to who sent it. */
static void rename_in(struct vd_error *err, const struct show_analysis_task *task)
{
    char text[sizeof err->text];
    char *at = strstr(err->text, task->input);

    if (at == NULL)
        return;
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - err->text), err->text, task->title,
             at + strlen(task->input));
    memcpy(err->text, text, sizeof text);
}

/* Writes the report; false where this build has none, or it failed: the rest is there. */
static bool write_report(const struct batch_analysis *a,
                         const struct batch_analyse_options *options, const char *path)
{
    struct vd_error err = {0};

    if (batch_report_check(NULL) != VD_OK)
        return false;
    if (batch_report_write(a, options, path, &err) == VD_OK)
        return true;
    os_log_warning("no report of an analysis: %s", err.text);
    return false;
}

enum vd_status monitor_analyse(void *context, const struct show_analysis_task *task,
                               struct show_json *summary, struct show_json *result,
                               struct vd_error *err)
{
    const struct show_analysis_settings *s = task->settings;
    const char *detector = s->detector;
    struct batch_analyse_options options = batch_analyse_options_default();
    struct batch_analysis analysis;
    enum vd_status status;

    monitor_be_nice(context);
    options.file = &task->input;
    options.title = &task->title;
    options.n_files = 1;
    options.detector = &detector;
    options.n_detectors = detector[0] != '\0';
    options.contamination = s->contamination;
    options.seed = s->seed;
    options.counters = s->raw_counters ? BATCH_COUNTERS_RAW : BATCH_COUNTERS_RATE;
    options.threads = 1; /* the others watch */
    options.output = task->output;
    options.format = BATCH_CSV;
    options.progress = on_progress;
    options.take_row = on_row;
    options.context = (void *)task;
    status = batch_analyse(&analysis, &options, err);
    if (status != VD_OK) {
        rename_in(err, task);
        return status;
    }
    write_summary(summary, &analysis, write_report(&analysis, &options, task->report));
    write_result(result, &analysis);
    batch_analysis_release(&analysis);
    return VD_OK;
}
