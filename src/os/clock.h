/* The two clocks. Stages get `now` passed in; only the loop and stop-watches ask. */
#ifndef VD_OS_CLOCK_H
#define VD_OS_CLOCK_H

#include <stdint.h>

int64_t os_clock_wall_ns(void); /* since 1970, UTC; may be set by the operator */
int64_t os_clock_mono_ns(void); /* since boot, sleep not counted; never goes back */

#endif
