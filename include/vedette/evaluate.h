/* How good are detections: counts, rates, curves; and faults put into series to measure
 * them where no labels exist.
 *
 * Labels and predictions are 0 = normal, 1 = anomaly; a score is higher = more anomalous.
 */
#ifndef VD_EVALUATE_H
#define VD_EVALUATE_H

#include <stddef.h>
#include <stdint.h>

#include "vedette/rng.h"
#include "vedette/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- counts and rates ---- */

struct vd_confusion {
    size_t tp, fp, tn, fn;
};

/* Any label or prediction but 0 counts as 1. */
struct vd_confusion vd_confusion_count(const uint8_t *label, const uint8_t *predicted,
                                       size_t n);

/* Rates in 0 .. 1; NaN where the divisor is 0, except precision and F1 of a detector that
 * says nothing where there was something to say: 0. */
double vd_accuracy(const struct vd_confusion *c);
double vd_precision(const struct vd_confusion *c);           /* tp / (tp + fp) */
double vd_recall(const struct vd_confusion *c);              /* tp / (tp + fn) */
double vd_specificity(const struct vd_confusion *c);         /* tn / (tn + fp) */
double vd_false_positive_rate(const struct vd_confusion *c); /* FAR */
double vd_false_negative_rate(const struct vd_confusion *c); /* MAR */
double vd_f1(const struct vd_confusion *c);                  /* 2 tp / (2 tp + fp + fn) */

/* ---- curves ---- */

/* What a threshold does: rows with score >= threshold are called anomalies. */
struct vd_curve_point {
    double threshold;
    struct vd_confusion confusion;
};

/* One point for each distinct score, thresholds falling, so tied scores enter together;
 * before them one at +infinity, where nothing is called. */
struct vd_curve {
    struct vd_curve_point *at; /* owned */
    size_t n;
};

/* Rows whose score is NaN are left out. VD_ERR_DATA unless both classes are left. */
enum vd_status vd_curve_init(struct vd_curve *curve, const uint8_t *label,
                             const double *score, size_t n, struct vd_error *err);
void vd_curve_release(struct vd_curve *curve);

/* Area under the ROC curve (trapezoids: a tie counts half), the probability that an
 * anomaly scores above a normal row. */
double vd_curve_roc_auc(const struct vd_curve *curve);

/* Average precision: the sum of precision times the gain in recall, not interpolated
 * (scikit-learn's average_precision_score). */
double vd_curve_pr_auc(const struct vd_curve *curve);

/* The point with the best F1, the highest threshold of several. */
const struct vd_curve_point *vd_curve_best_f1(const struct vd_curve *curve);

/* The two areas at once, without keeping the curve; either may be NULL. */
enum vd_status vd_areas(const uint8_t *label, const double *score, size_t n,
                        double *roc_auc, double *pr_auc, struct vd_error *err);

/* ---- faults ---- */

enum vd_fault {
    VD_FAULT_SPIKE, /* up at once, back at once */
    VD_FAULT_DIP,   /* down at once, back at once */
    VD_FAULT_DRIFT, /* slowly up or down to the middle, and slowly back */
    VD_FAULT_LEAK,  /* slowly up, then freed at once */
    VD_FAULT_STEP,  /* another level for the whole length */
    VD_FAULTS
};

/* "spike", "dip", ...; static. NULL for a value not in the list. */
const char *vd_fault_name(enum vd_fault fault);

/* Adds a fault of `height` (in the unit of x; drift and step may be negative) to the rows
 * start .. start + length - 1, cut at n, and sets their labels to 1; labels may be NULL.
 */
void vd_fault_add(double *x, uint8_t *label, size_t n, enum vd_fault fault, size_t start,
                  size_t length, double height);

struct vd_inject_params {
    double share;         /* of the rows to become anomalies, in (0, 0.5] */
    unsigned kinds;       /* 1u << VD_FAULT_SPIKE | ... */
    double height_sigmas; /* height in robust sigmas of the series, drawn +-25 % */
    size_t quiet;         /* rows at the start that stay as they are */
    size_t longest;       /* longest drift, leak or step; spikes and dips have 1 .. 3 */
};

/* share 0.05, all kinds, 6 sigmas, nothing quiet, 60 rows. */
struct vd_inject_params vd_inject_params_default(void);

/* Puts faults of random kinds at random places, never touching one another, until the
 * share is reached or no place is found; `label` (n) is overwritten. `params` may be
 * NULL. NaN in x stays NaN. The same seed gives the same faults. */
enum vd_status vd_inject(double *x, uint8_t *label, size_t n,
                         const struct vd_inject_params *params, struct vd_rng *rng,
                         struct vd_error *err);

#ifdef __cplusplus
}
#endif

#endif
