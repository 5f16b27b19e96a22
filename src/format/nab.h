/* NAB's series, labelled windows and result files, for `vedette evaluate nab`. */
#ifndef VD_FORMAT_NAB_H
#define VD_FORMAT_NAB_H

#include <stdint.h>

#include "vedette/nab.h"
#include "vedette/status.h"

/* All series below a folder, by name. */
struct format_nab_list {
    char **name; /* owned: "realTraffic/speed_7578.csv", below the folder */
    size_t n, capacity;
};

/* Finds every *.csv below `dir`; VD_ERR_DATA when there is none. */
enum vd_status format_nab_list_find(struct format_nab_list *list, const char *dir,
                                    struct vd_error *err);
void format_nab_list_release(struct format_nab_list *list);

struct format_nab_series {
    char *text; /* owned: the file */
    struct format_nab_row {
        const char *time; /* as the file has it, time_size bytes */
        const char *value;
        int time_size, value_size;
        int64_t time_s;
        double x; /* NaN = not a number */
    } * row;      /* owned */
    size_t n;
    struct vd_nab_window *window; /* owned; rows */
    size_t n_windows;
};

/* Reads a file with the columns timestamp and value. */
enum vd_status format_nab_series_read(struct format_nab_series *series, const char *path,
                                      struct vd_error *err);
void format_nab_series_release(struct format_nab_series *series);

/* The labelled windows of all series: a JSON object of name: [[from, to], ...]. */
typedef struct json_t format_nab_labels;

/* From `file`, or where that is NULL from the first of DIR/windows.json,
 * DIR/combined_windows.json, the same beside DIR, labels/combined_windows.json in or
 * beside DIR. *out is NULL, with VD_OK, when none of these is there. */
enum vd_status format_nab_labels_read(format_nab_labels **out, const char *dir,
                                      const char *file, struct vd_error *err);
void format_nab_labels_free(format_nab_labels *labels);

/* Sets the series' windows; a series the labels do not know has none. */
enum vd_status format_nab_labels_apply(const format_nab_labels *labels, const char *name,
                                       struct format_nab_series *series,
                                       struct vd_error *err);

/* Writes OUT/vedette/FOLDER/vedette_FILE.csv: timestamp, value, anomaly_score, label. */
enum vd_status format_nab_result_write(const char *out, const char *name,
                                       const struct format_nab_series *series,
                                       const double *score, struct vd_error *err);

#endif
