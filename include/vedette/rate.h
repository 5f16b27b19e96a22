/* Differences of counters. A counter only grows; one that fell was reset or has wrapped,
 * and what happened in between is unknown: NaN. NaN in gives NaN. No state. */
#ifndef VD_RATE_H
#define VD_RATE_H

#ifdef __cplusplus
extern "C" {
#endif

/* now - before; NaN when the counter fell. */
double vd_delta(double now, double before);

/* vd_delta per second; NaN unless seconds > 0. */
double vd_rate(double now, double before, double seconds);

/* vd_delta of one counter over vd_delta of another; NaN when the other did not move. */
double vd_ratio(double now, double before, double base_now, double base_before);

#ifdef __cplusplus
}
#endif

#endif
