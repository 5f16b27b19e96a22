/* Events of one tick: from what the detectors and rules found to what is told. The
 * courses say what opens and ends, the explanation says why and who, the policy whether
 * it alerts; here they are led from one to the next, the same for each kind. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/describe.h"
#include "os/log.h"
#include "pipeline_state.h"

/* Sets how often an open event is explained anew, in seconds, apart from each new
 * peak. */
static const double EXPLAIN_EVERY_S = 5;

/* ---- what leaves ---- */

/* Finds the last change of the event that waits; NULL when none does. */
static struct pipeline_change *waiting_of(pipeline *p, int64_t event_id)
{
    for (size_t i = p->n_changes; i-- > 0;)
        if (p->change[i].event.id == event_id)
            return &p->change[i];
    return NULL;
}

/* Makes room for one more change; false without memory. */
static bool make_room(pipeline *p)
{
    size_t capacity = p->changes_capacity * 2 + 8;
    struct pipeline_change *grown;

    if (p->n_changes < p->changes_capacity)
        return true;
    grown = realloc(p->change, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    p->change = grown;
    p->changes_capacity = capacity;
    return true;
}

/* Queues a change: a record carries one, and several may change on the same tick. News of
 * an event takes the place of what waits of it, but for its beginning, which nobody may
 * miss. */
static void enqueue(pipeline *p, const struct record_event *event,
                    enum record_event_change change)
{
    struct pipeline_change *slot = waiting_of(p, event->id);
    bool alerts_now = event->alerts_now;

    if (slot != NULL && slot->change == RECORD_EVENT_OPENED) {
        if (change == RECORD_EVENT_ENDED)
            slot = NULL;
        else
            change = RECORD_EVENT_OPENED;
    }
    if (slot == NULL) {
        if (!make_room(p))
            return;
        slot = &p->change[p->n_changes++];
    } else {
        alerts_now |= slot->event.alerts_now;
    }
    slot->event = *event;
    slot->event.alerts_now = alerts_now;
    slot->change = change;
}

/* Takes the change that leaves with this tick's record. A beginning or an end goes before
 * what only goes on. */
void pipeline_take_change(pipeline *p)
{
    size_t i = 0;

    p->record.event = NULL;
    p->record.change = RECORD_EVENT_NONE;
    if (p->n_changes == 0)
        return;
    while (i < p->n_changes && p->change[i].change == RECORD_EVENT_UPDATED)
        i++;
    if (i == p->n_changes)
        i = 0;
    p->leaving = p->change[i];
    memmove(&p->change[i], &p->change[i + 1], (--p->n_changes - i) * sizeof *p->change);
    p->record.event = &p->leaving.event;
    p->record.change = p->leaving.change;
}

/* ---- why, and who ---- */

/* Remembers the sample with most to tell: it explains the run. On the tick on which the
 * event opens, or ends, the machine may look normal again, and a leak is small at its
 * beginning. */
void pipeline_remember_why(pipeline *p, const struct explain_input *in)
{
    struct record_event now;
    double told;

    if (p->events.onset_ns == 0 && !p->events.anomaly.open) {
        p->why_told = -1;
        return;
    }
    told = explain_event(in, &now);
    if (told > p->why_told) {
        explain_copy(&p->why, &now);
        p->why_told = told;
    }
}

/* Fills in the proportional set size of the suspects. It costs a walk over the page
 * tables, milliseconds for a large process, so it is read anew only when the process has
 * grown or shrunk by a tenth. */
static void fill_pss(const pipeline *p, struct record_event *event,
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
            process->pss_bytes = collect_process_pss(&p->config.collect, process->pid);
    }
}

/* Finds the suspects of the event. `since_ns` is monotonic: when the event's condition
 * began. */
void pipeline_explain_who(const pipeline *p, int64_t since_ns, struct record_event *event)
{
    struct record_suspect before[RECORD_SUSPECTS];
    size_t n_before = event->n_suspects;

    memcpy(before, event->suspect, sizeof before);
    explain_suspects(p->recorder, since_ns, event);
    fill_pss(p, event, before, n_before);
}

/* Tells whether the event is to be explained on this tick, and notes that it is. An event
 * that opens begins a new story. */
bool pipeline_explains_now(pipeline *p, struct pipeline_story *story,
                           const struct alert_step *step)
{
    bool due =
        (double)(p->record.mono_ns - story->explained_ns) * 1e-9 >= EXPLAIN_EVERY_S;

    if (step->change == RECORD_EVENT_OPENED) {
        explain_course_start(&story->trend);
        story->explained_ns = 0;
    }
    if (!step->new_peak && story->explained_ns != 0 && !due)
        return false;
    story->explained_ns = p->record.mono_ns;
    return true;
}

/* ---- one step of any event ---- */

/* Makes the input of a course with what all kinds share. */
struct alert_input pipeline_input(const pipeline *p, enum record_event_kind kind)
{
    return (struct alert_input){
        .kind = kind,
        .confidence = 1,
        .time_ns = p->record.time_ns,
        .mono_ns = p->record.mono_ns,
    };
}

/* Leads a course through one tick. An event that opens gets its id here, from the store
 * where there is one, so that ids go on over restarts. */
struct alert_step pipeline_step(pipeline *p, struct alert_course *course,
                                const struct alert_input *in)
{
    struct alert_step step = alert_course_update(course, in, p->config.alert.close_s);

    course->event.alerts_now = false;
    if (step.change != RECORD_EVENT_OPENED)
        return step;
    course->event.id =
        p->store != NULL ? store_set_next_event_id(p->store) : ++p->last_event_id;
    p->anomalies += in->severity != RECORD_NORMAL;
    pipeline_moments_begin(p, course);
    return step;
}

