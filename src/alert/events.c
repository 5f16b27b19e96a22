#include "alert/events.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* However little has been seen, a level that holds for less is an event. */
static const double ADOPT_MIN_S = 30;

/* A training on so many samples of a new level knows it. */
enum { ADOPT_SAMPLES = 120 };

struct alert_config alert_config_default(void)
{
    return (struct alert_config){
        .interval_s = 1,
        .budget_per_week = 1,
        .cooldown_s = 10,
        .close_s = 10,
        .adopt_s = 900,
        .next_id = 1,
    };
}

/* Three seconds of the last five. A sample that stands for five seconds or more is long
 * enough by itself. */
static size_t samples_in(double seconds, double interval_s)
{
    double n = ceil(seconds / interval_s);

    return n < 1 ? 1 : n > ALERT_RECENT_MAX ? ALERT_RECENT_MAX : (size_t)n;
}

void alert_events_init(struct alert_events *events, const struct alert_config *config)
{
    *events = (struct alert_events){.config = *config, .sustained = NAN};
    alert_budget_init(&events->budget, config->budget_per_week, config->interval_s);
    events->width = samples_in(5, config->interval_s);
    events->need = samples_in(3, config->interval_s);
    for (size_t i = 0; i < events->width; i++)
        events->recent[i] = NAN;
}

void alert_events_resume(struct alert_events *events, enum record_event_kind kind,
                         const struct record_event *event, int64_t held_ns)
{
    assert(kind < RECORD_EVENT_KINDS && event->id != 0 &&
           event->state == RECORD_EVENT_OPEN);
    events->event[kind] = *event;
    events->held_ns[kind] = held_ns > event->start_ns ? held_ns : event->start_ns;
}

/* The `need`-th largest of the recent surprises; NaN counts as nothing. */
static double kth_largest(const struct alert_events *events)
{
    double sorted[ALERT_RECENT_MAX];
    size_t n = 0;

    for (size_t i = 0; i < events->width; i++) {
        double x = events->recent[i];
        size_t k;

        if (isnan(x))
            continue;
        for (k = n++; k > 0 && sorted[k - 1] < x; k--)
            sorted[k] = sorted[k - 1];
        sorted[k] = x;
    }
    return n < events->need ? NAN : sorted[events->need - 1];
}

bool alert_events_adopting(const struct alert_events *events)
{
    return events->last_ns < events->adopting_until_ns;
}

/* A level that is adopted is learned by samples: where they are rare it is still odd when
 * two minutes are over, and would be the same event a second time. So the adoption lasts
 * while the level is odd, up to ADOPT_SAMPLES. What is odd after that begins then. */
static void stretch_adoption(struct alert_events *events, bool odd)
{
    double step = 2 * fmax(events->config.interval_s, events->passed_s);
    int64_t until_ns = events->last_ns + (int64_t)(step * 1e9);

    if (until_ns > events->adopting_max_ns)
        until_ns = events->adopting_max_ns;
    if (odd && until_ns > events->adopting_until_ns)
        events->adopting_until_ns = until_ns;
}

void alert_events_tick(struct alert_events *events, double surprise, int64_t time_ns,
                       int64_t mono_ns)
{
    double threshold = alert_budget_threshold(&events->budget);
    bool odd;

    events->passed_s =
        events->last_ns == 0 ? 0 : (double)(mono_ns - events->last_ns) * 1e-9;
    events->last_ns = mono_ns;
    events->recent[events->next] = surprise;
    events->next = (events->next + 1) % events->width;
    events->sustained = kth_largest(events);
    odd = surprise >= threshold || events->sustained >= threshold;
    if (alert_events_adopting(events))
        stretch_adoption(events, odd);
    if (!odd || alert_events_adopting(events)) {
        events->onset_ns = 0;
    } else if (events->onset_ns == 0) {
        events->onset_ns = time_ns;
        events->onset_mono_ns = mono_ns;
    }
}

void alert_events_learn(struct alert_events *events, bool habitual)
{
    alert_budget_add(&events->budget, habitual ? NAN : events->sustained,
                     events->passed_s);
}

bool alert_events_anomalous(const struct alert_events *events)
{
    if (alert_events_adopting(events))
        return false;
    /* An onset is a sample over the threshold: the first of an event come before it is
     * one, and a young model that learns them does not know the next one. */
    return events->onset_ns != 0 || events->event[RECORD_ANOMALY].id != 0;
}

static void open_event(struct alert_events *events, const struct alert_input *in)
{
    struct record_event *event = &events->event[in->kind];
    bool has_onset = in->kind == RECORD_ANOMALY && events->onset_ns != 0;

    events->began_ns[in->kind] = has_onset ? events->onset_mono_ns : in->mono_ns;
    *event = (struct record_event){
        .id = events->config.next_id++,
        .kind = in->kind,
        .start_ns = has_onset ? events->onset_ns : in->time_ns,
        .state = RECORD_EVENT_OPEN,
        .score = INFINITY, /* so that the first sample is a peak */
    };
    events->opened_ns[in->kind] = in->mono_ns;
    events->opened++;
}

