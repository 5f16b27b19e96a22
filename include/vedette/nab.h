/* The score of the Numenta Anomaly Benchmark: detections that come early in a labelled
 * window earn the most, detections outside cost.
 *
 * Lavin and Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta
 * anomaly benchmark", ICMLA 2015; Ahmad, Lavin, Purdy and Agha, "Unsupervised real-time
 * anomaly detection for streaming data", Neurocomputing 2017.
 *
 * Nothing is allocated and there is no hidden state: any thread may call these functions.
 */
#ifndef VD_NAB_H
#define VD_NAB_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Weights: what a caught window earns, and what a false alarm and a missed window cost.
 */
struct vd_nab_profile {
    const char *name; /* "standard", "reward_low_FP_rate", "reward_low_FN_rate" */
    double tp, fp, fn;
};

/* Returns the benchmark's three profiles; static. `*n` receives 3. */
const struct vd_nab_profile *vd_nab_profiles(size_t *n);

/* A labelled window: the rows first .. last, both included. */
struct vd_nab_window {
    size_t first, last;
};

/* Sums over series. Zero-initialise, then score one series after the other into it. */
struct vd_nab_result {
    double score;        /* earnings less costs */
    double null_score;   /* the score of a detector that never detects */
    double perfect;      /* the score of hitting just the first row of each window */
    size_t windows;      /* windows that can be caught: not all within the probation */
    size_t caught;       /* windows with a detection */
    size_t false_alarms; /* detections outside all windows */
};

/* Counts the rows at the start of a series of n that are not scored: 15 %, at most 750.
 * The benchmark lets every detector know this number. */
size_t vd_nab_probation(size_t n);

/* Computes 2 / (1 + e^(5y)) - 1: 0.98661 at the left edge of a window (y = -1), 0 at its
 * right edge (y = 0), and -1 from three window widths past it (y >= 3). */
double vd_nab_sigmoid(double y);

/* Adds the score of one series to `result`: its detections (n of 0 / 1) against its
 * windows. The windows must ascend, not overlap, and end before n; there may be none. */
void vd_nab_score(const uint8_t *detected, size_t n, const struct vd_nab_window *windows,
                  size_t n_windows, const struct vd_nab_profile *profile,
                  struct vd_nab_result *result);

/* Computes 100 * (score - null) / (perfect - null): 0 = no detections, 100 = perfect, may
 * be negative. NaN without windows. */
double vd_nab_normalised(const struct vd_nab_result *result);

#ifdef __cplusplus
}
#endif

#endif
