/* Tables of names, in plain sight: what a prefix says of the group, what an ending says
 * of the unit, what both say of the sigma floor, and what a metric of ours is called by
 * others. The first row that fits is taken. */
#include "metrics.h"

#include <string.h>

/* Lists the names that other tools and their files have for metrics of ours. */
static const struct {
    const char *alias, *name;
} aliases[] = {
    {"memory_percent", "cpu_memory"}, {"cpu_frequency", "cpu_freq"},
    {"cpu_usage", "cpu_percent"},     {"memory_usage", "cpu_memory"},
    {"avg_p_core", "cpu_p_percent"},  {"avg_e_core", "cpu_e_percent"},
};

/* Gives our name of a metric; a name that is no alias is returned as it is. The text is
 * static or the caller's own. */
const char *metrics_canonical(const char *name)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(aliases[i].alias, name) == 0)
            return aliases[i].name;
    return name;
}

/* ---- what a name says ---- */

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Those of prmon are the columns of one job: utime and stime, rchar and wchar, rx and tx
 * bytes and packets, memory as the kernel calls it. */
static const struct {
    const char *start;
    enum record_group group;
} groups[] = {
    /* Puts the longer names before "cpu", since the first row that fits is taken. */
    {"cpu_memory", RECORD_GROUP_MEMORY},
    {"cpu_temp", RECORD_GROUP_TEMPERATURE},
    {"cpu", RECORD_GROUP_CPU},
    {"load", RECORD_GROUP_CPU},
    {"utime", RECORD_GROUP_CPU},
    {"stime", RECORD_GROUP_CPU},
    {"pressure_cpu", RECORD_GROUP_CPU},
    {"context_switches", RECORD_GROUP_CPU},
    {"interrupts", RECORD_GROUP_CPU},
    {"pressure_memory", RECORD_GROUP_MEMORY},
    {"memory", RECORD_GROUP_MEMORY},
    {"swap", RECORD_GROUP_MEMORY},
    {"oom", RECORD_GROUP_MEMORY},
    {"rss", RECORD_GROUP_MEMORY},
    {"pss", RECORD_GROUP_MEMORY},
    {"vmem", RECORD_GROUP_MEMORY},
    {"pressure_io", RECORD_GROUP_DISK},
    {"disk", RECORD_GROUP_DISK},
    {"filesystem", RECORD_GROUP_DISK},
    {"raid", RECORD_GROUP_DISK},
    {"zfs", RECORD_GROUP_DISK},
    {"rchar", RECORD_GROUP_DISK},
    {"wchar", RECORD_GROUP_DISK},
    {"read_bytes", RECORD_GROUP_DISK},
    {"write_bytes", RECORD_GROUP_DISK},
    {"net", RECORD_GROUP_NETWORK},
    {"tcp", RECORD_GROUP_NETWORK},
    {"udp", RECORD_GROUP_NETWORK},
    {"sockets", RECORD_GROUP_NETWORK},
    {"softnet", RECORD_GROUP_NETWORK},
    {"conntrack", RECORD_GROUP_NETWORK},
    {"rx_", RECORD_GROUP_NETWORK},
    {"tx_", RECORD_GROUP_NETWORK},
    {"temp", RECORD_GROUP_TEMPERATURE},
    {"gpu", RECORD_GROUP_GPU},
    {"process", RECORD_GROUP_PROCESSES},
    {"nprocs", RECORD_GROUP_PROCESSES},
    {"thread", RECORD_GROUP_PROCESSES},
    {"nthreads", RECORD_GROUP_PROCESSES},
    {"tasks", RECORD_GROUP_PROCESSES},
};

static const struct {
    const char *end, *unit;
} units[] = {
    {"_percent", "%"},   {"pct", "%"},       {"_mb", "MB/s"},     {"_gb", "GB"},
    {"_ms", "ms"},       {"_temp", "C"},     {"cpu_memory", "%"}, {"gpu_memory", "%"},
    {"cpu_freq", "MHz"}, {"gpu_power", "W"},
};

/* By unit and by what the name contains. Memory moves by less than a processor's load: in
 * whole programs. Counts have no unit; load is one, and 0.05 when idle. Of other numbers
 * without a unit nobody knows what is little. */
