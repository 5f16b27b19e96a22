/* Which processes exist: brings a process table up to date. */
#ifndef VD_COLLECT_PROCESS_LIST_H
#define VD_COLLECT_PROCESS_LIST_H

#include <dirent.h>

#include "collect/file.h"
#include "collect/process_table.h"

struct collect_process_list {
    bool recorded; /* below a root: listed anew each time */
    char proc[COLLECT_PATH_MAX];
    DIR *folder; /* of /proc; NULL = to be opened */
    struct collect_file loadavg;
    struct collect_buffer buffer;
    int *pid;        /* owned: COLLECT_PROCESSES_MAX, touched as needed */
    double last_pid; /* given out last, at the update before; NaN = not known */
    uint64_t updates;
    size_t dropped; /* processes beyond COLLECT_PROCESSES_MAX */
};

enum vd_status collect_process_list_init(struct collect_process_list *list,
                                         const char *root);

/* Puts those that began into the table. Those that ended may stay in it for a while: the
 * caller finds out when it reads them. After VD_OK list->folder is open. */
enum vd_status collect_process_list_update(struct collect_process_list *list,
                                           struct collect_process_table *table,
                                           struct vd_error *err);

void collect_process_list_release(struct collect_process_list *list);

#endif
