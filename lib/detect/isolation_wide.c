/* Isolation trees of eight levels with AVX-512; see heap_wide.h. Leaves are added as
 * whole numbers: the bits are those of the plain code.
 */
#include "detect/heap_wide.h"
#include "detect/isolation_forest.h"

#ifdef VD__HEAP_WIDE

bool vd__isolation_wide_usable(const struct isolation_forest *f)
{
    return f->n_axes == 1 && f->depth == 8 && f->base.d <= VD__HEAP_COLUMNS &&
           vd__heap_wide_usable();
}

VD__WIDE void vd__isolation_wide_add(const struct isolation_forest *f, size_t tree,
                                     const float *x, size_t stride, size_t n,
                                     uint64_t *sum)
{
    const uint32_t *path = f->path + tree * 256;
    __m512i threshold[VD__HEAP_TABLE], column[VD__HEAP_TABLE];

    vd__heap_tables(f->split + tree * 256, VD__HEAP_TABLE, threshold, column);
    for (size_t i = 0; i < n; i += VD__HEAP_ROWS) {
        __m512 value[2][VD__HEAP_COLUMNS];
        __m512i node[2];
        uint32_t leaf[VD__HEAP_ROWS];

        vd__heap_load(x + i, stride, f->base.d, value);
        vd__heap_walk(threshold, column, value, 8, node);
        _mm512_storeu_si512(leaf, node[0]);
        _mm512_storeu_si512(leaf + 16, node[1]);
        for (size_t k = 0; k < VD__HEAP_ROWS; k++)
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
