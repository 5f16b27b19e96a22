/* Multivariate detectors behind one small interface: fit, score, save, load, explain.
 *
 * A detector is immutable after fit (the online ones say so), so any number of threads
 * may score with it at once. Scoring allocates nothing. Raw scores follow one direction
 * for all: HIGHER = MORE ANOMALOUS; what users see is the calibrated score
 * (calibration.h), where positive is normal and negative anomalous.
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

typedef struct vd_detector vd_detector;

/* Most columns a row may have. */
#define VD_COLUMNS_MAX 16384

/* Numbers beyond +-VD_VALUE_MAX cannot be squared and summed without overflow: fit
 * refuses them, scoring takes them for the limit. */
#define VD_VALUE_MAX 1e100

/* One hyper-parameter: these rows drive parsing, checking, --help and the documents. */
struct vd_param {
    const char *name;       /* "n_trees" */
    const char *help;       /* one line */
    const char *choices;    /* "scale|auto|..." for words, NULL for numbers */
    double value, min, max; /* default and bounds; for words: index into choices */
};

/* One row of the table of detectors. */
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

/* Row i of the table: 0, 1, 2 ... until NULL. */
const struct vd_detector_info *vd_detector_at(size_t i);

/* The row of that name, NULL when there is none. */
const struct vd_detector_info *vd_detector_find(const char *name);

/* A hyper-parameter set by name; for words the value is the index of the choice. */
struct vd_setting {
    const char *name;
    double value;
};

struct vd_fit_params {
    const struct vd_setting *settings; /* n_settings of them; defaults for the rest */
    size_t n_settings;
    double contamination; /* share of training rows to call anomalous, in (0, 0.5];
                             0 = the method's own rule (isolation forest: score 0.5) */
    uint64_t seed;
    unsigned threads;               /* 0 or 1 = the caller's only */
    const struct vd_matrix *normal; /* more rows known to be normal, for detectors that
                                       learn from normal rows only; NULL = none */
    const char *xgboost_library;    /* path of libxgboost.so, NULL = search (xgboost.h) */
};

/* contamination 0.05, seed 0, one thread, no settings. */
struct vd_fit_params vd_fit_params_default(void);

/* Learns from x (n x d, at least 2 rows). `labels` (n of 0 / 1) is required when the
 * detector needs them and otherwise ignored. Rows with NaN, infinity or numbers beyond
 * VD_VALUE_MAX are refused (VD_ERR_DATA): the caller leaves them out. The same seed gives
 * the same bytes at any number of threads. On success *out is owned by the caller.
 * `params` may be NULL. */
enum vd_status vd_detector_fit(vd_detector **out, const char *name,
                               const struct vd_matrix *x, const uint8_t *labels,
                               const struct vd_fit_params *params, struct vd_error *err);

void vd_detector_free(vd_detector *detector);

const struct vd_detector_info *vd_detector_describe(const vd_detector *detector);

/* Columns a row must have. */
size_t vd_detector_columns(const vd_detector *detector);

/* Bytes the fitted model takes. */
size_t vd_detector_size(const vd_detector *detector);

/* Raw score of one row of d numbers; NaN when the row has a NaN or infinity. */
double vd_detector_score(const vd_detector *detector, const double *row);

/* Raw scores of all rows of x (n x d) into scores[n], on up to `threads` threads. */
void vd_detector_score_many(const vd_detector *detector, const struct vd_matrix *x,
                            double *scores, unsigned threads);

/* The detector's own threshold on the raw score (from contamination, or the method's own
 * rule: sign change of scikit-learn's decision_function, probability 1/2 ...): above it
 * the detector says anomaly. */
double vd_detector_threshold(const vd_detector *detector);

/* How much each column adds to the row's raw score, into share[d], where the model gives
 * it exactly. PCA: parts of the residual, which add up to the score. Forests and XGBoost:
 * what lifts the row above the training rows' mean, in mean path length (isolation
 * forest, shorter is positive), probability (random forest: TreeSHAP) and log-odds
 * (XGBoost: TreeSHAP, its own pred_contribs). VD_ERR_UNAVAILABLE otherwise. */
enum vd_status vd_detector_explain(const vd_detector *detector, const double *row,
                                   double *share);

/* Appends the model to `w`; check w->status. */
void vd_detector_save(const vd_detector *detector, struct vd_writer *w);

/* Reads what vd_detector_save wrote, trusting nothing. */
enum vd_status vd_detector_load(vd_detector **out, struct vd_reader *r,
                                struct vd_error *err);

#ifdef __cplusplus
}
#endif

#endif
