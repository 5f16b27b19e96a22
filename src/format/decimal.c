/* Three ways, each exact, the cheapest first: one operation on doubles where both parts
 * are whole doubles (W. D. Clinger, "How to read floating point numbers accurately",
 * 1990); whole numbers of 128 bits where the power of ten is small; the C library. */
#include "format/decimal.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 wide;

/* Sets how many digits the C library is given: the middle between two doubles has 767, so
 * of more it matters only whether they are all 0. */
enum { DIGITS_MAX = 800 };

/* Bounds exponents, far beyond any double and any text. */
static const int64_t EXPONENT_MAX = INT64_C(1) << 50;

static bool is_digit(const struct format_scan *t)
{
    return t->at < t->end && *t->at >= '0' && *t->at <= '9';
}

/* Reads "e-5" or "E+10"; the text stays where it is when that is not what stands
 * there. */
static int64_t take_exponent(struct format_scan *t)
{
    struct format_scan from = *t;
    bool negative = false;
    int64_t value = 0;

    if (t->at == t->end || (*t->at != 'e' && *t->at != 'E'))
        return 0;
    t->at++;
    if (t->at < t->end && (*t->at == '-' || *t->at == '+'))
        negative = *t->at++ == '-';
    if (!is_digit(t)) {
        *t = from;
        return 0;
    }
    for (; is_digit(t); t->at++)
        value = value < EXPONENT_MAX ? value * 10 + (*t->at - '0') : value;
    return negative ? -value : value;
}

/* Holds a number without its sign: it is sum * 10^scale, but for `left` digits that did
 * not fit into the sum. */
struct digits {
    struct format_scan text;
    uint64_t sum;
    int64_t scale;
    bool any, left;
};

/* Takes the digits. When there are more than the sum holds, the first ones are in it, and
 * the rest only move the point. */
static struct digits take_digits(struct format_scan *t)
{
    struct digits digits = {.text = *t};
    bool fraction = false;

    for (; t->at < t->end; t->at++) {
        unsigned digit = (unsigned char)(*t->at - '0');

        if (*t->at == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (digit > 9)
            break;
        digits.any = true;
        if (digits.sum >= UINT64_MAX / 10 - 1) {
            digits.left |= digit > 0;
            digits.scale += !fraction;
            continue;
        }
        digits.sum = digits.sum * 10 + digit;
        digits.scale -= fraction;
    }
    digits.text.end = t->at;
    return digits;
}

/* Rounds value * 2^exponent to the nearest double, to the even one of two. `more` says
 * that the value is a little larger than written. The result is a normal number. */
static double round_wide(wide value, bool more, int exponent)
{
    uint64_t high = (uint64_t)(value >> 64), top;
    int zeros = high != 0 ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)value);
    uint64_t half = UINT64_C(1) << 10, rest;

    value <<= zeros;
    top = (uint64_t)(value >> 64);
    more = more || (uint64_t)value != 0;
    rest = top & (2 * half - 1);
    top >>= 11;
    top += rest > half || (rest == half && (more || (top & 1) != 0));
    return ldexp((double)top, exponent + 64 - zeros + 11);
}

/* Scales by a power of ten up to 27, whose power of five fits into 64 bits: a product, or
 * a quotient with enough digits and whether something is left of it. */
static double scale_wide(uint64_t sum, int scale)
{
    static const uint64_t five[] = {UINT64_C(1),
                                    UINT64_C(5),
                                    UINT64_C(25),
                                    UINT64_C(125),
                                    UINT64_C(625),
                                    UINT64_C(3125),
                                    UINT64_C(15625),
                                    UINT64_C(78125),
                                    UINT64_C(390625),
                                    UINT64_C(1953125),
                                    UINT64_C(9765625),
                                    UINT64_C(48828125),
                                    UINT64_C(244140625),
                                    UINT64_C(1220703125),
                                    UINT64_C(6103515625),
                                    UINT64_C(30517578125),
                                    UINT64_C(152587890625),
                                    UINT64_C(762939453125),
                                    UINT64_C(3814697265625),
                                    UINT64_C(19073486328125),
                                    UINT64_C(95367431640625),
                                    UINT64_C(476837158203125),
                                    UINT64_C(2384185791015625),
                                    UINT64_C(11920928955078125),
                                    UINT64_C(59604644775390625),
                                    UINT64_C(298023223876953125),
                                    UINT64_C(1490116119384765625),
                                    UINT64_C(7450580596923828125)};
    int zeros = __builtin_clzll(sum);
    wide dividend = (wide)(sum << zeros) << 63, quotient;

    if (scale >= 0)
        return round_wide((wide)sum * five[scale], false, scale);
    quotient = dividend / five[-scale];
    return round_wide(quotient, quotient * five[-scale] != dividend, scale - zeros - 63);
}

/* Asks the C library about numbers that are rare: more digits than 64 bits hold, or a
 * power of ten that is large. The digits are copied without the point. */
static double ask_library(const struct digits *digits, int64_t exponent)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    char text[DIGITS_MAX + 32];
    bool fraction = false;
    size_t n = 0;
    double value = NAN;

    for (const char *at = digits->text.at; at < digits->text.end; at++) {
        fraction |= *at == '.';
        if (*at == '.' || (n == 0 && *at == '0')) {
            exponent -= fraction && *at == '0';
            continue;
        }
        exponent += n >= DIGITS_MAX;
        exponent -= fraction;
        if (n < DIGITS_MAX)
            text[n++] = *at;
        else if (*at != '0')
            text[DIGITS_MAX - 1] |= 1; /* only its being odd can matter */
    }
    exponent = exponent > 99999 ? 99999 : exponent < -99999 ? -99999 : exponent;
    snprintf(text + n, sizeof text - n, "e%d", (int)exponent);
    if (c != (locale_t)0) {
        value = strtod_l(text, NULL, c);
        freelocale(c);
    }
    return value;
}

/* Chooses the way. `exponent` is what was written behind the e. */
static double nearest(const struct digits *digits, int64_t exponent)
{
    static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int64_t scale = digits->scale + exponent;

    if (digits->sum == 0)
        return 0;
    if (digits->left || scale < -27 || scale > 27)
        return ask_library(digits, exponent);
    if (digits->sum < UINT64_C(1) << 53 && scale >= -22 && scale <= 22)
        return scale < 0 ? (double)digits->sum / exact[-scale]
                         : (double)digits->sum * exact[scale];
    return scale_wide(digits->sum, (int)scale);
}

bool format_decimal(struct format_scan *t, double *value)
{
    struct format_scan from = *t;
    struct digits digits;
    bool negative = t->at < t->end && *t->at == '-';
    double size = NAN;

    t->at += t->at < t->end && (*t->at == '-' || *t->at == '+');
    digits = take_digits(t);
    if (digits.any)
        size = nearest(&digits, take_exponent(t));
    if (!isfinite(size)) {
        *t = from;
        return false;
    }
    *value = negative ? -size : size;
    return true;
}
