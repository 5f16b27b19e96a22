/* A CSV of numbers as the detectors' commands take it: features and, where there is one,
 * a label per row. */
#ifndef VD_CMD_DATASET_H
#define VD_CMD_DATASET_H

#include <stdint.h>

#include "format/scan.h"
#include "vedette/matrix.h"

enum { DATASET_NAME_MAX = 64 };

/* Names for a message: "a" (text), "b" (empty) and 3 more */
struct dataset_names {
    char text[224];
    size_t used, n, left;
};

/* What of the file is not in the data set. */
struct dataset_losses {
    size_t rows;                  /* a value is missing, no number or too large */
    size_t worst_rows;            /* of these, by the column that costs most of them */
    char worst[DATASET_NAME_MAX]; /* that column */
    struct dataset_names columns; /* no numbers in them */
};

struct dataset {
    struct vd_matrix x; /* n x d; numbers within VD_VALUE_MAX */
    uint8_t *label;     /* n of 0 normal / 1 anomaly; NULL = the file has none */
    char (*name)[DATASET_NAME_MAX]; /* d: the columns' names */
    struct dataset_losses lost;     /* reading a file warned of them */
    /* Of dataset_read_rows alone: */
    char *text;               /* the file */
    struct collect_text head; /* its first line */
    struct collect_text
        *row; /* n: the bytes of each row with the newline, if it has one */
};

/* Reads the file: its numeric columns are the features, `label` (NULL: one called label,
 * anomaly or is_anomaly) is the label. A column is numeric when most of the values in it
 * are numbers, missing ones (empty, nan, inf, na, null, none) apart: the first 1,000 rows
 * say so, or the first value after them. Columns of time and columns without a name are
 * left out. VD_ERR_DATA with the place for a label that is not 0 or 1 (or -1 anomaly / 1
 * normal), for a row that has more fields than the first line, for a file without rows,
 * features or a line of names, for two features of one name; VD_ERR_LIMIT beyond
 * TABLE_COLUMNS_MAX columns. */
enum vd_status dataset_read(struct dataset *data, const char *path, const char *label,
                            struct vd_error *err);

/* Reads the labels alone (VD_ERR_DATA when there are none), all rows, and keeps their
 * bytes: x.d is 0. */
enum vd_status dataset_read_rows(struct dataset *data, const char *path,
                                 const char *label, struct vd_error *err);

/* Both for a text of `size` bytes that is in memory, taken over whatever comes of it;
 * `path` is for the messages. */
enum vd_status dataset_take(struct dataset *data, char *text, size_t size,
                            const char *path, const char *label, bool rows,
                            struct vd_error *err);

/* Puts the columns of `data` in the order of `like`, leaving out those that `like` does
 * not have, and says which. VD_ERR_SCHEMA, naming them and `path`, when some are missing.
 */
enum vd_status dataset_align(struct dataset *data, const struct dataset *like,
                             const char *path, struct vd_error *err);

/* The rows of `data` that are labelled 0, or all when it has no labels, as a new data set
 * of numbers only. */
enum vd_status dataset_normal_rows(struct dataset *normal, const struct dataset *data);

void dataset_release(struct dataset *data);

#endif
