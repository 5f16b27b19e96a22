/* Points in time as people write them: relative to now, or by the clock on the wall. */
#include "cmd/when.h"

#include <stdbool.h>
#include <string.h>

#include "format/number.h"
#include "format/time.h"
#include "format/zone.h"
#include "os/clock.h"
#include "os/options.h"

static const int64_t SECOND_NS = 1000000000;

/* Counts seconds, as local clocks do: a day on the wall always has 24 hours, however long
 * it lasted. */
enum { HOUR_S = 3600, DAY_S = 86400 };

/* Converts what a local clock shows to UTC. Of an hour that comes twice it takes the
 * first one; in an hour that is left out, the clock is taken as not set forward yet.
 * Without a zone the wall is UTC. */
static int64_t from_wall(int64_t wall_ns)
{
    int64_t utc_ns[2] = {wall_ns, wall_ns};
    struct format_zone zone;

    if (format_zone_load(&zone, NULL, NULL) != VD_OK)
        return wall_ns;
    if (format_zone_utc(&zone, wall_ns, utc_ns) == 0) {
        format_zone_utc(&zone, wall_ns - HOUR_S * SECOND_NS, utc_ns);
        utc_ns[0] += HOUR_S * SECOND_NS;
    }
    return utc_ns[0];
}

/* Gives the local midnight that began the day of `now_ns`, as the wall shows it. */
static int64_t midnight_ns(int64_t now_ns)
{
    return os_clock_local_s(now_ns) / DAY_S * DAY_S * SECOND_NS;
}

/* Reads a word. "today" begins at the local midnight. */
static bool read_word(const char *text, int64_t now_ns, int64_t *time_ns)
{
    if (strcmp(text, "now") == 0)
        *time_ns = now_ns;
    else if (strcmp(text, "today") == 0)
        *time_ns = from_wall(midnight_ns(now_ns));
    else if (strcmp(text, "yesterday") == 0)
        *time_ns = from_wall(midnight_ns(now_ns) - DAY_S * SECOND_NS);
    else
        return false;
    return true;
}

/* Reads "10min" and "10min ago". A number alone is refused: it is a Unix time and no
 * duration. */
static bool read_ago(const char *text, int64_t now_ns, int64_t *time_ns)
{
    size_t size = strlen(text);
    char span[32];
    double seconds;

    if (size > 4 && strcmp(text + size - 4, " ago") == 0)
        size -= 4;
    if (size == 0 || size >= sizeof span || strspn(text, "0123456789.") == size)
        return false;
    memcpy(span, text, size);
    span[size] = '\0';
    if (!os_parse_duration(span, &seconds) || seconds < 0 || seconds > 9e9)
        return false;
    *time_ns = now_ns - (int64_t)(seconds * 1e9);
    return true;
}

/* Reads a date, a time or both. A time without a date is of today; a time with a zone
 * does not ask the local one. */
static bool read_stamp(const char *text, int64_t now_ns, int64_t *time_ns)
{
    struct format_stamp stamp;
    int64_t ns;

    if (!format_stamp_read((struct format_csv_field){text, strlen(text)}, &stamp) ||
        stamp.is_open || !format_stamp_ns(&stamp, false, &ns))
        return false;
    if (!stamp.has_date)
        ns += midnight_ns(now_ns);
    *time_ns = stamp.has_zone ? ns - stamp.east_s * SECOND_NS : from_wall(ns);
    return true;
}

/* Reads Unix time in seconds, with or without the @ of date(1) and journalctl(1). */
static bool read_epoch(const char *text, int64_t *time_ns)
{
    const char *digits = text + (*text == '@');
    double seconds =
        format_number((struct format_csv_field){digits, strlen(digits)}, '.');

    if (strspn(digits, "0123456789.") != strlen(digits) || !(seconds < 9e9))
        return false;
    *time_ns = (int64_t)(seconds * 1e9);
    return true;
}

/* Tries each way of writing a time. Of a text that could be read in two ways the first
 * one counts: eight digits alone are Unix time and no date. */
enum vd_status cmd_when(const char *option, const char *text, int64_t now_ns,
                        int64_t *time_ns, struct vd_error *err)
{
    if (read_word(text, now_ns, time_ns) || read_ago(text, now_ns, time_ns) ||
        read_epoch(text, time_ns) || read_stamp(text, now_ns, time_ns))
        return VD_OK;
    return vd_error_set(err, VD_ERR_ARGUMENT,
                        "write \"2026-11-21 03:10:29\", \"10min\" or \"yesterday\"",
                        "%s: \"%.64s\" is no time", option, text);
}
