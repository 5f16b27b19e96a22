/* Turns a distance into a surprise: -log10 of the share of past distances that were as
 * large, counted below the 95 % quantile and by an exponential law above it.
 *
 * A bin is the exponent and the first three bits of the mantissa of the distance as a
 * float, so finding it costs a shift. 40 octaves are kept, 16 of them below the first
 * distance that was not zero; distances beyond them count in the bin at the end.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "stream/state.h"

enum { BITS_DROPPED = 20, BINS_BELOW_FIRST = 128 };

static const double TAIL_SHARE = 0.05;
static const double LOG10_E = 0.43429448190325182765;

/* Returns the bin of d before the base is subtracted. */
static int32_t raw_bin(float d)
{
    uint32_t bits;

    memcpy(&bits, &d, sizeof bits);
    return (int32_t)(bits >> BITS_DROPPED);
}

/* Returns the bin of d, 0 .. TAIL_BINS - 1. */
static int32_t bin_of(const struct vd__tail *tail, float d)
{
    int32_t bin = raw_bin(d) - tail->base;

    return bin < 0 ? 0 : bin >= TAIL_BINS ? TAIL_BINS - 1 : bin;
}

/* Returns the lowest distance of a bin. */
static float bin_edge(const struct vd__tail *tail, int32_t bin)
{
    uint32_t bits = (uint32_t)(bin + tail->base) << BITS_DROPPED;
    float edge;

    memcpy(&edge, &bits, sizeof edge);
    return edge;
}

static double bin_center(const struct vd__tail *tail, int32_t bin)
{
    return ((double)bin_edge(tail, bin) + bin_edge(tail, bin + 1)) / 2;
}

/* Counts the distances in bins `bin` .. start - 1, whole groups at once. */
static double count_below_start(const struct vd__tail *tail, int32_t bin)
{
    double sum = 0;

    for (; bin < tail->start && bin % TAIL_GROUP != 0; bin++)
        sum += tail->count[bin];
    for (; bin + TAIL_GROUP <= tail->start; bin += TAIL_GROUP)
        sum += tail->group[bin / TAIL_GROUP];
    for (; bin < tail->start; bin++)
        sum += tail->count[bin];
    return sum;
}

double vd__tail_surprise(const struct vd__tail *tail, float d, double cap)
{
    double n = tail->n, s, mean, start;
    int32_t bin;

    if (!(d > 0) || n <= 0)
        return 0;
    if (tail->base == 0)
        return fmin(log10(n + 1), cap); /* all distances so far were 0 */
    bin = bin_of(tail, d);
    if (bin < tail->start) {
        double as_large = tail->above + count_below_start(tail, bin);

        return fmin(-log10((as_large + 0.5) / (n + 0.5)), cap);
    }
    if (tail->above <= 0)
        return fmin(log10(n + 1), cap);
    start = bin_edge(tail, tail->start);
    mean = tail->sum_above / tail->above - start;
    s = -log10(tail->above / n) + (d - start) / mean * LOG10_E;
    return fmin(fmax(s, 0), cap);
}

/* Moves the start of the tail to where at most TAIL_SHARE of the past is at or above it.
 */
static void settle_start(struct vd__tail *tail)
{
    double most = TAIL_SHARE * tail->n;

    while (tail->start > 0 && tail->above + tail->count[tail->start - 1] <= most) {
        tail->start--;
        tail->above += tail->count[tail->start];
        tail->sum_above += tail->count[tail->start] * bin_center(tail, tail->start);
    }
    while (tail->start < TAIL_BINS - 1 && tail->above > most &&
           tail->above - tail->count[tail->start] > 0) {
        tail->above -= tail->count[tail->start];
        tail->sum_above -= tail->count[tail->start] * bin_center(tail, tail->start);
        tail->start++;
    }
}

/* Halves all counts, so that the past counts less and less, and no float gets so large
 * that adding 1 to it changes nothing. */
static void halve(struct vd__tail *tail)
{
    tail->n = tail->zeros = tail->zeros / 2;
    tail->above = tail->sum_above = 0;
    for (int32_t i = 0; i < TAIL_GROUPS; i++)
        tail->group[i] = 0;
    for (int32_t i = 0; i < TAIL_BINS; i++) {
        tail->count[i] /= 2;
        tail->group[i / TAIL_GROUP] += tail->count[i];
        tail->n += tail->count[i];
        if (i >= tail->start) {
            tail->above += tail->count[i];
            tail->sum_above += tail->count[i] * bin_center(tail, i);
        }
    }
}

void vd__tail_add(struct vd__tail *tail, float d, double memory)
{
    int32_t bin;

    tail->n += 1;
    if (!(d > 0)) {
        tail->zeros += 1;
        goto out;
    }
    if (tail->base == 0) {
        tail->base = raw_bin(d) - BINS_BELOW_FIRST;
        tail->base = tail->base < 1 ? 1 : tail->base;
        tail->base = tail->base > TAIL_BASE_MAX ? TAIL_BASE_MAX : tail->base;
        tail->start = TAIL_BINS - 1;
    }
    bin = bin_of(tail, d);
    tail->count[bin] += 1;
    tail->group[bin / TAIL_GROUP] += 1;
    if (bin >= tail->start) {
        tail->above += 1;
        tail->sum_above += fmin(fmax(d, bin_edge(tail, bin)), bin_edge(tail, bin + 1));
    }
out:
    if (tail->n >= memory)
        halve(tail);
    if (tail->base != 0)
        settle_start(tail);
    assert(tail->start >= 0 && tail->start < TAIL_BINS);
}
