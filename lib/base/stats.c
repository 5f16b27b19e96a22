/* Mean, variance, quantiles and running moments of an array. Nothing is estimated from a
 * sketch: the whole array is at hand and sorted where order matters.
 */
#include "vedette/stats.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

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

/* Numbers from which on sorting by their bits is faster, and the bits of a round. */
enum { RADIX_MIN = 2048, RADIX_BITS = 11, RADIX_ROUNDS = 6, RADIX = 1 << RADIX_BITS };

/* Makes whole numbers of doubles that are ordered as these are, NaN last. */
static uint64_t key_of(double x)
{
    uint64_t bits;

    if (isnan(x))
        return UINT64_MAX;
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 != 0 ? ~bits : bits | UINT64_C(1) << 63;
}

static double of_key(uint64_t key)
{
    uint64_t bits = key >> 63 != 0 ? key & ~(UINT64_C(1) << 63) : ~key;
    double x;

    memcpy(&x, &bits, sizeof x);
    return key == UINT64_MAX ? NAN : x;
}

/* Sorts keys by one digit, from -> to. */
static void sort_digit(const uint64_t *from, uint64_t *to, size_t n, unsigned shift)
{
    size_t place[RADIX] = {0}, sum = 0;

    for (size_t i = 0; i < n; i++)
        place[from[i] >> shift & (RADIX - 1)]++;
    for (size_t digit = 0; digit < RADIX; digit++) {
        size_t count = place[digit];

        place[digit] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        to[place[from[i] >> shift & (RADIX - 1)]++] = from[i];
}

/* Sorts by the bits, the lowest digit first; false without memory. */
static bool sort_by_bits(double *x, size_t n)
{
    uint64_t *key = vd__alloc(n, 2 * sizeof *key), *other = key + n;

    if (key == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        key[i] = key_of(x[i]);
    for (unsigned round = 0; round < RADIX_ROUNDS; round += 2) {
        sort_digit(key, other, n, round * RADIX_BITS);
        sort_digit(other, key, n, (round + 1) * RADIX_BITS);
    }
    for (size_t i = 0; i < n; i++)
        x[i] = of_key(key[i]);
    vd__free(key);
    return true;
}

static bool is_sorted(const double *x, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (!(x[i - 1] <= x[i]))
            return false;
    return true;
}

void vd_sort(double *x, size_t n)
{
    if (!is_sorted(x, n) && (n < RADIX_MIN || !sort_by_bits(x, n)))
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
