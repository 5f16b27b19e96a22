#include "cmd/dataset.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collect/csv.h"
#include "os/log.h"
#include "vedette/detector.h"

static const long long FILE_MAX = 4LL << 30;

/* ---- the file ---- */

static enum vd_status read_file(struct dataset *data, const char *path,
                                struct vd_error *err)
{
    FILE *file = fopen(path, "rb");
    long long size;

    if (file == NULL)
        return vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", path, strerror(errno));
    if (fseeko(file, 0, SEEK_END) != 0 || (size = ftello(file)) < 0 || size > FILE_MAX) {
        fclose(file);
        return vd_error_set(err, VD_ERR_IO, "give a file of at most 4 GiB",
                            "%s: it cannot be read as a whole", path);
    }
    rewind(file);
    data->text = malloc((size_t)size + 1);
    data->size = data->text == NULL ? 0 : fread(data->text, 1, (size_t)size, file);
    fclose(file);
    if (data->text == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to read it", path);
    if (data->size != (size_t)size)
        return vd_error_set(err, VD_ERR_IO, NULL, "%s: it cannot be read", path);
    return VD_OK;
}

/* ---- columns ---- */

static bool is_called(struct collect_csv_field field, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strlen(*names) == field.size &&
            strncasecmp(field.at, *names, field.size) == 0)
            return true;
    return false;
}

static bool is_label(struct collect_csv_field field, const char *label)
{
    const char *const usual[] = {"label", "anomaly", "is_anomaly", NULL};
    const char *const given[] = {label, NULL};

    return is_called(field, label == NULL ? usual : given);
}

/* Time, and what others said about the row: nothing to learn from. */
static bool is_no_feature(struct collect_csv_field field)
{
    static const char *const names[] = {
        "timestamp",     "time",        "datetime",   "date",       "elapsed_s",
        "phase",         "score",       "label",      "is_anomaly", "anomaly",
        "anomaly_score", "changepoint", "prediction", "wtime",      NULL};

    return is_called(field, names);
}

/* What becomes of the file's columns. */
struct layout {
    struct collect_csv_field *field; /* of one row; DATASET_COLUMNS_MAX */
    size_t *column;                  /* of each feature */
    size_t n_fields, d;
    size_t label; /* SIZE_MAX = none */
    char separator;
};

static enum vd_status choose_columns(struct dataset *data, struct layout *layout,
                                     struct collect_text *t, const char *label,
                                     const char *path, struct vd_error *err)
{
    struct collect_csv_field *head = calloc(DATASET_COLUMNS_MAX, sizeof *head);
    struct collect_text first;
    size_t n;

    if (head == NULL)
        return VD_ERR_MEMORY;
    n = collect_csv_row(t, layout->separator, head, DATASET_COLUMNS_MAX);
    first = *t;
    layout->n_fields = n;
    layout->label = SIZE_MAX;
    if (collect_csv_row(&first, layout->separator, layout->field, DATASET_COLUMNS_MAX) <
        n)
        n = 0;
    for (size_t c = 0; c < n && c < DATASET_COLUMNS_MAX; c++) {
        if (is_label(head[c], label)) {
            layout->label = c;
            continue;
        }
        if (is_no_feature(head[c]) || isnan(collect_csv_number(layout->field[c])))
            continue;
        snprintf(data->name[layout->d], DATASET_NAME_MAX, "%.*s", (int)head[c].size,
                 head[c].at);
        layout->column[layout->d++] = c;
    }
    free(head);
    if (layout->d == 0)
        return vd_error_set(err, VD_ERR_DATA,
                            "the first line names the columns, rows follow",
                            "%s: no rows with numeric columns", path);
    if (label != NULL && layout->label == SIZE_MAX)
        return vd_error_set(err, VD_ERR_DATA, NULL, "%s: no column \"%s\"", path, label);
    return VD_OK;
}

/* ---- rows ---- */

