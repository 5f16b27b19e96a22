/* What one metric normally is: a rolling window of normal samples, its median, its robust
 * sigma, and how many sigmas a value is away.
 *
 * Serves the robust z-score detector and the explanation
 * (`gpu_memory: 14.2 (high, expected ~9.4, z=1.9)`). The caller decides which samples are
 * normal and pushes only those. Values are held as floats: 8 bytes a sample in all.
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
    VD_ROLLING_MIN = 30,     /* samples before it speaks */
    VD_ROLLING_MAX = 8192,   /* largest window */
};

/* z is held within -VD_Z_MAX .. VD_Z_MAX: a constant metric that moves is there at once.
 */
#define VD_Z_MAX 100.0

/* Init with vd_rolling_init, release with vd_rolling_release. One thread at a time. */
struct vd_rolling {
    float *ring;   /* owned: `window` values in order of arrival */
    float *sorted; /* the same block: the `n` values in ascending order */
    size_t window, n, next;
};

/* `window` in VD_ROLLING_MIN .. VD_ROLLING_MAX, 0 = VD_ROLLING_WINDOW. */
enum vd_status vd_rolling_init(struct vd_rolling *rolling, size_t window);

/* Takes NULL and an all-zero struct. */
void vd_rolling_release(struct vd_rolling *rolling);

/* Adds a normal sample, the oldest leaves when the window is full. NaN is left out. */
void vd_rolling_push(struct vd_rolling *rolling, double x);

/* Median of the window, NaN while it holds fewer than VD_ROLLING_MIN samples. */
double vd_rolling_expected(const struct vd_rolling *rolling);

/* 1.4826 times the median absolute deviation. Where that is 0, since more than half of
 * the samples are equal, 1.2533 times the mean absolute deviation from the median. 0 for
 * a constant window; NaN while fewer than VD_ROLLING_MIN samples are held. */
double vd_rolling_sigma(const struct vd_rolling *rolling);

/* (x - expected) / sigma, or / least_sigma where that is more (0 = none), within
 * -VD_Z_MAX .. VD_Z_MAX; 0 when x is the expected value. NaN for NaN and while too few
 * samples are held. */
double vd_rolling_z(const struct vd_rolling *rolling, double x, double least_sigma);

void vd_rolling_save(const struct vd_rolling *rolling, struct vd_writer *w);

/* Into an initialised `rolling`, whose window stays; the newest samples that fit are
 * kept. On failure it is left empty. */
enum vd_status vd_rolling_load(struct vd_rolling *rolling, struct vd_reader *r,
                               struct vd_error *err);

#ifdef __cplusplus
}
#endif

#endif
