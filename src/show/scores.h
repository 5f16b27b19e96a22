/* How surprising each row of a table is, in a file, with the rows' places in the table of
 * scored rows: a page of rows, or another share of them to be flagged, is found without
 * reading the table. The scores that people see cannot serve for that: the most anomalous
 * rows all have -1. Any thread.
 *
 *     8 bytes "VDSCORE1", u64 rows, float32 surprise a row, u8 a row: 1 = the analysis
 *     flagged it; then from the next multiple of eight u64 offset of every
 *     SHOW_SCORES_STEP-th row in the CSV; all as this machine has them
 */
#ifndef VD_SHOW_SCORES_H
#define VD_SHOW_SCORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/data_dir.h"
#include "show/json.h"
#include "vedette/status.h"

#include <stdio.h>

enum { SHOW_SCORES_STEP = 128, SHOW_ROWS_MAX = 500, SHOW_PARTS = 1000 };

/* A file that is being written. */
struct show_scores_writer {
    FILE *out;
    uint64_t n;
};

enum vd_status show_scores_begin(struct show_scores_writer *writer,
                                 const struct os_data_dir *folder, const char *scores,
                                 struct vd_error *err);

/* Adds the next row. What cannot be written is told at the end. */
void show_scores_add(struct show_scores_writer *writer, double surprise);

/* Ends it with what stands in the table of scored rows; `csv` NULL: it is given up.
 * VD_ERR_DATA when that has other rows. `go_on` is asked now and then; false ends it with
 * VD_ERR_BUSY. */
enum vd_status show_scores_end(struct show_scores_writer *writer,
                               const struct os_data_dir *folder, const char *csv,
                               bool (*go_on)(void *context), void *context,
                               struct vd_error *err);

/* Which rows are asked for. */
struct show_rows_query {
    uint64_t from; /* the first, of those that are asked for */
    size_t limit;  /* SHOW_ROWS_MAX at most */
    bool odd;      /* only those that are flagged */
    double share;  /* of the rows that is flagged; NaN = as the analysis did */
};

/* {"total", "from", "columns": [names], "rows": [{"row", "odd", "surprise", "cells":
 * [texts]}]} */
enum vd_status show_scores_rows(const struct os_data_dir *folder, const char *csv,
                                const char *scores, const struct show_rows_query *query,
                                struct show_json *out, struct vd_error *err);

/* What flagging another share would give: {"share", "threshold" (a surprise), "rows",
 * "anomalies", "events", "parts": [flagged rows in each of at most SHOW_PARTS parts of
 * the table]}. */
enum vd_status show_scores_share(const struct os_data_dir *folder, const char *scores,
                                 double share, struct show_json *out,
                                 struct vd_error *err);

#endif
