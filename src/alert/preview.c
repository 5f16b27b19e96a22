/* Judges each event of the week twice, as it was and as it would have been. */
#include "alert/preview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bounds the events of the week that are looked at. */
enum { EVENTS_MAX = 1000 };

/* How many events there are, and how many of them alert: before and after. */
struct counts {
    size_t events, alerted; /* as the list of events shows them */
    size_t silenced, raised, again;
};

/* Tells whether the event is more than faint. */
static bool is_worth_alert(const struct record_event *event)
{
    return event->severity > RECORD_LOW;
}

/* Tells whether the event alerts when this is said of its like. What was kept back by a
 * silence that is gone is taken to alert when it was more than faint. */
static bool alerts(const struct record_event *event, enum record_feedback now,
                   enum record_feedback before)
{
    if (now == RECORD_UNSAID)
        return event->alerted ||
               (alert_feedback_silences(before) && is_worth_alert(event));
    return now == RECORD_SAID_REAL;
}

/* Writes "14 events in the last 7 days, 6 alerted; 3 of these would not have." */
static void write_text(const struct counts *c, struct record_preview *out)
{
    char change[64] = "this changes none of them";

    if (c->silenced > 0)
        snprintf(change, sizeof change, "%zu of these would not have", c->silenced);
    else if (c->again > 0)
        snprintf(change, sizeof change, "%zu like these would alert again", c->again);
    else if (c->raised > 0)
        snprintf(change, sizeof change, "%zu more would have", c->raised);
    snprintf(out->text, sizeof out->text,
             "%zu event%s in the last %d days, %zu alerted; %s.", c->events,
             c->events == 1 ? "" : "s", ALERT_PREVIEW_DAYS, c->alerted, change);
}

/* Judges each event by what is said now and by what would be said, and counts what
 * differs. The first that differ are listed. */
enum vd_status alert_preview_of(const struct record_event *event, size_t n,
                                const struct record_event *candidate,
                                enum record_feedback word, alert_group_of *group,
                                struct record_preview *out)
{
    struct counts c = {.events = n};
    struct alert_feedback said;
    struct alert_judged change;
    enum vd_status status;

    *out = (struct record_preview){0};
    alert_feedback_init(&said, group);
    status = alert_feedback_replace(&said, event, n);
    alert_judge(&change, candidate, group);
    change.word = word;
    for (size_t i = 0; status == VD_OK && i < n; i++) {
        struct alert_judged now;
        enum record_feedback before, after;
        bool did, would;

        alert_judge(&now, &event[i], group);
        before = alert_feedback_find(&said, &now, event[i].start_ns, NULL).word;
        after = alert_feedback_find(&said, &now, event[i].start_ns, &change).word;
        did = alerts(&event[i], before, before);
        would = alerts(&event[i], after, before);
        c.alerted += event[i].alerted;
        c.silenced += did && !would;
        c.raised += !did && would && !event[i].alerted;
        c.again += !did && would && event[i].alerted;
        if (did != would && out->n_changed < RECORD_PREVIEW_MAX)
            out->changed[out->n_changed++] = event[i].id;
    }
    write_text(&c, out);
    alert_feedback_release(&said);
    return status;
}

/* Reads the event and the week from the store and previews the word. Nothing is changed,
 * so it may be called on any thread that may read. */
enum vd_status alert_preview(const struct history_reader *history, int64_t event_id,
                             enum record_feedback word, int64_t now_ns,
                             alert_group_of *group, struct record_preview *out,
                             struct vd_error *err)
{
    struct history_event_query query = {
        .from_ns = now_ns - (int64_t)ALERT_PREVIEW_DAYS * 86400 * 1000000000,
        .to_ns = now_ns,
        .limit = EVENTS_MAX,
    };
    struct record_event *candidate = malloc(sizeof *candidate), *past = NULL;
    enum vd_status status = VD_ERR_MEMORY;
    size_t n = 0;

    if (candidate != NULL)
        status = history->event(history->context, event_id, candidate, err);
    if (status == VD_OK && word == RECORD_UNSAID && candidate->feedback[0] == '\0')
        status = vd_error_set(err, VD_ERR_DATA, NULL,
                              "nothing was said of event %lld: nothing to undo",
                              (long long)event_id);
    if (status == VD_OK)
        status = history->events(history->context, &query, &past, &n, err);
    if (status == VD_OK)
        status = alert_preview_of(past, n, candidate, word, group, out);
    if (status != VD_OK)
        vd_error_set(err, status, NULL, "no preview: %s", vd_status_text(status));
    free(past);
    free(candidate);
    return status;
}
