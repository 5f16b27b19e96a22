/* Principal axes of scaled rows, and a detector made of such axes: what PCA
 * reconstruction and Mahalanobis share. */
#ifndef VD_DISTANCE_PRINCIPAL_H
#define VD_DISTANCE_PRINCIPAL_H

#include "detect/scaler.h"

/* The limit of the eigensolver: rows or columns, whichever are fewer. */
enum { VD__PRINCIPAL_MAX = 2048 };

/* The axes of some rows; the arrays are owned. */
struct vd__principal {
    size_t d, rank;   /* axes found: min(n, d) */
    double *center;   /* d: means of the scaled columns (about 0, except for "none") */
    double *variance; /* rank, falling, divisor n */
    double *axis;     /* rank x d, orthonormal rows */
    double total;     /* variance of all columns together */
};

/* Finds the axes of z (n x d, finite). Release them with vd__principal_release.
 * VD_ERR_LIMIT beyond VD__PRINCIPAL_MAX, VD_ERR_MEMORY; nothing is left then. */
enum vd_status vd__principal_fit(struct vd__principal *p, const double *z, size_t n,
                                 size_t d, struct vd_error *err);
void vd__principal_release(struct vd__principal *p);

/* ---- a detector that looks at rows along such axes ---- */

/* The detector, one block. Both kinds have "scale" as their first setting. */
struct vd__axes {
    struct vd_detector base;
    size_t k; /* axes kept */
    struct vd__scaler scaler;
    double *center; /* d: means of the scaled columns */
    double *axis;   /* k x d */
};

/* The rule by which a kind of detector is made of the axes of its training rows. */
struct vd__axes_rule {
    const struct vd__detector_class *class;
    /* Chooses how many of the axes are kept, at most rank. */
    size_t (*count)(const struct vd__principal *axes, const double *param);
    bool whiten; /* each axis is divided by its standard deviation */
};

/* Fits a detector by the rule, but for its threshold. The caller owns *out. VD_ERR_LIMIT,
 * VD_ERR_MEMORY. */
enum vd_status vd__axes_fit(struct vd__axes **out, const struct vd__axes_rule *rule,
                            const struct vd__fit *fit, struct vd_error *err);

/* Writes the scaled and centred row into z (d). */
static inline void vd__axes_center(const struct vd__axes *a, const double *row, double *z)
{
    vd__scaler_apply(&a->scaler, row, z, a->base.d);
    for (size_t j = 0; j < a->base.d; j++)
        z[j] -= a->center[j];
}

/* Save and load, the same for both kinds (class.h). */
void vd__axes_save(const vd_detector *self, struct vd_writer *w);
enum vd_status vd__axes_load(vd_detector **out, const struct vd__detector_class *class,
                             size_t d, struct vd_reader *r, struct vd_error *err);

#endif
