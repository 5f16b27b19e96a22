/* Alerts over restarts: the store keeps what receivers are owed, and a start takes up
 * what the last run left. */
#include <stdlib.h>
#include <string.h>

#include "monitor/state.h"
#include "os/clock.h"
#include "os/log.h"

/* Sets how long a receiver waits for an event to be durable, in seconds: a disk that is
 * full keeps no alert back. */
static const double DURABLE_S = 1;

/* Bounds the open events that a start takes up. */
enum { OPEN_MAX = 64 };

/* ---- the keeper of the channels ---- */

/* Keeps a notice in the store until the receiver has it. It is called on the loop's
 * thread, and again when the database was replaced. */
static void keep(void *context, const char *receiver, const struct record_event *event,
                 enum record_event_change change, double age_s)
{
    monitor *m = context;

    store_set_event(m->store, event, change, receiver,
                    os_clock_wall_ns() - (int64_t)(age_s * 1e9));
}

/* Forgets a notice that its receiver has, or that was given up, so that the next start
 * does not tell it again. */
static void forget(void *context, const char *receiver, int64_t event_id,
                   enum record_event_change change)
{
    monitor *m = context;

    store_set_told(m->store, receiver, event_id, change);
}

/* Waits, on the receiver's thread, until the event is on the disk. */
static void wait_until_kept(void *context)
{
    monitor *m = context;

    store_set_settle_events(m->store, DURABLE_S);
}

/* Makes the store the keeper of the channels. Without a database there is none. */
void monitor_keep_alerts(monitor *m)
{
    if (m->store == NULL || !m->config.store.sqlite)
        return;
    m->config.channels.keeper = (struct alert_keeper){m, keep, forget, wait_until_kept};
}

/* Keeps all waiting notices again when the database is a new one: the old one was set
 * aside with what it kept. */
void monitor_keep_again(monitor *m)
{
    unsigned database = m->store == NULL ? 0 : store_set_generation(m->store);

    if (database == m->database)
        return;
    m->database = database;
    alert_channels_keep_again(m->channels);
}

/* ---- at start ---- */

/* Puts a notice of the last run back into its outbox, as it was to be told: an event that
 * has ended meanwhile had no end then. One that cannot be told any more is said and
 * forgotten. */
static void owe_again(monitor *m, const struct history_notice *notice,
                      const struct history_reader *history)
{
    double age_s = (double)(os_clock_wall_ns() - notice->queued_ns) * 1e-9;
    struct record_event event;

    if (history->event(history->context, notice->event_id, &event, NULL) == VD_OK) {
        if (notice->change == RECORD_EVENT_OPENED) {
            event.state = RECORD_EVENT_OPEN;
            event.end_ns = 0;
        }
        if (alert_channels_resume(m->channels, notice->receiver, &event, notice->change,
                                  age_s > 0 ? age_s : 0))
            return;
    }
    os_log_warning("%s: event %lld %s was not told, and cannot be now", notice->receiver,
                   (long long)notice->event_id,
                   notice->change == RECORD_EVENT_ENDED ? "ended" : "opened");
    store_set_told(m->store, notice->receiver, notice->event_id, notice->change);
}

/* Takes up all notices that the last run could not deliver. */
static void restore_notices(monitor *m, const struct history_reader *history)
{
    struct history_notice *notice = NULL;
    struct vd_error err = {0};
    size_t n = 0;

    if (history->notices(history->context, &notice, &n, &err) != VD_OK)
        os_log_warning("what receivers of alerts are owed: %s", err.text);
    for (size_t i = 0; i < n; i++)
        owe_again(m, &notice[i], history);
    if (n > 0)
        os_log_info("alerts of the last run that wait to be told: %zu", n);
    free(notice);
}

/* Ends an event that was over while nobody watched. Its end is when it was seen last. */
static void end_late(monitor *m, struct record_event *event, int64_t seen_ns)
{
    event->state = RECORD_EVENT_CLOSED;
    event->end_ns = seen_ns > event->start_ns ? seen_ns : event->start_ns;
    if (event->alerted)
        alert_channels_send(m->channels, event, RECORD_EVENT_ENDED);
    store_set_event(m->store, event, RECORD_EVENT_ENDED, NULL, 0);
}

/* Finds again what is known of the metrics: the store keeps names and numbers only. */
static void recall_metrics(struct record_event *event)
{
    for (size_t i = 0; i < event->n_top; i++) {
        struct record_deviation *d = &event->top[i];
        const struct record_metric *known = collect_find(d->name);

        d->group = (enum record_group)monitor_group_of(d->name);
        d->less_is_worse = known != NULL && known->less_is_worse;
        d->fills = known != NULL && known->fills;
    }
}

/* Takes up the open events of the last run, newest first. The newest of each course may
 * go on; one that a newer event followed ended before that began. A recording takes up
 * none, since its events are of another time. */
static void restore_events(monitor *m, const struct history_reader *history)
{
    struct history_event_query query = {.open_only = true, .limit = OPEN_MAX};
    bool recording = collect_set_course(m->collect).interval_s > 0;
    struct record_event *event = NULL;
    int64_t seen_ns[RECORD_EVENT_KINDS], last_ns = 0;
    size_t n = 0;

    if (history->events(history->context, &query, &event, &n, NULL) != VD_OK)
        return;
    history->last(history->context, &last_ns, NULL);
    for (int kind = 0; kind < RECORD_EVENT_KINDS; kind++)
        seen_ns[kind] = last_ns;
    for (size_t i = 0; i < n; i++) {
        recall_metrics(&event[i]);
        if (recording || !host_resume(m->host, &event[i], last_ns))
            end_late(m, &event[i],
                     event[i].kind == RECORD_RULE ? last_ns : seen_ns[event[i].kind]);
        seen_ns[event[i].kind] = event[i].start_ns;
    }
    free(event);
}

/* Says where alerts that wait do not outlive the program. People who rely on a webhook
 * should know. */
static void say_what_is_not_kept(const monitor *m)
{
    struct alert_counters counters[8];
    size_t n = alert_channels_counters(m->channels, counters, 8);

    for (size_t i = 0; i < n; i++)
        if (counters[i].lasting && !counters[i].kept)
            os_log_info("%s: alerts that wait are kept in memory alone, there is no "
                        "store: they do not outlive the program",
                        counters[i].name);
}

/* Takes up what the last run left: first what is owed, then what is still open, so that
 * an end is told after its beginning. */
void monitor_alerts_restore(monitor *m)
{
    say_what_is_not_kept(m);
    if (m->store == NULL || !store_set_keeps_events(m->store))
        return;
    restore_notices(m, store_set_history(m->store));
    restore_events(m, store_set_history(m->store));
}
