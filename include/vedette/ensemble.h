/* The ensemble: all detectors on one row, combined by how rare their scores are.
 *
 * The detector "ensemble" fits every other detector of the table that it can: the
 * unsupervised ones on normal rows (vd_fit_params.normal, or the rows labelled 0, or
 * all), and with labels also the supervised ones. Each member's raw score becomes a
 * surprise -log10 p, calibrated on rows it was not fitted on. The surprises are combined
 * by the weighted Cauchy test (Liu and Xie, JASA 2020), with labels by their mean; the
 * weights come from each member's ROC area on rows it was not fitted on. The raw score is
 * the combined surprise.
 *
 * A member that could not be fitted (no labels, no libxgboost, too few rows) is left out
 * and reported as not ready. The agent sees the row and the surprises of the unsupervised
 * members.
 *
 * Settings of members are given with their name: "lof.n_neighbors".
 */
#ifndef VD_ENSEMBLE_H
#define VD_ENSEMBLE_H

#include "vedette/detector.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Room for votes; there are fewer members today. */
enum { VD_ENSEMBLE_MEMBERS_MAX = 16 };

/* The verdict of one member on a row. */
struct vd_ensemble_vote {
    const char *name; /* of the detector; static */
    bool ready;       /* false: it was not fitted, all numbers are NaN */
    bool anomaly;     /* above its own threshold */
    double raw, surprise;
    double score;  /* calibrated, -1 .. 1, negative = anomalous */
    double weight; /* its share of the combination; 0 = heard, but not counted */
};

/* The verdict of the ensemble on a row. Plain data. */
struct vd_ensemble_verdict {
    double surprise;  /* combined: the raw score */
    double score;     /* calibrated, -1 .. 1, negative = anomalous */
    double agreement; /* share of the ready members that agree with the ensemble */
    size_t n;         /* votes */
    struct vd_ensemble_vote vote[VD_ENSEMBLE_MEMBERS_MAX];
};

/* Scores a row and breaks the score down by member, into *verdict. VD_ERR_ARGUMENT when
 * the detector is no ensemble, VD_ERR_DATA when the row has NaN or infinity; then
 * *verdict is unchanged. Allocates nothing; any number of threads may call it at once. */
enum vd_status vd_ensemble_judge(const vd_detector *ensemble, const double *row,
                                 struct vd_ensemble_verdict *verdict);

#ifdef __cplusplus
}
#endif

#endif
