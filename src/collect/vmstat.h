/* /proc/vmstat: page faults, swapping, OOM kills. */
#ifndef VD_COLLECT_VMSTAT_H
#define VD_COLLECT_VMSTAT_H

#include <stddef.h>

/* Counters since boot; NaN = no such line (oom_kill came with Linux 4.13). */
struct collect_vmstat {
    double faults, major_faults;    /* major_faults are part of faults */
    double swapped_in, swapped_out; /* pages */
    double oom_kills;
};

void collect_vmstat_parse(const char *text, size_t size, struct collect_vmstat *vm);

#endif
