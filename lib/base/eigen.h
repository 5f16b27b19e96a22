/* Eigenvalues and eigenvectors of a symmetric matrix. */
#ifndef VD_BASE_EIGEN_H
#define VD_BASE_EIGEN_H

#include <stddef.h>

#include "vedette/status.h"

/* `a` (n x n, symmetric, finite) becomes the eigenvectors, one per ROW, by falling
 * eigenvalue in `value` (n). Each vector's largest component is positive. */
enum vd_status vd__eigen(double *a, double *value, size_t n);

#endif
