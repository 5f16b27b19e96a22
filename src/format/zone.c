/* The C library knows zones only as the one of the process and only through localtime. So
 * the changes of a zone are looked up once, and everything after that is arithmetic. */
#include "format/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "format/scan.h"

static const int64_t DAY_S = 86400, WEEK_S = 7 * 86400, SECOND_NS = 1000000000;
static const int64_t HOUR_NS = 3600 * INT64_C(1000000000);
/* 1970 to 2099: no recording is older, and later rules are guesses. */
static const int64_t LAST_S = INT64_C(4102444800);

/* ---- offsets ---- */

/* Takes one or two digits, as offsets have them. */
static bool take_two(struct format_scan *t, int64_t max, int64_t *value)
{
    *value = 0;
    for (int i = 0; i < 2; i++, t->at++) {
        if (t->at == t->end || *t->at < '0' || *t->at > '9')
            return i == 1;
        *value = *value * 10 + (*t->at - '0');
    }
    return *value <= max;
}

/* Reads "+02:00", "-0530" or "+2" as seconds to the east of UTC. */
static bool numeric_offset(struct format_scan t, int64_t *east_s)
{
    bool west = format_scan_skip(&t, "-") || format_scan_skip(&t, "\xe2\x88\x92");
    int64_t hours, minutes = 0;

    if (!west && !format_scan_skip(&t, "+"))
        return false;
    if (!take_two(&t, 15, &hours))
        return false;
    format_scan_skip(&t, ":");
    if (t.at < t.end && !take_two(&t, 59, &minutes))
        return false;
    *east_s = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return t.at == t.end;
}

bool format_zone_offset(const char *text, size_t size, int64_t *east_s)
{
    /* Names that are written behind times and mean one offset. */
    static const struct {
        const char *name;
        int hours;
    } known[] = {{"Z", 0},    {"UTC", 0},  {"GMT", 0},  {"WET", 0},   {"WEST", 1},
                 {"BST", 1},  {"CET", 1},  {"MET", 1},  {"CEST", 2},  {"MEST", 2},
                 {"EET", 2},  {"EEST", 3}, {"MSK", 3},  {"JST", 9},   {"KST", 9},
                 {"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5},  {"MST", -7},
                 {"MDT", -6}, {"PST", -8}, {"PDT", -7}, {"AEST", 10}, {"AEDT", 11}};
    struct format_scan t = format_scan_of(text, size);

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].name) == size &&
            strncasecmp(known[i].name, text, size) == 0) {
            *east_s = known[i].hours * INT64_C(3600);
            return true;
        }
    (void)(format_scan_skip(&t, "UTC") || format_scan_skip(&t, "GMT"));
    return numeric_offset(t, east_s);
}

/* ---- loading ---- */

/* Gives the offset in seconds that the C library has for the time, in the zone that is
 * set now. */
static int east_at(int64_t utc_s)
{
    time_t when = (time_t)utc_s;
    struct tm tm;

    return localtime_r(&when, &tm) == NULL ? 0 : (int)tm.tm_gmtoff;
}

/* Finds the first second of (low, high] at which the offset is that of `high`, by
 * halving. */
