/* Noise like a quiet machine's metrics: stationary, without anything to be alarmed at. */
#ifndef VD_BENCH_BUDGET_NOISE_H
#define VD_BENCH_BUDGET_NOISE_H

#include <stdint.h>

#include "vedette/rng.h"

/* A Thursday, midnight. */
#define NOISE_START INT64_C(1767225600)

struct noise {
    struct vd_rng rng;
    double level; /* of the autoregressive kinds, or on / off */
    double height;
    int64_t left; /* seconds until the state changes */
};

struct noise_kind {
    const char *name, *what;
    double (*next)(struct noise *noise, int64_t second);
};

/* The table, ended by a NULL name. */
extern const struct noise_kind noise_kinds[];

#endif
