/* Learning from people: what they said of events is read from the store, where it is kept
 * with the events, and acts on those to come. After each change everything is read again:
 * a few milliseconds on a worker thread, and nothing that has to be undone by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "os/log.h"
#include "pipeline_state.h"

enum { EVENTS_MAX = 1000, PREVIEW_DAYS = 7 };

/* How long the writer may take to come to what was just said. */
static const double SETTLE_S = 10;

int pipeline_group_of(const char *metric)
{
    return (int)explain_group_of(metric);
}

/* ---- what was said, from the store ---- */

struct hearing {
    struct pipeline_work work;
    struct record_event *event;
    size_t n;
    enum vd_status status;
    struct vd_error err;
};

static void read_said(struct hearing *hearing)
{
    const struct history_reader *history = store_set_history(hearing->work.p->store);
    struct history_event_query query = {.judged_only = true, .limit = EVENTS_MAX};

    hearing->status = history->events(history->context, &query, &hearing->event,
                                      &hearing->n, &hearing->err);
}

static void take_over(pipeline *p, struct hearing *hearing)
{
    if (hearing->status == VD_OK)
        hearing->status =
            alert_feedback_replace(&p->feedback, hearing->event, hearing->n);
    if (hearing->status == VD_OK)
        hearing->status = alert_feedback_settle(&p->feedback, &p->events.budget);
    if (hearing->status != VD_OK)
        pipeline_say(p, STORE_WARNING, "feedback on events is not acted upon: %s",
                     hearing->err.text[0] != '\0' ? hearing->err.text
                                                  : vd_status_text(hearing->status));
    free(hearing->event);
}

static void hear(uv_work_t *request)
{
    struct hearing *hearing = request->data;

    store_set_settle(hearing->work.p->store, SETTLE_S);
    read_said(hearing);
}

static void hear_done(uv_work_t *request, int cancelled)
{
    struct hearing *hearing = request->data;
    pipeline *p = hearing->work.p;

    (void)cancelled;
    p->hearing = false;
    take_over(p, hearing);
    free(hearing);
    if (p->heard_anew)
        pipeline_feedback_reread(p);
}

void pipeline_feedback_restore(pipeline *p)
{
    struct hearing hearing = {.work.p = p};

    read_said(&hearing);
    take_over(p, &hearing);
}

void pipeline_feedback_reread(pipeline *p)
{
    struct hearing *hearing;

    p->heard_anew = p->hearing;
    if (p->hearing)
        return;
    hearing = calloc(1, sizeof *hearing);
    if (hearing == NULL)
        return;
    p->hearing = true;
    pipeline_run(p, &hearing->work, hear, hear_done);
}

/* ---- what it does ---- */

enum alert_word pipeline_heard(pipeline *p, const struct explain_input *in)
{
    double least = alert_word_bar(ALERT_REAL, alert_budget_threshold(&p->events.budget));
    struct record_event now;

    if (p->feedback.n == 0 || !(p->events.sustained >= least))
        return ALERT_UNSAID;
    /* Below the threshold nothing has been explained yet. */
    if (p->why_told < 0)
        explain_event(in, &p->why);
    now = p->why;
    snprintf(now.kind, sizeof now.kind, "%s", alert_kind_name(ALERT_ANOMALY));
    return alert_feedback_heard(&p->feedback, &now, p->record.time_ns);
}

/* ---- what the dashboard asks ---- */

static enum vd_status needs_store(struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_UNAVAILABLE, "start without --no-store",
                        "feedback needs the store");
}

/* An open event hears it at once; the rules for events to come follow when the store has
 * it. */
enum vd_status pipeline_feedback_take(void *context, int64_t event_id, const char *text,
                                      struct vd_error *err)
{
    pipeline *p = context;
    enum vd_status status;

    if (p->store == NULL)
        return needs_store(err);
    status = store_set_feedback(p->store, event_id, text, err);
    if (status != VD_OK)
        return status;
    for (int kind = 0; kind < ALERT_KINDS; kind++)
        if (p->events.event[kind].id == event_id)
            snprintf(p->events.event[kind].feedback,
                     sizeof p->events.event[kind].feedback, "%s", text);
    os_log_record(OS_LOG_INFO, "event %lld: %s", (long long)event_id,
                  *text == '\0' ? "feedback undone" : text);
    pipeline_feedback_reread(p);
    return VD_OK;
}

enum vd_status pipeline_feedback_preview(const struct history_reader *history,
                                         int64_t event_id, const char *text,
                                         int64_t now_ns, char *answer, size_t size,
                                         struct vd_error *err)
{
    struct history_event_query query = {
        .from_ns = now_ns - (int64_t)PREVIEW_DAYS * 86400 * 1000000000,
        .to_ns = now_ns,
        .limit = EVENTS_MAX,
    };
    enum alert_word word = alert_word_of(text);
    struct record_event *candidate = malloc(sizeof *candidate), *past = NULL;
    struct alert_preview preview;
    enum vd_status status = VD_ERR_MEMORY;
    size_t n = 0;

    if (candidate != NULL)
        status = history->event(history->context, event_id, candidate, err);
    if (status == VD_OK && word == ALERT_UNSAID && candidate->feedback[0] == '\0')
        status = vd_error_set(err, VD_ERR_DATA, NULL,
                              "nothing was said of event %lld: nothing to undo",
                              (long long)event_id);
    if (status == VD_OK)
        status = history->events(history->context, &query, &past, &n, err);
    if (status == VD_OK)
        status =
            alert_feedback_preview(past, n, candidate, word, pipeline_group_of, &preview);
    if (status == VD_OK)
        alert_preview_text(&preview, PREVIEW_DAYS, answer, size);
    else
        vd_error_set(err, status, NULL, "no preview: %s", vd_status_text(status));
    free(past);
    free(candidate);
    return status;
}

enum vd_status pipeline_feedback_ask(void *context, int64_t event_id, const char *text,
                                     char *answer, size_t size, struct vd_error *err)
{
    pipeline *p = context;

    if (p->store == NULL)
        return needs_store(err);
    return pipeline_feedback_preview(store_set_history(p->store), event_id, text,
                                     os_clock_wall_ns(), answer, size, err);
}
