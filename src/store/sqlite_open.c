/* Opening the database: first what is there is looked at, then it is set up.
 *
 * WAL with synchronous=FULL: a committed row is on the disk. A writer that closes in
 * order leaves no -wal file, so a -wal with something in it means a crash, and the
 * database is checked whole before it is trusted again. After an orderly end the check
 * gets a second, so that a large one does not delay the start; what it did not come to is
 * met later, and the writer deals with damage whenever it is met. What is damaged is
 * renamed, never deleted.
 */
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const double CHECK_SECONDS = 1;

/* The smallest page; SQLite would take less for a new database. */
enum { LEAST_BYTES = 512 };

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
    ("ALTER TABLE suspect ADD COLUMN swap_bytes REAL;"
     "ALTER TABLE suspect ADD COLUMN major_faults_s REAL;"),
    ("ALTER TABLE event ADD COLUMN note TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE event ADD COLUMN rule TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE event ADD COLUMN limit_above INTEGER;"
     "ALTER TABLE event ADD COLUMN limit_value REAL;"
     "ALTER TABLE event ADD COLUMN limit_for REAL;"
     "ALTER TABLE event ADD COLUMN limit_since INTEGER;"
     "ALTER TABLE suspect ADD COLUMN of_use INTEGER NOT NULL DEFAULT 0;"),
};

/* Sorts SQLite's errors by what can be done: wait (VD_ERR_RETRY), set the file aside
 * (VD_ERR_FORMAT), drop the one row (VD_ERR_DATA), or give up. */
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

/* Takes any failure for "no number": callers ask for what an older database may lack. */
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

