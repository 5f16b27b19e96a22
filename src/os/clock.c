/* clock_gettime(2), and the local time by way of the zone that is set. */
#include "os/clock.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

/* "/usr/share/zoneinfo/Europe/Berlin", ":Europe/Berlin" -> "Europe/Berlin" */
static const char *zone_in(const char *text)
{
    const char *folder = strstr(text, "zoneinfo/");

    return folder != NULL ? folder + strlen("zoneinfo/") : text + (*text == ':');
}

const char *os_clock_zone(char *name, size_t size)
{
    const char *set = getenv("TZ"), *zone;
    char target[PATH_MAX];
    ssize_t n = readlink("/etc/localtime", target, sizeof target - 1);

    target[n > 0 ? n : 0] = '\0';
    zone = zone_in(set != NULL ? set : target);
    /* "CET-1CEST" is a rule and no name, and a path is none either. */
    if (*zone == '/' || strpbrk(zone, ",;<>+") != NULL || strlen(zone) >= size)
        zone = "";
    snprintf(name, size, "%s", zone);
    return name;
}
