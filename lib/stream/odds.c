/* The surprise of z under its own past, in the unit of the alert budget: how many events
 * as large as this one are expected in one sample.
 *
 * Below the start of the tail this is the share of past samples that were as large. In
 * the tail samples come in clusters, and a cluster is one event. So the tail counts the
 * peaks of blocks of 60 samples: the rate of blocks whose peak was above the start, times
 * a generalised Pareto law for how far above (Pickands, Annals of Statistics 1975; blocks
 * against clustering: Coles, "An introduction to statistical modeling of extreme values",
 * 2001, chapters 3 to 5). The tail starts where the 50 largest peaks begin, so the longer
 * the past, the less is left to the law. An anomaly of ten minutes makes ten of these
 * fifty peaks: the metric is not blind to the next one.
 *
 * While the past is short the law is drawn to a prior, worth PRIOR_PEAKS peaks. The time
 * of day plays no part here.
 */
#include <assert.h>
#include <math.h>

#include "stream/state.h"

enum { TAIL_PEAKS = 50 };

static const double TAIL_SHARE = 0.2; /* of the peaks, while there are few */
static const double PRIOR_PEAKS = 10, PRIOR_MEAN = 0.35;
static const double PRIOR_SHAPE_PEAKS = 50, PRIOR_SHAPE = 0.1;
static const double MEMORY = 1e6; /* samples after which the past counts half */
static const double FADED = 1200; /* samples that the past is worth after vd__odds_fade */

/* Returns the bin of z; the last one takes everything above. */
static int bin_of(double z)
{
    int bin = (int)(z * ODDS_PER_ONE);

    return bin < 0 ? 0 : bin >= ODDS_BINS ? ODDS_BINS - 1 : bin;
}

static double center_of(int bin)
{
    return (bin + 0.5) / ODDS_PER_ONE;
}

/* Fits the law of the excesses of `count` peaks, whose sum and squares are given, by the
 * method of moments, drawn to the prior. */
static void fit(struct vd__odds *odds, double count, double sum, double squares)
{
    double mean = (PRIOR_PEAKS * PRIOR_MEAN + sum) / (PRIOR_PEAKS + count);
    double shape = PRIOR_SHAPE;

    if (count > 2) {
        double square = sum / count * (sum / count), variance = squares / count - square;
        /* Peaks of one bin have no variance but what rounding leaves. */
        double moment = variance > 1e-9 * square ? square / variance : 1;

        shape = (PRIOR_SHAPE_PEAKS * PRIOR_SHAPE + count * (1 - moment) / 2) /
                (PRIOR_SHAPE_PEAKS + count);
    }
    /* A moment is never negative, so with at most TAIL_PEAKS peaks this is below 0.3. */
    odds->shape = fmax(shape, 0);
    odds->scale = mean * (1 - odds->shape);
    assert(odds->scale > 0);
}

/* Finds the start of the tail, its rate and its law. */
static void renew_tail(struct vd__odds *odds)
{
    double most = fmin(TAIL_PEAKS, fmax(TAIL_SHARE * odds->n_peaks, 1));
    double count = 0, sum = 0, squares = 0;
    int bin = ODDS_BINS;

    while (bin > 1 && (count <= 0 || count + odds->peaks[bin - 1] <= most))
        count += odds->peaks[--bin];
    odds->start = (double)bin / ODDS_PER_ONE;
    for (int i = bin; i < ODDS_BINS; i++) {
        double excess = center_of(i) - odds->start;

        sum += odds->peaks[i] * excess;
        squares += odds->peaks[i] * excess * excess;
    }
    odds->rate = fmax(count, 0.5) / odds->n;
    fit(odds, count, sum, squares);
}

/* Finds the surprise of each bin below the tail. */
static void renew_body(struct vd__odds *odds)
{
    double above = 0;

    for (int bin = ODDS_BINS - 1; bin >= 0; bin--) {
        above += odds->rows[bin];
        odds->body[bin] = (float)-log10((above + 0.5) / (odds->n + 0.5));
    }
}

static void renew(struct vd__odds *odds)
{
    renew_tail(odds);
    renew_body(odds);
}

/* Multiplies all counts, so that the past counts less. */
static void weigh(struct vd__odds *odds, double weight)
{
    odds->n *= weight;
    odds->n_peaks *= weight;
    for (int bin = 0; bin < ODDS_BINS; bin++) {
        odds->rows[bin] *= (float)weight;
        odds->peaks[bin] *= (float)weight;
    }
}

void vd__odds_fade(struct vd__odds *odds)
{
    if (odds->n > FADED)
        weigh(odds, FADED / odds->n);
}

void vd__odds_add(struct vd__odds *odds, double z)
{
    odds->n += 1;
    odds->rows[bin_of(z)] += 1;
    odds->peak = fmax(odds->peak, z);
    if (++odds->in_block < ODDS_BLOCK)
        return;
    odds->peaks[bin_of(odds->peak)] += 1;
    odds->n_peaks += 1;
    odds->in_block = 0;
    odds->peak = 0;
    if (odds->n >= MEMORY)
        weigh(odds, 0.5);
    renew(odds);
}

double vd__odds_surprise(const struct vd__odds *odds, double z)
{
    double excess, tail;

    if (odds->n_peaks <= 0)
        return 0;
    excess = (z - odds->start) / odds->scale;
    if (excess < 0)
        return fmax(odds->body[bin_of(z)], 0);
    tail = odds->shape > 1e-6 ? log1p(odds->shape * excess) / odds->shape : excess;
    return tail / log(10) - log10(odds->rate);
}
