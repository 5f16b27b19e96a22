/* What may be believed of a database file. It may be damaged, it may be another
 * program's, and somebody may have put something into it: a trigger or a view is SQL that
 * would run with our rights, and a table with other columns turns our own statements
 * against us. So the tables have to be exactly those that the migrations make, which is
 * seen by making them in memory and comparing.
 */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "store/sqlite.h"

/* ---- how the files are reached ---- */

/* Stands in for SQLite's own way to a full path, which resolves all links, also that of
 * /proc/self/fd/N, and from then on uses the name that the directory had at that moment.
 * This one leaves the path as it is. A link as last part is refused by SQLite itself
 * (O_NOFOLLOW). */
static int keep_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    (void)vfs;
    return snprintf(out, (size_t)size, "%s", name) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

/* SQLite wants such a table registered once, for the whole process. */
static sqlite3_vfs access_by_descriptor;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Registers a file layer that leaves names alone: a path through a descriptor must not be
 * resolved into one that somebody can change. */
static void register_access(void)
{
    const sqlite3_vfs *unix_vfs = sqlite3_vfs_find("unix");

    if (unix_vfs == NULL)
        return;
    access_by_descriptor = *unix_vfs;
    access_by_descriptor.zName = "vedette";
    access_by_descriptor.pNext = NULL;
    access_by_descriptor.xFullPathname = keep_path;
    sqlite3_vfs_register(&access_by_descriptor, 0);
}

const char *store_db_access(void)
{
    pthread_once(&once, register_access);
    return "vedette";
}

enum vd_status store_db_check_files(const struct os_data_dir *dir, struct vd_error *err)
{
    static const char *const name[] = {STORE_DB_FILE, STORE_DB_FILE "-wal",
                                       STORE_DB_FILE "-shm", STORE_DB_FILE "-journal"};

    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++)
        /* A file that is not there is no error, so only one that is refused is asked
         * again, for the reason. */
        if (os_data_dir_look(dir, name[i], NULL, NULL) == VD_ERR_IO)
            return os_data_dir_look(dir, name[i], NULL, err);
    return VD_OK;
}

/* ---- the connection ---- */

/* Takes away what our statements never need and a prepared file could use: SQL in the
 * schema, text in double quotes, large or deep values, mapped pages that change under us.
 */
void store_db_harden(sqlite3 *db)
{
    static const struct {
        int what, value;
    } config[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    };
    static const struct {
        int what, value;
    } limit[] = {
        {SQLITE_LIMIT_LENGTH, 128 << 20},   {SQLITE_LIMIT_SQL_LENGTH, 64 << 10},
        {SQLITE_LIMIT_ATTACHED, 0},         {SQLITE_LIMIT_COLUMN, 64},
        {SQLITE_LIMIT_EXPR_DEPTH, 50},      {SQLITE_LIMIT_COMPOUND_SELECT, 8},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 1},    {SQLITE_LIMIT_WORKER_THREADS, 0},
        {SQLITE_LIMIT_VARIABLE_NUMBER, 64}, {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100},
    };

    for (size_t i = 0; i < sizeof config / sizeof config[0]; i++)
        sqlite3_db_config(db, config[i].what, config[i].value, NULL);
    for (size_t i = 0; i < sizeof limit / sizeof limit[0]; i++)
        sqlite3_limit(db, limit[i].what, limit[i].value);
    sqlite3_exec(db, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0", NULL, NULL, NULL);
}

/* ---- its tables ---- */

/* What ANALYZE keeps is no table of ours, and does no harm. */
static const char tables_sql[] =
    "SELECT type, name, tbl_name, ifnull(sql, '') FROM sqlite_master"
    " WHERE name NOT IN ('sqlite_stat1', 'sqlite_stat4') ORDER BY type, name, sql";

/* Compares two rows of the schema: type, name, table and text. */
static bool is_same_row(sqlite3_stmt *a, sqlite3_stmt *b)
{
    for (int i = 0; i < 4; i++) {
        const char *x = (const char *)sqlite3_column_text(a, i);
        const char *y = (const char *)sqlite3_column_text(b, i);

        if (x == NULL || y == NULL || strcmp(x, y) != 0)
            return false;
    }
    return true;
}

/* Says what is wrong: the table or index at which `found` stands, or that one is missing.
 */
static enum vd_status other_tables(sqlite3_stmt *found, bool more, struct vd_error *err)
{
    if (!more)
        return vd_error_set(err, VD_ERR_FORMAT, NULL, "tables of a vedette are missing");
    return vd_error_set(err, VD_ERR_FORMAT, NULL,
                        "it has the %.16s \"%.64s\", which no vedette made like that",
                        (const char *)sqlite3_column_text(found, 0),
                        (const char *)sqlite3_column_text(found, 1));
}

/* Compares both schemas row by row, in the same order, and names the first that differs.
 */
static enum vd_status compare(sqlite3 *db, sqlite3 *model, struct vd_error *err)
{
    sqlite3_stmt *found = NULL, *right = NULL;
    enum vd_status status = VD_OK;
    int a = SQLITE_ROW, b = SQLITE_ROW;

