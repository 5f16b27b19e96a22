/* The decisions, each a list of conditions from the strongest to the weakest, and the
 * sentences that tell of them. */
#include "alert/policy.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "vedette/calibration.h"

/* What has been seen for some minutes only has no known tail. Until then an anomaly is
 * noted, and alerts when the course of a core metric alone makes it clear. */
static const double CONFIDENT = 0.75;

/* 5 % of CPU where there has been none is without precedent, and nothing: what is rare
 * has to matter as well, by so many floors of sigma. */
static const double MATTERS = 5;

/* An anomaly that has become worse is told of again, but not while it is still growing
 * into its first minute. */
static const double AGAIN_S = 60;

/* Alerts of one limit within an hour: a machine that is always busy exceeds a built-in
 * limit every other minute. Who wrote a limit down wants to know each time, unless that
 * is all the time. */
enum { BUILTIN_AN_HOUR = 1, WRITTEN_AN_HOUR = 3 };

/* When a load ends there is much less of everything than was expected. It may be a
 * service that died, so it is told, but never as more than low. */
static const double SCORE_OF_DROP = -0.29;

static const int64_t WEEK_NS = INT64_C(7) * 86400 * 1000000000;

/* Makes an answer without another event. */
static struct alert_answer because(enum alert_reason reason)
{
    return (struct alert_answer){.reason = reason};
}

static struct alert_answer because_of(enum alert_reason reason, int64_t event_id)
{
    return (struct alert_answer){.reason = reason, .event_id = event_id};
}

bool alert_is_confident(double confidence)
{
    return confidence >= CONFIDENT;
}

bool alert_is_due(struct alert_answer answer)
{
    return answer.reason == ALERT_DUE || answer.reason == ALERT_DUE_AGAIN ||
           answer.reason == ALERT_DUE_WIDER;
}

/* Turns the surprise into a score. When a load ends, the score is never worse than
 * low. */
double alert_score(double sustained, double threshold, bool drop)
{
    double score = vd_score_of_surprise(sustained, threshold);

    return drop ? fmax(score, SCORE_OF_DROP) : score;
}

/* Decides about an anomaly that has alerted. One that goes on is told of; a second
 * trouble that comes while it does is not. */
static enum alert_reason again(const struct alert_evidence *e, double cooldown_s)
{
    if (alert_feedback_silences(e->said))
        return ALERT_TOLD;
    if (e->rose && e->quiet_s >= AGAIN_S)
        return ALERT_DUE_AGAIN;
    return e->wider && e->quiet_s >= cooldown_s ? ALERT_DUE_WIDER : ALERT_TOLD;
}

/* Decides about an anomaly. What people said comes first; then how sure, how large and
 * how new it is; last how long ago the alert before was. */
struct alert_answer alert_policy_anomaly(const struct alert_evidence *e,
                                         double cooldown_s)
{
    if (e->alerted)
        return because(again(e, cooldown_s));
    if (alert_feedback_silences(e->said))
        return because_of(ALERT_SAID_NORMAL, e->said_of);
    if (e->said == RECORD_UNSAID) {
        if (!alert_is_confident(e->confidence)) {
            if (!e->clear)
                return because(ALERT_EARLY);
        } else if (e->weight < MATTERS) {
            return because(ALERT_SMALL);
        } else if (e->spent && e->repeats != 0) {
            return because_of(ALERT_REPEATS, e->repeats);
        }
    }
    return because(e->quiet_s < cooldown_s ? ALERT_COOLING : ALERT_DUE);
}

/* Decides about a limit, which needs no confidence: it is exceeded. */
struct alert_answer alert_policy_limit(const struct alert_limit_evidence *e)
{
    if (e->alerted)
        return because(ALERT_TOLD);
    if (alert_feedback_silences(e->said))
        return because_of(ALERT_SAID_NORMAL, e->said_of);
    if (e->builtin && e->told_by != 0)
        return because_of(ALERT_TOLD_BY, e->told_by);
    if (e->in_hour >= (e->builtin ? BUILTIN_AN_HOUR : WRITTEN_AN_HOUR))
        return because(ALERT_OFTEN);
    return because(ALERT_DUE);
}

