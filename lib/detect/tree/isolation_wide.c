/* Walks isolation trees of eight levels with AVX-512; the method is in heap_wide.h. Paths
 * are added as whole numbers, so the bits are those of the plain code. Without AVX-512 in
 * the compiler it offers nothing.
 */
#include "detect/tree/isolation_wide.h"

#include "detect/tree/heap_wide.h"

#ifdef VD__HEAP_WIDE

bool vd__isolation_wide_usable(const struct isolation_forest *f)
{
    return f->n_axes == 1 && f->depth == 8 && f->base.d <= VD__HEAP_COLUMNS &&
           vd__heap_wide_usable();
}

/* Adds eight 32-bit paths to eight 64-bit sums. */
VD__WIDE_INLINE void add_eight(uint64_t *sum, __m256i paths)
{
    _mm512_storeu_si512(
        sum, _mm512_add_epi64(_mm512_loadu_si512(sum), _mm512_cvtepu32_epi64(paths)));
}

VD__WIDE void vd__isolation_wide_add(const struct isolation_forest *f, size_t tree,
                                     const float *x, size_t stride, size_t n,
                                     uint64_t *sum)
{
    struct vd__heap_tree t;
    __m512i path[VD__HEAP_TABLE];

    vd__heap_tree_init(&t, f->split + tree * 256, VD__HEAP_TABLE, x, stride);
    for (size_t i = 0; i < VD__HEAP_TABLE; i++)
        path[i] = _mm512_loadu_si512(f->path + tree * 256 + 16 * i);
    for (size_t i = 0; i < n; i += VD__HEAP_ROWS) {
        __m512i node[2];

        vd__heap_walk(&t, 8, x, stride, f->base.d, i, node);
        for (size_t k = 0; k < 2; k++) {
            __m512i paths = vd__heap_look_256(path, node[k]);

            add_eight(sum + i + 16 * k, _mm512_castsi512_si256(paths));
            add_eight(sum + i + 16 * k + 8, _mm512_extracti64x4_epi64(paths, 1));
        }
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
