/* /proc/stat: CPU time, context switches, forks. */
#ifndef VD_COLLECT_STAT_H
#define VD_COLLECT_STAT_H

#include <stddef.h>

enum { COLLECT_CPUS_MAX = 1024 };

/* In clock ticks since boot, all NaN when the CPU has no line (offline) or a bad one. */
struct collect_stat_cpu {
    double user;   /* with nice and guests */
    double system; /* with interrupts */
    double idle, iowait, steal;
};

struct collect_stat {
    struct collect_stat_cpu total;
    struct collect_stat_cpu core[COLLECT_CPUS_MAX];
    size_t n_cores; /* highest number seen + 1; never falls while the struct is reused */
    double context_switches, forks; /* counters since boot */
    double running, blocked;        /* tasks, now */
};

/* Fills all fields; what is not in the text is NaN. Set n_cores = 0 before first use. */
void collect_stat_parse(const char *text, size_t size, struct collect_stat *stat);

#endif
