/* One meaning of a score, for every detector.
 *
 * A raw score (higher = more anomalous) becomes a tail probability p under what is normal
 * for this host: empirical below the 95 % quantile of the training scores, exponential
 * above it (mean excess). The surprise is s = -log10 p. The score that people see is
 *     score = clamp(1 - s / s0, -1, 1)
 * with s0 the surprise at the threshold: positive = normal, negative = anomalous.
 *
 * Surprises and scores have no unit. NaN means that there is no verdict, and stays NaN.
 * Everything here is plain data and pure functions, so any thread may use it.
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
    VD_CALIBRATION_MIN = 20, /* fewest scores to learn from */
};

/* The level of the training scores at which the tail begins. */
#define VD_CALIBRATION_TAIL 0.95

/* The normal range of one detector's raw score. Plain data, copied freely. */
struct vd_calibration {
    double knot[VD_CALIBRATION_KNOTS]; /* quantiles of the training scores up to 95 % */
    double tail_start;                 /* the 95 % quantile */
    double tail_mean_excess;           /* mean of (score - tail_start) above it */
    double n;                          /* scores it was learned from, 0 = assumed */
};

/* Learns from n raw scores of normal rows that the detector was not fitted on; NaN is
 * left out. VD_ERR_DATA when fewer than VD_CALIBRATION_MIN are left, VD_ERR_MEMORY; then
 * *c is unchanged. */
enum vd_status vd_calibration_fit(struct vd_calibration *c, const double *scores,
                                  size_t n, struct vd_error *err);

/* Assumes an exponential law with this mean (> 0), as long as no scores are known. */
void vd_calibration_believe(struct vd_calibration *c, double mean);

/* Computes the surprise -log10 p of a raw score, 0 .. VD_SURPRISE_MAX. NaN gives NaN. */
double vd_calibration_surprise(const struct vd_calibration *c, double raw);

/* Computes those of n scores: faster, with the same bits on any processor, and equal to
 * the one above but for rounding. The arrays may be the same. */
void vd_calibration_surprises(const struct vd_calibration *c, const double *raw,
                              double *surprise, size_t n);

/* Computes the raw score that has this surprise (0 or more), but for rounding. */
double vd_calibration_raw(const struct vd_calibration *c, double surprise);

/* The largest surprise; 10^-300 is near the end of what a double can hold. */
#define VD_SURPRISE_MAX 300.0

/* Computes the threshold s0 for live use: `budget` false alarms in `period_s` seconds
 * when a sample comes every `interval_s` seconds, -log10(budget * interval / period)
 * within 0 .. VD_SURPRISE_MAX. NaN when that is no probability (a period of 0, a negative
 * budget).
 */
double vd_surprise_of_budget(double budget, double period_s, double interval_s);

/* Computes the threshold s0 for batch use: -log10(contamination), the share of rows to
 * call anomalous. */
double vd_surprise_of_contamination(double contamination);

/* Computes the score clamp(1 - s / s0, -1, 1). NaN when the surprise or the threshold is
 * NaN; -1 when the threshold is 0 or less. */
double vd_score_of_surprise(double surprise, double threshold);

/* Combines the surprises of `n` members by the weighted Cauchy combination test (Liu and
 * Xie, JASA 2020), which holds for dependent members too. Members with NaN or a weight of
 * 0 are left out; `weight` NULL = all count the same. NaN when no member is left. */
double vd_surprise_combine(const double *surprise, const double *weight, size_t n);

/* Combines those of n rows, all members counting the same: surprise[m] are the rows'
 * surprises for member m. As vd_surprise_combine but for rounding, faster, and with the
 * same bits on any processor. `out` may be one of them. */
void vd_surprises_combine(const double *const *surprise, size_t members, size_t n,
                          double *out);

/* Appends the calibration; check w->status. */
void vd_calibration_save(const struct vd_calibration *c, struct vd_writer *w);

/* Reads what vd_calibration_save wrote, trusting nothing. VD_ERR_FORMAT (and r->failed)
 * or VD_ERR_VERSION; then *c is unchanged. */
enum vd_status vd_calibration_load(struct vd_calibration *c, struct vd_reader *r,
                                   struct vd_error *err);

#ifdef __cplusplus
}
#endif

#endif