static const struct {
    const char *unit, *part;
    double floor;
} floors[] = {
    {"%", "memory", 0.75}, {"%", "", 2},
    {"MB/s", "", 1},       {"GB", "", 0.1},
    {"ms", "", 5},         {"C", "", 2},
    {"MHz", "", 100},      {"W", "", 5},
    {"", "processes", 5},  {"", "nprocs", 5},
    {"", "threads", 5},    {"", "tasks_", 5},
    {"", "load_", 0.25},   {"1/s", "packets", 1000},
    {"1/s", "", 50},
};

/* Gives the unit that the ending of the name says, "" when it says none. prmon counts
 * seconds in utime, and bytes or packets in the others. */
static const char *unit_of(const char *name, bool counts)
{
    /* prmon counts seconds in utime, bytes and packets in the others. */
    if (counts)
        return ends_with(name, "time") ? "s/s" : "1/s";
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (ends_with(name, units[i].end))
            return units[i].unit;
    return "";
}

/* Gives the sigma below which a metric of that unit and name does not deviate; 0 when
 * nobody knows. */
static double floor_of(const char *name, const char *unit)
{
    for (size_t i = 0; i < sizeof floors / sizeof *floors; i++)
        if (strcmp(unit, floors[i].unit) == 0 && strstr(name, floors[i].part) != NULL)
            return floors[i].floor;
    return 0;
}

/* Describes a column of somebody's file from its name alone. The name itself is not set:
 * the caller keeps it. */
struct record_metric metrics_guess(const char *name, bool counts)
{
    struct record_metric metric = {
        .unit = unit_of(name, counts),
        .help = "A number that somebody else named.",
        .kind = counts ? RECORD_RATE : RECORD_GAUGE,
        .scale = 1,
    };

    metric.less_is_worse =
        strstr(name, "available") != NULL || strstr(name, "free") != NULL;
    metric.fills = starts_with(name, "filesystem");
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (starts_with(name, groups[i].start)) {
            metric.group = groups[i].group;
            break;
        }
    metric.sigma_floor = floor_of(name, metric.unit);
    metric.is_byte_rate =
        strcmp(metric.unit, "MB/s") == 0 ||
        (counts && (ends_with(name, "bytes") || ends_with(name, "char")));
    return metric;
}

/* ---- what others call ours ---- */

#define MIB 1048576.0
#define GIB (1024 * MIB)

static const struct {
    const char *ours, *theirs;
    double factor;
} node_names[] = {
    {"load_1", "node_load1", 1},
    {"load_5", "node_load5", 1},
    {"load_15", "node_load15", 1},
    {"tasks_running", "node_procs_running", 1},
    {"tasks_blocked", "node_procs_blocked", 1},
    {"processes", "node_processes_pids", 1},
    {"threads", "node_processes_threads", 1},
    {"memory_total_gb", "node_memory_MemTotal_bytes", GIB},
    {"memory_available_gb", "node_memory_MemAvailable_bytes", GIB},
    {"memory_cached_gb", "node_memory_Cached_bytes", GIB},
    {"memory_anonymous_gb", "node_memory_AnonPages_bytes", GIB},
    {"memory_committed_gb", "node_memory_Committed_AS_bytes", GIB},
    {"memory_dirty_mb", "node_memory_Dirty_bytes", MIB},
    {"memory_writeback_mb", "node_memory_Writeback_bytes", MIB},
    {"memory_slab_mb", "node_memory_Slab_bytes", MIB},
    {"tcp_connections", "node_netstat_Tcp_CurrEstab", 1},
    {"sockets_used", "node_sockstat_sockets_used", 1},
    {"sockets_time_wait", "node_sockstat_TCP_tw", 1},
    {"sockets_orphaned", "node_sockstat_TCP_orphan", 1},
    {"file_handles", "node_filefd_allocated", 1},
    {"conntrack_entries", "node_nf_conntrack_entries", 1},
    {"entropy_bits", "node_entropy_available_bits", 1},
    {"clock_synchronised", "node_timex_sync_status", 1},
    {"clock_offset_ms", "node_timex_offset_seconds", 1e-3},
};

/* Gives the name that node_exporter has for the metric, and in *factor what turns our
 * unit into its. NULL when it has none. */
const char *metrics_node_name(const char *name, double *factor)
{
    for (size_t i = 0; i < sizeof node_names / sizeof *node_names; i++)
        if (strcmp(node_names[i].ours, name) == 0) {
            *factor = node_names[i].factor;
            return node_names[i].theirs;
        }
    return NULL;
}
