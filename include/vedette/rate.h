/* Differences and rates of counters, numbers that only grow.
 *
 * A counter that fell was reset or has wrapped, so the change is unknown: NaN. NaN in
 * gives NaN, and so does a result that is not finite. No state: any thread may call them.
 */
#ifndef VD_RATE_H
#define VD_RATE_H

#ifdef __cplusplus
extern "C" {
#endif

/* Computes now - before, in the unit of the counter; NaN when the counter fell. */
double vd_delta(double now, double before);

/* Computes vd_delta per second; NaN unless seconds > 0. */
double vd_rate(double now, double before, double seconds);

/* Divides the vd_delta of one counter by that of a base counter, such as busy time by all
 * time; NaN when the base did not move. */
double vd_ratio(double now, double before, double base_now, double base_before);

#ifdef __cplusplus
}
#endif

#endif
