/* /proc/net/softnet_stat: packets on their way from the network cards into the kernel. */
#ifndef VD_COLLECT_SOFTNET_H
#define VD_COLLECT_SOFTNET_H

#include <stddef.h>

/* Sums over all cores, which come and go with them; NaN = not told. */
struct collect_softnet {
    double dropped;  /* packets */
    double squeezed; /* times that a core stopped before all were taken */
    size_t cores;    /* lines that parsed */
};

void collect_softnet_parse(const char *text, size_t size,
                           struct collect_softnet *softnet);

#endif
