/* When two events are of the same kind, to the eye of somebody who reads alerts.
 *
 * Alike: an event is a vector of its (at most three) named deviations, each with the
 * weight sign(z) log(1 + |z|). The product of two deviations counts fully when they are
 * of the same metric, half when their metrics are about the same thing (CPU, memory ...).
 * Two events of one kind are alike when the cosine of their vectors is at least 0.7: the
 * same things went the same way, in similar proportion.
 *
 * Clearly larger: the metric named first is more than one and a half times as far from
 * what was expected as it was then; where it was not named then, the largest |z|.
 */
#ifndef VD_ALERT_LIKENESS_H
#define VD_ALERT_LIKENESS_H

#include "record.h"

/* From this cosine on two events are alike: two of three deviations of equal weight in
 * common are, one of two is when the others are about the same thing. */
#define ALERT_ALIKE 0.7

/* What a metric is about, as a small number; the caller knows. */
typedef int alert_group_of(const char *metric);

/* An event as it is compared. Plain data. */
struct alert_features {
    enum record_event_kind kind;
    size_t n; /* deviations; 0 = nothing is like it */
    struct alert_part {
        uint64_t metric; /* hash of its name */
        int group;
        double weight; /* sign(z) log(1 + |z|) */
        double away;   /* |value - expected|, in the metric's unit */
    } part[RECORD_TOP];
};

/* Of an event's kind and deviations. */
void alert_features_of(struct alert_features *features, const struct record_event *event,
                       alert_group_of *group);

/* The cosine, -1 .. 1; 0 for different kinds. */
double alert_likeness(const struct alert_features *a, const struct alert_features *b);

/* Of two that are alike. */
bool alert_is_clearly_larger(const struct alert_features *now,
                             const struct alert_features *then);

#endif
