/* A forward search for the common scores (Atkinson, Riani and Cerioli, Exploring
 * Multivariate Data with the Forward Search, 2004): it begins with the lower nine tenths,
 * whose slope says how far the tail should reach, takes in what lies within that reach,
 * measures the tail anew, and ends when nothing comes in or goes out. Heavy tails grow
 * step by step and take all of their rows in; what stands apart stays out.
 *
 * The tail is measured by what happened, not by rows: of rows in order, high scores on
 * end count once, by their peak. Otherwise one fault of an hour among minutes would be
 * sixty witnesses for itself. Many peaks are measured by their quantiles, which a tenth
 * of them cannot move: faults of all heights have no gap below them.
 */
#include "batch/analyse_tail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vedette/stats.h"

/* Sets the share of the rows that the search begins with, and how many peaks it may
 * expect beyond the reach of the tail. */
static const double COMMON = 0.9, BEYOND = 0.05;

/* Sets the fewest peaks that can tell the slope of the tail, and how many tell it by
 * their quantiles. */
enum { TAIL_MIN = 5, PEAKS_MANY = 100, ROUNDS_MAX = 100 };

/* Writes the peaks of what is above `level`, sorted; returns how many there are. A score
 * that is missing ends nothing. */
static size_t find_peaks(const double *score, size_t n, double level, bool ordered,
                         double *peak)
{
    bool open = false;
    size_t peaks = 0;

    for (size_t i = 0; i < n; i++) {
        if (isnan(score[i]))
            continue;
        if (score[i] > level && open && ordered)
            peak[peaks - 1] = fmax(peak[peaks - 1], score[i]);
        else if (score[i] > level)
            peak[peaks++] = score[i];
        open = score[i] > level;
    }
    vd_sort(peak, peaks);
    return peaks;
}

/* Gives how many scores are not above `reach`. */
static size_t count_below(const double *sorted, size_t n, double reach)
{
    size_t i = 0;

    while (i < n && sorted[i] <= reach)
        i++;
    return i;
}

/* Gives the mean excess of an exponential tail, by its median and upper tenth. */
static double slope_of(double half, double most)
{
    return (most - half) / log(0.5 / (1 - COMMON));
}

/* Gives how far k peaks reach by their median and upper tenth, so that a tenth of them
 * may be anything. */
static double reach_of_many(const double *peak, size_t k)
{
    double half = vd_quantile_sorted(peak, k, 0.5);
    double most = vd_quantile_sorted(peak, k, COMMON);

    return most + slope_of(half, most) * log((1 - COMMON) * (double)k / BEYOND);
}

/* Gives how far k peaks reach by the mean excess of their upper half above the others;
 * `level` is below all. */
static double reach_of_few(const double *peak, size_t k, double level)
{
    size_t tail = k / 2 < TAIL_MIN ? TAIL_MIN : k / 2;
    double start = tail < k ? peak[k - tail - 1] : level, sum = 0;

    for (size_t i = k - tail; i < k; i++)
        sum += peak[i] - start;
    return start + sum / (double)tail * log((double)tail / BEYOND);
}

/* Gives the highest of n scores that belong together; `sorted` has them in order of
 * height, `peak` has room for as many. */
static double last_common(const double *score, const double *sorted, size_t n,
                          bool ordered, double *peak)
{
    double half = vd_quantile_sorted(sorted, n, 0.5);
    double level = vd_quantile_sorted(sorted, n, COMMON);
    size_t peaks = find_peaks(score, n, level, ordered, peak), common, before = 0;
    double reach = level + slope_of(half, level) * log(fmax((double)peaks, 1) / BEYOND);
    bool many;

    common = count_below(peak, peaks, reach);
    for (int i = 0; common >= TAIL_MIN && common != before && i < ROUNDS_MAX; i++) {
        before = common;
        many = ordered && common >= PEAKS_MANY;
        reach = many ? reach_of_many(peak, common) : reach_of_few(peak, common, level);
        common = count_below(peak, peaks, reach);
        if (!many && common < before) /* a mean falls with each that is left out */
            common = before;
    }
    return common == 0 ? level : peak[common - 1];
}

static size_t keep_numbers(const double *score, size_t n, double *out)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (!isnan(score[i]))
            out[kept++] = score[i];
    return kept;
}

enum vd_status batch_tail_fit(struct vd_calibration *c, const double *score, size_t n,
                              bool clean, bool ordered, struct vd_error *err)
{
    double *kept, *sorted, *peak;
    enum vd_status status;
    size_t rows;

    if (clean)
        return vd_calibration_fit(c, score, n, err);
    kept = malloc((3 * n + 1) * sizeof *kept);
    if (kept == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory to sort the scores");
    sorted = kept + n;
    peak = sorted + n;
    rows = keep_numbers(score, n, kept);
    memcpy(sorted, kept, rows * sizeof *sorted);
    vd_sort(sorted, rows);
    if (rows >= VD_CALIBRATION_MIN)
        rows = count_below(sorted, rows, last_common(kept, sorted, rows, ordered, peak));
    status = vd_calibration_fit(c, sorted, rows, err);
    free(kept);
    return status;
}
