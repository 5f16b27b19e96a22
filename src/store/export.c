/* A span of one tier as CSV. The columns are found first (every metric that a row of the
 * span has), then the rows are written one by one: memory stays small however long the
 * span is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/inspect.h"
#include "store/text.h"

struct column {
    uint32_t metric;
    char name[STORE_NAME_MAX];
};

/* What one export works on; the columns are owned. */
struct export
{
    const struct store_export *what;
    sqlite3 *db;
    struct column *column;
    size_t n, capacity;
};

/* Tells whether a metric is asked for, by its name or by its family: "disk_busy_percent"
 * is that of every disk. Where none is named all are asked for. */
static bool is_wanted(const struct store_export *what, const char *name)
{
    for (size_t i = 0; i < what->n_metrics; i++) {
        size_t length = strlen(what->metric[i]);

        if (strncmp(what->metric[i], name, length) == 0 &&
            (name[length] == '\0' || name[length] == '{'))
            return true;
    }
    return what->n_metrics == 0;
}

/* Adds a column to the sheet; false without memory. */
static bool add_column(struct export *e, uint32_t metric, const char *name)
{
    if (e->n == e->capacity) {
        size_t capacity = e->capacity == 0 ? 64 : e->capacity * 2;
        struct column *column = realloc(e->column, capacity * sizeof *column);

        if (column == NULL)
            return false;
        e->column = column;
        e->capacity = capacity;
    }
    e->column[e->n].metric = metric;
    snprintf(e->column[e->n++].name, STORE_NAME_MAX, "%s", name);
    return true;
}

/* Tells whether the metric has a column already: layouts of one span share most of
 * theirs. */
static bool is_column(const struct export *e, uint32_t metric)
{
    for (size_t i = 0; i < e->n; i++)
        if (e->column[i].metric == metric)
            return true;
    return false;
}

/* Tells whether the series is what the program itself made of a sample. */
static bool is_verdict(const char *name)
{
    for (size_t i = 0; i < STORE_VERDICTS; i++)
        if (strcmp(name, store_verdict_name[i]) == 0)
            return true;
    return strncmp(name, "score.", 6) == 0;
}

/* Adds the wanted metrics of one layout that are no columns yet. An id without a name is
 * left out, as nobody could tell what it was. */
static enum vd_status add_layout(struct export *e, const struct store_layout *layout,
                                 struct vd_error *err)
{
    enum vd_status status = VD_OK;
    sqlite3_stmt *s = NULL;

    if (sqlite3_prepare_v2(e->db, "SELECT name FROM metric WHERE id=?", -1, &s, NULL) !=
        SQLITE_OK)
        return store_db_failed(e->db, "read the metrics", err);
    for (size_t i = 0; i < layout->n && status == VD_OK; i++) {
        const char *name;

        sqlite3_bind_int64(s, 1, layout->metric[i]);
        if (sqlite3_step(s) == SQLITE_ROW) {
            name = (const char *)sqlite3_column_text(s, 0);
            if (name != NULL && is_wanted(e->what, name) &&
                !(e->what->no_verdicts && is_verdict(name)) &&
                !is_column(e, layout->metric[i]) &&
                !add_column(e, layout->metric[i], name))
                status = vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory");
        }
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
    return status;
}

/* Asks which layouts the rows of the span have: a layout says which metrics a row holds,
 * and in which order. */
static enum vd_status prepare_layouts(struct export *e, sqlite3_stmt **s,
                                      struct vd_error *err)
{
    char sql[192];

    sqlite3_snprintf(sizeof sql, sql,
                     "SELECT DISTINCT layout FROM %s WHERE time>=? AND time<?"
                     " ORDER BY layout",
                     store_tier_table[e->what->tier]);
    if (sqlite3_prepare_v2(e->db, sql, -1, s, NULL) != SQLITE_OK)
        return store_db_failed(e->db, "read a span", err);
    sqlite3_bind_int64(*s, 1, e->what->from_ns);
    sqlite3_bind_int64(*s, 2, e->what->to_ns);
    return VD_OK;
}

/* Collects the columns of all layouts in the span, each once, in the order they came. */
static enum vd_status find_columns(struct export *e, struct vd_error *err)
{
    struct store_layout layout = {0};
    bool any = false;
    sqlite3_stmt *s = NULL;
    enum vd_status status = prepare_layouts(e, &s, err);

