/* Listing /proc takes the kernel up to a microsecond for each process, and a desktop
 * starts some process in nearly every second. But pids are given out in order, and
 * /proc/loadavg says which was last: so only those since the update before are looked up.
 * They may be threads, which have folders in /proc as well, though none that a listing
 * shows; `Tgid` tells. All of /proc is listed when too many pids were given out, when the
 * numbers began again, and now and then in any case.
 */
#include "collect/process_list.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/loadavg.h"
#include "format/scan.h"

enum {
    LIST_EVERY = 16, /* updates after which all of /proc is listed */
    /* So many pids are looked up one by one, and one more for each LISTED_FOR_ONE
     * processes that there are: beyond that a listing is cheaper. */
    LOOK_UP_MIN = 32,
    LISTED_FOR_ONE = 16
};

enum vd_status collect_process_list_init(struct collect_process_list *list,
                                         const char *root)
{
    *list = (struct collect_process_list){.last_pid = NAN};
    collect_file_init(&list->loadavg, root, "/proc/loadavg");
    list->recorded = !list->loadavg.keep;
    collect_path(list->proc, root, "/proc", NULL);
    list->pid = malloc(COLLECT_PROCESSES_MAX * sizeof *list->pid);
    return list->pid == NULL ? VD_ERR_MEMORY : VD_OK;
}

static int by_number(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

/* Returns the pid that a folder of /proc is named by; 0 for all other names. */
static int pid_of(const char *name)
{
    struct format_scan t = format_scan_of(name, strlen(name));
    uint64_t pid;

    return format_scan_u64(&t, &pid) && t.at == t.end && pid > 0 && pid <= INT32_MAX
               ? (int)pid
               : 0;
}

/* Opens /proc, or goes back to its beginning: the open folder is also where files of
 * processes are looked up. A recorded tree may change as a whole and is opened anew. */
static enum vd_status open_folder(struct collect_process_list *list, struct vd_error *err)
{
    if (list->folder != NULL && list->recorded) {
        closedir(list->folder);
        list->folder = NULL;
    }
    if (list->folder == NULL)
        list->folder = opendir(list->proc);
    else
        rewinddir(list->folder);
    if (list->folder == NULL)
        return vd_error_set(err, VD_ERR_IO, NULL, "cannot list %s: %s", list->proc,
                            strerror(errno));
    return VD_OK;
}

/* Lists all of /proc. The kernel gives pids in order; a recorded tree need not, hence the
 * sorting. */
static enum vd_status list_all(struct collect_process_list *list,
                               struct collect_process_table *table, struct vd_error *err)
{
    enum vd_status status = open_folder(list, err);
    struct dirent *entry;
    bool sorted = true;
    size_t n = 0;

    if (status != VD_OK)
        return status;
    list->dropped = 0;
    while ((entry = readdir(list->folder)) != NULL) {
        int pid = pid_of(entry->d_name);

        if (pid == 0)
            continue;
        if (n == COLLECT_PROCESSES_MAX) {
            list->dropped++;
            continue;
        }
        sorted = sorted && (n == 0 || list->pid[n - 1] < pid);
        list->pid[n++] = pid;
    }
    if (!sorted)
        qsort(list->pid, n, sizeof *list->pid, by_number);
    collect_process_table_update(table, list->pid, n);
    list->dropped += table->dropped;
    return VD_OK;
}

/* Tells whether the pid is that of a process. A thread belongs to another group (Tgid):
 * Name:   bash
 * Umask:  0022
 * State:  S (sleeping)
 * Tgid:   4163 */
static bool is_process(const struct collect_process_list *list, int pid)
{
    char path[32], text[512];
    struct format_scan t;
    uint64_t group = 0;
    ssize_t got = -1;
    int fd;

    snprintf(path, sizeof path, "%d/status", pid);
    fd = openat(dirfd(list->folder), path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    do
        got = read(fd, text, sizeof text);
    while (got < 0 && errno == EINTR);
    close(fd);
    if (got <= 0)
        return false;
    t = format_scan_of(text, (size_t)got);
    /* A name cannot begin a line of its own: the kernel writes its newlines as "\n". */
    while (!format_scan_skip(&t, "Tgid:"))
        if (!format_scan_next_line(&t))
            return false;
    return format_scan_u64(&t, &group) && group == (uint64_t)pid;
}

/* Adds those of the new pids that are processes. Processes that are gone need no look
 * here: reading them fails, and they leave the table then. */
static void look_up(const struct collect_process_list *list,
                    struct collect_process_table *table, int first, int last)
{
    for (int pid = first; pid <= last; pid++)
        if (is_process(list, pid))
            collect_process_table_add(table, pid);
}

/* When listing fails, the last pid is forgotten: what began in between is known to
 * nobody, so the next update lists all. */
enum vd_status collect_process_list_update(struct collect_process_list *list,
                                           struct collect_process_table *table,
                                           struct vd_error *err)
{
    struct collect_loadavg load = {.last_pid = NAN};
    double before = list->last_pid, given_out;

    if (collect_file_read(&list->loadavg, &list->buffer, NULL) == VD_OK)
        collect_loadavg_parse(list->buffer.at, list->buffer.size, &load);
    list->last_pid = load.last_pid;
    given_out = list->last_pid - before;
    if (!list->recorded && list->folder != NULL && list->updates % LIST_EVERY != 0 &&
        given_out >= 0 && given_out <= LOOK_UP_MIN + (double)table->n / LISTED_FOR_ONE)
        look_up(list, table, (int)before + 1, (int)list->last_pid);
    else if (list_all(list, table, err) != VD_OK) {
        list->last_pid = NAN;
        return VD_ERR_IO;
    }
    list->updates++;
    return VD_OK;
}

void collect_process_list_release(struct collect_process_list *list)
{
    if (list->folder != NULL)
        closedir(list->folder);
    collect_file_release(&list->loadavg);
    collect_buffer_release(&list->buffer);
    free(list->pid);
}
