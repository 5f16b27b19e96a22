/* From what collectors read to the values that people see. The only place where
 * differences of counters are taken.
 *
 *     gauge: scale * raw
 *     rate:  scale * (raw - raw before) / seconds between, by the monotonic clock
 *     ratio: scale * (raw - raw before) / (base - base before)
 *
 * A rate or ratio is NaN on the first tick of its metric, when a counter went backwards
 * (reset, wrap, device replaced), when no time passed, and after a tick without a value.
 * A ratio whose base did not move is NaN: nothing happened that it could be a share of
 * (an idle disk has no latency). Infinities become NaN. What is above the most that a
 * metric can be (a disk busy for 104 % of the time, by clocks that do not agree) is cut.
 */
#ifndef VD_FEATURE_RATES_H
#define VD_FEATURE_RATES_H

#include "record.h"

typedef struct feature_rates feature_rates;

enum vd_status feature_rates_new(feature_rates **out, struct vd_error *err);

/* The values of this tick: sample->schema->n of them, owned by `rates`, valid until the
 * next call. The schema may have grown since the last call; it is always the same one.
 * Allocates nothing. */
const double *feature_rates_update(feature_rates *rates,
                                   const struct record_sample *sample);

/* Forgets the tick before: the next rates are NaN (after a jump in a replay). */
void feature_rates_reset(feature_rates *rates);

void feature_rates_free(feature_rates *rates);

#endif