/* Decides about silence and drift. `worth` says whether it is worth an alert at all. */
struct alert_answer alert_policy_other(bool alerted, bool worth, double quiet_s,
                                       double cooldown_s)
{
    if (alerted)
        return because(ALERT_TOLD);
    if (!worth)
        return because(ALERT_NOTED);
    return because(quiet_s < cooldown_s ? ALERT_COOLING : ALERT_DUE);
}

/* Writes what an alert cost of the week's budget. */
static void due_note(enum alert_reason reason, enum record_event_kind kind,
                     const struct alert_cost *cost, char note[RECORD_NOTE_MAX])
{
    const char *alerted = reason == ALERT_DUE ? "Alerted"
                          : reason == ALERT_DUE_AGAIN
                              ? "Alerted again, since it has become worse"
                              : "Alerted again, since another resource is affected";

    if (kind == RECORD_ANOMALY)
        snprintf(note, RECORD_NOTE_MAX, "%s: %u of %g this week", alerted,
                 cost->this_week, cost->allowed);
    else
        snprintf(note, RECORD_NOTE_MAX,
                 "%s: %s always alerts, and costs nothing of the week's budget", alerted,
                 kind == RECORD_RULE ? "a limit" : "silence");
}

/* Writes the reason of the answer in a sentence. The note of an alert stays when nothing
 * new was decided. */
char *alert_note(struct alert_answer answer, enum record_event_kind kind,
                 const struct alert_cost *cost, char note[RECORD_NOTE_MAX])
{
    long long id = (long long)answer.event_id;

    switch (answer.reason) {
    case ALERT_DUE:
    case ALERT_DUE_AGAIN:
    case ALERT_DUE_WIDER:
        due_note(answer.reason, kind, cost, note);
        break;
    case ALERT_TOLD: /* the note of the alert stays */
        break;
    case ALERT_EARLY:
        snprintf(
            note, RECORD_NOTE_MAX,
            "Not alerted: too early to be sure, confidence is %.0f %% of the %.0f %% "
            "it takes",
            100 * cost->confidence, 100 * CONFIDENT);
        break;
    case ALERT_SMALL:
        snprintf(note, RECORD_NOTE_MAX,
                 "Not alerted: unusual here, but too small to matter");
        break;
    case ALERT_REPEATS:
        snprintf(note, RECORD_NOTE_MAX,
                 "Not alerted: it repeats event %lld, and this week's alerts are out (%u "
                 "of %g)",
                 id, cost->this_week, cost->allowed);
        break;
    case ALERT_SAID_NORMAL:
        snprintf(
            note, RECORD_NOTE_MAX,
            "Not alerted: somebody said that event %lld, which is like it, is normal",
            id);
        break;
    case ALERT_COOLING:
        snprintf(note, RECORD_NOTE_MAX,
                 "Not alerted yet: the alert before is only seconds old");
        break;
    case ALERT_OFTEN:
        snprintf(note, RECORD_NOTE_MAX,
                 "Not alerted: this limit has alerted within the hour");
        break;
    case ALERT_TOLD_BY:
        snprintf(note, RECORD_NOTE_MAX,
                 "Not alerted: the alert of event %lld tells of it", id);
        break;
    case ALERT_NOTED:
        snprintf(note, RECORD_NOTE_MAX, "Not alerted: %s is only noted",
                 kind == RECORD_DRIFT ? "drift" : "a gap between two samples");
        break;
    }
    return note;
}

/* ---- the week ---- */

void alert_week_add(struct alert_week *week, int64_t event_id, int64_t time_ns)
{
    week->at[week->next].event_id = event_id;
    week->at[week->next].time_ns = time_ns;
    week->next = (week->next + 1) % ALERT_WEEK_MAX;
    week->n += week->n < ALERT_WEEK_MAX;
    assert(week->n <= ALERT_WEEK_MAX);
}

/* Counts the alerts of the last seven days that nobody confirmed. Those in the future are
 * of a clock that was wrong. */
unsigned alert_week_count(const struct alert_week *week, const struct alert_feedback *f,
                          int64_t now_ns)
{
    unsigned n = 0;

    for (size_t i = 0; i < week->n; i++) {
        int64_t age_ns = now_ns - week->at[i].time_ns;

        n += age_ns >= 0 && age_ns < WEEK_NS &&
             alert_feedback_said(f, week->at[i].event_id) != RECORD_SAID_REAL;
    }
    return n;
}
