/* One process of a tree that is recorded: its files of /proc and what they said last. */
#ifndef VD_COLLECT_TREE_PROCESS_H
#define VD_COLLECT_TREE_PROCESS_H

#include "collect/file.h"
#include "collect/process_stat.h"
#include "collect/tree_account.h"

/* What reading a file of a process may come to. */
enum collect_tree_answer {
    COLLECT_TREE_READ,
    COLLECT_TREE_GONE,   /* the process has ended, and was waited for */
    COLLECT_TREE_REFUSED /* it belongs to someone else */
};

/* The place where processes are, shared by all of a tree. */
struct collect_tree_proc {
    int folder;         /* of /proc */
    double ticks_per_s; /* of CPU times */
    double page_bytes;
    const char *memory;    /* "smaps_rollup", or "smaps" of old kernels; static */
    size_t open, open_max; /* files of processes that are kept open */
    struct collect_buffer buffer;
};

struct collect_tree_process {
    int stat_fd, io_fd, memory_fd; /* -1 = not open */
    bool known;                    /* it was read before */
    bool gone;
    bool io_known; /* its counters of I/O were read */
    bool io_refused, memory_refused;
    struct collect_process_stat stat;
    struct collect_tree_part part;
    struct collect_process_memory memory; /* as it was read last; zeros before */
    bool memory_known;
    uint64_t memory_faults, memory_rss_pages; /* of the stat, when it was read */
    uint64_t memory_image;                    /* the program whose memory is open */
};

/* The process `pid`, nothing of it read. */
void collect_tree_process_init(struct collect_tree_process *process, int pid);

/* Reads stat and io. With COLLECT_TREE_GONE nothing has changed. A pid that was given to
 * another process counts as gone. */
enum collect_tree_answer collect_tree_process_read(struct collect_tree_process *process,
                                                   struct collect_tree_proc *proc);

/* Reads the memory, after stat. */
enum collect_tree_answer
collect_tree_process_read_memory(struct collect_tree_process *process,
                                 struct collect_tree_proc *proc);

/* Bytes that may have changed hands since the memory was read: a bound for what its
 * proportional size is wrong by. */
double collect_tree_process_change(const struct collect_tree_process *process,
                                   const struct collect_tree_proc *proc);

/* Whether it still runs: not a zombie. */
bool collect_tree_process_lives(const struct collect_tree_process *process);

/* Only the stat of any process, by its pid; false when there is none. */
bool collect_tree_stat(struct collect_tree_proc *proc, int pid,
                       struct collect_process_stat *stat);

void collect_tree_process_close(struct collect_tree_process *process,
                                struct collect_tree_proc *proc);

#endif
