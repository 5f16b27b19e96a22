/* What the control group around this program allows and uses: that of the container or
 * unit it runs in. Of memory the group with the least room left counts, of CPU time the
 * one with the smallest quota; a parent's limit holds for all below it.
 *
 * Where the group has less memory left than the machine, the core metric follows the
 * group: what runs here dies of that limit, however much the machine has.
 */
#include "collect/cgroup.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/collectors.h"
#include "collect/fill.h"

/* Counts in ticks. A program is hardly ever moved to another group and limits change
 * seldom, so most ticks save the search and the reads. */
enum { LOOK_EVERY = 60, LIMITS_EVERY = 10 };

#define GIB_OF_KIB (1.0 / (1024 * 1024))

enum { LIMIT, USED, PERCENT, KILLS, MEMORY_ROWS };

static const struct record_metric memory_rows[MEMORY_ROWS] = {
    [LIMIT] = COLLECT_ROW("cgroup_memory_limit_gb", "GB", MEMORY, 0.1, GAUGE, GIB_OF_KIB,
                          "Memory that this container or unit may have."),
    [USED] = COLLECT_ROW("cgroup_memory_used_gb", "GB", MEMORY, 0.1, GAUGE, GIB_OF_KIB,
                         "Memory that it has, without files that can be dropped."),
    [PERCENT] = COLLECT_ROW("cgroup_memory_percent", "%", MEMORY, 0.75, GAUGE, 1,
                            "Memory in use, of what it may have."),
    [KILLS] = COLLECT_ROW("cgroup_oom_kills", "1/s", MEMORY, 0.1, RATE, 1,
                          "Programs in it killed because memory ran out."),
};

enum { QUOTA, BUSY, THROTTLED, WAITED, CPU_ROWS };

static const struct record_metric cpu_rows[CPU_ROWS] = {
    [QUOTA] = COLLECT_ROW("cgroup_cpu_limit_cores", "cores", CPU, 0, GAUGE, 1,
                          "CPU time that this container or unit may have."),
    [BUSY] = COLLECT_SHARE_ROW("cgroup_cpu_percent", CPU, 2, RATE, 100,
                               "CPU time used, of what it may have."),
    [THROTTLED] = COLLECT_SHARE_ROW("cgroup_cpu_throttled_percent", CPU, 2, RATIO, 100,
                                    "Periods in which it had used up its CPU time."),
    [WAITED] = COLLECT_ROW("cgroup_cpu_throttled_ms", "ms/s", CPU, 0, RATE, 1000,
                           "Time that its programs were held back, all together."),
};

/* The names of the files, first those of version 1. */
static const struct names {
    const char *limit, *used, *dropped, *events;
    const char *quota, *waited;
    double waited_s; /* one of its units in seconds */
} names[] = {
    {"/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file",
     "/memory.oom_control", "/cpu.cfs_quota_us", "throttled_time", 1e-9},
    {"/memory.max", "/memory.current", "inactive_file", "/memory.events", "/cpu.max",
     "throttled_usec", 1e-6},
};

/* What the counters of the tick before belonged to. */
struct followed {
    char folder[COLLECT_PATH_MAX];
    double limit;
};

struct cgroup_collector {
    char root[COLLECT_PATH_MAX];
    unsigned tick;
    struct collect_cgroup_place memory, cpu, accounting;
    double limit[COLLECT_CGROUP_LEVELS]; /* bytes, by level; not finite = none */
    double quota[COLLECT_CGROUP_LEVELS]; /* cores */
    struct collect_buffer buffer;
    bool has_memory, has_cpu; /* the metrics are there */
    struct followed cpu_before, memory_before;
    size_t memory_id[MEMORY_ROWS], cpu_id[CPU_ROWS];
    size_t core, available; /* of the machine's memory */
    char note[256];
};

/* ---- files ---- */

