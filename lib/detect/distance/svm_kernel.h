/* The fitted one-class SVM: its support vectors, and comparing a row with them. */
#ifndef VD_DISTANCE_SVM_KERNEL_H
#define VD_DISTANCE_SVM_KERNEL_H

#include "detect/scaler.h"

enum vd__kernel {
    VD__KERNEL_RBF,
    VD__KERNEL_LINEAR,
    VD__KERNEL_POLY,
    VD__KERNEL_SIGMOID
};

/* The detector, one block. */
struct vd__svm {
    struct vd_detector base;
    uint32_t kernel, degree;
    double gamma, coef0;
    double rho;
    size_t n_vectors, n_blocks;
    struct vd__scaler scaler;
    double *vector; /* by eights, column by column: n_blocks x d x 8 */
    double *alpha;  /* n_blocks x 8; 0 where a block is not full */
};

/* Allocates a detector with room for n support vectors; NULL = no memory. */
struct vd__svm *vd__svm_new(const struct vd__detector_class *class, size_t d, size_t n);

/* Stores support vector i, a scaled row z (d), and its weight. */
void vd__svm_set(struct vd__svm *s, size_t i, const double *z, double alpha);

/* Score, save and load, with and without libsvm (class.h). */
double vd__svm_score(const vd_detector *self, const double *row);
void vd__svm_save(const vd_detector *self, struct vd_writer *w);
enum vd_status vd__svm_load(const struct vd__detector_class *class, vd_detector **out,
                            size_t d, struct vd_reader *r, struct vd_error *err);

#endif