static int64_t find_change(int64_t low, int64_t high)
{
    int east = east_at(high);

    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;

        if (east_at(middle) == east)
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* Finds all changes of the zone that is set now, by looking at one moment in each week:
 * no zone changes its clock twice within one. */
static void look_up(struct format_zone *zone)
{
    int before = east_at(0);

    zone->n = 0;
    zone->first_east_s = before;
    for (int64_t week = WEEK_S; week < LAST_S; week += WEEK_S) {
        int east = east_at(week);

        if (east == before || zone->n == FORMAT_ZONE_CHANGES)
            continue;
        zone->change[zone->n].at_s = find_change(week - WEEK_S, week);
        zone->change[zone->n++].east_s = east;
        before = east;
    }
}

/* Tells whether there is a file of that name. The C library takes any name that it does
 * not know for UTC, so it cannot be asked. Paths out of the folder are refused. */
static bool is_known(const char *name)
{
    const char *folder = getenv("TZDIR");
    char path[512];

    if (name[0] == '\0' || name[0] == '/' || strstr(name, "..") != NULL)
        return false;
    snprintf(path, sizeof path, "%s/%s", folder == NULL ? "/usr/share/zoneinfo" : folder,
             name);
    return access(path, R_OK) == 0;
}

/* Sets the zone for the whole process, looks its changes up, and sets the old one back.
 * No other thread may use local time meanwhile. */
static enum vd_status load_named(struct format_zone *zone, const char *name,
                                 struct vd_error *err)
{
    const char *now = getenv("TZ");
    char *before = now == NULL ? NULL : strdup(now);

    if (now != NULL && before == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory");
    setenv("TZ", name, 1);
    tzset();
    look_up(zone);
    if (before != NULL)
        setenv("TZ", before, 1);
    else
        unsetenv("TZ");
    tzset();
    free(before);
    return VD_OK;
}

enum vd_status format_zone_load(struct format_zone *zone, const char *name,
                                struct vd_error *err)
{
    int64_t east_s;

    *zone = (struct format_zone){.n = 0};
    if (name == NULL || strcasecmp(name, "local") == 0) {
        snprintf(zone->name, sizeof zone->name, "local time");
        tzset();
        look_up(zone);
        return VD_OK;
    }
    snprintf(zone->name, sizeof zone->name, "%s", name);
    if (format_zone_offset(name, strlen(name), &east_s)) {
        zone->first_east_s = (int)east_s;
        return VD_OK;
    }
    if (is_known(name))
        return load_named(zone, name, err);
    return vd_error_set(err, VD_ERR_ARGUMENT,
                        "write local, UTC, an offset like +02:00 or a name like "
                        "Europe/Berlin",
                        "\"%.40s\" is no time zone", name);
}

/* ---- using ---- */

/* Divides and rounds down, also below zero, where C rounds to zero. */
static int64_t divide_down(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Counts the changes that are not after `utc_s`. */
static size_t changes_until(const struct format_zone *zone, int64_t utc_s)
{
    size_t low = 0, high = zone->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->change[middle].at_s <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int east_after(const struct format_zone *zone, size_t changes)
{
    return changes == 0 ? zone->first_east_s : zone->change[changes - 1].east_s;
}

/* Finds the moments at which the wall clock shows `wall_ns`: one as a rule, none in an
 * hour that is left out, two in one that comes twice. The earlier one comes first. */
int format_zone_utc(const struct format_zone *zone, int64_t wall_ns, int64_t utc_ns[2])
{
    int64_t wall_s = divide_down(wall_ns, SECOND_NS);
    size_t first = changes_until(zone, wall_s - DAY_S);
    size_t last = changes_until(zone, wall_s + DAY_S);
    int n = 0;

    /* Offsets are below a day, so what holds then is one of those around it. */
    for (size_t k = first; k <= last && n < 2; k++) {
        int64_t utc_s = wall_s - east_after(zone, k);

        if (changes_until(zone, utc_s) == k)
            utc_ns[n++] = wall_ns - east_after(zone, k) * SECOND_NS;
    }
    return n;
}

/* Notes for how long around this moment nothing changes: a day off the changes before and
 * behind it, as offsets are shorter. */
static void remember(const struct format_zone *zone, struct format_zone_memo *memo,
                     int64_t utc_s)
{
    size_t k = changes_until(zone, utc_s);

    memo->east_ns = east_after(zone, k) * SECOND_NS;
    memo->from_ns = k == 0 ? INT64_MIN : (zone->change[k - 1].at_s + DAY_S) * SECOND_NS;
    memo->to_ns = k == zone->n ? INT64_MAX : (zone->change[k].at_s - DAY_S) * SECOND_NS;
}

bool format_zone_one(const struct format_zone *zone, struct format_zone_memo *memo,
                     int64_t wall_ns, int64_t *utc_ns)
{
    int64_t utc[2] = {wall_ns, 0};
    int turns;

    if (wall_ns >= memo->from_ns && wall_ns < memo->to_ns) {
        *utc_ns = wall_ns - memo->east_ns;
        return true;
    }
    turns = format_zone_utc(zone, wall_ns, utc);
    if (turns == 0) {
        format_zone_utc(zone, wall_ns - HOUR_NS, utc);
        utc[0] += HOUR_NS;
    }
    if (turns == 1)
        remember(zone, memo, divide_down(utc[0], SECOND_NS));
    *utc_ns = utc[0];
    return turns == 1;
}
