/* One-class SVM: Schölkopf, Platt, Shawe-Taylor, Smola, Williamson, Neural Computation 13
 * (2001). libsvm solves for the support vectors; svm_kernel.c scores with them.
 *
 * The scores are minus scikit-learn's decision_function for the same nu, kernel and
 * gamma. libsvm's own arithmetic uses the C library's exp, so the last bits of a fit can
 * differ between machines; those of scoring cannot.
 */
#include <assert.h>
#include <float.h>
#include <libsvm/svm.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/lanes.h"
#include "detect/distance/svm_kernel.h"

enum param { SCALE, KERNEL, NU, GAMMA, GAMMA_VALUE, DEGREE, COEF0, TOLERANCE, N_PARAMS };
enum gamma_rule { GAMMA_SCALE, GAMMA_AUTO, GAMMA_NUMBER };

static const struct vd_param params[N_PARAMS] = {
    [SCALE] = VD__SCALE_PARAM,
    [KERNEL] = {"kernel", "how two rows are compared", "rbf|linear|poly|sigmoid", 0, 0,
                3},
    [NU] = {"nu", "bound on the share of training rows outside", NULL, 0.05, 1e-6, 1},
    [GAMMA] = {"gamma",
               "kernel width: 1 / (columns x variance), 1 / columns, or gamma_value",
               "scale|auto|value", 0, 0, 2},
    [GAMMA_VALUE] = {"gamma_value", "the kernel width where gamma is value", NULL, 1,
                     1e-12, 1e12},
    [DEGREE] = {"degree", "degree of the polynomial kernel", NULL, 3, 1, 20},
    [COEF0] = {"coef0", "constant of the polynomial and sigmoid kernels", NULL, 0, -1e6,
               1e6},
    [TOLERANCE] = {"tolerance", "where the solver stops, relative to large kernels", NULL,
                   1e-3, 1e-12, 1},
};

/* Computes the kernel width by the rule chosen. "scale" takes the variance over all
 * numbers together, as scikit-learn does. */
