/* Several ticks side by side as one row, for detectors that should see change: the
 * windowed variant of PCA is the detector "pca" on these (10 ticks, variance 0.8).
 */
#ifndef VD_WINDOW_H
#define VD_WINDOW_H

#include <stdbool.h>

#include "vedette/matrix.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The last `rows` ticks of d numbers. */
struct vd_window {
    size_t rows, d;
    size_t n;   /* ticks held, at most rows */
    double *at; /* rows x d, oldest first; owned */
};

enum vd_status vd_window_init(struct vd_window *w, size_t rows, size_t d);
void vd_window_release(struct vd_window *w);

/* Forgets all ticks: after a gap, what lies side by side did not follow each other. */
void vd_window_clear(struct vd_window *w);

/* Takes one tick. True when the window is full: then w->at is the row, rows x d numbers,
 * oldest tick first. Allocates nothing. */
bool vd_window_push(struct vd_window *w, const double *row);

/* All windows of x, in order: (n - rows + 1) x (rows d) into `out`, which it initialises.
 * VD_ERR_DATA when x has fewer rows. */
enum vd_status vd_window_rows(struct vd_matrix *out, const struct vd_matrix *x,
                              size_t rows);

#ifdef __cplusplus
}
#endif

#endif
