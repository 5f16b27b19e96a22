/* PCA reconstruction error: Jolliffe, "Principal component analysis", 10.1; Shyu et al.,
 * ICDM workshop 2003.
 *
 * Rows are scaled and centred; the raw score is the mean over columns of the squared part
 * that the first k axes cannot reconstruct. k is a setting, or the smallest number whose
 * axes explain more than `variance` of the variance (scikit-learn's rule). One axis is
 * always left out, since with all of them there would be no residual. For the windowed
 * variant give rows of several ticks side by side (window.h).
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/lanes.h"
#include "detect/distance/principal.h"

enum param { SCALE, COMPONENTS, VARIANCE, N_PARAMS };

static const struct vd_param params[N_PARAMS] = {
    [SCALE] = VD__SCALE_PARAM,
    [COMPONENTS] = {"components", "number of axes kept (0 = by variance)", NULL, 0, 0,
                    VD__PRINCIPAL_MAX},
    [VARIANCE] = {"variance", "share of the variance the kept axes explain", NULL, 0.95,
                  0, 1},
};

/* Writes into z what is left of the scaled row without its parts along the axes. */
VD_LANES static void residual(const struct vd__axes *p, const double *row, double *z)
{
    size_t d = p->base.d;
    double part[VD__PRINCIPAL_MAX];

    vd__axes_center(p, row, z);
    for (size_t c = 0; c < p->k; c++)
        part[c] = vd__dot(p->axis + c * d, z, d);
    for (size_t c = 0; c < p->k; c++)
        for (size_t j = 0; j < d; j++)
            z[j] -= part[c] * p->axis[c * d + j];
}

static double pca_score(const vd_detector *self, const double *row)
{
    double z[VD_COLUMNS_MAX];

    residual((const struct vd__axes *)self, row, z);
    return vd__dot(z, z, self->d) / (double)self->d;
}

/* Scores eight rows side by side, with the operations of pca_score in the same order, so
 * that the bits are the same. */
VD_LANES static void score_rows(const struct vd__axes *p, const double *rows,
                                double *scores)
{
    size_t d = p->base.d;
    vd__eight z[VD__BLOCK_COLUMNS], left[VD__BLOCK_COLUMNS], lane[8], sum;

    for (size_t j = 0; j < d; j++) {
        for (size_t r = 0; r < 8; r++)
            z[j][r] = rows[r * d + j];
        z[j] = (z[j] - p->scaler.center[j]) * p->scaler.factor[j] - p->center[j];
        left[j] = z[j];
    }
    for (size_t c = 0; c < p->k; c++) {
        memset(lane, 0, sizeof lane);
        for (size_t j = 0; j < d; j++)
            lane[j % 8] += p->axis[c * d + j] * z[j];
        vd__add_lanes_eight(lane, &sum);
        for (size_t j = 0; j < d; j++)
            left[j] -= sum * p->axis[c * d + j];
    }
    memset(lane, 0, sizeof lane);
    for (size_t j = 0; j < d; j++)
        lane[j % 8] += left[j] * left[j];
    vd__add_lanes_eight(lane, &sum);
    *(vd__eight *)scores = sum / (double)d;
}

static void pca_score_block(const vd_detector *self, const double *rows, size_t n,
                            double *scores)
{
    const struct vd__axes *p = (const struct vd__axes *)self;
    size_t d = self->d, whole = d <= VD__BLOCK_COLUMNS ? n / 8 * 8 : 0;

    for (size_t i = 0; i < whole; i += 8)
        score_rows(p, rows + i * d, scores + i);
    for (size_t i = whole; i < n; i++)
        scores[i] = pca_score(self, rows + i * d);
}

static enum vd_status pca_explain(const vd_detector *self, const double *row,
                                  double *share)
{
    residual((const struct vd__axes *)self, row, share);
    for (size_t j = 0; j < self->d; j++)
        share[j] *= share[j] / (double)self->d;
    return VD_OK;
}

/* Chooses how many axes are kept: at most rank and fewer than d. */
static size_t choose_components(const struct vd__principal *axes, const double *param)
{
    size_t k = (size_t)param[COMPONENTS];
    double sum = 0;

    if (k == 0) {
        while (k < axes->rank) {
            sum += axes->variance[k++];
            if (sum > param[VARIANCE] * axes->total)
                break;
        }
    }
    k = k < axes->rank ? k : axes->rank;
    return k < axes->d ? k : axes->d - 1;
}

static enum vd_status pca_fit(vd_detector **out, const struct vd__fit *fit,
                              struct vd_error *err)
{
    static const struct vd__axes_rule rule = {&vd__pca, choose_components, false};
    double *scores = vd__alloc(fit->x->n, sizeof *scores);
    struct vd__axes *p = NULL;
    enum vd_status status = VD_ERR_MEMORY;

    if (scores == NULL) {
        vd_error_set(err, status, NULL, "PCA: no memory");
        goto out;
    }
    status = vd__axes_fit(&p, &rule, fit, err);
    if (status != VD_OK)
        goto out;
    vd_detector_score_many(&p->base, fit->x, scores, fit->threads);
    p->base.threshold = vd__threshold_of(
        scores, fit->x->n, fit->contamination > 0 ? fit->contamination : 0.05);
    *out = &p->base;
out:
    vd__free(scores);
    return status;
}

static enum vd_status pca_load(vd_detector **out, size_t d, struct vd_reader *r,
                               struct vd_error *err)
{
    return vd__axes_load(out, &vd__pca, d, r, err);
}

const struct vd__detector_class vd__pca = {
    .info = {.name = "pca",
             .title = "PCA reconstruction",
             .source = "Shyu et al., ICDM workshop 2003",
             .params = params,
             .n_params = N_PARAMS},
    .fit = pca_fit,
    .score = pca_score,
    .score_block = pca_score_block,
    .explain = pca_explain,
    .save = vd__axes_save,
    .load = pca_load,
};
