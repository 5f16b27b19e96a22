/* Takes the metrics of a table as features; see dataset.h. */
#include "batch/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/log.h"
#include "vedette/detector.h"

/* Bounds the numbers of one data set: 4 GiB of them. */
static const size_t NUMBERS_MAX = (size_t)1 << 29; /* 4 GiB of them */

/* ---- names in a message ---- */

/* Adds a name to a message. Room is kept for " and 16384 more". */
static void add_name(struct batch_dataset_names *names, const char *name)
{
    char one[BATCH_NAME_MAX + 8];
    int n = snprintf(one, sizeof one, "%s\"%.*s\"", names->n > 0 ? ", " : "",
                     BATCH_NAME_MAX - 1, name);
    size_t left = sizeof names->text - names->used;

    names->n++;
    if (left > (size_t)n + 24)
        names->used += (size_t)snprintf(names->text + names->used, left, "%s", one);
    else
        names->left++;
}

static void end_names(struct batch_dataset_names *names)
{
    if (names->left > 0)
        snprintf(names->text + names->used, sizeof names->text - names->used,
                 " and %zu more", names->left);
}

/* ---- rows ---- */

/* Holds the columns that are features while the rows are read. */
struct features {
    size_t *column;  /* d: which column each one is */
    size_t *missing; /* d: the rows that it costs */
    double *before;  /* d: a counter in the row before; NaN = there is none */
    int64_t before_ns;
    size_t d;
};

/* Takes the columns that the reader calls metrics, and makes room for what is known of
 * each. The caller frees the arrays, also after a failure. */
static enum vd_status choose_features(struct features *f, struct batch_dataset *data,
                                      const struct format_table *t, struct vd_error *err)
{
    f->column = calloc(t->n_metrics, sizeof *f->column);
    f->missing = calloc(t->n_metrics, sizeof *f->missing);
    f->before = calloc(t->n_metrics, sizeof *f->before);
    data->name = calloc(t->n_metrics, sizeof *data->name);
    if (f->column == NULL || f->missing == NULL || f->before == NULL ||
        data->name == NULL)
        return VD_ERR_MEMORY;
    for (size_t c = 0; c < t->n_columns; c++) {
        if (t->column[c].why != NULL)
            continue;
        snprintf(data->name[f->d], BATCH_NAME_MAX, "%.*s", BATCH_NAME_MAX - 1,
                 t->column[c].name);
        f->before[f->d] = NAN;
        f->column[f->d++] = c;
    }
    if (t->n > NUMBERS_MAX / f->d)
        return vd_error_set(err, VD_ERR_LIMIT, "take a part of it",
                            "%s: %zu rows of %zu columns are more than can be learned "
                            "from at once",
                            t->path, t->n, f->d);
    return VD_OK;
}

/* Gives the rate of a counter in this row, as a replay has it. A counter that steps back
 * was reset, and has no rate in that row. */
static double rate(struct features *f, size_t k, double value, int64_t time_ns)
{
    double step = value - f->before[k], seconds = (double)(time_ns - f->before_ns) * 1e-9;

    f->before[k] = value;
    return step >= 0 && seconds > 0 ? step / seconds : NAN;
}

/* Reads one row; false when it is not complete. All columns are read even so, since
 * counters need the row before. */
static bool read_numbers(const struct format_table *t, struct features *f, double *row)
{
    bool good = true;

    for (size_t k = 0; k < f->d; k++) {
        bool there;

        row[k] = format_table_value(t, f->column[k]);
        if (t->column[f->column[k]].role == FORMAT_COUNTER)
            row[k] = rate(f, k, row[k], t->time_ns);
        there = fabs(row[k]) <= VD_VALUE_MAX;
        f->missing[k] += !there;
        good = good && there;
    }
    f->before_ns = t->time_ns;
    return good;
}

/* Reads the rows into the matrix. A row with a gap is counted and its place taken by the
 * next. */
static enum vd_status read_rows(struct batch_dataset *data, struct features *f,
                                struct format_table *t, struct vd_error *err)
{
    enum vd_status status;
    bool more;

    data->x.n = 0;
    while ((status = format_table_next(t, &more, err)) == VD_OK && more) {
        if (!read_numbers(t, f, vd_matrix_row(&data->x, data->x.n))) {
            data->lost.rows++;
            continue;
        }
        if (data->label != NULL)
            data->label[data->x.n] = (uint8_t)(t->row_label < 0 ? 2 : t->row_label);
        data->x.n++;
    }
    return status;
}

/* Finds the column that costs the most rows, so that somebody who lost half of a file
 * knows which one to leave out. */
