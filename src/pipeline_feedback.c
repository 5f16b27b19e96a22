/* Learning from people: what they said of events is read from the store, where it is kept
 * with the events, and acts on those to come. After each change everything is read again:
 * a few milliseconds on a worker thread, and nothing that has to be undone by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/preview.h"
#include "metrics.h"
#include "os/clock.h"
#include "os/log.h"
#include "pipeline_state.h"

/* Bounds the events with feedback that are read; the newest count. */
enum { EVENTS_MAX = 1000 };

/* Sets how long the writer may take to come to what was just said, in seconds. */
static const double SETTLE_S = 10;

/* Gives the group of a metric: of one that some machine has, its own; else what the name
 * says. */
int pipeline_group_of(const char *metric)
{
    const struct record_metric *known = collect_find(metric);

    return (int)(known != NULL ? known->group : metrics_guess(metric, false).group);
}

/* ---- what was said, from the store ---- */

/* Holds the samples of an event of which something was said. */
struct feedback_rows {
    double *value; /* n rows of the multivariate layer's columns; NULL = not asked for */
    size_t n;
};

/* Holds one reading. The loop fills in `known`, the worker the rest, and the loop takes
 * it over when the worker is done. */
struct feedback_reading {
    struct pipeline_work work;
    struct record_event *event; /* n of them */
    struct feedback_rows *rows; /* as many; NULL = not asked for */
    size_t n;
    int64_t *known; /* events whose rows are at hand */
    size_t n_known;
    enum vd_status status;
    struct vd_error err;
};

/* Frees what was read, but not the reading itself. */
static void reading_release(struct feedback_reading *reading)
{
    for (size_t i = 0; reading->rows != NULL && i < reading->n; i++)
        free(reading->rows[i].value);
    free(reading->rows);
    free(reading->event);
    free(reading->known);
}

/* Reads all events of which something was said. */
static void read_said(struct feedback_reading *reading)
{
    const struct history_reader *history = store_set_history(reading->work.p->store);
    struct history_event_query query = {.judged_only = true, .limit = EVENTS_MAX};

    reading->status = history->events(history->context, &query, &reading->event,
                                      &reading->n, &reading->err);
}

/* Reads the rows of the store from the event's beginning to its end, or to now, that made
 * it an event. The score is read with them, since it tells which rows those are. */
static void read_rows(const struct feedback_reading *reading,
                      const struct record_event *event, struct feedback_rows *rows)
{
    const struct detect_multivariate_config *host =
        &reading->work.p->config.detect.multivariate;
    const struct history_reader *history = store_set_history(reading->work.p->store);
    const char *name[DETECT_MULTIVARIATE_COLUMNS + 1];
    struct history_query query = {
        .metric = name,
        .n_metrics = host->n_columns + 1,
        .from_ns = event->start_ns,
        .to_ns = event->end_ns != 0 ? event->end_ns : os_clock_wall_ns(),
        .points = 10000,
    };
    struct history_series series = {0};

    memcpy(name, host->column, host->n_columns * sizeof *name);
    name[host->n_columns] = "score";
    if (history->series(history->context, &query, &series, NULL) == VD_OK && series.n > 0)
        rows->value = malloc(series.n * host->n_columns * sizeof *rows->value);
    for (size_t i = 0; rows->value != NULL && i < series.n; i++) {
        double *row = rows->value + rows->n * host->n_columns;
        double score = series.mean[host->n_columns * series.n + i];

        if (!detect_event_is_sample(event, score))
            continue;
        for (size_t c = 0; c < host->n_columns; c++)
            row[c] = series.mean[c * series.n + i];
        rows->n++;
    }
    history_series_release(&series);
}

/* Reads the rows of all events that are not known yet. Without memory none are read, and
 * the labels stay as they are. */
static void read_all_rows(struct feedback_reading *reading)
{
    reading->rows = calloc(reading->n + 1, sizeof *reading->rows);
    for (size_t i = 0; reading->rows != NULL && i < reading->n; i++) {
        bool known = false;

        for (size_t k = 0; k < reading->n_known; k++)
            known |= reading->known[k] == reading->event[i].id;
        if (!known && detect_event_has_samples(&reading->event[i]))
            read_rows(reading, &reading->event[i], &reading->rows[i]);
    }
}

/* Brings the labels up to date: what was undone is forgotten, what changed is relabelled,
 * what is new is learned. */
