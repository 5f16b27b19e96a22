/* What systemd's units and containers use. The tree of control groups is read by a worker
 * every few seconds, seldomer where there are many. The largest SHOWN units of each scan
 * get metrics and keep them while they exist; the rest is added up as "(others)". One
 * that is gone gives its metrics back, so names that come and go fill nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/collectors.h"
#include "collect/file.h"
#include "collect/fill.h"
#include "collect/unit_tree.h"
#include "collect/worker.h"

#define MIB_OF_BYTE (1.0 / (1024 * 1024))

static const struct record_metric rows[COLLECT_UNIT_VALUES] = {
    [COLLECT_UNIT_CPU] =
        COLLECT_ROW_OF("unit", "unit_cpu_percent", "%", CPU, 20, GAUGE, 1,
                       "CPU time used by this unit or container, 100 = "
                       "one core."),
    [COLLECT_UNIT_MEMORY] =
        COLLECT_ROW_OF("unit", "unit_memory_mb", "MB", MEMORY, 200, GAUGE, MIB_OF_BYTE,
                       "Memory of this unit or container, without files that may be "
                       "dropped."),
    [COLLECT_UNIT_READ] =
        COLLECT_ROW_OF("unit", "unit_read_mb", "MB/s", DISK, 1, GAUGE, MIB_OF_BYTE,
                       "Read from disks by this unit.", .is_byte_rate = true),
    [COLLECT_UNIT_WRITE] =
        COLLECT_ROW_OF("unit", "unit_write_mb", "MB/s", DISK, 1, GAUGE, MIB_OF_BYTE,
                       "Written to disks by this unit.", .is_byte_rate = true),
    [COLLECT_UNIT_THROTTLED] =
        COLLECT_SHARE_ROW_OF("unit", "unit_throttled_percent", CPU, 10, GAUGE, 1,
                             "Share of time in which this unit was held up by its CPU "
                             "limit."),
};

/* NAMES_MAX is twice SHOWN, so that those that were large once can stay. */
enum { SHOWN = 24, NAMES_MAX = 48, OTHERS = NAMES_MAX };

/* Each unit adds to the time from one scan to the next, so that reading takes about the
 * same share of a core however many there are. */
static const int64_t period_ns = 5000000000, per_unit_ns = 25000000,
                     idle_ns = 60000000000, stale_ns = 30000000000;

struct shown {
    char label[RECORD_LABEL_MAX]; /* "" = free */
    size_t id[COLLECT_UNIT_VALUES];
    double value[COLLECT_UNIT_VALUES];
};

/* Belongs to the worker while it runs. */
struct scan {
    struct collect_unit_tree tree;
    int64_t now_ns;
    bool found;
};

struct unit_collector {
    collect_worker *worker;
    struct scan *scan;
    bool threads, waiting;
    int64_t started_ns; /* 0 = never */
    int64_t wait_ns;    /* from one start to the next */
    double cores, memory;
    struct shown shown[NAMES_MAX + 1];
    size_t left_out; /* groups that are not read */
    size_t no_room;  /* units that should have metrics */
};

static void work(void *context)
{
    struct scan *scan = context;

    scan->found = collect_unit_tree_scan(&scan->tree, scan->now_ns);
}

/* ---- the tick's side ---- */

/* Returns how much of the machine a unit has: the share of the resource of which it has
 * most. A gigabyte a second counts as all that disks can do. */
static double weight_of(const struct unit_collector *self,
                        const struct collect_unit_group *unit)
{
    double disk = fmax(unit->value[COLLECT_UNIT_READ], 0) +
                  fmax(unit->value[COLLECT_UNIT_WRITE], 0);

    return fmax(fmax(unit->value[COLLECT_UNIT_CPU] / 100 / self->cores,
                     unit->value[COLLECT_UNIT_MEMORY] / self->memory),
                disk / 1e9);
}

/* Finds a unit that has metrics; NULL for none. The place of the others is not searched.
 */
static struct shown *find(struct unit_collector *self, const char *label)
{
    for (size_t i = 0; i < NAMES_MAX; i++)
        if (strcmp(self->shown[i].label, label) == 0)
            return &self->shown[i];
    return NULL;
}

/* Returns a free place, which has no label; NULL when all are taken. */
static struct shown *free_entry(struct unit_collector *self)
{
    return find(self, "");
}

/* Gives the place to the unit; false, and the place stays free, when the schema is full.
 */
static bool show(struct record_sample *sample, struct shown *shown, const char *label)
{
    if (!collect_show(sample, rows, COLLECT_UNIT_VALUES, label, shown->id))
        return false;
    snprintf(shown->label, sizeof shown->label, "%s", label);
    for (int k = 0; k < COLLECT_UNIT_VALUES; k++)
        shown->value[k] = NAN;
    return true;
}

static int by_label(const void *label, const void *unit)
{
    return strcmp(label, ((const struct collect_unit_group *)unit)->label);
}

/* Frees the places of units that left the tree, and their metrics. */
static void dismiss(struct unit_collector *self, struct record_schema *schema)
{
    const struct collect_unit_tree *tree = &self->scan->tree;

    for (size_t i = 0; i < NAMES_MAX; i++) {
        struct shown *shown = &self->shown[i];

        if (shown->label[0] == '\0' || bsearch(shown->label, tree->unit, tree->n,
                                               sizeof *tree->unit, by_label) != NULL)
            continue;
        collect_hide(schema, shown->id, COLLECT_UNIT_VALUES);
        shown->label[0] = '\0';
    }
}

/* Gives metrics to the SHOWN largest units that have none, while there is room. The
 * largest are kept in order while all units are gone through. */
