/* What has been here before, and how often.
 *
 * What comes and goes by itself, again and again, is a habit of the machine: a job every
 * five minutes is far from what is normal each time, and no news.
 *
 * An anomaly is a habit when at least three like it came and went over an hour or more,
 * none longer than a week ago: alike, and not clearly smaller (likeness.h), by the same
 * program, and no shorter than half of what this one has lasted. It is no event. The
 * detectors do not learn it either: a job that hangs would be normal to them.
 *
 * A repeat is less than that: alike, in the same sense, to one that alerted within a
 * week. It is an event; once the budget is spent it does not alert again.
 */
#ifndef VD_ALERT_HABITS_H
#define VD_ALERT_HABITS_H

#include "alert/likeness.h"

enum { ALERT_HABITS_MAX = 256 };

struct alert_habits {
    alert_group_of *group;
    struct alert_past {
        int64_t event_id;
        int64_t start_ns, lasted_ns;
        int64_t seen_ns;  /* it, or one that was known by it */
        int64_t habit_ns; /* the first of those that make a habit with it; 0 = none do */
        bool alerted;
        char name[RECORD_COMM_MAX]; /* of the first suspect; "" = none */
        struct alert_features features;
    } * past; /* n, owned; they grow to ALERT_HABITS_MAX, then the oldest leave */
    size_t n, capacity, oldest;
};

void alert_habits_init(struct alert_habits *habits, alert_group_of *group);
void alert_habits_release(struct alert_habits *habits);

/* Remembers an anomaly that is over. Oldest first; the oldest leave when there is no
 * room, or no memory. */
void alert_habits_add(struct alert_habits *habits, const struct record_event *event);

/* Whether an anomaly with these deviations and suspects, since event->start_ns, is one at
 * `time_ns`; that keeps it one for another week. Gives when the first of its like began,
 * 0 when it is none. Allocates nothing. */
int64_t alert_habits_know(struct alert_habits *habits, const struct record_event *event,
                          int64_t time_ns);

/* Whether this one of the past belongs to a habit that is not forgotten yet. */
bool alert_habits_has(const struct alert_past *past, int64_t time_ns);

/* Gives the id of an event that alerted and that this one repeats, the newest; 0 when
 * there is none. */
int64_t alert_habits_repeats(const struct alert_habits *habits,
                             const struct record_event *event, int64_t time_ns);

#endif