static size_t count_lines(const struct dataset *data)
{
    size_t lines = 1;

    for (const char *at = data->text;
         (at = memchr(at, '\n', (size_t)(data->text + data->size - at))) != NULL; at++)
        lines++;
    return lines;
}

static size_t line_of(const char *from, const char *to, size_t line)
{
    for (; from < to; from++)
        line += *from == '\n';
    return line;
}

/* One label; false when it is none. `signed_labels` turns true at the first -1: the file
 * then says 1 for normal. */
static bool read_label(struct collect_csv_field field, uint8_t *label,
                       bool *signed_labels)
{
    double value = collect_csv_number(field);

    if (value == -1)
        *signed_labels = true;
    if (value != 0 && value != 1 && value != -1)
        return false;
    *label = value == 0 ? 0 : value == 1 ? 1 : 2;
    return true;
}

static enum vd_status read_rows(struct dataset *data, const struct layout *layout,
                                struct collect_text *t, const char *path,
                                struct vd_error *err)
{
    const char *at = data->text;
    bool signed_labels = false;
    size_t line = 1, n;

    while ((n = collect_csv_row(t, layout->separator, layout->field,
                                DATASET_COLUMNS_MAX)) > 0) {
        double *row = vd_matrix_row(&data->x, data->x.n);
        bool good = true;

        line = line_of(at, layout->field[0].at, line);
        at = layout->field[0].at;
        for (size_t k = 0; k < layout->d; k++) {
            size_t c = layout->column[k];

            row[k] = c < n ? collect_csv_number(layout->field[c]) : NAN;
            good = good && fabs(row[k]) <= VD_VALUE_MAX;
        }
        if (!good) {
            data->left_out++;
            continue;
        }
        if (layout->label != SIZE_MAX &&
            (layout->label >= n || !read_label(layout->field[layout->label],
                                               &data->label[data->x.n], &signed_labels)))
            return vd_error_set(err, VD_ERR_DATA,
                                "a label is 0 (normal) or 1 (anomaly); or 1 and -1",
                                "%s:%zu: this label is none", path, line);
        data->line[data->x.n++] = line;
    }
    /* With -1 in the file, -1 is the anomaly and 1 is normal. */
    for (size_t i = 0; data->label != NULL && i < data->x.n; i++)
        data->label[i] = signed_labels ? data->label[i] == 2 : data->label[i] == 1;
    if (data->x.n == 0)
        return vd_error_set(err, VD_ERR_DATA, NULL, "%s: no row is complete", path);
    return VD_OK;
}

static enum vd_status read_table(struct dataset *data, struct layout *layout,
                                 const char *path, const char *label,
                                 struct vd_error *err)
{
    struct collect_text t = collect_text_of(data->text, data->size);
    size_t lines = count_lines(data);
    enum vd_status status;

    layout->separator = collect_csv_separator(data->text, data->size);
    status = choose_columns(data, layout, &t, label, path, err);
    if (status == VD_OK)
        status = vd_matrix_init(&data->x, lines, layout->d);
    if (status != VD_OK)
        return status;
    data->x.n = 0;
    data->line = calloc(lines, sizeof *data->line);
    if (layout->label != SIZE_MAX)
        data->label = calloc(lines, 1);
    if (data->line == NULL || (layout->label != SIZE_MAX && data->label == NULL))
        return VD_ERR_MEMORY;
    return read_rows(data, layout, &t, path, err);
}

enum vd_status dataset_read(struct dataset *data, const char *path, const char *label,
                            struct vd_error *err)
{
    struct layout layout = {
        .field = calloc(DATASET_COLUMNS_MAX, sizeof *layout.field),
        .column = calloc(DATASET_COLUMNS_MAX, sizeof *layout.column),
    };
    enum vd_status status = VD_ERR_MEMORY;

