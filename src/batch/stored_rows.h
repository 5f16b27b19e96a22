/* What a monitor has kept, as rows to train on: `vedette train --data-dir`. */
#ifndef VD_BATCH_STORED_ROWS_H
#define VD_BATCH_STORED_ROWS_H

#include "batch/dataset.h"

enum {
    BATCH_STORED_MAX = 20000, /* quiet ones; of more, every k-th is taken */
    BATCH_STORED_MIN = 20,    /* fewer quiet ones are no data set */
};

/* How many rows came of what. */
struct batch_stored_count {
    size_t quiet, quiet_all;       /* taken, and there were */
    size_t real, normal, expected; /* of events that people said something of */
    size_t unjudged;               /* left out: an anomaly, but nobody said whether */
    size_t incomplete;             /* left out: a value is missing */
};

/* The raw samples of the store in `dir` that are at most last_s older than its newest
 * one, beside a running monitor or without one. Columns: those of the monitor's host
 * layer, as people see them, without the ones that are absent in a tenth of the rows or
 * never move.
 *
 * An event that was said to be real gives rows with label 1, a normal or expected one
 * rows with label 0 (DETECT_LABELS_EVENT of an event at most, those that made it one);
 * all other samples during anomalies are left out. `data` has labels when there is a real
 * event. `normal` is what is common: the quiet rows and those of normal events.
 *
 * VD_ERR_IO without a database, VD_ERR_DATA with too few rows. On failure both are
 * empty. */
enum vd_status batch_stored_rows_read(struct batch_dataset *data,
                                      struct batch_dataset *normal,
                                      struct batch_stored_count *count, const char *dir,
                                      double last_s, struct vd_error *err);

#endif
