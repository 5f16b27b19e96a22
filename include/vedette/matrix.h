/* A dense table of numbers, row-major. */
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

/* All zero. VD_ERR_MEMORY also when n x d does not fit in memory. */
enum vd_status vd_matrix_init(struct vd_matrix *m, size_t n, size_t d);

/* Frees the numbers; takes NULL and an all-zero matrix. */
void vd_matrix_release(struct vd_matrix *m);

static inline double *vd_matrix_row(const struct vd_matrix *m, size_t i)
{
    return m->at + i * m->d;
}

#ifdef __cplusplus
}
#endif

#endif
