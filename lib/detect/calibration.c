/* Tail calibration of raw scores: from training scores to the surprise of a new one.
 *
 * The body of the training scores is kept as 128 quantiles at even levels from 0 to 95 %,
 * the tail above as one number, the mean excess: by the theorem of Pickands, Balkema and
 * de Haan the excess over a high threshold is close to a generalised Pareto law, whose
 * shape is taken to be 0 here (an exponential tail), because the shape cannot be told
 * from the few dozen excesses that a short training leaves.
 *
 * A calibration does not forget or follow drift: it belongs to one fit, and a new fit
 * brings a new one.
 */
#include "vedette/calibration.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "vedette/stats.h"

enum { CALIBRATION_VERSION = 1 };

static const double PI = 3.14159265358979323846;

/* The least width of the tail, as a share of the way from the median to its start. The
 * uniform law, the narrowest that scores have in practice, has 0.055. Scores that take
 * few values may have none above the start, which says nothing about the next score. */
static const double TAIL_NARROWEST = 0.05;

/* Computes the mean excess of the scores above `start`. Where all scores are the same it
 * is a scale that still tells a higher score from a rounding error. */
static double mean_excess(const double *sorted, size_t n, double start)
{
    double sum = 0, floor = TAIL_NARROWEST * (start - vd_quantile_sorted(sorted, n, 0.5));
    size_t above = 0;

    for (size_t i = n; i-- > 0 && sorted[i] > start; above++)
        sum += sorted[i] - start;
    floor = fmax(floor, 1e-9 * (sorted[n - 1] - sorted[0]));
    floor = fmax(floor, 1e-9 * fabs(start));
    floor = fmax(floor, DBL_MIN);
    return above == 0 ? floor : fmax(sum / (double)above, floor);
}

/* Sets the calibration from n sorted scores. */
static void learn(struct vd_calibration *c, const double *sorted, size_t n)
{
    for (size_t i = 0; i < VD_CALIBRATION_KNOTS; i++) {
        double level = VD_CALIBRATION_TAIL * (double)i / (VD_CALIBRATION_KNOTS - 1);

        c->knot[i] = vd_quantile_sorted(sorted, n, level);
    }
    c->tail_start = c->knot[VD_CALIBRATION_KNOTS - 1];
    c->tail_mean_excess = mean_excess(sorted, n, c->tail_start);
    c->n = (double)n;
    assert(c->tail_mean_excess > 0);
}

enum vd_status vd_calibration_fit(struct vd_calibration *c, const double *scores,
                                  size_t n, struct vd_error *err)
{
    double *sorted = vd__alloc(n, sizeof *sorted);
    enum vd_status status = VD_OK;
    size_t kept = 0;

    if (sorted == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory to calibrate %zu scores",
                            n);
    /* Half the range of a double, so that differences of two scores are finite. */
    for (size_t i = 0; i < n; i++)
        if (!isnan(scores[i]))
            sorted[kept++] = fmin(fmax(scores[i], -DBL_MAX / 4), DBL_MAX / 4);
    if (kept < VD_CALIBRATION_MIN) {
        status = vd_error_set(err, VD_ERR_DATA, "train on more rows",
                              "%zu scores are too few to calibrate: %d are needed", kept,
                              VD_CALIBRATION_MIN);
    } else {
        vd_sort(sorted, kept);
        learn(c, sorted, kept);
    }
    vd__free(sorted);
    return status;
}

void vd_calibration_believe(struct vd_calibration *c, double mean)
{
    assert(mean > 0);
    for (size_t i = 0; i < VD_CALIBRATION_KNOTS; i++)
        c->knot[i] =
            -mean * log1p(-VD_CALIBRATION_TAIL * (double)i / (VD_CALIBRATION_KNOTS - 1));
    c->tail_start = c->knot[VD_CALIBRATION_KNOTS - 1];
    c->tail_mean_excess = mean;
    c->n = 0;
}

/* Finds the first knot that is not below `raw`. A score that ties with many training
 * scores takes the level where the tie begins, since p counts all that are as high. */
