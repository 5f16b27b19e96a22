/* The minute and the hour tier. A row of a tier is made from all rows of the finer tier
 * in its span once the span is over, in the transaction that writes the first row after
 * it. Nothing is accumulated in memory, so a crash loses nothing and doubles nothing.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite.h"

const char *const store_tier_table[STORE_TIERS] = {"sample", "minute", "hour"};

int64_t store_tier_seconds(enum store_tier tier)
{
    return tier == STORE_RAW ? 0 : tier == STORE_MINUTE ? 60 : 3600;
}

/* Rounds down, also times before 1970. */
int64_t store_tier_floor(enum store_tier tier, int64_t time_ns)
{
    int64_t step = store_tier_seconds(tier) * 1000000000;
    int64_t rest = time_ns % step;

    return time_ns - (rest < 0 ? rest + step : rest);
}

/* Makes a cell of a single value; a value that is unknown counts as none. */
static struct store_cell raw_cell(struct vd_reader *r)
{
    float value = vd_read_f32(r);

    if (r->failed || !isfinite(value))
        return (struct store_cell){0, NAN, NAN, NAN};
    return (struct store_cell){1, value, value, value};
}

/* Never reads beyond the blob, whose length comes from a file that may be damaged. */
struct store_cell store_cell_read(enum store_tier tier, const void *blob, size_t size,
                                  size_t i)
{
    size_t bytes = tier == STORE_RAW ? 4 : STORE_CELL_BYTES;
    struct store_cell cell = {0, NAN, NAN, NAN};
    struct vd_reader r;

    if (i >= size / bytes)
        return cell;
    vd_reader_init(&r, (const uint8_t *)blob + i * bytes, bytes);
    if (tier == STORE_RAW)
        return raw_cell(&r);
    cell.count = vd_read_u32(&r);
    cell.mean = vd_read_f32(&r);
    cell.min = vd_read_f32(&r);
    cell.max = vd_read_f32(&r);
    if (!isfinite(cell.mean))
        cell.count = 0;
    return cell;
}

/* What the rows of the span add up to, for one metric. */
struct sum {
    double count, sum;
    float min, max;
};

/* A coarser row in the making. */
struct roll {
    struct store_layout layout; /* of the row being made: that of the last row in it */
    struct store_layout other;  /* of the row being read, where it is another one */
    struct sum *sum;            /* layout.n */
};

/* Weighs each mean by its count, so that an hour is the mean of its ticks and not of its
 * minutes. */
static void add_cell(struct sum *sum, struct store_cell cell)
{
    if (cell.count == 0)
        return;
    if (sum->count == 0 || cell.min < sum->min)
        sum->min = cell.min;
    if (sum->count == 0 || cell.max > sum->max)
        sum->max = cell.max;
    sum->count += cell.count;
    sum->sum += (double)cell.mean * cell.count;
}

/* Adds one row. Rows of the layout that is being made go by position, others by metric
 * id; a metric that this layout does not have any more is left out. */
static void add_row(struct roll *roll, const struct store_layout *layout,
                    enum store_tier from, const void *blob, size_t size)
{
    if (layout->id == roll->layout.id) {
        for (size_t i = 0; i < layout->n; i++)
            add_cell(&roll->sum[i], store_cell_read(from, blob, size, i));
        return;
    }
    for (size_t i = 0, k = 0; i < layout->n; i++) {
        /* Layouts mostly differ by what was added at the end: look on from the last. */
        for (size_t tried = 0; tried < roll->layout.n; tried++, k++) {
            if (roll->layout.metric[k % roll->layout.n] == layout->metric[i]) {
                add_cell(&roll->sum[k++ % roll->layout.n],
                         store_cell_read(from, blob, size, i));
                break;
            }
        }
    }
}

/* Adds all rows of the statement. The newest one comes first and decides which metrics
 * the coarser row has. */
static enum vd_status add_rows(sqlite3 *db, struct roll *roll, sqlite3_stmt *rows,
                               enum store_tier from, struct vd_error *err)
{
    enum vd_status status = VD_OK;
    int code;

    while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(rows, 0);
        const void *blob = sqlite3_column_blob(rows, 1);
        size_t size = (size_t)sqlite3_column_bytes(rows, 1);

        /* Newest first: the first row says which layout it will be. */
        if (roll->sum == NULL) {
            status = store_layout_load(db, id, &roll->layout, err);
            if (status != VD_OK)
                return status;
            roll->sum = calloc(roll->layout.n + 1, sizeof *roll->sum);
            if (roll->sum == NULL)
                return vd_error_set(err, VD_ERR_RETRY, NULL, "no memory");
        }
        if (id != roll->layout.id && id != roll->other.id)
            status = store_layout_load(db, id, &roll->other, err);
        if (status != VD_OK)
            return status;
        add_row(roll, id == roll->layout.id ? &roll->layout : &roll->other, from, blob,
                size);
    }
    return code == SQLITE_DONE ? VD_OK : store_db_failed(db, "read rows", err);
}

