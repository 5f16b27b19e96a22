/* Summary numbers of an array.
 *
 * NaN in the input is not skipped unless a function says so: callers decide what a
 * missing value means. Results have the unit of the array, variances its square. Arrays
 * are borrowed; a function that takes a non-const array changes it.
 */
#ifndef VD_STATS_H
#define VD_STATS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Computes the arithmetic mean; NaN for n = 0. */
double vd_mean(const double *x, size_t n);

/* Computes the variance with divisor n - ddof, in two passes; NaN when n <= ddof. */
double vd_variance(const double *x, size_t n, size_t ddof);

/* Computes the quantile q (0 .. 1) of `sorted` (ascending, no NaN), linear between
 * neighbours: type 7 of Hyndman and Fan, American Statistician 1996, the default of
 * NumPy. NaN for n = 0. */
double vd_quantile_sorted(const double *sorted, size_t n, double q);

/* Sorts ascending in place; NaN goes to the end. */
void vd_sort(double *x, size_t n);

/* Computes the median; sorts x. NaN for n = 0. */
double vd_median(double *x, size_t n);

/* Computes the median absolute deviation from `center`, times 1.4826, which makes it a
 * sigma under the normal law. Overwrites x. NaN for n = 0. */
double vd_mad(double *x, size_t n, double center);

/* Running mean and variance (Welford, Technometrics 1962). Zero-initialise; copied
 * freely.
 */
struct vd_moments {
    double n, mean;
    double m2; /* sum of squared deviations from the mean */
};

/* Adds a number; NaN makes all further results NaN. */
void vd_moments_add(struct vd_moments *m, double x);

/* Computes the sample variance (divisor n - 1); NaN for n < 2. */
double vd_moments_variance(const struct vd_moments *m);

#ifdef __cplusplus
}
#endif

#endif
