/* The parts of the metric layer, each a plain struct whose all-zero state means "no
 * history yet". One thread at a time; nothing is allocated. Distances are >= 0 in the
 * unit of the held samples (struct vd_stream says which); -1 = not known yet. */
#ifndef VD_STREAM_STATE_H
#define VD_STREAM_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/stream.h"

/* ---- tail.c: distance -> surprise ---- */

enum { TAIL_BINS = 320, TAIL_GROUP = 16, TAIL_GROUPS = TAIL_BINS / TAIL_GROUP };

/* The largest base: the bin after the last one must still be a float. */
enum { TAIL_BASE_MAX = 2039 - TAIL_BINS };

/* Counts of past distances in bins of an eighth of an octave, and the number and sum of
 * those above the 95 % quantile. */
struct vd__tail {
    float count[TAIL_BINS];
    float group[TAIL_GROUPS]; /* sums of 16 counts */
    float zeros;              /* distances of exactly 0 */
    double n;                 /* zeros and all counts */
    double above, sum_above;  /* what lies in bins >= start: number, sum of distances */
    int32_t start;            /* first bin of the tail */
    int32_t base;             /* what bin 0 stands for; 0 = not known yet */
};

/* Computes the surprise of d (>= 0, finite) under what was added so far, 0 .. cap. */
double vd__tail_surprise(const struct vd__tail *tail, float d, double cap);

/* Adds a distance. After `memory` samples the past is halved. */
void vd__tail_add(struct vd__tail *tail, float d, double memory);

/* ---- odds.c: z -> surprise ---- */

enum { ODDS_BINS = 200, ODDS_PER_ONE = 25, ODDS_BLOCK = 60 };

/* Counts of past z, and the law of its largest values. */
struct vd__odds {
    float rows[ODDS_BINS];  /* samples by z, in steps of 1 / ODDS_PER_ONE */
    float peaks[ODDS_BINS]; /* blocks by their largest z */
    double n, n_peaks;
    double peak; /* of the block that is not full yet */
    uint32_t in_block;
    /* Computed from the above at the end of each block. */
    float body[ODDS_BINS]; /* -log10 of the share of samples in this bin or above */
    double start, rate;    /* of the tail; peaks in it for each sample */
    double scale, shape;   /* of the generalised Pareto law */
};

/* Computes -log10 of how many events as large as z are expected in one sample; 0 until
 * the first block is full. */
double vd__odds_surprise(const struct vd__odds *odds, double z);

/* Adds the z of one sample. */
void vd__odds_add(struct vd__odds *odds, double z);

/* Lets the past count little, because from now on z is made of one part more. */
void vd__odds_fade(struct vd__odds *odds);

/* ---- nearest.c: the set of values seen ---- */

enum { NEAREST_MAX = 1024, NEAREST_DELAY = 10 };

struct vd__nearest {
    float at[NEAREST_MAX];     /* ascending */
    float late[NEAREST_DELAY]; /* ring of the newest samples, not in `at` yet */
    float gap; /* values nearer than this to one another are kept as one */
    uint32_t n, n_late, next_late;
};

/* Computes the distance of x to the nearest value that is at least NEAREST_DELAY samples
 * old; -1 = there is none. */
float vd__nearest_distance(const struct vd__nearest *set, float x);

/* Learns a sample, which enters the set NEAREST_DELAY samples later. */
void vd__nearest_add(struct vd__nearest *set, float x);

/* ---- daily.c: the range at this time of day ---- */

enum { DAILY_DAYS = 28, DAILY_SLOTS = 24, DAILY_REACH = 2 };

/* The last day (in the year 36,812); later times, and those before 1970, are taken as 0.
 */
enum { DAILY_DAY_MAX = 12725829 };

struct vd__daily {
    float low[DAILY_DAYS][DAILY_SLOTS], high[DAILY_DAYS][DAILY_SLOTS];
    uint8_t seen[DAILY_DAYS][DAILY_SLOTS / 8]; /* bit set: the slot has a range */
    int32_t day, slot;                         /* the newest; days since 1970 */
    bool started;
    /* Ranges of the past days around `slot`, renewed when the slot changes. */
    float near_low[DAILY_DAYS], near_high[DAILY_DAYS];
    uint32_t n_near;
};

/* Computes the distance of x to the past day whose range around this time of day is the
 * nearest, -1 = no past day, and learns x. `time_s`: seconds since 1970. */
float vd__daily_push(struct vd__daily *daily, int64_t time_s, float x);

/* Computes near_low .. n_near from the rest, after loading. */
void vd__daily_gather(struct vd__daily *daily);

/* ---- recent.c: the last samples ---- */

enum { RECENT = 48 };

struct vd__recent {
    float at[RECENT]; /* ring; sample i is at i % RECENT */
    uint64_t n;       /* samples seen */
};

/* Adds a sample; the oldest leaves. */
void vd__recent_add(struct vd__recent *recent, float x);

/* Computes the mean of the last `count` samples, 1 .. RECENT; so many must have come. */
float vd__recent_mean(const struct vd__recent *recent, uint32_t count);

/* Computes the standard deviation of the last RECENT samples (divisor RECENT); so many
 * must have come. */
float vd__recent_spread(const struct vd__recent *recent);

/* ---- course.c: the course of the last samples ---- */

enum { COURSE_MEANS = 4, COURSE_MAX = 512, COURSE_RING = 96 };

/* A kind of course: four means of `step` samples each. Every `every`-th course is kept
 * when it is `age` samples old. age + 3 * step < COURSE_RING. */
struct vd__course_kind {
    uint32_t step, age, every;
};

struct vd__course {
    float at[COURSE_MEANS][COURSE_MAX];
    float mean[COURSE_RING]; /* ring of means of `step` samples, one for each sample */
    uint32_t n, next;        /* courses kept; place of the next one */
};

/* Computes the distance of the course that ends with the newest of the `recent` samples
 * to the nearest earlier course, -1 = not known yet, and learns it. Call it on every
 * sample. */
float vd__course_push(struct vd__course *course, const struct vd__course_kind *kind,
                      const struct vd__recent *recent);

/* ---- stream.c: the parts together ---- */

struct vd_stream {
    struct vd_stream_params params;
    uint64_t rows;
    /* The parts hold (x - origin) / 4 * scale as floats. origin is the first sample;
     * scale is a power of two that makes the first difference about 1, 0 = no difference
     * yet. */
    double origin, scale;
    double habit_fast, habit_slow; /* h1, h2 */
    uint64_t last_alarm;           /* row of it; 0 = none */
    struct vd__recent recent;
    struct vd__tail tail[VD_STREAM_PARTS];
    struct vd__odds z;
    uint32_t known; /* parts that z was made of */
    struct vd__nearest value;
    struct vd__daily daily, spread;
    struct vd__course brief, slow;
};

#endif
