/* The ensemble: all detectors on one row, combined by what their scores mean.
 *
 * The detector "ensemble" fits every other row of the table that it can: the unsupervised
 * ones on normal rows (vd_fit_params.normal, or the rows labelled 0, or all), with labels
 * also the supervised ones. Each member's raw score becomes a surprise -log10 p,
 * calibrated on rows it was not fitted on; the surprises are combined by the weighted
 * Cauchy test (with labels by their mean), weights from each member's ROC area on rows it
 * was not fitted on. The raw score is the combined surprise. A member that could not be
 * fitted (no labels, no libxgboost, too few rows) is left out and reported as not ready.
 * The agent's state is the row and the surprises of the unsupervised members.
 *
 * Settings of members are given with their name: "lof.n_neighbors".
 */
#ifndef VD_ENSEMBLE_H
#define VD_ENSEMBLE_H

#include "vedette/detector.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { VD_ENSEMBLE_MEMBERS_MAX = 16 };

/* What one member said about a row. */
struct vd_ensemble_vote {
    const char *name; /* of the detector; static */
    bool ready;       /* false: it was not fitted, all numbers are NaN */
    bool anomaly;     /* above its own threshold */
    double raw, surprise;
    double score;  /* calibrated, -1 .. 1, negative = anomalous */
    double weight; /* its share of the combination; 0 = heard, but not counted */
};

struct vd_ensemble_verdict {
    double surprise;  /* combined: the raw score */
    double score;     /* calibrated, -1 .. 1 */
    double agreement; /* share of the ready members that say what the ensemble says */
    size_t n;         /* votes */
    struct vd_ensemble_vote vote[VD_ENSEMBLE_MEMBERS_MAX];
};

/* The breakdown of a row's score. VD_ERR_ARGUMENT when the detector is no ensemble,
 * VD_ERR_DATA when the row has NaN or infinity. Allocates nothing. */
enum vd_status vd_ensemble_judge(const vd_detector *ensemble, const double *row,
                                 struct vd_ensemble_verdict *verdict);

#ifdef __cplusplus
}
#endif

#endif
