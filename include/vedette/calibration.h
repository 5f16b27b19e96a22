/* One meaning of a score, for every detector.
 *
 * A raw score (higher = more anomalous) becomes a tail probability p under what is normal
 * for this host: empirical below the 95 % quantile of the training scores, exponential
 * above it (mean excess). The surprise is s = -log10 p. The score that people see is
 *     score = clamp(1 - s / s0, -1, 1)
 * with s0 the surprise at the threshold: positive = normal, negative = anomalous.
 */
#ifndef VD_CALIBRATION_H
#define VD_CALIBRATION_H

#include <stddef.h>

#include "vedette/bytes.h"
#include "vedette/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    VD_CALIBRATION_KNOTS = 128,
    VD_CALIBRATION_MIN = 20, /* scores that are enough to learn from */
};

/* Plain data, copied freely. */
struct vd_calibration {
    double knot[VD_CALIBRATION_KNOTS]; /* quantiles of the training scores up to 95 % */
    double tail_start;                 /* the 95 % quantile */
    double tail_mean_excess;           /* mean of (score - tail_start) above it */
    double n; /* training scores it was made from, 0 = believed */
};

/* Learns from n raw scores (NaN left out); needs VD_CALIBRATION_MIN, else VD_ERR_DATA. */
enum vd_status vd_calibration_fit(struct vd_calibration *c, const double *scores,
                                  size_t n, struct vd_error *err);

/* What is believed of scores not seen yet: exponential with this mean (> 0). */
void vd_calibration_believe(struct vd_calibration *c, double mean);

/* s = -log10 p of a raw score, >= 0, at most VD_SURPRISE_MAX; NaN gives NaN. */
double vd_calibration_surprise(const struct vd_calibration *c, double raw);

#define VD_SURPRISE_MAX 300.0

/* The threshold s0 for live use: `budget` false alarms in `period_s` seconds when a
 * sample comes every `interval_s` seconds: -log10(budget * interval / period). */
double vd_surprise_of_budget(double budget, double period_s, double interval_s);

/* The threshold s0 for batch use: -log10(contamination). */
double vd_surprise_of_contamination(double contamination);

/* clamp(1 - s / s0, -1, 1); NaN when s is NaN. */
double vd_score_of_surprise(double surprise, double threshold);

/* Combined surprise of `n` members: the weighted Cauchy combination test (Liu and Xie,
 * JASA 2020), valid for dependent members. NaN members are left out; weights NULL = all
 * equal. NaN when no member has a verdict. */
double vd_surprise_combine(const double *surprise, const double *weight, size_t n);

void vd_calibration_save(const struct vd_calibration *c, struct vd_writer *w);
enum vd_status vd_calibration_load(struct vd_calibration *c, struct vd_reader *r,
                                   struct vd_error *err);

#ifdef __cplusplus
}
#endif

#endif
