/* The row of the one-class SVM in a build without libsvm: models trained by another build
 * still load and score, but nothing is trained. */
#include "detect/distance/svm_kernel.h"

static enum vd_status svm_load(vd_detector **out, size_t d, struct vd_reader *r,
                               struct vd_error *err)
{
    return vd__svm_load(&vd__one_class_svm, out, d, r, err);
}

const struct vd__detector_class vd__one_class_svm = {
    .info = {.name = "one_class_svm",
             .title = "One-class SVM",
             .source = "Schölkopf et al., Neural Computation 2001",
             .unavailable = "built without libsvm, which trains it"},
    .score = vd__svm_score,
    .save = vd__svm_save,
    .load = svm_load,
};
