/* strtod knows the locale's decimal point and runs to a terminator that these texts do
 * not have, so numbers are cut out first and checked here. */
#include "format/scan.h"

#include <math.h>

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

/* "e-5", "E+10"; no change when that is not what stands there. */
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

bool format_scan_number(struct format_scan *t, double *value)
{
    struct format_scan from = *t;
    long double sum = 0;
    int scale = 0;
    bool negative, any = false;

    format_scan_skip_blanks(t);
    negative = format_scan_skip(t, "-");
    if (!negative)
        format_scan_skip(t, "+");
    for (; is_digit(t); t->at++, any = true)
        sum = sum * 10 + (*t->at - '0');
    if (format_scan_skip(t, "."))
        for (; is_digit(t); t->at++, any = true, scale--)
            sum = sum * 10 + (*t->at - '0');
    if (!any) {
        *t = from;
        return false;
    }
    scale += exponent(t);
    if (scale != 0)
        sum = scale < 0 ? sum / powl(10, -scale) : sum * powl(10, scale);
    if (!isfinite((double)sum)) {
        *t = from;
        return false;
    }
    *value = (double)(negative ? -sum : sum);
    return true;
}

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
