/* The sustained surprise, where it began, and the adoption of a level that lasts. */
#include "alert/events.h"

#include <assert.h>
#include <math.h>

/* However little has been seen, a level that holds for less is an event. */
static const double ADOPT_MIN_S = 30;

/* A training on so many samples of a new level knows it. */
enum { ADOPT_SAMPLES = 120 };

/* Sets the defaults: one false alarm a week, ten seconds between alerts and until an
 * event is over, a quarter of an hour until a level is adopted. */
struct alert_config alert_config_default(void)
{
    return (struct alert_config){
        .interval_s = 1,
        .budget_per_week = 1,
        .cooldown_s = 10,
        .close_s = 10,
        .adopt_s = 900,
    };
}

/* Gives the samples of so many seconds, one at least. A sample that stands for five
 * seconds or more is long enough by itself. */
static size_t samples_in(double seconds, double interval_s)
{
    double n = ceil(seconds / interval_s);

    assert(interval_s > 0);
    return n < 1 ? 1 : n > ALERT_RECENT_MAX ? ALERT_RECENT_MAX : (size_t)n;
}

/* Starts with three seconds of the last five: so long must something be odd to be an
 * event. */
void alert_events_init(struct alert_events *events, const struct alert_config *config)
{
    *events = (struct alert_events){.config = *config, .sustained = NAN};
    alert_budget_init(&events->budget, config->budget_per_week, config->interval_s);
    events->width = samples_in(5, config->interval_s);
    events->need = samples_in(3, config->interval_s);
    for (size_t i = 0; i < events->width; i++)
        events->recent[i] = NAN;
}

/* Gives the `need`-th largest of the recent surprises; NaN counts as nothing. One high
 * sample alone does not move it. */
static double kth_largest(const struct alert_events *events)
{
    double sorted[ALERT_RECENT_MAX];
    size_t n = 0;

    assert(events->need >= 1 && events->need <= events->width);
    assert(events->width <= ALERT_RECENT_MAX);
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

/* Makes the adoption last while the level is odd, up to ADOPT_SAMPLES. A level is learned
 * by samples: where they are rare it is still odd when two minutes are over, and would be
 * the same event a second time. What is odd after that begins then. */
static void stretch_adoption(struct alert_events *events, bool odd)
{
    double step = 2 * fmax(events->config.interval_s, events->passed_s);
    int64_t until_ns = events->last_ns + (int64_t)(step * 1e9);

    if (until_ns > events->adopting_max_ns)
        until_ns = events->adopting_max_ns;
    if (odd && until_ns > events->adopting_until_ns)
        events->adopting_until_ns = until_ns;
}

/* Adds the surprise of one tick and notes where what is odd began. During an adoption
 * nothing begins. */
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

/* Adds the tick to the budget. What is a habit is no quiet: it only lets the time
 * pass. */
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
    return events->onset_ns != 0 || events->anomaly.open ||
           (events->anomaly.ended_ns != 0 && events->anomaly.ended_ns == events->last_ns);
}

/* Adopts the level of the open anomaly when it has held for long enough; true when it
 * did. What still becomes worse is no level. What was learned so far bounds how long that
 * must be, so that a young monitor adopts sooner. */
bool alert_events_adopt(struct alert_events *events, double learned_s, int64_t rose_ns,
                        int64_t mono_ns)
{
    struct alert_course *anomaly = &events->anomaly;
    int64_t since_ns = rose_ns > anomaly->opened_ns ? rose_ns : anomaly->opened_ns;
    double held = (double)(mono_ns - since_ns) * 1e-9;
    double least = fmax(fmin(events->config.adopt_s, learned_s / 2), ADOPT_MIN_S);
    double first = fmax(ALERT_ADOPT_S, 2 * events->config.interval_s);
    double most = fmax(first, ADOPT_SAMPLES * events->config.interval_s);

    if (!anomaly->open || anomaly->held_ns != 0 || held < least)
        return false;
    events->onset_ns = 0;
    events->adopting_until_ns = mono_ns + (int64_t)(first * 1e9);
    events->adopting_max_ns = mono_ns + (int64_t)(most * 1e9);
    anomaly->above_ns = 0;
    return true;
}

void alert_events_begin(struct alert_events *events, int64_t onset_ns,
                        int64_t onset_mono_ns)
{
    assert(onset_mono_ns > 0 && onset_mono_ns <= events->last_ns);
    events->adopting_until_ns = 0;
    events->onset_ns = onset_ns;
    events->onset_mono_ns = onset_mono_ns;
}
