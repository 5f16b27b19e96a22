/* What a column is, by its name: the one list of the program. */
#ifndef VD_FORMAT_COLUMNS_H
#define VD_FORMAT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

enum format_role {
    FORMAT_METRIC,     /* a number that is watched and learned from */
    FORMAT_COUNTER,    /* a number that only grows: its rate is */
    FORMAT_TIME,       /* when the row is from */
    FORMAT_ELAPSED,    /* another way of saying when: never a feature */
    FORMAT_LABEL,      /* whether the row is an anomaly, by somebody who knows */
    FORMAT_VERDICT,    /* what a program made of the row */
    FORMAT_ROW_NUMBER, /* the row's place in the table */
    FORMAT_TEXT,       /* no numbers, or no values, or no name */
};

enum { FORMAT_NAME_MAX = 128 };

/* What a name tells. */
struct format_name {
    enum format_role role;
    bool sure;    /* false: its values have to look like it */
    double per_s; /* of a time: its unit, 1e3 for "time_ms"; 0 = the name does not say */
};

/* By the name in capitals or not, with marks before it and a unit in brackets behind it
 * left out: "@timestamp", "Time (UTC)", "_time", "ts_ms". */
struct format_name format_name_of(const char *name);

/* Whether a table with this second column, parted by tabs, is one of prmon's, and whether
 * a column of it only grows. */
bool format_is_prmon(char separator, const char *second_name);
bool format_is_prmon_counter(const char *name);

/* The role as words: "metric", "time", "label" ... */
const char *format_role_text(enum format_role role);

#endif