    while (status == VD_OK && sqlite3_step(s) == SQLITE_ROW) {
        any = true;
        status = store_layout_load(e->db, sqlite3_column_int64(s, 0), &layout, err);
        if (status == VD_OK)
            status = add_layout(e, &layout, err);
    }
    sqlite3_finalize(s);
    store_layout_release(&layout);
    if (status == VD_OK && any && e->n == 0 && e->what->n_metrics > 0)
        status =
            vd_error_set(err, VD_ERR_ARGUMENT, "vedette probe shows the names",
                         "--metric: there is no %s in that span", e->what->metric[0]);
    return status;
}

/* Prints the name of a column; one with a comma or a quote in it (a mount point) is
 * quoted. */
static void print_name(struct vd_writer *w, const char *name)
{
    bool quoted = strpbrk(name, ",\"\n\r") != NULL;

    store_print(w, quoted ? ",\"" : ",");
    for (; *name != '\0'; name++) {
        if (*name == '"')
            vd_write_bytes(w, "\"", 1);
        vd_write_bytes(w, name, 1);
    }
    store_print(w, quoted ? "\"" : "");
}

/* Hands the bytes over and starts again. */
static enum vd_status put(struct vd_writer *w, FILE *out, struct vd_error *err)
{
    if (w->status != VD_OK)
        return vd_error_set(err, w->status, NULL, "no memory");
    if (fwrite(w->at, 1, w->size, out) != w->size)
        return vd_error_set(err, VD_ERR_IO, NULL, "cannot write: %s", strerror(errno));
    w->size = 0;
    return VD_OK;
}

/* The table that is written, and where it goes. */
struct sheet {
    struct vd_writer w;
    FILE *out;
    size_t n; /* columns */
    int64_t *rows;
};

/* Prints one row of the sheet; what is missing is an empty field. */
static enum vd_status print_row(void *context, int64_t time_ns, const double *value,
                                struct vd_error *err)
{
    struct sheet *sheet = context;

    store_print_time(&sheet->w, time_ns);
    for (size_t i = 0; i < sheet->n; i++) {
        store_print(&sheet->w, ",");
        store_print_number(&sheet->w, value[i]);
    }
    store_print(&sheet->w, "\n");
    ++*sheet->rows;
    return put(&sheet->w, sheet->out, err);
}

/* Prints the head and the rows. There is room for one metric more than there are, since
 * calloc may give NULL for none. */
static enum vd_status print_rows(struct export *e, FILE *out, int64_t *rows,
                                 struct vd_error *err)
{
    struct sheet sheet = {.out = out, .n = e->n, .rows = rows};
    uint32_t *metric = calloc(e->n + 1, sizeof *metric);
    const struct store_rows span = {.db = e->db,
                                    .tier = e->what->tier,
                                    .from_ns = e->what->from_ns,
                                    .to_ns = e->what->to_ns,
                                    .metric = metric,
                                    .n = e->n};
    enum vd_status status;

    if (metric == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory");
    store_print(&sheet.w, "timestamp");
    for (size_t i = 0; i < e->n; i++) {
        metric[i] = e->column[i].metric;
        print_name(&sheet.w, e->column[i].name);
    }
    store_print(&sheet.w, "\n");
    status = put(&sheet.w, out, err);
    if (status == VD_OK)
        status = store_rows_each(&span, print_row, &sheet, err);
    if (status == VD_OK && fflush(out) != 0)
        status = vd_error_set(err, VD_ERR_IO, NULL, "cannot write: %s", strerror(errno));
    vd_writer_release(&sheet.w);
    free(metric);
    return status;
}

/* Counts into *rows as it writes, so that the number is right after a failure, too. */
enum vd_status store_export_csv(const struct store_export *what, FILE *out, int64_t *rows,
                                struct vd_error *err)
{
    struct export e = {.what = what};
    struct os_data_dir dir;
    enum vd_status status;

    *rows = 0;
    status = os_data_dir_open(&dir, what->dir, OS_DATA_DIR_READ, err);
    if (status == VD_OK)
        status = store_db_open_readonly(&e.db, &dir, err);
    /* One picture of the database for both passes. */
    if (status == VD_OK)
        status = store_db_run(e.db, "BEGIN", err);
    if (status == VD_OK)
        status = find_columns(&e, err);
    if (status == VD_OK)
        status = print_rows(&e, out, rows, err);
    free(e.column);
    sqlite3_close(e.db);
    os_data_dir_close(&dir);
    return status;
}