    if (sqlite3_prepare_v2(db, tables_sql, -1, &found, NULL) != SQLITE_OK)
        status = store_db_failed(db, "read the tables", err);
    else if (sqlite3_prepare_v2(model, tables_sql, -1, &right, NULL) != SQLITE_OK)
        status = vd_error_set(err, VD_ERR_RETRY, NULL, "no memory for the tables");
    while (status == VD_OK && a == SQLITE_ROW && b == SQLITE_ROW) {
        a = sqlite3_step(found);
        b = sqlite3_step(right);
        if (a != SQLITE_ROW && a != SQLITE_DONE)
            status = store_db_failed(db, "read the tables", err);
        else if (a != b || (a == SQLITE_ROW && !is_same_row(found, right)))
            status = other_tables(found, a == SQLITE_ROW, err);
    }
    sqlite3_finalize(found);
    sqlite3_finalize(right);
    return status;
}

/* Compares the tables with those that this version would make, in a database in memory.
 */
static enum vd_status compare_with_ours(sqlite3 *db, int64_t version,
                                        struct vd_error *err)
{
    enum vd_status status = VD_ERR_RETRY;
    sqlite3 *model = NULL;

    if (sqlite3_open_v2(":memory:", &model,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) == SQLITE_OK)
        status = store_db_migrate(model, 0, version, err);
    else
        vd_error_set(err, status, NULL, "no memory for the tables");
    if (status == VD_OK)
        status = compare(db, model, err);
    sqlite3_close(model);
    return status;
}

/* Refuses triggers and views, before all other differences: they are SQL that would run
 * with our rights, so they are what people should be told of. */
static enum vd_status refuse_programs(sqlite3 *db, struct vd_error *err)
{
    sqlite3_stmt *found = NULL;
    enum vd_status status = VD_OK;

    if (sqlite3_prepare_v2(db,
                           "SELECT type, name FROM sqlite_master"
                           " WHERE type NOT IN ('table', 'index')",
                           -1, &found, NULL) != SQLITE_OK)
        return store_db_failed(db, "read the tables", err);
    if (sqlite3_step(found) == SQLITE_ROW)
        status = other_tables(found, true, err);
    sqlite3_finalize(found);
    return status;
}

/* Gives the first column of the first row; VD_ERR_FORMAT when reading it meets damage. */
static enum vd_status ask(sqlite3 *db, const char *sql, int64_t *number,
                          struct vd_error *err)
{
    sqlite3_stmt *statement = NULL;
    enum vd_status status = VD_OK;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        status = store_db_failed(db, "read the database", err);
    else
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return status;
}

enum vd_status store_db_check_schema(sqlite3 *db, int64_t *version, struct vd_error *err)
{
    int64_t tables = 0;
    enum vd_status status = ask(db, "PRAGMA user_version", version, err);

    if (status == VD_OK)
        status = ask(db, "SELECT count(*) FROM sqlite_master", &tables, err);
    /* A database without any table is a new one; tables without a version are not ours.
     */
    if (status != VD_OK || (*version == 0 && tables == 0))
        return status;
    if (*version > STORE_DB_VERSION)
        return vd_error_set(err, VD_ERR_VERSION,
                            "use that vedette, or give this one another data directory",
                            STORE_DB_FILE " was written by a newer vedette (format %lld, "
                                          "this one knows %d)",
                            (long long)*version, STORE_DB_VERSION);
    if (*version <= 0)
        return vd_error_set(err, VD_ERR_FORMAT, NULL, "it is another program's");
    status = refuse_programs(db, err);
    return status == VD_OK ? compare_with_ours(db, *version, err) : status;
}

/* ---- its pages ---- */

/* Is called by SQLite during a check; anything but 0 ends it. */
static int is_too_late(void *until_ns)
{
    return os_clock_mono_ns() >= *(const int64_t *)until_ns;
}

/* Tells the last line of SQLite's answer, which names the fault: "*** in database main
 * ***\nPage 7: btreeInitPage() returns error code 11". */
static enum vd_status complain(const char *text, struct vd_error *err)
{
    const char *line = strrchr(text, '\n');

    return vd_error_set(err, VD_ERR_FORMAT, NULL, "%s", line == NULL ? text : line + 1);
}

/* Ends at the first fault. quick_check does not compare indexes with their tables, which
 * would take far longer. A check that ran out of time found nothing, and counts as good.
 */
enum vd_status store_db_check_pages(sqlite3 *db, double seconds, struct vd_error *err)
{
    int64_t until_ns = os_clock_mono_ns() + (int64_t)(seconds * 1e9);
    sqlite3_stmt *statement = NULL;
    enum vd_status status = VD_OK;
    const char *text;
    int code;

    if (seconds > 0)
        /* SQLite asks after each 1000 instructions of its machine. */
        sqlite3_progress_handler(db, 1000, is_too_late, &until_ns);
    code = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        text = (const char *)sqlite3_column_text(statement, 0);
        if (text == NULL || strcmp(text, "ok") != 0)
            status = complain(text == NULL ? "no answer" : text, err);
    } else if ((code & 0xff) != SQLITE_INTERRUPT) {
        status = store_db_failed(db, "check the database", err);
    }
    sqlite3_finalize(statement);
    sqlite3_progress_handler(db, 0, NULL, NULL);
    return status;
}