/* Writes a cell for each metric of the layout; one that no row had gets a count of 0. */
static void write_cells(struct vd_writer *w, const struct roll *roll)
{
    for (size_t i = 0; i < roll->layout.n; i++) {
        const struct sum *sum = &roll->sum[i];
        bool seen = sum->count > 0;

        vd_write_u32(w, (uint32_t)fmin(sum->count, UINT32_MAX));
        vd_write_f32(w, seen ? (float)(sum->sum / sum->count) : NAN);
        vd_write_f32(w, seen ? sum->min : NAN);
        vd_write_f32(w, seen ? sum->max : NAN);
    }
}

static enum vd_status insert(sqlite3 *db, enum store_tier tier, int64_t time_ns,
                             const struct roll *roll, struct vd_error *err)
{
    struct vd_writer blob = {0};
    sqlite3_stmt *statement = NULL;
    enum vd_status status = VD_OK;

    write_cells(&blob, roll);
    if (blob.status != VD_OK) {
        status = vd_error_set(err, VD_ERR_RETRY, NULL, "no memory");
    } else if (sqlite3_prepare_v2(db,
                                  tier == STORE_MINUTE
                                      ? "INSERT OR REPLACE INTO minute VALUES(?, ?, ?)"
                                      : "INSERT OR REPLACE INTO hour VALUES(?, ?, ?)",
                                  -1, &statement, NULL) != SQLITE_OK) {
        status = store_db_failed(db, "write a tier", err);
    } else {
        sqlite3_bind_int64(statement, 1, time_ns);
        sqlite3_bind_int64(statement, 2, roll->layout.id);
        /* A layout without metrics has no bytes, and a NULL would be no value at all. */
        sqlite3_bind_blob(statement, 3, blob.at == NULL ? (const void *)"" : blob.at,
                          (int)blob.size, SQLITE_STATIC);
        if (sqlite3_step(statement) != SQLITE_DONE)
            status = store_db_failed(db, "write a tier", err);
    }
    sqlite3_finalize(statement);
    vd_writer_release(&blob);
    return status;
}

/* Makes no row where the finer tier has none, so that a pause stays a gap. */
enum vd_status store_tier_roll(sqlite3 *db, enum store_tier tier, int64_t time_ns,
                               struct vd_error *err)
{
    sqlite3_stmt *rows = NULL;
    struct roll roll = {0};
    enum vd_status status;

    if (sqlite3_prepare_v2(db,
                           tier == STORE_MINUTE
                               ? "SELECT layout, value FROM sample WHERE time>=? AND "
                                 "time<? ORDER BY time DESC"
                               : "SELECT layout, value FROM minute WHERE time>=? AND "
                                 "time<? ORDER BY time DESC",
                           -1, &rows, NULL) != SQLITE_OK)
        return store_db_failed(db, "read rows", err);
    sqlite3_bind_int64(rows, 1, time_ns);
    sqlite3_bind_int64(rows, 2, time_ns + store_tier_seconds(tier) * 1000000000);
    status = add_rows(db, &roll, rows, (enum store_tier)(tier - 1), err);
    if (status == VD_OK && roll.sum != NULL)
        status = insert(db, tier, time_ns, &roll, err);
    sqlite3_finalize(rows);
    store_layout_release(&roll.layout);
    store_layout_release(&roll.other);
    free(roll.sum);
    return status;
}

/* Returns the time of the first row of the finer tier at or after `from_ns`, INT64_MAX
 * when there is none. */
static int64_t next_row(sqlite3 *db, enum store_tier tier, int64_t from_ns)
{
    char sql[128];

    sqlite3_snprintf(sizeof sql, sql, "SELECT min(time) FROM %s WHERE time>=%lld",
                     store_tier_table[tier - 1], (long long)from_ns);
    return store_db_number(db, sql, INT64_MAX);
}

/* Makes the rows of the tier whose span was over before `until_ns`. It goes from one row
 * of the finer tier to the next, so a long pause costs nothing. */
static enum vd_status catch_up(sqlite3 *db, enum store_tier tier, int64_t until_ns,
                               struct vd_error *err)
{
    int64_t step = store_tier_seconds(tier) * 1000000000, at;
    enum vd_status status = VD_OK;
    char sql[64];

    /* The last row is made again: it may have been cut short by the crash. */
    sqlite3_snprintf(sizeof sql, sql, "SELECT max(time) FROM %s", store_tier_table[tier]);
    at = store_db_number(db, sql, INT64_MIN);
    while (status == VD_OK) {
        at = next_row(db, tier, at);
        if (at == INT64_MAX || store_tier_floor(tier, at) + step > until_ns)
            break;
        at = store_tier_floor(tier, at);
        status = store_tier_roll(db, tier, at, err);
        at += step;
    }
    return status;
}

enum vd_status store_tier_catch_up(sqlite3 *db, int64_t until_ns, struct vd_error *err)
{
    enum vd_status status = catch_up(db, STORE_MINUTE, until_ns, err);

    return status == VD_OK ? catch_up(db, STORE_HOUR, until_ns, err) : status;
}
