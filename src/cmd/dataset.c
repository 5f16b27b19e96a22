/* The file is read into memory and gone through twice: the first time, for as long as it
 * takes, to see which columns hold numbers, the second time to take them. */
#include "cmd/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/table.h"
#include "os/file.h"
#include "os/log.h"
#include "vedette/detector.h"

static const size_t FILE_MAX = (size_t)4 << 30;

enum { LOOK_ROWS = 1000 };

/* ---- names in a message ---- */

/* Room is kept for " and 16384 more". */
static void add_name(struct dataset_names *names, const char *name, size_t size,
                     const char *why)
{
    char one[DATASET_NAME_MAX + 32];
    int n =
        snprintf(one, sizeof one, "%s\"%.*s\"%s", names->n > 0 ? ", " : "",
                 (int)(size < DATASET_NAME_MAX ? size : DATASET_NAME_MAX - 1), name, why);
    size_t left = sizeof names->text - names->used;

    names->n++;
    if (left > (size_t)n + 24)
        names->used += (size_t)snprintf(names->text + names->used, left, "%s", one);
    else
        names->left++;
}

static void end_names(struct dataset_names *names)
{
    if (names->left > 0)
        snprintf(names->text + names->used, sizeof names->text - names->used,
                 " and %zu more", names->left);
}

/* ---- columns ---- */

/* Time, and what others said about the row: nothing to learn from. */
static bool is_no_feature(struct format_csv_field field)
{
    static const char *const names[] = {
        "timestamp",     "time",        "datetime",   "date",       "elapsed_s",
        "phase",         "score",       "label",      "is_anomaly", "anomaly",
        "anomaly_score", "changepoint", "prediction", "wtime",      NULL};

    return table_is_word(field, names);
}

/* What stands for a value that is not there. */
static bool is_missing(struct format_csv_field field)
{
    static const char *const words[] = {"",    "nan", "inf",  "-inf", "+inf",
                                        "n/a", "na",  "null", "none", NULL};

    return table_is_word(field, words);
}

/* What a column holds. */
struct tally {
    size_t numbers, texts;
};

/* `t` is a copy: it goes ahead, the caller's stays. A column that had no value yet is
 * looked for until it has one. */
