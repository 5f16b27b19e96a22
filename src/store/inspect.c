/* Reading a data directory from outside: only SQLite itself opens the database file (a
 * plain open and close in the process of a writer would drop its locks).
 */
#include "store/inspect.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "os/clock.h"
#include "store/lock.h"

/* Returns the size of a file in bytes, -1 when it is no file of ours. */
static int64_t file_bytes(const struct os_data_dir *dir, const char *name,
                          int64_t *changed_ns)
{
    struct stat found;

    if (os_data_dir_look(dir, name, &found, NULL) != VD_OK)
        return -1;
    *changed_ns = (int64_t)found.st_mtim.tv_sec * 1000000000 + found.st_mtim.tv_nsec;
    return found.st_size;
}

/* Knows the files of the database and its lock, which are counted by themselves. */
static bool is_database(const char *name)
{
    return strcmp(name, STORE_DB_FILE) == 0 || strcmp(name, STORE_DB_FILE "-wal") == 0 ||
           strcmp(name, STORE_DB_FILE "-shm") == 0 || strcmp(name, "vedette.lock") == 0;
}

/* Adds the files of `dir` under the names `below` + name. */
static enum vd_status list_files(const struct os_data_dir *dir, const char *below,
                                 struct store_info *info, struct vd_error *err)
{
    struct dirent **entry = NULL;
    int n = scandirat(dir->fd, ".", &entry, NULL, alphasort);

    if (n < 0)
        return vd_error_set(err, VD_ERR_IO, NULL, "cannot read %s: %s", dir->path,
                            strerror(errno));
    for (int i = 0; i < n; i++) {
        struct store_file_info *file = &info->file[info->n_files];
        const char *name = entry[i]->d_name;

        if (info->n_files < STORE_INSPECT_FILES && !is_database(name) &&
            snprintf(file->name, sizeof file->name, "%s%s", below, name) <
                (int)sizeof file->name) {
            file->bytes = file_bytes(dir, name, &file->changed_ns);
            info->n_files += file->bytes >= 0;
        }
        free(entry[i]);
    }
    free(entry);
    return VD_OK;
}

/* Adds the models. That there are none, or that they cannot be read, is no failure. */
static void list_models(const struct os_data_dir *dir, struct store_info *info)
{
    struct os_data_dir models;

    if (os_data_dir_below(&models, dir, "models", NULL) == VD_OK)
        list_files(&models, "models/", info, NULL);
    os_data_dir_close(&models);
}

/* Counts the rows of all tables: a few seconds for a database of gigabytes. */
static void count(sqlite3 *db, struct store_info *info)
{
    info->unused_bytes = store_db_number(db, "PRAGMA freelist_count", 0) *
                         store_db_number(db, "PRAGMA page_size", 0);
    for (int tier = STORE_RAW; tier < STORE_TIERS; tier++) {
        char sql[96];

        sqlite3_snprintf(sizeof sql, sql, "SELECT count(*) FROM %s",
                         store_tier_table[tier]);
        info->tier[tier].rows = store_db_number(db, sql, 0);
        sqlite3_snprintf(sizeof sql, sql, "SELECT min(time) FROM %s",
                         store_tier_table[tier]);
        info->tier[tier].first_ns = store_db_number(db, sql, 0);
        sqlite3_snprintf(sizeof sql, sql, "SELECT max(time) FROM %s",
                         store_tier_table[tier]);
        info->tier[tier].last_ns = store_db_number(db, sql, 0);
    }
    info->metrics = store_db_number(db, "SELECT count(*) FROM metric", 0);
    info->events = store_db_number(db, "SELECT count(*) FROM event", 0);
    info->alerted = store_db_number(db, "SELECT count(*) FROM event WHERE alerted", 0);
    info->feedback =
        store_db_number(db, "SELECT count(*) FROM event WHERE feedback<>''", 0);
    info->recorders = store_db_number(db, "SELECT count(*) FROM moments", 0);
}

/* Fills in what is known. The files stand in it even when the database cannot be opened,
 * which is when people look at them. */
static enum vd_status read_info(const struct os_data_dir *dir, struct store_info *info,
                                struct vd_error *err)
{
    enum vd_status status;
    sqlite3 *db = NULL;
    int64_t changed;

    *info = (struct store_info){.owner = store_lock_owner(dir, NULL, 0)};
    status = list_files(dir, "", info, err);
    if (status != VD_OK)
        return status;
    list_models(dir, info);
    info->database_bytes = file_bytes(dir, STORE_DB_FILE, &changed);
    info->log_bytes = file_bytes(dir, STORE_DB_FILE "-wal", &changed);
    if (info->log_bytes < 0)
        info->log_bytes = 0;
    info->has_database = os_data_dir_look(dir, STORE_DB_FILE, NULL, NULL) != VD_ERR_DATA;
    if (!info->has_database)
        return VD_OK;
    status = store_db_open_readonly(&db, dir, err);
    if (status == VD_OK)
        count(db, info);
    sqlite3_close(db);
    return status;
}

enum vd_status store_info_read(const char *path, struct store_info *info,
                               struct vd_error *err)
{
    struct os_data_dir dir;
    enum vd_status status = os_data_dir_open(&dir, path, OS_DATA_DIR_READ, err);

    *info = (struct store_info){.owner = 0};
    if (status == VD_OK)
        status = read_info(&dir, info, err);
    os_data_dir_close(&dir);
    return status;
}

