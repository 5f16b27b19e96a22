/* The table of collectors: where the numbers of this machine come from.
 *
 * To add one: write src/collect/NAME.c with its metric table at the top and a
 * `const struct collect_type collect_NAME`, declare it below, add its row in
 * collectors.c, and give it a tree in tests/roots (docs/adding-a-collector.md has the
 * whole way).
 *
 * A collector reads one source, once per tick, and fills the raw values of its own
 * metrics. It computes no rates (the feature stage does) and knows of no other stage. A
 * source that is absent or cannot be read gives NaN and is asked again on the next tick.
 */
#ifndef VD_COLLECT_COLLECTORS_H
#define VD_COLLECT_COLLECTORS_H

#include <stdbool.h>
#include <stddef.h>

#include "collect/trouble.h"
#include "format/table.h"
#include "os/peek.h"
#include "record.h"
#include "vedette/status.h"

/* Texts are borrowed and must live as long as what was made from them. */
struct collect_config {
    const char *root;         /* "", "/" or NULL = this machine; else the folder that
                                 stands for / when /proc, /sys and mounts are read */
    const char *nvml_library; /* NULL = libnvidia-ml.so.1 */
    const char *replay;       /* a CSV or prmon file to play instead of this machine;
                                 NULL = none */
    const struct format_options *table; /* how it is read; NULL = found out */
    /* Asked for what only its owner or root may see of a process; NULL = this process
     * looks itself. Borrowed. */
    struct os_peek *peek;
    /* From collect_kernel_log_open, before rights are given up; the set closes it. 0 = it
     * is opened when the set is made. */
    int kernel_log;
    bool threads; /* false: slow sources are read in the caller (tests, replay) */
};

/* root "", everything else NULL, threads true. */
struct collect_config collect_config_default(void);

/* Opens the kernel's log, which mostly root alone may; -1 = it may not be read. */
int collect_kernel_log_open(const char *root);

/* How far a recording has been played. */
struct collect_course {
    bool ended;        /* the last read gave no new row */
    double done;       /* share of the file, 0 .. 1 */
    double interval_s; /* between two rows; NaN = its rows have no time */
};

/* A metric table: `n` rows; NULL = none. */
struct collect_rows {
    const struct record_metric *at;
    size_t n;
};

#define COLLECT_TABLE(ROWS)                                                              \
    {                                                                                    \
        ROWS, sizeof(ROWS) / sizeof *(ROWS)                                              \
    }

enum { COLLECT_TABLES = 6 };

/* One row of the table. `self` is the collector's own state. */
struct collect_type {
    const char *name, *summary;
    /* Every row that it may ever register, so that a name is known before its device is
     * there. What a recording brings is not known before. */
    struct collect_rows rows[COLLECT_TABLES];
    const char *unavailable; /* why it was not built in; NULL = usable */
    /* Adds the metrics it knows of already to `schema`; later ones may come with read.
     * A source that is not there is no failure; lack of memory is. */
    enum vd_status (*create)(void **self, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err);
    /* Fills raw (and base) of its metrics, which are NaN when it is called. A failure
     * leaves NaN behind and is told; the next tick asks again. */
    enum vd_status (*read)(void *self, struct record_sample *sample,
                           struct vd_error *err);
    void (*destroy)(void *self); /* takes NULL */
    /* Where it is in its recording (replay). NULL = it is none. */
    struct collect_course (*course)(const void *self);
    /* One line on what it found, for `probe`; "" = nothing to say. NULL = it has none. */
    const char *(*note)(const void *self);
};

/* The table: `*n` rows, in the order in which they are read. */
const struct collect_type *const *collect_table(size_t *n);

/* Returns the row of the family that `metric` ("cpu_core_percent{3}") belongs to, or NULL
 * when no collector has it. */
const struct record_metric *collect_find(const char *metric);

/* Whether some collector may ever register the family of this metric, written as people
 * do: "disk_busy_percent", "disk_busy_percent{sda}", "memory_percent". When none may,
 * *nearest (NULL = not asked) becomes the family that may have been meant, or NULL. */
bool collect_knows(const char *metric, const char **nearest);

/* All collectors of the table, as one. Used by one thread. */
typedef struct collect_set collect_set;

/* `only` is a NULL-terminated list of names, or NULL for all. With config->replay set and
 * no list, the replay is the only one. The seven core metrics are registered first, in
 * their order, whatever the list is. An unknown name is VD_ERR_ARGUMENT. A collector that
 * cannot be made for another reason than memory is left out and counted as an error of
 * each tick; the replay, when asked for, must open. */
enum vd_status collect_set_new(collect_set **out, const struct collect_config *config,
                               const char *const *only, struct record_schema *schema,
                               struct vd_error *err);

/* Reads all collectors for one tick. The caller has set time_ns, mono_ns, jitter_ns (a
 * replay overwrites the first two) and schema. `raw` and `base` are NULL on the first
 * call: room for RECORD_METRICS_MAX numbers is made then, once, and never moves. All
 * schema->n values are NaN or read on return. `processes` points into the set until the
 * next call. When there is no memory on the first call, raw stays NULL and the errors say
 * so. */
void collect_set_read(collect_set *set, struct record_sample *sample);

/* Gives what failed on the last tick: up to `max` names and errors (either array may be
 * NULL); returns how many failed in all. */
size_t collect_set_errors(const collect_set *set, const char **names,
                          struct vd_error *errors, size_t max);

/* How source `i` of the set is: a collector, or last "collect", the set itself. */
struct collect_report {
    const char *name;
    bool in_trouble;              /* for more than a minute */
    int64_t since_ns;             /* wall clock */
    const struct vd_error *error; /* what it said last; borrowed until the next tick */
};

/* Fills both; *news is what this tick has to tell of it. False when there is no such
 * source. */
bool collect_set_report(const collect_set *set, size_t i, struct collect_report *report,
                        enum collect_news *news);

/* How long collector `i` of the set took on the last tick, in ns; its name in *name.
 * Returns -1 when there is no such collector. */
int64_t collect_set_duration(const collect_set *set, size_t i, const char **name);

/* Returns what collector `i` has to say of the last tick; "" when that is nothing. */
const char *collect_set_note(const collect_set *set, size_t i);

/* The course of the replay; of a live set, one that has no end and no interval. */
struct collect_course collect_set_course(const collect_set *set);

void collect_set_free(collect_set *set);

/* Frees what collect_set_read made for the sample. */
void collect_sample_release(struct record_sample *sample);

/* Proportional set size of one process from smaps_rollup, in bytes; NaN when it cannot be
 * read. Slow for large processes (it walks the page tables): for suspects only. */
double collect_process_pss(const struct collect_config *config, int pid);

extern const struct collect_type collect_stat, collect_cpufreq, collect_topology,
    collect_loadavg, collect_meminfo, collect_cgroup, collect_vmstat, collect_kernel_log,
    collect_pressure, collect_diskstats, collect_filesystems, collect_net_dev,
    collect_thermal, collect_processes, collect_gpu, collect_netstat, collect_sockstat,
    collect_softnet, collect_limits, collect_timex, collect_raid, collect_systemd,
    collect_units, collect_self, collect_replay;

#endif
