/* strtod knows the locale's decimal point and runs to a terminator that these texts do
 * not have, so numbers are cut out first and checked here. */
#include "format/scan.h"

#include <math.h>
#include <stdlib.h>

bool format_scan_word(struct format_scan *t, char *word, size_t size)
{
    const char *start;
    size_t length;

    format_scan_skip_blanks(t);
    start = t->at;
    if (!format_scan_skip_word(t))
        return false;
    length = (size_t)(t->at - start);
    if (length > size - 1)
        length = size - 1;
    memcpy(word, start, length);
    word[length] = '\0';
    return true;
}

bool format_scan_i64(struct format_scan *t, int64_t *value)
{
    struct format_scan from = *t;
    uint64_t size;
    bool negative;

    format_scan_skip_blanks(t);
    negative = format_scan_skip(t, "-");
    if (t->at == t->end || *t->at == ' ' || *t->at == '\t' ||
        !format_scan_u64(t, &size) || size > INT64_MAX) {
        *t = from;
        return false;
    }
    *value = negative ? -(int64_t)size : (int64_t)size;
    return true;
}

static bool is_digit(const struct format_scan *t)
{
    return t->at < t->end && *t->at >= '0' && *t->at <= '9';
}

/* Reads "e-5" or "E+10"; the text stays where it is when that is not what stands there.
 * The value is bounded, so that many digits cannot overflow. */
static int exponent(struct format_scan *t)
{
    struct format_scan from = *t;
    bool negative = false;
    int value = 0;

    if (!format_scan_skip(t, "e") && !format_scan_skip(t, "E"))
        return 0;
    if (format_scan_skip(t, "-"))
        negative = true;
    else
        format_scan_skip(t, "+");
    if (!is_digit(t)) {
        *t = from;
        return 0;
    }
    for (; is_digit(t); t->at++)
        value = value < 10000 ? value * 10 + (*t->at - '0') : value;
    return negative ? -value : value;
}

/* Holds the digits of a number without its sign, and where its point stands. */
struct digits {
    uint64_t sum;
    int scale; /* the number is sum * 10^scale */
    bool any;
};

/* Takes the digits. When there are more than `sum` holds, the first ones count and the
 * rest only move the point. */
static struct digits take_digits(struct format_scan *t)
{
    struct digits digits = {0};
    const char *at = t->at;
    int fraction = 0;

    for (; at < t->end; at++) {
        unsigned digit = (unsigned char)(*at - '0');

        if (*at == '.' && fraction == 0) {
            fraction = 1;
            continue;
        }
        if (digit > 9)
            break;
        digits.any = true;
        if (digits.sum >= UINT64_MAX / 10 - 1) {
            digits.scale += fraction == 0;
            continue;
        }
        digits.sum = digits.sum * 10 + digit;
        digits.scale -= fraction;
    }
    t->at = at;
    return digits;
}

/* Multiplies by a power of ten. Where the number and the power are exact in a double,
 * there is one rounding and the result is the nearest number; beyond, the longer type
 * makes the error small. */
static double scale_by_ten(uint64_t sum, int scale)
{
    static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    static const long double long_exact[] = {
        1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
        1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
        1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
    int size = abs(scale);
    long double power;

    if (sum == 0)
        return 0;
    if (sum < UINT64_C(1) << 53 && size <= 22)
        return scale < 0 ? (double)sum / exact[size] : (double)sum * exact[size];
    power = size <= 27 ? long_exact[size] : powl(10, size);
    return (double)(scale < 0 ? (long double)sum / power : (long double)sum * power);
}

/* Reads a number and leaves the text where it was when there is none. What is too large
 * for a double is none. */
bool format_scan_number(struct format_scan *t, double *value)
{
    struct format_scan from = *t;
    struct digits digits;
    bool negative;
    double size;

    format_scan_skip_blanks(t);
    negative = t->at < t->end && *t->at == '-';
    t->at += t->at < t->end && (*t->at == '-' || *t->at == '+');
    digits = take_digits(t);
    size = digits.any ? scale_by_ten(digits.sum, digits.scale + exponent(t)) : NAN;
    if (!isfinite(size)) {
        *t = from;
        return false;
    }
    *value = negative ? -size : size;
    return true;
}

/* Reads a whole counter. A word that is none gives NaN and is passed over, so that the
 * words behind it keep their places. */
bool format_scan_counter(struct format_scan *t, double *value)
{
    struct format_scan word;
    uint64_t counter;

    format_scan_skip_blanks(t);
    word = *t;
    if (!format_scan_skip_word(t))
        return false;
    word.end = t->at;
    *value =
        format_scan_u64(&word, &counter) && word.at == word.end ? (double)counter : NAN;
    return true;
}

double format_scan_only_number(const char *text, size_t size)
{
    struct format_scan t = format_scan_of(text, size);
    double value;

    if (!format_scan_number(&t, &value))
        return NAN;
    while (t.at < t.end && (*t.at == ' ' || *t.at == '\n' || *t.at == '\0'))
        t.at++;
    return t.at == t.end ? value : NAN;
}

/* Reads a list of the kernel, "0-3,8", into set[n] and returns how many are set. Numbers
 * from n on are left out. */
size_t format_scan_cpu_list(const char *text, size_t size, bool *set, size_t n)
{
    struct format_scan t = format_scan_of(text, size);
    size_t count = 0;
    uint64_t first, last;

    memset(set, 0, n * sizeof *set);
    while (format_scan_u64(&t, &first)) {
        last = first;
        if (format_scan_skip(&t, "-") && !format_scan_u64(&t, &last))
            return 0;
        for (uint64_t i = first; i <= last && i < n; i++) {
            count += !set[i];
            set[i] = true;
        }
        if (!format_scan_skip(&t, ","))
            break;
    }
    return count;
}