enum vd_status store_reader_open(struct store_reader *reader, const char *dir,
                                 struct vd_error *err)
{
    *reader = (struct store_reader){.interval_s = 1};
    reader->dir = &reader->own;
    return os_data_dir_open(&reader->own, dir, OS_DATA_DIR_READ, err);
}

void store_reader_close(struct store_reader *reader)
{
    os_data_dir_close(&reader->own);
}

/* ---- a directory that nobody uses, for ourselves ---- */

/* A data directory that this program has for itself. */
struct alone {
    struct os_data_dir dir;
    struct store_config config;
    sqlite3 *db;
    int lock;
};

/* Takes the directory for this program alone and opens its database. What was taken is
 * given back by the caller, after a failure as well. */
static enum vd_status take(struct alone *a, const struct store_config *config,
                           struct vd_error *err)
{
    enum vd_status status;

    *a = (struct alone){.config = *config, .lock = -1};
    status = os_data_dir_open(&a->dir, config->dir, OS_DATA_DIR_WRITE, err);
    a->config.folder = &a->dir;
    if (status == VD_OK)
        status = store_lock_take(&a->dir, &a->lock, err);
    if (status == VD_OK)
        status = store_db_open(&a->db, &a->config, err);
    return status;
}

/* Undoes as much of `take` as was done. */
static void give_back(struct alone *a)
{
    sqlite3_close(a->db);
    store_lock_release(a->lock);
    os_data_dir_close(&a->dir);
}

/* ---- feedback ---- */

/* Is for a directory that no running program has; one that runs takes feedback itself. */
enum vd_status store_feedback_keep(const char *dir, int64_t event_id,
                                   const char *feedback, int64_t now_ns,
                                   struct vd_error *err)
{
    struct store_config config = store_config_default();
    enum vd_status status;
    struct alone a;

    config.dir = dir;
    status = take(&a, &config, err);
    if (status == VD_OK)
        status = store_db_run(a.db, "BEGIN", err);
    if (status == VD_OK)
        status = store_feedback_write(a.db, event_id, now_ns, feedback, err);
    if (status == VD_OK && sqlite3_changes(a.db) == 0)
        status = vd_error_set(err, VD_ERR_DATA, NULL, "there is no event %lld",
                              (long long)event_id);
    if (status == VD_OK)
        status = store_db_run(a.db, "COMMIT", err);
    give_back(&a);
    return status;
}

/* ---- clean ---- */

/* Warns before anything is deleted by a time that is not the clock's. */
static void say_what_is_believed(const struct store_config *config, int64_t time_ns)
{
    char text[OS_CLOCK_TEXT];

    os_log_tell(&config->log, OS_LOG_WARNING,
                "ages count from %s: the rows after it do not last as long as the gap "
                "before them, so the clock may be ahead; --now overrules that",
                os_clock_text(time_ns, text));
}

/* Returns the time by which ages count. It is the clock's, unless the clock is where rows
 * are that are not believed: then it may be ahead for a while, and would delete too much.
 * A store whose rows are all of the past has nothing against the clock. */
static int64_t find_time(sqlite3 *db, const struct store_config *config)
{
    int64_t believed_ns = store_believed(db).time_ns, now_ns = os_clock_wall_ns();
    char sql[80];

    sqlite3_snprintf(sizeof sql, sql, "SELECT min(time) FROM sample WHERE time > %lld",
                     (long long)believed_ns);
    if (now_ns < store_db_number(db, sql, INT64_MAX))
        return now_ns;
    say_what_is_believed(config, believed_ns);
    return believed_ns;
}

/* Counts what a cleaning would delete, without changing anything. A `*now_ns` of 0
 * becomes what is believed to be the time. */
static enum vd_status count_only(const struct store_config *config, int64_t *now_ns,
                                 struct store_trim *trim, struct vd_error *err)
{
    struct os_data_dir dir;
    enum vd_status status = os_data_dir_open(&dir, config->dir, OS_DATA_DIR_READ, err);
    sqlite3 *db = NULL;

    if (status == VD_OK)
        status = store_db_open_readonly(&db, &dir, err);
    if (status == VD_OK) {
        if (*now_ns == 0)
            *now_ns = find_time(db, config);
        store_trim_count(db, config, *now_ns, trim);
    }
    sqlite3_close(db);
    os_data_dir_close(&dir);
    return status;
}

enum vd_status store_clean(const struct store_config *config, bool dry_run,
                           int64_t now_ns, struct store_trim *trim, struct vd_error *err)
{
    enum vd_status status;
    struct alone a;
    bool more = true;

    /* Where there is no database none is made to be cleaned. */
    *trim = (struct store_trim){.events = 0};
    status = count_only(config, &now_ns, trim, err);
    if (status != VD_OK || dry_run)
        return status;
    *trim = (struct store_trim){.events = 0};
    status = take(&a, config, err);
    /* Each slice is a transaction, which keeps the log beside the database small. */
    while (status == VD_OK && more)
        status = store_trim_slice(a.db, &a.config, now_ns, 10000, trim, &more, err);
    if (status == VD_OK)
        status = store_layout_sweep(a.db, err);
    if (status == VD_OK)
        status = store_db_run(a.db, "PRAGMA incremental_vacuum", err);
    give_back(&a);
    return status;
}
