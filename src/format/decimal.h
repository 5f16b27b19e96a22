/* Decimal digits to the nearest double, as strtod rounds in the C locale, without its
 * cost: no locale is asked and nothing is allocated. */
#ifndef VD_FORMAT_DECIMAL_H
#define VD_FORMAT_DECIMAL_H

#include "format/scan.h"

/* Reads a number at the text's beginning: sign, digits with or without a point, an
 * exponent. False, and the text as it was, when there is none or it is too large for a
 * double; what is too small is 0. No blanks are skipped. */
bool format_decimal(struct format_scan *t, double *value);

/* What a field of plain digits holds: 12, -12.5, .5, 12. */
struct format_plain {
    double value;
    unsigned whole, fraction; /* digits before and behind the point */
    bool point;               /* it has one */
    char first;               /* the first digit, or the point */
};

/* Bytes that have to be readable behind the end of a field for format_plain_read. */
enum { FORMAT_SLACK = 16 };

/* The digits of eight bytes, the first of them in the lowest byte, as a number. Signs
 * that are no digit have to be sorted out before. */
static inline uint64_t format_eight_digits(uint64_t digits)
{
    digits = digits * 10 + (digits >> 8);
    digits = (((digits & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064)) +
              (((digits >> 16) & UINT64_C(0x000000ff000000ff)) *
               UINT64_C(0x0000271000000001))) >>
             32;
    return digits;
}

/* Takes up to eight bytes of digits with at most one point among them: *sum is the number
 * without the point, *behind how many digits are behind it, SIZE_MAX without one. Reads
 * eight bytes. False for anything else. */
static inline bool format_eight(const char *at, size_t size, uint64_t *sum,
                                size_t *behind)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t word, points;

    memcpy(&word, at, sizeof word);
    /* Moves the last byte to the top; '0' fills what is below the first one. */
    word = word << (64 - 8 * size) | (ones * '0' >> 4 * size) >> 4 * size;
    word ^= ones * '0';
    points = word ^ (ones * ('.' ^ '0'));
    points = (points - ones) & ~points & tops;
    *behind = SIZE_MAX;
    if (points != 0) {
        uint64_t point = points & -points, below = (point >> 7) - 1;

        *behind = (size_t)__builtin_clzll(point) / 8;
        word = (word & below) << 8 | (word & ~(below | point | (point - (point >> 7))));
    }
    if (((word + ones * 0x76) | word) & tops)
        return false;
    *sum = format_eight_digits(word);
    return true;
}

/* Reads a field that is a plain number of at most sixteen digits, by whole words: the
 * usual field of a table, in a few nanoseconds whatever its length. False for all others.
 * FORMAT_SLACK bytes behind the field must be readable. */
static inline bool format_plain_read(const char *at, size_t size,
                                     struct format_plain *plain)
{
    static const double ten[] = {1e0, 1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7, 1e8,
                                 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16};
    bool negative = size > 0 && *at == '-';
    uint64_t sum, above = 0;
    size_t behind, before = SIZE_MAX, digits;
    double value;

    at += negative;
    size -= negative;
    if (size == 0 || size > 16)
        return false;
    if (size > 8) {
        size_t rest = size - 8;

        if (!format_eight(at, rest, &above, &before) ||
            !format_eight(at + rest, 8, &sum, &behind) ||
            (before != SIZE_MAX && behind != SIZE_MAX))
            return false;
        sum += above * (behind == SIZE_MAX ? 100000000 : 10000000);
        if (before != SIZE_MAX)
            behind = before + 8;
    } else if (!format_eight(at, size, &sum, &behind)) {
        return false;
    }
    plain->first = *at;
    plain->point = behind != SIZE_MAX;
    digits = size - plain->point;
    plain->fraction = plain->point ? (unsigned)behind : 0;
    plain->whole = (unsigned)(digits - plain->fraction);
    if (digits == 0 || sum >= UINT64_C(1) << 53)
        return false;
    /* Both are exact, so there is one rounding. */
    value = (double)sum;
    if (plain->fraction > 0)
        value /= ten[plain->fraction];
    plain->value = negative ? -value : value;
    return true;
}

#endif
