#include "collect/collectors.h"

/* The order is that of reading: topology and processes use what stat and cpufreq read
 * before, gpu completes the processes, `self` counts everything. To add a collector see
 * collectors.h. */
static const struct collect_type *const table[] = {
    &collect_stat,        &collect_cpufreq, &collect_topology, &collect_loadavg,
    &collect_meminfo,     &collect_vmstat,  &collect_pressure, &collect_diskstats,
    &collect_filesystems, &collect_net_dev, &collect_thermal,  &collect_processes,
    &collect_gpu,         &collect_self,    &collect_replay,
};

const struct collect_type *const *collect_table(size_t *n)
{
    *n = sizeof table / sizeof *table;
    return table;
}
