/* Lists /proc, which costs half a microsecond for each process of the machine, and only
 * when a process or thread began: /proc/loadavg says which number was given out last. Of
 * the numbers that were not there before, the parents are read. When numbers begin again
 * from below, each may have been given to another process, and all are read.
 */
#include "collect/tree_search.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "collect/loadavg.h"
#include "format/scan.h"

enum vd_status collect_tree_search_init(struct collect_tree_search *search,
                                        const char *root, struct vd_error *err)
{
    char path[COLLECT_PATH_MAX];

    *search =
        (struct collect_tree_search){.last_pid = NAN, .live = collect_root_is_live(root)};
    collect_file_init(&search->loadavg, root, "/proc/loadavg");
    collect_path(path, root, "/proc", NULL);
    search->folder = opendir(path);
    if (search->folder == NULL)
        return vd_error_set(err, VD_ERR_IO, NULL, "cannot list %s: %s", path,
                            strerror(errno));
    return VD_OK;
}

void collect_tree_search_release(struct collect_tree_search *search)
{
    if (search->folder != NULL)
        closedir(search->folder);
    collect_file_release(&search->loadavg);
    free(search->known);
    free(search->now);
    free(search->newborn);
}

/* Makes room in both lists of pids for one more. */
static bool make_room(struct collect_tree_search *search)
{
    size_t capacity = search->capacity == 0 ? 1024 : 2 * search->capacity;
    int *known, *now;

    if (search->n_now < search->capacity)
        return true;
    known = realloc(search->known, capacity * sizeof *known);
    if (known != NULL)
        search->known = known;
    now = realloc(search->now, capacity * sizeof *now);
    if (now != NULL)
        search->now = now;
    if (known == NULL || now == NULL)
        return false;
    search->capacity = capacity;
    return true;
}

static int by_number(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

/* Lists the numbers of all processes; the kernel gives them in order. */
static void list_all(struct collect_tree_search *search)
{
    struct dirent *entry;
    bool sorted = true;

    search->n_now = 0;
    rewinddir(search->folder);
    while ((entry = readdir(search->folder)) != NULL) {
        struct format_scan t = format_scan_of(entry->d_name, strlen(entry->d_name));
        uint64_t pid;

        if (!format_scan_u64(&t, &pid) || t.at != t.end || pid == 0 || pid > INT32_MAX)
            continue;
        if (!make_room(search))
            break;
        sorted =
            sorted && (search->n_now == 0 || search->now[search->n_now - 1] < (int)pid);
        search->now[search->n_now++] = (int)pid;
    }
    if (!sorted)
        qsort(search->now, search->n_now, sizeof *search->now, by_number);
}

static bool add_newborn(struct collect_tree_search *search, int pid, int parent)
{
    if (search->n_newborn == search->newborn_capacity) {
        size_t capacity =
            search->newborn_capacity == 0 ? 256 : 2 * search->newborn_capacity;
        struct collect_tree_newborn *at = realloc(search->newborn, capacity * sizeof *at);

        if (at == NULL)
            return false;
        search->newborn = at;
        search->newborn_capacity = capacity;
    }
    search->newborn[search->n_newborn++] = (struct collect_tree_newborn){pid, parent};
    return true;
}

/* Reads the parents of the numbers that are new. One that cannot be read has ended, or
 * there was no memory; it is left out of what is known. */
static void read_newborn(struct collect_tree_search *search,
                         struct collect_tree_proc *proc)
{
    size_t old = 0, kept = 0;

    for (size_t i = 0; i < search->n_now; i++) {
        int pid = search->now[i];
        struct collect_process_stat stat;

        while (old < search->n_known && search->known[old] < pid)
            old++;
        if ((old == search->n_known || search->known[old] != pid) &&
            (!collect_tree_stat(proc, pid, &stat) ||
             !add_newborn(search, pid, stat.parent)))
            continue;
        search->now[kept++] = pid;
    }
    search->n_now = kept;
}

/* Asks which number was given out last; NaN when nothing says. */
static double ask_last_pid(struct collect_tree_search *search,
                           struct collect_tree_proc *proc)
{
    struct collect_loadavg load = {.last_pid = NAN};

    if (search->live && collect_file_read(&search->loadavg, &proc->buffer, NULL) == VD_OK)
        collect_loadavg_parse(proc->buffer.at, proc->buffer.size, &load);
    return load.last_pid;
}

void collect_tree_search_look(struct collect_tree_search *search,
                              struct collect_tree_proc *proc)
{
    double last_pid = ask_last_pid(search, proc);
    int *before;

    search->n_newborn = 0;
    if (last_pid == search->last_pid)
        return;
    if (last_pid < search->last_pid)
        search->n_known = 0;
    search->last_pid = last_pid;
    list_all(search);
    before = search->known;
    read_newborn(search, proc);
    search->known = search->now;
    search->n_known = search->n_now;
    search->now = before;
}
