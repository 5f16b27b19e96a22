/* How good detections are: counts, rates and curves, and faults that are put into series
 * to measure detections where no labels exist.
 *
 * Labels and predictions are 0 = normal, 1 = anomaly; a higher score is more anomalous.
 * Arrays are borrowed. There is no hidden state, so any thread may call these functions.
 * Source of the curves: Fawcett, "An introduction to ROC analysis", Pattern Recognition
 * Letters 2006.
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

/* Rows by what they are and what was said of them. */
struct vd_confusion {
    size_t tp; /* anomalies called anomalies */
    size_t fp; /* normal rows called anomalies: false alarms */
    size_t tn; /* normal rows called normal */
    size_t fn; /* anomalies called normal: missed */
};

/* Counts n rows. Any label or prediction other than 0 counts as 1. */
struct vd_confusion vd_confusion_count(const uint8_t *label, const uint8_t *predicted,
                                       size_t n);

/* Compute rates in 0 .. 1. A rate whose divisor is 0 is NaN, with one exception:
 * precision is 0 when no row was called an anomaly although there were some. */
double vd_accuracy(const struct vd_confusion *c);
double vd_precision(const struct vd_confusion *c);           /* tp / (tp + fp) */
double vd_recall(const struct vd_confusion *c);              /* tp / (tp + fn) */
double vd_specificity(const struct vd_confusion *c);         /* tn / (tn + fp) */
double vd_false_positive_rate(const struct vd_confusion *c); /* fp / (fp + tn), FAR */
double vd_false_negative_rate(const struct vd_confusion *c); /* fn / (fn + tp), MAR */
double vd_f1(const struct vd_confusion *c);                  /* 2 tp / (2 tp + fp + fn) */

/* ---- curves ---- */

/* The effect of a threshold: rows with score >= threshold are called anomalies. */
struct vd_curve_point {
    double threshold;
    struct vd_confusion confusion;
};

/* One point for each distinct score, by falling threshold, so tied scores enter together.
 * The first point is at +infinity, where no row is called an anomaly. */
struct vd_curve {
    struct vd_curve_point *at; /* owned */
    size_t n;
};

/* Makes the curve of n rows; release it with vd_curve_release. Rows whose score is NaN
 * are left out. VD_ERR_DATA unless both classes are left, VD_ERR_MEMORY; then the curve
 * is empty. */
enum vd_status vd_curve_init(struct vd_curve *curve, const uint8_t *label,
                             const double *score, size_t n, struct vd_error *err);

/* Frees the points; takes NULL and an empty curve. */
void vd_curve_release(struct vd_curve *curve);

/* Computes the area under the ROC curve by trapezoids, so a tie counts half. It is the
 * probability that an anomaly scores above a normal row. NaN for an empty curve. */
double vd_curve_roc_auc(const struct vd_curve *curve);

/* Computes the average precision: the sum of precision times the gain in recall, not
 * interpolated (scikit-learn's average_precision_score). NaN for an empty curve. */
double vd_curve_pr_auc(const struct vd_curve *curve);

/* Returns the point with the best F1, of several the one with the highest threshold. It
 * belongs to the curve; NULL for an empty one. */
const struct vd_curve_point *vd_curve_best_f1(const struct vd_curve *curve);

/* Computes the two areas without keeping the curve; either pointer may be NULL. Fails as
 * vd_curve_init does, with NaN in both. */
enum vd_status vd_areas(const uint8_t *label, const double *score, size_t n,
                        double *roc_auc, double *pr_auc, struct vd_error *err);

/* ---- faults ---- */

/* The shapes of faults. */
enum vd_fault {
    VD_FAULT_SPIKE, /* up at once, back at once */
    VD_FAULT_DIP,   /* down at once, back at once */
    VD_FAULT_DRIFT, /* slowly up or down to the middle, and slowly back */
    VD_FAULT_LEAK,  /* slowly up, then freed at once */
    VD_FAULT_STEP,  /* another level for the whole length */
    VD_FAULTS
};

/* Returns "spike", "dip", ...; static. NULL for a value that is not in the list. */
const char *vd_fault_name(enum vd_fault fault);

/* Adds a fault of `height` (in the unit of x; drift and step may be negative) to the rows
 * start .. start + length - 1, cut at n, and sets their labels to 1. `label` may be NULL.
 */
void vd_fault_add(double *x, uint8_t *label, size_t n, enum vd_fault fault, size_t start,
                  size_t length, double height);

/* The faults that are put into a series: kinds, number, size and place. */
struct vd_inject_params {
    double share;         /* of the rows to become anomalies, in (0, 0.5] */
    unsigned kinds;       /* 1u << VD_FAULT_SPIKE | ... */
    double height_sigmas; /* height in robust sigmas of the series, drawn +-25 % */
    size_t quiet;         /* rows at the start that stay as they are */
    size_t longest;       /* longest drift, leak or step; spikes and dips have 1 .. 3 */
};

/* Returns the defaults: share 0.05, all kinds, 6 sigmas, no quiet rows, longest 60 rows.
 */
struct vd_inject_params vd_inject_params_default(void);

/* Puts faults of random kinds at random places of x (n), never touching one another,
 * until the share is reached or no place is found. `label` (n) is overwritten. `params`
 * NULL = the defaults. NaN in x stays NaN. The same state of `rng` gives the same faults.
 * VD_ERR_ARGUMENT when the share, the kinds or the quiet rows leave nothing to do,
 * VD_ERR_MEMORY; then x and label are unchanged. */
enum vd_status vd_inject(double *x, uint8_t *label, size_t n,
                         const struct vd_inject_params *params, struct vd_rng *rng,
                         struct vd_error *err);

#ifdef __cplusplus
}
#endif

#endif