/* Now, by the clock that the event began with: the operator may set the wall clock in the
 * meantime, and an event that ends before it began, or lasts for years, is no event. */
static int64_t time_in(const struct alert_events *events, const struct alert_input *in)
{
    assert(in->mono_ns >= events->began_ns[in->kind]);
    return events->event[in->kind].start_ns + in->mono_ns - events->began_ns[in->kind];
}

/* An alert is due once per event, not sooner than the cool-down allows, but for limits:
 * they are one event while any is broken, and another one is news. A rule that fires in
 * the course of an anomaly that was alerted tells nothing new. */
static bool alert_due(const struct alert_events *events, const struct alert_input *in)
{
    double cooldown = events->config.cooldown_s * (in->kind == RECORD_DRIFT ? 6 : 1);
    int64_t last_ns = events->alerted_ns[in->kind];

    if (!in->worth_alert || (events->event[in->kind].alerted && in->kind != RECORD_RULE))
        return false;
    if (in->kind == RECORD_RULE && events->event[RECORD_ANOMALY].alerted)
        return false;
    return last_ns == 0 || (double)(in->mono_ns - last_ns) * 1e-9 >= cooldown;
}

static void alert(struct alert_events *events, const struct alert_input *in)
{
    events->event[in->kind].alerted = true;
    events->alerted_ns[in->kind] = in->mono_ns;
    events->alerts++;
    if (in->kind == RECORD_ANOMALY)
        alert_budget_alerted(&events->budget);
}

/* Whether the open event goes on although nothing is to be seen of it on this tick. */
static bool lingers(struct alert_events *events, const struct alert_input *in)
{
    bool resumed = events->held_ns[in->kind] != 0;

    if (resumed && (in->unknown || events->above_ns[in->kind] == 0))
        events->above_ns[in->kind] = in->mono_ns;
    return (double)(in->mono_ns - events->above_ns[in->kind]) * 1e-9 <
           events->config.close_s;
}

/* An event of an earlier run is seen again: what it held before counts. */
static void go_on(struct alert_events *events, const struct alert_input *in)
{
    int64_t start_ns = events->event[in->kind].start_ns;
    int64_t seen_ns = events->held_ns[in->kind] - start_ns;
    int64_t since_ns = in->time_ns - start_ns;

    events->opened_ns[in->kind] = in->mono_ns - seen_ns;
    events->began_ns[in->kind] = in->mono_ns - (since_ns > seen_ns ? since_ns : seen_ns);
    events->held_ns[in->kind] = 0;
}

enum record_event_change alert_events_update(struct alert_events *events,
                                             const struct alert_input *in,
                                             struct record_event **event, bool *alert_now,
                                             bool *new_peak)
{
    struct record_event *e = &events->event[in->kind];
    enum record_event_change change = RECORD_EVENT_UPDATED;

    *event = e;
    *alert_now = *new_peak = false;
    if (!in->active) {
        if (e->id == 0 || (e->state == RECORD_EVENT_OPEN && lingers(events, in)))
            return RECORD_EVENT_NONE;
        if (e->state == RECORD_EVENT_CLOSED) {
            e->id = 0;
            return RECORD_EVENT_NONE;
        }
        e->state = RECORD_EVENT_CLOSED;
        e->end_ns = events->held_ns[in->kind] != 0 ? events->held_ns[in->kind]
                                                   : time_in(events, in);
        events->held_ns[in->kind] = 0;
        return RECORD_EVENT_ENDED;
    }
    if (e->id == 0 || e->state == RECORD_EVENT_CLOSED) {
        open_event(events, in);
        change = RECORD_EVENT_OPENED;
    } else if (events->held_ns[in->kind] != 0) {
        go_on(events, in);
    }
    events->above_ns[in->kind] = in->mono_ns;
    if (in->score < e->score) {
        e->score = in->score;
        e->peak_ns = time_in(events, in);
        e->severity = in->severity;
        e->confidence = in->confidence;
        *new_peak = true;
    }
    if (alert_due(events, in)) {
        alert(events, in);
        *alert_now = true;
    }
    return change;
}

bool alert_events_adopt(struct alert_events *events, double learned_s, int64_t mono_ns)
{
    double held = (double)(mono_ns - events->opened_ns[RECORD_ANOMALY]) * 1e-9;
    double least = fmax(fmin(events->config.adopt_s, learned_s / 2), ADOPT_MIN_S);
    double first = fmax(ALERT_ADOPT_S, 2 * events->config.interval_s);
    double most = fmax(first, ADOPT_SAMPLES * events->config.interval_s);

    if (events->event[RECORD_ANOMALY].id == 0 || held < least ||
        events->held_ns[RECORD_ANOMALY] != 0 ||
        events->event[RECORD_ANOMALY].state == RECORD_EVENT_CLOSED)
        return false;
    events->onset_ns = 0;
    events->adopting_until_ns = mono_ns + (int64_t)(first * 1e9);
    events->adopting_max_ns = mono_ns + (int64_t)(most * 1e9);
    events->above_ns[RECORD_ANOMALY] = 0;
    return true;
}
