/* Reading a data directory from outside: only SQLite itself opens the database file (a
 * plain open and close in the process of a writer would drop its locks).
 */
#include "store/inspect.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/lock.h"

static int64_t file_bytes(const char *dir, const char *name, int64_t *changed_ns)
{
    char path[PATH_MAX + 160];
    struct stat found;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (stat(path, &found) != 0 || !S_ISREG(found.st_mode))
        return -1;
    *changed_ns = (int64_t)found.st_mtim.tv_sec * 1000000000 + found.st_mtim.tv_nsec;
    return found.st_size;
}

static bool is_database(const char *name)
{
    return strcmp(name, STORE_DB_FILE) == 0 || strcmp(name, STORE_DB_FILE "-wal") == 0 ||
           strcmp(name, STORE_DB_FILE "-shm") == 0 || strcmp(name, "vedette.lock") == 0;
}

static enum vd_status list_files(const char *dir, const char *below,
                                 struct store_info *info, struct vd_error *err)
{
    struct dirent **entry = NULL;
    char path[PATH_MAX + 160];
    int n;

    snprintf(path, sizeof path, "%s/%s", dir, below);
    n = scandir(path, &entry, NULL, alphasort);
    if (n < 0)
        return vd_error_set(err, VD_ERR_IO, NULL, "cannot read %s: %s", path,
                            strerror(errno));
    for (int i = 0; i < n; i++) {
        struct store_file_info *file = &info->file[info->n_files];
        const char *name = entry[i]->d_name;

        if (info->n_files < STORE_INSPECT_FILES && !is_database(name) &&
            snprintf(file->name, sizeof file->name, "%s%s", below, name) <
                (int)sizeof file->name) {
            file->bytes = file_bytes(dir, file->name, &file->changed_ns);
            info->n_files += file->bytes >= 0;
        }
        free(entry[i]);
    }
    free(entry);
    return VD_OK;
}

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

enum vd_status store_info_read(const char *dir, struct store_info *info,
                               struct vd_error *err)
{
    char path[PATH_MAX + 16];
    enum vd_status status;
    sqlite3 *db = NULL;
    int64_t changed;

    *info = (struct store_info){.owner = store_lock_owner(dir)};
    status = list_files(dir, "", info, err);
    if (status != VD_OK)
        return status;
    list_files(dir, "models/", info, NULL);
    info->database_bytes = file_bytes(dir, STORE_DB_FILE, &changed);
    info->log_bytes = file_bytes(dir, STORE_DB_FILE "-wal", &changed);
    if (info->log_bytes < 0)
        info->log_bytes = 0;
    info->has_database = info->database_bytes >= 0;
    if (!info->has_database)
        return VD_OK;
    snprintf(path, sizeof path, "%s/" STORE_DB_FILE, dir);
    status = store_db_open_readonly(&db, path, err);
    if (status == VD_OK)
        count(db, info);
    sqlite3_close(db);
    return status;
}

void store_reader_open(struct store_reader *reader, const char *dir)
{
    *reader = (struct store_reader){.interval_s = 1};
    snprintf(reader->path, sizeof reader->path, "%.*s/" STORE_DB_FILE,
             (int)(sizeof reader->path - sizeof STORE_DB_FILE - 2), dir);
}

/* ---- feedback ---- */

enum vd_status store_feedback_keep(const char *dir, int64_t event_id,
                                   const char *feedback, int64_t now_ns,
                                   struct vd_error *err)
{
    struct store_config config = store_config_default();
    enum vd_status status;
    sqlite3 *db = NULL;
    int fd = -1;

    config.dir = dir;
    status = store_lock_take(dir, &fd, err);
    if (status == VD_OK)
        status = store_db_open(&db, &config, err);
    if (status == VD_OK)
        status = store_db_run(db, "BEGIN", err);
    if (status == VD_OK)
        status = store_feedback_write(db, event_id, now_ns, feedback, err);
    if (status == VD_OK && sqlite3_changes(db) == 0)
        status = vd_error_set(err, VD_ERR_DATA, NULL, "there is no event %lld",
                              (long long)event_id);
    if (status == VD_OK)
        status = store_db_run(db, "COMMIT", err);
    sqlite3_close(db);
    store_lock_release(fd);
    return status;
}

/* ---- clean ---- */

/* The clock may be ahead, and the store knows no better than its rows. */
static int64_t oldest_of(int64_t now_ns, int64_t believed_ns)
{
    return believed_ns != 0 && believed_ns < now_ns ? believed_ns : now_ns;
}

enum vd_status store_clean(const struct store_config *config, bool dry_run,
                           int64_t now_ns, struct store_trim *trim, struct vd_error *err)
{
    char path[PATH_MAX + 16];
    enum vd_status status;
    sqlite3 *db = NULL;
    bool more = true;
    int fd = -1;

    *trim = (struct store_trim){.events = 0};
    snprintf(path, sizeof path, "%s/" STORE_DB_FILE, config->dir);
    status = store_db_open_readonly(&db, path, err);
    if (status != VD_OK)
        return status;
    now_ns = oldest_of(now_ns, store_believed(db).time_ns);
    if (dry_run) {
        store_trim_count(db, config, now_ns, trim);
        sqlite3_close(db);
        return VD_OK;
    }
    sqlite3_close(db);
    db = NULL;
    status = store_lock_take(config->dir, &fd, err);
    if (status == VD_OK)
        status = store_db_open(&db, config, err);
    while (status == VD_OK && more)
        status = store_trim_slice(db, config, now_ns, 10000, trim, &more, err);
    if (status == VD_OK)
        status = store_layout_sweep(db, err);
    if (status == VD_OK)
        status = store_db_run(db, "PRAGMA incremental_vacuum", err);
    sqlite3_close(db);
    store_lock_release(fd);
    return status;
}
