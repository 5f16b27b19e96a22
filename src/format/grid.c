/* All separators of a piece are found in one go, then its numbers column by column, four
 * rows at a time where the processor has AVX2: the steps of format_eight in each lane. */
#include "format/grid.h"

#include <stdlib.h>

#include "format/decimal.h"
#include "format/marks.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define WIDE 1
#endif

/* Bytes that are looked at at once. */
enum { STEP = 64 };

void format_grid_release(struct format_grid *grid)
{
    free(grid->end);
    *grid = (struct format_grid){0};
}

#ifdef __SSE2__

/* ---- where fields end ---- */

/* Makes room for one place a byte of a step more. */
static bool make_room(struct format_grid *g, size_t n)
{
    size_t room = g->room == 0 ? 1 << 14 : 2 * g->room;
    uint32_t *larger;

    if (n + STEP <= g->room)
        return true;
    larger = realloc(g->end, room * sizeof *larger);
    if (larger == NULL)
        return false;
    g->end = larger;
    g->room = room;
    return true;
}

/* Writes the places of the bits, which may be followed by some that mean nothing. */
static inline size_t put_places(uint32_t *end, uint64_t bits, size_t at)
{
    size_t n = (size_t)__builtin_popcountll(bits);

    for (size_t i = 0; i < n; i += 4)
#pragma GCC unroll 4
        for (size_t k = 0; k < 4; k++) {
            end[i + k] =
                (uint32_t)(at + (size_t)__builtin_ctzll(bits | UINT64_C(1) << 63));
            bits &= bits - 1;
        }
    return n;
}

/* Finds all separators and newlines; SIZE_MAX when there is a quote or a NUL byte, and
 * without memory. It is compiled for any processor and for those that count bits. */
static inline __attribute__((always_inline)) size_t
search(struct format_grid *g, size_t size, char separator, size_t *lines)
{
    const __m128i quote = _mm_set1_epi8('"'), nul = _mm_setzero_si128();
    __m128i bad = nul;
    size_t n = 0;

    for (size_t at = 0; at < size; at += STEP) {
        char rest[STEP] = {' '};
        size_t left = size - at < STEP ? size - at : STEP;
        const char *from = g->text + at;
        __m128i part[4];
        uint64_t newlines;

        if (left < STEP) {
            memset(rest, ' ', STEP);
            from = memcpy(rest, from, left);
        }
        for (int i = 0; i < 4; i++)
            part[i] = _mm_loadu_si128((const __m128i *)(const void *)(from + 16 * i));
        newlines = format_marks(part, '\n');
        for (int i = 0; i < 4; i++)
            bad = _mm_or_si128(bad, _mm_or_si128(_mm_cmpeq_epi8(part[i], quote),
                                                 _mm_cmpeq_epi8(part[i], nul)));
        if (n + STEP > g->room && (_mm_movemask_epi8(bad) != 0 || !make_room(g, n)))
            return SIZE_MAX;
        *lines += (size_t)__builtin_popcountll(newlines);
        n += put_places(g->end + n, format_marks(part, separator) | newlines, at);
    }
    return _mm_movemask_epi8(bad) != 0 ? SIZE_MAX : n;
}

#ifdef WIDE
__attribute__((target("avx2,bmi,popcnt"))) static size_t
search_wide(struct format_grid *g, size_t size, char separator, size_t *lines)
{
    return search(g, size, separator, lines);
}
#endif

static size_t find_places(struct format_grid *g, size_t size, char separator,
                          size_t *lines)
{
#ifdef WIDE
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi"))
        return search_wide(g, size, separator, lines);
#endif
    return search(g, size, separator, lines);
}

bool format_grid_find(struct format_grid *g, const char *text, size_t size,
                      char separator, size_t columns)
{
    size_t lines = 0, n;

    g->text = text;
    g->columns = columns;
    if (columns < 2 || size == 0 || size > UINT32_MAX - STEP || separator == ' ' ||
        separator == FORMAT_BLANKS || text[size - 1] != '\n')
        return false;
    n = find_places(g, size, separator, &lines);
    if (n != lines * columns)
        return false;
    for (size_t row = 0; row < lines; row++)
        if (text[g->end[row * columns + columns - 1]] != '\n')
            return false;
    g->rows = lines;
    return true;
}

#else

