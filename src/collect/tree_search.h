/* Finds the processes that began since the last look, without reading all of them. */
#ifndef VD_COLLECT_TREE_SEARCH_H
#define VD_COLLECT_TREE_SEARCH_H

#include <dirent.h>

#include "collect/tree_process.h"

/* A process that was not there at the last look. */
struct collect_tree_newborn {
    int pid, parent;
};

struct collect_tree_search {
    DIR *folder; /* of /proc */
    struct collect_file loadavg;
    bool live;        /* this machine, and not a recorded tree */
    double last_pid;  /* that was given out at the last look; NaN = not known */
    int *known, *now; /* owned: pids at the last look and at this one, ascending */
    size_t n_known, n_now, capacity;
    struct collect_tree_newborn *newborn; /* owned: what the last look found */
    size_t n_newborn, newborn_capacity;
};

/* VD_ERR_IO when there is no /proc. To be released after a failure, too. */
enum vd_status collect_tree_search_init(struct collect_tree_search *search,
                                        const char *root, struct vd_error *err);

/* Fills search->newborn, in the order of pids. What there is no memory for is found at
 * the next look. */
void collect_tree_search_look(struct collect_tree_search *search,
                              struct collect_tree_proc *proc);

void collect_tree_search_release(struct collect_tree_search *search);

#endif
