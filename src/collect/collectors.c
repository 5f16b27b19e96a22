/* The table of collectors, and the search for a metric by its family over all of their
 * rows. */
#include "collect/collectors.h"

#include <stdio.h>
#include <string.h>

#include "collect/fill.h"
#include "metrics.h"
#include "os/options.h"

/* The order is that of reading: topology and processes use what stat and cpufreq read
 * before, cgroup what meminfo did, gpu completes the processes, `self` counts everything.
 * To add a collector see collectors.h. */
static const struct collect_type *const table[] = {
    &collect_stat,     &collect_cpufreq,   &collect_topology,    &collect_loadavg,
    &collect_meminfo,  &collect_cgroup,    &collect_vmstat,      &collect_kernel_log,
    &collect_pressure, &collect_diskstats, &collect_filesystems, &collect_net_dev,
    &collect_thermal,  &collect_processes, &collect_gpu,         &collect_netstat,
    &collect_sockstat, &collect_softnet,   &collect_limits,      &collect_timex,
    &collect_raid,     &collect_systemd,   &collect_units,       &collect_self,
    &collect_replay,
};

const struct collect_type *const *collect_table(size_t *n)
{
    *n = sizeof table / sizeof *table;
    return table;
}

/* Finds the row of the family; NULL when the table has none. Unless `nearest` is NULL,
 * each row is tried as what the user may have meant. */
static const struct record_metric *
find_row(const struct collect_rows *rows, const char *family, struct os_nearest *nearest)
{
    for (size_t i = 0; i < rows->n; i++) {
        if (rows->at[i].name == NULL) /* the place of a core metric */
            continue;
        if (strcmp(rows->at[i].name, family) == 0)
            return &rows->at[i];
        if (nearest != NULL)
            os_nearest_try(nearest, rows->at[i].name);
    }
    return NULL;
}

/* Searches the core metrics first: they are in no collector's table, since several fill
 * them in. */
static const struct record_metric *find_family(const char *family,
                                               struct os_nearest *nearest)
{
    const struct collect_rows core = COLLECT_TABLE(collect_core_metrics);
    const struct record_metric *row = find_row(&core, family, nearest);
    size_t n;
    const struct collect_type *const *types = collect_table(&n);

    for (size_t i = 0; i < n && row == NULL; i++)
        for (size_t k = 0; k < COLLECT_TABLES && row == NULL; k++)
            row = find_row(&types[i]->rows[k], family, nearest);
    return row;
}

/* Takes "disk_busy_percent" out of "disk_busy_percent{sda}". */
static void take_family(char family[RECORD_NAME_MAX], const char *metric)
{
    snprintf(family, RECORD_NAME_MAX, "%.*s", (int)strcspn(metric, "{"), metric);
}

const struct record_metric *collect_find(const char *metric)
{
    char given[RECORD_NAME_MAX];

    take_family(given, metric);
    return find_family(metrics_canonical(given), NULL);
}

bool collect_knows(const char *metric, const char **nearest)
{
    char given[RECORD_NAME_MAX];
    struct os_nearest tried = {.word = given};
    bool known;

    take_family(given, metric);
    known = find_family(metrics_canonical(given), &tried) != NULL;
    if (nearest != NULL)
        *nearest = known ? NULL : tried.best;
    return known;
}