bool format_grid_find(struct format_grid *g, const char *text, size_t size,
                      char separator, size_t columns)
{
    (void)g, (void)text, (void)size, (void)separator, (void)columns;
    return false;
}

#endif

struct format_csv_field format_grid_field(const struct format_grid *g, size_t row,
                                          size_t column)
{
    struct format_csv_field bytes = format_grid_bytes(g, row, column);

    return format_csv_trim(bytes.at, bytes.at + bytes.size);
}

/* ---- numbers ---- */

/* Tells of a number with three digits behind the point whether it may be one of
 * thousands. */
static inline uint8_t shape_of_three(const char *at, size_t size)
{
    return size >= 5 && size <= 7 && *at != '0' ? FORMAT_SHAPE_EITHER
                                                : FORMAT_SHAPE_POINT;
}

/* Reads one field. */
static void read_one(struct format_csv_field f, double *value, uint8_t *shape)
{
    struct format_plain plain;
    bool negative = f.size > 0 && *f.at == '-';

    *shape = FORMAT_SHAPE_OTHER;
    if (!format_plain_read(f.at, f.size, &plain))
        return;
    *value = plain.value;
    *shape = !plain.point          ? FORMAT_SHAPE_WHOLE
             : plain.fraction != 3 ? FORMAT_SHAPE_POINT
                                   : shape_of_three(f.at + negative, f.size - negative);
}

#ifdef WIDE

#define AVX2 __attribute__((target("avx2")))

/* Four fields on their way to numbers. They go from register to register: words that are
 * stored one by one would have to reach the cache before they are loaded as one. */
struct four {
    __m256i word; /* the last eight bytes of each */
    __m256i size; /* without the sign */
    __m256i sign; /* the top bit, where there is a minus */
};

/* Takes the fields of four rows that end at end[0], end[columns] ... */
AVX2 static inline __attribute__((always_inline)) void
take_four(const struct format_grid *g, const uint32_t *end, bool last, struct four *four)
{
    int64_t word[4], size[4], sign[4];

#pragma GCC unroll 4
    for (size_t k = 0; k < 4; k++, end += g->columns) {
        const char *at = g->text + end[-1] + 1, *to = g->text + end[0];
        bool negative = *at == '-'; /* which is no separator */

        to -= last && to > at && to[-1] == '\r';
        memcpy(&word[k], to - 8, 8);
        size[k] = to - at - negative;
        sign[k] = (int64_t)((uint64_t)negative << 63);
    }
    four->word = _mm256_set_epi64x(word[3], word[2], word[1], word[0]);
    four->size = _mm256_set_epi64x(size[3], size[2], size[1], size[0]);
    four->sign = _mm256_set_epi64x(sign[3], sign[2], sign[1], sign[0]);
}

/* Converts whole numbers below 2^32. */
AVX2 static inline __m256d to_doubles(__m256i x)
{
    const __m256d big = _mm256_set1_pd(0x1p52);

    return _mm256_sub_pd(
        _mm256_castsi256_pd(_mm256_or_si256(x, _mm256_castpd_si256(big))), big);
}

/* Makes the number of eight digits in each lane, the first one in its lowest byte. */
AVX2 static inline __m256i eight_digits(__m256i digits)
{
    __m256i pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(0x010a));
    __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00010064));

    return _mm256_add_epi64(_mm256_mul_epu32(fours, _mm256_set1_epi64x(10000)),
                            _mm256_srli_epi64(fours, 32));
}

/* Reads four fields of up to eight digits and a point; *whole has a bit for each without
 * one. False when one is something else, or has three digits behind its point. */
