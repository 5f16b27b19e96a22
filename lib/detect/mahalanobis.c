/* Mahalanobis distance: P. C. Mahalanobis, 1936; the scores of scikit-learn's
 * EmpiricalCovariance.mahalanobis (squared distance, covariance with divisor n).
 *
 * The covariance is inverted on the axes whose variance is above rounding error (the
 * pseudo-inverse): a direction in which training rows never varied does not count. Its
 * own threshold (contamination 0) is the 97.5 % quantile of the chi-squared distribution
 * with as many degrees of freedom as axes (Wilson and Hilferty's approximation).
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/lanes.h"
#include "detect/principal.h"

enum param { SCALE, N_PARAMS };

static const struct vd_param params[N_PARAMS] = {
    [SCALE] = VD__SCALE_PARAM,
};

struct mahalanobis {
    struct vd_detector base;
    size_t k; /* axes */
    struct vd__scaler scaler;
    double *center; /* d: of the scaled columns */
    double *axis;   /* k x d, each divided by its standard deviation */
};

static struct mahalanobis *mahalanobis_new(size_t d, size_t k)
{
    size_t total = sizeof(struct mahalanobis);
    size_t scale = vd__layout(&total, 2 * d, sizeof(double));
    size_t center = vd__layout(&total, d, sizeof(double));
    size_t axis = vd__layout(&total, k * d, sizeof(double));
    struct mahalanobis *m =
        (struct mahalanobis *)vd__detector_new(&vd__mahalanobis, d, total);
    char *block = (char *)m;

    if (m == NULL)
        return NULL;
    m->k = k;
    m->scaler.center = (double *)(block + scale);
    m->scaler.factor = m->scaler.center + d;
    m->center = (double *)(block + center);
    m->axis = (double *)(block + axis);
    return m;
}

VD_LANES static double mahalanobis_score(const vd_detector *self, const double *row)
{
    const struct mahalanobis *m = (const struct mahalanobis *)self;
    double z[VD_COLUMNS_MAX], sum = 0;
    size_t d = self->d;

    vd__scaler_apply(&m->scaler, row, z, d);
    for (size_t j = 0; j < d; j++)
        z[j] -= m->center[j];
    for (size_t c = 0; c < m->k; c++) {
        double t = vd__dot(m->axis + c * d, z, d);

        sum += t * t;
    }
    return sum;
}

static double chi_squared_quantile(double k)
{
    const double normal = 1.959963984540054; /* its 97.5 % quantile */
    double t = 1 - 2 / (9 * k) + normal * sqrt(2 / (9 * k));

    return k * t * t * t;
}

/* Axes above the rounding error of the largest, as a pseudo-inverse cuts them. */
static size_t usable_axes(const struct vd__principal *axes)
{
    size_t k = 0;

    while (k < axes->rank &&
           axes->variance[k] > axes->variance[0] * DBL_EPSILON * (double)axes->d * 10)
        k++;
    return k;
}

static struct mahalanobis *build(const struct vd__principal *axes,
                                 const struct vd__scaler *scaler)
{
    size_t d = axes->d;
    struct mahalanobis *m = mahalanobis_new(d, usable_axes(axes));

    if (m == NULL)
        return NULL;
    memcpy(m->scaler.center, scaler->center, d * sizeof(double));
    memcpy(m->scaler.factor, scaler->factor, d * sizeof(double));
    memcpy(m->center, axes->center, d * sizeof(double));
    for (size_t c = 0; c < m->k; c++)
        for (size_t j = 0; j < d; j++)
            m->axis[c * d + j] = axes->axis[c * d + j] / sqrt(axes->variance[c]);
    return m;
}

static enum vd_status mahalanobis_fit(vd_detector **out, const struct vd__fit *fit,
                                      struct vd_error *err)
{
    size_t n = fit->x->n, d = fit->x->d;
    double *z = vd__alloc(n * d, sizeof *z);
    double *scores = vd__alloc(n, sizeof *scores);
    struct vd__scaler scaler = {vd__alloc(d, sizeof(double)),
                                vd__alloc(d, sizeof(double))};
    struct vd__principal axes = {0};
    struct mahalanobis *m = NULL;
    enum vd_status status = VD_ERR_MEMORY;

    if (z == NULL || scores == NULL || scaler.center == NULL || scaler.factor == NULL)
        goto out;
    status = vd__scaler_fit(&scaler, fit->x, (enum vd__scale)fit->param[SCALE]);
    if (status != VD_OK)
        goto out;
    vd__scaler_apply_all(&scaler, fit->x, z);
    status = vd__principal_fit(&axes, z, n, d, err);
    if (status != VD_OK)
        goto out;
    m = build(&axes, &scaler);
    if (m == NULL) {
        status = VD_ERR_MEMORY;
        goto out;
    }
    vd_detector_score_many(&m->base, fit->x, scores, fit->threads);
    m->base.threshold = fit->contamination > 0
                            ? vd__threshold_of(scores, n, fit->contamination)
                            : chi_squared_quantile(m->k > 0 ? (double)m->k : 1);
    *out = &m->base;
out:
    vd__free(z);
    vd__free(scores);
    vd__free(scaler.center);
    vd__free(scaler.factor);
    vd__principal_release(&axes);
    return status == VD_OK ? VD_OK
                           : vd_error_set(err, status, NULL, "Mahalanobis: no memory");
}

static void mahalanobis_save(const vd_detector *self, struct vd_writer *w)
{
    const struct mahalanobis *m = (const struct mahalanobis *)self;

    vd_write_u64(w, m->k * self->d);
    vd__scaler_save(&m->scaler, w, self->d);
    vd_write_f64s(w, m->center, self->d);
    vd_write_f64s(w, m->axis, m->k * self->d);
}

static enum vd_status mahalanobis_load(vd_detector **out, size_t d, struct vd_reader *r,
                                       struct vd_error *err)
{
    size_t numbers = vd_read_count(r, sizeof(double)), k = numbers / d;
    struct mahalanobis *m;

    if (r->failed || numbers % d != 0 || k > d)
        return vd__load_failed(r, vd__mahalanobis.info.name, err);
    m = mahalanobis_new(d, k);
    if (m == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "Mahalanobis: no memory");
    if (!vd__scaler_load(&m->scaler, r, d) || !vd__load_numbers(r, m->center, d) ||
        !vd__load_numbers(r, m->axis, k * d)) {
        vd_detector_free(&m->base);
        return vd__load_failed(r, vd__mahalanobis.info.name, err);
    }
    *out = &m->base;
    return VD_OK;
}

const struct vd__detector_class vd__mahalanobis = {
    .info = {.name = "mahalanobis",
             .title = "Mahalanobis distance",
             .source = "Mahalanobis, 1936",
             .params = params,
             .n_params = N_PARAMS},
    .fit = mahalanobis_fit,
    .score = mahalanobis_score,
    .save = mahalanobis_save,
    .load = mahalanobis_load,
};
