/* The course of each resource's worst deviation. Nothing is learned here: a sigma is what
 * the baselines call one. */
#include "alert/departure.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* So many sigmas away a metric is no longer where it usually is; it deviates; it is far
 * out. */
static const double LEFT = 2, DEVIATES = 5, FAR_OUT = 15;

/* A large program takes less to start, and whoever is back for so long is back. */
static const double STAYS_S = 8, BACK_S = 3;

/* Marks are a second apart, or a sample, with room for one that comes early. */
static const double MARK_S = 0.9;

static double seconds(int64_t from_ns, int64_t to_ns)
{
    return (double)(to_ns - from_ns) * 1e-9;
}

/* Adds a mark in front of the older ones. */
static void mark(struct alert_departure *d, int64_t mono_ns)
{
    if (d->n_marks > 0 && seconds(d->mark_ns[0], mono_ns) < MARK_S)
        return;
    memmove(d->mark + 1, d->mark, (ALERT_MARKS - 1) * sizeof *d->mark);
    memmove(d->mark_ns + 1, d->mark_ns, (ALERT_MARKS - 1) * sizeof *d->mark_ns);
    d->mark[0] = d->sigmas;
    d->mark_ns[0] = mono_ns;
    d->n_marks += d->n_marks < ALERT_MARKS;
    assert(d->n_marks <= ALERT_MARKS);
}

/* Leads a run on: some ticks that miss do not end it. */
static void follow(struct alert_run *run, bool holds, int64_t mono_ns)
{
    if (holds) {
        if (!run->on)
            run->since_ns = mono_ns;
        run->on = true;
        run->seen_ns = mono_ns;
    } else if (run->on && seconds(run->seen_ns, mono_ns) >= BACK_S) {
        run->on = false;
    }
}

/* Gives the seconds that the marks span. */
static double span_of(const struct alert_departure *d)
{
    return seconds(d->mark_ns[ALERT_MARKS - 1], d->mark_ns[0]);
}

/* Gives the growth in sigmas a second: the least of the last steps, each between the
 * means of two marks, and of the newest marks alone. What rose at once and stays, or only
 * wavers, does not grow. */
static double growth_of(const struct alert_departure *d)
{
    const double *m = d->mark;
    double least = m[0] - m[2];

    if (d->n_marks < ALERT_MARKS)
        return 0;
    for (size_t i = 0; i + 3 < ALERT_MARKS; i += 2)
        least = fmin(least, (m[i] + m[i + 1] - m[i + 2] - m[i + 3]) / 2);
    /* Each of them is over two marks. */
    return fmax(least, 0) * (ALERT_MARKS - 1) / 2 / span_of(d);
}

/* Leads the course of one resource on. A missing value is one that is not away. */
static void update(struct alert_departure *d, double sigmas, int64_t mono_ns)
{
    follow(&d->away, sigmas >= LEFT, mono_ns);
    follow(&d->deviates, sigmas >= DEVIATES, mono_ns);
    if (!d->away.on) {
        d->n_marks = 0;
        d->peak = -INFINITY;
    } else if (!isnan(sigmas)) {
        d->sigmas = sigmas;
        if (sigmas >= d->peak + 1) {
            d->peak = sigmas;
            d->peak_ns = mono_ns;
        }
        mark(d, mono_ns);
    }
    d->growth = d->away.on ? growth_of(d) : 0;
    follow(&d->grows, d->growth > 0, mono_ns);
}

void alert_departures_tick(struct alert_departures *d, const double worst[RECORD_GROUPS],
                           int64_t mono_ns)
{
    for (int g = 0; g < RECORD_GROUPS; g++)
        update(&d->of[g], worst[g], mono_ns);
}

/* Tells whether it has been far from what is usual for long, and is far out. */
static bool stays(const struct alert_departure *d, int64_t mono_ns)
{
    return d->deviates.on && seconds(d->deviates.since_ns, mono_ns) >= STAYS_S &&
           d->sigmas >= FAR_OUT;
}

/* Tells whether it has grown for as long, and will be far out when it has done so for as
 * long again, which is twice as far at most. To wait until it is there would cost the
 * very time in which something could be done. What came faster is a program that starts.
 */
static bool goes_on(const struct alert_departure *d, int64_t mono_ns)
{
    double grown_s;

    if (!d->away.on || !(d->growth > 0) || d->sigmas < DEVIATES)
        return false;
    grown_s = fmin(seconds(d->away.since_ns, mono_ns),
                   seconds(d->grows.since_ns, mono_ns) + span_of(d));
    return grown_s >= STAYS_S && d->sigmas >= d->growth * STAYS_S &&
           d->sigmas + fmin(d->growth * grown_s, d->sigmas) >= FAR_OUT;
}

static bool is_clear(const struct alert_departure *d, int64_t mono_ns)
{
    return stays(d, mono_ns) || goes_on(d, mono_ns);
}

unsigned alert_departures_far(const struct alert_departures *d)
{
    unsigned groups = 0;

    for (int g = 0; g < RECORD_GROUPS; g++)
        groups |= (unsigned)d->of[g].deviates.on << g;
    return groups;
}

unsigned alert_departures_clear(const struct alert_departures *d, int64_t mono_ns)
{
    unsigned groups = 0;

    for (int g = 0; g < RECORD_GROUPS; g++)
        groups |= (unsigned)is_clear(&d->of[g], mono_ns) << g;
    assert((groups & ~alert_departures_far(d)) == 0);
    return groups;
}

int64_t alert_departures_rose_ns(const struct alert_departures *d, int64_t mono_ns)
{
    int64_t newest = 0;

    for (int g = 0; g < RECORD_GROUPS; g++)
        if (is_clear(&d->of[g], mono_ns) && d->of[g].peak_ns > newest)
            newest = d->of[g].peak_ns;
    return newest;
}

int64_t alert_departures_left_ns(const struct alert_departures *d, unsigned groups)
{
    int64_t oldest = 0;

    for (int g = 0; g < RECORD_GROUPS; g++)
        if ((groups >> g & 1) != 0 && d->of[g].away.on &&
            (oldest == 0 || d->of[g].away.since_ns < oldest))
            oldest = d->of[g].away.since_ns;
    return oldest;
}
