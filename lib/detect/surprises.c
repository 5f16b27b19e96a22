/* Surprises of many scores at once: what calibration.c does one by one with the functions
 * of the C library, by loops that compilers turn into vectors and whose bits are the same
 * on any processor. A number differs from that of the other way in its last digits at
 * most. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/lanes.h"
#include "base/real.h"
#include "vedette/calibration.h"

/* Rows that go in step: the arrays of a step stay in the first cache. */
enum { STEP = 64 };

static const double PI = 3.14159265358979323846;
static const double LN_10 = 2.30258509299404568402, PER_LN_10 = 0.43429448190325182765;
static const double LOG10_2 = 0.30102999566398119521;

/* ---- functions without a branch ---- */

/* Computes -log10 of a number from 1e-300 to 1; anything of all else. */
static inline double minus_log10(double x)
{
    uint64_t bits, exponent;
    double k, m, s, z, sum = 0;

    memcpy(&bits, &x, sizeof bits);
    bits += 0x3ff0000000000000U - 0x3fe6a09e667f3bcdU;
    exponent = (bits >> 52) | 0x4330000000000000U; /* 2^52 + it */
    bits = (bits & 0x000fffffffffffffU) + 0x3fe6a09e667f3bcdU;
    memcpy(&k, &exponent, sizeof k);
    memcpy(&m, &bits, sizeof m);
    k -= 0x1p52 + 1023;
    s = (m - 1) / (m + 1);
    z = s * s;
#pragma GCC unroll 12
    for (int i = 23; i >= 3; i -= 2)
        sum = (sum + 1.0 / i) * z;
    return -(k * (LOG10_2) + 2 * s * (1 + sum) * PER_LN_10);
}

/* Computes the sine for 0 .. pi / 2 by its Taylor series. */
static inline double sine(double y)
{
    double z = y * y, sum = 1.0 / (18 * 19);

#pragma GCC unroll 12
    for (int i = 16; i >= 2; i -= 2)
        sum = (1 - z * sum) * (1.0 / (i * (i + 1)));
    return y * (1 - z * sum);
}

/* Computes cot(p pi) for 0 < p < 1. */
static inline double cotangent(double p)
{
    double rest = 1 - p, near = p < rest ? p : rest;
    double size = sine(PI * fabs(0.5 - p)) / sine(PI * near);

    return copysign(size, 0.5 - p);
}

/* Computes arctan(t) for 0 .. 1: the angle is halved twice, then by its series. */
static inline double arctangent(double t)
{
    double z, sum = 1.0 / 25;

    t = t / (1 + sqrt(1 + t * t));
    t = t / (1 + sqrt(1 + t * t));
    z = t * t;
#pragma GCC unroll 12
    for (int i = 23; i >= 1; i -= 2)
        sum = 1.0 / i - z * sum;
    return 4 * t * sum;
}

/* Computes the p of a Cauchy variate, the inverse of cotangent. */
static inline double share_above(double cauchy)
{
    double size = fabs(cauchy);
    double angle = arctangent((size < 1 ? size : 1) / (size > 1 ? size : 1));
    double positive = (size < 1 ? PI / 2 : 0) + (size < 1 ? -1 : 1) * angle;

    return ((cauchy < 0 ? PI : 0) + (cauchy < 0 ? -1 : 1) * positive) / PI;
}

/* Keeps a surprise within its bounds; NaN becomes 0. */
static inline double clamp(double x)
{
    double positive = x > 0 ? x : 0;

    return positive < VD_SURPRISE_MAX ? positive : VD_SURPRISE_MAX;
}

/* ---- one score ---- */

/* Finds for eight scores the first knot that is not below each; the searches go in step.
 */
static inline void first_knots(const struct vd_calibration *c, const double *raw,
                               size_t *at)
{
    for (size_t k = 0; k < 8; k++)
        at[k] = 0;
    for (size_t half = VD_CALIBRATION_KNOTS / 2; half > 0; half /= 2)
#pragma GCC unroll 8
        for (size_t k = 0; k < 8; k++)
            at[k] += c->knot[at[k] + half - 1] < raw[k] ? half : 0;
}