static size_t first_knot_at(const struct vd_calibration *c, double raw)
{
    size_t low = 0, high = VD_CALIBRATION_KNOTS - 1;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (c->knot[middle] < raw)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Interpolates the level of a score between two knots, 0 .. VD_CALIBRATION_TAIL. */
static double body_level(const struct vd_calibration *c, double raw)
{
    size_t i = first_knot_at(c, raw);
    double step = 0;

    if (i > 0)
        step = (raw - c->knot[i - 1]) / (c->knot[i] - c->knot[i - 1]) - 1;
    return VD_CALIBRATION_TAIL * ((double)i + step) / (VD_CALIBRATION_KNOTS - 1);
}

double vd_calibration_surprise(const struct vd_calibration *c, double raw)
{
    double excess;

    if (isnan(raw))
        return NAN;
    if (raw <= c->tail_start)
        return fmax(0, -log10(1 - body_level(c, raw)));
    excess = (raw - c->tail_start) / c->tail_mean_excess;
    return fmin(-log10(1 - VD_CALIBRATION_TAIL) + excess * log10(exp(1)),
                VD_SURPRISE_MAX);
}

double vd_surprise_of_budget(double budget, double period_s, double interval_s)
{
    double p = budget * interval_s / period_s;

    if (!(p >= 0) || isinf(p))
        return NAN;
    return fmin(fmax(0, -log10(p)), VD_SURPRISE_MAX);
}

double vd_surprise_of_contamination(double contamination)
{
    return vd_surprise_of_budget(contamination, 1, 1);
}

double vd_score_of_surprise(double surprise, double threshold)
{
    if (isnan(surprise) || isnan(threshold))
        return NAN;
    if (threshold <= 0)
        return -1;
    return fmax(-1, fmin(1, 1 - surprise / threshold));
}

/* Turns the surprise of one member into a Cauchy variate, tan((1/2 - p) pi) = cot(p pi).
 * The p of a member is held below 0.9: a score below all training scores has p = 1, where
 * the cotangent is minus infinity and one calm member would outvote all others. Large
 * surprises, which decide verdicts, are not changed. */
static double cauchy_of_surprise(double surprise)
{
    double s = fmin(fmax(surprise, 0), VD_SURPRISE_MAX);

    return 1 / tan(PI * fmin(pow(10, -s), 0.9));
}

double vd_surprise_combine(const double *surprise, const double *weight, size_t n)
{
    double total = 0, sum = 0, p;

    for (size_t i = 0; i < n; i++)
        if (!isnan(surprise[i]) && (weight == NULL || weight[i] > 0))
            total += weight == NULL ? 1 : weight[i];
    if (!(total > 0) || isinf(total))
        return NAN;
    /* Each term is at most 1e300 / pi and the weights sum to 1: nothing overflows. */
    for (size_t i = 0; i < n; i++)
        if (!isnan(surprise[i]) && (weight == NULL || weight[i] > 0))
            sum += (weight == NULL ? 1 : weight[i]) / total *
                   cauchy_of_surprise(surprise[i]);
    /* 1/2 - atan(sum) / pi, without the cancellation that loses all p below 1e-16. */
    p = atan2(1, sum) / PI;
    return fmin(fmax(0, -log10(p)), VD_SURPRISE_MAX);
}

void vd_calibration_save(const struct vd_calibration *c, struct vd_writer *w)
{
    vd_write_u8(w, CALIBRATION_VERSION);
    vd_write_f64s(w, c->knot, VD_CALIBRATION_KNOTS);
    vd_write_f64(w, c->tail_mean_excess);
    vd_write_f64(w, c->n);
}

/* Checks what was read against what a fit can have made. */
static bool is_sound(const struct vd_calibration *c)
{
    for (size_t i = 0; i < VD_CALIBRATION_KNOTS; i++)
        if (!isfinite(c->knot[i]) || (i > 0 && c->knot[i] < c->knot[i - 1]))
            return false;
    return isfinite(c->tail_mean_excess) && c->tail_mean_excess > 0 && isfinite(c->n) &&
           (c->n == 0 || c->n >= VD_CALIBRATION_MIN);
}

enum vd_status vd_calibration_load(struct vd_calibration *c, struct vd_reader *r,
                                   struct vd_error *err)
{
    struct vd_calibration read = {0};
    uint8_t version = vd_read_u8(r);

    if (!r->failed && version != CALIBRATION_VERSION)
        return vd_error_set(err, VD_ERR_VERSION, "train the model again",
                            "the calibration has version %u, this program reads %d",
                            version, CALIBRATION_VERSION);
    vd_read_f64s(r, read.knot, VD_CALIBRATION_KNOTS);
    read.tail_start = read.knot[VD_CALIBRATION_KNOTS - 1];
    read.tail_mean_excess = vd_read_f64(r);
    read.n = vd_read_f64(r);
    if (r->failed || !is_sound(&read)) {
        r->failed = true;
        return vd_error_set(err, VD_ERR_FORMAT, "train the model again",
                            "the calibration in the model is cut short or damaged");
    }
    *c = read;
    return VD_OK;
}
