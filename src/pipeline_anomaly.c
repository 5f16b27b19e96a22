/* The anomaly of one tick: the evidence is gathered, the policy asked, the answer acted
 * upon. */
#include <math.h>
#include <string.h>

#include "os/log.h"
#include "pipeline_state.h"

/* Returns the resources that are clearly in trouble, and that were not when the open
 * anomaly alerted, or when the level that is being adopted was. A machine that runs hot
 * because it works is no second trouble. */
static unsigned newly_clear(const pipeline *p)
{
    unsigned causes = 1U << RECORD_GROUP_CPU | 1U << RECORD_GROUP_MEMORY |
                      1U << RECORD_GROUP_DISK | 1U << RECORD_GROUP_NETWORK |
                      1U << RECORD_GROUP_GPU;

    return alert_departures_clear(&p->departures, p->record.mono_ns) & causes &
           ~p->told_groups;
}

/* Tells whether the surprise of the detectors says little: they have seen minutes only,
 * and call what is without precedent no more than rare; or they are learning a level, and
 * what happens to another resource meanwhile is no part of it. */
static bool is_unsure(const pipeline *p)
{
    return alert_events_adopting(&p->events) ||
           (!p->events.anomaly.open && p->record.verdict.n > 0 &&
            !alert_is_confident(p->record.verdict.confidence));
}

/* Begins an anomaly of the resources that get into trouble while the detectors are not
 * sure: it lasts while these are clear by themselves. It ends an adoption. */
static void set_apart(pipeline *p)
{
    unsigned groups = newly_clear(p);
    int64_t left_ns = alert_departures_left_ns(&p->departures, groups);

    p->apart_groups &= alert_departures_clear(&p->departures, p->record.mono_ns);
    if (groups == 0 || !is_unsure(p))
        return;
    p->apart_groups = groups;
    alert_events_begin(&p->events, p->record.time_ns - (p->record.mono_ns - left_ns),
                       left_ns);
}

void pipeline_note_tick(pipeline *p)
{
    double worst[RECORD_GROUPS];

    alert_events_tick(&p->events, p->record.verdict.surprise, p->record.time_ns,
                      p->record.mono_ns);
    detect_set_worst(p->detect, &p->schema, worst);
    alert_departures_tick(&p->departures, worst, p->record.mono_ns);
    set_apart(p);
    if (!p->events.anomaly.open && !alert_events_adopting(&p->events))
        p->told_groups = 0;
}

/* Tells whether what begins here is known to come and go, and is then no event. It is
 * said once, to the log. What was said to be real is never a habit. */
static bool is_habit(pipeline *p, enum alert_word said)
{
    bool before = p->habit_ns != 0;
    struct record_event now;

    p->habit_ns = 0;
    if (p->events.anomaly.open || p->events.onset_ns == 0 || p->why_told < 0 ||
        said == ALERT_REAL || p->habits.n == 0)
        return false;
    now = p->why;
    now.start_ns = p->events.onset_ns;
    now.n_suspects = 0;
    explain_suspects(p->recorder, p->events.onset_mono_ns, &now);
    p->habit_ns = alert_habits_know(&p->habits, &now, p->believed.time_ns);
    if (p->habit_ns != 0 && !before)
        os_log_record(OS_LOG_INFO, "no event, a habit: %s", now.reason);
    return p->habit_ns != 0;
}

/* Gathers all that the policy decides by. */
static struct alert_evidence evidence_of(const pipeline *p, const struct alert_step *step,
                                         struct alert_said said)
{
    const struct alert_course *anomaly = &p->events.anomaly;
    struct alert_evidence e = {
        .alerted = anomaly->event.alerted,
        .rose = step->rose,
        .said = said.word,
        .said_of = said.event_id,
        .confidence = p->record.verdict.confidence,
        .clear = alert_departures_clear(&p->departures, p->record.mono_ns) != 0,
        .wider = newly_clear(p) != 0,
        .weight = detect_set_weight(p->detect, &p->schema, p->record.value),
        .spent = alert_budget_is_spent(&p->events.budget),
        .quiet_s = alert_course_quiet_s(anomaly, p->record.mono_ns),
    };

    if (e.spent && !e.alerted)
        e.repeats =
            alert_habits_repeats(&p->habits, &anomaly->event, p->believed.time_ns);
    return e;
}

/* Adopts a level that has held for long as the new normal: the event ends, and the models
 * learn it. What was said to be real is not adopted. */
static void adopt_when_due(pipeline *p)
{
    double learned_s = (double)detect_set_rows(p->detect) * p->config.interval_s;

    if (alert_word_of(p->events.anomaly.event.feedback) == ALERT_REAL ||
        !alert_events_adopt(&p->events, learned_s,
                            alert_departures_rose_ns(&p->departures, p->record.mono_ns),
                            p->record.mono_ns))
        return;
    p->told_groups |= alert_departures_far(&p->departures);
    detect_set_retrain(p->detect, p->record.mono_ns, ALERT_ADOPT_S / 2);
}

/* Leads the anomaly through one tick: the evidence becomes the input of its course, and
 * the course's step is explained and judged. */
void pipeline_update_anomaly(pipeline *p, const struct explain_input *in)
{
    struct alert_said said = pipeline_feedback_match(p, in);
    double threshold =
        alert_word_bar(said.word, alert_budget_threshold(&p->events.budget));
    bool drop = explain_is_drop(&p->why), habit = is_habit(p, said.word);
    struct alert_input input = pipeline_input(p, RECORD_ANOMALY);
    struct alert_course *course = &p->events.anomaly;
    struct alert_evidence evidence;
    struct alert_answer answer;
    struct alert_step step;

    input.score = alert_score(p->events.sustained, threshold, drop);
    input.height = -input.score;
    input.severity = record_severity_of(input.score);
    if (input.severity == RECORD_NORMAL)
        input.severity = RECORD_LOW;
    input.confidence = p->record.verdict.confidence;
    input.started_ns = p->events.onset_ns;
    input.started_mono_ns = p->events.onset_mono_ns;
    input.unknown = isnan(p->events.sustained) && pipeline_may_still_tell(p);
    input.active = (p->events.sustained >= threshold || p->apart_groups != 0) && !habit;
    adopt_when_due(p);
    if (alert_events_adopting(&p->events))
        input.active = false;
    step = pipeline_step(p, course, &input);
    if (step.change == RECORD_EVENT_NONE)
        return;
    if (step.change != RECORD_EVENT_ENDED &&
        pipeline_explains_now(p, &p->anomaly_story, &step)) {
        explain_copy(&course->event, &p->why);
        pipeline_explain_who(p, course->began_ns, &course->event);
    }
    evidence = evidence_of(p, &step, said);
    answer = alert_policy_anomaly(&evidence, p->config.alert.cooldown_s);
    if (alert_is_due(answer))
        p->told_groups |= alert_departures_far(&p->departures);
    pipeline_settle(p, course, &p->anomaly_story, in, &step, answer);
}
