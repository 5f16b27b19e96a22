/* Graphics processors, read by a worker: a driver may take tens of milliseconds. NVIDIA's
 * come first, then the others in the order of /sys/class/drm. The core metrics are the
 * busiest, the fullest and the hottest of them; with more than one, each has its own too.
 * NVIDIA's library is tried again every minute, so a driver that is loaded later counts;
 * it is let go when the driver goes. While all of NVIDIA's processors sleep it is not
 * asked, as any question wakes them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/collectors.h"
#include "collect/file.h"
#include "collect/fill.h"
#include "collect/gpu_sysfs.h"
#include "collect/nvml.h"
#include "collect/worker.h"
#include "os/clock.h"

/* Ticks come a second apart and not exactly, so the worker may start a little earlier.
 * Without a processor it looks once a minute; a driver that takes ten seconds hangs. */
static const int64_t period_ns = 950000000, idle_ns = 60000000000, stale_ns = 10000000000;

enum { PERCENT, MEMORY, CELSIUS, WATTS, ROWS };

static const struct record_metric rows[ROWS] = {
    [PERCENT] = COLLECT_ROW_OF("gpu", "gpu_percent", "%", GPU, 2, GAUGE, 1, "Load."),
    [MEMORY] =
        COLLECT_ROW_OF("gpu", "gpu_memory", "%", GPU, 0.75, GAUGE, 1, "Memory in use."),
    [CELSIUS] = COLLECT_ROW_OF("gpu", "gpu_temp", "C", GPU, 2, GAUGE, 1, "Temperature."),
    [WATTS] = COLLECT_ROW_OF("gpu", "gpu_power", "W", GPU, 5, GAUGE, 1, "Power drawn."),
};

/* Belongs to the worker while it runs. */
struct scan {
    char drm[COLLECT_PATH_MAX], nvidia[COLLECT_PATH_MAX], library[COLLECT_PATH_MAX];
    bool any_library; /* NVIDIA's is opened; not so for a recorded tree by default */
    collect_nvml *nvml;
    struct collect_gpu_state gpu[COLLECT_GPUS_MAX];
    struct collect_gpu_slept slept[COLLECT_GPUS_MAX];
    size_t n;
    struct collect_gpu_process process[COLLECT_GPU_PROCESSES_MAX];
    size_t n_processes;
    int64_t tried_ns; /* when the library was tried last; 0 = never */
    struct vd_error err;
};

/* What the tick's side holds: copies of the last scan, since the worker writes into its
 * own. */
struct gpu_collector {
    collect_worker *worker;
    struct scan *scan;
    bool threads, waiting;
    int64_t started_ns;
    struct collect_gpu_state gpu[COLLECT_GPUS_MAX];
    size_t n, registered;
    struct collect_gpu_process process[COLLECT_GPU_PROCESSES_MAX];
    size_t n_processes;
    struct vd_error err;
    size_t core[3]; /* gpu_percent, gpu_memory, gpu_temp */
    size_t id[COLLECT_GPUS_MAX][ROWS];
};

/* ---- the work ---- */

/* Tries the library at most once a minute: it is on few machines, and looking for it
 * costs several system calls. */
static void open_library(struct scan *scan, int64_t now)
{
    if (scan->nvml != NULL || (scan->tried_ns != 0 && now - scan->tried_ns < idle_ns))
        return;
    scan->tried_ns = now;
    vd_error_clear(&scan->err);
    collect_nvml_open(&scan->nvml, scan->library[0] == '\0' ? NULL : scan->library,
                      &scan->err);
}

/* Reads NVIDIA's processors. A library that fails to count them belongs to a driver that
 * went: it is closed, which lets the driver be replaced, and opened anew on the next run.
 */
static void ask_library(struct scan *scan, int64_t now)
{
    open_library(scan, now);
    if (scan->nvml == NULL)
        return;
    if (!collect_nvml_read(scan->nvml, scan->gpu, COLLECT_GPUS_MAX, &scan->n)) {
        collect_nvml_close(scan->nvml);
        scan->nvml = NULL;
        scan->tried_ns = 0;
        return;
    }
    scan->n_processes =
        collect_nvml_processes(scan->nvml, scan->process, COLLECT_GPU_PROCESSES_MAX);
}

/* Reads all processors. Those of NVIDIA that sleep are listed without being asked, with a
 * load of 0, so that their numbers do not move to others. */
static void work(void *context)
{
    struct scan *scan = context;
    int64_t now = os_clock_mono_ns();
    size_t asleep = collect_gpu_all_asleep(scan->nvidia, COLLECT_GPUS_MAX);

    scan->n = scan->n_processes = 0;
    if (scan->any_library && asleep == 0)
        ask_library(scan, now);
    for (; scan->any_library && scan->n < asleep; scan->n++)
        scan->gpu[scan->n] = (struct collect_gpu_state){"NVIDIA", 0, NAN, NAN, NAN, NAN};
    scan->n += collect_gpu_sysfs_read(scan->drm, scan->gpu + scan->n, scan->slept,
                                      COLLECT_GPUS_MAX - scan->n, now);
}

static void free_scan(void *context)
{
    struct scan *scan = context;

    collect_nvml_close(scan->nvml);
    free(scan);
}

/* ---- the tick's side ---- */

/* Copies what the worker found. It may be called only while the worker does not run. */
static void take(struct gpu_collector *self)
{
    const struct scan *scan = self->scan;

    self->waiting = false;
    self->n = scan->n;
    memcpy(self->gpu, scan->gpu, sizeof self->gpu);
    self->n_processes = scan->n_processes;
    memcpy(self->process, scan->process, sizeof self->process);
    self->err = scan->err;
}

