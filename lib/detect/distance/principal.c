/* Principal axes from the covariance matrix (d x d), or, with fewer rows than columns,
 * from the matrix of inner products of the rows (n x n). Both have the same eigenvalues,
 * and an eigenvector u of the second gives the axis Z' u / |Z' u|: Jolliffe, "Principal
 * component analysis", 3.5. The detectors PCA and Mahalanobis share fit, save and load
 * here; their scores are in their own files. */
#include "detect/distance/principal.h"

#include <assert.h>
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

/* Subtracts the columns' means, and finds the variance of all columns together. */
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

/* Computes the covariance (d x d, divisor n) of centred rows. */
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

/* Computes the inner products (n x n) of centred rows, divided by n. */
VD_LANES static void inner_products(const double *z, size_t n, size_t d, double *c)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            c[i * n + j] = vd__dot(z + i * d, z + j * d, d) / (double)n;
}

/* Makes axis k, the sum of rows weighted by eigenvector k of the inner products. */
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

/* Finds axes and variances of centred rows; rounding may not make a variance negative. */
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

/* Allocates a detector of k axes; NULL = no memory. */
static struct vd__axes *axes_new(const struct vd__detector_class *class, size_t d,
                                 size_t k)
{
    size_t total = sizeof(struct vd__axes);
    size_t scale = vd__layout(&total, 2 * d, sizeof(double));
    size_t center = vd__layout(&total, d, sizeof(double));
    size_t axis = vd__layout(&total, k * d, sizeof(double));
    struct vd__axes *a = (struct vd__axes *)vd__detector_new(class, d, total);
    char *block = (char *)a;

    if (a == NULL)
        return NULL;
    a->k = k;
    a->scaler.center = (double *)(block + scale);
    a->scaler.factor = a->scaler.center + d;
    a->center = (double *)(block + center);
    a->axis = (double *)(block + axis);
    return a;
}

/* Builds the detector from all axes by the rule; NULL = no memory. */
static struct vd__axes *axes_build(const struct vd__axes_rule *rule, const double *param,
                                   const struct vd__principal *axes,
                                   const struct vd__scaler *scaler)
{
    size_t d = axes->d, k = rule->count(axes, param);
    struct vd__axes *a = axes_new(rule->class, d, k);

    assert(k <= axes->rank);
    if (a == NULL)
        return NULL;
    memcpy(a->scaler.center, scaler->center, d * sizeof(double));
    memcpy(a->scaler.factor, scaler->factor, d * sizeof(double));
    memcpy(a->center, axes->center, d * sizeof(double));
    memcpy(a->axis, axes->axis, k * d * sizeof(double));
    for (size_t c = 0; rule->whiten && c < k; c++)
        for (size_t j = 0; j < d; j++)
            a->axis[c * d + j] /= sqrt(axes->variance[c]);
    return a;
}

enum vd_status vd__axes_fit(struct vd__axes **out, const struct vd__axes_rule *rule,
                            const struct vd__fit *fit, struct vd_error *err)
{
    size_t n = fit->x->n, d = fit->x->d;
    double *z = vd__alloc(n * d, sizeof *z);
    struct vd__scaler scaler = {vd__alloc(d, sizeof(double)),
                                vd__alloc(d, sizeof(double))};
    struct vd__principal axes = {0};
    enum vd_status status = VD_ERR_MEMORY;

    if (z == NULL || scaler.center == NULL || scaler.factor == NULL)
        goto out;
    status = vd__scaler_fit(&scaler, fit->x, (enum vd__scale)fit->param[0]);
    if (status != VD_OK)
        goto out;
    vd__scaler_apply_all(&scaler, fit->x, z);
    status = vd__principal_fit(&axes, z, n, d, err);
    if (status != VD_OK)
        goto out;
    *out = axes_build(rule, fit->param, &axes, &scaler);
    status = *out != NULL ? VD_OK : VD_ERR_MEMORY;
out:
    vd__free(z);
    vd__free(scaler.center);
    vd__free(scaler.factor);
    vd__principal_release(&axes);
    return status == VD_OK ? VD_OK
                           : vd_error_set(err, status, NULL, "%s: no memory",
                                          rule->class->info.title);
}

void vd__axes_save(const vd_detector *self, struct vd_writer *w)
{
    const struct vd__axes *a = (const struct vd__axes *)self;

    vd_write_u64(w, a->k * self->d);
    vd__scaler_save(&a->scaler, w, self->d);
    vd_write_f64s(w, a->center, self->d);
    vd_write_f64s(w, a->axis, a->k * self->d);
}

enum vd_status vd__axes_load(vd_detector **out, const struct vd__detector_class *class,
                             size_t d, struct vd_reader *r, struct vd_error *err)
{
    size_t numbers = vd_read_count(r, sizeof(double)), k = numbers / d;
    struct vd__axes *a;

    if (r->failed || numbers % d != 0 || k > d || k > VD__PRINCIPAL_MAX)
        return vd__load_failed(r, class->info.name, err);
    a = axes_new(class, d, k);
    if (a == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory", class->info.title);
    if (!vd__scaler_load(&a->scaler, r, d) || !vd__load_numbers(r, a->center, d) ||
        !vd__load_numbers(r, a->axis, k * d)) {
        vd_detector_free(&a->base);
        return vd__load_failed(r, class->info.name, err);
    }
    *out = &a->base;
    return VD_OK;
}
