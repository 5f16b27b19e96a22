/* The rows of a text table in memory: fields parted by a comma, semicolon, tab, bar or by
 * blanks, one row a line, fields in double quotes where they hold any of these (RFC
 * 4180).
 */
#ifndef VD_FORMAT_CSV_H
#define VD_FORMAT_CSV_H

#include "format/scan.h"

enum { FORMAT_BLANKS = ' ' }; /* the separator that is any number of blanks and tabs */

/* Borrowed from the text; without the quotes around it and blanks at its ends. Doubled
 * quotes inside stay doubled: no number or name that matters holds one. */
struct format_csv_field {
    const char *at;
    size_t size;
};

/* The separator that the text uses: the one that gives its first line and the next ones
 * the same number of fields, the more the better; a comma when there is none. */
char format_csv_separator(const char *text, size_t size);

/* The fields of the next row into field[max]; further ones are left out. Empty lines are
 * skipped. Returns how many fields the row has, 0 at the end of the text. */
size_t format_csv_row(struct format_scan *t, char separator,
                      struct format_csv_field *field, size_t max);

/* The same for what almost all rows are: no quote, no NUL byte, parted by one sign, not
 * the last line. Returns 0 and takes nothing of any other row. */
size_t format_csv_plain_row(struct format_scan *t, char separator,
                            struct format_csv_field *field, size_t max);

/* The field between two places, without blanks and quotes at its ends. */
struct format_csv_field format_csv_trim(const char *from, const char *to);

/* Whether a field is one of the words (the last is NULL), in capitals or not. */
bool format_csv_is_word(struct format_csv_field field, const char *const *words);

#endif