static double memory_percent(const struct collect_gpu_state *gpu)
{
    double percent = 100 * gpu->memory_used / gpu->memory_total;

    return percent >= 0 && percent <= 100 ? percent : NAN;
}

/* Returns the value where it can be one; NaN otherwise, since drivers give -1 and worse.
 */
static double in_range(double value, double min, double max)
{
    return value >= min && value <= max ? value : NAN;
}

/* Puts the most of each kind as the core metrics. A single processor has no metrics of
 * its own, as those would be the same. */
static void fill(struct gpu_collector *self, struct record_sample *sample)
{
    double most[3] = {NAN, NAN, NAN};
    char label[24];

    for (; self->n > 1 && self->registered < self->n; self->registered++) {
        snprintf(label, sizeof label, "%zu", self->registered);
        collect_add_rows_now(sample, rows, ROWS, label, self->id[self->registered]);
    }
    for (size_t i = 0; i < self->n; i++) {
        double value[ROWS] = {
            [PERCENT] = in_range(self->gpu[i].percent, 0, 100),
            [MEMORY] = memory_percent(&self->gpu[i]),
            [CELSIUS] = in_range(self->gpu[i].celsius, -50, 200),
            [WATTS] = in_range(self->gpu[i].watts, 0, 5000),
        };

        for (int k = 0; k < 3; k++)
            most[k] = fmax(most[k], value[k]);
        for (int k = 0; k < ROWS && i < self->registered; k++)
            collect_put(sample, self->id[i][k], value[k]);
    }
    for (int k = 0; k < 3; k++)
        collect_put(sample, self->core[k], most[k]);
}

/* Finds a process by halving: the table is sorted by pid. */
static struct record_process *find_process(struct record_processes *processes, int pid)
{
    size_t low = 0, high = processes->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (processes->at[middle].pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < processes->n && processes->at[low].pid == pid ? &processes->at[low]
                                                               : NULL;
}

/* Writes the load and memory into the table that the processes' collector made on this
 * tick. All are unknown first: a process that ended its work must not keep old numbers.
 */
static void fill_processes(const struct gpu_collector *self,
                           struct record_processes *processes)
{
    if (processes == NULL || self->n == 0)
        return;
    for (size_t i = 0; i < processes->n; i++)
        processes->at[i].gpu_percent = processes->at[i].gpu_bytes = NAN;
    for (size_t i = 0; i < self->n_processes; i++) {
        struct record_process *process = find_process(processes, self->process[i].pid);

        if (process == NULL)
            continue;
        process->gpu_percent = self->process[i].percent;
        process->gpu_bytes = self->process[i].bytes;
    }
}

static bool is_due(const struct gpu_collector *self, int64_t now)
{
    int64_t age = now - self->started_ns;

    if (self->started_ns == 0 || !self->threads)
        return true;
    return age >= (self->n == 0 ? idle_ns : period_ns);
}

static enum vd_status read_gpu(void *context, struct record_sample *sample,
                               struct vd_error *err)
{
    struct gpu_collector *self = context;
    bool running = self->waiting && collect_worker_is_running(self->worker);

    if (self->waiting && !running)
        take(self);
    if (!running && is_due(self, sample->mono_ns)) {
        self->waiting = collect_worker_start(self->worker);
        self->started_ns = sample->mono_ns;
        /* Without a thread the work was done within the call. */
        if (self->waiting && !self->threads)
            take(self);
    }
    /* A driver that hangs leaves the metrics unknown: the numbers are too old to be told.
     */
    if (running && sample->mono_ns - self->started_ns > stale_ns)
        return vd_error_set(err, VD_ERR_IO, NULL, "the graphics driver does not answer");
    fill(self, sample);
    fill_processes(self, sample->processes);
    if (self->err.status != VD_OK)
        return vd_error_set(err, self->err.status, self->err.hint, "%s", self->err.text);
    return VD_OK;
}

static void destroy(void *context)
{
    struct gpu_collector *self = context;

    if (self == NULL)
        return;
    collect_worker_free(self->worker);
    free(self);
}

/* Decides which library is asked, if any. A recorded tree has no driver, and this
 * machine's belongs to it only when it was named. */
static void set_library(struct scan *scan, const struct collect_config *config)
{
    struct collect_file probe;

    collect_file_init(&probe, config->root, "/");
    scan->any_library = probe.keep || config->nvml_library != NULL;
    if (config->nvml_library != NULL)
        snprintf(scan->library, sizeof scan->library, "%s", config->nvml_library);
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct gpu_collector *self = calloc(1, sizeof *self);
    struct scan *scan = calloc(1, sizeof *scan);

    (void)err;
    if (self == NULL || scan == NULL) {
        free(self);
        free(scan);
        return VD_ERR_MEMORY;
    }
    collect_path(scan->drm, config->root, "/sys/class/drm/", NULL);
    collect_path(scan->nvidia, config->root, "/sys/bus/pci/drivers/nvidia/", NULL);
    set_library(scan, config);
    self->scan = scan;
    self->threads = config->threads;
    for (int i = 0; i < 3; i++)
        self->core[i] = collect_core(schema, COLLECT_GPU_PERCENT + i);
    if (collect_worker_new(&self->worker, work, free_scan, scan, config->threads) !=
        VD_OK) {
        destroy(self);
        return VD_ERR_MEMORY;
    }
    *out = self;
    return VD_OK;
}

const struct collect_type collect_gpu = {
    .name = "gpu",
    .summary = "graphics processors of NVIDIA, AMD and Intel",
    .rows = {COLLECT_TABLE(rows)},
    .create = create,
    .read = read_gpu,
    .destroy = destroy,
};
