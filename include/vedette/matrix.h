/* A dense table of numbers, row-major: the shape in which rows come into a fit.
 *
 * Whoever initialises a matrix owns it and releases it. Functions that take a const
 * matrix borrow it. A caller with numbers of its own may fill in the struct by hand and
 * must then not release it.
 */
#ifndef VD_MATRIX_H
#define VD_MATRIX_H

#include <stddef.h>

#include "vedette/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct vd_matrix {
    size_t n;   /* rows */
    size_t d;   /* columns */
    double *at; /* n x d, row-major; NaN = missing */
};

/* Allocates n x d zeros. VD_ERR_MEMORY, also when the product of n and d is too large to
 * count; then the matrix is empty. */
enum vd_status vd_matrix_init(struct vd_matrix *m, size_t n, size_t d);

/* Frees the numbers and makes the matrix empty. Takes NULL and an all-zero matrix. */
void vd_matrix_release(struct vd_matrix *m);

/* Returns the d numbers of row i, which must be below n. */
static inline double *vd_matrix_row(const struct vd_matrix *m, size_t i)
{
    return m->at + i * m->d;
}

#ifdef __cplusplus
}
#endif

#endif
