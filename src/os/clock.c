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

int64_t os_clock_thread_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

int64_t os_clock_local_s(int64_t time_ns)
{
    time_t t = (time_t)(time_ns / 1000000000);
    struct tm local;

    localtime_r(&t, &local);
    return (int64_t)t + local.tm_gmtoff;
}
