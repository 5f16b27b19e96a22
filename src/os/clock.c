/* clock_gettime(2), the local time by way of the zone that is set, and times as text. */
#include "os/clock.h"

#include <assert.h>
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

/* Finds the name of the zone in what TZ or the link says:
 * "/usr/share/zoneinfo/Europe/Berlin" and ":Europe/Berlin" give "Europe/Berlin". */
static const char *zone_in(const char *text)
{
    const char *folder = strstr(text, "zoneinfo/");

    return folder != NULL ? folder + strlen("zoneinfo/") : text + (*text == ':');
}

/* Asks TZ before the link /etc/localtime, as the C library does. */
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

/* ---- times as text ---- */

enum { DAY_S = 86400 };

/* Breaks days since 1970 into a date of the Gregorian calendar, counted from March
 * (Hinnant, "chrono-compatible low-level date algorithms"). */
static void split_days(int64_t days, int *year, int *month, int *day)
{
    /* From 0000-03-01 to 1970-01-01 it is 719468 days, and 400 years have 146097. */
    int64_t from_0000 = days + 719468;
    int64_t era = (from_0000 >= 0 ? from_0000 : from_0000 - 146096) / 146097;
    int64_t of_era = from_0000 - era * 146097;
    int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    int64_t march = (5 * of_year + 2) / 153; /* months since March */

    *day = (int)(of_year - (153 * march + 2) / 5) + 1;
    *month = (int)(march < 10 ? march + 3 : march - 9);
    *year = (int)(years + era * 400) + (*month <= 2);
}

/* Does without strftime(3) and the zone, so that a forked child may call it. Divisions
 * round down, also before 1970. */
char *os_clock_text_at(int64_t time_ns, int east_s, char text[OS_CLOCK_TEXT])
{
    int east_min = east_s / 60; /* offsets of seconds are of the 19th century */
    int64_t ms = time_ns / 1000000 - (time_ns % 1000000 < 0);
    int64_t days, of_day;
    int year, month, day;

    ms += east_min * INT64_C(60000);
    days = ms / (DAY_S * 1000) - (ms % (DAY_S * 1000) < 0);
    of_day = ms - days * DAY_S * 1000;
    assert(of_day >= 0 && of_day < DAY_S * 1000);
    split_days(days, &year, &month, &day);
    snprintf(text, OS_CLOCK_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%c%02d:%02d", year,
             month, day, (int)(of_day / 3600000), (int)(of_day / 60000 % 60),
             (int)(of_day / 1000 % 60), (int)(of_day % 1000), east_min < 0 ? '-' : '+',
             abs(east_min) / 60, abs(east_min) % 60);
    return text;
}

char *os_clock_text(int64_t time_ns, char text[OS_CLOCK_TEXT])
{
    time_t seconds = (time_t)(time_ns / 1000000000 - (time_ns % 1000000000 < 0));
    struct tm local;

    return os_clock_text_at(
        time_ns, localtime_r(&seconds, &local) == NULL ? 0 : (int)local.tm_gmtoff, text);
}
