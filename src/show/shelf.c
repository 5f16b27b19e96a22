/* Keeps a list, newest first, and counts what its files take. Nothing here is read back
 * but the lines of the list, which are checked to be JSON. */
#include "show/shelf.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "os/log.h"

enum { ITEM_MAX = 64 << 10 }; /* bytes of a line in the list */

/* What is left free on the disk, whatever the bound says. */
static const uint64_t FREE_LEAST = 64 << 20;

static const char *const endings[] = {"item", "result", "report",
                                      "csv",  "scores", "table"};

char *show_shelf_file(const char *id, const char *ending, char name[SHOW_ID_SIZE + 8])
{
    snprintf(name, SHOW_ID_SIZE + 8, "%s.%s", id, ending);
    return name;
}

struct show_entry *show_shelf_find(const struct show_shelf *shelf, const char *id)
{
    struct show_entry *entry = shelf->newest;

    while (entry != NULL && strcmp(entry->id, id) != 0)
        entry = entry->next;
    return entry;
}

/* Puts it where its time belongs: a run reads its folder in any order. */
struct show_entry *show_shelf_add(struct show_shelf *shelf, const char *id,
                                  int64_t time_ns)
{
    struct show_entry *entry = calloc(1, sizeof *entry), **at = &shelf->newest;

    if (entry == NULL)
        return NULL;
    snprintf(entry->id, sizeof entry->id, "%s", id);
    entry->time_ns = time_ns;
    while (*at != NULL && (*at)->time_ns > time_ns)
        at = &(*at)->next;
    entry->next = *at;
    *at = entry;
    shelf->n++;
    return entry;
}

static void free_entry(struct show_entry *entry)
{
    show_json_release(&entry->facts);
    show_json_release(&entry->item);
    show_json_release(&entry->made);
    free(entry);
}

void show_shelf_remove(struct show_shelf *shelf, struct show_entry *entry)
{
    struct show_entry **at = &shelf->newest;
    char name[SHOW_ID_SIZE + 8];

    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    shelf->n--;
    shelf->bytes -= entry->bytes;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        unlinkat(shelf->folder.fd, show_shelf_file(entry->id, endings[i], name), 0);
    free_entry(entry);
}

void show_shelf_weigh(struct show_shelf *shelf, struct show_entry *entry)
{
    char name[SHOW_ID_SIZE + 8];
    struct stat info;

    shelf->bytes -= entry->bytes;
    entry->bytes = 0;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (fstatat(shelf->folder.fd, show_shelf_file(entry->id, endings[i], name), &info,
                    AT_SYMLINK_NOFOLLOW) == 0)
            entry->bytes += (uint64_t)info.st_size;
    shelf->bytes += entry->bytes;
}

/* ---- what earlier runs left ---- */

/* Reads a line of the list. What is no JSON object is no line. */
static bool read_item(const struct show_shelf *shelf, struct show_entry *entry,
                      const char *name)
{
    char *text = malloc(ITEM_MAX);
    int fd = os_data_dir_file(&shelf->folder, name, O_RDONLY, NULL);
    ssize_t n = text == NULL || fd < 0 ? -1 : read(fd, text, ITEM_MAX);
    json_t *object = n <= 0 ? NULL : json_loadb(text, (size_t)n, 0, NULL);
    bool good = json_is_object(object) && json_is_string(json_object_get(object, "id"));

    if (good) {
        const char *state = json_string_value(json_object_get(object, "state"));

        entry->state = state != NULL && strcmp(state, "done") == 0 ? SHOW_ENTRY_DONE
                                                                   : SHOW_ENTRY_FAILED;
        snprintf(entry->title, sizeof entry->title, "%s",
                 json_string_value(json_object_get(object, "name")) == NULL
                     ? ""
                     : json_string_value(json_object_get(object, "name")));
        show_json_append(&entry->item, text, (size_t)n);
    }
    json_decref(object);
    if (fd >= 0)
        close(fd);
    free(text);
    return good && !entry->item.failed;
}

/* Tells whether the name is an id of ours and an ending; copies the id. */
static bool take_name(const char *name, char id[SHOW_ID_SIZE], const char **ending)
{
    if (strspn(name, "0123456789abcdef") != SHOW_ID_SIZE - 1 ||
        name[SHOW_ID_SIZE - 1] != '.')
        return false;
    memcpy(id, name, SHOW_ID_SIZE - 1);
    id[SHOW_ID_SIZE - 1] = '\0';
    *ending = name + SHOW_ID_SIZE;
    return true;
}

