/* What a host takes over from before: the past in a store, the events that were open, and
 * what an earlier run saved. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/state.h"
#include "os/log.h"

/* ---- the past in a store ---- */

/* Tells whether the moment lies within one of the `n` events and that event is an
 * anomaly. */
static bool was_flagged(const struct record_event *event, size_t n, int64_t at_ns)
{
    for (size_t i = 0; i < n; i++)
        if (event[i].start_ns <= at_ns &&
            (event[i].end_ns == 0 || at_ns <= event[i].end_ns) &&
            event[i].kind == RECORD_ANOMALY)
            return true;
    return false;
}

/* Fills in one step of the series as a row; false when nothing was seen then. */
static bool fill_value(const struct history_series *series, size_t k, double *value)
{
    bool seen = false;

    for (size_t m = 0; m < series->n_metrics; m++) {
        value[m] = series->mean[m * series->n + k];
        seen = seen || !isnan(value[m]);
    }
    return seen;
}

/* Learns through the same detectors as a live tick does, except for what was flagged
 * then. */
void host_learn_past(host *h, const struct history_series *series,
                     const struct record_event *event, size_t n)
{
    double *value = malloc((h->schema->n + 1) * sizeof *value);

    for (size_t k = 0; value != NULL && k < series->n; k++)
        if (fill_value(series, k, value) && !was_flagged(event, n, series->time_ns[k]))
            detect_set_learn_past(h->detect, h->schema, value, series->time_ns[k]);
    free(value);
}

/* ---- events that were open ---- */

/* Gives how bad the event was at its peak, in the measure of its course: how far beyond
 * the limit, or the score. */
static double height_of(const struct record_event *event)
{
    if (event->kind == RECORD_RULE)
        return record_beyond_limit(event->limit.above, event->limit.value,
                                   event->top[0].value);
    return -event->score;
}

/* Finds the course that goes on with this event when its condition holds again. NULL when
 * there is none, or a newer event has it. */
static struct alert_course *course_for(host *h, const struct record_event *event)
{
    struct host_limit *limit;

    switch (event->kind) {
    case RECORD_ANOMALY:
        return h->events.anomaly.open ? NULL : &h->events.anomaly;
    case RECORD_SILENCE:
        return h->silence_course.open ? NULL : &h->silence_course;
    case RECORD_DRIFT:
        return h->drift_course.open ? NULL : &h->drift_course;
    default:
        break;
    }
    if (event->limit.rule[0] == '\0' || event->n_top == 0)
        return NULL; /* an older vedette made it, of all limits at once */
    for (size_t i = 0; i < h->n_limits; i++)
        if (strcmp(h->limit[i]->course.event.limit.rule, event->limit.rule) == 0 &&
            strcmp(h->limit[i]->course.event.top[0].name, event->top[0].name) == 0)
            return NULL;
    limit = host_limit_add(h);
    return limit == NULL ? NULL : &limit->course;
}

bool host_resume(host *h, const struct record_event *event, int64_t last_ns)
{
    struct alert_course *course = course_for(h, event);

    if (course != NULL)
        alert_course_resume(course, event, height_of(event), last_ns);
    return course != NULL;
}

void host_remember(host *h, const struct record_event *event)
{
    if (event->end_ns != 0)
        alert_habits_add(&h->habits, event);
    if (event->alerted)
        alert_week_add(&h->week, event->id, event->start_ns);
}

/* ---- what is saved ---- */

/* Writes in the order in which host_load() reads. */
void host_save(const host *h, struct vd_writer *w)
{
    alert_budget_save(&h->events.budget, w);
    detect_set_save(h->detect, h->schema, w);
    alert_feedback_save(&h->feedback, w);
    detect_set_save_labels(h->detect, w);
}

/* Restores budget, models and feedback. What was said is kept also when the models are of
 * another version. An older vedette did not write it. */
void host_load(host *h, struct vd_reader *r)
{
    struct vd_error err = {0};

    if (alert_budget_load(&h->events.budget, r, &err) == VD_OK &&
        detect_set_load(h->detect, h->schema, r, &err) == VD_OK)
        os_log_info("models of the last run restored (%zu samples)",
                    detect_set_rows(h->detect));
    else
        os_log_warning("models of the last run not used: %s", err.text);
    vd_error_clear(&err);
    if (!r->failed && r->left > 0 &&
        (alert_feedback_load(&h->feedback, r, &err) != VD_OK ||
         detect_set_load_labels(h->detect, r, &err) != VD_OK))
        os_log_warning("%s", err.text);
}
