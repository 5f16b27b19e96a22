/* The parts of the metric layer, each a plain struct whose all-zero state is "no history
 * yet". Internal to the library. */
#ifndef VD_DETECT_STREAM_STATE_H
#define VD_DETECT_STREAM_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/stream.h"

/* ---- stream_tail.c: distance -> surprise ---- */

enum { TAIL_BINS = 512, TAIL_GROUP = 16, TAIL_GROUPS = TAIL_BINS / TAIL_GROUP };

/* Counts of past distances in bins of an eighth of an octave, and of the distances above
 * the 95 % quantile their number and sum. */
struct vd__tail {
    float count[TAIL_BINS];
    float group[TAIL_GROUPS]; /* sums of 16 counts */
    float zeros;              /* distances of exactly 0 */
    double n;                 /* zeros and all counts */
    double above, sum_above;  /* what lies in bins >= start: number, sum of distances */
    int32_t start;            /* first bin of the tail */
    int32_t base;             /* what bin 0 stands for; 0 = not known yet */
};

/* Surprise of d (>= 0, finite) under what was added so far, 0 .. cap. */
double vd__tail_surprise(const struct vd__tail *tail, float d, double cap);
void vd__tail_add(struct vd__tail *tail, float d, double memory);

/* ---- stream_nearest.c: the set of values seen ---- */

enum { NEAREST_MAX = 1024, NEAREST_DELAY = 10 };

struct vd__nearest {
    float at[NEAREST_MAX]; /* ascending */
    float late[NEAREST_DELAY];
    float gap; /* values nearer than this to one another are one */
    uint32_t n, n_late, next_late;
};

/* Distance to the nearest value that is at least NEAREST_DELAY samples old; -1 = none. */
float vd__nearest_distance(const struct vd__nearest *set, float x);
void vd__nearest_add(struct vd__nearest *set, float x);

/* ---- stream_daily.c: the range at this time of day ---- */

enum { DAILY_DAYS = 28, DAILY_SLOTS = 96, DAILY_REACH = 8 };

struct vd__daily {
    float low[DAILY_DAYS][DAILY_SLOTS], high[DAILY_DAYS][DAILY_SLOTS];
    uint8_t seen[DAILY_DAYS][DAILY_SLOTS / 8]; /* bit set: the slot has a range */
    int32_t day, slot;                         /* the newest; days since 1970 */
    bool started;
    /* Ranges of the past days around `slot`; made anew when the slot changes. */
    float near_low[DAILY_DAYS], near_high[DAILY_DAYS];
    uint32_t n_near;
};

/* Distance to the nearest past day's range around this time of day; -1 = no past day. */
float vd__daily_distance(struct vd__daily *daily, int64_t time_s, float x);
void vd__daily_add(struct vd__daily *daily, float x);

/* ---- stream_shape.c: the course of the last 48 samples ---- */

enum {
    SHAPE_MAX = 1024,
    SHAPE_STEP = 12,
    SHAPE_MEANS = 4,
    SHAPE_AGE = 48,
    SHAPE_EVERY = 3,
    SHAPE_RING = 96
};

struct vd__shape {
    float at[SHAPE_MEANS][SHAPE_MAX];
    float recent[SHAPE_STEP]; /* ring of samples */
    float mean[SHAPE_RING];   /* ring of their means, one for each sample */
    uint32_t n, next;         /* shapes kept, and the one that the next replaces */
    uint32_t rows;            /* samples seen, wraps */
};

/* Takes the sample in; gives the distance of the course that ends with it to the nearest
 * earlier one, -1 = not known yet. */
float vd__shape_push(struct vd__shape *shape, float x);

/* ---- stream.c ---- */

struct vd_stream {
    struct vd_stream_params params;
    uint64_t rows;
    /* Floats hold (x - origin) * scale: origin is the first sample, scale a power of two
     * that makes the first difference about 1; 0 = there was none yet. */
    double origin, scale;
    float last[3];
    double habit_fast, habit_slow; /* h1, h2 */
    uint64_t last_alarm;           /* row of it; 0 = none */
    struct vd__tail tail[VD_STREAM_PARTS];
    struct vd__tail z;
    struct vd__nearest value, mean;
    struct vd__daily daily;
    struct vd__shape shape;
};

#endif