/* Takes in one line of the list. */
static void take_item(struct show_shelf *shelf, const char *id, const char *name)
{
    struct stat info;
    struct show_entry *entry;

    if (os_data_dir_look(&shelf->folder, name, &info, NULL) != VD_OK)
        return;
    entry = show_shelf_add(
        shelf, id, (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec);
    if (entry == NULL)
        return;
    if (read_item(shelf, entry, name))
        show_shelf_weigh(shelf, entry);
    else
        show_shelf_remove(shelf, entry);
}

/* Removes what belongs to no line of the list: an upload or an analysis that was cut off.
 * Files with other names are not ours. */
static void remove_stray(struct show_shelf *shelf, const char *name)
{
    char id[SHOW_ID_SIZE];
    const char *ending, *dot = strrchr(name, '.');
    bool part = dot != NULL && strcmp(dot, ".part") == 0 && dot > name &&
                strspn(name, "0123456789") == (size_t)(dot - name);

    if (part || (take_name(name, id, &ending) && show_shelf_find(shelf, id) == NULL))
        unlinkat(shelf->folder.fd, name, 0);
}

/* Goes through the folder: first the lines of the list, then what is left over. */
static void look_through(struct show_shelf *shelf, bool strays)
{
    int fd = openat(shelf->folder.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *open = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *found;
    char id[SHOW_ID_SIZE];
    const char *ending;

    while (open != NULL && (found = readdir(open)) != NULL) {
        if (strays)
            remove_stray(shelf, found->d_name);
        else if (take_name(found->d_name, id, &ending) && strcmp(ending, "item") == 0)
            take_item(shelf, id, found->d_name);
    }
    if (open != NULL)
        closedir(open);
    else if (fd >= 0)
        close(fd);
}

enum vd_status show_shelf_open(struct show_shelf *shelf, const struct os_data_dir *data,
                               uint64_t bytes_max, struct vd_error *err)
{
    enum vd_status status;

    *shelf = (struct show_shelf){.folder = OS_DATA_DIR_CLOSED, .bytes_max = bytes_max};
    status = os_data_dir_below(&shelf->folder, data, "analyses", err);
    if (status != VD_OK)
        return status;
    look_through(shelf, false);
    look_through(shelf, true);
    return VD_OK;
}

void show_shelf_close(struct show_shelf *shelf)
{
    struct show_entry *next;

    for (struct show_entry *entry = shelf->newest; entry != NULL; entry = next) {
        next = entry->next;
        free_entry(entry);
    }
    os_data_dir_close(&shelf->folder);
    *shelf = (struct show_shelf){.folder = OS_DATA_DIR_CLOSED};
}

/* ---- room ---- */

/* Finds the oldest that is over; NULL when there is none. */
static struct show_entry *oldest(const struct show_shelf *shelf)
{
    struct show_entry *found = NULL;

    for (struct show_entry *entry = shelf->newest; entry != NULL; entry = entry->next)
        if (entry->state >= SHOW_ENTRY_DONE && !entry->deleted)
            found = entry;
    return found;
}

/* Tells whether so many bytes fit within the bound and on the disk. */
static bool fits(const struct show_shelf *shelf, uint64_t bytes)
{
    struct statvfs disk;

    if (shelf->n >= SHOW_SHELF_MAX || bytes > shelf->bytes_max ||
        shelf->bytes > shelf->bytes_max - bytes)
        return false;
    return fstatvfs(shelf->folder.fd, &disk) != 0 ||
           (uint64_t)disk.f_bavail * disk.f_frsize >= bytes + FREE_LEAST;
}

bool show_shelf_make_room(struct show_shelf *shelf, uint64_t bytes)
{
    struct show_entry *entry;

    if (bytes > shelf->bytes_max)
        return false; /* nothing would be gained by removing what is there */
    while (!fits(shelf, bytes)) {
        entry = oldest(shelf);
        if (entry == NULL)
            return false;
        os_log_record(OS_LOG_INFO, "the analysis %s was removed to make room", entry->id);
        show_shelf_remove(shelf, entry);
    }
    return true;
}
