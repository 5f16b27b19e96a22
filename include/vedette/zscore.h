/* The normal level of one metric: a rolling window of normal samples, their median, their
 * robust sigma, and how many sigmas a value is away.
 *
 * Serves the robust z-score detector and the explanation
 * (`gpu_memory: 14.2 (high, expected ~9.4, z=1.9)`). The caller decides which samples are
 * normal and pushes only those. Levels and sigmas have the unit of the metric. Values are
 * held as floats: 8 bytes a sample in all.
 *
 * Source of the factors that make deviations a sigma: Rousseeuw and Croux, "Alternatives
 * to the median absolute deviation", JASA 1993.
 */
#ifndef VD_ZSCORE_H
#define VD_ZSCORE_H

#include <stdbool.h>
#include <stddef.h>

#include "vedette/bytes.h"
#include "vedette/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    VD_ROLLING_WINDOW = 200, /* default window */
    VD_ROLLING_MIN = 30,     /* fewest samples for a verdict */
    VD_ROLLING_MAX = 8192,   /* largest window */
};

/* The limit of z, both ways. A metric that was constant so far reaches it with its first
 * change. */
#define VD_Z_MAX 100.0

/* The window of one metric. Make it with vd_rolling_init, release it with
 * vd_rolling_release; do not copy it. One thread at a time. */
struct vd_rolling {
    float *ring;   /* owned: `window` values in order of arrival */
    float *sorted; /* the same block: the `n` values in ascending order */
    size_t window, n, next;
};

/* Makes an empty window of `window` samples, VD_ROLLING_MIN .. VD_ROLLING_MAX, 0 =
 * VD_ROLLING_WINDOW. VD_ERR_ARGUMENT, VD_ERR_MEMORY; then there is nothing to release. */
enum vd_status vd_rolling_init(struct vd_rolling *rolling, size_t window);

/* Frees the samples; takes NULL and an all-zero struct. */
void vd_rolling_release(struct vd_rolling *rolling);

/* Adds a normal sample; the oldest leaves when the window is full. NaN is left out, and
 * numbers are cut to a quarter of a float's range. Allocates nothing. */
void vd_rolling_push(struct vd_rolling *rolling, double x);

/* Computes the median of the window; NaN while it holds fewer than VD_ROLLING_MIN
 * samples.
 */
double vd_rolling_expected(const struct vd_rolling *rolling);

/* Computes 1.4826 times the median absolute deviation. Where that is 0, because more than
 * half of the samples are equal, it is 1.2533 times the mean absolute deviation from the
 * median. 0 for a constant window; NaN while it holds fewer than VD_ROLLING_MIN samples.
 */
double vd_rolling_sigma(const struct vd_rolling *rolling);

/* Computes (x - expected) / sigma within -VD_Z_MAX .. VD_Z_MAX. A sigma below
 * `least_sigma` is raised to it (0 = no limit). 0 when x is the expected value; NaN when
 * x is NaN or the window holds too few samples. */
double vd_rolling_z(const struct vd_rolling *rolling, double x, double least_sigma);

/* Appends the samples, oldest first; check w->status. */
void vd_rolling_save(const struct vd_rolling *rolling, struct vd_writer *w);

/* Reads what vd_rolling_save wrote, trusting nothing, into an initialised window, whose
 * size stays; the newest samples that fit are kept. VD_ERR_FORMAT (and r->failed); then
 * the window is empty. */
enum vd_status vd_rolling_load(struct vd_rolling *rolling, struct vd_reader *r,
                               struct vd_error *err);

#ifdef __cplusplus
}
#endif

#endif
