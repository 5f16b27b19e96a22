/* Names of metrics are compared by hash: features are plain data that can be kept and
 * copied. */
#include "alert/likeness.h"

#include <math.h>
#include <string.h>

/* Deviations of different metrics that are about the same thing count so much. */
static const double SAME_GROUP = 0.5;

/* Sets how much farther a deviation must be to be clearly larger. */
static const double CLEARLY_LARGER = 1.5;

/* Computes FNV-1a in 64 bits, where two names of a machine do not meet. */
static uint64_t hash(const char *text)
{
    uint64_t h = 14695981039346656037U;

    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211U;
    return h;
}

/* Makes the features of an event of a limit, which has one part: the limit and its
 * metric. How far the value is beyond the limit tells a larger one. */
static void limit_features(struct alert_features *features,
                           const struct record_event *event)
{
    struct alert_part *part = &features->part[0];

    part->metric = hash(event->limit.rule) ^ hash(event->top[0].name);
    part->group = -1; /* a limit is like no other */
    part->weight = 1;
    part->away = fabs(event->top[0].value - event->limit.value);
    features->n = 1;
}

/* Reduces an event to its deviations. The weight is the logarithm of z with its sign, so
 * that one huge deviation does not hide the others. */
void alert_features_of(struct alert_features *features, const struct record_event *event,
                       alert_group_of *group)
{
    *features = (struct alert_features){0};
    features->kind = event->kind;
    if (event->limit.rule[0] != '\0') {
        limit_features(features, event);
        return;
    }
    for (size_t i = 0; i < event->n_top; i++) {
        const struct record_deviation *top = &event->top[i];
        struct alert_part *part = &features->part[features->n];

        if (isnan(top->z) || isnan(top->value - top->expected))
            continue;
        part->metric = hash(top->name);
        part->group = group(top->name);
        part->weight = copysign(log1p(fabs(top->z)), top->z);
        part->away = fabs(top->value - top->expected);
        features->n++;
    }
}

/* Multiplies two events as vectors. Metrics of one group have a part in common. */
static double product(const struct alert_features *a, const struct alert_features *b)
{
    double sum = 0;

    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < b->n; k++) {
            double common =
                a->part[i].metric == b->part[k].metric ? 1
                : a->part[i].group == b->part[k].group && a->part[i].group >= 0
                    ? SAME_GROUP
                    : 0;

            sum += common * a->part[i].weight * b->part[k].weight;
        }
    return sum;
}

/* Gives the cosine between two events, 1 for the same direction; 0 for events of
 * different kinds. */
double alert_likeness(const struct alert_features *a, const struct alert_features *b)
{
    double norm = sqrt(product(a, a) * product(b, b));

    return norm > 0 && a->kind == b->kind ? product(a, b) / norm : 0;
}

/* Gives the largest z, back from its logarithm. */
static double largest_z(const struct alert_features *a)
{
    double largest = 0;

    for (size_t i = 0; i < a->n; i++)
        largest = fmax(largest, expm1(fabs(a->part[i].weight)));
    return largest;
}

/* Compares by the first deviation: those that come after it are small and vary. Both have
 * deviations, or they would not be alike. */
bool alert_is_clearly_larger(const struct alert_features *now,
                             const struct alert_features *then)
{
    const struct alert_part *first = &now->part[0];

    for (size_t k = 0; k < then->n; k++)
        if (first->metric == then->part[k].metric)
            return first->away > CLEARLY_LARGER * then->part[k].away;
    return largest_z(now) > CLEARLY_LARGER * largest_z(then);
}
