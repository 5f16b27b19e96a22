/* exp, log and sine with the same bits everywhere.
 *
 * The C library picks variants with fused multiply-add on machines that have it, and
 * these may differ in the last bit. A model and its scores must not, so fits and scores
 * use these: plain multiplications and additions in a fixed order, which compilers also
 * turn into vectors. Relative error below 4e-16 (exp) and 1e-15 (log), error of the
 * sine below 1e-15, measured by the test.
 */
#ifndef VD_BASE_REAL_H
#define VD_BASE_REAL_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Computes e^y for |y| <= ln 2 / 2 by its Taylor series, 13 terms. */
static inline double vd__exp_series(double y)
{
    double s = 1.0 / 479001600.0;

    s = s * y + 1.0 / 39916800.0;
    s = s * y + 1.0 / 3628800.0;
    s = s * y + 1.0 / 362880.0;
    s = s * y + 1.0 / 40320.0;
    s = s * y + 1.0 / 5040.0;
    s = s * y + 1.0 / 720.0;
    s = s * y + 1.0 / 120.0;
    s = s * y + 1.0 / 24.0;
    s = s * y + 1.0 / 6.0;
    s = s * y + 0.5;
    s = s * y + 1.0;
    return s * y + 1.0;
}

/* Computes e^x for -708 .. 709, without a branch. */
static inline double vd__exp_within(double x)
{
    const double magic = 0x1.8p52; /* adding it rounds to an integer in the low bits */
    const double ln2_high = 0x1.62e42fee00000p-1, ln2_low = 0x1.a39ef35793c76p-33;
    double shifted = x * 0x1.71547652b82fep0 + magic;
    double k = shifted - magic;
    double y = (x - k * ln2_high) - k * ln2_low;
    uint64_t bits;
    double power;

    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52;
    memcpy(&power, &bits, sizeof power);
    return vd__exp_series(y) * power;
}

/* Computes e^x: 0 below -708, e^709 above 709. NaN is not allowed. */
static inline double vd__exp(double x)
{
    double within = vd__exp_within(x < -708 ? -708 : x > 709 ? 709 : x);

    return x < -708 ? 0 : within;
}

/* Computes 2^x, with the limits of vd__exp. */
static inline double vd__exp2(double x)
{
    return vd__exp(x * 0x1.62e42fefa39efp-1);
}

/* Computes the natural logarithm of x > 0; -infinity for 0, below 0 and NaN. */
static inline double vd__log(double x)
{
    const double ln2_high = 0x1.62e42fee00000p-1, ln2_low = 0x1.a39ef35793c76p-33;
    double k = 0, m, s, z, sum = 0;
    uint64_t bits;

    if (!(x > 0))
        return -INFINITY;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        k = -54;
    }
    memcpy(&bits, &x, sizeof bits);
    /* Moves the mantissa into [sqrt(1/2), sqrt(2)) and the rest into the exponent. */
    bits += 0x3ff0000000000000U - 0x3fe6a09e667f3bcdU;
    k += (double)((int64_t)(bits >> 52) - 1023);
    bits = (bits & 0x000fffffffffffffU) + 0x3fe6a09e667f3bcdU;
    memcpy(&m, &bits, sizeof m);
    s = (m - 1) / (m + 1);
    z = s * s;
    for (int i = 23; i >= 3; i -= 2)
        sum = (sum + 1.0 / i) * z;
    return k * ln2_high + (2 * s * (1 + sum) + k * ln2_low);
}

/* Computes the logistic function 1 / (1 + e^-x). */
static inline double vd__sigmoid(double x)
{
    double e = vd__exp(x < 0 ? x : -x);

    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

/* Computes the hyperbolic tangent. */
static inline double vd__tanh(double x)
{
    double e = vd__exp(x < 0 ? 2 * x : -2 * x);
    double t = (1 - e) / (1 + e);

    return x < 0 ? -t : t;
}

/* Computes sin(2 pi x) for finite x, whose whole turns are taken off first, without
 * loss. Taylor series up to y^19 for |y| <= pi / 2. */
static inline double vd__sin_turns(double x)
{
    double turn = x - floor(x);
    double half = turn < 0.25 ? turn : turn < 0.75 ? 0.5 - turn : turn - 1;
    double y = half * 6.28318530717958647692, z = y * y, sum = 1;

    for (int i = 18; i >= 2; i -= 2)
        sum = 1 - sum * z / (i * (i + 1.0));
    return y * sum;
}

#endif
