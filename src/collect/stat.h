/* /proc/stat: CPU time, context switches, forks, interrupts. */
#ifndef VD_COLLECT_STAT_H
#define VD_COLLECT_STAT_H

#include <stddef.h>

#include "collect/cpu_list.h"
#include "collect/cpu_time.h"

struct collect_stat {
    struct collect_cpu_ticks total;
    struct collect_cpu_ticks core[COLLECT_CPUS_MAX];
    size_t n_cores; /* highest number seen + 1; never falls while the struct is reused */
    size_t n_lines; /* cores with a line, also those beyond COLLECT_CPUS_MAX */
    double context_switches, forks, interrupts; /* counters since boot */
    double running, blocked;                    /* tasks, now */
};

/* Fills all fields; what is not in the text is unknown or NaN. Set n_cores = 0 before
 * first use. */
void collect_stat_parse(const char *text, size_t size, struct collect_stat *stat);

#endif
