/* Walking isolation trees with AVX-512. */
#ifndef VD_TREE_ISOLATION_WIDE_H
#define VD_TREE_ISOLATION_WIDE_H

#include "detect/tree/isolation_shape.h"

/* Tells whether vd__isolation_wide_add may be called: the machine has AVX-512, the trees
 * have eight levels and single columns, and there are at most VD__HEAP_COLUMNS columns.
 */
bool vd__isolation_wide_usable(const struct isolation_forest *f);

/* Adds to sum[i] the path length of row i in one tree. x holds the rows column by column,
 * `stride` apart; x and sum have room for n made up to a multiple of VD__HEAP_ROWS. */
void vd__isolation_wide_add(const struct isolation_forest *f, size_t tree, const float *x,
                            size_t stride, size_t n, uint64_t *sum);

#endif
