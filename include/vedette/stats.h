/* Summary numbers of an array. NaN in the input is not skipped unless a function says so:
 * callers decide what a missing value means. */
#ifndef VD_STATS_H
#define VD_STATS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Arithmetic mean; NaN for n = 0. */
double vd_mean(const double *x, size_t n);

/* Variance with divisor n - ddof (two passes); NaN when n <= ddof. */
double vd_variance(const double *x, size_t n, size_t ddof);

/* Quantile q in [0, 1] of `sorted` (ascending), linear between neighbours (type 7 of
 * Hyndman and Fan, the default of NumPy); NaN for n = 0. */
double vd_quantile_sorted(const double *sorted, size_t n, double q);

/* Sorts ascending in place; NaN goes to the end. */
void vd_sort(double *x, size_t n);

/* Median; reorders x. NaN for n = 0. */
double vd_median(double *x, size_t n);

/* Median absolute deviation from `center`, times 1.4826 (a sigma under the normal);
 * overwrites x. NaN for n = 0. */
double vd_mad(double *x, size_t n, double center);

/* Running mean and variance (Welford, Technometrics 1962). Zero-initialise. */
struct vd_moments {
    double n, mean, m2;
};

void vd_moments_add(struct vd_moments *m, double x);

/* Sample variance (divisor n - 1); NaN for n < 2. */
double vd_moments_variance(const struct vd_moments *m);

#ifdef __cplusplus
}
#endif

#endif
