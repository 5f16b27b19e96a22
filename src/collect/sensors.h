/* The temperature sensors of a machine: chips of /sys/class/hwmon, and thermal zones
 * where no chip measures the processor. Slow (a sensor may sit behind a slow bus): for a
 * worker.
 */
#ifndef VD_COLLECT_SENSORS_H
#define VD_COLLECT_SENSORS_H

#include <stdbool.h>
#include <stddef.h>

#include "record.h"

enum { COLLECT_SENSORS_MAX = 512 };

struct collect_sensor {
    /* "coretemp Package id 0". Where two would have the same, with the device behind it:
     * "nvme Composite (nvme1)". It never changes while the sensor is there. */
    char label[RECORD_LABEL_MAX];
    bool processor; /* belongs to a CPU */
    double celsius; /* NaN = it does not say, or nothing that can be */
};

typedef struct collect_sensors collect_sensors;

/* NULL without memory. `root` as in collect_config. */
collect_sensors *collect_sensors_new(const char *root);

/* Looks for sensors now and then, and reads all of them. Those of a device that sleeps
 * are NaN and do not wake it. */
void collect_sensors_read(collect_sensors *sensors);

/* Returns what the last read gave; how many in *n. Owned, valid until the next read. */
const struct collect_sensor *collect_sensors_at(const collect_sensors *sensors,
                                                size_t *n);

/* How many were left out because there are more than COLLECT_SENSORS_MAX. */
size_t collect_sensors_left_out(const collect_sensors *sensors);

void collect_sensors_free(collect_sensors *sensors); /* takes NULL */

/* Whether a chip, zone or label of that name measures a CPU: "coretemp", "cpu_thermal",
 * "bigcore0-thermal", "x86_pkg_temp", "CPU-therm". */
bool collect_sensor_is_processor(const char *name);

/* Reads what a sensor's file says, in degrees; NaN for what no running machine can have.
 */
double collect_sensor_celsius(const char *text, size_t size);

#endif
