/* The tables of `vedette compare`. */
#ifndef VD_CMD_COMPARE_ROWS_H
#define VD_CMD_COMPARE_ROWS_H

#include <stdbool.h>

#include "cmd/dataset.h"

/* What there is to learn from and to be measured on; all have the same columns. */
struct compare_rows {
    struct dataset train;  /* labelled */
    struct dataset normal; /* for detectors that need no labels */
    struct dataset test;   /* labelled */
    bool same_rows;        /* only test is there: to be fitted and scored */
};

/* Paths of the tables: data, or train, test and, where it is not NULL, normal (without
 * it the normal rows of train are taken); how they are read, and what the user says that
 * the label of an anomaly is (dataset_settle_labels). */
struct compare_paths {
    const char *train, *normal, *test, *data;
    const struct format_options *table;
    int anomaly;
};

/* To be released after a failure, too. */
enum vd_status compare_rows_read(struct compare_rows *rows, const struct compare_paths *p,
                                 struct vd_error *err);
void compare_rows_release(struct compare_rows *rows);

#endif
