/* Events of one tick: from what the detectors and rules found to what is told. The
 * courses say what opens and ends, the explanation says why and who, the policy whether
 * it alerts; here they are led from one to the next, the same for each kind. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/describe.h"
#include "host/state.h"
#include "os/log.h"

/* Sets how often an open event is explained anew, in seconds, apart from each new
 * peak. */
static const double EXPLAIN_EVERY_S = 5;

/* ---- what leaves ---- */

/* Adds a change; NULL without memory. */
static struct host_told *add(struct host_changes *changes,
                             const struct record_event *event,
                             enum record_event_change change)
{
    size_t capacity = changes->capacity * 2 + 8;

    if (changes->n == changes->capacity) {
        struct host_told *grown = realloc(changes->at, capacity * sizeof *grown);

        if (grown == NULL)
            return NULL;
        changes->at = grown;
        changes->capacity = capacity;
    }
    changes->at[changes->n] = (struct host_told){*event, change};
    return &changes->at[changes->n++];
}

/* Finds the last change of the event that waits; NULL when none does. */
static struct host_told *waiting_of(host *h, int64_t event_id)
{
    for (size_t i = h->waiting.n; i-- > 0;)
        if (h->waiting.at[i].event.id == event_id)
            return &h->waiting.at[i];
    return NULL;
}

/* Queues a change: a record carries one, and several may change on the same tick. News of
 * an event takes the place of what waits of it, but for its beginning, which nobody may
 * miss. */
static void enqueue(host *h, const struct record_event *event,
                    enum record_event_change change)
{
    struct host_told *waits = waiting_of(h, event->id);
    bool alerts_now = event->alerts_now;

    if (waits != NULL && waits->change == RECORD_EVENT_OPENED) {
        if (change == RECORD_EVENT_ENDED)
            waits = NULL;
        else
            change = RECORD_EVENT_OPENED;
    }
    if (waits == NULL) {
        add(&h->waiting, event, change);
        return;
    }
    alerts_now |= waits->event.alerts_now;
    *waits = (struct host_told){*event, change};
    waits->event.alerts_now = alerts_now;
}

/* Takes the change that leaves with this tick's record. A beginning or an end goes before
 * what only goes on. */
void host_take_change(host *h)
{
    size_t i = 0;

    h->record.event = NULL;
    h->record.change = RECORD_EVENT_NONE;
    if (h->waiting.n == 0)
        return;
    while (i < h->waiting.n && h->waiting.at[i].change == RECORD_EVENT_UPDATED)
        i++;
    if (i == h->waiting.n)
        i = 0;
    h->leaving = h->waiting.at[i];
    h->waiting.n--;
    memmove(&h->waiting.at[i], &h->waiting.at[i + 1],
            (h->waiting.n - i) * sizeof *h->waiting.at);
    h->record.event = &h->leaving.event;
    h->record.change = h->leaving.change;
}

/* ---- why, and who ---- */

/* Remembers the sample with most to tell: it explains the run. On the tick on which the
 * event opens, or ends, the machine may look normal again, and a leak is small at its
 * beginning. */
void host_remember_why(host *h, const struct explain_input *in)
{
    struct record_event now;
    double told;

    if (h->events.onset_ns == 0 && !h->events.anomaly.open) {
        h->why_told = -1;
        return;
    }
    told = explain_event(in, &now);
    if (told > h->why_told) {
        explain_copy(&h->why, &now);
        h->why_told = told;
    }
}

/* Fills in the proportional set size of the suspects. It costs a walk over the page
 * tables, milliseconds for a large process, so it is read anew only when the process has
 * grown or shrunk by a tenth. */
static void fill_pss(const host *h, struct record_event *event,
                     const struct record_suspect *before, size_t n_before)
{
    for (size_t i = 0; i < event->n_suspects; i++) {
        struct record_process *process = &event->suspect[i].process;
        const struct record_process *known = NULL;

        for (size_t k = 0; k < n_before && known == NULL; k++)
            if (before[k].process.pid == process->pid &&
                before[k].process.start_ticks == process->start_ticks)
                known = &before[k].process;
        if (known != NULL &&
            fabs(process->rss_bytes - known->rss_bytes) <= 0.1 * known->rss_bytes)
            process->pss_bytes = known->pss_bytes;
        else
            process->pss_bytes = h->sample->pss(h->sample->pss_context, process->pid);
    }
}