/* Reads the file `name` of a group into the buffer; false when it is not there. */
static bool read_file(struct cgroup_collector *self, const char *folder, const char *name)
{
    struct collect_file file;
    bool good;

    if (collect_file_init(&file, folder, name) != VD_OK)
        return false;
    good = collect_file_read(&file, &self->buffer, NULL) == VD_OK;
    collect_file_release(&file);
    return good;
}

/* Returns the number behind `key` in a file of the group, or, without a key, the limit
 * that the file holds (INFINITY for "max"). NaN when the file is not there or says
 * neither. */
static double value_in(struct cgroup_collector *self, const char *folder,
                       const char *name, const char *key)
{
    if (!read_file(self, folder, name))
        return NAN;
    return key == NULL ? collect_cgroup_limit(self->buffer.at, self->buffer.size)
                       : collect_cgroup_value(self->buffer.at, self->buffer.size, key);
}

static const struct names *names_of(const struct collect_cgroup_place *place)
{
    return &names[place->version == 2];
}

/* Returns the group's path as people know it: without the mount point before it, "/" for
 * the group of the mount itself. */
static const char *group_name(const struct collect_cgroup_place *place,
                              const char *folder)
{
    const char *name = folder + strlen(place->point);

    return *name == '\0' ? "/" : name;
}

/* ---- memory ---- */

/* The group whose memory will run out first, as far as limits go. */
struct memory {
    const char *folder; /* NULL = there is no limit */
    double limit, used; /* in bytes */
};

/* Returns the bytes that the group holds and cannot give back. Files that nobody looked
 * at for a while (inactive_file) do not count: the kernel drops them before it kills
 * anything. NaN when the use cannot be read. */
static double used_memory(struct cgroup_collector *self, const char *folder,
                          const struct names *of)
{
    double used = value_in(self, folder, of->used, NULL);
    double dropped = value_in(self, folder, "/memory.stat", of->dropped);

    if (!isfinite(used))
        return NAN;
    return dropped > 0 ? fmax(0, used - dropped) : used;
}

/* Returns the bytes that are left below the limit. Where the use cannot be read it is the
 * whole limit, so that a small group is found even then. */
static double room_in(const struct memory *memory)
{
    return isnan(memory->used) ? memory->limit : memory->limit - memory->used;
}

/* Finds the level with the least room: its limit is hit first. A limit of 0 is left out,
 * since nothing is a share of it. */
static struct memory find_memory(struct cgroup_collector *self)
{
    const struct names *of = names_of(&self->memory);
    struct memory least = {NULL, NAN, NAN};

    for (size_t i = 0; i < self->memory.n; i++) {
        struct memory here = {self->memory.folder[i], self->limit[i], NAN};

        if (!isfinite(here.limit) || here.limit == 0)
            continue;
        here.used = used_memory(self, here.folder, of);
        if (least.folder == NULL || room_in(&here) < room_in(&least))
            least = here;
    }
    return least;
}

/* Tells whether counters go on from those of the tick before. They do not when they
 * belong to another group now, or are measured by another limit: the leap would be taken
 * for a rate. */
static bool goes_on(struct followed *before, const char *folder, double limit)
{
    bool first = before->folder[0] == '\0';
    bool same = strcmp(before->folder, folder) == 0 && before->limit == limit;

    snprintf(before->folder, sizeof before->folder, "%s", folder);
    before->limit = limit;
    return first || same;
}

/* Puts the group's memory in the place of the machine's, unless the machine itself has
 * less left: whichever is smaller is what programs here run into. `left_kib` is NaN when
 * the group's use is unknown. */
static void follow(const struct cgroup_collector *self, struct record_sample *sample,
                   double left_kib, double percent)
{
    bool known = self->available != SIZE_MAX && !isnan(sample->raw[self->available]);

    if (isnan(left_kib) || (known && sample->raw[self->available] <= left_kib))
        return;
    collect_put(sample, self->available, fmax(0, left_kib));
    collect_put(sample, self->core, percent);
}