/* Tells whether the last writer ended without closing the database. */
static bool was_left_open(const struct os_data_dir *dir)
{
    struct stat log;

    return os_data_dir_look(dir, STORE_DB_FILE "-wal", &log, NULL) == VD_OK &&
           log.st_size > 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The log is made with the first write, so a file that was not there yet is noted when it
 * comes; one that was there and is another now has been replaced. */
bool store_db_is_in_place(const struct os_data_dir *dir, struct store_db_files *mark)
{
    static const char *const name[] = {STORE_DB_FILE, STORE_DB_FILE "-wal"};

    for (size_t i = 0; i < 2; i++) {
        struct stat now;

        if (os_data_dir_look(dir, name[i], &now, NULL) != VD_OK) {
            if (mark->file[i].st_ino != 0)
                return false;
        } else if (mark->file[i].st_ino == 0) {
            mark->file[i] = now;
        } else if (!is_same(&mark->file[i], &now)) {
            return false;
        }
    }
    return true;
}

/* Each step is a transaction with its version: after a crash the next start goes on with
 * the step that did not end. */
enum vd_status store_db_migrate(sqlite3 *db, int64_t version, int64_t until,
                                struct vd_error *err)
{
    enum vd_status status = VD_OK;
    char sql[64];

    for (; version < until && status == VD_OK; version++) {
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

/* Checks the tables and pages, sets how the database is to work, and brings it to this
 * version. One that was not closed is checked whole. */
static enum vd_status set_up(sqlite3 *db, bool suspicious, struct vd_error *err)
{
    enum vd_status status;
    int64_t version = 0;

    status = store_db_check_schema(db, &version, err);
    if (status == VD_OK && version > 0)
        status = store_db_check_pages(db, suspicious ? 0 : CHECK_SECONDS, err);
    /* auto_vacuum must come before the first table. Small caches: a tick touches a few
     * pages. */
    if (status == VD_OK)
        status =
            store_db_run(db,
                         "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
                         "PRAGMA synchronous=FULL; PRAGMA cache_size=-256;"
                         "PRAGMA journal_size_limit=4194304; PRAGMA temp_store=MEMORY;"
                         "PRAGMA wal_autocheckpoint=500",
                         err);
    if (status == VD_OK)
        status = store_db_migrate(db, version, STORE_DB_VERSION, err);
    return status;
}

/* Makes the file with mode 0600, since SQLite would make it with whatever the umask
 * leaves, and takes it away from others where it exists. Command lines stand in it, which
 * may hold secrets. */
static enum vd_status make_file(const struct os_data_dir *dir, struct vd_error *err)
{
    struct stat info;
    int fd;

    switch (os_data_dir_look(dir, STORE_DB_FILE, &info, NULL)) {
    case VD_OK:
        if (info.st_size > 0 && info.st_size < LEAST_BYTES)
            return vd_error_set(err, VD_ERR_FORMAT, NULL, "it is cut short");
        if ((info.st_mode & 077) != 0 && fchmodat(dir->fd, STORE_DB_FILE, 0600, 0) != 0)
            return vd_error_set(err, VD_ERR_IO, NULL, "others can read it: chmod: %s",
                                strerror(errno));
        return VD_OK;
    case VD_ERR_DATA:
        break;
    default:
        return VD_OK; /* the open says why not */
    }
    fd = os_data_dir_file(dir, STORE_DB_FILE, O_RDWR | O_CREAT | O_EXCL, err);
    if (fd < 0)
        return errno == ENOSPC || errno == EDQUOT || errno == EMFILE || errno == ENFILE
                   ? VD_ERR_RETRY
                   : VD_ERR_IO;
    close(fd);
    return VD_OK;
}

/* Connects through the descriptor of the directory, with the limits for data from
 * outside. */
static enum vd_status connect_to(sqlite3 **db, const struct os_data_dir *dir, int flags,
                                 const char *what, struct vd_error *err)
{
    char path[96];

    os_data_dir_path(dir, STORE_DB_FILE, path, sizeof path);
    if (sqlite3_open_v2(path, db, flags | SQLITE_OPEN_NOMUTEX, store_db_access()) !=
        SQLITE_OK)
        return store_db_failed(*db, what, err);
    sqlite3_extended_result_codes(*db, 1);
    /* Milliseconds: a checkpoint or a recovery by another connection may take a moment.
     */
    sqlite3_busy_timeout(*db, 2000);
    store_db_harden(*db);
    return VD_OK;
}

/* Opens the database or makes it; *db is NULL after a failure. */
static enum vd_status open_once(sqlite3 **db, const struct store_config *config,
                                struct vd_error *err)
{
    const struct os_data_dir *dir = config->folder;
    bool suspicious = was_left_open(dir);
    enum vd_status status;

    *db = NULL;
    status = store_db_check_files(dir, err);
    if (status == VD_OK)
        status = make_file(dir, err);
    if (status == VD_OK)
        status = connect_to(db, dir, SQLITE_OPEN_READWRITE, "open " STORE_DB_FILE, err);
    if (status == VD_OK)
        status = set_up(*db, suspicious, err);
    if (status == VD_OK && suspicious)
        os_log_tell(&config->log, OS_LOG_WARNING,
                    "the database was not closed last time; checked, it is in order");
    if (status != VD_OK) {
        sqlite3_close(*db);
        *db = NULL;
    }
    return status;
}

/* Tries a second time only after the first file was set aside; the second one is new. */
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

/* Does not check the pages, which would take too long for each question: readers tell the
 * writer of the damage that they meet. */
enum vd_status store_db_open_readonly(sqlite3 **db, const struct os_data_dir *dir,
                                      struct vd_error *err)
{
    enum vd_status status;
    int64_t version = 0;

    *db = NULL;
    if (os_data_dir_look(dir, STORE_DB_FILE, NULL, NULL) == VD_ERR_DATA)
        return vd_error_set(err, VD_ERR_UNAVAILABLE, NULL,
                            "there is no %s/" STORE_DB_FILE, dir->path);
    status = store_db_check_files(dir, err);
    if (status == VD_OK)
        status = connect_to(db, dir, SQLITE_OPEN_READONLY, "open the database", err);
    if (status == VD_OK)
        status = store_db_run(*db, "PRAGMA cache_size=-256", err);
    if (status == VD_OK)
        status = store_db_check_schema(*db, &version, err);
    if (status == VD_OK && version == 0)
        status = vd_error_set(err, VD_ERR_UNAVAILABLE, NULL,
                              "%s/" STORE_DB_FILE " is empty", dir->path);
    if (status != VD_OK) {
        sqlite3_close(*db);
        *db = NULL;
    }
    return status;
}
