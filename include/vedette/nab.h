/* The score of the Numenta Anomaly Benchmark: detections that come early in a labelled
 * window earn the most, detections outside cost.
 *
 * Lavin and Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta
 * anomaly benchmark", ICMLA 2015; Ahmad, Lavin, Purdy and Agha, "Unsupervised real-time
 * anomaly detection for streaming data", Neurocomputing 2017.
 */
#ifndef VD_NAB_H
#define VD_NAB_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a caught window earns and what a false alarm and a missed window cost. */
struct vd_nab_profile {
    const char *name; /* "standard", "reward_low_FP_rate", "reward_low_FN_rate" */
    double tp, fp, fn;
};

/* The benchmark's three profiles; `*n` is 3. */
const struct vd_nab_profile *vd_nab_profiles(size_t *n);

/* A labelled window: rows first .. last, both in it. */
struct vd_nab_window {
    size_t first, last;
};

/* Sums over series: start with all zero and score one series after the other into it. */
struct vd_nab_result {
    double score;        /* what was earned less what was lost */
    double null_score;   /* the same for a detector that says nothing */
    double perfect;      /* the same for one that hits the first row of each window */
    size_t windows;      /* that can be caught: not all within the probation */
    size_t caught;       /* of them */
    size_t false_alarms; /* detections outside all windows */
};

/* Rows at the start of a series of n that do not count: the least of 15 % and 750. Every
 * detector is told this number. */
size_t vd_nab_probation(size_t n);

/* 2 / (1 + e^(5y)) - 1: 0.98661 at the left edge of a window (y = -1), 0 at its right
 * edge (y = 0), and -1 from three window widths past it. */
double vd_nab_sigmoid(double y);

/* Scores the detections (n of 0 / 1) of one series into `result`. Windows ascend and do
 * not overlap; last < n. */
void vd_nab_score(const uint8_t *detected, size_t n, const struct vd_nab_window *windows,
                  size_t n_windows, const struct vd_nab_profile *profile,
                  struct vd_nab_result *result);

/* 100 * (score - null) / (perfect - null): 0 = no detections, 100 = perfect, may be
 * negative. NaN without windows. */
double vd_nab_normalised(const struct vd_nab_result *result);

#ifdef __cplusplus
}
#endif

#endif