/* Registers the metrics when the first limit is found: most machines have none, and would
 * have columns without a number. */
static void fill_memory(struct cgroup_collector *self, struct record_sample *sample,
                        const struct memory *memory)
{
    double kills = NAN, percent = fmin(100, 100 * memory->used / memory->limit);

    if (memory->folder == NULL)
        return;
    if (!self->has_memory)
        collect_add_rows_now(sample, memory_rows, MEMORY_ROWS, NULL, self->memory_id);
    self->has_memory = true;
    if (isnan(memory->used))
        percent = NAN;
    if (goes_on(&self->memory_before, memory->folder, 0))
        kills =
            value_in(self, memory->folder, names_of(&self->memory)->events, "oom_kill");
    collect_put(sample, self->memory_id[LIMIT], memory->limit / 1024);
    collect_put(sample, self->memory_id[USED], memory->used / 1024);
    collect_put(sample, self->memory_id[PERCENT], percent);
    collect_put(sample, self->memory_id[KILLS], kills);
    follow(self, sample, (memory->limit - memory->used) / 1024, percent);
}

/* ---- CPU time ---- */

/* Returns the quota of a group in cores. Version 1 has the quota and its period in two
 * files, in microseconds; -1, which stands for none, is no number here and gives NaN. */
static double quota_of(struct cgroup_collector *self, const char *folder)
{
    double quota, period;

    if (!read_file(self, folder, names_of(&self->cpu)->quota))
        return INFINITY;
    if (self->cpu.version == 2)
        return collect_cgroup_quota(self->buffer.at, self->buffer.size);
    quota = collect_cgroup_limit(self->buffer.at, self->buffer.size);
    period = value_in(self, folder, "/cpu.cfs_period_us", NULL);
    return quota / period;
}

/* Returns the CPU time that the group of level i used, in seconds. Version 1 counts it
 * elsewhere, and not always by the same groups. */
static double used_cpu(struct cgroup_collector *self, size_t i)
{
    const struct collect_cgroup_place *other = &self->accounting;
    const char *folder = self->cpu.folder[i];

    if (self->cpu.version == 2)
        return 1e-6 * value_in(self, folder, "/cpu.stat", "usage_usec");
    for (size_t k = 0; k < other->n && other->version == 1; k++)
        if (strcmp(group_name(other, other->folder[k]), group_name(&self->cpu, folder)) ==
            0)
            return 1e-9 * value_in(self, other->folder[k], "/cpuacct.usage", NULL);
    return NAN;
}

/* Fills in what the group of that level uses of its quota. The counters are left out on a
 * tick on which the group or its quota is another one than before. */
static void fill_cpu(struct cgroup_collector *self, struct record_sample *sample,
                     size_t level)
{
    const struct names *of = names_of(&self->cpu);
    const struct collect_buffer *stat = &self->buffer;
    double used = used_cpu(self, level), quota = self->quota[level];

    if (!self->has_cpu)
        collect_add_rows_now(sample, cpu_rows, CPU_ROWS, NULL, self->cpu_id);
    self->has_cpu = true;
    collect_put(sample, self->cpu_id[QUOTA], quota);
    if (!goes_on(&self->cpu_before, self->cpu.folder[level], quota))
        return;
    collect_put(sample, self->cpu_id[BUSY], used / quota);
    if (!read_file(self, self->cpu.folder[level], "/cpu.stat"))
        return;
    collect_put_ratio(sample, self->cpu_id[THROTTLED],
                      collect_cgroup_value(stat->at, stat->size, "nr_throttled"),
                      collect_cgroup_value(stat->at, stat->size, "nr_periods"));
    collect_put(sample, self->cpu_id[WAITED],
                of->waited_s * collect_cgroup_value(stat->at, stat->size, of->waited));
}

/* Finds the level with the smallest quota; returns n of the place when no level has one.
 */
