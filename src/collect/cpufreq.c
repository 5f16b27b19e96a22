/* scaling_cur_freq of each core. The lines "cpu MHz" of /proc/cpuinfo, read every
 * CPUINFO_EVERY ticks, stand in where there are no such files (most virtual machines) and
 * for cores whose file says "<unknown>". Asking a core for its clock can wake it, and
 * there may be hundreds, so at most CORES_A_TICK are asked on a tick, in turns.
 */
#include "collect/cpufreq.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "collect/collectors.h"
#include "collect/cpu_list.h"
#include "collect/file.h"
#include "collect/fill.h"
#include "format/scan.h"

/* Counts in cores, and in ticks. Cores and their drivers hardly ever change, so their
 * files are looked for about once a minute. */
enum { CORES_A_TICK = 16, CPUINFO_EVERY = 10, LOOK_EVERY = 60 };

#define KHZ_MAX 1e8 /* 100 GHz: beyond is nonsense */

static const struct record_metric row = COLLECT_ROW_OF(
    "cpu", "cpu_core_freq", "MHz", CPU, 100, GAUGE, 1, "Clock rate of this core.");

struct core {
    struct collect_file file;
    bool exists; /* its file was there when looked for last */
    bool silent; /* the file was read and holds no number */
    size_t id;
    double mhz;  /* of its file */
    double told; /* of /proc/cpuinfo */
};

struct cpufreq_collector {
    char root[COLLECT_PATH_MAX];
    struct collect_file cpuinfo;
    struct collect_buffer buffer;
    struct core *core; /* by number; owned, grows */
    size_t n, next;    /* next: core to be asked first on the next tick */
    unsigned tick;
    bool has_files, any_silent;
    size_t cpu_freq;
};

/* Takes the clock rates of /proc/cpuinfo, in MHz. A CPU that is off has no lines, and
 * other machines than x86 have no such clock:
 * processor       : 0
 * model name      : ...
 * cpu MHz         : 2194.842 */
size_t collect_cpuinfo_parse(const char *text, size_t size, double *mhz, size_t n)
{
    struct format_scan t = format_scan_of(text, size);
    uint64_t cpu = UINT64_MAX;
    size_t seen = 0;
    double value;

    if (size == 0)
        return 0;
    do {
        bool number = format_scan_skip(&t, "processor");
        bool clock = !number && format_scan_skip(&t, "cpu MHz");

        if (!number && !clock)
            continue;
        format_scan_skip_blanks(&t);
        if (!format_scan_skip(&t, ":"))
            continue;
        if (number) {
            if (!format_scan_u64(&t, &cpu) || cpu >= n)
                cpu = UINT64_MAX;
            for (; cpu != UINT64_MAX && seen <= cpu; seen++)
                mhz[seen] = NAN;
        } else if (cpu != UINT64_MAX && format_scan_number(&t, &value) && value > 0 &&
                   value < KHZ_MAX / 1000) {
            mhz[cpu] = value;
        }
    } while (format_scan_next_line(&t));
    return seen;
}

/* Makes room for the cores below number n. A new one knows no clock rate and has no
 * metric. */
static enum vd_status grow(struct cpufreq_collector *self, size_t n)
{
    struct core *core = realloc(self->core, n * sizeof *core);

    if (core == NULL)
        return VD_ERR_MEMORY;
    self->core = core;
    for (; self->n < n; self->n++)
        self->core[self->n] = (struct core){
            .file.fd = -1, .id = COLLECT_NO_METRIC, .mhz = NAN, .told = NAN};
    return VD_OK;
}

/* Looks for the file of one core. One that is open needs no look: when the core goes
 * away, reading fails and closes it. */
static void look_at(struct cpufreq_collector *self, size_t cpu, bool present)
{
    struct core *core = &self->core[cpu];
    char path[COLLECT_PATH_MAX];

    if (core->file.fd >= 0)
        return;
    core->exists = present &&
                   collect_cpu_path(path, "", cpu, "cpufreq/scaling_cur_freq") &&
                   collect_file_init(&core->file, self->root, path) == VD_OK &&
                   access(core->file.path, R_OK) == 0;
    if (!core->exists) {
        core->silent = false;
        core->mhz = NAN;
    }
}

/* Looks which cores have a file now: cores and drivers come and go. */
static enum vd_status look(struct cpufreq_collector *self)
{
    bool present[COLLECT_CPUS_MAX];
    size_t end = collect_cpu_list(self->root, present);

    if (end > self->n && grow(self, end) != VD_OK)
        return VD_ERR_MEMORY;
    self->has_files = false;
    for (size_t i = 0; i < self->n; i++) {
        look_at(self, i, present[i]);
        self->has_files |= self->core[i].exists;
    }
    return VD_OK;
}

