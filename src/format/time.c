/* Takes a text apart from left to right; each part either fits or ends the attempt. */
#include "format/time.h"

#include <math.h>
#include <strings.h>
#include <time.h>

#include "format/zone.h"

static const int64_t SECOND_NS = 1000000000, DAY_S = 86400;

/* ---- calendar ---- */

/* Gives the days from 1970-01-01 in the Gregorian calendar. Years are counted from March,
 * so the leap day comes last; there are 146097 days in 400 years. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Tells whether the date exists and can be of a recording; far years would not fit into
 * nanoseconds. */
static bool is_day(int year, int month, int day)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    if (year < 1850 || year > 2090 || month < 1 || month > 12 || day < 1)
        return false;
    return day <= days[month - 1] - (month == 2 && !leap);
}

/* Gives the nanoseconds since 1970 of what the stamp shows, without its zone. `day_first`
 * matters only for a date that reads both ways. */
bool format_stamp_ns(const struct format_stamp *stamp, bool day_first, int64_t *ns)
{
    bool swapped = stamp->is_open && day_first;
    int month = swapped ? stamp->second : stamp->first;
    int day = swapped ? stamp->first : stamp->second;

    *ns = stamp->day_ns;
    if (!stamp->has_date)
        return true;
    if (!is_day(stamp->year, month, day))
        return false;
    *ns += days_from_date(stamp->year, month, day) * DAY_S * SECOND_NS;
    return true;
}

/* ---- parts ---- */

/* Takes a run of digits, at most `max` of them, and returns how many. */
static int take_digits(struct format_scan *t, int max, int *value)
{
    int n = 0;

    *value = 0;
    for (; n < max && t->at < t->end && *t->at >= '0' && *t->at <= '9'; n++, t->at++)
        *value = *value * 10 + (*t->at - '0');
    return n;
}

static bool take_fixed(struct format_scan *t, int digits, int *value)
{
    return take_digits(t, digits, value) == digits;
}

/* Takes a name of `names` by its first three letters, and the rest of the word with it.
 * Returns its place from 1 on, 0 when there is none. */
static int take_name(struct format_scan *t, const char *names)
{
    if (t->at < t->end && *t->at >= '0' && *t->at <= '9')
        return 0;
    for (int i = 0; names[3 * i] != '\0'; i++) {
        if (t->end - t->at < 3 || strncasecmp(t->at, names + 3 * i, 3) != 0)
            continue;
        while (t->at < t->end && (unsigned char)((*t->at | 32) - 'a') < 26)
            t->at++;
        return i + 1;
    }
    return 0;
}

static int take_month(struct format_scan *t)
{
    return take_name(t, "JanFebMarAprMayJunJulAugSepOctNovDec");
}

/* Takes one of the signs that part a date; '\0' when there is none. Blanks behind the
 * sign are passed. */
static char take_mark(struct format_scan *t)
{
    char mark;

    if (t->at == t->end || strchr("-/. ", *t->at) == NULL)
        return '\0';
    mark = *t->at++;
    while (mark != ' ' && t->at < t->end && *t->at == ' ')
        t->at++;
    return mark;
}

/* Takes a year of two digits as POSIX does: 69 to 99 are 1969 to 1999. */
static void take_year_of(struct format_stamp *stamp, int digits, int year)
{
    stamp->year = digits == 2 ? year + (year < 69 ? 2000 : 1900) : year;
}

/* Reads "2025-07-28", "2025/7/28", "2025-Jul-28" or "20250728", of which the year has
 * been taken. Both marks must be the same sign. */
static bool year_first(struct format_scan *t, struct format_stamp *stamp)
{
    char mark = take_mark(t);

    if (mark == '\0')
        return take_fixed(t, 2, &stamp->first) && take_fixed(t, 2, &stamp->second);
    stamp->first = take_month(t);
    if (stamp->first == 0 && take_digits(t, 2, &stamp->first) == 0)
        return false;
    return take_mark(t) == mark && take_digits(t, 2, &stamp->second) > 0;
}

