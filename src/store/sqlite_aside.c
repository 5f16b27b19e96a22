/* Databases that were set aside: renamed, with the date, and never used again. The last
 * few are kept for whoever wants to save something out of them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/sqlite.h"

#define ASIDE STORE_DB_FILE ".broken-"

/* Databases kept: each may be as large as the store may be. */
enum { KEPT = 3 };

/* The files of one database. They move together: a log beside another database would be
 * taken for that one's. */
static const char *const suffix[] = {"", "-wal", "-shm", "-journal"};

enum { SUFFIXES = sizeof suffix / sizeof suffix[0] };

static bool begins_with(const char *name, const char *begin)
{
    return strncmp(name, begin, strlen(begin)) == 0;
}

/* Makes a name that is not taken: "vedette.db.broken-20261121-031029", or with -1 ... -99
 * behind it. */
static void name_for_broken(const struct os_data_dir *dir, char name[96])
{
    char date[32];
    time_t now = time(NULL);
    struct tm tm = {0};

    localtime_r(&now, &tm);
    strftime(date, sizeof date, "%Y%m%d-%H%M%S", &tm);
    for (int k = 0; k < 100; k++) {
        snprintf(name, 96, ASIDE "%s%s%.0d", date, k == 0 ? "" : "-", k);
        if (faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
            return;
    }
}

/* Picks the databases that were set aside, without the files that belong to them. */
static int is_aside(const struct dirent *entry)
{
    const char *name = entry->d_name;

    for (size_t i = 1; i < SUFFIXES; i++)
        if (strlen(name) > strlen(suffix[i]) &&
            strcmp(name + strlen(name) - strlen(suffix[i]), suffix[i]) == 0)
            return 0;
    return begins_with(name, ASIDE);
}

/* Removes a database that was set aside, with its files. */
static void remove_aside(const struct store_config *config, const char *name)
{
    for (size_t i = 0; i < SUFFIXES; i++) {
        char file[NAME_MAX + 1];

        snprintf(file, sizeof file, "%.*s%s", NAME_MAX - 8, name, suffix[i]);
        if (unlinkat(config->folder->fd, file, 0) == 0 && i == 0)
            os_log_tell(&config->log, OS_LOG_WARNING,
                        "%s/%s is removed: the last %d databases that were set aside are "
                        "kept",
                        config->folder->path, name, KEPT);
    }
}

/* Removes what is more than KEPT, oldest first by their names. `newest` stays in any
 * case: its name may be old because the clock is wrong. */
static void limit(const struct store_config *config, const char *newest)
{
    struct dirent **entry = NULL;
    int n = scandirat(config->folder->fd, ".", &entry, is_aside, versionsort);

    for (int i = 0, left = n; i < n; i++) {
        if (left > KEPT && strcmp(entry[i]->d_name, newest) != 0) {
            remove_aside(config, entry[i]->d_name);
            left--;
        }
        free(entry[i]);
    }
    free(entry);
}

/* Renames the files one by one; those that are not there are passed over. */
void store_db_set_aside(const struct store_config *config, const char *why)
{
    int dir = config->folder->fd;
    char name[96];

    name_for_broken(config->folder, name);
    for (size_t i = 0; i < SUFFIXES; i++) {
        char from[32], to[128];

        snprintf(from, sizeof from, STORE_DB_FILE "%s", suffix[i]);
        snprintf(to, sizeof to, "%s%s", name, suffix[i]);
        if (renameat(dir, from, dir, to) == 0 && i == 0)
            os_log_tell(
                &config->log, OS_LOG_ERROR,
                "the database is broken (%s): it is kept as %s/%s, a new one begins", why,
                config->folder->path, name);
    }
    limit(config, name);
}

/* Looks for what an earlier database left: one that was set aside, or lines of alerts and
 * events, also in files that were set aside (alerts.DATE.jsonl). */
bool store_db_had_another(const struct os_data_dir *dir)
{
    struct dirent **entry = NULL;
    int n = scandirat(dir->fd, ".", &entry, NULL, NULL);
    bool found = false;

    for (int i = 0; i < n; i++) {
        const char *name = entry[i]->d_name;
        struct stat info;

        found |=
            begins_with(name, ASIDE) ||
            ((begins_with(name, "alerts.") || begins_with(name, "events.")) &&
             fstatat(dir->fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_size > 0);
        free(entry[i]);
    }
    free(entry);
    return found;
}
