/* /proc/meminfo: memory and swap. */
#ifndef VD_COLLECT_MEMINFO_H
#define VD_COLLECT_MEMINFO_H

#include <stddef.h>

/* In KiB; NaN = no such line, or a number that no memory has: below zero written as
 * unsigned, or a part larger than the total. */
struct collect_meminfo {
    double total, free, available, buffers, cached, reclaimable, shared;
    double dirty, writeback, slab, anonymous, committed;
    double swap_total, swap_free;
};

void collect_meminfo_parse(const char *text, size_t size, struct collect_meminfo *mem);

/* Returns what the cache of ZFS would give back, in KiB, from
 * /proc/spl/kstat/zfs/arcstats; NaN when the text does not say. */
double collect_arcstats_parse(const char *text, size_t size);

/* Returns what programs can still have, in KiB, with `arc` (0 = none) of ZFS; never more
 * than the total. */
double collect_meminfo_available(const struct collect_meminfo *mem, double arc);

#endif
