/* One generation of the detectors that learn from labels, between making it
 * (supervised_fit.c) and using it (supervised.c). */
#ifndef VD_DETECT_SUPERVISED_STATE_H
#define VD_DETECT_SUPERVISED_STATE_H

#include <stdatomic.h>

#include "detect/supervised.h"

enum {
    DETECT_SUPERVISED_FOREST,
    DETECT_SUPERVISED_XGBOOST,
    DETECT_SUPERVISED_AGENT,
    DETECT_SUPERVISED_ENSEMBLE,
    DETECT_SUPERVISED_MEMBERS
};

extern const char *const detect_supervised_name[DETECT_SUPERVISED_MEMBERS];

struct detect_supervised_member {
    vd_detector *detector; /* NULL = not ready */
    bool borrowed;         /* of the bundle */
    struct vd_calibration calibration;
    double threshold; /* the detector's own, on the raw score */
    double most;      /* the largest surprise that its quiet rows allow */
};

struct detect_supervised_generation {
    size_t column[DETECT_MULTIVARIATE_COLUMNS]; /* of the row; what the detectors see */
    size_t n_columns;
    double center[DETECT_MULTIVARIATE_COLUMNS]; /* in place of what is absent; NaN =
                                                   nothing may be */
    bool raw; /* detectors want values as measured, not their logs */
    struct detect_supervised_member member[DETECT_SUPERVISED_MEMBERS];
    size_t quiet_rows;
    int64_t *event_id; /* owned: the event of each label that the agent has learned */
    size_t n_events;
};

struct detect_supervised_job {
    struct detect_multivariate_config config;
    const vd_model *bundle;
    size_t bundle_column[DETECT_MULTIVARIATE_COLUMNS];
    const struct detect_supervised_generation
        *before;                           /* its agent is gone on with; NULL = anew */
    struct detect_multivariate_row *quiet; /* owned */
    size_t n;
    bool is_log[DETECT_MULTIVARIATE_COLUMNS];
    struct detect_labels labels; /* owned copy */
    struct detect_supervised_generation *next;
    atomic_bool stop;
};

/* NULL is allowed. */
void detect_supervised_generation_free(struct detect_supervised_generation *g);

/* The row as the generation's detectors see it. */
void detect_supervised_view(const struct detect_supervised_generation *g,
                            const struct detect_multivariate_row *row,
                            const bool is_log[DETECT_MULTIVARIATE_COLUMNS],
                            double x[DETECT_MULTIVARIATE_COLUMNS]);

#endif