static void take_rows(pipeline *p, struct feedback_reading *reading)
{
    int64_t *said = malloc((reading->n + 1) * sizeof *said);

    if (said == NULL)
        return;
    for (size_t i = 0; i < reading->n; i++)
        said[i] = reading->event[i].id;
    detect_set_keep_labels(p->detect, said, reading->n);
    free(said);
    /* Oldest first: the order in which labels came is the one they leave in. */
    for (size_t i = reading->n; i-- > 0;) {
        const struct feedback_rows *rows =
            reading->rows == NULL ? NULL : &reading->rows[i];
        enum detect_label label = detect_event_label(&reading->event[i]);
        int64_t id = reading->event[i].id;

        if (detect_set_has_labels(p->detect, id))
            detect_set_relabel(p->detect, id, label);
        else if (rows != NULL && rows->n > 0)
            detect_set_label(p->detect, &p->schema, id, label, rows->value, rows->n);
    }
}

/* Acts on what was read: first on the rules for events to come, then on the budget, then
 * on the labels. A failure leaves the rest undone and is said. */
static void take_over(pipeline *p, struct feedback_reading *reading)
{
    if (reading->status == VD_OK)
        reading->status =
            alert_feedback_replace(&p->feedback, reading->event, reading->n);
    if (reading->status == VD_OK)
        reading->status = alert_feedback_settle(&p->feedback, &p->events.budget);
    if (reading->status == VD_OK)
        take_rows(p, reading);
    else
        os_log_warning("feedback on events is not acted upon: %s",
                       reading->err.text[0] != '\0' ? reading->err.text
                                                    : vd_status_text(reading->status));
    reading_release(reading);
}

/* Lists the events whose rows need not be read again. */
static void note_known(const pipeline *p, struct feedback_reading *reading)
{
    reading->known = malloc((p->feedback.n + 1) * sizeof *reading->known);
    for (size_t i = 0; reading->known != NULL && i < p->feedback.n; i++)
        if (detect_set_has_labels(p->detect, p->feedback.judged[i].event_id))
            reading->known[reading->n_known++] = p->feedback.judged[i].event_id;
}

/* Reads on a worker's thread. It first waits for the writer, or what was just said would
 * be missing. */
static void read_feedback(uv_work_t *request)
{
    struct feedback_reading *reading = request->data;

    store_set_settle(reading->work.p->store, SETTLE_S);
    read_said(reading);
    read_all_rows(reading);
}

/* Takes the reading over, on the loop's thread. When something was said meanwhile, it is
 * read once more. */
static void feedback_read_done(uv_work_t *request, int cancelled)
{
    struct feedback_reading *reading = request->data;
    pipeline *p = reading->work.p;

    (void)cancelled;
    p->reading_feedback = false;
    take_over(p, reading);
    free(reading);
    if (p->feedback_changed)
        pipeline_feedback_reread(p);
}

/* Restores the feedback at the start, before the first tick. Rows that the saved labels
 * lack are read in the background. */
void pipeline_feedback_restore(pipeline *p)
{
    struct feedback_reading reading = {.work.p = p};

    /* Rows that the saved labels lack are read in the background. */
    read_said(&reading);
    take_over(p, &reading);
    for (size_t i = 0; i < p->feedback.n; i++)
        if (!detect_set_has_labels(p->detect, p->feedback.judged[i].event_id)) {
            pipeline_feedback_reread(p);
            return;
        }
}

/* Restores the habits and the week's alerts. The store gives the newest event first, and
 * they are added in the order in which they happened. */
void pipeline_habits_restore(pipeline *p)
{
    const struct history_reader *history = store_set_history(p->store);
    struct history_event_query query = {.kind = record_event_kind_name(RECORD_ANOMALY),
                                        .limit = ALERT_HABITS_MAX};
    struct record_event *event = NULL;
    size_t n = 0;

    history->events(history->context, &query, &event, &n, NULL);
    /* The store gives the newest first. */
    for (size_t i = n; i-- > 0;) {
        if (event[i].end_ns != 0)
            alert_habits_add(&p->habits, &event[i]);
        if (event[i].alerted)
            alert_week_add(&p->week, event[i].id, event[i].start_ns);
    }
    free(event);
}

/* Reads all feedback again on a worker. Only one reading runs at a time; a change during
 * it is noted and leads to another. */
void pipeline_feedback_reread(pipeline *p)
{
    struct feedback_reading *reading;

    p->feedback_changed = p->reading_feedback;
    if (p->reading_feedback)
        return;
    reading = calloc(1, sizeof *reading);
    if (reading == NULL)
        return;
    p->reading_feedback = true;
    note_known(p, reading);
    pipeline_run(p, &reading->work, read_feedback, feedback_read_done);
}

