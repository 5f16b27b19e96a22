/* Column scaling inside a detector, so that it takes rows as they come.
 *
 * A setting of each detector that measures distances: "standard" (mean and standard
 * deviation, as scikit-learn's StandardScaler, constant columns divided by 1), "robust"
 * (median and interquartile range / 1.349) or "none".
 */
#ifndef VD_DETECT_SCALER_H
#define VD_DETECT_SCALER_H

#include "detect/class.h"

enum vd__scale { VD__SCALE_STANDARD, VD__SCALE_ROBUST, VD__SCALE_NONE };

#define VD__SCALE_CHOICES "standard|robust|none"
#define VD__SCALE_PARAM                                                                  \
    {                                                                                    \
        "scale", "how columns are scaled", VD__SCALE_CHOICES, 0, 0, 2                    \
    }

struct vd__scaler {
    double *center, *factor; /* d each; z = (x - center) * factor */
};

enum vd_status vd__scaler_fit(struct vd__scaler *s, const struct vd_matrix *x,
                              enum vd__scale kind);

static inline void vd__scaler_apply(const struct vd__scaler *s, const double *row,
                                    double *z, size_t d)
{
    for (size_t j = 0; j < d; j++)
        z[j] = (row[j] - s->center[j]) * s->factor[j];
}

/* All rows, into `z` (same shape). */
void vd__scaler_apply_all(const struct vd__scaler *s, const struct vd_matrix *x,
                          double *z);

void vd__scaler_save(const struct vd__scaler *s, struct vd_writer *w, size_t d);

/* False when the bytes hold no usable scaling. */
bool vd__scaler_load(struct vd__scaler *s, struct vd_reader *r, size_t d);

/* Reads n numbers within +-1e300; false when one is not. */
bool vd__load_numbers(struct vd_reader *r, double *values, size_t n);

/* ---- blocks made of arrays ---- */

/* Adds `count` items of `size` bytes to a layout of *total bytes: gives their offset,
 * aligned to 64. An impossible size makes the total so large that no block is found. */
size_t vd__layout(size_t *total, size_t count, size_t size);

#endif
