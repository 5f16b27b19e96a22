/* Opening the database: pragmas, migration, the check after a crash.
 *
 * WAL with synchronous=FULL: a committed row is on the disk. A writer that closes in
 * order leaves no -wal file, so a -wal with something in it means a crash, and the
 * database is checked before it is trusted again. What fails the check is renamed, never
 * deleted.
 */
#include "store/sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Step k brings version k to k + 1. Never edit one that was released: add the next. */
static const char *const migration[STORE_DB_VERSION] = {
    "CREATE TABLE metric(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " unit TEXT NOT NULL);"
    "CREATE TABLE layout(id INTEGER PRIMARY KEY, metrics BLOB NOT NULL UNIQUE,"
    " last INTEGER);"
    "CREATE TABLE sample(time INTEGER PRIMARY KEY, layout INTEGER NOT NULL,"
    " value BLOB NOT NULL);"
    "CREATE TABLE minute(time INTEGER PRIMARY KEY, layout INTEGER NOT NULL,"
    " value BLOB NOT NULL);"
    "CREATE TABLE hour(time INTEGER PRIMARY KEY, layout INTEGER NOT NULL,"
    " value BLOB NOT NULL);"
    "CREATE TABLE event(id INTEGER PRIMARY KEY, start INTEGER NOT NULL, peak INTEGER,"
    " end INTEGER, severity INTEGER NOT NULL, score REAL, confidence REAL,"
    " alerted INTEGER NOT NULL, kind TEXT NOT NULL, pattern TEXT NOT NULL,"
    " reason TEXT NOT NULL, feedback TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX event_start ON event(start);"
    "CREATE TABLE deviation(event INTEGER, rank INTEGER, metric TEXT, value REAL,"
    " expected REAL, z REAL, explanation TEXT, factor TEXT,"
    " PRIMARY KEY(event, rank)) WITHOUT ROWID;"
    "CREATE TABLE suspect(event INTEGER, rank INTEGER, resource TEXT, before REAL,"
    " during REAL, share REAL, pid INTEGER, parent INTEGER, start_ticks INTEGER,"
    " uid INTEGER, threads INTEGER, state INTEGER, comm TEXT, command TEXT,"
    " cpu_percent REAL, rss_bytes REAL, pss_bytes REAL, read_bytes_s REAL,"
    " write_bytes_s REAL, gpu_percent REAL, gpu_bytes REAL,"
    " PRIMARY KEY(event, rank)) WITHOUT ROWID;"
    "CREATE TABLE moments(event INTEGER PRIMARY KEY, size INTEGER NOT NULL,"
    " bytes BLOB NOT NULL);"
    "CREATE TABLE feedback(id INTEGER PRIMARY KEY, time INTEGER NOT NULL,"
    " event INTEGER NOT NULL, feedback TEXT NOT NULL);",
    "CREATE TABLE outbox(receiver TEXT NOT NULL, event INTEGER NOT NULL,"
    " change INTEGER NOT NULL, queued INTEGER NOT NULL,"
    " PRIMARY KEY(receiver, event, change)) WITHOUT ROWID;",
};

enum vd_status store_db_failed(sqlite3 *db, const char *what, struct vd_error *err)
{
    enum vd_status status = VD_ERR_IO;
    int code = sqlite3_errcode(db) & 0xff;

    switch (code) {
    case SQLITE_FULL:
        return vd_error_set(err, VD_ERR_RETRY, "free some space on the disk",
                            "cannot %s: the disk is full", what);
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
        status = VD_ERR_RETRY;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        status = VD_ERR_FORMAT;
        break;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
        status = VD_ERR_DATA;
        break;
    default:
        break;
    }
    return vd_error_set(err, status, NULL, "cannot %s: %s", what, sqlite3_errmsg(db));
}

enum vd_status store_db_run(sqlite3 *db, const char *sql, struct vd_error *err)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return store_db_failed(db, "use the database", err);
    return VD_OK;
}

int64_t store_db_number(sqlite3 *db, const char *sql, int64_t fallback)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = fallback;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW &&
        sqlite3_column_type(statement, 0) != SQLITE_NULL)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

static void db_path(const struct store_config *config, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/" STORE_DB_FILE, config->dir);
}

void store_db_set_aside(const struct store_config *config, const char *why)
{
    static const char *const suffix[] = {"", "-wal", "-shm"};
    char path[PATH_MAX], date[32];
    time_t now = time(NULL);
    struct tm tm = {0};

    db_path(config, path);
    localtime_r(&now, &tm);
    strftime(date, sizeof date, "%Y%m%d-%H%M%S", &tm);
    for (size_t i = 0; i < 3; i++) {
        char from[PATH_MAX + 8], to[PATH_MAX + 64];

        snprintf(from, sizeof from, "%s%s", path, suffix[i]);
        snprintf(to, sizeof to, "%s.broken-%s%s", path, date, suffix[i]);
        if (rename(from, to) == 0 && i == 0)
            store_say(config, STORE_ERROR,
                      "the database is broken (%s): it is kept as %s, a new one begins",
                      why, to);
    }
}

