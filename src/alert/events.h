/* From verdicts to the anomaly: when it begins, and when its level is the new normal.
 *
 * The statistic that opens an anomaly is the k-th largest surprise of the last n samples,
 * so a single odd sample is no event. It is over the threshold that the budget sets
 * (budget.h). A level that holds for long is adopted: it is what the models learn next.
 */
#ifndef VD_ALERT_EVENTS_H
#define VD_ALERT_EVENTS_H

#include "alert/budget.h"
#include "alert/course.h"
#include "record.h"

struct alert_config {
    double interval_s;
    double budget_per_week;
    double cooldown_s; /* between two alerts of anomalies or silence */
    double close_s;    /* below the threshold for so long: the event is over */
    double adopt_s;    /* an anomaly that holds for so long is the new normal */
};

struct alert_config alert_config_default(void);

enum { ALERT_RECENT_MAX = 128 };

struct alert_events {
    struct alert_config config;
    struct alert_budget budget;
    struct alert_course anomaly;
    double recent[ALERT_RECENT_MAX]; /* ring of the last `width` surprises */
    size_t width, need, next;        /* `need` of `width` must be above */
    double sustained;                /* the statistic of this tick */
    int64_t onset_ns;      /* wall clock: the first of the run of odd samples; 0 = none */
    int64_t onset_mono_ns; /* the same, monotonic */
    int64_t last_ns;       /* monotonic: the tick before */
    double passed_s;       /* between this tick and the one before */
    int64_t adopting_max_ns;   /* monotonic: it goes on until then at most */
    int64_t adopting_until_ns; /* monotonic; 0 = not adopting */
};

void alert_events_init(struct alert_events *events, const struct alert_config *config);

/* Takes this tick's combined surprise (NaN = no verdict). Call once per tick, before
 * the anomaly's update. */
void alert_events_tick(struct alert_events *events, double surprise, int64_t time_ns,
                       int64_t mono_ns);

/* Teaches the budget this tick's statistic, after the update: a habit is no part of the
 * tail. */
void alert_events_learn(struct alert_events *events, bool habitual);

/* Says whether this sample or the sustained surprise is over the threshold, or an open
 * anomaly goes on. Such samples are kept out of training. */
bool alert_events_anomalous(const struct alert_events *events);

/* Says, once, that the open anomaly has held for so long that its level is the new
 * normal: config.adopt_s, or half of what has been seen at all (`learned_s`) when
 * that is less, since what fills a third of a life is no exception. From then on and for
 * ALERT_ADOPT_S, longer where samples are rare, nothing counts as anomalous, so that the
 * new level can be learned. */
enum { ALERT_ADOPT_S = 120 };
/* What became worse at `rose_ns` (monotonic) has held since then only. */
bool alert_events_adopt(struct alert_events *events, double learned_s, int64_t rose_ns,
                        int64_t mono_ns);
bool alert_events_adopting(const struct alert_events *events);

/* Begins an anomaly at that time, whatever the surprise is: something else than the
 * detectors says so. An adoption that goes on ends. */
void alert_events_begin(struct alert_events *events, int64_t onset_ns,
                        int64_t onset_mono_ns);

#endif