/* Gives what alerts have cost this week, for the note of the event. */
static struct alert_cost cost_now(const pipeline *p)
{
    return (struct alert_cost){
        .this_week = alert_week_count(&p->week, &p->feedback, p->believed.time_ns),
        .allowed = p->events.budget.per_week,
        .confidence = p->record.verdict.confidence,
    };
}

/* Counts an alert. Only an anomaly's first alert costs a share of the budget: limits are
 * exact and silence is a fact. */
static void alert_now(pipeline *p, struct alert_course *course,
                      struct alert_answer answer)
{
    struct record_event *event = &course->event;

    alert_course_alert(course, p->record.mono_ns);
    event->alerts_now = true;
    p->alerts++;
    if (event->kind != RECORD_ANOMALY || answer.reason != ALERT_DUE)
        return;
    alert_budget_alerted(&p->events.budget);
    alert_week_add(&p->week, event->id, p->believed.time_ns);
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
void pipeline_settle(pipeline *p, struct alert_course *course,
                     struct pipeline_story *story, const struct explain_input *in,
                     const struct alert_step *step, struct alert_answer answer)
{
    struct record_event *event = &course->event;
    bool ended = step->change == RECORD_EVENT_ENDED;

    assert(step->change != RECORD_EVENT_NONE && event->id != 0);
    if (!ended) {
        double lasted_s = (double)(p->record.mono_ns - course->began_ns) * 1e-9;

        if (alert_is_due(answer))
            alert_now(p, course, answer);
        /* What was told keeps its note: the week is counted for those alone that get one.
         */
        if (answer.reason != ALERT_TOLD) {
            struct alert_cost cost = cost_now(p);

            alert_note(answer, event->kind, &cost, event->note);
        }
        explain_course_add(&story->trend, in, event);
        snprintf(event->pattern, sizeof event->pattern, "%s",
                 explain_pattern(&story->trend, in, event, lasted_s));
    }
    tell_log(event, step->change);
    if (ended)
        pipeline_feedback_event_ended(p, event);
    if (ended && event->kind == RECORD_ANOMALY)
        alert_habits_add(&p->habits, event);
    if (event->alerts_now || (event->alerted && ended))
        alert_channels_send(p->channels, event,
                            ended ? RECORD_EVENT_ENDED : RECORD_EVENT_OPENED);
    if (step->change != RECORD_EVENT_UPDATED || event->alerts_now || step->new_peak ||
        story->explained_ns == p->record.mono_ns)
        enqueue(p, event, step->change);
}

/* ---- silence and drift ---- */

/* Gives the seconds since the course alerted last. */
static double quiet_s(const pipeline *p, const struct alert_course *course)
{
    return alert_course_quiet_s(course, p->record.mono_ns);
}

/* Leads silence through one tick. A gap is told in the log of events; only something that
 * should be heard and is not is worth an alert. */
static void update_silence(pipeline *p, const struct explain_input *in)
{
    struct alert_input input = pipeline_input(p, RECORD_SILENCE);
    struct alert_course *course = &p->silence_course;
    struct record_silence silent;
    struct alert_step step;

    input.active = detect_silence_check(&p->silence, &p->schema, p->record.value,
                                        p->record.mono_ns, &silent);
    input.severity = RECORD_LOW;
    input.score = record_score_of(RECORD_LOW);
    step = pipeline_step(p, course, &input);
    if (step.change == RECORD_EVENT_NONE)
        return;
    if (step.change != RECORD_EVENT_ENDED &&
        pipeline_explains_now(p, &p->silence_story, &step))
        explain_silence(&p->schema, &silent, &course->event);
    pipeline_settle(p, course, &p->silence_story, in, &step,
                    alert_policy_other(course->event.alerted,
                                       input.active && silent.kind != RECORD_SILENCE_GAP,
                                       quiet_s(p, course), p->config.alert.cooldown_s));
}

/* Leads drift through one tick. It never alerts. While something is wrong, low scores say
 * nothing of what is normal. */
static void update_drift(pipeline *p, const struct explain_input *in)
{
    struct alert_input input = pipeline_input(p, RECORD_DRIFT);
    struct alert_course *course = &p->drift_course;
    struct alert_step step;

    input.active = p->record.verdict.drift && pipeline_is_to_learn(p);
    input.severity = RECORD_LOW;
    input.score = record_score_of(RECORD_LOW);
    step = pipeline_step(p, course, &input);
    if (step.change == RECORD_EVENT_NONE)
        return;
    if (step.change == RECORD_EVENT_OPENED)
        explain_drift(&course->event);
    pipeline_settle(p, course, &p->drift_story, in, &step,
                    alert_policy_other(false, false, quiet_s(p, course), 0));
}

void pipeline_update_others(pipeline *p, const struct explain_input *in)
{
    update_silence(p, in);
    update_drift(p, in);
}

/* Finds the open course of an event; NULL when it is over. */
struct alert_course *pipeline_course_of(pipeline *p, int64_t event_id)
{
    struct alert_course *fixed[] = {&p->events.anomaly, &p->silence_course,
                                    &p->drift_course};

    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (fixed[i]->open && fixed[i]->event.id == event_id)
            return fixed[i];
    for (size_t i = 0; i < p->n_limits; i++)
        if (p->limit[i]->course.open && p->limit[i]->course.event.id == event_id)
            return &p->limit[i]->course;
    return NULL;
}