static void name_worst(struct batch_dataset *data, const struct features *f)
{
    struct batch_dataset_losses *lost = &data->lost;

    for (size_t k = 0; k < f->d; k++)
        if (f->missing[k] > lost->worst_rows) {
            lost->worst_rows = f->missing[k];
            memcpy(lost->worst, data->name[k], BATCH_NAME_MAX);
        }
}

/* Refuses a file of which nothing is left, and names the column that is to blame. */
static enum vd_status check_some(const struct batch_dataset *data, const char *path,
                                 struct vd_error *err)
{
    if (data->x.n > 0)
        return VD_OK;
    return vd_error_set(
        err, VD_ERR_DATA, NULL,
        "%s: no row is complete: in column \"%s\" %zu values are missing, "
        "no numbers or beyond +-%g",
        path, data->lost.worst, data->lost.worst_rows, VD_VALUE_MAX);
}

/* Sorts the names for the search for two alike. */
static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Refuses two features of one name: nobody could say which is meant. Names that differ
 * only beyond what is kept are such as well. */
static enum vd_status check_names(const struct batch_dataset *data, size_t d,
                                  const char *path, struct vd_error *err)
{
    char(*sorted)[BATCH_NAME_MAX] = calloc(d, sizeof *sorted);
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

/* Notes which labels were seen; what they mean is settled over all files of the command.
 */
static void note_labels(struct batch_dataset *data, const struct format_table *t)
{
    data->labels = (struct batch_dataset_labels){
        .zeros = t->label_line[0] > 0 || t->label_is_flag,
        .ones = t->label_line[1] > 0,
        .minus = t->label_line[2] > 0,
        .own = t->own_labels,
    };
}

/* ---- reading ---- */

/* Reads the open table. What was allocated in the data set is released by the caller. */
static enum vd_status read_table(struct batch_dataset *data, struct format_table *t,
                                 struct vd_error *err)
{
    struct features f = {0};
    enum vd_status status = choose_features(&f, data, t, err);

    if (status == VD_OK)
        status = check_names(data, f.d, t->path, err);
    if (status == VD_OK)
        status = vd_matrix_init(&data->x, t->n, f.d);
    if (status == VD_OK && t->label != SIZE_MAX &&
        (data->label = calloc(t->n, 1)) == NULL)
        status = VD_ERR_MEMORY;
    if (status == VD_OK)
        status = read_rows(data, &f, t, err);
    if (status == VD_OK) {
        note_labels(data, t);
        name_worst(data, &f);
        status = check_some(data, t->path, err);
    }
    free(f.column);
    free(f.missing);
    free(f.before);
    return status;
}

/* Says what was read, and how many rows were lost to which column. */
static void say(const struct batch_dataset *data, const struct format_table *t)
{
    format_table_say(t);
    if (data->lost.rows > 0)
        os_log_warning(
            "%s: %zu rows are left out, %zu of them for column \"%s\": a value "
            "is missing, no number or beyond +-%g",
            t->path, data->lost.rows, data->lost.worst_rows, data->lost.worst,
            VD_VALUE_MAX);
}

/* Reads an open table, says what was read, and closes it. The data set is empty after a
 * failure. */
static enum vd_status take(struct batch_dataset *data, struct format_table *t,
                           enum vd_status status, struct vd_error *err)
{
    *data = (struct batch_dataset){0};
    if (status == VD_OK)
        status = read_table(data, t, err);
    if (status == VD_OK)
        say(data, t);
    else
        vd_error_set(err, status, NULL, "%s: %s", t->path, vd_status_text(status));
    format_table_close(t);
    if (status != VD_OK)
        batch_dataset_release(data);
    return status;
}

/* Asks the reader for labels as well. */
static struct format_options with_labels(const struct format_options *options)
{
    struct format_options own = options == NULL ? (struct format_options){0} : *options;

    own.need_label = true;
    return own;
}

enum vd_status batch_dataset_read(struct batch_dataset *data, const char *path,
                                  const struct format_options *options,
                                  struct vd_error *err)
{
    struct format_options own = with_labels(options);
    struct format_table t;

    return take(data, &t, format_table_open(&t, path, &own, err), err);
}

enum vd_status batch_dataset_take(struct batch_dataset *data, const char *text,
                                  size_t size, const char *path,
                                  const struct format_options *options,
                                  struct vd_error *err)
{
    struct format_options own = with_labels(options);
    struct format_table t;

    return take(data, &t, format_table_of(&t, text, size, path, &own, err), err);
}

/* ---- labels ---- */

/* Turns the labels into 0 and 1, once it is known which one means an anomaly. */
static void settle(struct batch_dataset *data, bool minus)
{
    for (size_t i = 0; data->label != NULL && i < data->x.n; i++)
        data->label[i] = data->label[i] == (minus ? 2 : 1);
}

/* Decides over all files together what a label of 1 means: beside 0 it is an anomaly,
 * beside -1 it is normal. What was decided is said, since nobody can see it in one file
 * alone. */
enum vd_status batch_dataset_settle_labels(struct batch_dataset *const *data, size_t n,
                                           const char *path, int anomaly,
                                           struct vd_error *err)
{
    struct batch_dataset_labels all = {.own = true};
    bool minus;

    for (size_t i = 0; i < n; i++)
        if (data[i]->label != NULL) {
            all.zeros |= data[i]->labels.zeros;
            all.ones |= data[i]->labels.ones;
            all.minus |= data[i]->labels.minus;
            all.own = all.own && data[i]->labels.own;
        }
    if (all.zeros && all.minus)
        return vd_error_set(err, VD_ERR_DATA,
                            "a label is 0 (normal) or 1 (anomaly); or 1 and -1",
                            "%s: one file has labels of 0, another of -1", path);
    if (all.ones && !all.zeros && !all.minus && !all.own && anomaly == 0)
        return vd_error_set(err, VD_ERR_DATA,
                            "--anomaly-label 1 or --anomaly-label -1 says it",
                            "%s: all labels are 1: is that an anomaly (beside 0) or "
                            "normal (beside -1)?",
                            path);
    minus = anomaly != 0 ? anomaly < 0 : all.minus || (all.own && !all.zeros);
    if (all.ones || all.minus || all.zeros)
        os_log_info("labels: %s", minus ? "1 is normal, -1 is an anomaly"
                                        : "0 is normal, 1 is an anomaly");
    for (size_t i = 0; i < n; i++)
        settle(data[i], minus);
    return VD_OK;
}

/* ---- columns of two files ---- */

/* Finds a feature by its name; SIZE_MAX when it is not there. */
static size_t find_column(const struct batch_dataset *data, const char *name)
{
    for (size_t k = 0; k < data->x.d; k++)
        if (strcmp(data->name[k], name) == 0)
            return k;
    return SIZE_MAX;
}

/* Rewrites the rows so that column k is what was column from[k]; d columns are left. It
 * works in place: a narrower row never overtakes the one it is made from. */
static void take_columns(struct batch_dataset *data, const size_t *from, size_t d,
                         double *row)
{
    for (size_t i = 0; i < data->x.n; i++) {
        memcpy(row, vd_matrix_row(&data->x, i), data->x.d * sizeof *row);
        for (size_t k = 0; k < d; k++)
            data->x.at[i * d + k] = row[from[k]];
    }
    data->x.d = d;
}

/* Lists the columns of `a` that `b` does not have, as text for a message. */
static struct batch_dataset_names names_beyond(const struct batch_dataset *a,
                                               const struct batch_dataset *b)
{
    struct batch_dataset_names names = {0};

    for (size_t k = 0; k < a->x.d; k++)
        if (find_column(b, a->name[k]) == SIZE_MAX)
            add_name(&names, a->name[k]);
    end_names(&names);
    return names;
}

/* Brings the columns to those of `like`, in its order. Missing ones are an error, others
 * are left out and told. */
enum vd_status batch_dataset_align(struct batch_dataset *data,
                                   const struct batch_dataset *like, const char *path,
                                   struct vd_error *err)
{
    struct batch_dataset_names missing = names_beyond(like, data);
    struct batch_dataset_names extra = names_beyond(data, like);
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
            memcpy(data->name[k], like->name[k], BATCH_NAME_MAX);
    }
    if (status == VD_OK && extra.n > 0)
        os_log_info("%s: columns that the training file does not have are left out: %s",
                    path, extra.text);
    free(row);
    free(from);
    return status;
}

enum vd_status batch_dataset_normal_rows(struct batch_dataset *normal,
                                         const struct batch_dataset *data)
{
    enum vd_status status;
    size_t n = 0;

    *normal = (struct batch_dataset){0};
    status = vd_matrix_init(&normal->x, data->x.n, data->x.d);
    for (size_t i = 0; status == VD_OK && i < data->x.n; i++)
        if (data->label == NULL || data->label[i] == 0)
            memcpy(vd_matrix_row(&normal->x, n++), vd_matrix_row(&data->x, i),
                   data->x.d * sizeof *data->x.at);
    normal->x.n = n;
    return status;
}

void batch_dataset_release(struct batch_dataset *data)
{
    if (data == NULL)
        return;
    vd_matrix_release(&data->x);
    free(data->label);
    free(data->name);
    *data = (struct batch_dataset){0};
}
