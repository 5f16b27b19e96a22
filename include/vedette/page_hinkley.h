/* The Page-Hinkley test: tells when the mean of a stream of scores has moved for good.
 *
 * Page, "Continuous inspection schemes", Biometrika 1954; Hinkley, "Inference about the
 * change-point from cumulative sum tests", Biometrika 1971. The test sums the deviations
 * from the running mean, less a tolerance, and never lets the sum fall below 0. A sum
 * above the threshold is drift. Then the test forgets everything and learns the new
 * level.
 */
#ifndef VD_PAGE_HINKLEY_H
#define VD_PAGE_HINKLEY_H

#include <stdbool.h>

#include "vedette/bytes.h"
#include "vedette/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The direction in which the mean moved. */
enum vd_drift { VD_DRIFT_NONE = 0, VD_DRIFT_UP = 1, VD_DRIFT_DOWN = 2 };

/* The settings of a test; delta and threshold are in the unit of the score. */
struct vd_page_hinkley_params {
    double delta;        /* change of the mean that is tolerated */
    double threshold;    /* lambda: the sum above which there is drift */
    double warm_up;      /* samples before drift can be reported */
    unsigned directions; /* VD_DRIFT_UP, VD_DRIFT_DOWN, or both ored together */
};

/* Returns the defaults: delta 0.005, threshold 50, warm-up 100, both directions. */
struct vd_page_hinkley_params vd_page_hinkley_params_default(void);

/* A test. Plain data, copied freely; nothing is allocated. One thread at a time. */
struct vd_page_hinkley {
    struct vd_page_hinkley_params params;
    double n, mean;  /* of the scores since the test began */
    double up, down; /* the two sums; a sum over threshold shows how near drift is */
};

/* Begins a test without any score. `params` (copied) NULL = the defaults. */
void vd_page_hinkley_init(struct vd_page_hinkley *test,
                          const struct vd_page_hinkley_params *params);

/* Takes one score; NaN and infinity are left out. Returns the direction of the drift on
 * the sample that completes it; after that the test begins again. */
enum vd_drift vd_page_hinkley_push(struct vd_page_hinkley *test, double score);

/* Appends settings and state; check w->status. */
void vd_page_hinkley_save(const struct vd_page_hinkley *test, struct vd_writer *w);

/* Reads what vd_page_hinkley_save wrote, trusting nothing. VD_ERR_FORMAT (and r->failed);
 * then *test is unchanged. */
enum vd_status vd_page_hinkley_load(struct vd_page_hinkley *test, struct vd_reader *r,
                                    struct vd_error *err);

#ifdef __cplusplus
}
#endif

#endif
