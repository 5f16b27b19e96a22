/* What has departed from its baseline: since when, how far, and where it is going.
 *
 * The surprise of the detectors says that a sample is odd; this looks at the course of
 * the deviation by itself, resource by resource. It tells a large program that starts
 * from one that runs away while little has been seen yet, a second trouble from the first
 * one that goes on, and a level from something that still grows.
 */
#ifndef VD_ALERT_DEPARTURE_H
#define VD_ALERT_DEPARTURE_H

#include "record.h"

/* Marks of the deviation, a second apart, from which its growth is read. */
enum { ALERT_MARKS = 6 };

/* A run of ticks on which something held; a few between them may miss. Monotonic. */
struct alert_run {
    bool on;
    int64_t since_ns, seen_ns;
};

/* The course of one resource. Zero-initialise. */
struct alert_departure {
    double sigmas;             /* how far it is away now */
    struct alert_run away;     /* it is not where it usually is */
    struct alert_run deviates; /* it is far from there */
    struct alert_run grows;    /* it goes further */
    double growth;             /* in sigmas a second; 0 = it does not grow */
    double peak;               /* in sigmas, while away */
    int64_t peak_ns;           /* when it last rose by a sigma above the one before */
    double mark[ALERT_MARKS];  /* while away; the newest first */
    int64_t mark_ns[ALERT_MARKS];
    size_t n_marks;
};

struct alert_departures {
    struct alert_departure of[RECORD_GROUPS];
};

/* Takes one tick: of each group how many sigmas its worst metric is away towards what is
 * worse, NaN where nothing is known. */
void alert_departures_tick(struct alert_departures *d, const double worst[RECORD_GROUPS],
                           int64_t mono_ns);

/* Returns the groups, as bits, that are far from what is normal. */
unsigned alert_departures_far(const struct alert_departures *d);

/* Returns those of which it is clear by their course alone: they are far out for longer
 * than a large program takes to start, or have grown for so long and will be far out when
 * they have grown for as long again. */
unsigned alert_departures_clear(const struct alert_departures *d, int64_t mono_ns);

/* Returns when one of those that are clear last became worse; 0 = none is. */
int64_t alert_departures_rose_ns(const struct alert_departures *d, int64_t mono_ns);

/* Returns since when the first of these groups is away; 0 = none is. */
int64_t alert_departures_left_ns(const struct alert_departures *d, unsigned groups);

#endif