/* Writes for eight scores the part of the calibration above them, up to its tail. */
static inline void shares_of_body(const struct vd_calibration *c, const double *raw,
                                  double *share)
{
    size_t at[8];

    first_knots(c, raw, at);
    for (size_t k = 0; k < 8; k++) {
        size_t i = at[k] > 0 ? at[k] : 1;
        double low = c->knot[i - 1], high = c->knot[i];
        double place = at[k] > 0 ? (double)(i - 1) + (raw[k] - low) / (high - low) : 0;

        share[k] = 1 - VD_CALIBRATION_TAIL / (VD_CALIBRATION_KNOTS - 1) * place;
    }
}

/* Writes the surprises of STEP scores. */
VD_LANES static void surprises_of(const struct vd_calibration *c, const double *raw,
                                  double *surprise)
{
    const double start = c->tail_start, per_excess = PER_LN_10 / c->tail_mean_excess;
    const double at_start = minus_log10(1 - VD_CALIBRATION_TAIL);
    double share[STEP];

    for (size_t i = 0; i < STEP; i += 8)
        shares_of_body(c, raw + i, share + i);
    for (size_t i = 0; i < STEP; i++) {
        double body = clamp(minus_log10(share[i]));
        double tail = clamp(at_start + (raw[i] - start) * per_excess);

        surprise[i] = raw[i] <= start ? body : raw[i] > start ? tail : NAN;
    }
}

void vd_calibration_surprises(const struct vd_calibration *c, const double *raw,
                              double *surprise, size_t n)
{
    double from[STEP] = {0}, to[STEP];

    for (; n >= STEP; n -= STEP, raw += STEP, surprise += STEP)
        surprises_of(c, raw, surprise);
    if (n == 0)
        return;
    memcpy(from, raw, n * sizeof *from);
    surprises_of(c, from, to);
    memcpy(surprise, to, n * sizeof *to);
}

double vd_calibration_raw(const struct vd_calibration *c, double surprise)
{
    double at_start = -log10(1 - VD_CALIBRATION_TAIL), place;
    size_t i;

    if (surprise >= at_start)
        return c->tail_start + (surprise - at_start) * LN_10 * c->tail_mean_excess;
    place = (1 - pow(10, -surprise)) / VD_CALIBRATION_TAIL * (VD_CALIBRATION_KNOTS - 1);
    i = place > 0 ? (size_t)place : 0;
    if (i >= VD_CALIBRATION_KNOTS - 1)
        return c->tail_start;
    return c->knot[i] + (fmax(place, 0) - (double)i) * (c->knot[i + 1] - c->knot[i]);
}

/* ---- several members ---- */

/* Adds one member's voice for STEP rows, as in calibration.c: its p is held below 0.9. */
VD_LANES static void add_voice(const double *surprise, double *sum, double *voices)
{
    for (size_t i = 0; i < STEP; i++) {
        double p = vd__exp_within(-LN_10 * clamp(surprise[i]));
        double speaks = surprise[i] >= 0 ? 1 : 0;

        sum[i] += speaks * cotangent(p < 0.9 ? p : 0.9);
        voices[i] += speaks;
    }
}

VD_LANES static void finish(const double *sum, const double *voices, double *out)
{
    for (size_t i = 0; i < STEP; i++) {
        double mean = sum[i] / (voices[i] > 0 ? voices[i] : 1);

        out[i] = clamp(minus_log10(share_above(mean))) + (voices[i] > 0 ? 0 : NAN);
    }
}

void vd_surprises_combine(const double *const *surprise, size_t members, size_t n,
                          double *out)
{
    for (size_t i = 0; i < n; i += STEP) {
        size_t rows = n - i < STEP ? n - i : STEP;
        double sum[STEP] = {0}, voices[STEP] = {0}, one[STEP] = {0};

        for (size_t m = 0; m < members; m++) {
            memcpy(one, surprise[m] + i, rows * sizeof *one);
            add_voice(one, sum, voices);
        }
        finish(sum, voices, one);
        memcpy(out + i, one, rows * sizeof *one);
    }
}
