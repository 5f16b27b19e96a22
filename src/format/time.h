/* Points in time as texts: what is written, and what it means once it is known which of
 * day and month comes first. */
#ifndef VD_FORMAT_TIME_H
#define VD_FORMAT_TIME_H

#include "format/csv.h"

/* Times are of the years 1850 to 2090, so that the distance of any two fits. */

/* What a text says. Only a whole column can tell day.month from month.day. */
struct format_stamp {
    bool has_date, has_clock, has_zone;
    bool is_open;      /* day and month could be either way round */
    bool has_half;     /* AM or PM */
    char mark;         /* what parts day and month */
    int year;          /* 1850 .. 2090 */
    int first, second; /* month and day; when open, as they are written */
    int64_t day_ns;    /* since midnight */
    int64_t east_s;    /* with has_zone */
};

/* "2025-07-28 20:47:37.026", "28.07.2025 20:47", "07/28/2025 8:47:37 PM", "28 Jul 2025",
 * "Mon Jul 28 20:47:37 2025", "28/Jul/2025:20:47:37 +0200", "20250728T204737Z",
 * "20:47:37" and their like. False when it is none. */
bool format_stamp_read(struct format_csv_field text, struct format_stamp *stamp);

/* The same for "2025-07-28 20:47:37.026Z" and its like alone, which most times are, with
 * a 'T' or a blank, and with or without a fraction and the Z: in a few nanoseconds. */
bool format_stamp_is_iso(struct format_csv_field text, struct format_stamp *stamp);

/* The day that was read last. Zero-initialise. */
struct format_day {
    char text[10]; /* "2025-07-28" */
    int64_t ns;    /* its beginning */
};

/* Reads a time that format_stamp_is_iso takes and that says no zone, to what
 * format_stamp_ns makes of it; of a day that goes on only the clock. False for others. */
bool format_stamp_of_day(struct format_csv_field text, struct format_day *day,
                         int64_t *ns);

/* Nanoseconds since 1970 on the stamp's own clock (without a date: since midnight); false
 * when there is no such day. */
bool format_stamp_ns(const struct format_stamp *stamp, bool day_first, int64_t *ns);

/* By a pattern of strptime ("%d.%m.%Y %H:%M:%S"), a fraction of a second behind it. */
bool format_stamp_match(struct format_csv_field text, const char *pattern,
                        struct format_stamp *stamp);

/* Unix time in units of which there are `per_s` in a second; false beyond these years.
 */
bool format_epoch_ns(double value, double per_s, int64_t *ns);

/* The unit that values of this size are in: 1, 1e3, 1e6 or 1e9 in a second. */
double format_epoch_unit(double largest);

/* Reads a point in time alone as ns since 1970 UTC, of a text that needs no column: the
 * year first or the month by name (UTC when no zone is written), or Unix time. */
bool format_time(struct format_csv_field text, int64_t *ns);

#endif
