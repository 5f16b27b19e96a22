/* What a start takes up from the store: the models of the last run, or the past to learn
 * from; what people said; the anomalies of the last days. */
#include <stdlib.h>

#include "alert/habits.h"
#include "monitor/state.h"
#include "os/clock.h"
#include "os/log.h"

/* Learns from the recent past in the store. It goes through the same detectors as a live
 * tick does, except for what was flagged then. */
static void backfill(monitor *m)
{
    const struct history_reader *history = store_set_history(m->store);
    char(*name)[RECORD_NAME_MAX + RECORD_LABEL_MAX] =
        calloc(m->schema.n + 1, sizeof *name);
    const char **names = calloc(m->schema.n + 1, sizeof *names);
    struct history_series series = {0};
    struct record_event *event = NULL;
    struct history_query query = {.to_ns = os_clock_wall_ns(), .points = 10000};
    struct history_event_query event_query = {.limit = 1000};
    struct host_status status;
    size_t n_events = 0;

    if (name == NULL || names == NULL)
        goto out;
    for (size_t i = 0; i < m->schema.n; i++)
        names[i] = record_metric_label(&m->schema.metric[i], name[i], sizeof *name);
    query.metric = names;
    query.n_metrics = m->schema.n;
    query.from_ns = query.to_ns - (int64_t)(m->config.backfill_s * 1e9);
    event_query.from_ns = query.from_ns;
    event_query.to_ns = query.to_ns;
    if (history->series(history->context, &query, &series, NULL) != VD_OK ||
        series.n == 0)
        goto out;
    history->events(history->context, &event_query, &event, &n_events, NULL);
    host_learn_past(m->host, &series, event, n_events);
    host_status(m->host, &status);
    if (status.rows > 0)
        os_log_info("learned from %zu samples of the last %.0f minutes", status.rows,
                    m->config.backfill_s / 60);
out:
    history_series_release(&series);
    free(event);
    free(names);
    free(name);
}

/* Restores the models of the last run; without them it learns from the store's past. */
static void restore_models(monitor *m)
{
    struct host_status status;
    struct vd_error err = {0};
    struct vd_reader r;
    void *bytes = NULL;
    size_t size = 0;

    if (store_set_model_load(m->store, MONITOR_MODEL, &bytes, &size, &err) == VD_OK) {
        vd_reader_init(&r, bytes, size);
        host_load(m->host, &r);
    }
    free(bytes);
    host_status(m->host, &status);
    if (status.rows == 0 && m->config.backfill_s > 0)
        backfill(m);
}

/* Restores the habits and the week's alerts. The store gives the newest event first, and
 * they are added in the order in which they happened. */
static void restore_habits(monitor *m)
{
    const struct history_reader *history = store_set_history(m->store);
    struct history_event_query query = {.kind = record_event_kind_name(RECORD_ANOMALY),
                                        .limit = ALERT_HABITS_MAX};
    struct record_event *event = NULL;
    size_t n = 0;

    history->events(history->context, &query, &event, &n, NULL);
    for (size_t i = n; i-- > 0;)
        host_remember(m->host, &event[i]);
    free(event);
}

void monitor_restore(monitor *m)
{
    if (m->store != NULL) {
        restore_models(m);
        monitor_feedback_restore(m);
        restore_habits(m);
    }
    monitor_alerts_restore(m);
}
