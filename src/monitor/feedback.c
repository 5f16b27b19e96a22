/* Learning from people: what they said of events is read from the store, where it is kept
 * with the events, and acts on those to come. After each change everything is read again:
 * a few milliseconds on a worker thread, and nothing that has to be undone by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/feedback.h"
#include "alert/preview.h"
#include "detect/labels.h"
#include "monitor/state.h"
#include "os/clock.h"
#include "os/log.h"

/* Bounds the events with feedback that are read; the newest count. */
enum { EVENTS_MAX = 1000 };

/* Sets how long the writer may take to come to what was just said, in seconds. */
static const double SETTLE_S = 10;

/* ---- what was said, from the store ---- */

/* Holds one reading. The loop fills in `known`, the worker the rest, and the loop takes
 * it over when the worker is done. */
struct feedback_reading {
    struct monitor_work work;
    struct record_event *event; /* n of them */
    struct host_rows *rows;     /* as many; NULL = not asked for */
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
    const struct history_reader *history = store_set_history(reading->work.m->store);
    struct history_event_query query = {.judged_only = true, .limit = EVENTS_MAX};

    reading->status = history->events(history->context, &query, &reading->event,
                                      &reading->n, &reading->err);
}

/* Reads the rows of the store from the event's beginning to its end, or to now, that made
 * it an event. The score is read with them, since it tells which rows those are. */
static void read_rows(const struct feedback_reading *reading,
                      const struct record_event *event, struct host_rows *rows)
{
    const struct detect_multivariate_config *of =
        &reading->work.m->config.detect.multivariate;
    const struct history_reader *history = store_set_history(reading->work.m->store);
    const char *name[DETECT_MULTIVARIATE_COLUMNS + 1];
    struct history_query query = {
        .metric = name,
        .n_metrics = of->n_columns + 1,
        .from_ns = event->start_ns,
        .to_ns = event->end_ns != 0 ? event->end_ns : os_clock_wall_ns(),
        .points = 10000,
    };
    struct history_series series = {0};

    memcpy(name, of->column, of->n_columns * sizeof *name);
    name[of->n_columns] = "score";
    if (history->series(history->context, &query, &series, NULL) == VD_OK && series.n > 0)
        rows->value = malloc(series.n * of->n_columns * sizeof *rows->value);
    for (size_t i = 0; rows->value != NULL && i < series.n; i++) {
        double *row = rows->value + rows->n * of->n_columns;
        double score = series.mean[of->n_columns * series.n + i];

        if (!detect_event_is_sample(event, score))
            continue;
        for (size_t c = 0; c < of->n_columns; c++)
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

/* Gives the host what was read. A failure is said. */
static void take_over(monitor *m, struct feedback_reading *reading)
{
    if (reading->status == VD_OK)
        reading->status = host_judge(m->host, reading->event, reading->rows, reading->n);
    if (reading->status != VD_OK)
        os_log_warning("feedback on events is not acted upon: %s",
                       reading->err.text[0] != '\0' ? reading->err.text
                                                    : vd_status_text(reading->status));
    reading_release(reading);
}

/* Lists the events whose rows need not be read again. */
static void note_known(const monitor *m, struct feedback_reading *reading)
{
    int64_t id;

    reading->known = malloc(EVENTS_MAX * sizeof *reading->known);
    for (size_t i = 0; reading->known != NULL && (id = host_judged_at(m->host, i)) != 0 &&
                       reading->n_known < EVENTS_MAX;
         i++)
        if (host_has_labels(m->host, id))
            reading->known[reading->n_known++] = id;
}

/* Reads on a worker's thread. It first waits for the writer, or what was just said would
 * be missing. */
static void read_feedback(uv_work_t *request)
{
    struct feedback_reading *reading = request->data;

    store_set_settle(reading->work.m->store, SETTLE_S);
    read_said(reading);
    read_all_rows(reading);
}

/* Takes the reading over, on the loop's thread. When something was said meanwhile, it is
 * read once more. */
static void feedback_read_done(uv_work_t *request, int cancelled)
{
    struct feedback_reading *reading = request->data;
    monitor *m = reading->work.m;

    (void)cancelled;
    m->reading_feedback = false;
    take_over(m, reading);
    free(reading);
    if (m->feedback_changed)
        monitor_feedback_reread(m);
}

/* Restores the feedback at the start, before the first tick. Rows that the saved labels
 * lack are read in the background. */
void monitor_feedback_restore(monitor *m)
{
    struct feedback_reading reading = {.work.m = m};
    int64_t id;

    read_said(&reading);
    take_over(m, &reading);
    for (size_t i = 0; (id = host_judged_at(m->host, i)) != 0; i++)
        if (!host_has_labels(m->host, id)) {
            monitor_feedback_reread(m);
            return;
        }
}

/* Reads all feedback again on a worker. Only one reading runs at a time; a change during
 * it is noted and leads to another. */
void monitor_feedback_reread(monitor *m)
{
    struct feedback_reading *reading;

    m->feedback_changed = m->reading_feedback;
    if (m->reading_feedback)
        return;
    reading = calloc(1, sizeof *reading);
    if (reading == NULL)
        return;
    m->reading_feedback = true;
    note_known(m, reading);
    monitor_run(m, &reading->work, read_feedback, feedback_read_done);
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
enum vd_status monitor_feedback_take(void *context, int64_t event_id, const char *text,
                                     struct vd_error *err)
{
    monitor *m = context;
    enum vd_status status;

    if (m->store == NULL)
        return needs_store(err);
    status = store_set_feedback(m->store, event_id, text, err);
    if (status != VD_OK)
        return status;
    host_hear(m->host, event_id, text);
    os_log_record(OS_LOG_INFO, "event %lld: %s", (long long)event_id,
                  *text == '\0' ? "feedback undone" : text);
    monitor_feedback_reread(m);
    return VD_OK;
}

/* Says what feedback would change. It is called on a worker's thread and touches nothing
 * but the store's reader. */
enum vd_status monitor_feedback_ask(void *context, int64_t event_id, const char *text,
                                    struct record_preview *out, struct vd_error *err)
{
    monitor *m = context;

    if (m->store == NULL)
        return needs_store(err);
    return alert_preview(store_set_history(m->store), event_id, alert_feedback_of(text),
                         os_clock_wall_ns(), monitor_group_of, out, err);
}
