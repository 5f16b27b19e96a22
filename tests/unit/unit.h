/* What every unit test includes first: cmocka and the headers it wants before it. */
#ifndef VD_UNIT_H
#define VD_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#define SECOND INT64_C(1000000000) /* in ns */

/* Equal within `tolerance`, or both NaN. */
#define assert_double_equal(actual, expected, tolerance)                                 \
    do {                                                                                 \
        double a_ = (actual), e_ = (expected);                                           \
        if (!(fabs(a_ - e_) <= (tolerance)) && !(isnan(a_) && isnan(e_)))                \
            fail_msg("%s = %.17g, expected %.17g", #actual, a_, e_);                     \
    } while (0)

#endif
