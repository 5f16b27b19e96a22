/* The readers of words and numbers that are not inline. */
#include "format/scan.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <math.h>

#include "format/decimal.h"

/* Adds up eight bytes at a time: a byte of `equal` has its top bit set where the text has
 * a newline. */
size_t format_count_lines(const char *from, const char *to)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), low = ~(ones << 7);
    size_t n = 0;

#ifdef __SSE2__
    const __m128i newline = _mm_set1_epi8('\n');

    /* Adds at most 255 to each byte before they are added up. */
    while (to - from >= 16) {
        size_t steps = (size_t)(to - from) / 16 < 255 ? (size_t)(to - from) / 16 : 255;
        __m128i sum = _mm_setzero_si128();

        for (; steps > 0; steps--, from += 16) {
            __m128i part = _mm_loadu_si128((const __m128i *)(const void *)from);

            sum = _mm_sub_epi8(sum, _mm_cmpeq_epi8(part, newline));
        }
        sum = _mm_sad_epu8(sum, _mm_setzero_si128());
        n += (size_t)_mm_cvtsi128_si64(sum) +
             (size_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(sum, sum));
    }
#endif
    for (; to - from >= 8; from += 8) {
        uint64_t word, other;

        memcpy(&word, from, sizeof word);
        word ^= ones * '\n';
        other = ((word & low) + low) | word; /* top bit: the byte is another one */
        n += (size_t)(((~other & ~low) >> 7) * ones >> 56);
    }
    for (; from < to; from++)
        n += *from == '\n';
    return n;
}

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

/* Reads a number and leaves the text where it was when there is none. What is too large
 * for a double is none. */
bool format_scan_number(struct format_scan *t, double *value)
{
    struct format_scan from = *t;

    format_scan_skip_blanks(t);
    if (format_decimal(t, value))
        return true;
    *t = from;
    return false;
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
