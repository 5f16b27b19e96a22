/* The rows of an input one after the other, each with its place; only the row that is
 * looked at is in memory. */
#ifndef VD_FORMAT_ROWS_H
#define VD_FORMAT_ROWS_H

#include "format/csv.h"
#include "format/input.h"

enum {
    FORMAT_FIELDS_MAX = 16384,
    FORMAT_ROW_MAX = 16 << 20, /* bytes: what is longer is a quote that is not closed */
};

struct format_rows {
    const struct format_input *in;
    char separator;
    char *window;  /* bytes of the input from `base` on, and FORMAT_SLACK behind them */
    bool borrowed; /* the window is somebody else's: its end is the end */
    bool is_plain; /* the row has no quote, no NUL byte and one newline */
    size_t capacity, filled, at;
    uint64_t base;
    size_t next_line;
    /* The row; valid until the next one. */
    struct format_scan row;         /* its bytes, with the newline if it has one */
    uint64_t offset;                /* where it begins */
    size_t line;                    /* the same in lines, from 1 */
    size_t n;                       /* fields it has */
    struct format_csv_field *field; /* owned: the first FORMAT_FIELDS_MAX of them */
};

/* Begins at `offset`, in line `line`. To be released after a failure, too. */
enum vd_status format_rows_begin(struct format_rows *rows, const struct format_input *in,
                                 char separator, uint64_t offset, size_t line,
                                 struct vd_error *err);

/* Begins without a text; the next function says which rows are gone through. `in` is for
 * messages. To be released, too. */
enum vd_status format_rows_over(struct format_rows *rows, const struct format_input *in,
                                char separator, struct vd_error *err);

/* Goes to whole rows of the input that are in memory already, with FORMAT_SLACK readable
 * bytes behind them: `size` bytes that begin at `offset`, in line `line`. They are
 * borrowed until the next call. */
void format_rows_turn_to(struct format_rows *rows, char *text, size_t size,
                         uint64_t offset, size_t line);

/* Goes to the next row that is not empty; n is 0 when there is none. VD_ERR_DATA with the
 * line for a quote that is not closed and for a NUL byte. */
enum vd_status format_rows_next(struct format_rows *rows, struct vd_error *err);

/* Reads a row without its fields, which is faster: n and `field` mean nothing then. False
 * for `row` is empty at the end. */
enum vd_status format_rows_skim(struct format_rows *rows, struct vd_error *err);

/* The next row is the one at `offset`; lines count from `line`. */
void format_rows_seek(struct format_rows *rows, uint64_t offset, size_t line);

void format_rows_release(struct format_rows *rows);

#endif