static void tally_columns(struct table t, struct tally *tally)
{
    size_t unknown = t.n_head;

    for (size_t rows = 0; (rows < LOOK_ROWS || unknown > 0) && table_next(&t); rows++)
        for (size_t c = 0; c < t.n && c < t.n_head; c++) {
            struct tally *of = &tally[c];
            bool known = of->numbers + of->texts > 0;

            if (known && rows >= LOOK_ROWS)
                continue;
            if (!isnan(format_csv_number(t.field[c])))
                of->numbers++;
            else if (!is_missing(t.field[c]))
                of->texts++;
            unknown -= !known && of->numbers + of->texts > 0;
        }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Columns of two files are told by their names. */
static enum vd_status check_names(const struct dataset *data, size_t d, const char *path,
                                  struct vd_error *err)
{
    char(*sorted)[DATASET_NAME_MAX] = calloc(d, sizeof *sorted);
    enum vd_status status = VD_OK;

    if (sorted == NULL)
        return VD_ERR_MEMORY;
    memcpy(sorted, data->name, d * sizeof *sorted);
    qsort(sorted, d, sizeof *sorted, by_name);
    for (size_t k = 1; status == VD_OK && k < d; k++)
        if (strcmp(sorted[k - 1], sorted[k]) == 0)
            status = vd_error_set(err, VD_ERR_DATA, "give every column its own name",
                                  "%s: two columns are called \"%s\"", path, sorted[k]);
    free(sorted);
    return status;
}

/* The columns that are features. */
struct features {
    size_t *column;  /* d: which field each one is */
    size_t *missing; /* d: the rows that it costs */
    size_t d;
};

static enum vd_status choose_features(struct features *f, struct dataset *data,
                                      const struct table *t, struct vd_error *err)
{
    struct tally *tally = calloc(t->n_head, sizeof *tally);

    f->column = calloc(t->n_head, sizeof *f->column);
    f->missing = calloc(t->n_head, sizeof *f->missing);
    data->name = calloc(t->n_head, sizeof *data->name);
    if (tally == NULL || f->column == NULL || f->missing == NULL || data->name == NULL) {
        free(tally);
        return VD_ERR_MEMORY;
    }
    tally_columns(*t, tally);
    for (size_t c = 0; c < t->n_head; c++) {
        struct format_csv_field name = t->head[c];

        if (c == t->label || is_no_feature(name))
            continue;
        if (tally[c].numbers <= tally[c].texts || name.size == 0) {
            add_name(&data->lost.columns, name.at, name.size,
                     name.size == 0       ? " (no name)"
                     : tally[c].texts > 0 ? " (text)"
                                          : " (empty)");
            continue;
        }
        snprintf(data->name[f->d], DATASET_NAME_MAX, "%.*s", (int)name.size, name.at);
        f->column[f->d++] = c;
    }
    free(tally);
    end_names(&data->lost.columns);
    if (f->d == 0)
        return vd_error_set(
            err, VD_ERR_DATA, "the first line names the columns, rows follow",
            "%s: no rows with numeric columns%s%s", t->path,
            data->lost.columns.n > 0 ? ": " : "", data->lost.columns.text);
    return check_names(data, f->d, t->path, err);
}

/* ---- rows ---- */

/* Where labels of 0 and of -1 are first; 0 = nowhere. */
struct label_lines {
    size_t zero, minus;
};

/* 0, 1 or, for -1, 2. */
static enum vd_status read_label(const struct table *t, struct label_lines *first,
                                 uint8_t *label, struct vd_error *err)
{
    const char *hint = "a label is 0 (normal) or 1 (anomaly); or 1 and -1";
    double value;

    if (t->label >= t->n)
        return vd_error_set(err, VD_ERR_DATA, hint,
                            "%s:%zu: the row has no label: %zu fields, the first line "
                            "has %zu",
                            t->path, t->line, t->n, t->n_head);
    value = format_csv_number(t->field[t->label]);
    if (value != 0 && value != 1 && value != -1)
        return vd_error_set(err, VD_ERR_DATA, hint, "%s:%zu: this label is none", t->path,
                            t->line);
    if (value == 0 && first->zero == 0)
        first->zero = t->line;
    if (value == -1 && first->minus == 0)
        first->minus = t->line;
    if (first->zero > 0 && first->minus > 0)
        return vd_error_set(
            err, VD_ERR_DATA, hint, "%s:%zu: a label of %g, and in line %zu one of %g",
            t->path, t->line, value, value == 0 ? first->minus : first->zero, -1 - value);
    *label = value == 0 ? 0 : value == 1 ? 1 : 2;
    return VD_OK;
}

/* False when the row is not complete. */
static bool read_numbers(const struct table *t, struct features *f, double *row)
{
    bool good = true;

    for (size_t k = 0; k < f->d; k++) {
        size_t c = f->column[k];
        bool there;

        row[k] = c < t->n ? format_csv_number(t->field[c]) : NAN;
        there = fabs(row[k]) <= VD_VALUE_MAX;
        f->missing[k] += !there;
        good = good && there;
    }
    return good;
}

static enum vd_status read_rows(struct dataset *data, struct features *f, struct table *t,
                                struct vd_error *err)
{
    struct label_lines first = {0};
    size_t *n = &data->x.n;

    while (table_next(t)) {
        enum vd_status status = table_check(t, err);

        if (status == VD_OK && data->row == NULL &&
            !read_numbers(t, f, vd_matrix_row(&data->x, *n))) {
            data->lost.rows++;
            continue;
        }
        if (status == VD_OK && t->label != SIZE_MAX)
            status = read_label(t, &first, &data->label[*n], err);
        if (status != VD_OK)
            return status;
        if (data->row != NULL)
            data->row[*n] = t->row;
        ++*n;
    }
    /* With -1 in the file, -1 is the anomaly and 1 is normal. */
    for (size_t i = 0; data->label != NULL && i < *n; i++)
        data->label[i] = first.minus > 0 ? data->label[i] == 2 : data->label[i] == 1;
    return VD_OK;
}

static void name_worst(struct dataset *data, const struct features *f)
{
    struct dataset_losses *lost = &data->lost;

    for (size_t k = 0; k < f->d; k++)
        if (f->missing[k] > lost->worst_rows) {
            lost->worst_rows = f->missing[k];
            memcpy(lost->worst, data->name[k], DATASET_NAME_MAX);
        }
}

/* ---- reading ---- */

static enum vd_status allocate(struct dataset *data, const struct table *t, bool rows,
                               size_t d)
{
    size_t lines = table_lines(t);
    enum vd_status status = rows ? VD_OK : vd_matrix_init(&data->x, lines, d);

    data->x.n = 0;
    if (t->label != SIZE_MAX && (data->label = calloc(lines, 1)) == NULL)
        return VD_ERR_MEMORY;
    if (rows && (data->row = calloc(lines, sizeof *data->row)) == NULL)
        return VD_ERR_MEMORY;
    return status;
}

static enum vd_status read_table(struct dataset *data, struct table *t, bool rows,
                                 struct vd_error *err)
{
    struct features f = {0};
    enum vd_status status = VD_OK;

    if (rows && t->label == SIZE_MAX)
        return vd_error_set(err, VD_ERR_DATA, "name it with --label",
                            "%s: no column with labels", t->path);
    data->head = (struct collect_text){data->text, t->row.end};
    if (!rows)
        status = choose_features(&f, data, t, err);
    if (status == VD_OK)
        status = allocate(data, t, rows, f.d);
    if (status == VD_OK)
        status = read_rows(data, &f, t, err);
    if (status == VD_OK)
        name_worst(data, &f);
    free(f.column);
    free(f.missing);
    if (status != VD_OK || data->x.n > 0)
        return status;
    if (data->lost.rows == 0)
        return vd_error_set(err, VD_ERR_DATA, NULL, "%s: no rows", t->path);
    return vd_error_set(
        err, VD_ERR_DATA, NULL,
        "%s: no row is complete: in column \"%s\" %zu values are missing, "
        "no numbers or beyond +-%g",
        t->path, data->lost.worst, data->lost.worst_rows, VD_VALUE_MAX);
}

enum vd_status dataset_take(struct dataset *data, char *text, size_t size,
                            const char *path, const char *label, bool rows,
                            struct vd_error *err)
{
    struct table t;
    enum vd_status status =
        table_begin(&t, collect_text_of(text, size), path, label, err);

    *data = (struct dataset){.text = text};
    if (status == VD_OK)
        status = read_table(data, &t, rows, err);
    table_end(&t);
    if (!rows) {
        free(data->text);
        data->text = NULL;
    }
    if (status == VD_OK)
        return VD_OK;
    dataset_release(data);
    return vd_error_set(err, status, NULL, "%s: %s", path, vd_status_text(status));
}

static enum vd_status read_file(struct dataset *data, const char *path, const char *label,
                                bool rows, struct vd_error *err)
{
    enum vd_status status;
    char *text;
    size_t size;

    *data = (struct dataset){0};
    status = os_file_read(path, FILE_MAX, &text, &size, err);
    return status == VD_OK ? dataset_take(data, text, size, path, label, rows, err)
                           : status;
}

enum vd_status dataset_read(struct dataset *data, const char *path, const char *label,
                            struct vd_error *err)
{
    enum vd_status status = read_file(data, path, label, false, err);
    const struct dataset_losses *lost = &data->lost;

    if (lost->columns.n > 0)
        os_log_info("%s: columns without numbers are left out: %s", path,
                    lost->columns.text);
    if (lost->rows > 0)
        os_log_warning(
            "%s: %zu rows are left out, %zu of them for column \"%s\": a value "
            "is missing, no number or beyond +-%g",
            path, lost->rows, lost->worst_rows, lost->worst, VD_VALUE_MAX);
    return status;
}

enum vd_status dataset_read_rows(struct dataset *data, const char *path,
                                 const char *label, struct vd_error *err)
{
    return read_file(data, path, label, true, err);
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

/* The columns of `a` that `b` does not have. */
static struct dataset_names names_beyond(const struct dataset *a, const struct dataset *b)
{
    struct dataset_names names = {0};

    for (size_t k = 0; k < a->x.d; k++)
        if (find_column(b, a->name[k]) == SIZE_MAX)
            add_name(&names, a->name[k], strlen(a->name[k]), "");
    end_names(&names);
    return names;
}

enum vd_status dataset_align(struct dataset *data, const struct dataset *like,
                             const char *path, struct vd_error *err)
{
    struct dataset_names missing = names_beyond(like, data);
    struct dataset_names extra = names_beyond(data, like);
    size_t *from = calloc(like->x.d + 1, sizeof *from);
    double *row = calloc(data->x.d + 1, sizeof *row);
    enum vd_status status = from == NULL || row == NULL ? VD_ERR_MEMORY : VD_OK;

    if (status == VD_OK && missing.n > 0)
        status = vd_error_set(err, VD_ERR_SCHEMA,
                              "what is learned from both needs them in both: add them to "
                              "this file, or take them out of the other",
                              "%s: no numbers in a column called %s", path, missing.text);
    for (size_t k = 0; status == VD_OK && k < like->x.d; k++)
        from[k] = find_column(data, like->name[k]);
    if (status == VD_OK) {
        take_columns(data, from, like->x.d, row);
        for (size_t k = 0; k < like->x.d; k++)
            memcpy(data->name[k], like->name[k], DATASET_NAME_MAX);
    }
    if (status == VD_OK && extra.n > 0)
        os_log_info("%s: columns that the training file does not have are left out: %s",
                    path, extra.text);
    free(row);
    free(from);
    return status;
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
    free(data->row);
    free(data->text);
    *data = (struct dataset){0};
}
