/* Several ticks side by side as one row, for detectors that should see change.
 *
 * The windowed variant of PCA is the detector "pca" on such rows (10 ticks, variance
 * 0.8). A tick is a row of d numbers. A window is used by one thread at a time.
 */
#ifndef VD_WINDOW_H
#define VD_WINDOW_H

#include <stdbool.h>

#include "vedette/matrix.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The last `rows` ticks. Release it with vd_window_release. */
struct vd_window {
    size_t rows, d;
    size_t n;   /* ticks held, at most rows */
    double *at; /* rows x d, oldest first; owned */
};

/* Makes an empty window. VD_ERR_ARGUMENT when rows or d is 0 or their product is too
 * large to count, VD_ERR_MEMORY; then there is nothing to release. */
enum vd_status vd_window_init(struct vd_window *w, size_t rows, size_t d);

/* Frees the ticks; takes NULL and an all-zero window. */
void vd_window_release(struct vd_window *w);

/* Forgets all ticks. Call it after a gap, or ticks far apart would lie side by side. */
void vd_window_clear(struct vd_window *w);

/* Takes one tick (copied); NaN is kept. True when the window is full: then w->at is the
 * row, rows x d numbers, oldest tick first, until the next push. Allocates nothing. */
bool vd_window_push(struct vd_window *w, const double *row);

/* Makes a table of all windows of x, in order: (n - rows + 1) x (rows d). Initialises
 * `out`, which the caller releases. VD_ERR_DATA when rows is 0 or x has fewer rows,
 * VD_ERR_MEMORY; then `out` is empty. */
enum vd_status vd_window_rows(struct vd_matrix *out, const struct vd_matrix *x,
                              size_t rows);

#ifdef __cplusplus
}
#endif

#endif
