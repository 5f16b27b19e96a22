#include "collect/collectors.h"

#include <stdio.h>
#include <string.h>

#include "collect/fill.h"
#include "os/options.h"

/* The order is that of reading: topology and processes use what stat and cpufreq read
 * before, cgroup what meminfo did, gpu completes the processes, `self` counts everything.
 * To add a collector see collectors.h. */
static const struct collect_type *const table[] = {
    &collect_stat,      &collect_cpufreq,     &collect_topology, &collect_loadavg,
    &collect_meminfo,   &collect_cgroup,      &collect_vmstat,   &collect_pressure,
    &collect_diskstats, &collect_filesystems, &collect_net_dev,  &collect_thermal,
    &collect_processes, &collect_gpu,         &collect_netstat,  &collect_sockstat,
    &collect_softnet,   &collect_limits,      &collect_timex,    &collect_raid,
    &collect_systemd,   &collect_units,       &collect_self,     &collect_replay,
};

const struct collect_type *const *collect_table(size_t *n)
{
    *n = sizeof table / sizeof *table;
    return table;
}

/* Whether the family is in these rows; each is tried as what may have been meant. */
static bool has_family(const struct collect_rows *rows, const char *family,
                       struct os_nearest *nearest)
{
    for (size_t i = 0; i < rows->n; i++) {
        if (rows->at[i].name == NULL) /* the place of a core metric */
            continue;
        if (strcmp(rows->at[i].name, family) == 0)
            return true;
        os_nearest_try(nearest, rows->at[i].name);
    }
    return false;
}

bool collect_knows(const char *metric, const char **nearest)
{
    const struct collect_rows core = COLLECT_TABLE(collect_core_metrics);
    char given[RECORD_NAME_MAX];
    const char *family;
    struct os_nearest tried = {.word = given};
    bool known;
    size_t n;
    const struct collect_type *const *types = collect_table(&n);

    snprintf(given, sizeof given, "%.*s", (int)strcspn(metric, "{"), metric);
    family = record_metric_canonical(given);
    known = has_family(&core, family, &tried);
    for (size_t i = 0; i < n && !known; i++)
        for (size_t k = 0; k < COLLECT_TABLES && !known; k++)
            known = has_family(&types[i]->rows[k], family, &tried);
    if (nearest != NULL)
        *nearest = known ? NULL : tried.best;
    return known;
}
