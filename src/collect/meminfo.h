/* /proc/meminfo: memory and swap. */
#ifndef VD_COLLECT_MEMINFO_H
#define VD_COLLECT_MEMINFO_H

#include <stddef.h>

/* In KiB, as the kernel writes them; NaN = no such line. */
struct collect_meminfo {
    double total, free, available, buffers, cached, reclaimable, shared;
    double dirty, writeback, slab, anonymous, committed;
    double swap_total, swap_free;
};

void collect_meminfo_parse(const char *text, size_t size, struct collect_meminfo *mem);

#endif
