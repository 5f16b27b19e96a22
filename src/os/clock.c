#include "os/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t os_clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t os_clock_mono_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
