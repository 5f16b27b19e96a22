/* CPU time from two reads of the kernel's counters.
 *
 * The kernel's counters are not to be believed one by one: idle and iowait step back
 * where the kernel adds up clocks that it reads without locks, steal leaps when a machine
 * was moved, and has been seen below zero, which reads as nearly 2^64. So they stay
 * integers until the difference is taken, and the step of each is judged by itself: one
 * that goes back, or is longer than the time that passed, is unknown for this interval.
 *
 * What is known goes into counters of our own, which never fall. A share is a pair of
 * them: the time spent on it, and the time it is a share of. An interval in which it is
 * unknown moves neither, so that its rate (feature/rates.h) is NaN and the next is right.
 */
#ifndef VD_COLLECT_CPU_TIME_H
#define VD_COLLECT_CPU_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The columns of /proc/stat, in its order. Time of guests is part of user and nice. */
enum collect_cpu_column {
    COLLECT_CPU_USER,
    COLLECT_CPU_NICE,
    COLLECT_CPU_SYSTEM,
    COLLECT_CPU_IDLE,
    COLLECT_CPU_IOWAIT,
    COLLECT_CPU_IRQ,
    COLLECT_CPU_SOFTIRQ,
    COLLECT_CPU_STEAL,
    COLLECT_CPU_COLUMNS
};

/* One read of one CPU, in clock ticks since boot. */
struct collect_cpu_ticks {
    bool known; /* false: it has no line (offline), or a bad one */
    uint64_t at[COLLECT_CPU_COLUMNS];
};

/* What passed between two reads of one CPU, or of several together. */
struct collect_cpu_step {
    double ticks[COLLECT_CPU_COLUMNS];
    bool unknown[COLLECT_CPU_COLUMNS]; /* ticks 0 */
    size_t cpus;                       /* how many it is of; 0 = nothing is known */
};

enum collect_cpu_part {
    COLLECT_CPU_BUSY,
    COLLECT_CPU_PROGRAMS, /* with nice and guests */
    COLLECT_CPU_KERNEL,   /* with interrupts */
    COLLECT_CPU_WAITING,
    COLLECT_CPU_STOLEN,
    COLLECT_CPU_PARTS
};

/* Counters of our own, in clock ticks since the first read. Zero-initialise. */
struct collect_cpu_time {
    double part[COLLECT_CPU_PARTS];
    double whole[COLLECT_CPU_PARTS];
};

/* The step from `before` to `now`, of `cpus` CPUs (the columns are their sum), when
 * `elapsed` clock ticks passed by the monotonic clock. */
struct collect_cpu_step collect_cpu_step_of(const struct collect_cpu_ticks *now,
                                            const struct collect_cpu_ticks *before,
                                            size_t cpus, double elapsed);

/* Adds the step of one more CPU to a sum; a column that is unknown of one is unknown of
 * all. A step of no CPU adds nothing. */
void collect_cpu_step_add(struct collect_cpu_step *sum,
                          const struct collect_cpu_step *step);

/* Adds a step to the counters: every part that is known. A part is never larger than the
 * whole, nor than BUSY when it belongs to that. */
void collect_cpu_time_add(struct collect_cpu_time *time,
                          const struct collect_cpu_step *step, double elapsed);

#endif
