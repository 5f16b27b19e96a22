#include "collect/collectors.h"

/* The order is that of reading: what the processes collector finds is completed by the
 * gpu collector, and `self` comes last. To add a collector see collectors.h. */
static const struct collect_type *const table[] = {
    &collect_stat,     &collect_loadavg,   &collect_meminfo, &collect_vmstat,
    &collect_pressure, &collect_diskstats, &collect_net_dev, &collect_processes,
};

const struct collect_type *const *collect_table(size_t *n)
{
    *n = sizeof table / sizeof *table;
    return table;
}
