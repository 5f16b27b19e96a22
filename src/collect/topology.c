/* Fast and slow cores of hybrid processors (P and E cores, big and LITTLE): the averages
 * of each kind. Intel's kernels list them; elsewhere the capacity of each core tells, and
 * those of the largest are the fast ones. Nothing is registered when all cores are alike.
 * The numbers of the cores are those that the collectors read before on the same tick.
 * A core that is off may not tell its capacity, so all are asked again when a core gets
 * its metrics.
 */
#include <stdlib.h>
#include <string.h>

#include "collect/collectors.h"
#include "collect/cpu_list.h"
#include "collect/file.h"
#include "collect/fill.h"
#include "format/scan.h"

enum { FAST_PERCENT, SLOW_PERCENT, FAST_FREQ, SLOW_FREQ, ROWS };
enum { FAST, SLOW, KINDS };

static const struct record_metric rows[ROWS] = {
    [FAST_PERCENT] = COLLECT_SHARE_ROW("cpu_p_percent", CPU, 2, RATIO, 100,
                                       "CPU time used on the fast cores."),
    [SLOW_PERCENT] = COLLECT_SHARE_ROW("cpu_e_percent", CPU, 2, RATIO, 100,
                                       "CPU time used on the economical cores."),
    [FAST_FREQ] = COLLECT_ROW("cpu_p_freq", "MHz", CPU, 100, GAUGE, 1,
                              "Mean clock rate of the fast cores."),
    [SLOW_FREQ] = COLLECT_ROW("cpu_e_freq", "MHz", CPU, 100, GAUGE, 1,
                              "Mean clock rate of the economical cores."),
};

struct topology_collector {
    char root[COLLECT_PATH_MAX];
    bool hybrid; /* the metrics are there */
    bool is[KINDS][COLLECT_CPUS_MAX];
    uint32_t schema_serial; /* newest metric when the indices below were looked up */
    size_t known;           /* cores that there were then */
    size_t percent[COLLECT_CPUS_MAX], freq[COLLECT_CPUS_MAX];
    size_t id[ROWS];
};

/* Takes the lists of Intel's kernels; false unless both kinds of cores are there:
 * /sys/devices/cpu_core/cpus: 0-11
 * /sys/devices/cpu_atom/cpus: 12-19 */
static bool find_intel(struct topology_collector *self, const char *root)
{
    static const char *const paths[KINDS] = {"/sys/devices/cpu_core/cpus",
                                             "/sys/devices/cpu_atom/cpus"};
    char path[COLLECT_PATH_MAX], text[512];
    bool all = true;

    for (int kind = 0; kind < KINDS; kind++) {
        long length = -1;

        if (collect_path(path, root, paths[kind], NULL))
            length = collect_file_small(path, text, sizeof text);
        all = all && length > 0 &&
              format_scan_cpu_list(text, (size_t)length, self->is[kind],
                                   COLLECT_CPUS_MAX) > 0;
    }
    return all;
}

/* Takes the capacities, 1024 for the fastest; false when all are alike or none is told:
 * /sys/devices/system/cpu/cpu4/cpu_capacity: 1024 */
static bool find_capacity(struct topology_collector *self, const char *root)
{
    double capacity[COLLECT_CPUS_MAX], largest = 0;
    bool present[COLLECT_CPUS_MAX], slow = false;
    size_t n = collect_cpu_list(root, present);
    char path[COLLECT_PATH_MAX];

    for (size_t i = 0; i < n; i++) {
        capacity[i] = NAN;
        if (present[i] && collect_cpu_path(path, root, i, "cpu_capacity"))
            capacity[i] = collect_file_number(path);
        largest = fmax(largest, capacity[i]);
    }
    for (size_t i = 0; i < n; i++) {
        self->is[FAST][i] = capacity[i] > 0 && capacity[i] == largest;
        self->is[SLOW][i] = capacity[i] > 0 && capacity[i] < largest;
        slow |= self->is[SLOW][i];
    }
    return slow;
}

/* Finds out which cores are fast and which are slow; false when all are alike. What
 * Intel's list half told is cleared before the capacities are asked. */
static bool find_kinds(struct topology_collector *self)
{
    if (find_intel(self, self->root))
        return true;
    memset(self->is, 0, sizeof self->is);
    return find_capacity(self, self->root);
}

/* Cores get their metrics when they are seen first, so those that the schema gained since
 * are looked at: by one walk over it, not by a search for each core. True when there are
 * new cores; that one whose clock is asked later gets another metric makes it none. */
static bool look_up(struct topology_collector *self, const struct record_schema *schema)
{
    size_t known = 0;

    for (size_t i = 0; i < COLLECT_CPUS_MAX; i++)
        self->percent[i] = self->freq[i] = COLLECT_NO_METRIC;
    for (size_t i = 0; i < schema->n; i++) {
        const struct record_metric *metric = &schema->metric[i];
        bool is_percent = strcmp(metric->name, "cpu_core_percent") == 0;
        size_t core;

        if (!is_percent && strcmp(metric->name, "cpu_core_freq") != 0)
            continue;
        core = strtoul(metric->label, NULL, 10);
        if (core < COLLECT_CPUS_MAX)
            (is_percent ? self->percent : self->freq)[core] = i;
        known += is_percent;
    }
    self->schema_serial = schema->serial;
    if (known == self->known)
        return false;
    self->known = known;
    return true;
}

/* Adds up busy and whole time of the cores of one kind, and takes the mean of their
 * clocks. Cores without a number on this tick count for neither. */
static void fill_kind(const struct topology_collector *self, struct record_sample *sample,
                      int kind)
{
    double busy = 0, all = 0, mhz = 0;
    size_t cores = 0, clocks = 0;

    for (size_t i = 0; i < COLLECT_CPUS_MAX; i++) {
        size_t percent = self->percent[i], freq = self->freq[i];

        if (!self->is[kind][i])
            continue;
        if (percent != COLLECT_NO_METRIC && !isnan(sample->raw[percent])) {
            busy += sample->raw[percent];
            all += sample->base[percent];
            cores++;
        }
        if (freq != COLLECT_NO_METRIC && !isnan(sample->raw[freq])) {
            mhz += sample->raw[freq];
            clocks++;
        }
    }
    if (cores > 0)
        collect_put_ratio(sample, self->id[FAST_PERCENT + kind], busy, all);
    if (clocks > 0)
        collect_put(sample, self->id[FAST_FREQ + kind], mhz / (double)clocks);
}

static enum vd_status read_topology(void *context, struct record_sample *sample,
                                    struct vd_error *err)
{
    struct topology_collector *self = context;

    (void)err;
    if (self->schema_serial != sample->schema->serial && look_up(self, sample->schema) &&
        find_kinds(self) && !self->hybrid) {
        collect_add_rows_now(sample, rows, ROWS, NULL, self->id);
        self->hybrid = true;
    }
    for (int kind = 0; kind < KINDS && self->hybrid; kind++)
        fill_kind(self, sample, kind);
    return VD_OK;
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct topology_collector *self = calloc(1, sizeof *self);

    (void)err;
    if (self == NULL)
        return VD_ERR_MEMORY;
    collect_path(self->root, config->root, "", NULL);
    self->hybrid = find_kinds(self);
    if (self->hybrid)
        collect_add_rows(schema, rows, ROWS, NULL, self->id);
    *out = self;
    return VD_OK;
}

const struct collect_type collect_topology = {
    .name = "topology",
    .summary = "averages of fast and economical cores of hybrid processors",
    .rows = {COLLECT_TABLE(rows)},
    .create = create,
    .read = read_topology,
    .destroy = free,
};
