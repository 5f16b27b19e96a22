/* The fields of many rows at once, where all rows are plain: as many fields in each as
 * the table has columns, no quotes, no empty lines. Almost every piece of a large table
 * is; all others are taken row by row (rows.h). */
#ifndef VD_FORMAT_GRID_H
#define VD_FORMAT_GRID_H

#include "format/csv.h"

struct format_grid {
    const char *text; /* borrowed; FORMAT_SLACK bytes behind it can be read */
    uint32_t *end;    /* owned: row by row, the places of the signs behind the fields */
    size_t rows, columns, room;
};

/* Finds the fields of whole rows. False when they are not plain, and without memory. */
bool format_grid_find(struct format_grid *grid, const char *text, size_t size,
                      char separator, size_t columns);

void format_grid_release(struct format_grid *grid);

/* The row's bytes with its newline. */
static inline struct format_scan format_grid_row(const struct format_grid *g, size_t row)
{
    size_t from = row == 0 ? 0 : g->end[row * g->columns - 1] + 1;

    return format_scan_of(g->text + from,
                          g->end[row * g->columns + g->columns - 1] + 1 - from);
}

/* The bytes of a field, with blanks but without the carriage return of Windows. */
static inline struct format_csv_field format_grid_bytes(const struct format_grid *g,
                                                        size_t row, size_t column)
{
    size_t at = row * g->columns + column, from = at == 0 ? 0 : g->end[at - 1] + 1;
    size_t to = g->end[at];

    to -= column + 1 == g->columns && to > from && g->text[to - 1] == '\r';
    return (struct format_csv_field){g->text + from, to - from};
}

/* A field as rows.h gives it. */
struct format_csv_field format_grid_field(const struct format_grid *grid, size_t row,
                                          size_t column);

/* What a field holds. */
enum format_shape {
    FORMAT_SHAPE_WHOLE,  /* a plain number without a point */
    FORMAT_SHAPE_POINT,  /* one with a point that parts its fraction */
    FORMAT_SHAPE_EITHER, /* 1.234: the point may part thousands */
    FORMAT_SHAPE_OTHER,  /* anything else: the value is not set */
};

/* Reads the numbers of n rows of a column, from `first` on, with the results of
 * format_plain_read. Returns how many are of the last shape. */
size_t format_grid_numbers(const struct format_grid *grid, size_t column, size_t first,
                           size_t n, double *value, uint8_t *shape);

#endif
