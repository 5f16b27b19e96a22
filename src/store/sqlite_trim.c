/* Bounded room: rows past their retention leave, and when the file is still too large the
 * oldest raw rows, then minutes, then hours. Small slices, each its own transaction, so
 * that the writer is soon back at its queue; freed pages are reused, and given back to
 * the file system when there are many.
 */
#include <math.h>
#include <stdio.h>

#include "store/sqlite.h"

static double retention_of(const struct store_config *config, enum store_tier tier)
{
    return tier == STORE_RAW      ? config->retention_raw_s
           : tier == STORE_MINUTE ? config->retention_minute_s
                                  : config->retention_hour_s;
}

/* Returns the time before which rows are past their retention; 0 says that none is. */
static int64_t cutoff(const struct store_config *config, enum store_tier tier,
                      int64_t now_ns)
{
    double retention_s = retention_of(config, tier);

    if (!(retention_s > 0) || retention_s * 1e9 >= (double)now_ns)
        return 0;
    return now_ns - (int64_t)(retention_s * 1e9);
}

/* Deletes up to `slice` of the oldest rows before `before_ns`. The inner SELECT is there
 * because DELETE ... LIMIT is an option of SQLite's build that not all have. */
static enum vd_status delete_rows(sqlite3 *db, enum store_tier tier, int64_t before_ns,
                                  int slice, int64_t *deleted, struct vd_error *err)
{
    enum vd_status status;
    char sql[256];

    snprintf(sql, sizeof sql,
             "DELETE FROM %s WHERE time IN (SELECT time FROM %s WHERE time < %lld"
             " ORDER BY time LIMIT %d)",
             store_tier_table[tier], store_tier_table[tier], (long long)before_ns, slice);
    status = store_db_run(db, sql, err);
    if (status == VD_OK)
        *deleted += sqlite3_changes(db);
    return status;
}

/* Deletes events that began before `before_ns`, with all that hangs on them. Events live
 * as long as the hours do. */
static enum vd_status delete_events(sqlite3 *db, int64_t before_ns, int slice,
                                    int64_t *deleted, struct vd_error *err)
{
    enum vd_status status;
    char sql[640];
    int before = sqlite3_total_changes(db);

    snprintf(sql, sizeof sql,
             "CREATE TEMP TABLE IF NOT EXISTS gone(id INTEGER PRIMARY KEY);"
             "DELETE FROM gone;"
             "INSERT INTO gone SELECT id FROM event WHERE start < %lld LIMIT %d;"
             "DELETE FROM deviation WHERE event IN (SELECT id FROM gone);"
             "DELETE FROM suspect WHERE event IN (SELECT id FROM gone);"
             "DELETE FROM moments WHERE event IN (SELECT id FROM gone);"
             "DELETE FROM feedback WHERE event IN (SELECT id FROM gone);"
             "DELETE FROM event WHERE id IN (SELECT id FROM gone)",
             (long long)before_ns, slice);
    status = store_db_run(db, "BEGIN", err);
    if (status == VD_OK)
        status = store_db_run(db, sql, err);
    if (status == VD_OK)
        status = store_db_run(db, "COMMIT", err);
    if (status != VD_OK)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    else if (sqlite3_total_changes(db) > before)
        *deleted += sqlite3_changes(db);
    return status;
}

/* Counts the pages in use and the free ones, which stay in the file until they are used
 * again, and gives the bytes of a page. */
static void pages(sqlite3 *db, int64_t *used, int64_t *unused, int64_t *bytes)
{
    *unused = store_db_number(db, "PRAGMA freelist_count", 0);
    *used = store_db_number(db, "PRAGMA page_count", 0) - *unused;
    *bytes = store_db_number(db, "PRAGMA page_size", 4096);
}

/* Deletes a slice of the oldest rows of the finest tier that has any, because the file is
 * too large: many raw rows take more room and tell less than few hours. */
static enum vd_status shrink(sqlite3 *db, int slice, struct store_trim *trim, bool *more,
                             struct vd_error *err)
{
    for (int tier = STORE_RAW; tier < STORE_TIERS; tier++) {
        int64_t before = trim->rows[tier];
        enum vd_status status = delete_rows(db, (enum store_tier)tier, INT64_MAX, slice,
                                            &trim->rows[tier], err);

        if (status != VD_OK)
            return status;
        if (trim->rows[tier] > before) {
            *more = true;
            return VD_OK;
        }
    }
    return VD_OK;
}

/* Deletes first what is too old, then, while the file is too large, what is oldest. Free
 * pages go back to the file system when there are many (a quarter of those in use and
 * 256) or the limit asks for it, 128 at a time. */
enum vd_status store_trim_slice(sqlite3 *db, const struct store_config *config,
                                int64_t now_ns, int slice, struct store_trim *trim,
                                bool *more, struct vd_error *err)
{
    int64_t used, unused, bytes, reserve = 4 << 20; /* of the log beside the file */
    enum vd_status status = VD_OK;

    *more = false;
    for (int tier = STORE_RAW; tier < STORE_TIERS && status == VD_OK; tier++) {
        int64_t before = trim->rows[tier];
        int64_t until = cutoff(config, (enum store_tier)tier, now_ns);

        if (until > 0)
            status = delete_rows(db, (enum store_tier)tier, until, slice,
                                 &trim->rows[tier], err);
        *more |= trim->rows[tier] - before >= slice;
    }
    if (status == VD_OK && cutoff(config, STORE_HOUR, now_ns) > 0)
        status = delete_events(db, cutoff(config, STORE_HOUR, now_ns), slice,
                               &trim->events, err);
    pages(db, &used, &unused, &bytes);
    if (status == VD_OK && config->max_bytes > 0 &&
        (double)(used * bytes + reserve) > config->max_bytes)
        status = shrink(db, slice, trim, more, err);
    pages(db, &used, &unused, &bytes);
    if (status == VD_OK &&
        (unused > used / 4 + 256 ||
         (config->max_bytes > 0 && unused > 0 &&
          (double)((used + unused) * bytes + reserve) > config->max_bytes))) {
        status = store_db_run(db, "PRAGMA incremental_vacuum(128)", err);
        *more = true;
    }
    return status;
}

/* Counts what is past its retention, but not what the limit of the file would cost. */
void store_trim_count(sqlite3 *db, const struct store_config *config, int64_t now_ns,
                      struct store_trim *trim)
{
    char sql[128];

    for (int tier = STORE_RAW; tier < STORE_TIERS; tier++) {
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s WHERE time < %lld",
                 store_tier_table[tier],
                 (long long)cutoff(config, (enum store_tier)tier, now_ns));
        trim->rows[tier] = store_db_number(db, sql, 0);
    }
    snprintf(sql, sizeof sql, "SELECT count(*) FROM event WHERE start < %lld",
             (long long)cutoff(config, STORE_HOUR, now_ns));
    trim->events = store_db_number(db, sql, 0);
}
