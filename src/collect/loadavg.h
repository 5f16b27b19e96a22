/* /proc/loadavg. */
#ifndef VD_COLLECT_LOADAVG_H
#define VD_COLLECT_LOADAVG_H

#include <stddef.h>

struct collect_loadavg {
    double load[3];  /* mean of the last 1, 5 and 15 minutes */
    double tasks;    /* processes and threads that exist */
    double last_pid; /* given out last in this pid namespace */
};

/* What does not parse is NaN, with all that follows it. */
void collect_loadavg_parse(const char *text, size_t size, struct collect_loadavg *load);

#endif