/* Reads "28.07.2025", "7/28/25", "28 Jul 2025" or "28-Jul-25", of which the first number
 * has been taken. Two numbers leave open which of them is the month. */
static bool year_last(struct format_scan *t, int number, struct format_stamp *stamp)
{
    char mark = take_mark(t);
    int month, digits, year;

    if (mark == '\0')
        return false;
    month = take_month(t);
    if (month == 0) {
        if (mark == ' ' || take_digits(t, 2, &stamp->second) == 0)
            return false;
        stamp->first = number;
        stamp->is_open = true;
        stamp->mark = mark;
    } else {
        stamp->first = month;
        stamp->second = number;
    }
    if (take_mark(t) != mark)
        return false;
    digits = take_digits(t, 4, &year);
    take_year_of(stamp, digits, year);
    return digits == 2 || digits == 4;
}

/* Reads "Jul 28, 2025", or "July 28 20:47:37 2025", which has its year behind the
 * clock. */
static bool month_first(struct format_scan *t, int month, struct format_stamp *stamp)
{
    struct format_scan ahead;
    int year;

    stamp->first = month;
    format_scan_skip_blanks(t);
    if (take_digits(t, 2, &stamp->second) == 0)
        return false;
    ahead = *t;
    format_scan_skip(&ahead, ",");
    format_scan_skip_blanks(&ahead);
    if (take_fixed(&ahead, 4, &year)) {
        stamp->year = year;
        *t = ahead;
    }
    return true;
}

/* Takes a date in any of the known ways. When none fits, the text and the stamp are as
 * they were. */
static bool take_date(struct format_scan *t, struct format_stamp *stamp)
{
    struct format_scan from = *t;
    int month, number, digits;

    if (take_name(t, "MonTueWedThuFriSatSun") > 0)
        format_scan_skip(t, ",");
    format_scan_skip_blanks(t);
    month = take_month(t);
    digits = month > 0 ? 0 : take_digits(t, 4, &number);
    if (month > 0)
        stamp->has_date = month_first(t, month, stamp);
    else if (digits == 4 && (stamp->year = number) > 0)
        stamp->has_date = year_first(t, stamp);
    else if (digits == 1 || digits == 2)
        stamp->has_date = year_last(t, number, stamp);
    if (!stamp->has_date) {
        *t = from;
        *stamp = (struct format_stamp){0};
    }
    return stamp->has_date;
}

/* Reads the part of a second: ".026039" is 26039000 ns. Digits beyond nine count for
 * nothing. */
static int64_t take_fraction(struct format_scan *t)
{
    int64_t ns = 0, unit = 100000000;

    if (!format_scan_skip(t, ".") && !format_scan_skip(t, ","))
        return 0;
    for (; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++, unit /= 10)
        ns += (*t->at - '0') * unit;
    return ns;
}

/* Takes "AM", "pm" or "p.m."; -1 when neither half is named. */
static int take_half(struct format_scan *t)
{
    static const char *const halves[] = {"AM", "PM", "am", "pm", "a.m.", "p.m."};

    format_scan_skip_blanks(t);
    for (int i = 0; i < 6; i++)
        if (format_scan_skip(t, halves[i]))
            return i % 2;
    return -1;
}

/* Reads "20:47", "8:47:37.026 PM", "20:47:37,026" or "204737". A second of 60 is a leap
 * second. */
static bool take_clock(struct format_scan *t, struct format_stamp *stamp)
{
    int hour, minute, second = 0, half;
    int64_t fraction = 0;
    bool compact;

    if (take_digits(t, 2, &hour) == 0)
        return false;
    compact = !format_scan_skip(t, ":");
    if (!take_fixed(t, 2, &minute) || hour > 23 || minute > 59)
        return false;
    if (compact ? t->at < t->end && *t->at >= '0' && *t->at <= '9'
                : format_scan_skip(t, ":")) {
        if (!take_fixed(t, 2, &second) || second > 60)
            return false;
        fraction = take_fraction(t);
    }
    half = take_half(t);
    if (half >= 0 && (hour < 1 || hour > 12))
        return false;
    if (half >= 0)
        hour = hour % 12 + 12 * half;
    stamp->has_clock = true;
    stamp->has_half = half >= 0;
    stamp->day_ns = (hour * INT64_C(3600) + minute * 60 + second) * SECOND_NS + fraction;
    return true;
}

