/* The anomaly of one tick: the evidence is gathered, the policy asked, the answer acted
 * upon. */
#include <math.h>
#include <string.h>

#include "host/state.h"
#include "os/log.h"

/* Returns the resources that are clearly in trouble, and that were not when the open
 * anomaly alerted, or when the level that is being adopted was. A machine that runs hot
 * because it works is no second trouble. */
static unsigned newly_clear(const host *h)
{
    unsigned causes = 1U << RECORD_GROUP_CPU | 1U << RECORD_GROUP_MEMORY |
                      1U << RECORD_GROUP_DISK | 1U << RECORD_GROUP_NETWORK |
                      1U << RECORD_GROUP_GPU;

    return alert_departures_clear(&h->departures, h->record.mono_ns) & causes &
           ~h->told_groups;
}

/* Tells whether the surprise of the detectors says little: they have seen minutes only,
 * and call what is without precedent no more than rare; or they are learning a level, and
 * what happens to another resource meanwhile is no part of it. */
static bool is_unsure(const host *h)
{
    return alert_events_adopting(&h->events) ||
           (!h->events.anomaly.open && h->record.verdict.n > 0 &&
            !alert_is_confident(h->record.verdict.confidence));
}

/* Begins an anomaly of the resources that get into trouble while the detectors are not
 * sure: it lasts while these are clear by themselves. It ends an adoption. */
static void set_apart(host *h)
{
    unsigned groups = newly_clear(h);
    int64_t left_ns = alert_departures_left_ns(&h->departures, groups);

    h->apart_groups &= alert_departures_clear(&h->departures, h->record.mono_ns);
    if (groups == 0 || !is_unsure(h))
        return;
    h->apart_groups = groups;
    alert_events_begin(&h->events, h->record.time_ns - (h->record.mono_ns - left_ns),
                       left_ns);
}

void host_note_tick(host *h)
{
    double worst[RECORD_GROUPS];

    alert_events_tick(&h->events, h->record.verdict.surprise, h->record.time_ns,
                      h->record.mono_ns);
    detect_set_worst(h->detect, h->schema, worst);
    alert_departures_tick(&h->departures, worst, h->record.mono_ns);
    set_apart(h);
    if (!h->events.anomaly.open && !alert_events_adopting(&h->events))
        h->told_groups = 0;
}

/* Tells whether what begins here is known to come and go, and is then no event. It is
 * said once, to the log. What was said to be real is never a habit. */
static bool is_habit(host *h, enum record_feedback said)
{
    bool before = h->habit_ns != 0;
    struct record_event now;

    h->habit_ns = 0;
    if (h->events.anomaly.open || h->events.onset_ns == 0 || h->why_told < 0 ||
        said == RECORD_SAID_REAL || h->habits.n == 0)
        return false;
    now = h->why;
    now.start_ns = h->events.onset_ns;
    now.n_suspects = 0;
    explain_suspects(h->recorder, h->events.onset_mono_ns, &now);
    h->habit_ns = alert_habits_know(&h->habits, &now, h->believed.time_ns);
    if (h->habit_ns != 0 && !before)
        os_log_record(OS_LOG_INFO, "no event, a habit: %s", now.reason);
    return h->habit_ns != 0;
}

/* Gathers all that the policy decides by. */
static struct alert_evidence evidence_of(const host *h, const struct alert_step *step,
                                         struct alert_said said)
{
    const struct alert_course *anomaly = &h->events.anomaly;
    struct alert_evidence e = {
        .alerted = anomaly->event.alerted,
        .rose = step->rose,
        .said = said.word,
        .said_of = said.event_id,
        .confidence = h->record.verdict.confidence,
        .clear = alert_departures_clear(&h->departures, h->record.mono_ns) != 0,
        .wider = newly_clear(h) != 0,
        .weight = detect_set_weight(h->detect, h->schema, h->record.value),
        .spent = alert_budget_is_spent(&h->events.budget),
        .quiet_s = alert_course_quiet_s(anomaly, h->record.mono_ns),
    };

    if (e.spent && !e.alerted)
        e.repeats =
            alert_habits_repeats(&h->habits, &anomaly->event, h->believed.time_ns);
    return e;
}

/* Adopts a level that has held for long as the new normal: the event ends, and the models
 * learn it. What was said to be real is not adopted. */
static void adopt_when_due(host *h)
{
    double learned_s = (double)detect_set_rows(h->detect) * h->config.interval_s;

    if (alert_feedback_of(h->events.anomaly.event.feedback) == RECORD_SAID_REAL ||
        !alert_events_adopt(&h->events, learned_s,
                            alert_departures_rose_ns(&h->departures, h->record.mono_ns),
                            h->record.mono_ns))
        return;
    h->told_groups |= alert_departures_far(&h->departures);
    detect_set_retrain(h->detect, h->record.mono_ns, ALERT_ADOPT_S / 2);
}

/* Leads the anomaly through one tick: the evidence becomes the input of its course, and
 * the course's step is explained and judged. */
void host_update_anomaly(host *h, const struct explain_input *in)
{
    struct alert_said said = host_feedback_match(h, in);
    double threshold =
        alert_feedback_bar(said.word, alert_budget_threshold(&h->events.budget));
    bool drop = explain_is_drop(&h->why), habit = is_habit(h, said.word);
    struct alert_input input = host_input(h, RECORD_ANOMALY);
    struct alert_course *course = &h->events.anomaly;
    struct alert_evidence evidence;
    struct alert_answer answer;
    struct alert_step step;

    input.score = alert_score(h->events.sustained, threshold, drop);
    input.height = -input.score;
    input.severity = record_severity_of(input.score);
    if (input.severity == RECORD_NORMAL)
        input.severity = RECORD_LOW;
    input.confidence = h->record.verdict.confidence;
    input.started_ns = h->events.onset_ns;
    input.started_mono_ns = h->events.onset_mono_ns;
    input.unknown = isnan(h->events.sustained) && host_may_still_tell(h);
    input.active = (h->events.sustained >= threshold || h->apart_groups != 0) && !habit;
    adopt_when_due(h);
    if (alert_events_adopting(&h->events))
        input.active = false;
    step = host_step(h, course, &input);
    if (step.change == RECORD_EVENT_NONE)
        return;
    if (step.change != RECORD_EVENT_ENDED &&
        host_explains_now(h, &h->anomaly_story, &step)) {
        explain_copy(&course->event, &h->why);
        host_explain_who(h, course->began_ns, &course->event);
    }
    evidence = evidence_of(h, &step, said);
    answer = alert_policy_anomaly(&evidence, h->config.alert.cooldown_s);
    if (alert_is_due(answer))
        h->told_groups |= alert_departures_far(&h->departures);
    host_settle(h, course, &h->anomaly_story, in, &step, answer);
}
