/* Sensors of /sys/class/hwmon, and thermal zones where there are none for the processor.
 * A sensor may sit behind a slow bus, so a worker reads them; a tick takes the last
 * numbers. The list of sensors is made anew each minute, and on a machine without any the
 * worker sleeps in between.
 */
#include <stdio.h>
#include <stdlib.h>

#include "collect/collectors.h"
#include "collect/file.h"
#include "collect/fill.h"
#include "collect/worker.h"
#include "format/scan.h"

enum { SENSORS_MAX = 32, RESCAN_READS = 60, LABEL_MAX = 64 };

static const int64_t period_ns = 950000000, idle_ns = 60000000000, stale_ns = 10000000000;

static const struct record_metric row =
    COLLECT_ROW_OF("sensor", "temperature", "C", GAUGE, 1, "What this sensor says.");

struct sensor {
    char label[LABEL_MAX]; /* "coretemp Package id 0" */
    bool processor;        /* counts for cpu_temp */
    struct collect_file file;
    double celsius;
};

/* Belongs to the worker while it runs. */
struct scan {
    char hwmon[COLLECT_PATH_MAX], zones[COLLECT_PATH_MAX];
    bool keep;
    struct collect_buffer buffer;
    struct sensor sensor[SENSORS_MAX];
    size_t n;
    unsigned reads;
};

struct thermal_collector {
    collect_worker *worker;
    struct scan *scan;
    bool threads, waiting;
    int64_t started_ns, taken_ns;
    size_t cpu_temp;
    double processor;
    struct {
        char label[LABEL_MAX];
        size_t id;
        double celsius;
    } shown[SENSORS_MAX];
    size_t n;
};

/* ---- finding sensors ---- */

/* Drivers that measure the processor itself. */
static bool is_processor(const char *chip)
{
    static const char *const names[] = {"coretemp",    "k10temp",     "zenpower",
                                        "cpu_thermal", "cpu-thermal", "soc_thermal",
                                        "fam15h_power"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(chip, names[i]) == 0)
            return true;
    return false;
}

/* Thermal zones by type: "x86_pkg_temp", "cpu-thermal", "cpu0-thermal", "soc-thermal". */
static bool is_processor_zone(const char *type)
{
    return strcmp(type, "x86_pkg_temp") == 0 || strncmp(type, "cpu", 3) == 0 ||
           strncmp(type, "soc", 3) == 0;
}

static bool add_sensor(struct scan *scan, const char *label, const char *path,
                       bool processor)
{
    struct sensor *sensor;

    if (scan->n == SENSORS_MAX)
        return false;
    for (size_t i = 0; i < scan->n; i++)
        if (strcmp(scan->sensor[i].label, label) == 0)
            return false;
    sensor = &scan->sensor[scan->n];
    if (collect_file_init(&sensor->file, NULL, path) != VD_OK)
        return false;
    sensor->file.keep = scan->keep;
    snprintf(sensor->label, sizeof sensor->label, "%s", label);
    sensor->processor = processor;
    sensor->celsius = NAN;
    scan->n++;
    return true;
}

/* "temp1_input" of one chip; the label is temp1_label, or "temp1". */
static void add_input(struct scan *scan, const char *folder, const char *chip,
                      const char *file)
{
    char path[COLLECT_PATH_MAX], name[COLLECT_PATH_MAX], text[32], label[LABEL_MAX + 64];
    size_t length = strlen(file);

    if (strncmp(file, "temp", 4) != 0 || length < 10 ||
        strcmp(file + length - 6, "_input") != 0)
        return;
    snprintf(name, sizeof name, "/%.*s_label", (int)(length - 6), file);
    if (!collect_path(path, NULL, folder, name) ||
        collect_file_small(path, text, sizeof text) <= 0)
        snprintf(text, sizeof text, "%.*s", (int)(length - 6), file);
    snprintf(label, sizeof label, "%s %s", chip, text);
    snprintf(name, sizeof name, "/%s", file);
    if (!collect_path(path, NULL, folder, name))
        return;
    /* Single cores, and the controller's offset reading, say less than the package. */
    add_sensor(scan, label, path, is_processor(chip) && strncmp(text, "Core ", 5) != 0);
}

static void find_chip(struct scan *scan, const char *folder)
{
    enum { FILES_MAX = 128, NAME = 32 };
    char path[COLLECT_PATH_MAX], chip[32], (*files)[NAME];
    size_t n;

    if (!collect_path(path, NULL, folder, "/name") ||
        collect_file_small(path, chip, sizeof chip) <= 0)
        return;
    files = malloc(FILES_MAX * sizeof *files);
    if (files == NULL)
        return;
    n = collect_folder(folder, files[0], NAME, FILES_MAX);
    for (size_t i = 0; i < n; i++)
        add_input(scan, folder, chip, files[i]);
    free(files);
}

static void find_zone(struct scan *scan, const char *folder)
{
    char path[COLLECT_PATH_MAX], type[LABEL_MAX];

    if (!collect_path(path, NULL, folder, "/type") ||
        collect_file_small(path, type, sizeof type) <= 0)
        return;
    if (collect_path(path, NULL, folder, "/temp"))
        add_sensor(scan, type, path, is_processor_zone(type));
}

static void find_in(struct scan *scan, const char *folder, const char *prefix,
                    void (*find)(struct scan *scan, const char *folder))
{
    char names[64][32], path[COLLECT_PATH_MAX];
    size_t n = collect_folder(folder, names[0], sizeof names[0], 64);

    for (size_t i = 0; i < n; i++)
        if (strncmp(names[i], prefix, strlen(prefix)) == 0 &&
            collect_path(path, NULL, folder, names[i]))
            find(scan, path);
}

