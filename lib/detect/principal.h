/* Principal axes of scaled rows: shared by PCA reconstruction and Mahalanobis. */
#ifndef VD_DETECT_PRINCIPAL_H
#define VD_DETECT_PRINCIPAL_H

#include "detect/scaler.h"

/* At most so many rows or columns (the smaller of both) go through the eigensolver. */
enum { VD__PRINCIPAL_MAX = 2048 };

struct vd__principal {
    size_t d, rank;   /* axes found: min(n, d) */
    double *center;   /* d: means of the scaled columns (about 0, or for "none" not) */
    double *variance; /* rank, falling, divisor n */
    double *axis;     /* rank x d, orthonormal rows */
    double total;     /* variance of all columns together */
};

enum vd_status vd__principal_fit(struct vd__principal *p, const double *z, size_t n,
                                 size_t d, struct vd_error *err);
void vd__principal_release(struct vd__principal *p);

#endif