static size_t find_quota(const struct cgroup_collector *self)
{
    size_t found = self->cpu.n;

    for (size_t i = 0; i < self->cpu.n; i++)
        if (self->quota[i] > 0 && isfinite(self->quota[i]) &&
            (found == self->cpu.n || self->quota[i] < self->quota[found]))
            found = i;
    return found;
}

/* ---- the collector ---- */

/* Says which limits were found and of which group, for people who ask what this collector
 * sees. Names of groups can be long and are cut. */
static void write_note(struct cgroup_collector *self, const struct memory *memory,
                       size_t level)
{
    char held[128] = "no memory limit", time[128] = "no CPU limit";

    if (self->memory.version == 0 && self->cpu.version == 0) {
        snprintf(self->note, sizeof self->note, "no control groups here");
        return;
    }
    if (memory->folder != NULL)
        snprintf(held, sizeof held, "%.6g MiB of memory (v%d %.80s)",
                 memory->limit / (1 << 20), self->memory.version,
                 group_name(&self->memory, memory->folder));
    if (level < self->cpu.n)
        snprintf(time, sizeof time, "%.4g cores (v%d %.80s)", self->quota[level],
                 self->cpu.version, group_name(&self->cpu, self->cpu.folder[level]));
    snprintf(self->note, sizeof self->note, "%.120s, %.120s", held, time);
}

/* Finds the groups anew, because a program can be moved to another one while it runs. In
 * version 1 the CPU time that was used stands in a tree of its own (cpuacct). */
static void look(struct cgroup_collector *self, const struct record_schema *schema)
{
    collect_cgroup_find(&self->memory, self->root, "memory", &self->buffer);
    collect_cgroup_find(&self->cpu, self->root, "cpu", &self->buffer);
    collect_cgroup_find(&self->accounting, self->root, "cpuacct", &self->buffer);
    self->available = record_schema_find(schema, "memory_available_gb");
}

static void read_limits(struct cgroup_collector *self)
{
    for (size_t i = 0; i < self->memory.n; i++)
        self->limit[i] =
            value_in(self, self->memory.folder[i], names_of(&self->memory)->limit, NULL);
    for (size_t i = 0; i < self->cpu.n; i++)
        self->quota[i] = quota_of(self, self->cpu.folder[i]);
}

static enum vd_status read_cgroup(void *context, struct record_sample *sample,
                                  struct vd_error *err)
{
    struct cgroup_collector *self = context;
    struct memory memory;
    size_t level;

    (void)err;
    if (self->tick % LOOK_EVERY == 0)
        look(self, sample->schema);
    if (self->tick++ % LIMITS_EVERY == 0)
        read_limits(self);
    memory = find_memory(self);
    fill_memory(self, sample, &memory);
    level = find_quota(self);
    if (level < self->cpu.n)
        fill_cpu(self, sample, level);
    write_note(self, &memory, level);
    return VD_OK;
}

static const char *note(const void *context)
{
    const struct cgroup_collector *self = context;

    return self->note;
}

static void destroy(void *context)
{
    struct cgroup_collector *self = context;

    if (self == NULL)
        return;
    collect_buffer_release(&self->buffer);
    free(self);
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct cgroup_collector *self = calloc(1, sizeof *self);

    (void)err;
    if (self == NULL)
        return VD_ERR_MEMORY;
    collect_path(self->root, config->root, "", NULL);
    self->core = collect_core(schema, COLLECT_CPU_MEMORY);
    *out = self;
    return VD_OK;
}

const struct collect_type collect_cgroup = {
    .name = "cgroup",
    .summary = "what this container or unit may have of memory and CPU time, and uses",
    .rows = {COLLECT_TABLE(memory_rows), COLLECT_TABLE(cpu_rows)},
    .create = create,
    .read = read_cgroup,
    .destroy = destroy,
    .note = note,
};