/* Learns the samples of an event again when it ends: while it was open, only a part of
 * them was there. */
void pipeline_feedback_event_ended(pipeline *p, const struct record_event *event)
{
    if (p->store == NULL || event->feedback[0] == '\0')
        return;
    detect_set_forget_labels(p->detect, event->id);
    pipeline_feedback_reread(p);
}

/* ---- detectors that learn from labels ---- */

/* Carries a training to a worker and back. */
struct supervised_training {
    struct pipeline_work work;
    detect_supervised_job *job;
};

/* Trains, on a worker's thread. */
static void train_supervised(uv_work_t *request)
{
    struct supervised_training *training = request->data;

    pipeline_be_nice(training->work.p);
    detect_supervised_run(training->job);
}

/* Takes the result over, on the loop's thread. */
static void supervised_done(uv_work_t *request, int cancelled)
{
    struct supervised_training *training = request->data;
    pipeline *p = training->work.p;

    (void)cancelled;
    p->supervised_job = NULL;
    detect_set_supervised_end(p->detect, training->job);
    free(training);
    os_log_record(OS_LOG_INFO, "%zu detectors that learn from labels are ready",
                  detect_set_supervised(p->detect));
    if (p->config.detect.bundle != NULL && detect_set_supervised(p->detect) == 0 &&
        !p->supervised_said)
        os_log_warning("the model gives no verdicts: some of its metrics have no values");
    p->supervised_said = true;
}

/* Begins a training that is due. It waits for other trainings, so that only one core is
 * busy. */
void pipeline_train_supervised_when_due(pipeline *p)
{
    struct supervised_training *training;
    detect_supervised_job *job;

    if (p->supervised_job != NULL || p->training != NULL)
        return;
    job = detect_set_supervised_begin(p->detect, p->record.mono_ns);
    if (job == NULL)
        return;
    training = calloc(1, sizeof *training);
    if (training == NULL) {
        detect_set_supervised_end(p->detect, job);
        return;
    }
    training->job = job;
    p->supervised_job = job;
    pipeline_run(p, &training->work, train_supervised, supervised_done);
}

/* ---- what it does ---- */

/* Finds what was said of events like this one. Below the lowest bar nothing can become an
 * event, so nothing is looked for. */
struct alert_said pipeline_feedback_match(pipeline *p, const struct explain_input *in)
{
    double least = alert_word_bar(ALERT_REAL, alert_budget_threshold(&p->events.budget));

    if (p->feedback.n == 0 || !(p->events.sustained >= least))
        return (struct alert_said){.word = ALERT_UNSAID};
    /* Below the threshold nothing has been explained yet. */
    if (p->why_told < 0)
        explain_event(in, &p->why);
    return alert_feedback_match(&p->feedback, &p->why, p->record.time_ns);
}

/* ---- what the dashboard asks ---- */

/* Says that feedback is kept in the store and there is none. */
static enum vd_status needs_store(struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_UNAVAILABLE, "start without --no-store",
                        "feedback needs the store");
}

/* Takes feedback from the dashboard. An open event hears it at once; the rules for events
 * to come follow when the store has it. */
enum vd_status pipeline_feedback_take(void *context, int64_t event_id, const char *text,
                                      struct vd_error *err)
{
    pipeline *p = context;
    struct alert_course *course;
    enum vd_status status;

    if (p->store == NULL)
        return needs_store(err);
    status = store_set_feedback(p->store, event_id, text, err);
    if (status != VD_OK)
        return status;
    course = pipeline_course_of(p, event_id);
    if (course != NULL)
        snprintf(course->event.feedback, sizeof course->event.feedback, "%s", text);
    os_log_record(OS_LOG_INFO, "event %lld: %s", (long long)event_id,
                  *text == '\0' ? "feedback undone" : text);
    pipeline_feedback_reread(p);
    return VD_OK;
}

/* Says what feedback would change. It is called on a worker's thread and touches nothing
 * but the store's reader. */
enum vd_status pipeline_feedback_ask(void *context, int64_t event_id, const char *text,
                                     struct record_preview *out, struct vd_error *err)
{
    pipeline *p = context;

    if (p->store == NULL)
        return needs_store(err);
    return alert_preview(store_set_history(p->store), event_id, alert_word_of(text),
                         os_clock_wall_ns(), pipeline_group_of, out, err);
}