/* Asks one core for its clock rate, which counts as silent when it gives no number:
 * 2400000
 * in kHz */
static void ask_core(struct cpufreq_collector *self, struct core *core)
{
    bool read =
        core->exists && collect_file_read(&core->file, &self->buffer, NULL) == VD_OK;
    double khz = read ? format_scan_only_number(self->buffer.at, self->buffer.size) : NAN;

    core->mhz = khz > 0 && khz < KHZ_MAX ? khz / 1000 : NAN;
    core->silent = read && isnan(core->mhz);
    self->any_silent |= core->silent;
}

/* Asks up to CORES_A_TICK cores, going on behind the last one of the tick before. Numbers
 * without a core cost nothing, so they do not count. */
static void ask_files(struct cpufreq_collector *self)
{
    size_t asked = 0;

    for (size_t i = 0; i < self->n && asked < CORES_A_TICK; i++) {
        struct core *core = &self->core[self->next];

        asked += core->exists;
        ask_core(self, core);
        self->next = (self->next + 1) % self->n;
    }
}

static enum vd_status ask_cpuinfo(struct cpufreq_collector *self, struct vd_error *err)
{
    double mhz[COLLECT_CPUS_MAX];
    enum vd_status status;
    size_t n;

    /* Writing this file takes the kernel 30 us a core, and where it is all there is the
     * clock rates are mostly constant. */
    if (self->tick % CPUINFO_EVERY != 0)
        return VD_OK;
    self->any_silent = false;
    status = collect_file_read(&self->cpuinfo, &self->buffer, err);
    if (status != VD_OK)
        return status;
    n = collect_cpuinfo_parse(self->buffer.at, self->buffer.size, mhz, COLLECT_CPUS_MAX);
    if (n > self->n && grow(self, n) != VD_OK)
        return VD_ERR_MEMORY;
    for (size_t i = 0; i < self->n; i++)
        self->core[i].told = i < n ? mhz[i] : NAN;
    return VD_OK;
}

/* Takes the core's own file where it says a number, /proc/cpuinfo otherwise. */
static double clock_of(const struct cpufreq_collector *self, const struct core *core)
{
    return core->silent || !self->has_files ? core->told : core->mhz;
}

/* Cores without a clock rate get no metric before they have one. */
static void fill(struct cpufreq_collector *self, struct record_sample *sample)
{
    double sum = 0;
    size_t known = 0;
    char label[24];

    for (size_t i = 0; i < self->n; i++) {
        struct core *core = &self->core[i];
        double mhz = clock_of(self, core);

        if (isnan(mhz))
            continue;
        if (core->id == COLLECT_NO_METRIC) {
            snprintf(label, sizeof label, "%zu", i);
            collect_add_rows_now(sample, &row, 1, label, &core->id);
        }
        collect_put(sample, core->id, mhz);
        sum += mhz;
        known++;
    }
    collect_put(sample, self->cpu_freq, known > 0 ? sum / (double)known : NAN);
}

static enum vd_status read_cpufreq(void *context, struct record_sample *sample,
                                   struct vd_error *err)
{
    struct cpufreq_collector *self = context;
    enum vd_status status = VD_OK;

    if (self->tick % LOOK_EVERY == 0)
        status = look(self);
    if (status != VD_OK)
        return status;
    if (self->has_files)
        ask_files(self);
    /* Beside the files, /proc/cpuinfo only stands in for single cores, so that it cannot
     * be read is no failure of the collector. */
    if (!self->has_files)
        status = ask_cpuinfo(self, err);
    else if (self->any_silent)
        ask_cpuinfo(self, NULL);
    self->tick++;
    fill(self, sample);
    return status;
}

static void destroy(void *context)
{
    struct cpufreq_collector *self = context;

    if (self == NULL)
        return;
    for (size_t i = 0; i < self->n; i++)
        collect_file_release(&self->core[i].file);
    collect_file_release(&self->cpuinfo);
    collect_buffer_release(&self->buffer);
    free(self->core);
    free(self);
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct cpufreq_collector *self = calloc(1, sizeof *self);

    (void)err;
    if (self == NULL)
        return VD_ERR_MEMORY;
    collect_path(self->root, config->root, "", NULL);
    collect_file_init(&self->cpuinfo, config->root, "/proc/cpuinfo");
    self->cpu_freq = collect_core(schema, COLLECT_CPU_FREQ);
    *out = self;
    return VD_OK;
}

const struct collect_type collect_cpufreq = {
    .name = "cpufreq",
    .summary = "clock rate of each core",
    .rows = {{&row, 1}},
    .create = create,
    .read = read_cpufreq,
    .destroy = destroy,
};
