/* One generation of the detectors that learn from labels, between making it
 * (taught_fit.c) and using it (taught.c). */
#ifndef VD_DETECT_TAUGHT_STATE_H
#define VD_DETECT_TAUGHT_STATE_H

#include <stdatomic.h>

#include "detect/taught.h"

enum { TAUGHT_FOREST, TAUGHT_XGBOOST, TAUGHT_AGENT, TAUGHT_ENSEMBLE, TAUGHT_MEMBERS };

extern const char *const taught_name[TAUGHT_MEMBERS];

struct taught_member {
    vd_detector *detector; /* NULL = not ready */
    bool borrowed;         /* of the bundle */
    struct vd_calibration calibration;
    double threshold; /* the detector's own, on the raw score */
    double most;      /* the largest surprise that its quiet rows allow */
};

struct taught_generation {
    size_t column[HOST_COLUMNS]; /* of the row; what the detectors see */
    size_t n_columns;
    double center[HOST_COLUMNS]; /* in place of what is absent; NaN = nothing may be */
    bool raw;                    /* detectors want values as measured, not their logs */
    struct taught_member member[TAUGHT_MEMBERS];
    size_t quiet_rows;
    int64_t *heard; /* owned: the event of each label that the agent has learned */
    size_t n_heard;
};

struct taught_job {
    struct host_config config;
    const vd_model *bundle;
    size_t bundle_column[HOST_COLUMNS];
    const struct taught_generation *before; /* its agent is gone on with; NULL = anew */
    struct host_row *quiet;                 /* owned */
    size_t n;
    bool is_log[HOST_COLUMNS];
    struct detect_labels labels; /* owned copy */
    struct taught_generation *next;
    atomic_bool stop;
};

/* NULL is allowed. */
void taught_generation_free(struct taught_generation *g);

/* The row as the generation's detectors see it. */
void taught_view(const struct taught_generation *g, const struct host_row *row,
                 const bool is_log[HOST_COLUMNS], double x[HOST_COLUMNS]);

#endif