/* Takes what stands behind the clock: the year of ctime, a zone, "[Europe/Berlin]".
 * Anything else makes the text no time. */
static bool take_rest(struct format_scan *t, struct format_stamp *stamp)
{
    const char *bracket, *end;

    format_scan_skip_blanks(t);
    if (stamp->has_date && stamp->year == 0) {
        if (!take_fixed(t, 4, &stamp->year))
            return false;
        format_scan_skip_blanks(t);
    }
    if (t->at == t->end)
        return true;
    bracket = memchr(t->at, '[', (size_t)(t->end - t->at));
    end = bracket == NULL ? t->end : bracket;
    stamp->has_zone = format_zone_offset(t->at, (size_t)(end - t->at), &stamp->east_s);
    return stamp->has_zone;
}

/* Passes what stands between the date and the clock. */
static void take_gap(struct format_scan *t)
{
    if (format_scan_skip(t, "T") || format_scan_skip(t, "t") || format_scan_skip(t, ":"))
        return;
    format_scan_skip(t, ",");
    format_scan_skip_blanks(t);
}

/* Takes two digits; *bad is set where they are none. */
static int two_digits(const char *at, bool *bad)
{
    unsigned tens = (unsigned char)(at[0] - '0'), ones = (unsigned char)(at[1] - '0');

    *bad |= tens > 9 || ones > 9;
    return (int)(tens * 10 + ones);
}

bool format_stamp_is_iso(struct format_csv_field text, struct format_stamp *stamp)
{
    const char *at = text.at;
    struct format_scan rest;
    bool bad = false;
    int hour, minute, second;

    if (text.size < 19 || text.size > 64 || at[4] != '-' || at[7] != '-' ||
        (at[10] != ' ' && at[10] != 'T') || at[13] != ':' || at[16] != ':')
        return false;
    *stamp = (struct format_stamp){.has_date = true, .has_clock = true};
    stamp->year = two_digits(at, &bad) * 100 + two_digits(at + 2, &bad);
    stamp->first = two_digits(at + 5, &bad);
    stamp->second = two_digits(at + 8, &bad);
    hour = two_digits(at + 11, &bad);
    minute = two_digits(at + 14, &bad);
    second = two_digits(at + 17, &bad);
    if (bad || stamp->year == 0 || hour > 23 || minute > 59 || second > 60)
        return false;
    rest = format_scan_of(at + 19, text.size - 19);
    stamp->day_ns = (hour * INT64_C(3600) + minute * 60 + second) * SECOND_NS +
                    (rest.at < rest.end ? take_fraction(&rest) : 0);
    stamp->has_zone = format_scan_skip(&rest, "Z");
    return rest.at == rest.end;
}

/* Begins a day; false when the text is of another form, or there is no such day. */
static bool begin_day(struct format_csv_field text, struct format_day *day)
{
    struct format_stamp stamp;
    int64_t ns;

    if (!format_stamp_is_iso(text, &stamp) || !format_stamp_ns(&stamp, false, &ns))
        return false;
    memcpy(day->text, text.at, sizeof day->text);
    day->ns = ns - stamp.day_ns;
    return true;
}

