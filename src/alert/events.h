/* From verdicts to events: something begins, has a peak, ends; and the budget decides
 * what of it goes out as an alert.
 *
 * One event of each kind may be open at a time: anomaly (the detectors agree that this is
 * not normal), rule (a hard limit), silence, drift. The statistic that opens an anomaly
 * is the k-th largest surprise of the last n samples, so a single odd sample is no event.
 */
#ifndef VD_ALERT_EVENTS_H
#define VD_ALERT_EVENTS_H

#include "alert/budget.h"
#include "record.h"

struct alert_config {
    double interval_s;
    double budget_per_week;
    double cooldown_s; /* between two alerts of anomalies; six times that for drift */
    double close_s;    /* below the threshold for so long: the event is over */
    double adopt_s;    /* an anomaly that holds for so long is the new normal */
    int64_t next_id;   /* of the first event */
};

struct alert_config alert_config_default(void);

enum { ALERT_RECENT_MAX = 128 };

struct alert_events {
    struct alert_config config;
    struct alert_budget budget;
    double recent[ALERT_RECENT_MAX]; /* ring of the last `width` surprises */
    size_t width, need, next;        /* `need` of `width` must be above */
    double sustained;                /* the statistic of this tick */
    struct record_event event[RECORD_EVENT_KINDS]; /* id 0 = closed */
    int64_t above_ns[RECORD_EVENT_KINDS];  /* monotonic: last tick it was active */
    int64_t opened_ns[RECORD_EVENT_KINDS]; /* monotonic */
    int64_t
        alerted_ns[RECORD_EVENT_KINDS]; /* monotonic: last alert of the kind; 0 = none */
    int64_t
        held_ns[RECORD_EVENT_KINDS]; /* wall clock: an event of an earlier run that has
                                 not been seen to go on; 0 = it has, or there is none */
    int64_t onset_ns;      /* wall clock: the first of the run of odd samples; 0 = none */
    int64_t onset_mono_ns; /* the same, monotonic */
    int64_t began_ns[RECORD_EVENT_KINDS]; /* monotonic: where the event's start is */
    int64_t last_ns;                      /* monotonic: the tick before */
    double passed_s;                      /* between this tick and the one before */
    int64_t adopting_max_ns;              /* monotonic: it goes on until then at most */
    int64_t adopting_until_ns;            /* monotonic; 0 = not adopting */
    uint64_t opened, alerts;
};

void alert_events_init(struct alert_events *events, const struct alert_config *config);

/* An event that an earlier run left open and saw last at `held_ns` (wall clock). When its
 * condition holds again within config.close_s it goes on under its id; else it has ended
 * when it was seen last. Before the first tick. */
void alert_events_resume(struct alert_events *events, enum record_event_kind kind,
                         const struct record_event *event, int64_t held_ns);

/* Takes this tick's combined surprise (NaN = no verdict). Call once per tick, before
 * the updates. */
void alert_events_tick(struct alert_events *events, double surprise, int64_t time_ns,
                       int64_t mono_ns);

/* The budget's lesson of this tick, after the updates: a habit is no part of the tail. */
void alert_events_learn(struct alert_events *events, bool habitual);

/* Whether this sample or the sustained surprise is over the threshold, or an open anomaly
 * goes on. Such samples are kept out of training. */
bool alert_events_anomalous(const struct alert_events *events);

/* What one kind is doing now. */
struct alert_input {
    enum record_event_kind kind;
    bool active;      /* the condition holds on this tick */
    bool unknown;     /* nobody can say yet: an event of an earlier run waits for it */
    bool worth_alert; /* false: it is recorded, and alerts nobody. A rule that is worth
                         one while its event is open alerts again */
    double score;     /* calibrated, negative */
    enum record_severity severity;
    double confidence;
    int64_t time_ns, mono_ns;
};

/* Moves the event of that kind on. Says whether it was opened, updated (a new peak or
 * still going on) or ended; *event is then the event, for the explanation to be filled
 * in, valid until the next call. `event->alerted` turns true when an alert is due on this
 * very call, and *alert_now says so. */
enum record_event_change alert_events_update(struct alert_events *events,
                                             const struct alert_input *input,
                                             struct record_event **event, bool *alert_now,
                                             bool *new_peak);

/* True on the tick on which the open anomaly has held for so long that its level is the
 * new normal: config.adopt_s, or half of what has been seen at all (`learned_s`) when
 * that is less, since what fills a third of a life is no exception. From then on and for
 * ALERT_ADOPT_S, longer where samples are rare, nothing counts as anomalous, so that the
 * new level can be learned. */
enum { ALERT_ADOPT_S = 120 };
bool alert_events_adopting(const struct alert_events *events);
bool alert_events_adopt(struct alert_events *events, double learned_s, int64_t mono_ns);

#endif