/* Finds the suspects of the event. `since_ns` is monotonic: when the event's condition
 * began. */
void host_explain_who(const host *h, int64_t since_ns, struct record_event *event)
{
    struct record_suspect before[RECORD_SUSPECTS];
    size_t n_before = event->n_suspects;

    memcpy(before, event->suspect, sizeof before);
    explain_suspects(h->recorder, since_ns, event);
    if (h->sample->pss != NULL)
        fill_pss(h, event, before, n_before);
}

/* Tells whether the event is to be explained on this tick, and notes that it is. An event
 * that opens begins a new story. */
bool host_explains_now(host *h, struct host_story *story, const struct alert_step *step)
{
    bool due =
        (double)(h->record.mono_ns - story->explained_ns) * 1e-9 >= EXPLAIN_EVERY_S;

    if (step->change == RECORD_EVENT_OPENED) {
        explain_course_start(&story->trend);
        story->explained_ns = 0;
    }
    if (!step->new_peak && story->explained_ns != 0 && !due)
        return false;
    story->explained_ns = h->record.mono_ns;
    return true;
}

/* ---- one step of any event ---- */

/* Makes the input of a course with what all kinds share. */
struct alert_input host_input(const host *h, enum record_event_kind kind)
{
    return (struct alert_input){
        .kind = kind,
        .confidence = 1,
        .time_ns = h->record.time_ns,
        .mono_ns = h->record.mono_ns,
    };
}

/* Leads a course through one tick. An event that opens gets its number here. */
struct alert_step host_step(host *h, struct alert_course *course,
                            const struct alert_input *in)
{
    struct alert_step step = alert_course_update(course, in, h->config.alert.close_s);

    course->event.alerts_now = false;
    if (step.change != RECORD_EVENT_OPENED)
        return step;
    course->event.id = h->config.next_event_id(h->config.context);
    h->anomalies += in->severity != RECORD_NORMAL;
    host_moments_begin(h, course);
    return step;
}

/* Gives what alerts have cost this week, for the note of the event. */
static struct alert_cost cost_now(const host *h)
{
    return (struct alert_cost){
        .this_week = alert_week_count(&h->week, &h->feedback, h->believed.time_ns),
        .allowed = h->events.budget.per_week,
        .confidence = h->record.verdict.confidence,
    };
}

/* Counts an alert. Only an anomaly's first alert costs a share of the budget: limits are
 * exact and silence is a fact. */
static void alert_now(host *h, struct alert_course *course, struct alert_answer answer)
{
    struct record_event *event = &course->event;

    alert_course_alert(course, h->record.mono_ns);
    event->alerts_now = true;
    h->alerts++;
    if (event->kind != RECORD_ANOMALY || answer.reason != ALERT_DUE)
        return;
    alert_budget_alerted(&h->events.budget);
    alert_week_add(&h->week, event->id, h->believed.time_ns);
}

/* Writes the event to the log when it begins, alerts or ends. */
static void tell_log(const struct record_event *event, enum record_event_change change)
{
    const char *what = change == RECORD_EVENT_OPENED  ? "began"
                       : change == RECORD_EVENT_ENDED ? "ended"
                                                      : "alerts";

    if (change == RECORD_EVENT_UPDATED && !event->alerts_now)
        return;
    os_log_record(OS_LOG_INFO, "event %lld %s: %s, %s: %s%s%s%s", (long long)event->id,
                  what, record_event_kind_name(event->kind),
                  record_severity_name(event->severity), event->reason,
                  event->note[0] == '\0' ? "" : " (", event->note,
                  event->note[0] == '\0' ? "" : ")");
}

/* Acts on a step: counts and notes the alert, names the pattern, learns from the end,
 * tells the receivers, and queues the change. The order matters: receivers get the note
 * and the pattern. */
void host_settle(host *h, struct alert_course *course, struct host_story *story,
                 const struct explain_input *in, const struct alert_step *step,
                 struct alert_answer answer)
{
    struct record_event *event = &course->event;
    bool ended = step->change == RECORD_EVENT_ENDED;

