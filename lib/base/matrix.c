/* Allocating and freeing a dense matrix. Arithmetic is where it is needed: base/eigen.c
 * and the detectors.
 */
#include "vedette/matrix.h"

#include <stdint.h>

#include "base/alloc.h"

enum vd_status vd_matrix_init(struct vd_matrix *m, size_t n, size_t d)
{
    *m = (struct vd_matrix){0};
    if (d != 0 && n > SIZE_MAX / d)
        return VD_ERR_MEMORY;
    m->at = vd__alloc_zero(n * d, sizeof *m->at);
    if (m->at == NULL)
        return VD_ERR_MEMORY;
    m->n = n;
    m->d = d;
    return VD_OK;
}

void vd_matrix_release(struct vd_matrix *m)
{
    if (m == NULL)
        return;
    vd__free(m->at);
    *m = (struct vd_matrix){0};
}
