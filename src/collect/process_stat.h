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
    uint64_t minor_faults, major_faults;
    uint64_t cpu_ticks; /* user and system, of the process and its threads */
    uint64_t user_ticks, system_ticks;
    uint64_t children_user_ticks, children_system_ticks; /* that it waited for */
    uint64_t start_ticks;
    uint32_t threads;
    uint64_t vsize; /* bytes */
    uint64_t rss_pages;
    uint64_t image; /* changes with execve(2), which gives the process another memory */
};

/* False when the text is not what a kernel writes; `stat` is then undefined. */
bool collect_process_stat_parse(const char *text, size_t size,
                                struct collect_process_stat *stat);

struct collect_process_io {
    double read_bytes, written_bytes; /* from and to storage; NaN = no such line */
    double read_chars, written_chars; /* by any read and write; NaN = no such line */
};

void collect_process_io_parse(const char *text, size_t size,
                              struct collect_process_io *io);

/* Arguments parted by NULs -> one line in `command` (cut to fit, always terminated). */
void collect_process_command(const char *text, size_t size, char *command, size_t room);

/* Bytes of the VmSwap line of `status`; NaN when there is none. */
double collect_process_swap_parse(const char *text, size_t size);

struct collect_process_memory {
    double pss_bytes, rss_bytes, swap_bytes;
};

/* Sums smaps_rollup, or the mappings of smaps. False when there is no Pss line. */
bool collect_process_memory_parse(const char *text, size_t size,
                                  struct collect_process_memory *memory);

/* Bytes of the Pss line; NaN when there is none. */
double collect_process_pss_parse(const char *text, size_t size);

#endif
