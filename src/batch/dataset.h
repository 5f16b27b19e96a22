/* A CSV of numbers as the detectors' commands take it: features and, where there is one,
 * a label per row. */
#ifndef VD_BATCH_DATASET_H
#define VD_BATCH_DATASET_H

#include <stdint.h>

#include "format/table.h"
#include "vedette/matrix.h"

enum { BATCH_NAME_MAX = 64 };

/* Names for a message: "a", "b" and 3 more */
struct batch_dataset_names {
    char text[224];
    size_t used, n, left;
};

/* What of the file is not in the data set. */
struct batch_dataset_losses {
    size_t rows;                /* a value is missing, no number or too large */
    size_t worst_rows;          /* of these, by the column that costs most of them */
    char worst[BATCH_NAME_MAX]; /* that column */
};

/* Which labels a file has. */
struct batch_dataset_labels {
    bool zeros, ones, minus;
    bool own; /* this program's own log: 1 is normal */
};

struct batch_dataset {
    struct vd_matrix x; /* n x d; numbers within VD_VALUE_MAX */
    uint8_t
        *label; /* n of 0 normal / 1 anomaly, once batch_dataset_settle_labels has
                   made     them so (2 stands for -1 until then); NULL = there are none */
    char (*name)[BATCH_NAME_MAX];     /* d: the columns' names */
    struct batch_dataset_losses lost; /* reading a file warned of them */
    struct batch_dataset_labels labels;
};

/* Reads the file by format/table.h and says what was read. Its metrics are the features,
 * counters as their rates; rows that are not complete are left out. Fails as
 * format_table_open does, and with VD_ERR_DATA when no row is complete. */
enum vd_status batch_dataset_read(struct batch_dataset *data, const char *path,
                                  const struct format_options *options,
                                  struct vd_error *err);

/* Does the same with a text in memory; `path` is for the messages. */
enum vd_status batch_dataset_take(struct batch_dataset *data, const char *text,
                                  size_t size, const char *path,
                                  const struct format_options *options,
                                  struct vd_error *err);

/* Decides over all files of a command what their labels mean, says so, and makes them 0
 * and 1: where there is a -1, it is the anomaly and 1 is normal. `anomaly` is what the
 * user says that an anomaly is, 1 or -1; 0 = nothing. VD_ERR_DATA when some have 0 and
 * others -1, and when all are 1 and nothing says what that is; `path` is for the message.
 */
enum vd_status batch_dataset_settle_labels(struct batch_dataset *const *data, size_t n,
                                           const char *path, int anomaly,
                                           struct vd_error *err);

/* Puts the columns of `data` in the order of `like`, leaving out those that `like` does
 * not have, and says which. VD_ERR_SCHEMA, naming them and `path`, when some are missing.
 */
enum vd_status batch_dataset_align(struct batch_dataset *data,
                                   const struct batch_dataset *like, const char *path,
                                   struct vd_error *err);

/* The rows of `data` that are labelled 0, or all when it has no labels, as a new data set
 * of numbers only. */
enum vd_status batch_dataset_normal_rows(struct batch_dataset *normal,
                                         const struct batch_dataset *data);

void batch_dataset_release(struct batch_dataset *data);

#endif
