/* Sixteen rows through an isolation tree at once, with AVX-512.
 *
 * Gathers are slow, so there are none on the way down: a tree of up to 255 splits is
 * looked up by permutations of the registers that hold it, and a row's number by blending
 * the few columns there are. The comparisons are those of the plain code, and leaves are
 * added as whole numbers: the bits are the same.
 */
#include "detect/isolation_forest.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define WIDE __attribute__((target("avx512f")))

enum { TABLE = 16, COLUMNS = 8 }; /* registers for 256 nodes; most columns */

bool vd__isolation_wide_usable(const struct isolation_forest *f)
{
    return f->n_axes == 1 && f->depth == 8 && f->base.d <= COLUMNS &&
           __builtin_cpu_supports("avx512f");
}

/* (threshold, column) pairs of 256 nodes to two tables. */
WIDE static void split_tables(const struct isolation_split *split,
                              __m512i threshold[TABLE], __m512i column[TABLE])
{
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));

    for (size_t i = 0; i < TABLE; i++) {
        __m512i low = _mm512_loadu_si512(split + 16 * i);
        __m512i high = _mm512_loadu_si512(split + 16 * i + 8);

        threshold[i] = _mm512_permutex2var_epi32(low, even, high);
        column[i] = _mm512_permutex2var_epi32(low, odd, high);
    }
}

/* table[node] for nodes of 64 .. 127 (four registers from `t`) and of 128 .. 255 (eight).
 */
WIDE static inline __m512i look_up_64(const __m512i *t, __m512i node)
{
    __mmask16 upper = _mm512_test_epi32_mask(node, _mm512_set1_epi32(32));

    return _mm512_mask_mov_epi32(_mm512_permutex2var_epi32(t[0], node, t[1]), upper,
                                 _mm512_permutex2var_epi32(t[2], node, t[3]));
}

WIDE static inline __m512i look_up_128(const __m512i *t, __m512i node)
{
    __mmask16 upper = _mm512_test_epi32_mask(node, _mm512_set1_epi32(64));

    return _mm512_mask_mov_epi32(look_up_64(t, node), upper, look_up_64(t + 4, node));
}

WIDE static inline __m512i look_up(const __m512i *t, __m512i node, unsigned level)
{
    switch (level) {
    case 4:
        return _mm512_permutexvar_epi32(node, t[1]);
    case 5:
        return _mm512_permutex2var_epi32(t[2], node, t[3]);
    case 6:
        return look_up_64(t + 4, node);
    case 7:
        return look_up_128(t + 8, node);
    default:
        return _mm512_permutexvar_epi32(node, t[0]);
    }
}

/* x[which], a tree of blends by the bits of the column. */
WIDE static inline __m512 choose(const __m512 x[COLUMNS], __m512i which)
{
    __mmask16 one = _mm512_test_epi32_mask(which, _mm512_set1_epi32(1));
    __mmask16 two = _mm512_test_epi32_mask(which, _mm512_set1_epi32(2));
    __mmask16 four = _mm512_test_epi32_mask(which, _mm512_set1_epi32(4));
    __m512 a = _mm512_mask_mov_ps(x[0], one, x[1]),
           b = _mm512_mask_mov_ps(x[2], one, x[3]);
    __m512 c = _mm512_mask_mov_ps(x[4], one, x[5]),
           d = _mm512_mask_mov_ps(x[6], one, x[7]);

    return _mm512_mask_mov_ps(_mm512_mask_mov_ps(a, two, b), four,
                              _mm512_mask_mov_ps(c, two, d));
}

/* Two times sixteen rows in step, so that one's look-ups fill the other's waits. */
WIDE static inline void walk(const __m512i *threshold, const __m512i *column,
                             const __m512 x[2][COLUMNS], __m512i node[2])
{
    node[0] = node[1] = _mm512_set1_epi32(1);
#pragma GCC unroll 8
    for (unsigned level = 0; level < 8; level++)
#pragma GCC unroll 2
        for (size_t k = 0; k < 2; k++) {
            __m512 limit = _mm512_castsi512_ps(look_up(threshold, node[k], level));
            __m512 value = choose(x[k], look_up(column, node[k], level));
            __mmask16 right = _mm512_cmp_ps_mask(value, limit, _CMP_GT_OQ);

            node[k] = _mm512_add_epi32(node[k], node[k]);
            node[k] =
                _mm512_mask_add_epi32(node[k], right, node[k], _mm512_set1_epi32(1));
        }
}

WIDE void vd__isolation_wide_add(const struct isolation_forest *f, size_t tree,
                                 const float *x, size_t stride, size_t n, uint64_t *sum)
{
    const uint32_t *path = f->path + tree * 256;
    __m512i threshold[TABLE], column[TABLE];

    split_tables(f->split + tree * 256, threshold, column);
    for (size_t i = 0; i < n; i += 32) {
        __m512 value[2][COLUMNS];
        __m512i node[2];
        uint32_t leaf[32];

        /* Columns that are not there repeat the last one; no split asks for them. */
        for (size_t j = 0; j < COLUMNS; j++) {
            const float *at = x + (j < f->base.d ? j : f->base.d - 1) * stride + i;

            value[0][j] = _mm512_loadu_ps(at);
            value[1][j] = _mm512_loadu_ps(at + 16);
        }
        walk(threshold, column, value, node);
        _mm512_storeu_si512(leaf, node[0]);
        _mm512_storeu_si512(leaf + 16, node[1]);
        for (size_t k = 0; k < 32; k++)
            sum[i + k] += path[leaf[k] - 256];
    }
}

#else

bool vd__isolation_wide_usable(const struct isolation_forest *f)
{
    (void)f;
    return false;
}

void vd__isolation_wide_add(const struct isolation_forest *f, size_t tree, const float *x,
                            size_t stride, size_t n, uint64_t *sum)
{
    (void)f, (void)tree, (void)x, (void)stride, (void)n, (void)sum;
}

#endif
