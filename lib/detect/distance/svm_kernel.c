/* Scoring with the support vectors of a one-class SVM: raw score = rho - sum of alpha
 * K(x, vector), which is minus scikit-learn's decision_function. Eight vectors are
 * compared at a time, and their lanes are added in a fixed order. Training is in
 * one_class_svm.c. */
#include "detect/distance/svm_kernel.h"

#include <math.h>

#include "base/lanes.h"
#include "base/real.h"

struct vd__svm *vd__svm_new(const struct vd__detector_class *class, size_t d, size_t n)
{
    size_t n_blocks = (n + 7) / 8;
    size_t total = sizeof(struct vd__svm);
    size_t scale = vd__layout(&total, 2 * d, sizeof(double));
    size_t vector = vd__layout(&total, n_blocks * 8 * d, sizeof(double));
    size_t alpha = vd__layout(&total, n_blocks * 8, sizeof(double));
    struct vd__svm *s = (struct vd__svm *)vd__detector_new(class, d, total);
    char *block = (char *)s;

    if (s == NULL)
        return NULL;
    s->n_vectors = n;
    s->n_blocks = n_blocks;
    s->scaler.center = (double *)(block + scale);
    s->scaler.factor = s->scaler.center + d;
    s->vector = (double *)(block + vector);
    s->alpha = (double *)(block + alpha);
    return s;
}

void vd__svm_set(struct vd__svm *s, size_t i, const double *z, double alpha)
{
    size_t d = s->base.d;

    for (size_t j = 0; j < d; j++)
        s->vector[(i / 8 * d + j) * 8 + i % 8] = z[j];
    s->alpha[i] = alpha;
}

/* Sums alpha exp(-gamma |z - vector|^2) over all support vectors. */
VD_LANES static double sum_rbf(const struct vd__svm *s, const double *z)
{
    size_t d = s->base.d;
    double sum[8] = {0};

    for (size_t b = 0; b < s->n_blocks; b++) {
        const double *vector = s->vector + b * 8 * d, *alpha = s->alpha + b * 8;
        double distance2[8] = {0};

        for (size_t j = 0; j < d; j++)
            for (size_t i = 0; i < 8; i++)
                distance2[i] += (vector[j * 8 + i] - z[j]) * (vector[j * 8 + i] - z[j]);
        for (size_t i = 0; i < 8; i++)
            sum[i] += alpha[i] * vd__exp(-s->gamma * distance2[i]);
    }
    return vd__add_lanes(sum);
}

/* Computes x^degree by squaring, the same way on every machine. */
static double power(double x, uint32_t degree)
{
    double result = 1;

    for (; degree > 0; degree /= 2, x *= x)
        if (degree % 2 == 1)
            result *= x;
    return result;
}

/* Sums alpha K(z, vector) for the kernels that are functions of the inner product. */
VD_LANES static double sum_products(const struct vd__svm *s, const double *z)
{
    size_t d = s->base.d;
    double sum[8] = {0};

    for (size_t b = 0; b < s->n_blocks; b++) {
        const double *vector = s->vector + b * 8 * d, *alpha = s->alpha + b * 8;
        double dot[8] = {0};

        for (size_t j = 0; j < d; j++)
            for (size_t i = 0; i < 8; i++)
                dot[i] += vector[j * 8 + i] * z[j];
        if (s->kernel == VD__KERNEL_SIGMOID)
            for (size_t i = 0; i < 8; i++)
                dot[i] = vd__tanh(s->gamma * dot[i] + s->coef0);
        else if (s->kernel == VD__KERNEL_POLY)
            for (size_t i = 0; i < 8; i++)
                dot[i] = power(s->gamma * dot[i] + s->coef0, s->degree);
        for (size_t i = 0; i < 8; i++)
            sum[i] += alpha[i] * dot[i];
    }
    return vd__add_lanes(sum);
}

double vd__svm_score(const vd_detector *self, const double *row)
{
    const struct vd__svm *s = (const struct vd__svm *)self;
    double z[VD_COLUMNS_MAX];

    vd__scaler_apply(&s->scaler, row, z, self->d);
    return s->rho - (s->kernel == VD__KERNEL_RBF ? sum_rbf(s, z) : sum_products(s, z));
}

void vd__svm_save(const vd_detector *self, struct vd_writer *w)
{
    const struct vd__svm *s = (const struct vd__svm *)self;

    vd_write_u64(w, s->n_vectors);
    vd_write_u32(w, s->kernel);
    vd_write_u32(w, s->degree);
    vd_write_f64(w, s->gamma);
    vd_write_f64(w, s->coef0);
    vd_write_f64(w, s->rho);
    vd__scaler_save(&s->scaler, w, self->d);
    vd_write_f64s(w, s->vector, s->n_blocks * 8 * self->d);
    vd_write_f64s(w, s->alpha, s->n_blocks * 8);
}

enum vd_status vd__svm_load(const struct vd__detector_class *class, vd_detector **out,
                            size_t d, struct vd_reader *r, struct vd_error *err)
{
    size_t n = vd_read_count(r, (d + 1) * sizeof(double));
    struct vd__svm *s;

    if (r->failed)
        return vd__load_failed(r, class->info.name, err);
    s = vd__svm_new(class, d, n);
    if (s == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "one-class SVM: no memory");
    s->kernel = vd_read_u32(r);
    s->degree = vd_read_u32(r);
    if (s->kernel > VD__KERNEL_SIGMOID || s->degree > 100 ||
        !vd__load_numbers(r, &s->gamma, 1) || !vd__load_numbers(r, &s->coef0, 1) ||
        !vd__load_numbers(r, &s->rho, 1) || !vd__scaler_load(&s->scaler, r, d) ||
        !vd__load_numbers(r, s->vector, s->n_blocks * 8 * d) ||
        !vd__load_numbers(r, s->alpha, s->n_blocks * 8)) {
        vd_detector_free(&s->base);
        return vd__load_failed(r, class->info.name, err);
    }
    *out = &s->base;
    return VD_OK;
}
