/* Mahalanobis distance: P. C. Mahalanobis, 1936; the scores of scikit-learn's
 * EmpiricalCovariance.mahalanobis (squared distance, covariance with divisor n).
 *
 * The covariance is inverted on the axes whose variance is above rounding error (the
 * pseudo-inverse): a direction in which training rows never varied does not count. The
 * threshold without contamination is the 97.5 % quantile of the chi-squared distribution
 * with as many degrees of freedom as axes (Wilson and Hilferty's approximation). The
 * covariance is the plain one: outliers among the training rows widen it.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/lanes.h"
#include "detect/distance/principal.h"

enum param { SCALE, N_PARAMS };

static const struct vd_param params[N_PARAMS] = {
    [SCALE] = VD__SCALE_PARAM,
};

VD_LANES static double mahalanobis_score(const vd_detector *self, const double *row)
{
    const struct vd__axes *m = (const struct vd__axes *)self;
    double z[VD_COLUMNS_MAX], sum = 0;
    size_t d = self->d;

    vd__axes_center(m, row, z);
    for (size_t c = 0; c < m->k; c++) {
        double t = vd__dot(m->axis + c * d, z, d);

        sum += t * t;
    }
    return sum;
}

/* Scores four rows side by side, with the operations of mahalanobis_score in the same
 * order, so that the bits are the same. */
VD_LANES static void score_rows(const struct vd__axes *m, const double *rows,
                                double *scores)
{
    size_t d = m->base.d;
    vd__four z[VD__BLOCK_COLUMNS], sum = {0}, t;

    for (size_t j = 0; j < d; j++) {
        const double *x = rows + j;

        z[j] = (vd__four){x[0], x[d], x[2 * d], x[3 * d]};
        z[j] = (z[j] - m->scaler.center[j]) * m->scaler.factor[j] - m->center[j];
    }
    for (size_t c = 0; c < m->k; c++) {
        vd__dot_four(m->axis + c * d, z, d, &t);
        sum += t * t;
    }
    *(vd__four *)scores = sum;
}

static void mahalanobis_score_block(const vd_detector *self, const double *rows, size_t n,
                                    double *scores)
{
    const struct vd__axes *m = (const struct vd__axes *)self;
    size_t d = self->d, whole = d <= VD__BLOCK_COLUMNS ? n / 4 * 4 : 0;

    for (size_t i = 0; i < whole; i += 4)
        score_rows(m, rows + i * d, scores + i);
    for (size_t i = whole; i < n; i++)
        scores[i] = mahalanobis_score(self, rows + i * d);
}

/* Approximates the 97.5 % quantile with k degrees of freedom. */
static double chi_squared_quantile(double k)
{
    const double normal = 1.959963984540054; /* its 97.5 % quantile */
    double t = 1 - 2 / (9 * k) + normal * sqrt(2 / (9 * k));

    return k * t * t * t;
}

/* Counts the axes whose variance is above the rounding error of the largest one. */
static size_t usable_axes(const struct vd__principal *axes, const double *param)
{
    size_t k = 0;

    (void)param;
    while (k < axes->rank &&
           axes->variance[k] > axes->variance[0] * DBL_EPSILON * (double)axes->d * 10)
        k++;
    return k;
}

static enum vd_status mahalanobis_fit(vd_detector **out, const struct vd__fit *fit,
                                      struct vd_error *err)
{
    static const struct vd__axes_rule rule = {&vd__mahalanobis, usable_axes, true};
    double *scores = vd__alloc(fit->x->n, sizeof *scores);
    struct vd__axes *m = NULL;
    enum vd_status status = VD_ERR_MEMORY;

    if (scores == NULL) {
        vd_error_set(err, status, NULL, "Mahalanobis: no memory");
        goto out;
    }
    status = vd__axes_fit(&m, &rule, fit, err);
    if (status != VD_OK)
        goto out;
    vd_detector_score_many(&m->base, fit->x, scores, fit->threads);
    m->base.threshold = fit->contamination > 0
                            ? vd__threshold_of(scores, fit->x->n, fit->contamination)
                            : chi_squared_quantile(m->k > 0 ? (double)m->k : 1);
    *out = &m->base;
out:
    vd__free(scores);
    return status;
}

static enum vd_status mahalanobis_load(vd_detector **out, size_t d, struct vd_reader *r,
                                       struct vd_error *err)
{
    return vd__axes_load(out, &vd__mahalanobis, d, r, err);
}

const struct vd__detector_class vd__mahalanobis = {
    .info = {.name = "mahalanobis",
             .title = "Mahalanobis distance",
             .source = "Mahalanobis, 1936",
             .params = params,
             .n_params = N_PARAMS},
    .fit = mahalanobis_fit,
    .score = mahalanobis_score,
    .score_block = mahalanobis_score_block,
    .save = vd__axes_save,
    .load = mahalanobis_load,
};
