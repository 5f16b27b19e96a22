/* The rolling window of normal samples: a ring of them and the same samples in order.
 *
 * Insertion and removal find their place by bisection and move at most n floats, which
 * for a window of 200 is less work than any tree. The median absolute deviation is read
 * off the sorted array from the median outwards, as the merge of two sorted runs: no
 * copy, no sort. Which samples are normal is the caller's decision.
 *
 * Robust scale: Rousseeuw and Croux, "Alternatives to the median absolute deviation",
 * JASA 1993 (the factors that make it a sigma under the normal law).
 */
#include "vedette/zscore.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"

enum { ROLLING_VERSION = 1 };

enum vd_status vd_rolling_init(struct vd_rolling *rolling, size_t window)
{
    *rolling = (struct vd_rolling){0};
    if (window == 0)
        window = VD_ROLLING_WINDOW;
    if (window < VD_ROLLING_MIN || window > VD_ROLLING_MAX)
        return VD_ERR_ARGUMENT;
    rolling->ring = vd__alloc_zero(2 * window, sizeof *rolling->ring);
    if (rolling->ring == NULL)
        return VD_ERR_MEMORY;
    rolling->sorted = rolling->ring + window;
    rolling->window = window;
    return VD_OK;
}

void vd_rolling_release(struct vd_rolling *rolling)
{
    if (rolling == NULL)
        return;
    vd__free(rolling->ring);
    *rolling = (struct vd_rolling){0};
}

/* Counts the sorted values that are below x: the place where x is, or belongs. */
static size_t rank_of(const struct vd_rolling *rolling, float x)
{
    size_t low = 0, high = rolling->n;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (rolling->sorted[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Removes x, which must be there, from the sorted values. */
static void take_out(struct vd_rolling *rolling, float x)
{
    size_t at = rank_of(rolling, x);

    assert(at < rolling->n && rolling->sorted[at] == x);
    memmove(rolling->sorted + at, rolling->sorted + at + 1,
            (rolling->n - at - 1) * sizeof *rolling->sorted);
    rolling->n--;
}

/* Inserts x into the sorted values. */
static void put_in(struct vd_rolling *rolling, float x)
{
    size_t at = rank_of(rolling, x);

    assert(rolling->n < rolling->window);
    memmove(rolling->sorted + at + 1, rolling->sorted + at,
            (rolling->n - at) * sizeof *rolling->sorted);
    rolling->sorted[at] = x;
    rolling->n++;
}

/* Converts to a float within a quarter of its range, so that differences stay finite. */
static float as_float(double x)
{
    return (float)fmin(fmax(x, -FLT_MAX / 4), FLT_MAX / 4);
}

void vd_rolling_push(struct vd_rolling *rolling, double x)
{
    float value = as_float(x);

    if (isnan(x))
        return;
    if (rolling->n == rolling->window)
        take_out(rolling, rolling->ring[rolling->next]);
    put_in(rolling, value);
    rolling->ring[rolling->next] = value;
    rolling->next = (rolling->next + 1) % rolling->window;
}

double vd_rolling_expected(const struct vd_rolling *rolling)
{
    size_t n = rolling->n;

    if (n < VD_ROLLING_MIN)
        return NAN;
    return ((double)rolling->sorted[(n - 1) / 2] + rolling->sorted[n / 2]) / 2;
}

/* Finds the median of |x - center|: walks outwards from the middle, always to the nearer
 * side. */
static double median_deviation(const float *sorted, size_t n, double center)
{
    size_t left = n / 2, right = n / 2; /* next: left - 1 and right */
    double deviation = 0, before = 0;

    for (size_t i = 0; i <= n / 2; i++) {
        double down = left > 0 ? center - sorted[left - 1] : INFINITY;
        double up = right < n ? sorted[right] - center : INFINITY;

        before = deviation;
        if (down < up)
            left--;
        else
            right++;
        deviation = fmin(down, up);
    }
    return n % 2 == 1 ? deviation : (before + deviation) / 2;
}

static double mean_deviation(const float *sorted, size_t n, double center)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += fabs(sorted[i] - center);
    return sum / (double)n;
}

double vd_rolling_sigma(const struct vd_rolling *rolling)
{
    double center = vd_rolling_expected(rolling), sigma;

    if (isnan(center))
        return NAN;
    sigma = 1.4826 * median_deviation(rolling->sorted, rolling->n, center);
    if (sigma > 0)
        return sigma;
    return 1.2533 * mean_deviation(rolling->sorted, rolling->n, center);
}

double vd_rolling_z(const struct vd_rolling *rolling, double x, double least_sigma)
{
    double sigma = vd_rolling_sigma(rolling), difference;

    if (isnan(x) || isnan(sigma))
        return NAN;
    /* x is rounded as the samples were, so that an equal value differs by exactly 0. */
    difference = as_float(x) - vd_rolling_expected(rolling);
    if (difference == 0)
        return 0;
    return fmin(fmax(difference / fmax(sigma, least_sigma), -VD_Z_MAX), VD_Z_MAX);
}

void vd_rolling_save(const struct vd_rolling *rolling, struct vd_writer *w)
{
    size_t oldest = rolling->n == rolling->window ? rolling->next : 0;

    vd_write_u8(w, ROLLING_VERSION);
    vd_write_u64(w, rolling->n);
    for (size_t i = 0; i < rolling->n; i++)
        vd_write_f32(w, rolling->ring[(oldest + i) % rolling->window]);
}

enum vd_status vd_rolling_load(struct vd_rolling *rolling, struct vd_reader *r,
                               struct vd_error *err)
{
    uint8_t version = vd_read_u8(r);
    size_t n = vd_read_count(r, sizeof(float));

    rolling->n = rolling->next = 0;
    for (size_t i = 0; i < n && version == ROLLING_VERSION; i++) {
        double x = vd_read_f32(r);

        if (!isfinite(x))
            r->failed = true;
        vd_rolling_push(rolling, x);
    }
    if (version == ROLLING_VERSION && !r->failed)
        return VD_OK;
    r->failed = true;
    rolling->n = rolling->next = 0;
    return vd_error_set(err, VD_ERR_FORMAT, "it will be learnt again",
                        "the saved window of normal samples is damaged");
}
