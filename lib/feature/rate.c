/* Rates and ratios of counters. Comparisons are written so that a NaN gives NaN. Wraps of
 * a counter are not repaired, because its width is not known here.
 */
#include "vedette/rate.h"

#include <math.h>

/* Turns an infinity into NaN: an infinite counter, or a quotient beyond the range of a
 * double, is no measurement. */
static double finite_or_nan(double x)
{
    return isfinite(x) ? x : NAN;
}

double vd_delta(double now, double before)
{
    return now >= before ? finite_or_nan(now - before) : NAN;
}

double vd_rate(double now, double before, double seconds)
{
    return seconds > 0 ? finite_or_nan(vd_delta(now, before) / seconds) : NAN;
}

double vd_ratio(double now, double before, double base_now, double base_before)
{
    double base = vd_delta(base_now, base_before);

    return base > 0 ? finite_or_nan(vd_delta(now, before) / base) : NAN;
}
