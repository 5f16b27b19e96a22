/* Whether an event alerts, and why it does not.
 *
 * The caller gathers the evidence, the policy decides; it looks at nothing else, so each
 * of its cases is a line of a table in the tests. What was decided is kept with the event
 * as one sentence.
 *
 *     anomaly   alerts once, when it matters, nobody said that it is normal, and it is no
 *               repeat of one that alerted while this week's alerts are out; and again
 *               when it has become worse, or another resource joins in
 *     rule      alerts each time: a limit is a limit. One that is exceeded again and
 *               again is told of a few times an hour
 *     silence   alerts once, but for gaps
 *     drift     never does
 */
#ifndef VD_ALERT_POLICY_H
#define VD_ALERT_POLICY_H

#include "alert/feedback.h"
#include "record.h"

enum alert_reason {
    ALERT_DUE,         /* it alerts now */
    ALERT_DUE_AGAIN,   /* it has alerted, and has become worse */
    ALERT_DUE_WIDER,   /* it has alerted, and another resource has joined in */
    ALERT_TOLD,        /* it has alerted */
    ALERT_EARLY,       /* the detectors have not seen enough */
    ALERT_SMALL,       /* without precedent, and nothing */
    ALERT_REPEATS,     /* one that alerted, while this week's alerts are out */
    ALERT_SAID_NORMAL, /* somebody said that its like is normal, or expected now */
    ALERT_COOLING,     /* the alert before is some seconds old */
    ALERT_OFTEN,       /* the limit alerted within the hour */
    ALERT_TOLD_BY,     /* the alert of another event tells of it */
    ALERT_NOTED,       /* such events are only noted */
};

struct alert_answer {
    enum alert_reason reason;
    int64_t event_id; /* the one that it repeats, is like or is told by; 0 = none */
};

/* What is known of an anomaly on this tick. */
struct alert_evidence {
    bool alerted, rose;        /* it has alerted; it rose to a higher severity since */
    enum record_feedback said; /* of events like it */
    int64_t said_of;           /* the event of which it was said */
    double confidence;         /* of the verdict, 0 .. 1 */
    bool clear;                /* by the course of a core metric alone (departure.h) */
    bool wider;      /* that is of a resource that no alert of the event told of */
    double weight;   /* how far the core metrics are away, in floors of sigma */
    bool spent;      /* this week's alerts are out */
    int64_t repeats; /* an event that alerted and that it repeats; 0 = none */
    double quiet_s;  /* since the last alert of an anomaly */
};

/* Tells whether the detectors have seen enough for their surprise to decide alone. */
bool alert_is_confident(double confidence);

struct alert_answer alert_policy_anomaly(const struct alert_evidence *e,
                                         double cooldown_s);

/* What is known of a limit that is exceeded. */
struct alert_limit_evidence {
    bool alerted;              /* the event has */
    bool builtin;              /* nobody wrote the limit down */
    enum record_feedback said; /* of events like it */
    int64_t said_of;
    unsigned in_hour; /* alerts of this limit within the hour */
    int64_t told_by;  /* an alerted anomaly, as severe, that names the metric; 0 = none */
};

struct alert_answer alert_policy_limit(const struct alert_limit_evidence *e);

/* Silence and drift: whether such an event is more than noted. */
struct alert_answer alert_policy_other(bool alerted, bool worth, double quiet_s,
                                       double cooldown_s);

bool alert_is_due(struct alert_answer answer);

/* The score of an anomaly, and its severity: a drop is never more than low. */
double alert_score(double sustained, double threshold, bool drop);

/* What the budget looks like when a note is written. */
struct alert_cost {
    unsigned this_week; /* alerts of the last seven days that nobody confirmed */
    double allowed;     /* a week */
    double confidence;
};

/* Writes what was decided as one sentence: "Alerted: 1 of 1 this week", "Not alerted:
 * ...". Returns note. */
char *alert_note(struct alert_answer answer, enum record_event_kind kind,
                 const struct alert_cost *cost, char note[RECORD_NOTE_MAX]);

/* Alerts of anomalies of the last week, newest last. */
enum { ALERT_WEEK_MAX = 128 };
struct alert_week {
    struct {
        int64_t event_id, time_ns; /* wall clock */
    } at[ALERT_WEEK_MAX];          /* a ring */
    size_t n, next;
};

void alert_week_add(struct alert_week *week, int64_t event_id, int64_t time_ns);

/* Counts those of the last seven days that were not confirmed as real. */
unsigned alert_week_count(const struct alert_week *week, const struct alert_feedback *f,
                          int64_t now_ns);

#endif
