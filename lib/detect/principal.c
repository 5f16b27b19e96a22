/* Principal axes from the covariance matrix (d x d), or, with fewer rows than columns,
 * from the matrix of inner products of the rows (n x n): both have the same eigenvalues,
 * and the second's eigenvectors u give the axes Z' u / |Z' u|. */
#include "detect/principal.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/eigen.h"
#include "base/lanes.h"

void vd__principal_release(struct vd__principal *p)
{
    vd__free(p->center);
    vd__free(p->variance);
    vd__free(p->axis);
    *p = (struct vd__principal){0};
}

static void center_rows(struct vd__principal *p, double *z, size_t n)
{
    size_t d = p->d;

    memset(p->center, 0, d * sizeof *p->center);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++)
            p->center[j] += z[i * d + j];
    for (size_t j = 0; j < d; j++)
        p->center[j] /= (double)n;
    p->total = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < d; j++)
            z[i * d + j] -= p->center[j];
        p->total += vd__dot(z + i * d, z + i * d, d) / (double)n;
    }
}

VD_LANES static void covariance(const double *z, size_t n, size_t d, double *c)
{
    memset(c, 0, d * d * sizeof *c);
    for (size_t i = 0; i < n; i++) {
        const double *row = z + i * d;

        for (size_t j = 0; j < d; j++)
            for (size_t k = 0; k < d; k++)
                c[j * d + k] += row[j] * row[k];
    }
    for (size_t k = 0; k < d * d; k++)
        c[k] /= (double)n;
}

VD_LANES static void inner_products(const double *z, size_t n, size_t d, double *c)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            c[i * n + j] = vd__dot(z + i * d, z + j * d, d) / (double)n;
}

/* Axis k is the sum of rows weighted by eigenvector k of the inner products. */
static void axes_of_rows(struct vd__principal *p, const double *z, const double *u,
                         size_t n)
{
    size_t d = p->d;

    for (size_t k = 0; k < p->rank; k++) {
        double *axis = p->axis + k * d, norm;

        memset(axis, 0, d * sizeof *axis);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < d; j++)
                axis[j] += u[k * n + i] * z[i * d + j];
        norm = sqrt(vd__dot(axis, axis, d));
        for (size_t j = 0; norm > 0 && j < d; j++)
            axis[j] /= norm;
    }
}

static enum vd_status find_axes(struct vd__principal *p, const double *z, size_t n)
{
    double *c = vd__alloc(p->rank * p->rank, sizeof *c);
    enum vd_status status = VD_ERR_MEMORY;

    if (c == NULL)
        return status;
    if (n < p->d)
        inner_products(z, n, p->d, c);
    else
        covariance(z, n, p->d, c);
    status = vd__eigen(c, p->variance, p->rank);
    if (n < p->d)
        axes_of_rows(p, z, c, n);
    else
        memcpy(p->axis, c, p->rank * p->d * sizeof *c);
    for (size_t k = 0; k < p->rank; k++)
        p->variance[k] = p->variance[k] > 0 ? p->variance[k] : 0;
    vd__free(c);
    return status;
}

enum vd_status vd__principal_fit(struct vd__principal *p, const double *z, size_t n,
                                 size_t d, struct vd_error *err)
{
    double *work = vd__alloc(n * d, sizeof *work);
    enum vd_status status = VD_ERR_MEMORY;

    *p = (struct vd__principal){.d = d, .rank = n < d ? n : d};
    if (p->rank > VD__PRINCIPAL_MAX) {
        status = vd_error_set(err, VD_ERR_LIMIT, "choose fewer columns or rows",
                              "principal axes of %zu x %zu numbers: one side must be at "
                              "most %d",
                              n, d, VD__PRINCIPAL_MAX);
        goto out;
    }
    p->center = vd__alloc(d, sizeof *p->center);
    p->variance = vd__alloc(p->rank, sizeof *p->variance);
    p->axis = vd__alloc(p->rank * d, sizeof *p->axis);
    if (work == NULL || p->center == NULL || p->variance == NULL || p->axis == NULL)
        goto out;
    memcpy(work, z, n * d * sizeof *work);
    center_rows(p, work, n);
    status = find_axes(p, work, n);
out:
    vd__free(work);
    if (status != VD_OK)
        vd__principal_release(p);
    return status;
}
