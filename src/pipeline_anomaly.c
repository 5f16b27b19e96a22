/* The anomaly of one tick: the evidence is gathered, the policy asked, the answer acted
 * upon. */
#include <math.h>
#include <string.h>

#include "os/log.h"
#include "pipeline_state.h"

/* Notes since when the metrics deviate. A leak deviates for long before it is far out, or
 * an event. In the course of an event a better moment starts nothing anew. */
static void note_deviation(pipeline *p)
{
    bool deviates = p->record.verdict.deviates;

    if (!deviates && !p->events.anomaly.open)
        p->deviates_ns = 0;
    else if (deviates && p->deviates_ns == 0)
        p->deviates_ns = p->record.mono_ns;
}

/* Gives for how many seconds the metrics have deviated. */
static double deviates_s(const pipeline *p)
{
    return p->deviates_ns == 0 ? 0 : (double)(p->record.mono_ns - p->deviates_ns) * 1e-9;
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
                                         struct alert_said said, bool drop)
{
    const struct alert_course *anomaly = &p->events.anomaly;
    struct alert_evidence e = {
        .alerted = anomaly->event.alerted,
        .rose = step->rose,
        .said = said.word,
        .said_of = said.event_id,
        .confidence = p->record.verdict.confidence,
        .far_out = p->record.verdict.far_out,
        .deviates_s = deviates_s(p),
        .drop = drop,
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

    if (alert_word_of(p->events.anomaly.event.feedback) != ALERT_REAL &&
        alert_events_adopt(&p->events, learned_s, p->record.mono_ns))
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
    input.active = p->events.sustained >= threshold && !habit;
    note_deviation(p);
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
    evidence = evidence_of(p, &step, said, drop);
    pipeline_settle(p, course, &p->anomaly_story, in, &step,
                    alert_policy_anomaly(&evidence, p->config.alert.cooldown_s));
}