static void forget_sensors(struct scan *scan)
{
    for (size_t i = 0; i < scan->n; i++)
        collect_file_release(&scan->sensor[i].file);
    scan->n = 0;
}

static void find_sensors(struct scan *scan)
{
    bool processor = false;

    forget_sensors(scan);
    find_in(scan, scan->hwmon, "hwmon", find_chip);
    for (size_t i = 0; i < scan->n; i++)
        processor |= scan->sensor[i].processor;
    if (!processor)
        find_in(scan, scan->zones, "thermal_zone", find_zone);
}

/* ---- reading them ---- */

/* 47000
 * in thousandths of a degree. What no sensor of a running machine can say is no
 * temperature: some give 0, -273 or 255 when they are off. */
static double read_celsius(struct sensor *sensor, struct collect_buffer *buffer)
{
    double celsius;

    if (collect_file_read(&sensor->file, buffer, NULL) != VD_OK)
        return NAN;
    celsius = collect_text_only_number(buffer->at, buffer->size) / 1000;
    return celsius > -60 && celsius < 200 && celsius != 0 ? celsius : NAN;
}

static void work(void *context)
{
    struct scan *scan = context;

    if (scan->n == 0 || scan->reads++ % RESCAN_READS == 0)
        find_sensors(scan);
    for (size_t i = 0; i < scan->n; i++)
        scan->sensor[i].celsius = read_celsius(&scan->sensor[i], &scan->buffer);
}

static void free_scan(void *context)
{
    struct scan *scan = context;

    forget_sensors(scan);
    collect_buffer_release(&scan->buffer);
    free(scan);
}

/* ---- the tick's side ---- */

static void show(struct thermal_collector *self, struct record_sample *sample,
                 const struct sensor *sensor)
{
    size_t i = 0;

    while (i < self->n && strcmp(self->shown[i].label, sensor->label) != 0)
        i++;
    if (i == SENSORS_MAX)
        return;
    if (i == self->n) {
        snprintf(self->shown[i].label, sizeof self->shown[i].label, "%s", sensor->label);
        collect_add_rows_now(sample, &row, 1, sensor->label, &self->shown[i].id);
        self->n++;
    }
    self->shown[i].celsius = sensor->celsius;
}

/* The hottest sensor of the processor stands for it. */
static void take(struct thermal_collector *self, struct record_sample *sample)
{
    self->waiting = false;
    self->taken_ns = sample->mono_ns;
    self->processor = NAN;
    for (size_t i = 0; i < self->n; i++)
        self->shown[i].celsius = NAN;
    for (size_t i = 0; i < self->scan->n; i++) {
        const struct sensor *sensor = &self->scan->sensor[i];

        show(self, sample, sensor);
        if (sensor->processor)
            self->processor = fmax(self->processor, sensor->celsius);
    }
}

static bool is_due(const struct thermal_collector *self, int64_t now)
{
    int64_t age = now - self->started_ns;

    if (self->started_ns == 0 || !self->threads)
        return true;
    return age >= (self->scan->n == 0 ? idle_ns : period_ns);
}

static enum vd_status read_thermal(void *context, struct record_sample *sample,
                                   struct vd_error *err)
{
    struct thermal_collector *self = context;
    bool running = self->waiting && collect_worker_is_running(self->worker);

    if (self->waiting && !running)
        take(self, sample);
    if (!running && is_due(self, sample->mono_ns)) {
        self->waiting = collect_worker_start(self->worker);
        self->started_ns = sample->mono_ns;
        if (self->waiting && !self->threads)
            take(self, sample);
    }
    if (running && sample->mono_ns - self->started_ns > stale_ns)
        return vd_error_set(err, VD_ERR_IO, NULL, "the sensors do not answer");
    collect_put(sample, self->cpu_temp, self->processor);
    for (size_t i = 0; i < self->n; i++)
        collect_put(sample, self->shown[i].id, self->shown[i].celsius);
    return VD_OK;
}

static void destroy(void *context)
{
    struct thermal_collector *self = context;

    if (self == NULL)
        return;
    collect_worker_free(self->worker);
    free(self);
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct thermal_collector *self = calloc(1, sizeof *self);
    struct scan *scan = calloc(1, sizeof *scan);
    struct collect_file probe;

    (void)err;
    if (self == NULL || scan == NULL) {
        free(self);
        free(scan);
        return VD_ERR_MEMORY;
    }
    collect_file_init(&probe, config->root, "/sys");
    scan->keep = probe.keep;
    collect_path(scan->hwmon, config->root, "/sys/class/hwmon/", NULL);
    collect_path(scan->zones, config->root, "/sys/class/thermal/", NULL);
    self->scan = scan;
    self->threads = config->threads;
    self->processor = NAN;
    self->cpu_temp = collect_core(schema, COLLECT_CPU_TEMP);
    if (collect_worker_new(&self->worker, work, free_scan, scan, config->threads) !=
        VD_OK) {
        destroy(self);
        return VD_ERR_MEMORY;
    }
    *out = self;
    return VD_OK;
}

const struct collect_type collect_thermal = {
    .name = "thermal",
    .summary = "temperatures of the processor and other parts",
    .rows = {{&row, 1}},
    .create = create,
    .read = read_thermal,
    .destroy = destroy,
};
