/* The tables of `vedette compare`. */
#ifndef VD_BATCH_COMPARE_ROWS_H
#define VD_BATCH_COMPARE_ROWS_H

#include <stdbool.h>

#include "batch/dataset.h"

/* What there is to learn from and to be measured on; all have the same columns. */
struct batch_compare_rows {
    struct batch_dataset train;  /* labelled */
    struct batch_dataset normal; /* for detectors that need no labels */
    struct batch_dataset test;   /* labelled */
    bool same_rows;              /* only test is there: to be fitted and scored */
};

/* Paths of the tables: data, or train, test and, where it is not NULL, normal (without
 * it the normal rows of train are taken); how they are read, and what the user says that
 * the label of an anomaly is (batch_dataset_settle_labels). */
struct batch_compare_paths {
    const char *train, *normal, *test, *data;
    const struct format_options *table;
    int anomaly;
};

/* To be released after a failure, too. */
enum vd_status batch_compare_rows_read(struct batch_compare_rows *rows,
                                       const struct batch_compare_paths *p,
                                       struct vd_error *err);
void batch_compare_rows_release(struct batch_compare_rows *rows);

#endif
