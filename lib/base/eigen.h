/* Eigenvalues and eigenvectors of a symmetric matrix. */
#ifndef VD_BASE_EIGEN_H
#define VD_BASE_EIGEN_H

#include <stddef.h>

#include "vedette/status.h"

/* Replaces `a` (n x n, symmetric, finite, n >= 1) by its eigenvectors, one per ROW and of
 * length 1, and writes their eigenvalues, falling, into `value` (n). Each vector's
 * largest component is positive. VD_ERR_MEMORY, or VD_ERR_DATA when the method does not
 * converge; then both arrays are useless. */
enum vd_status vd__eigen(double *a, double *value, size_t n);

#endif
