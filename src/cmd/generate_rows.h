/* Made-up rows as text: CSV or JSON lines. */
#ifndef VD_CMD_GENERATE_ROWS_H
#define VD_CMD_GENERATE_ROWS_H

#include <stdint.h>
#include <stdio.h>

#include "vedette/simulate.h"

enum generate_format { GENERATE_CSV, GENERATE_JSON };

/* What the lines of a file have. Only NULL columns and a NULL machine are left out. */
struct generate_layout {
    enum generate_format format;
    const struct vd_simulate_column *column; /* NULL = none, of a file of labels */
    size_t columns;
    bool has_machine, has_label;
    bool has_zone;     /* "2026-01-01T00:00:00Z", else "2026-01-01 00:00:00" */
    int second_digits; /* 0 .. 9 of a fraction of a second */
};

/* A file being written, through a buffer. The stream is borrowed. */
struct generate_rows {
    FILE *file;
    struct generate_layout layout;
    char date[16]; /* "2026-01-01", of the day below */
    int64_t day;   /* since 1970 */
    size_t used;   /* of the buffer */
    char text[65536];
};

/* Writes the line of names that a CSV has. */
void generate_rows_begin(struct generate_rows *rows, FILE *file,
                         const struct generate_layout *layout);

/* Writes a row; `machine` counts from 1. */
void generate_rows_put(struct generate_rows *rows, int64_t time_ns, unsigned machine,
                       const double *value, struct vd_simulate_label label);

/* Hands over what is still in the buffer. What failed, ferror(file) says. */
void generate_rows_end(struct generate_rows *rows);

#endif
