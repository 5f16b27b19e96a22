/* Temperatures: a worker reads the sensors (collect/sensors.h), a tick takes the last
 * numbers. On a machine without any the worker sleeps in between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/collectors.h"
#include "collect/fill.h"
#include "collect/sensors.h"
#include "collect/worker.h"

/* Ticks come a second apart and not exactly, so the worker may start a little earlier.
 * Some chips answer over a slow bus; ten seconds mean that one hangs. */
static const int64_t period_ns = 950000000, idle_ns = 60000000000, stale_ns = 10000000000;

static const struct record_metric row = COLLECT_ROW_OF(
    "sensor", "temperature", "C", TEMPERATURE, 2, GAUGE, 1, "What this sensor says.");

struct thermal_collector {
    collect_worker *worker;
    collect_sensors *sensors; /* belongs to the worker while it runs */
    bool threads, waiting;
    int64_t started_ns, taken_ns;
    size_t cpu_temp;
    double processor;
    struct {
        char label[RECORD_LABEL_MAX];
        size_t id;
        double celsius;
    } shown[COLLECT_SENSORS_MAX];
    size_t n, n_sensors, left_out;
};

static void work(void *context)
{
    collect_sensors_read(context);
}

static void free_sensors(void *context)
{
    collect_sensors_free(context);
}

/* Takes over a sensor's number. It gets its metric with its first number, as many inputs
 * have no diode. `k` is its place in the list, which is where it mostly was before. */
static void show(struct thermal_collector *self, struct record_sample *sample, size_t k,
                 const struct collect_sensor *sensor)
{
    size_t i = 0;

    if (k < self->n && strcmp(self->shown[k].label, sensor->label) == 0)
        i = k;
    while (i < self->n && strcmp(self->shown[i].label, sensor->label) != 0)
        i++;
    if (i == COLLECT_SENSORS_MAX || (i == self->n && isnan(sensor->celsius)))
        return;
    if (i == self->n) {
        memcpy(self->shown[i].label, sensor->label, sizeof self->shown[i].label);
        collect_add_rows_now(sample, &row, 1, sensor->label, &self->shown[i].id);
        self->n++;
    }
    self->shown[i].celsius = sensor->celsius;
}

/* Takes over what the worker read. The hottest sensor that belongs to a CPU stands for
 * the processor. */
static void take(struct thermal_collector *self, struct record_sample *sample)
{
    const struct collect_sensor *sensor =
        collect_sensors_at(self->sensors, &self->n_sensors);

    self->left_out = collect_sensors_left_out(self->sensors);
    self->waiting = false;
    self->taken_ns = sample->mono_ns;
    self->processor = NAN;
    for (size_t i = 0; i < self->n; i++)
        self->shown[i].celsius = NAN;
    for (size_t i = 0; i < self->n_sensors; i++) {
        show(self, sample, i, &sensor[i]);
        if (sensor[i].processor)
            self->processor = fmax(self->processor, sensor[i].celsius);
    }
}

/* Tells whether the worker should start. Without a thread the caller waits for the
 * sensors, and asks them on each tick. */
static bool is_due(const struct thermal_collector *self, int64_t now)
{
    int64_t age = now - self->started_ns;

    if (self->started_ns == 0 || !self->threads)
        return true;
    return age >= (self->n_sensors == 0 ? idle_ns : period_ns);
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
    return collect_left_out(err, "sensors", self->left_out);
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
    collect_sensors *sensors = collect_sensors_new(config->root);

    (void)err;
    if (self == NULL || sensors == NULL) {
        free(self);
        collect_sensors_free(sensors);
        return VD_ERR_MEMORY;
    }
    self->sensors = sensors;
    self->threads = config->threads;
    self->processor = NAN;
    self->cpu_temp = collect_core(schema, COLLECT_CPU_TEMP);
    if (collect_worker_new(&self->worker, work, free_sensors, sensors, config->threads) !=
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
