/* strtod knows the locale's decimal point and runs to a terminator that these texts do
 * not have, so numbers are cut out first and checked here. */
#include "format/scan.h"

#include <math.h>

bool collect_text_word(struct collect_text *t, char *word, size_t size)
{
    const char *start;
    size_t length;

    collect_text_skip_blanks(t);
    start = t->at;
    if (!collect_text_skip_word(t))
        return false;
    length = (size_t)(t->at - start);
    if (length > size - 1)
        length = size - 1;
    memcpy(word, start, length);
    word[length] = '\0';
    return true;
}

bool collect_text_i64(struct collect_text *t, int64_t *value)
{
    struct collect_text from = *t;
    uint64_t size;
    bool negative;

    collect_text_skip_blanks(t);
    negative = collect_text_skip(t, "-");
    if (t->at == t->end || *t->at == ' ' || *t->at == '\t' ||
        !collect_text_u64(t, &size) || size > INT64_MAX) {
        *t = from;
        return false;
    }
    *value = negative ? -(int64_t)size : (int64_t)size;
    return true;
}

static bool is_digit(const struct collect_text *t)
{
    return t->at < t->end && *t->at >= '0' && *t->at <= '9';
}

/* "e-5", "E+10"; no change when that is not what stands there. */
static int exponent(struct collect_text *t)
{
    struct collect_text from = *t;
    bool negative = false;
    int value = 0;

    if (!collect_text_skip(t, "e") && !collect_text_skip(t, "E"))
        return 0;
    if (collect_text_skip(t, "-"))
        negative = true;
    else
        collect_text_skip(t, "+");
    if (!is_digit(t)) {
        *t = from;
        return 0;
    }
    for (; is_digit(t); t->at++)
        value = value < 10000 ? value * 10 + (*t->at - '0') : value;
    return negative ? -value : value;
}

bool collect_text_number(struct collect_text *t, double *value)
{
    struct collect_text from = *t;
    long double sum = 0;
    int scale = 0;
    bool negative, any = false;

    collect_text_skip_blanks(t);
    negative = collect_text_skip(t, "-");
    if (!negative)
        collect_text_skip(t, "+");
    for (; is_digit(t); t->at++, any = true)
        sum = sum * 10 + (*t->at - '0');
    if (collect_text_skip(t, "."))
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

bool collect_text_counter(struct collect_text *t, double *value)
{
    struct collect_text word;
    uint64_t counter;

    collect_text_skip_blanks(t);
    word = *t;
    if (!collect_text_skip_word(t))
        return false;
    word.end = t->at;
    *value =
        collect_text_u64(&word, &counter) && word.at == word.end ? (double)counter : NAN;
    return true;
}

double collect_text_only_number(const char *text, size_t size)
{
    struct collect_text t = collect_text_of(text, size);
    double value;

    if (!collect_text_number(&t, &value))
        return NAN;
    while (t.at < t.end && (*t.at == ' ' || *t.at == '\n' || *t.at == '\0'))
        t.at++;
    return t.at == t.end ? value : NAN;
}

size_t collect_text_cpu_list(const char *text, size_t size, bool *set, size_t n)
{
    struct collect_text t = collect_text_of(text, size);
    size_t count = 0;
    uint64_t first, last;

    memset(set, 0, n * sizeof *set);
    while (collect_text_u64(&t, &first)) {
        last = first;
        if (collect_text_skip(&t, "-") && !collect_text_u64(&t, &last))
            return 0;
        for (uint64_t i = first; i <= last && i < n; i++) {
            count += !set[i];
            set[i] = true;
        }
        if (!collect_text_skip(&t, ","))
            break;
    }
    return count;
}
