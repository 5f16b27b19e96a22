/* Multivariate detectors behind one small interface: fit, score, save, load, explain.
 *
 * A row is one number for each column, as it was measured: detectors scale by themselves.
 * A detector does not change after its fit, so any number of threads may score with it at
 * once (vd_agent_learn, which changes the agent, is the exception). Scoring allocates
 * nothing. All raw scores have one direction: HIGHER = MORE ANOMALOUS. Users see the
 * calibrated score (calibration.h), where positive is normal and negative anomalous.
 *
 * To add a detector: one file in lib/detect, one row in lib/detect/detectors.c
 * (docs/adding-a-detector.md).
 */
#ifndef VD_DETECTOR_H
#define VD_DETECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/bytes.h"
#include "vedette/matrix.h"
#include "vedette/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A fitted detector. The caller that got it owns it and frees it with vd_detector_free.
 */
typedef struct vd_detector vd_detector;

/* Most columns a row may have. */
#define VD_COLUMNS_MAX 16384

/* The largest number that a fit accepts: the squares of larger ones might overflow in a
 * sum. Scoring takes a number beyond +-VD_VALUE_MAX for the limit. */
#define VD_VALUE_MAX 1e100

/* One hyper-parameter. These rows drive parsing, checking, --help and the documents. All
 * texts are static. */
struct vd_param {
    const char *name;       /* "n_trees" */
    const char *help;       /* one line */
    const char *choices;    /* "scale|auto|..." for words, NULL for numbers */
    double value, min, max; /* default and bounds; for words: index into choices */
};

/* One row of the table of detectors; static. */
struct vd_detector_info {
    const char *name;        /* "isolation_forest": on the command line and in files */
    const char *title;       /* "Isolation forest": on the page */
    const char *source;      /* the paper */
    const char *unavailable; /* why it was not built in; NULL = usable */
    bool needs_labels;       /* learns from rows labelled 0 normal / 1 anomaly */
    bool combines;           /* its score is made of other detectors' scores */
    const struct vd_param *params;
    size_t n_params;
};

/* Returns row i of the table: 0, 1, 2 ... until NULL. */
const struct vd_detector_info *vd_detector_at(size_t i);

/* Returns the row of that name, NULL when there is none or `name` is NULL. */
const struct vd_detector_info *vd_detector_find(const char *name);

/* A hyper-parameter set by name; for words the value is the index of the choice. */
struct vd_setting {
    const char *name;
    double value;
};

/* The options of a fit; all pointers are borrowed for the time of the call. */
struct vd_fit_params {
    const struct vd_setting *settings; /* n_settings of them; defaults for the rest */
    size_t n_settings;
    double contamination; /* share of training rows to call anomalous, in (0, 0.5];
                             0 = the method's own rule (isolation forest: score 0.5) */
    uint64_t seed;
    unsigned threads;               /* at most so many; 0 or 1 = the caller's only */
    const struct vd_matrix *normal; /* more rows known to be normal, for detectors that
                                       learn from normal rows only; NULL = none */
    const char *xgboost_library;    /* path of libxgboost.so, NULL = search (xgboost.h) */
};

/* Returns the defaults: contamination 0.05, seed 0, one thread, no settings. */
struct vd_fit_params vd_fit_params_default(void);

/* Fits the detector `name` to x (n x d, at least 2 rows; borrowed). `labels` (n of 0 / 1)
 * must be given when the detector needs them; the ensemble uses them when they are given,
 * other detectors ignore them (NULL = none). Labels that are given are checked in any
 * case. `params` NULL = the defaults.
 *
 * The same rows, settings and seed give the same bytes at any number of threads. On
 * success the caller owns *out; on failure it is NULL and `err` says why:
 *   VD_ERR_ARGUMENT     no such detector or setting, a value outside its bounds, or
 *                       no columns or more than VD_COLUMNS_MAX
 *   VD_ERR_DATA         too few rows, missing or useless labels, or a number that is NaN
 * or beyond VD_VALUE_MAX: the caller leaves such rows out before VD_ERR_SCHEMA       the
 * normal rows have other columns VD_ERR_LIMIT        more rows or columns than the method
 * can take VD_ERR_UNAVAILABLE  not built in, or libxgboost is not there VD_ERR_MEMORY no
 * memory */
enum vd_status vd_detector_fit(vd_detector **out, const char *name,
                               const struct vd_matrix *x, const uint8_t *labels,
                               const struct vd_fit_params *params, struct vd_error *err);

/* Makes vd_detector_score_many faster where it can, at the cost of memory: isolation
 * forests on processors with AVX2, alone or in an ensemble, take half as much again. Call
 * it before other threads use the detector. Scores keep their bits. VD_ERR_MEMORY leaves
 * the detector as it was. */
enum vd_status vd_detector_prepare(vd_detector *detector);

/* Frees a detector; takes NULL. */
void vd_detector_free(vd_detector *detector);

/* Returns the detector's row of the table. */
const struct vd_detector_info *vd_detector_describe(const vd_detector *detector);

/* Returns d, the columns that a row must have. */
size_t vd_detector_columns(const vd_detector *detector);

/* Returns the bytes that the fitted model takes in memory. */
size_t vd_detector_size(const vd_detector *detector);

/* Computes the raw score of one row of d numbers: finite, or NaN when the row has a NaN
 * or infinity. */
double vd_detector_score(const vd_detector *detector, const double *row);

/* Computes the raw scores of all rows of x (n x d) into scores[n], on up to `threads`
 * threads (0 or 1 = the caller's only). They have the bits of vd_detector_score. */
void vd_detector_score_many(const vd_detector *detector, const struct vd_matrix *x,
                            double *scores, unsigned threads);

/* Returns the detector's own threshold on the raw score: a row above it is an anomaly. It
 * comes from the contamination, or from the method's own rule (the sign change of
 * scikit-learn's decision_function, a probability of 1/2 ...). */
double vd_detector_threshold(const vd_detector *detector);

/* Writes into share[d] how much each column adds to the row's raw score, where the model
 * gives it exactly:
 *   PCA               the parts of the residual, which add up to the score
 *   isolation forest  what shortens the path, in mean path length
 *   random forest     what raises the probability (TreeSHAP)
 *   XGBoost           what raises the log-odds (TreeSHAP, as its own pred_contribs)
 * For forests and XGBoost the shares add up to the difference from the training rows'
 * mean. VD_ERR_UNAVAILABLE for other models; VD_ERR_DATA when the row has NaN, infinity
 * or a number beyond VD_VALUE_MAX. Allocates nothing. */
enum vd_status vd_detector_explain(const vd_detector *detector, const double *row,
                                   double *share);

/* Appends the model to `w`; check w->status. */
void vd_detector_save(const vd_detector *detector, struct vd_writer *w);

/* Reads what vd_detector_save wrote, trusting nothing. On success the caller owns *out
 * and `r` is behind the model; on failure *out is NULL. VD_ERR_FORMAT, VD_ERR_VERSION,
 * VD_ERR_UNAVAILABLE, VD_ERR_MEMORY. */
enum vd_status vd_detector_load(vd_detector **out, struct vd_reader *r,
                                struct vd_error *err);

#ifdef __cplusplus
}
#endif

#endif
