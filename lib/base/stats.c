/* Mean, variance, quantiles and running moments of an array. Nothing is estimated from a
 * sketch: the whole array is at hand and sorted where order matters.
 */
#include "vedette/stats.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

double vd_mean(const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return n == 0 ? NAN : sum / (double)n;
}

double vd_variance(const double *x, size_t n, size_t ddof)
{
    double mean = vd_mean(x, n);
    double sum = 0;

    if (n <= ddof)
        return NAN;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum / (double)(n - ddof);
}

double vd_quantile_sorted(const double *sorted, size_t n, double q)
{
    double position, below;
    size_t i;

    if (n == 0)
        return NAN;
    assert(q >= 0 && q <= 1);
    position = q * (double)(n - 1);
    below = floor(position);
    i = (size_t)below;
    if (i + 1 >= n)
        return sorted[n - 1];
    return sorted[i] + (position - below) * (sorted[i + 1] - sorted[i]);
}

/* Orders NaN after every number: qsort needs a total order. */
static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

void vd_sort(double *x, size_t n)
{
    if (n > 1)
        qsort(x, n, sizeof *x, compare_doubles);
}

double vd_median(double *x, size_t n)
{
    vd_sort(x, n);
    return vd_quantile_sorted(x, n, 0.5);
}

double vd_mad(double *x, size_t n, double center)
{
    for (size_t i = 0; i < n; i++)
        x[i] = fabs(x[i] - center);
    return 1.4826 * vd_median(x, n);
}

void vd_moments_add(struct vd_moments *m, double x)
{
    double delta = x - m->mean;

    m->n += 1;
    m->mean += delta / m->n;
    m->m2 += delta * (x - m->mean);
}

double vd_moments_variance(const struct vd_moments *m)
{
    return m->n < 2 ? NAN : m->m2 / (m->n - 1);
}
