/* Which metric stands where in the BLOB of a row. A layout is a list of metric ids; rows
 * name their layout. Layouts change only when a device comes or goes, so thousands of
 * rows share one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite.h"

const char *const store_verdict_name[STORE_VERDICTS] = {"score", "surprise", "confidence",
                                                        "latency_us"};

void store_layout_release(struct store_layout *layout)
{
    free(layout->metric);
    *layout = (struct store_layout){0};
}

/* Ids are little-endian in the file, whatever this machine is. */
static uint32_t load_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

/* Takes the ids out of their bytes; a tail that is no whole id is left out. */
static enum vd_status take_blob(struct store_layout *layout, const uint8_t *blob,
                                size_t size)
{
    layout->metric = malloc(size < 4 ? 4 : size);
    if (layout->metric == NULL)
        return VD_ERR_MEMORY;
    layout->n = size / 4;
    for (size_t i = 0; i < layout->n; i++)
        layout->metric[i] = load_u32(blob + 4 * i);
    return VD_OK;
}

/* Gives no metrics for a layout that is not there: values without names are not shown. */
enum vd_status store_layout_load(sqlite3 *db, int64_t id, struct store_layout *layout,
                                 struct vd_error *err)
{
    sqlite3_stmt *statement = NULL;
    enum vd_status status = VD_OK;

    store_layout_release(layout);
    layout->id = id;
    if (sqlite3_prepare_v2(db, "SELECT metrics FROM layout WHERE id=?", -1, &statement,
                           NULL) != SQLITE_OK)
        return store_db_failed(db, "read a layout", err);
    sqlite3_bind_int64(statement, 1, id);
    if (sqlite3_step(statement) == SQLITE_ROW)
        status = take_blob(layout, sqlite3_column_blob(statement, 0),
                           (size_t)sqlite3_column_bytes(statement, 0));
    sqlite3_finalize(statement);
    return status == VD_OK ? VD_OK : vd_error_set(err, status, NULL, "no memory");
}

/* Runs a statement whose only parameter is `blob` or, when that is NULL, `text` and,
 * where it is given, `unit`. Returns its first number, 0 when there is none or it fails.
 */
static int64_t find(sqlite3 *db, const char *sql, const struct vd_writer *blob,
                    const char *text, const char *unit)
{
    sqlite3_stmt *statement = NULL;
    int64_t id = 0;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        return 0;
    if (blob != NULL)
        sqlite3_bind_blob(statement, 1, blob->at, (int)blob->size, SQLITE_STATIC);
    else
        sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    if (unit != NULL)
        sqlite3_bind_text(statement, 2, unit, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW)
        id = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return id;
}

/* Uses a layout of the same metrics again where there is one, and takes its end back, so
 * that a device that comes and goes adds no layouts. */
enum vd_status store_layout_save(sqlite3 *db, struct store_layout *layout,
                                 struct vd_error *err)
{
    struct vd_writer blob = {0};
    enum vd_status status = VD_OK;

    for (size_t i = 0; i < layout->n; i++)
        vd_write_u32(&blob, layout->metric[i]);
    if (blob.status != VD_OK) {
        status = vd_error_set(err, VD_ERR_RETRY, NULL, "no memory");
        goto out;
    }
    layout->id = find(db, "SELECT id FROM layout WHERE metrics=?", &blob, NULL, NULL);
    if (layout->id != 0)
        find(db, "UPDATE layout SET last=NULL WHERE metrics=?", &blob, NULL, NULL);
    else
        layout->id = find(db, "INSERT INTO layout(metrics) VALUES(?) RETURNING id", &blob,
                          NULL, NULL);
    if (layout->id == 0)
        status = store_db_failed(db, "write a layout", err);
out:
    vd_writer_release(&blob);
    return status;
}

/* Only looks the name up when `unit` is NULL: readers must not add to the database. */
uint32_t store_metric_id(sqlite3 *db, const char *name, const char *unit,
                         struct vd_error *err)
{
    int64_t id = find(db, "SELECT id FROM metric WHERE name=?", NULL, name, NULL);

    if (id == 0 && unit != NULL)
        id = find(db, "INSERT INTO metric(name, unit) VALUES(?, ?) RETURNING id", NULL,
                  name, unit);
    if (id == 0 && unit != NULL)
        store_db_failed(db, "write a metric", err);
    return (uint32_t)id;
}

enum vd_status store_layout_retire(sqlite3 *db, int64_t id, int64_t time_ns,
                                   struct vd_error *err)
{
    char sql[128];

    /* id 0: those that a crash left in use. */
    snprintf(sql, sizeof sql,
             "UPDATE layout SET last=%lld WHERE last IS NULL AND %lld IN (0, id)",
             (long long)time_ns, (long long)id);
    return store_db_run(db, sql, err);
}

/* Deletes the layouts that ended an hour before the oldest row of any tier: no row can
 * name them any more. */
enum vd_status store_layout_sweep(sqlite3 *db, struct vd_error *err)
{
    return store_db_run(db,
                        "DELETE FROM layout WHERE last < min("
                        "ifnull((SELECT min(time) FROM sample), 9e18),"
                        "ifnull((SELECT min(time) FROM minute), 9e18),"
                        "ifnull((SELECT min(time) FROM hour), 9e18)) - 3600000000000",
                        err);
}
