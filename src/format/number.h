/* Numbers as programs and spreadsheets write them. */
#ifndef VD_FORMAT_NUMBER_H
#define VD_FORMAT_NUMBER_H

#include "format/csv.h"

/* The number that a field holds, with `decimal` ('.' or ',') before its fraction; NaN
 * when it is empty or something else. Thousands may be parted by the other of the two
 * signs, an apostrophe or a blank, in groups of three; a percent sign at the end is left
 * out. "True" and "False" are 1 and 0. */
double format_number(struct format_csv_field field, char decimal);

/* Whether a field stands for a value that is not there: empty, nan, inf, n/a, null ... */
bool format_is_missing(struct format_csv_field field);

#endif
