/* Walks thirty-two rows at once through a tree in heap order, with AVX-512.
 *
 * Gather instructions are slow and not used. The registers hold the whole tree, up to 255
 * splits, and permutations look splits up in them; the few columns of a row are chosen by
 * blends. The comparisons are those of the plain code, so the leaves are the same.
 */
#ifndef VD_TREE_HEAP_WIDE_H
#define VD_TREE_HEAP_WIDE_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(VD_PLAIN)
#define VD__HEAP_WIDE 1

#include <immintrin.h>
#include <stddef.h>

#include "detect/tree/heap.h"

#define VD__WIDE        __attribute__((target("avx512f")))
#define VD__WIDE_INLINE static inline __attribute__((target("avx512f"), always_inline))

/* Registers of sixteen for the nodes of a tree eight levels deep. */
enum { VD__HEAP_TABLE = 16 };

/* Tells whether this machine has AVX-512. */
static inline bool vd__heap_wide_usable(void)
{
    return __builtin_cpu_supports("avx512f");
}

/* Splits the (threshold, column) pairs of 16 * n nodes into two tables of n registers. */
VD__WIDE_INLINE void vd__heap_tables(const struct vd__heap_split *split, size_t n,
                                     __m512i *threshold, __m512i *column)
{
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));

    for (size_t i = 0; i < n; i++) {
        __m512i low = _mm512_loadu_si512(split + 16 * i);
        __m512i high = _mm512_loadu_si512(split + 16 * i + 8);

        threshold[i] = _mm512_permutex2var_epi32(low, even, high);
        column[i] = _mm512_permutex2var_epi32(low, odd, high);
    }
}

/* Looks up t[at mod 64] in a table of four registers; below, 128 in eight and 256 in
 * sixteen. */
VD__WIDE_INLINE __m512i vd__heap_look_64(const __m512i *t, __m512i at)
{
    __mmask16 upper = _mm512_test_epi32_mask(at, _mm512_set1_epi32(32));

    return _mm512_mask_mov_epi32(_mm512_permutex2var_epi32(t[0], at, t[1]), upper,
                                 _mm512_permutex2var_epi32(t[2], at, t[3]));
}

VD__WIDE_INLINE __m512i vd__heap_look_128(const __m512i *t, __m512i at)
{
    __mmask16 upper = _mm512_test_epi32_mask(at, _mm512_set1_epi32(64));

    return _mm512_mask_mov_epi32(vd__heap_look_64(t, at), upper,
                                 vd__heap_look_64(t + 4, at));
}

VD__WIDE_INLINE __m512i vd__heap_look_256(const __m512i *t, __m512i at)
{
    __mmask16 upper = _mm512_test_epi32_mask(at, _mm512_set1_epi32(128));

    return _mm512_mask_mov_epi32(vd__heap_look_128(t, at), upper,
                                 vd__heap_look_128(t + 8, at));
}

/* Looks up the entry of a node on `level`, which is 4 to 7. */
VD__WIDE_INLINE __m512i vd__heap_look(const __m512i *t, __m512i node, unsigned level)
{
    switch (level) {
    case 4:
        return _mm512_permutexvar_epi32(node, t[1]);
    case 5:
        return _mm512_permutex2var_epi32(t[2], node, t[3]);
    case 6:
        return vd__heap_look_64(t + 4, node);
    default:
        return vd__heap_look_128(t + 8, node);
    }
}

/* Chooses x[which] by three rounds of blends, one for each bit of the column's number. */
VD__WIDE_INLINE __m512 vd__heap_choose(const __m512 x[VD__HEAP_COLUMNS], __m512i which)
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

/* Loads 32 rows of d columns that lie column by column, `stride` apart. Registers beyond
 * column d repeat the last column; no split asks for them. */
VD__WIDE_INLINE void vd__heap_load(const float *x, size_t stride, size_t d,
                                   __m512 value[2][VD__HEAP_COLUMNS])
{
    for (size_t j = 0; j < VD__HEAP_COLUMNS; j++) {
        const float *at = x + (j < d ? j : d - 1) * stride;

        value[0][j] = _mm512_loadu_ps(at);
        value[1][j] = _mm512_loadu_ps(at + 16);
    }
}

/* Goes to the left child, or to the right one where `right` is set. */
VD__WIDE_INLINE __m512i vd__heap_next(__m512i node, __mmask16 right)
{
    node = _mm512_add_epi32(node, node);
    return _mm512_mask_add_epi32(node, right, node, _mm512_set1_epi32(1));
}

/* A tree of four to eight levels over a block of rows. */
struct vd__heap_tree {
    __m512i threshold[VD__HEAP_TABLE], column[VD__HEAP_TABLE];
    const float *top[16]; /* column of node i of the first four levels */
};

/* Loads a tree of 16 * `registers` nodes. x: the rows, column by column, `stride` apart;
 * it must outlive the walks. */
VD__WIDE_INLINE void vd__heap_tree_init(struct vd__heap_tree *tree,
                                        const struct vd__heap_split *split,
                                        size_t registers, const float *x, size_t stride)
{
    vd__heap_tables(split, registers, tree->threshold, tree->column);
    for (size_t i = 1; i < 16; i++)
        tree->top[i] = x + split[i].column * stride;
}

/* Walks sixteen rows through the first four levels. There it is cheaper to load the
 * column of every node of a level and to choose by the turns taken so far. */
VD__WIDE_INLINE __m512i vd__heap_walk_top(const struct vd__heap_tree *tree, size_t first)
{
    __m512i node = _mm512_set1_epi32(1);
    __mmask16 right[4];

#pragma GCC unroll 4
    for (unsigned level = 0; level < 4; level++) {
        __m512 limit =
            _mm512_castsi512_ps(_mm512_permutexvar_epi32(node, tree->threshold[0]));
        __m512 value[8];

        for (unsigned i = 0; i < 1U << level; i++)
            value[i] = _mm512_loadu_ps(tree->top[(1U << level) + i] + first);
#pragma GCC unroll 4
        for (unsigned turn = level; turn-- > 0;)
#pragma GCC unroll 4
            for (unsigned i = 0; i < 1U << turn; i++)
                value[i] =
                    _mm512_mask_mov_ps(value[2 * i], right[turn], value[2 * i + 1]);
        right[level] = _mm512_cmp_ps_mask(value[0], limit, _CMP_GT_OQ);
        node = vd__heap_next(node, right[level]);
    }
    return node;
}

/* Finds the leaves of the 32 rows from `first` on, as numbers from 2^depth up. Callers
 * give `depth` as a constant. Two groups of sixteen rows go in step, so that the look-ups
 * of one fill the waits of the other. */
VD__WIDE_INLINE void vd__heap_walk(const struct vd__heap_tree *tree, unsigned depth,
                                   const float *x, size_t stride, size_t d, size_t first,
                                   __m512i node[2])
{
    __m512 value[2][VD__HEAP_COLUMNS];

    vd__heap_load(x + first, stride, d, value);
    node[0] = vd__heap_walk_top(tree, first);
    node[1] = vd__heap_walk_top(tree, first + 16);
#pragma GCC unroll 4
    for (unsigned level = 4; level < depth; level++)
#pragma GCC unroll 2
        for (size_t k = 0; k < 2; k++) {
            __m512i limit = vd__heap_look(tree->threshold, node[k], level);
            __m512 number =
                vd__heap_choose(value[k], vd__heap_look(tree->column, node[k], level));

            node[k] = vd__heap_next(
                node[k],
                _mm512_cmp_ps_mask(number, _mm512_castsi512_ps(limit), _CMP_GT_OQ));
        }
}

#endif
#endif
