/* The course of one event: it opens, has a peak, may pause, ends; and begins anew.
 *
 * A course is for one thing that can go wrong: the host as a whole (anomaly), one metric
 * under one hard limit (rule), silence, drift. Whether the event alerts is decided
 * elsewhere (policy.h); the course keeps that it did.
 */
#ifndef VD_ALERT_COURSE_H
#define VD_ALERT_COURSE_H

#include "record.h"

struct alert_course {
    struct record_event event; /* the open one, or the last; id 0 = there was none */
    bool open;
    int64_t above_ns;   /* monotonic: last tick on which the condition held */
    int64_t opened_ns;  /* monotonic */
    int64_t began_ns;   /* monotonic: where the event's start is */
    int64_t ended_ns;   /* monotonic: the tick on which the last event ended; 0 = none */
    int64_t alerted_ns; /* monotonic: last alert, of this event or one before; 0 = none */
    int64_t held_ns;    /* wall clock: the event is of an earlier run, which saw it last
                           then, and has not been seen to go on; 0 = it has */
    double height;      /* of the peak */
};

/* What the condition of a course is on this tick. */
struct alert_input {
    enum record_event_kind kind;
    bool active;   /* it holds */
    bool unknown;  /* nobody can say yet: an event of an earlier run waits for it */
    double height; /* how bad it is; the largest is the event's peak */
    double score;  /* calibrated, negative */
    enum record_severity severity;
    double confidence;
    int64_t time_ns, mono_ns;            /* this tick: wall clock, monotonic */
    int64_t started_ns, started_mono_ns; /* when it began; 0 = on this tick */
};

struct alert_step {
    enum record_event_change change;
    bool new_peak; /* the event was never as bad before */
    bool rose;     /* to a higher severity, in the course of the event */
};

/* Moves the course on. The caller gives the event its id when the step is OPENED. An open
 * event ends when its condition has not held for `close_s`. */
struct alert_step alert_course_update(struct alert_course *course,
                                      const struct alert_input *in, double close_s);

/* The event alerts on this tick. */
void alert_course_alert(struct alert_course *course, int64_t mono_ns);

/* Seconds since the last alert of the course; INFINITY = there was none. */
double alert_course_quiet_s(const struct alert_course *course, int64_t mono_ns);

/* Takes up an event that an earlier run left open, with a peak of `height`, and saw last
 * at `held_ns` (wall clock). When its condition holds again before it would have ended it
 * goes on under its id; else it has ended when it was seen last. Before the first update.
 */
void alert_course_resume(struct alert_course *course, const struct record_event *event,
                         double height, int64_t held_ns);

#endif