bool format_stamp_of_day(struct format_csv_field text, struct format_day *day,
                         int64_t *ns)
{
    const char *at = text.at;
    struct format_scan rest;
    bool bad = false;
    int hour, minute, second;

    if (text.size < 19 || text.size > 64 ||
        (memcmp(at, day->text, sizeof day->text) != 0 && !begin_day(text, day)) ||
        (at[10] != ' ' && at[10] != 'T') || at[13] != ':' || at[16] != ':')
        return false;
    hour = two_digits(at + 11, &bad);
    minute = two_digits(at + 14, &bad);
    second = two_digits(at + 17, &bad);
    rest = format_scan_of(at + 19, text.size - 19);
    *ns = day->ns + (hour * INT64_C(3600) + minute * 60 + second) * SECOND_NS +
          (rest.at < rest.end ? take_fraction(&rest) : 0);
    return !bad && hour <= 23 && minute <= 59 && second <= 60 && rest.at == rest.end;
}

/* Reads a date, a time, or both. A time alone needs a colon, or every number of four
 * digits would be one. */
bool format_stamp_read(struct format_csv_field text, struct format_stamp *stamp)
{
    struct format_scan t = format_scan_of(text.at, text.size), ahead;

    if (format_stamp_is_iso(text, stamp))
        return true;
    *stamp = (struct format_stamp){0};
    if (text.size < 4 || text.size > 64)
        return false;
    if (take_date(&t, stamp)) {
        ahead = t;
        take_gap(&ahead); /* 20260310080000 has none */
        if (take_clock(&ahead, stamp))
            t = ahead;
    } else if (memchr(text.at, ':', text.size) == NULL || !take_clock(&t, stamp)) {
        return false;
    }
    return take_rest(&t, stamp) && (!stamp->has_date || stamp->year != 0);
}

/* Reads a time by a pattern of strptime(3), which knows no parts of a second: they may
 * stand at the end. */
bool format_stamp_match(struct format_csv_field text, const char *pattern,
                        struct format_stamp *stamp)
{
    struct tm tm = {.tm_mday = 1, .tm_year = 70};
    struct format_scan rest;
    char copy[96];
    const char *end;

    if (text.size >= sizeof copy)
        return false;
    memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    end = strptime(copy, pattern, &tm);
    if (end == NULL)
        return false;
    *stamp = (struct format_stamp){
        .has_date = true,
        .has_clock = true,
        .has_zone = strstr(pattern, "%z") != NULL,
        .year = tm.tm_year + 1900,
        .first = tm.tm_mon + 1,
        .second = tm.tm_mday,
        .east_s = tm.tm_gmtoff,
    };
    rest = format_scan_of(end, strlen(end));
    stamp->day_ns =
        (tm.tm_hour * INT64_C(3600) + tm.tm_min * 60 + tm.tm_sec) * SECOND_NS +
        take_fraction(&rest);
    return rest.at == rest.end && is_day(stamp->year, stamp->first, stamp->second);
}

/* ---- Unix time ---- */

/* Turns Unix time into nanoseconds. The whole part and the rest are scaled apart, since a
 * double does not hold nanoseconds of today. */
bool format_epoch_ns(double value, double per_s, int64_t *ns)
{
    double unit = 1e9 / per_s;

    if (!(fabs(value) * unit < 4e18))
        return false;
    *ns = (int64_t)floor(value) * (int64_t)unit + llround((value - floor(value)) * unit);
    return true;
}

/* Guesses the units in a second from the size: seconds stay below 1e11 until the year
 * 5138. */
double format_epoch_unit(double largest)
{
    double size = fabs(largest);

    return size < 1e11 ? 1 : size < 1e14 ? 1e3 : size < 1e17 ? 1e6 : 1e9;
}

bool format_time(struct format_csv_field text, int64_t *ns)
{
    struct format_scan t = format_scan_of(text.at, text.size);
    struct format_stamp stamp;
    double value;

    if (format_stamp_read(text, &stamp) && stamp.has_date && !stamp.is_open &&
        format_stamp_ns(&stamp, false, ns)) {
        *ns -= stamp.east_s * SECOND_NS;
        return true;
    }
    return format_scan_number(&t, &value) && t.at == t.end &&
           format_epoch_ns(value, format_epoch_unit(value), ns);
}
