/* The rows of a CSV in memory, one after the other, each with its place. */
#ifndef VD_FORMAT_TABLE_H
#define VD_FORMAT_TABLE_H

#include "format/csv.h"
#include "vedette/status.h"

enum { TABLE_COLUMNS_MAX = 16384 };

/* A copy of it goes on by itself, with the same `field`. */
struct table {
    const char *path; /* for the messages */
    char separator;
    struct collect_text rest;       /* what comes after the row */
    struct collect_text row;        /* the row's bytes, with its newline */
    size_t line;                    /* where it begins, from 1 */
    size_t n;                       /* fields it has */
    struct format_csv_field *field; /* the first TABLE_COLUMNS_MAX of them */
    struct format_csv_field *head;  /* the columns' names */
    size_t n_head;
    size_t label; /* the column called `label`; SIZE_MAX = there is none */
};

/* Reads the first line. `label` NULL: label, anomaly or is_anomaly. VD_ERR_DATA when the
 * text is empty or none, names no columns, or no column is called as was asked for;
 * VD_ERR_LIMIT beyond TABLE_COLUMNS_MAX. Whatever comes of it, table_end ends it. */
enum vd_status table_begin(struct table *t, struct collect_text text, const char *path,
                           const char *label, struct vd_error *err);

/* Goes to the next row; false when there is none. */
bool table_next(struct table *t);

/* VD_ERR_DATA, with the line, for a row with more fields than the first line and for one
 * with a quote that is not closed: either shifts all values behind it. */
enum vd_status table_check(const struct table *t, struct vd_error *err);

/* No more rows than this are left. */
size_t table_lines(const struct table *t);

void table_end(struct table *t);

/* Whether a field is one of the words (the last is NULL), in capitals or not. */
bool table_is_word(struct format_csv_field field, const char *const *words);

#endif