static bool was_left_open(const char *path)
{
    char wal[PATH_MAX + 8];
    struct stat stat_of;

    snprintf(wal, sizeof wal, "%s-wal", path);
    return stat(wal, &stat_of) == 0 && stat_of.st_size > 0;
}

/* The database's own check of itself; what it complains about into the error. */
static enum vd_status check(sqlite3 *db, struct vd_error *err)
{
    sqlite3_stmt *statement = NULL;
    enum vd_status status = VD_OK;
    const char *text;

    if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL) !=
        SQLITE_OK)
        return store_db_failed(db, "check the database", err);
    if (sqlite3_step(statement) != SQLITE_ROW) {
        status = store_db_failed(db, "check the database", err);
    } else {
        text = (const char *)sqlite3_column_text(statement, 0);
        if (text == NULL || strcmp(text, "ok") != 0)
            status = vd_error_set(err, VD_ERR_FORMAT, NULL, "%s", text ? text : "?");
    }
    sqlite3_finalize(statement);
    return status;
}

static enum vd_status migrate(sqlite3 *db, struct vd_error *err)
{
    int64_t version = store_db_number(db, "PRAGMA user_version", -1);
    enum vd_status status = VD_OK;
    char sql[64];

    if (version < 0)
        return store_db_failed(db, "read the database", err);
    if (version > STORE_DB_VERSION)
        return vd_error_set(err, VD_ERR_VERSION,
                            "use that vedette, or give this one another data directory",
                            STORE_DB_FILE " was written by a newer vedette (format %lld, "
                                          "this one knows %d)",
                            (long long)version, STORE_DB_VERSION);
    for (; version < STORE_DB_VERSION && status == VD_OK; version++) {
        snprintf(sql, sizeof sql, "PRAGMA user_version=%d", (int)version + 1);
        status = store_db_run(db, "BEGIN IMMEDIATE", err);
        if (status == VD_OK)
            status = store_db_run(db, migration[version], err);
        if (status == VD_OK)
            status = store_db_run(db, sql, err);
        if (status == VD_OK)
            status = store_db_run(db, "COMMIT", err);
        if (status != VD_OK)
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return status;
}

static enum vd_status set_up(sqlite3 *db, bool suspicious, struct vd_error *err)
{
    enum vd_status status;

    /* auto_vacuum must come before the first table. Small caches: a tick touches a few
     * pages. */
    status = store_db_run(db,
                          "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
                          "PRAGMA synchronous=FULL; PRAGMA cache_size=-256;"
                          "PRAGMA journal_size_limit=4194304; PRAGMA temp_store=MEMORY;"
                          "PRAGMA wal_autocheckpoint=500",
                          err);
    if (status == VD_OK && suspicious)
        status = check(db, err);
    if (status == VD_OK)
        status = migrate(db, err);
    return status;
}

static enum vd_status open_once(sqlite3 **db, const struct store_config *config,
                                struct vd_error *err)
{
    char path[PATH_MAX];
    enum vd_status status;
    bool suspicious;

    db_path(config, path);
    suspicious = was_left_open(path);
    if (sqlite3_open_v2(path, db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK) {
        status = store_db_failed(*db, "open " STORE_DB_FILE, err);
    } else {
        sqlite3_extended_result_codes(*db, 1);
        sqlite3_busy_timeout(*db, 2000);
        status = set_up(*db, suspicious, err);
        if (status == VD_OK && suspicious)
            store_say(config, STORE_WARNING,
                      "the database was not closed last time; checked, it is in order");
    }
    if (status != VD_OK) {
        sqlite3_close(*db);
        *db = NULL;
    }
    return status;
}

enum vd_status store_db_open(sqlite3 **db, const struct store_config *config,
                             struct vd_error *err)
{
    struct vd_error first = {0};
    enum vd_status status = open_once(db, config, &first);

    if (status == VD_ERR_FORMAT) {
        store_db_set_aside(config, first.text);
        return open_once(db, config, err);
    }
    if (status != VD_OK && err != NULL && err->status == VD_OK)
        *err = first;
    return status;
}

enum vd_status store_db_open_readonly(sqlite3 **db, const char *path,
                                      struct vd_error *err)
{
    int code;

    *db = NULL;
    if (access(path, F_OK) != 0)
        return vd_error_set(err, VD_ERR_UNAVAILABLE, NULL, "there is no %s", path);
    code = sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(*db, 2000);
        code = sqlite3_exec(*db, "PRAGMA cache_size=-256", NULL, NULL, NULL);
    }
    if (code == SQLITE_OK &&
        store_db_number(*db, "PRAGMA user_version", -1) == STORE_DB_VERSION)
        return VD_OK;
    if (code == SQLITE_OK)
        vd_error_set(err, VD_ERR_VERSION, NULL, "%s has another format", path);
    else
        store_db_failed(*db, "open the database", err);
    sqlite3_close(*db);
    *db = NULL;
    return VD_ERR_IO;
}
