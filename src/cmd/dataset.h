/* A CSV of numbers as the detectors' commands take it: features and, where there is one,
 * a label per row. */
#ifndef VD_CMD_DATASET_H
#define VD_CMD_DATASET_H

#include <stdint.h>

#include "vedette/matrix.h"

enum { DATASET_COLUMNS_MAX = 16384, DATASET_NAME_MAX = 64 };

struct dataset {
    struct vd_matrix x; /* n x d; numbers within VD_VALUE_MAX */
    uint8_t *label;     /* n of 0 normal / 1 anomaly; NULL = the file has none */
    char (*name)[DATASET_NAME_MAX]; /* d: the columns' names */
    size_t *line;                   /* n: where each row stands in the file, from 1 */
    size_t left_out;                /* rows with other values; reading warned of them */
    char *text; /* the file, for those who copy rows; not terminated */
    size_t size;
};

/* Reads the file: its numeric columns are the features, `label` (NULL: one called label,
 * anomaly or is_anomaly) is the label. Columns of time and columns whose first row is no
 * number are left out. VD_ERR_DATA with the place for a label that is not 0 or 1 (or -1
 * anomaly / 1 normal), for a file without rows or features. */
enum vd_status dataset_read(struct dataset *data, const char *path, const char *label,
                            struct vd_error *err);

/* Puts the columns of `data` in the order of `like`, leaving out those that `like` does
 * not have. VD_ERR_SCHEMA, naming the column and `path`, when one is missing. */
enum vd_status dataset_align(struct dataset *data, const struct dataset *like,
                             const char *path, struct vd_error *err);

/* Drops the columns of `data` that `other` does not have. */
void dataset_keep_common(struct dataset *data, const struct dataset *other);

/* The rows of `data` that are labelled 0, or all when it has no labels, as a new data set
 * of numbers only. */
enum vd_status dataset_normal_rows(struct dataset *normal, const struct dataset *data);

void dataset_release(struct dataset *data);

#endif
