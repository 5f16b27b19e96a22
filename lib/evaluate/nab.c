/* The score of the Numenta Anomaly Benchmark; the papers are in nab.h. Reading the
 * benchmark's files and choosing a threshold are not done here.
 *
 * Each window pays once, for its earliest detection; each detection outside costs by its
 * distance to the window before it. Positions are those of the benchmark's own program:
 * in a window of w rows, row k = 0 .. w - 1 is at y = -(w - k) / w, so that the last row
 * still earns a little; row k past the window's end is at y = k / (w - 1).
 */
#include "vedette/nab.h"

#include <assert.h>
#include <math.h>

enum { PROBATION_ROWS_MAX = 750 };

static const struct vd_nab_profile PROFILES[] = {
    {"standard", 1, 0.11, 1},
    {"reward_low_FP_rate", 1, 0.22, 1},
    {"reward_low_FN_rate", 1, 0.11, 2},
};

const struct vd_nab_profile *vd_nab_profiles(size_t *n)
{
    *n = sizeof PROFILES / sizeof PROFILES[0];
    return PROFILES;
}

size_t vd_nab_probation(size_t n)
{
    size_t rows = n / 20 * 3 + n % 20 * 3 / 20; /* 15 %, whole rows, no overflow */

    return rows < PROBATION_ROWS_MAX ? rows : PROBATION_ROWS_MAX;
}

double vd_nab_sigmoid(double y)
{
    return y >= 3 ? -1 : 2 / (1 + exp(5 * y)) - 1;
}

/* Computes what a window earns by its earliest detection from row `from` on; 0 = missed.
 */
static double earned(const uint8_t *detected, size_t from,
                     const struct vd_nab_window *window)
{
    double width = (double)(window->last - window->first + 1);

    for (size_t i = from; i <= window->last; i++)
        if (detected[i])
            return vd_nab_sigmoid(-(double)(window->last - i + 1) / width) /
                   vd_nab_sigmoid(-1);
    return 0;
}

/* Computes the cost (<= 0) of the detections in rows from .. to - 1, which follow the
 * window `before` (NULL = none), and adds their number to *count. */
static double lost(const uint8_t *detected, size_t from, size_t to,
                   const struct vd_nab_window *before, size_t *count)
{
    double sum = 0;

    for (size_t i = from; i < to; i++) {
        if (!detected[i])
            continue;
        (*count)++;
        if (before == NULL)
            sum += vd_nab_sigmoid(3);
        else
            sum += vd_nab_sigmoid((double)(i - before->last) /
                                  (double)(before->last - before->first));
    }
    return sum;
}

void vd_nab_score(const uint8_t *detected, size_t n, const struct vd_nab_window *windows,
                  size_t n_windows, const struct vd_nab_profile *profile,
                  struct vd_nab_result *result)
{
    const struct vd_nab_window *before = NULL;
    size_t probation = vd_nab_probation(n), next = probation;
    double loss = 0;

    for (size_t k = 0; k < n_windows; k++) {
        const struct vd_nab_window *window = &windows[k];
        size_t from = window->first > probation ? window->first : probation;
        double gain;

        assert(window->first <= window->last && window->last < n);
        loss += lost(detected, next, window->first, before, &result->false_alarms);
        before = window;
        if (window->last + 1 > next)
            next = window->last + 1;
        if (window->last < probation)
            continue;
        gain = earned(detected, from, window);
        result->windows++;
        result->caught += gain > 0;
        result->score += gain > 0 ? profile->tp * gain : -profile->fn;
        result->null_score -= profile->fn;
        result->perfect += profile->tp;
    }
    loss += lost(detected, next, n, before, &result->false_alarms);
    result->score += profile->fp * loss;
}

double vd_nab_normalised(const struct vd_nab_result *result)
{
    if (result->windows == 0)
        return NAN;
    return 100 * (result->score - result->null_score) /
           (result->perfect - result->null_score);
}
