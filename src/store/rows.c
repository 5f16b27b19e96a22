/* Rows one by one, whatever their layouts are: the places of the metrics are looked up
 * again where the layout changes, which is rare. Memory stays small however long the span
 * is. */
#include <math.h>
#include <stdlib.h>

#include "metrics.h"
#include "store/inspect.h"

/* One pass over a span. */
struct scan {
    const struct store_rows *rows;
    struct store_layout layout; /* of the row being read ... */
    size_t *position;           /* ... and where each metric is in it, SIZE_MAX = not */
    double *value;
};

/* Returns where the metric stands in rows of the layout, SIZE_MAX when they have none. */
static size_t position_of(const struct store_layout *layout, uint32_t metric)
{
    for (size_t i = 0; i < layout->n; i++)
        if (layout->metric[i] == metric)
            return i;
    return SIZE_MAX;
}

/* Takes the wanted metrics out of a row. Where they lie changes with the layout alone, so
 * their places are looked up when that does. */
static enum vd_status read_row(struct scan *scan, sqlite3_stmt *s, struct vd_error *err)
{
    const struct store_rows *rows = scan->rows;
    int64_t id = sqlite3_column_int64(s, 1);
    const void *blob = sqlite3_column_blob(s, 2);
    size_t size = (size_t)sqlite3_column_bytes(s, 2);

    if (id != scan->layout.id) {
        enum vd_status status = store_layout_load(rows->db, id, &scan->layout, err);

        if (status != VD_OK)
            return status;
        for (size_t i = 0; i < rows->n; i++)
            scan->position[i] = position_of(&scan->layout, rows->metric[i]);
    }
    for (size_t i = 0; i < rows->n; i++) {
        struct store_cell cell = {.count = 0};

        if (scan->position[i] != SIZE_MAX)
            cell = store_cell_read(rows->tier, blob, size, scan->position[i]);
        scan->value[i] = cell.count > 0 ? (double)cell.mean : NAN;
    }
    return VD_OK;
}

/* Gives every row of the span to `row`, in order of time. */
static enum vd_status read_all(struct scan *scan, store_row_fn *row, void *context,
                               struct vd_error *err)
{
    const struct store_rows *rows = scan->rows;
    enum vd_status status = VD_OK;
    sqlite3_stmt *s = NULL;
    char sql[128];
    int code = SQLITE_DONE;

    sqlite3_snprintf(sizeof sql, sql,
                     "SELECT time, layout, value FROM %s WHERE time>=? AND time<?"
                     " ORDER BY time",
                     store_tier_table[rows->tier]);
    if (sqlite3_prepare_v2(rows->db, sql, -1, &s, NULL) != SQLITE_OK)
        return store_db_failed(rows->db, "read a span", err);
    sqlite3_bind_int64(s, 1, rows->from_ns);
    sqlite3_bind_int64(s, 2, rows->to_ns);
    while (status == VD_OK && (code = sqlite3_step(s)) == SQLITE_ROW) {
        status = read_row(scan, s, err);
        if (status == VD_OK)
            status = row(context, sqlite3_column_int64(s, 0), scan->value, err);
    }
    if (status == VD_OK && code != SQLITE_DONE)
        status = store_db_failed(rows->db, "read a span", err);
    sqlite3_finalize(s);
    return status;
}

enum vd_status store_rows_each(const struct store_rows *rows, store_row_fn *row,
                               void *context, struct vd_error *err)
{
    struct scan scan = {
        .rows = rows,
        .position = calloc(rows->n + 1, sizeof *scan.position),
        .value = calloc(rows->n + 1, sizeof *scan.value),
    };
    enum vd_status status;

    if (scan.position == NULL || scan.value == NULL)
        status = vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for a span");
    else
        status = read_all(&scan, row, context, err);
    store_layout_release(&scan.layout);
    free(scan.position);
    free(scan.value);
    return status;
}

/* ---- the newest samples ---- */

/* Reads the last stretch of the samples, counted back from the newest row and not from
 * the clock: a recording ends when it ends. */
static enum vd_status read_newest(sqlite3 *db, const struct store_newest *what,
                                  store_row_fn *row, void *context, struct vd_error *err)
{
    struct store_rows rows = {.db = db, .tier = STORE_RAW, .n = what->n_metrics};
    uint32_t *metric = calloc(what->n_metrics + 1, sizeof *metric);
    enum vd_status status;

    if (metric == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for a span");
    for (size_t i = 0; i < what->n_metrics; i++)
        metric[i] = store_metric_id(db, metrics_canonical(what->metric[i]), NULL, NULL);
    rows.metric = metric;
    /* The end of a span is not in it, and the newest row is to be. */
    rows.to_ns = store_db_number(db, "SELECT max(time) FROM sample", 0) + 1;
    rows.from_ns = rows.to_ns - what->last_ns;
    status = store_rows_each(&rows, row, context, err);
    free(metric);
    return status;
}

enum vd_status store_newest_read(const struct store_newest *what, store_row_fn *row,
                                 void *context, struct vd_error *err)
{
    struct os_data_dir dir;
    enum vd_status status;
    sqlite3 *db = NULL;

    status = os_data_dir_open(&dir, what->dir, OS_DATA_DIR_READ, err);
    if (status == VD_OK)
        status = store_db_open_readonly(&db, &dir, err);
    /* One picture of the database for its end and its rows. */
    if (status == VD_OK)
        status = store_db_run(db, "BEGIN", err);
    if (status == VD_OK)
        status = read_newest(db, what, row, context, err);
    sqlite3_close(db);
    os_data_dir_close(&dir);
    return status;
}
