/* Text tables: fields parted by a comma, semicolon or tab, one row a line, fields in
 * double quotes where they hold any of these (RFC 4180). */
#ifndef VD_FORMAT_CSV_H
#define VD_FORMAT_CSV_H

#include "format/scan.h"

/* Borrowed from the text; without the quotes around it and blanks at its ends. Doubled
 * quotes inside stay doubled: no number or name that matters holds one. */
struct format_csv_field {
    const char *at;
    size_t size;
};

/* The separator that the first line of the text uses: that which stands in it most often
 * outside quotes; a comma when there is none. */
char format_csv_separator(const char *text, size_t size);

/* The fields of the next row into field[max]; further ones are left out. Empty lines are
 * skipped. Returns how many fields the row has, 0 at the end of the text. */
size_t format_csv_row(struct collect_text *t, char separator,
                      struct format_csv_field *field, size_t max);

/* The number that a field holds; NaN when it is empty or something else. "True" and
 * "False" are 1 and 0. */
double format_csv_number(struct format_csv_field field);

/* A point in time as ns since 1970 UTC: "2025-07-28 20:47:37.026039", with 'T' or '/',
 * with "Z" or "+02:00" (UTC when nothing says otherwise), a date alone; or Unix time in
 * seconds, milli-, micro- or nanoseconds (told apart by size). False when it is none. */
bool format_csv_time(struct format_csv_field field, int64_t *ns);

#endif