    assert(step->change != RECORD_EVENT_NONE && event->id != 0);
    if (!ended) {
        double lasted_s = (double)(h->record.mono_ns - course->began_ns) * 1e-9;

        if (alert_is_due(answer))
            alert_now(h, course, answer);
        /* What was told keeps its note: the week is counted for those alone that get one.
         */
        if (answer.reason != ALERT_TOLD) {
            struct alert_cost cost = cost_now(h);

            alert_note(answer, event->kind, &cost, event->note);
        }
        explain_course_add(&story->trend, in, event);
        snprintf(event->pattern, sizeof event->pattern, "%s",
                 explain_pattern(&story->trend, in, event, lasted_s));
    }
    tell_log(event, step->change);
    if (ended)
        host_feedback_event_ended(h, event);
    if (ended && event->kind == RECORD_ANOMALY)
        alert_habits_add(&h->habits, event);
    if (event->alerts_now || (event->alerted && ended))
        add(&h->told, event, ended ? RECORD_EVENT_ENDED : RECORD_EVENT_OPENED);
    if (step->change != RECORD_EVENT_UPDATED || event->alerts_now || step->new_peak ||
        story->explained_ns == h->record.mono_ns)
        enqueue(h, event, step->change);
}

/* ---- silence and drift ---- */

/* Gives the seconds since the course alerted last. */
static double quiet_s(const host *h, const struct alert_course *course)
{
    return alert_course_quiet_s(course, h->record.mono_ns);
}

/* Leads silence through one tick. A gap is told in the log of events; only something that
 * should be heard and is not is worth an alert. */
static void update_silence(host *h, const struct explain_input *in)
{
    struct alert_input input = host_input(h, RECORD_SILENCE);
    struct alert_course *course = &h->silence_course;
    struct record_silence silent;
    struct alert_step step;

    input.active = detect_silence_check(&h->silence, h->schema, h->record.value,
                                        h->record.mono_ns, &silent);
    input.severity = RECORD_LOW;
    input.score = record_score_of(RECORD_LOW);
    step = host_step(h, course, &input);
    if (step.change == RECORD_EVENT_NONE)
        return;
    if (step.change != RECORD_EVENT_ENDED &&
        host_explains_now(h, &h->silence_story, &step))
        explain_silence(h->schema, &silent, &course->event);
    host_settle(h, course, &h->silence_story, in, &step,
                alert_policy_other(course->event.alerted,
                                   input.active && silent.kind != RECORD_SILENCE_GAP,
                                   quiet_s(h, course), h->config.alert.cooldown_s));
}

/* Leads drift through one tick. It never alerts. While something is wrong, low scores say
 * nothing of what is normal. */
static void update_drift(host *h, const struct explain_input *in)
{
    struct alert_input input = host_input(h, RECORD_DRIFT);
    struct alert_course *course = &h->drift_course;
    struct alert_step step;

    input.active = h->record.verdict.drift && host_is_to_learn(h);
    input.severity = RECORD_LOW;
    input.score = record_score_of(RECORD_LOW);
    step = host_step(h, course, &input);
    if (step.change == RECORD_EVENT_NONE)
        return;
    if (step.change == RECORD_EVENT_OPENED)
        explain_drift(&course->event);
    host_settle(h, course, &h->drift_story, in, &step,
                alert_policy_other(false, false, quiet_s(h, course), 0));
}

void host_update_others(host *h, const struct explain_input *in)
{
    update_silence(h, in);
    update_drift(h, in);
}

/* Finds the open course of an event; NULL when it is over. */
struct alert_course *host_course_of(host *h, int64_t event_id)
{
    struct alert_course *fixed[] = {&h->events.anomaly, &h->silence_course,
                                    &h->drift_course};

    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (fixed[i]->open && fixed[i]->event.id == event_id)
            return fixed[i];
    for (size_t i = 0; i < h->n_limits; i++)
        if (h->limit[i]->course.open && h->limit[i]->course.event.id == event_id)
            return &h->limit[i]->course;
    return NULL;
}
