/* The fitted ensemble, between fitting it (ensemble_fit.c) and using it (ensemble.c). */
#ifndef VD_ENSEMBLE_ENSEMBLE_H
#define VD_ENSEMBLE_ENSEMBLE_H

#include "detect/class.h"
#include "vedette/calibration.h"
#include "vedette/ensemble.h"

enum { ENSEMBLE_UNSUPERVISED = 5, ENSEMBLE_MEMBERS = 8 };

struct vd__member {
    vd_detector *detector; /* NULL = not ready */
    struct vd_calibration calibration;
    double threshold; /* surprise above which it says anomaly */
    double weight;
};

/* One overwhelmed member must not drown the others' mean. */
#define ENSEMBLE_SURPRISE_MAX 4.0

enum vd__combine { VD__COMBINE_CAUCHY, VD__COMBINE_MEAN };

struct vd__ensemble {
    struct vd_detector base;
    uint32_t combine;
    struct vd__member member[ENSEMBLE_MEMBERS];
};

/* Names in the order of the members, unsupervised ones first, the agent last. */
extern const char *const vd__ensemble_names[ENSEMBLE_MEMBERS];

/* Columns member k sees: the agent also gets the surprises of the unsupervised ones. */
size_t vd__ensemble_columns(size_t d, size_t k);

/* Combined surprise of n members. */
double vd__ensemble_combine(uint32_t combine, const double *surprise,
                            const double *weight, size_t n);

enum vd_status vd__ensemble_fit(vd_detector **out, const struct vd__fit *fit,
                                struct vd_error *err);

#endif
