/* The fitted ensemble: made by ensemble_fit.c, used, saved and loaded by ensemble.c. */
#ifndef VD_ENSEMBLE_ENSEMBLE_H
#define VD_ENSEMBLE_ENSEMBLE_H

#include "detect/class.h"
#include "vedette/calibration.h"
#include "vedette/ensemble.h"

enum { ENSEMBLE_UNSUPERVISED = 5, ENSEMBLE_MEMBERS = 8 };

/* One detector of the ensemble, owned by it. All zero = not ready. */
struct vd__member {
    vd_detector *detector; /* NULL = not ready */
    struct vd_calibration calibration;
    double threshold; /* surprise above which it says anomaly */
    double weight;
};

/* Limits each member's surprise in a mean, so that one member cannot decide it alone. */
#define ENSEMBLE_SURPRISE_MAX 4.0

enum vd__combine { VD__COMBINE_CAUCHY, VD__COMBINE_MEAN };

struct vd__ensemble {
    struct vd_detector base;
    uint32_t combine;
    struct vd__member member[ENSEMBLE_MEMBERS];
};

/* Names in the order of the members, unsupervised ones first, the agent last. */
extern const char *const vd__ensemble_names[ENSEMBLE_MEMBERS];

/* Counts the columns that member k sees: d, and for the agent also the surprises of the
 * unsupervised members. */
size_t vd__ensemble_columns(size_t d, size_t k);

/* Combines the surprises of n members (no NaN) with their weights (> 0). NaN for n = 0.
 */
double vd__ensemble_combine(uint32_t combine, const double *surprise,
                            const double *weight, size_t n);

/* Fits the ensemble (class.h). */
enum vd_status vd__ensemble_fit(vd_detector **out, const struct vd__fit *fit,
                                struct vd_error *err);

#endif