static void admit(struct unit_collector *self, struct record_sample *sample)
{
    const struct collect_unit_tree *tree = &self->scan->tree;
    struct {
        double weight;
        size_t unit;
    } largest[SHOWN];
    size_t n = 0;

    for (size_t i = 0; i < tree->n; i++) {
        double weight = weight_of(self, &tree->unit[i]);
        size_t k = n;

        if (!(weight > 0) || (n == SHOWN && weight <= largest[n - 1].weight))
            continue;
        n += n < SHOWN;
        for (k = n - 1; k > 0 && largest[k - 1].weight < weight; k--)
            largest[k] = largest[k - 1];
        largest[k].weight = weight;
        largest[k].unit = i;
    }
    for (size_t k = 0; k < n; k++) {
        const char *label = tree->unit[largest[k].unit].label;
        struct shown *shown = find(self, label) == NULL ? free_entry(self) : NULL;

        if (shown != NULL && !show(sample, shown, label))
            self->no_room++;
    }
}

/* Adds a unit's values to a place; of the limits the worst is told, as in merge of the
 * tree. */
static void add_to(struct shown *shown, const double *value)
{
    for (int k = 0; k < COLLECT_UNIT_THROTTLED; k++)
        if (!isnan(value[k]))
            shown->value[k] =
                isnan(shown->value[k]) ? value[k] : shown->value[k] + value[k];
    shown->value[COLLECT_UNIT_THROTTLED] =
        fmax(shown->value[COLLECT_UNIT_THROTTLED], value[COLLECT_UNIT_THROTTLED]);
}

/* Shares out the units of a scan to places. "(others)" gets metrics with the first unit
 * that needs it. */
static void take_units(struct unit_collector *self, struct record_sample *sample)
{
    const struct collect_unit_tree *tree = &self->scan->tree;

    self->no_room = 0;
    dismiss(self, sample->schema);
    admit(self, sample);
    for (size_t i = 0; i < tree->n; i++) {
        struct shown *shown = find(self, tree->unit[i].label);

        if (shown == NULL) {
            shown = &self->shown[OTHERS];
            if (shown->label[0] == '\0')
                show(sample, shown, "(others)");
        }
        add_to(shown, tree->unit[i].value);
    }
}

/* Takes over a scan that has ended, and decides when the next one starts. */
static void take(struct unit_collector *self, struct record_sample *sample)
{
    const struct scan *scan = self->scan;

    self->waiting = false;
    self->left_out = scan->found ? scan->tree.left_out : 0;
    self->wait_ns = period_ns + (int64_t)scan->tree.n_before * per_unit_ns;
    if (!scan->found || scan->tree.n == 0)
        self->wait_ns = idle_ns;
    for (size_t i = 0; i <= NAMES_MAX; i++)
        for (int k = 0; k < COLLECT_UNIT_VALUES; k++)
            self->shown[i].value[k] = NAN;
    if (scan->found)
        take_units(self, sample);
}

static void start(struct unit_collector *self, struct record_sample *sample)
{
    self->started_ns = sample->mono_ns;
    self->scan->now_ns = sample->mono_ns;
    self->waiting = collect_worker_start(self->worker);
    if (self->waiting && !self->threads)
        take(self, sample);
}

static enum vd_status read_units(void *context, struct record_sample *sample,
                                 struct vd_error *err)
{
    struct unit_collector *self = context;
    bool running = self->waiting && collect_worker_is_running(self->worker);
    int64_t age = sample->mono_ns - self->started_ns;

    if (self->waiting && !running)
        take(self, sample);
    if (!running && (self->started_ns == 0 || !self->threads || age >= self->wait_ns))
        start(self, sample);
    if (running && age > stale_ns)
        return vd_error_set(err, VD_ERR_IO, NULL, "the control groups do not answer");
    for (size_t i = 0; i <= NAMES_MAX; i++)
        for (int k = 0; k < COLLECT_UNIT_VALUES && self->shown[i].label[0] != '\0'; k++)
            collect_put(sample, self->shown[i].id[k], self->shown[i].value[k]);
    if (self->left_out > 0)
        return vd_error_set(err, VD_ERR_LIMIT, NULL,
                            "%zu control groups beyond %d are not read", self->left_out,
                            COLLECT_UNITS_MAX);
    return collect_left_out(err, "units", self->no_room);
}

static void destroy(void *context)
{
    struct unit_collector *self = context;

    if (self == NULL)
        return;
    collect_worker_free(self->worker);
    free(self);
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct unit_collector *self = calloc(1, sizeof *self);
    struct scan *scan = calloc(1, sizeof *scan);

    (void)schema;
    (void)err;
    if (self == NULL || scan == NULL) {
        free(self);
        free(scan);
        return VD_ERR_MEMORY;
    }
    if (config->root != NULL)
        snprintf(scan->tree.root, sizeof scan->tree.root, "%s", config->root);
    self->threads = config->threads;
    self->scan = scan;
    self->cores = fmax((double)sysconf(_SC_NPROCESSORS_ONLN), 1);
    self->memory =
        fmax((double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE), 1);
    if (collect_worker_new(&self->worker, work, free, scan, config->threads) != VD_OK) {
        destroy(self);
        return VD_ERR_MEMORY;
    }
    *out = self;
    return VD_OK;
}

const struct collect_type collect_units = {
    .name = "units",
    .summary = "what units of systemd and containers use (control groups)",
    .rows = {COLLECT_TABLE(rows)},
    .create = create,
    .read = read_units,
    .destroy = destroy,
};
