/* Clock rates of the cores. */
#ifndef VD_COLLECT_CPUFREQ_H
#define VD_COLLECT_CPUFREQ_H

#include <stddef.h>

/* The clock rates of /proc/cpuinfo into mhz[n], NaN where there is none. Returns the
 * highest processor seen + 1, at most n. */
size_t collect_cpuinfo_parse(const char *text, size_t size, double *mhz, size_t n);

#endif