    *data = (struct dataset){.name = calloc(DATASET_COLUMNS_MAX, sizeof *data->name)};
    if (layout.field != NULL && layout.column != NULL && data->name != NULL)
        status = read_file(data, path, err);
    if (status == VD_OK)
        status = read_table(data, &layout, path, label, err);
    free(layout.field);
    free(layout.column);
    if (status == VD_OK && data->left_out > 0)
        os_log_warning("%s: %zu rows are left out: a value is missing, no number or "
                       "beyond +-%g",
                       path, data->left_out, VD_VALUE_MAX);
    if (status != VD_OK) {
        vd_error_set(err, status, NULL, "%s: %s", path, vd_status_text(status));
        dataset_release(data);
    }
    return status;
}

/* ---- columns of two files ---- */

static size_t find_column(const struct dataset *data, const char *name)
{
    for (size_t k = 0; k < data->x.d; k++)
        if (strcmp(data->name[k], name) == 0)
            return k;
    return SIZE_MAX;
}

/* Rewrites the rows so that column k is what was column from[k]; d columns are left.
 * Works in place: a narrower row never overtakes the one it is made from. */
static void take_columns(struct dataset *data, const size_t *from, size_t d, double *row)
{
    for (size_t i = 0; i < data->x.n; i++) {
        memcpy(row, vd_matrix_row(&data->x, i), data->x.d * sizeof *row);
        for (size_t k = 0; k < d; k++)
            data->x.at[i * d + k] = row[from[k]];
    }
    data->x.d = d;
}

enum vd_status dataset_align(struct dataset *data, const struct dataset *like,
                             const char *path, struct vd_error *err)
{
    size_t *from = calloc(like->x.d + 1, sizeof *from);
    double *row = calloc(data->x.d + 1, sizeof *row);
    enum vd_status status = from == NULL || row == NULL ? VD_ERR_MEMORY : VD_OK;

    for (size_t k = 0; status == VD_OK && k < like->x.d; k++) {
        from[k] = find_column(data, like->name[k]);
        if (from[k] == SIZE_MAX)
            status = vd_error_set(err, VD_ERR_SCHEMA, "both files need the same columns",
                                  "%s: no column \"%s\"", path, like->name[k]);
    }
    if (status == VD_OK) {
        take_columns(data, from, like->x.d, row);
        for (size_t k = 0; k < like->x.d; k++)
            memcpy(data->name[k], like->name[k], DATASET_NAME_MAX);
    }
    free(row);
    free(from);
    return status;
}

void dataset_keep_common(struct dataset *data, const struct dataset *other)
{
    size_t *from = calloc(data->x.d + 1, sizeof *from);
    double *row = calloc(data->x.d + 1, sizeof *row);
    size_t d = 0;

    for (size_t k = 0; from != NULL && row != NULL && k < data->x.d; k++) {
        if (find_column(other, data->name[k]) == SIZE_MAX)
            continue;
        if (d != k)
            memcpy(data->name[d], data->name[k], DATASET_NAME_MAX);
        from[d++] = k;
    }
    if (d > 0)
        take_columns(data, from, d, row);
    free(row);
    free(from);
}

enum vd_status dataset_normal_rows(struct dataset *normal, const struct dataset *data)
{
    enum vd_status status;
    size_t n = 0;

    *normal = (struct dataset){0};
    status = vd_matrix_init(&normal->x, data->x.n, data->x.d);
    for (size_t i = 0; status == VD_OK && i < data->x.n; i++)
        if (data->label == NULL || data->label[i] == 0)
            memcpy(vd_matrix_row(&normal->x, n++), vd_matrix_row(&data->x, i),
                   data->x.d * sizeof *data->x.at);
    normal->x.n = n;
    return status;
}

void dataset_release(struct dataset *data)
{
    if (data == NULL)
        return;
    vd_matrix_release(&data->x);
    free(data->label);
    free(data->name);
    free(data->line);
    free(data->text);
    *data = (struct dataset){0};
}