static double gamma_of(const struct vd__fit *fit, const double *z, size_t count)
{
    double mean = 0, variance = 0;

    if (fit->param[GAMMA] == GAMMA_NUMBER)
        return fit->param[GAMMA_VALUE];
    if (fit->param[GAMMA] == GAMMA_AUTO)
        return 1 / (double)fit->x->d;
    for (size_t i = 0; i < count; i++)
        mean += z[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        variance += (z[i] - mean) * (z[i] - mean) / (double)count;
    return variance > 0 ? 1 / ((double)fit->x->d * variance) : 1;
}

/* Drops what libsvm would print. */
static void be_silent(const char *text)
{
    (void)text;
}

/* Computes the mean of K(z, z) where the kernel has no bound, else 1. */
static double kernel_size(const struct vd__fit *fit, const double *z, double gamma)
{
    size_t n = fit->x->n, d = fit->x->d;
    double sum = 0;

    if (fit->param[KERNEL] == VD__KERNEL_RBF || fit->param[KERNEL] == VD__KERNEL_SIGMOID)
        return 1;
    for (size_t i = 0; i < n; i++) {
        double value = vd__dot(z + i * d, z + i * d, d), base = gamma * value;

        if (fit->param[KERNEL] == VD__KERNEL_POLY) {
            value = 1;
            for (int k = 0; k < (int)fit->param[DEGREE]; k++)
                value *= base + fit->param[COEF0];
        }
        sum += fabs(value) / (double)n;
    }
    return fmax(1, fmin(sum, DBL_MAX));
}

/* Computes where the solver stops. libsvm keeps kernels as floats and its gradients are
 * sums of nu n of them, so it comes no closer than their rounding errors, which add up
 * like a random walk. With a smaller tolerance it would run to its limit of iterations
 * and complain on stderr, which a library must not do. */
static double solver_tolerance(const struct vd__fit *fit, const double *z, double gamma)
{
    double rounding = (double)FLT_EPSILON * sqrt(fit->param[NU] * (double)fit->x->n);

    return fmax(fit->param[TOLERANCE], rounding) * kernel_size(fit, z, gamma);
}

static struct svm_parameter solver_params(const struct vd__fit *fit, const double *z,
                                          double gamma)
{
    static const int kernels[] = {RBF, LINEAR, POLY, SIGMOID};

    return (struct svm_parameter){
        .svm_type = ONE_CLASS,
        .kernel_type = kernels[(size_t)fit->param[KERNEL]],
        .degree = (int)fit->param[DEGREE],
        .gamma = gamma,
        .coef0 = fit->param[COEF0],
        .cache_size = 64,
        .eps = solver_tolerance(fit, z, gamma),
        .nu = fit->param[NU],
        .shrinking = 1,
    };
}

/* Fills libsvm's rows: (index, value) pairs without zeros, index -1 at the end. */
static void make_nodes(const double *z, size_t n, size_t d, struct svm_node *node,
                       struct svm_node **row)
{
    for (size_t i = 0; i < n; i++) {
        row[i] = node;
        for (size_t j = 0; j < d; j++)
            if (z[i * d + j] != 0)
                *node++ = (struct svm_node){(int)j + 1, z[i * d + j]};
        *node++ = (struct svm_node){.index = -1};
    }
}

/* Adds all support vectors of a linear kernel up to one; NULL = no memory. */
static struct vd__svm *collapse(const struct svm_model *model, const double *z, size_t d)
{
    struct vd__svm *s = vd__svm_new(&vd__one_class_svm, d, 1);
    double *sum = vd__alloc_zero(d, sizeof *sum);

    if (s != NULL && sum != NULL) {
        for (int i = 0; i < model->l; i++)
            for (size_t j = 0; j < d; j++)
                sum[j] +=
                    model->sv_coef[0][i] * z[(size_t)(model->sv_indices[i] - 1) * d + j];
        vd__svm_set(s, 0, sum, 1);
    } else if (s != NULL) {
        vd_detector_free(&s->base);
        s = NULL;
    }
    vd__free(sum);
    return s;
}

/* Copies the support vectors from libsvm's model; NULL = no memory. */
static struct vd__svm *take_model(const struct svm_model *model, const double *z,
                                  size_t d)
{
    struct vd__svm *s;

    if (model->param.kernel_type == LINEAR)
        return collapse(model, z, d);
    s = vd__svm_new(&vd__one_class_svm, d, (size_t)model->l);
    for (int i = 0; s != NULL && i < model->l; i++)
        vd__svm_set(s, (size_t)i, z + (size_t)(model->sv_indices[i] - 1) * d,
                    model->sv_coef[0][i]);
    return s;
}

/* Trains on z (n x d); NULL = no memory. */
static struct vd__svm *solve(const struct vd__fit *fit, const double *z)
{
    size_t n = fit->x->n, d = fit->x->d;
    struct svm_parameter param = solver_params(fit, z, gamma_of(fit, z, n * d));
    struct svm_problem problem = {.l = (int)n};
    struct svm_node *node = vd__alloc(n * (d + 1), sizeof *node);
    struct svm_model *model = NULL;
    struct vd__svm *s = NULL;

    problem.y = vd__alloc_zero(n, sizeof *problem.y);
    problem.x = vd__alloc(n, sizeof *problem.x);
    if (node == NULL || problem.y == NULL || problem.x == NULL)
        goto out;
    make_nodes(z, n, d, node, problem.x);
    svm_set_print_string_function(be_silent);
    model = svm_train(&problem, &param);
    assert(model != NULL && model->l >= 0 && (size_t)model->l <= n);
    s = take_model(model, z, d);
    if (s != NULL) {
        s->kernel = (uint32_t)fit->param[KERNEL];
        s->degree = (uint32_t)param.degree;
        s->gamma = param.gamma;
        s->coef0 = param.coef0;
        s->rho = model->rho[0];
    }
    svm_free_and_destroy_model(&model);
out:
    vd__free(problem.y);
    vd__free(problem.x);
    vd__free(node);
    return s;
}

static enum vd_status svm_fit(vd_detector **out, const struct vd__fit *fit,
                              struct vd_error *err)
{
    size_t n = fit->x->n, d = fit->x->d;
    struct vd__scaler scaler = {vd__alloc(d, sizeof(double)),
                                vd__alloc(d, sizeof(double))};
    double *z = vd__alloc(n * d, sizeof *z), *scores = vd__alloc(n, sizeof *scores);
    struct vd__svm *s = NULL;
    enum vd_status status = VD_ERR_MEMORY;

    if (scaler.center == NULL || scaler.factor == NULL || z == NULL || scores == NULL)
        goto out;
    status = vd__scaler_fit(&scaler, fit->x, (enum vd__scale)fit->param[SCALE]);
    if (status != VD_OK)
        goto out;
    vd__scaler_apply_all(&scaler, fit->x, z);
    s = solve(fit, z);
    if (s == NULL) {
        status = VD_ERR_MEMORY;
        goto out;
    }
    memcpy(s->scaler.center, scaler.center, d * sizeof(double));
    memcpy(s->scaler.factor, scaler.factor, d * sizeof(double));
    if (fit->contamination > 0) {
        vd_detector_score_many(&s->base, fit->x, scores, fit->threads);
        s->base.threshold = vd__threshold_of(scores, n, fit->contamination);
    }
    *out = &s->base;
out:
    vd__free(scaler.center);
    vd__free(scaler.factor);
    vd__free(z);
    vd__free(scores);
    return status == VD_OK ? VD_OK
                           : vd_error_set(err, status, "train on fewer rows",
                                          "one-class SVM: no memory for %zu rows", n);
}

static enum vd_status svm_load(vd_detector **out, size_t d, struct vd_reader *r,
                               struct vd_error *err)
{
    return vd__svm_load(&vd__one_class_svm, out, d, r, err);
}

const struct vd__detector_class vd__one_class_svm = {
    .info = {.name = "one_class_svm",
             .title = "One-class SVM",
             .source = "Schölkopf et al., Neural Computation 2001",
             .params = params,
             .n_params = N_PARAMS},
    .fit = svm_fit,
    .score = vd__svm_score,
    .save = vd__svm_save,
    .load = svm_load,
};
