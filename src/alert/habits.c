/* A ring of the anomalies that ended last, each reduced to its features, how long it
 * lasted and its first suspect. It is looked through from end to end; nothing is
 * allocated. */
#include "alert/habits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sets how many times the same must have happened to be a habit. */
enum { HABIT_EVENTS = 3 };

/* Sets how long ago the first of them must be: three times within minutes is one trouble.
 * After MOST_NS without being seen, a habit is forgotten. */
static const int64_t LEAST_NS = INT64_C(3600) * 1000000000;
static const int64_t MOST_NS = INT64_C(7) * 86400 * 1000000000;

/* Gives the name of the process that did it, "" when none is known. */
static const char *first_suspect(const struct record_event *event)
{
    return event->n_suspects > 0 ? event->suspect[0].process.comm : "";
}

void alert_habits_init(struct alert_habits *habits, alert_group_of *group)
{
    *habits = (struct alert_habits){.group = group};
}

void alert_habits_release(struct alert_habits *habits)
{
    free(habits->past);
    *habits = (struct alert_habits){.group = habits->group};
}

/* Gives the place of one more: behind the others while there is room or memory for it,
 * then that of the oldest. NULL when there is not even one. */
static struct alert_past *place_for_one(struct alert_habits *habits)
{
    size_t capacity = habits->capacity == 0 ? 8 : 2 * habits->capacity;
    struct alert_past *past;

    if (habits->n == habits->capacity && capacity <= ALERT_HABITS_MAX) {
        past = realloc(habits->past, capacity * sizeof *past);
        if (past != NULL) {
            habits->past = past;
            habits->capacity = capacity;
        }
    }
    if (habits->n < habits->capacity)
        return &habits->past[habits->n++];
    if (habits->n == 0)
        return NULL;
    past = &habits->past[habits->oldest];
    habits->oldest = (habits->oldest + 1) % habits->n;
    return past;
}

void alert_habits_add(struct alert_habits *habits, const struct record_event *event)
{
    struct alert_past *past = place_for_one(habits);

    if (past == NULL)
        return;
    past->event_id = event->id;
    past->start_ns = past->seen_ns = event->start_ns;
    past->habit_ns = 0;
    past->lasted_ns = event->end_ns - event->start_ns;
    past->alerted = event->alerted;
    snprintf(past->name, sizeof past->name, "%s", first_suspect(event));
    alert_features_of(&past->features, event, habits->group);
}

/* Tells whether the event is one more of these: the same process, alike in its
 * deviations, no larger, and not much longer. */
static bool is_like(const struct alert_past *past, const struct alert_features *now,
                    const struct record_event *event, int64_t time_ns)
{
    return time_ns - past->seen_ns <= MOST_NS &&
           time_ns - event->start_ns <= 2 * past->lasted_ns &&
           strcmp(past->name, first_suspect(event)) == 0 &&
           alert_likeness(&past->features, now) >= ALERT_ALIKE &&
           !alert_is_clearly_larger(now, &past->features);
}

/* Tells since when the event is a habit. Those it is like are marked as seen, so that a
 * habit that goes on is not forgotten. */
int64_t alert_habits_know(struct alert_habits *habits, const struct record_event *event,
                          int64_t time_ns)
{
    struct alert_past *like[ALERT_HABITS_MAX];
    struct alert_features now;
    int64_t first_ns = INT64_MAX;
    size_t n = 0;

    alert_features_of(&now, event, habits->group);
    for (size_t i = 0; i < habits->n; i++) {
        struct alert_past *past = &habits->past[i];

        if (!is_like(past, &now, event, time_ns))
            continue;
        like[n++] = past;
        if (past->start_ns < first_ns)
            first_ns = past->start_ns;
    }
    if (n < HABIT_EVENTS || time_ns - first_ns < LEAST_NS)
        return 0;
    for (size_t i = 0; i < n; i++) {
        like[i]->seen_ns = time_ns;
        like[i]->habit_ns = first_ns;
    }
    return first_ns;
}

bool alert_habits_has(const struct alert_past *past, int64_t time_ns)
{
    return past->habit_ns != 0 && time_ns - past->seen_ns <= MOST_NS;
}

int64_t alert_habits_repeats(const struct alert_habits *habits,
                             const struct record_event *event, int64_t time_ns)
{
    const struct alert_past *newest = NULL;
    struct alert_features now;

    alert_features_of(&now, event, habits->group);
    for (size_t i = 0; i < habits->n; i++) {
        const struct alert_past *past = &habits->past[i];

        if (past->alerted && is_like(past, &now, event, time_ns) &&
            (newest == NULL || past->start_ns > newest->start_ns))
            newest = past;
    }
    return newest == NULL ? 0 : newest->event_id;
}
