/* Column scaling inside a detector, so that callers give rows as they were measured.
 *
 * Every detector that measures distances has the setting "scale": "standard" (mean and
 * standard deviation, as scikit-learn's StandardScaler, constant columns divided by 1),
 * "robust" (median and interquartile range / 1.349) or "none".
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

/* z = (x - center) * factor. The arrays belong to the detector's block. */
struct vd__scaler {
    double *center, *factor; /* d each */
};

/* Learns the scaling from the columns of x, into arrays that exist. VD_ERR_MEMORY. */
enum vd_status vd__scaler_fit(struct vd__scaler *s, const struct vd_matrix *x,
                              enum vd__scale kind);

/* Scales one row of d numbers into z. */
static inline void vd__scaler_apply(const struct vd__scaler *s, const double *row,
                                    double *z, size_t d)
{
    for (size_t j = 0; j < d; j++)
        z[j] = (row[j] - s->center[j]) * s->factor[j];
}

/* Scales all rows of x into `z`, which has the same shape. */
void vd__scaler_apply_all(const struct vd__scaler *s, const struct vd_matrix *x,
                          double *z);

/* Appends the scaling of d columns. */
void vd__scaler_save(const struct vd__scaler *s, struct vd_writer *w, size_t d);

/* Reads what vd__scaler_save wrote, into arrays that exist; false = no usable scaling. */
bool vd__scaler_load(struct vd__scaler *s, struct vd_reader *r, size_t d);

/* Reads n numbers; false when one is NaN or beyond +-1e300, or the bytes end. */
bool vd__load_numbers(struct vd_reader *r, double *values, size_t n);

/* ---- blocks made of arrays ---- */

/* Adds `count` items of `size` bytes (> 0) to a layout of *total bytes and returns their
 * offset, aligned to 64. A size that does not fit makes the total so large that the
 * allocation fails. */
size_t vd__layout(size_t *total, size_t count, size_t size);

#endif
