/* The files of one process: /proc/PID/stat, io, cmdline, status, smaps_rollup. */
#ifndef VD_COLLECT_PROCESS_STAT_H
#define VD_COLLECT_PROCESS_STAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

struct collect_process_stat {
    int pid, parent;
    char state;
    char comm[RECORD_COMM_MAX];
    bool kernel_thread;
    uint64_t major_faults;
    uint64_t cpu_ticks; /* user and system, of the process and its threads */
    uint64_t start_ticks;
    uint32_t threads;
    uint64_t rss_pages;
};

/* False when the text is not what a kernel writes; `stat` is then undefined. */
bool collect_process_stat_parse(const char *text, size_t size,
                                struct collect_process_stat *stat);

struct collect_process_io {
    double read_bytes, written_bytes; /* from and to storage; NaN = no such line */
};

void collect_process_io_parse(const char *text, size_t size,
                              struct collect_process_io *io);

/* Arguments parted by NULs -> one line in `command` (cut to fit, always terminated). */
void collect_process_command(const char *text, size_t size, char *command, size_t room);

/* Bytes of the VmSwap line of `status`; NaN when there is none. */
double collect_process_swap_parse(const char *text, size_t size);

/* Bytes of the Pss line; NaN when there is none. */
double collect_process_pss_parse(const char *text, size_t size);

#endif
