/* What is asked of a host. */
#include "host/state.h"

/* Gives the next training on the wall clock; 0 when there is nothing new to learn
 * from. */
static int64_t next_training_ns(const host *h)
{
    int64_t due_ns = detect_set_training_due(h->detect);

    if (h->ticks == 0 || due_ns == INT64_MAX)
        return 0;
    return h->record.time_ns + (due_ns - h->record.mono_ns);
}

void host_status(const host *h, struct host_status *out)
{
    *out = (struct host_status){
        .confidence = detect_set_confidence(h->detect),
        .habit_ns = h->habit_ns,
        .ticks = h->ticks,
        .events = h->anomalies,
        .alerts = h->alerts,
        .quarantined = h->quarantined,
        .budget_per_week = h->events.budget.per_week,
        .used_this_week = alert_week_count(&h->week, &h->feedback, h->believed.time_ns),
        .achieved_per_week = alert_budget_achieved(&h->events.budget),
        .threshold = alert_budget_threshold(&h->events.budget),
        .trained_ns = h->trained_ns,
        .next_training_ns = next_training_ns(h),
        .rows = detect_set_rows(h->detect),
        .supervised = detect_set_supervised(h->detect),
    };
}

const struct record *host_record(const host *h)
{
    return &h->record;
}

const char *host_rule_state(const host *h, size_t rule)
{
    if (h->config.rules->rule[rule].off)
        return "off";
    for (size_t i = 0; i < h->n_limits; i++)
        if (h->limit[i]->course.open && h->limit[i]->metric != SIZE_MAX &&
            h->limit[i]->rule == rule)
            return "exceeded";
    for (size_t k = 0; k < h->schema->n; k++)
        if (detect_rule_speaks_of(&h->config.rules->rule[rule], &h->schema->metric[k]))
            return "kept";
    return "no metric";
}

size_t host_habits(const host *h, struct host_habit *out, size_t most)
{
    size_t n = 0;

    for (size_t i = 0; i < h->habits.n && n < most; i++) {
        const struct alert_past *past = &h->habits.past[i];

        if (alert_habits_has(past, h->believed.time_ns))
            out[n++] = (struct host_habit){past->event_id, past->habit_ns, past->seen_ns};
    }
    return n;
}
