#include "alert/habits.h"

enum { HABIT_EVENTS = 3 };

static const int64_t HABIT_NS = INT64_C(7) * 86400 * 1000000000;

void alert_habits_init(struct alert_habits *habits, alert_group_of *group)
{
    *habits = (struct alert_habits){.group = group};
}

void alert_habits_add(struct alert_habits *habits, const struct record_event *event)
{
    struct alert_past *past = &habits->past[habits->next];

    past->seen_ns = event->start_ns;
    past->lasted_ns = event->end_ns - event->start_ns;
    alert_features_of(&past->features, event, habits->group);
    habits->next = (habits->next + 1) % ALERT_HABITS_MAX;
    habits->n += habits->n < ALERT_HABITS_MAX;
}

static bool is_like(const struct alert_past *past, const struct alert_features *now,
                    int64_t lasted_ns, int64_t time_ns)
{
    return time_ns - past->seen_ns <= HABIT_NS && lasted_ns <= 2 * past->lasted_ns &&
           alert_likeness(&past->features, now) >= ALERT_ALIKE &&
           !alert_is_clearly_larger(now, &past->features);
}

bool alert_habits_know(struct alert_habits *habits, const struct record_event *event,
                       int64_t time_ns)
{
    struct alert_past *like[ALERT_HABITS_MAX];
    struct alert_features now;
    size_t n = 0;

    alert_features_of(&now, event, habits->group);
    for (size_t i = 0; i < habits->n; i++)
        if (is_like(&habits->past[i], &now, time_ns - event->start_ns, time_ns))
            like[n++] = &habits->past[i];
    for (size_t i = 0; i < n && n >= HABIT_EVENTS; i++)
        like[i]->seen_ns = time_ns;
    return n >= HABIT_EVENTS;
}