AVX2 static inline __attribute__((always_inline)) bool
read_four(const struct four *four, double *value, unsigned *whole)
{
    static const double ten[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
    const __m256i zero = _mm256_setzero_si256(), ones = _mm256_set1_epi8(1);
    __m256i size = four->size, eight = _mm256_set1_epi64x(8);
    __m256i keep = _mm256_sllv_epi64(_mm256_set1_epi8(-1),
                                     _mm256_slli_epi64(_mm256_sub_epi64(eight, size), 3));
    __m256i word =
        _mm256_and_si256(_mm256_xor_si256(four->word, _mm256_set1_epi8('0')), keep);
    __m256i point = _mm256_cmpeq_epi8(word, _mm256_set1_epi8('.' ^ '0'));
    __m256i low = _mm256_and_si256(point, _mm256_sub_epi64(zero, point));
    __m256i none = _mm256_cmpeq_epi64(point, zero);
    __m256i below = _mm256_sub_epi64(low, _mm256_set1_epi64x(1));
    __m256i above =
        _mm256_andnot_si256(_mm256_or_si256(below, point), _mm256_set1_epi8(-1));
    __m256i digits = _mm256_or_si256(_mm256_sllv_epi64(_mm256_and_si256(word, below),
                                                       _mm256_andnot_si256(none, eight)),
                                     _mm256_and_si256(word, above));
    __m256i fraction = _mm256_sad_epu8(_mm256_and_si256(above, ones), zero);
    __m256i only =
        _mm256_cmpeq_epi64(point, _mm256_sub_epi64(_mm256_slli_epi64(low, 8), low));
    __m256i good = _mm256_cmpeq_epi64(
        _mm256_andnot_si256(point, _mm256_subs_epu8(word, _mm256_set1_epi8(9))), zero);
    /* At least one digit, and eight signs at most. */
    __m256i count =
        _mm256_add_epi64(size, _mm256_andnot_si256(none, _mm256_set1_epi64x(-1)));
    __m256i fits = _mm256_andnot_si256(_mm256_cmpgt_epi64(size, eight),
                                       _mm256_cmpgt_epi64(count, zero));
    __m256d number = _mm256_div_pd(to_doubles(eight_digits(digits)),
                                   _mm256_i64gather_pd(ten, fraction, 8));

    _mm256_storeu_pd(value, _mm256_xor_pd(number, _mm256_castsi256_pd(four->sign)));
    *whole = (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(none));
    good = _mm256_andnot_si256(_mm256_cmpeq_epi64(fraction, _mm256_set1_epi64x(3)),
                               _mm256_and_si256(_mm256_and_si256(only, good), fits));
    return _mm256_movemask_pd(_mm256_castsi256_pd(good)) == 15;
}

/* The shapes of four numbers with and without a point. */
static const uint8_t shapes[16][4] = {
    {1, 1, 1, 1}, {0, 1, 1, 1}, {1, 0, 1, 1}, {0, 0, 1, 1}, {1, 1, 0, 1}, {0, 1, 0, 1},
    {1, 0, 0, 1}, {0, 0, 0, 1}, {1, 1, 1, 0}, {0, 1, 1, 0}, {1, 0, 1, 0}, {0, 0, 1, 0},
    {1, 1, 0, 0}, {0, 1, 0, 0}, {1, 0, 0, 0}, {0, 0, 0, 0}};

/* Reads four fields one by one, where some are unusual or may part thousands. */
static void read_each(const struct format_grid *g, size_t column, size_t row,
                      double *value, uint8_t *shape)
{
    for (size_t k = 0; k < 4; k++)
        read_one(format_grid_bytes(g, row + k, column), &value[k], &shape[k]);
}

AVX2 static size_t read_fours(const struct format_grid *g, size_t column, size_t first,
                              size_t n, double *value, uint8_t *shape)
{
    bool last = column + 1 == g->columns;
    size_t i = 0;

    /* Of the first row there may be no eight bytes before the end, nor a field before. */
    for (; i < n && (first + i == 0 || g->end[(first + i) * g->columns + column] < 8);
         i++)
        read_one(format_grid_bytes(g, first + i, column), &value[i], &shape[i]);
    for (; i + 4 <= n; i += 4) {
        struct four four;
        unsigned whole;

        take_four(g, g->end + (first + i) * g->columns + column, last, &four);
        if (read_four(&four, value + i, &whole))
            memcpy(shape + i, shapes[whole], 4);
        else
            read_each(g, column, first + i, value + i, shape + i);
    }
    return i;
}

#endif

size_t format_grid_numbers(const struct format_grid *g, size_t column, size_t first,
                           size_t n, double *value, uint8_t *shape)
{
    size_t i = 0, others = 0;

#ifdef WIDE
    if (__builtin_cpu_supports("avx2"))
        i = read_fours(g, column, first, n, value, shape);
#endif
    for (; i < n; i++)
        read_one(format_grid_bytes(g, first + i, column), &value[i], &shape[i]);
    for (i = 0; i < n; i++)
        others += shape[i] == FORMAT_SHAPE_OTHER;
    return others;
}
