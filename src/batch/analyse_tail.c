/* A forward search for the common scores (Atkinson, Riani and Cerioli, Exploring
 * Multivariate Data with the Forward Search, 2004): it begins with the lower nine tenths,
 * whose slope says how far the tail should reach, takes in what lies within that reach,
 * measures the tail anew, and ends when nothing more comes in. Heavy tails grow step by
 * step and take all of their rows in; what stands apart stays out. */
#include "batch/analyse_tail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vedette/stats.h"

/* Sets the share of the rows that the search begins with, and how many rows it may expect
 * beyond the reach of the tail. */
static const double COMMON = 0.9, EXPECTED_BEYOND = 0.05;

/* Sets the share of the rows that are the tail, and the fewest that can tell its slope.
 */
static const double TAIL = 0.05;
enum { TAIL_MIN = 5, ROUNDS_MAX = 100 };

/* Gives the first index above `reach`, from `from` on. */
static size_t first_above(const double *sorted, size_t n, size_t from, double reach)
{
    while (from < n && sorted[from] <= reach)
        from++;
    return from;
}

/* Gives how far the tail of the first k of n scores reaches, by the mean excess above the
 * start of their tail. */
static double reach_of(const double *sorted, size_t k)
{
    size_t tail = (size_t)(TAIL * (double)k), start;
    double sum = 0;

    if (tail < TAIL_MIN)
        tail = TAIL_MIN < k / 2 ? TAIL_MIN : k / 2 + 1;
    start = k - tail - (k > tail);
    for (size_t i = start + 1; i < k; i++)
        sum += sorted[i] - sorted[start];
    return sorted[start] + sum / (double)tail * log((double)tail / EXPECTED_BEYOND);
}

/* Counts the scores, of n sorted ones, that belong together. */
static size_t count_common(const double *sorted, size_t n)
{
    double half = vd_quantile_sorted(sorted, n, 0.5);
    double most = vd_quantile_sorted(sorted, n, COMMON);
    double slope = (most - half) / log(0.5 / (1 - COMMON));
    double rest = (1 - COMMON) * (double)n;
    size_t common = (size_t)(COMMON * (double)n), before = 0;

    common = first_above(sorted, n, common, most + slope * log(rest / EXPECTED_BEYOND));
    for (int i = 0; common < n && common != before && i < ROUNDS_MAX; i++) {
        before = common;
        common = first_above(sorted, n, common, reach_of(sorted, common));
    }
    return common;
}

enum vd_status batch_tail_fit(struct vd_calibration *c, const double *score, size_t n,
                              bool clean, struct vd_error *err)
{
    double *sorted;
    enum vd_status status;
    size_t kept = 0;

    if (clean)
        return vd_calibration_fit(c, score, n, err);
    sorted = malloc((n + 1) * sizeof *sorted);
    if (sorted == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory to sort the scores");
    for (size_t i = 0; i < n; i++)
        if (!isnan(score[i]))
            sorted[kept++] = score[i];
    vd_sort(sorted, kept);
    if (kept >= VD_CALIBRATION_MIN)
        kept = count_common(sorted, kept);
    status = vd_calibration_fit(c, sorted, kept, err);
    free(sorted);
    return status;
}
