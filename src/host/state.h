/* The host's insides, shared by its files: host.c (the tick), anomaly.c, limits.c and
 * events.c (what begins and ends on it), moments.c (copies of the flight recorder),
 * work.c (trainings), past.c (what an earlier run left, and saves), feedback.c, status.c.
 */
#ifndef VD_HOST_STATE_H
#define VD_HOST_STATE_H

#include "alert/departure.h"
#include "alert/feedback.h"
#include "alert/habits.h"
#include "alert/policy.h"
#include "detect/silence.h"
#include "explain/explain.h"
#include "feature/rates.h"
#include "host/host.h"
#include "os/believed.h"

enum {
    HOST_LIMITS = 64, /* events of limits at once, and those of the last hour */
    HOST_TOLD = 3,    /* alerts of one limit that are remembered */
};

/* What the explanation keeps beside the course of an event. */
struct host_story {
    struct explain_course trend;
    int64_t explained_ns; /* monotonic; 0 = never */
};

/* One metric under one hard limit. */
struct host_limit {
    struct alert_course course;
    struct host_story story;
    size_t rule, metric; /* metric SIZE_MAX: an event of an earlier run, known by texts */
    uint32_t serial;     /* of the metric in the schema */
    int64_t since_ns;    /* monotonic: since when it has been exceeded */
    uint64_t tick;       /* on which it was exceeded last */
    int64_t told_by; /* the anomaly whose alert told of the open event; 0 = none did */
    int64_t told_ns[HOST_TOLD]; /* monotonic: alerts, newest first; 0 = none */
};

/* Who was killed in the course of the open event of processes that were. */
struct host_kills {
    double count;
    struct record_killed killed[RECORD_KILLED_MAX];
    size_t n;
    bool sure;     /* the kernel named them */
    bool open;     /* their event is */
    uint64_t tick; /* on which the kernel named the last one */
};

/* A copy of the flight recorder that is due. */
struct host_moments {
    int64_t event_id;
    int64_t began_ns, due_ns; /* monotonic */
    bool kept;                /* a first version was, when the event opened */
};

/* Changes of events, in order; grows. */
struct host_changes {
    struct host_told *at; /* n of them, owned */
    size_t n, capacity;
};

struct host {
    struct host_config config;
    const struct record_schema *schema; /* the source's */
    const struct record_sample *sample; /* of this tick; the source's */
    struct record record;
    struct host_output output;
    feature_rates *rates;
    detect_set *detect;
    explain_recorder *recorder;
    struct os_believed believed;

    struct alert_events events;
    struct alert_week week;
    struct alert_feedback feedback;
    struct alert_habits habits;
    int64_t habit_ns; /* what is over the threshold now is one since then; 0 = none */
    struct host_story anomaly_story;
    struct record_event why; /* explanation of the sample that tells most so far */
    double why_told;
    struct alert_departures departures;
    /* Of them, as bits: those that alerts of the open anomaly, or of the level that is
     * being adopted, were about; and those that got into trouble while the detectors
     * were not sure. */
    unsigned told_groups, apart_groups;

    struct detect_rules_state rules;
    struct host_limit *limit[HOST_LIMITS]; /* owned */
    size_t n_limits;
    size_t limits_left_out;
    struct host_kills kills;
    struct detect_silence silence;
    struct alert_course silence_course, drift_course;
    struct host_story silence_story, drift_story;

    struct host_changes told;     /* on this tick, to receivers */
    struct host_changes waiting;  /* to leave with a record each */
    struct host_told leaving;     /* with this one */
    struct host_moments *moments; /* oldest first; n of them, owned */
    size_t n_moments, moments_capacity, n_copied;

    host_job *job; /* on another thread now; NULL = none */
    int64_t trained_ns;
    bool supervised_said; /* what a model lacks was told */
    uint64_t ticks, anomalies, alerts, quarantined;
    int64_t watch_ns;
};

/* Whether the sample of this tick is normal: what was flagged is kept out. */
bool host_is_to_learn(const host *h);

/* Whether it is so early that the detectors may only not be ready yet. */
bool host_may_still_tell(const host *h);

/* ---- events.c ---- */

/* An input of this tick: not active, confidence 1. */
struct alert_input host_input(const host *h, enum record_event_kind kind);

/* Moves a course on. One that opens gets an id, and its flight recorder begins. */
struct alert_step host_step(host *h, struct alert_course *course,
                            const struct alert_input *in);

/* Whether the event is to be explained on this tick: when it opens, at new peaks and
 * every few seconds, since walking the recorder on each tick of a long event would be
 * waste. */
bool host_explains_now(host *h, struct host_story *story, const struct alert_step *step);

/* Fills the suspects of an event, by what changed since `since_ns` (monotonic). */
void host_explain_who(const host *h, int64_t since_ns, struct record_event *event);

/* Ends a step that changed something: alert or not, note, pattern, log, and what leaves
 * to receivers, store and page. */
void host_settle(host *h, struct alert_course *course, struct host_story *story,
                 const struct explain_input *in, const struct alert_step *step,
                 struct alert_answer answer);

void host_remember_why(host *h, const struct explain_input *in);
void host_update_others(host *h, const struct explain_input *in);

/* Takes the next change that waits into the record of this tick. */
void host_take_change(host *h);

/* The course whose open event this is; NULL = none. */
struct alert_course *host_course_of(host *h, int64_t event_id);

/* ---- anomaly.c ---- */

/* Notes what this tick's verdict and values say, before anything is made of it. */
void host_note_tick(host *h);
void host_update_anomaly(host *h, const struct explain_input *in);

/* ---- limits.c ---- */

void host_update_limits(host *h, const struct explain_input *in);

/* A course for one more limit, empty; NULL when there are too many. */
struct host_limit *host_limit_add(host *h);

/* ---- moments.c ---- */

void host_moments_begin(host *h, const struct alert_course *course);

/* ---- feedback.c ---- */

/* What people said of events like the anomaly that runs now, or begins. */
struct alert_said host_feedback_match(host *h, const struct explain_input *in);

/* An event is over: what was said of it is said of all its samples. */
void host_feedback_event_ended(host *h, const struct record_event *event);

#endif
