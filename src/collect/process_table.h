/* The processes of this machine from tick to tick, sorted by pid. Who is there comes from
 * the caller; the table keeps what must be remembered of each. */
#ifndef VD_COLLECT_PROCESS_TABLE_H
#define VD_COLLECT_PROCESS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/process_stat.h"
#include "record.h"

enum { COLLECT_PROCESSES_MAX = 32768 };

/* Beside each record_process, at the same index. */
struct collect_process {
    int pid;
    int stat_fd, io_fd; /* -1 = not open */
    bool fresh;         /* never read yet */
    bool gone;          /* leaves with the next collect_process_table_sweep */
    bool io_denied;     /* belongs to someone else */
    bool kernel_thread;
    uint8_t quiet;       /* reads in a row that found no CPU time used */
    int64_t mono_ns;     /* of the last read */
    double cpu_ticks;    /* at the last read; counters start at 0 with the process */
    double major_faults; /* the same */
    struct collect_process_io io;
};

/* Zero-initialise; release with collect_process_table_release. */
struct collect_process_table {
    struct record_process *record; /* owned, n of them */
    struct collect_process *own;   /* owned, n of them */
    size_t n, capacity;
    size_t dropped; /* left out of the last update: limit or memory */
};

/* Makes the table hold exactly the processes pid[n] (ascending): those that left are
 * closed, new ones are fresh. */
void collect_process_table_update(struct collect_process_table *table, const int *pid,
                                  size_t n);

/* Puts one process in, fresh, unless it is there. False: limit or memory. */
bool collect_process_table_add(struct collect_process_table *table, int pid);

/* Takes out those marked gone. */
void collect_process_table_sweep(struct collect_process_table *table);

/* As if the process at `i` were new: its pid was given to another one. */
void collect_process_table_renew(struct collect_process_table *table, size_t i);

void collect_process_table_release(struct collect_process_table *table);

#endif
