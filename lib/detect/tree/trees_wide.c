/* Walks shallow trees with AVX-512; the method is in heap_wide.h. Leaves are added tree
 * by tree in double precision, so the bits are those of the plain code. Without AVX-512
 * in the compiler it offers nothing.
 */
#include "detect/tree/heap_wide.h"
#include "detect/tree/trees.h"

#ifdef VD__HEAP_WIDE

bool vd__trees_wide_usable(const struct vd__trees *t, size_t d)
{
    return t->split != NULL && d <= VD__HEAP_COLUMNS && vd__heap_wide_usable();
}

/* Looks up the values of sixteen leaves. */
VD__WIDE_INLINE __m512i leaf_values(const __m512i *value, __m512i node, unsigned depth)
{
    switch (depth) {
    case 4:
        return _mm512_permutexvar_epi32(node, value[0]);
    case 6:
        return vd__heap_look_64(value, node);
    default:
        return vd__heap_look_256(value, node);
    }
}

/* Adds sixteen floats to sixteen doubles. */
VD__WIDE_INLINE void add_sixteen(double *sum, __m512i values)
{
    __m256 low = _mm256_castsi256_ps(_mm512_castsi512_si256(values));
    __m256 high = _mm256_castsi256_ps(_mm512_extracti64x4_epi64(values, 1));

    _mm512_storeu_pd(sum, _mm512_add_pd(_mm512_loadu_pd(sum), _mm512_cvtps_pd(low)));
    _mm512_storeu_pd(sum + 8,
                     _mm512_add_pd(_mm512_loadu_pd(sum + 8), _mm512_cvtps_pd(high)));
}

/* Adds the leaves of n rows in one tree; `depth` is a constant after inlining. */
VD__WIDE_INLINE void add_tree(const struct vd__trees *t, size_t tree, unsigned depth,
                              const float *x, size_t stride, size_t d, size_t n,
                              double *sum)
{
    size_t at = tree << depth, registers = ((size_t)1 << depth) / 16;
    struct vd__heap_tree from;
    __m512i value[VD__HEAP_TABLE];

    vd__heap_tree_init(&from, t->split + at, registers, x, stride);
    for (size_t i = 0; i < registers; i++)
        value[i] = _mm512_loadu_si512(t->leaf + at + 16 * i);
    for (size_t i = 0; i < n; i += VD__HEAP_ROWS) {
        __m512i node[2];

        vd__heap_walk(&from, depth, x, stride, d, i, node);
        add_sixteen(sum + i, leaf_values(value, node[0], depth));
        add_sixteen(sum + i + 16, leaf_values(value, node[1], depth));
    }
}

VD__WIDE void vd__trees_wide_add(const struct vd__trees *t, const float *x, size_t stride,
                                 size_t d, size_t n, double *sum)
{
    switch (t->heap_depth) {
    case 4:
        for (size_t tree = 0; tree < t->n_trees; tree++)
            add_tree(t, tree, 4, x, stride, d, n, sum);
        break;
    case 6:
        for (size_t tree = 0; tree < t->n_trees; tree++)
            add_tree(t, tree, 6, x, stride, d, n, sum);
        break;
    default:
        for (size_t tree = 0; tree < t->n_trees; tree++)
            add_tree(t, tree, 8, x, stride, d, n, sum);
        break;
    }
}

#else

bool vd__trees_wide_usable(const struct vd__trees *t, size_t d)
{
    (void)t, (void)d;
    return false;
}

void vd__trees_wide_add(const struct vd__trees *t, const float *x, size_t stride,
                        size_t d, size_t n, double *sum)
{
    (void)t, (void)x, (void)stride, (void)d, (void)n, (void)sum;
}

#endif
