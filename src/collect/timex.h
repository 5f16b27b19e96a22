/* How right the clock is, as the kernel's own control of it says (adjtimex(2)). */
#ifndef VD_COLLECT_TIMEX_H
#define VD_COLLECT_TIMEX_H

#include <sys/timex.h>

struct collect_timex {
    double offset_ms;    /* what is still to be corrected; NaN = not told */
    double synchronised; /* 1 = somebody keeps it right, 0 = nobody does */
};

/* `state` is what adjtimex returned, negative = it failed. */
void collect_timex_parse(int state, const struct timex *from,
                         struct collect_timex *clock);

#endif
