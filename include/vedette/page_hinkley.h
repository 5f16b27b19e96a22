/* Page-Hinkley: has the mean of a stream of scores moved for good?
 *
 * Page, "Continuous inspection schemes", Biometrika 1954; Hinkley, "Inference about the
 * change-point from cumulative sum tests", Biometrika 1971. The sum of the deviations
 * from the running mean, less a tolerance, is held at 0 from below; drift is said when it
 * passes the threshold. Then the test forgets all and learns the new level.
 */
#ifndef VD_PAGE_HINKLEY_H
#define VD_PAGE_HINKLEY_H

#include <stdbool.h>

#include "vedette/bytes.h"
#include "vedette/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum vd_drift { VD_DRIFT_NONE = 0, VD_DRIFT_UP = 1, VD_DRIFT_DOWN = 2 };

struct vd_page_hinkley_params {
    double delta;        /* change of the mean that is tolerated, in units of the score */
    double threshold;    /* lambda: the sum at which drift is said */
    double warm_up;      /* samples before it speaks */
    unsigned directions; /* VD_DRIFT_UP, VD_DRIFT_DOWN, or both ored together */
};

/* delta 0.005, threshold 50, warm-up 100, both directions. */
struct vd_page_hinkley_params vd_page_hinkley_params_default(void);

/* Plain data, copied freely. One thread at a time. */
struct vd_page_hinkley {
    struct vd_page_hinkley_params params;
    double n, mean;
    double up, down; /* the two sums; a fair picture of "how near is drift" over threshold
                      */
};

/* `params` NULL = the defaults. */
void vd_page_hinkley_init(struct vd_page_hinkley *test,
                          const struct vd_page_hinkley_params *params);

/* Takes one score; NaN and infinity are left out. Gives the direction of the drift on the
 * sample that shows it, after which the test begins anew. */
enum vd_drift vd_page_hinkley_push(struct vd_page_hinkley *test, double score);

void vd_page_hinkley_save(const struct vd_page_hinkley *test, struct vd_writer *w);
enum vd_status vd_page_hinkley_load(struct vd_page_hinkley *test, struct vd_reader *r,
                                    struct vd_error *err);

#ifdef __cplusplus
}
#endif

#endif
