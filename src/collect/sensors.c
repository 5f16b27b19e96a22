/* The list of sensors is made anew each minute. What measures a CPU is known by the name
 * of its driver, of its thermal zone, or as a last resort by its label (sensor_name.c).
 */
#include "collect/sensors.h"

#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/file.h"
#include "format/scan.h"

enum {
    RESCAN_READS = 60,
    CHIPS_MAX = 256,
    CORES_MAX = 128, /* sensors of single cores: asking one may wake its core */
    OPEN_MAX = 64,   /* files kept open between reads */
    TEXT_MAX = 64,
    FILE_MAX = 32,
};

struct chip {
    char name[TEXT_MAX];   /* "coretemp" */
    char device[TEXT_MAX]; /* "coretemp.0", "nvme0"; "hwmon3" when nothing is behind it */
    char folder[FILE_MAX]; /* "hwmon3", "thermal_zone0" */
    char power[COLLECT_PATH_MAX]; /* says whether it sleeps; "" = it never does */
    bool asleep;
};

struct sensor {
    struct collect_sensor *at; /* what is given away */
    size_t chip;
    char input[FILE_MAX]; /* "temp1", "" for a zone */
    char plain[2 * TEXT_MAX];
    int detail;  /* how much of its origin the label tells, see write_label */
    bool kept;   /* had its label before */
    bool called; /* its label says that it is of a CPU */
    struct collect_file file;
};

struct list {
    struct chip chip[CHIPS_MAX];
    size_t n_chips;
    struct collect_sensor given[COLLECT_SENSORS_MAX];
    struct sensor sensor[COLLECT_SENSORS_MAX];
    size_t n, cores, left_out;
};

struct collect_sensors {
    char hwmon[COLLECT_PATH_MAX], zones[COLLECT_PATH_MAX];
    bool keep;
    struct collect_buffer buffer;
    struct list *now, *before; /* owned; before = of the scan before, while scanning */
    unsigned reads;
};

/* ---- the list ---- */

/* Adds a chip, called by its folder until its device is known; NULL when there are too
 * many. */
static struct chip *add_chip(struct list *list, const char *folder, const char *name)
{
    struct chip *chip;

    if (list->n_chips == CHIPS_MAX)
        return NULL;
    chip = &list->chip[list->n_chips++];
    *chip = (struct chip){.asleep = false};
    snprintf(chip->folder, sizeof chip->folder, "%s", folder);
    snprintf(chip->device, sizeof chip->device, "%s", folder);
    snprintf(chip->name, sizeof chip->name, "%s", name);
    return chip;
}

/* Adds a sensor of the newest chip; NULL, and counted as left out, when there are too
 * many. */
static struct sensor *add_sensor(collect_sensors *sensors, const char *path)
{
    struct list *list = sensors->now;
    struct sensor *sensor = &list->sensor[list->n];

    if (list->n == COLLECT_SENSORS_MAX) {
        list->left_out++;
        return NULL;
    }
    *sensor = (struct sensor){.at = &list->given[list->n], .chip = list->n_chips - 1};
    *sensor->at = (struct collect_sensor){.celsius = NAN};
    if (collect_file_init(&sensor->file, NULL, path) != VD_OK)
        return NULL;
    sensor->file.keep = sensors->keep && list->n < OPEN_MAX;
    list->n++;
    return sensor;
}

/* Adds the sensor of "temp1_input" to the newest chip; its label is what temp1_label
 * holds, or "temp1". */
static void add_input(collect_sensors *sensors, const char *folder, const char *file)
{
    struct list *list = sensors->now;
    const struct chip *chip = &list->chip[list->n_chips - 1];
    char path[COLLECT_PATH_MAX], name[TEXT_MAX], text[TEXT_MAX], input[FILE_MAX];
    bool core, measured = collect_sensor_is_processor(chip->name);
    struct sensor *sensor;

    snprintf(input, sizeof input, "%.*s", (int)(strlen(file) - strlen("_input")), file);
    snprintf(name, sizeof name, "/%s_label", input);
    if (!collect_path(path, NULL, folder, name) ||
        collect_file_small(path, text, sizeof text) <= 0)
        snprintf(text, sizeof text, "%s", input);
    core = measured && strncmp(text, "Core ", 5) == 0;
    /* Cores beyond that are not told as left out: the processor as a whole has a sensor.
     */
    if (core && list->cores == CORES_MAX)
        return;
    snprintf(name, sizeof name, "/%s", file);
    sensor = collect_path(path, NULL, folder, name) ? add_sensor(sensors, path) : NULL;
    if (sensor == NULL)
        return;
    list->cores += core;
    sensor->at->processor = measured;
    sensor->called = collect_sensor_is_processor(text);
    snprintf(sensor->input, sizeof sensor->input, "%s", input);
    snprintf(sensor->plain, sizeof sensor->plain, "%s %s", chip->name, text);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), last = strlen(end);

    return length >= last && strcmp(text + length - last, end) == 0;
}

/* Takes AMD's Tctl out where there is a Tdie: Tctl is for fan control and may be up to 27
 * degrees too high on purpose, while Tdie is what it really is. */
static void drop_control_values(struct list *list, size_t first)
{
    bool die = false;

    for (size_t i = first; i < list->n; i++)
        die |= ends_with(list->sensor[i].plain, " Tdie");
    for (size_t i = first; i < list->n && die; i++)
        if (ends_with(list->sensor[i].plain, " Tctl"))
            list->sensor[i].at->processor = false;
}

/* Finds the name of what is behind the chip: a link to "../../../0000:00:18.3" gives
 * "0000:00:18.3", one to "../.." the name of that folder. */
static void find_device(struct chip *chip, const char *folder)
{
    char path[COLLECT_PATH_MAX], target[COLLECT_PATH_MAX], status[TEXT_MAX];
    char *real;
    ssize_t length;

    if (collect_path(path, NULL, folder, "/device/power/runtime_status") &&
        collect_file_small(path, status, sizeof status) > 0 &&
        strcmp(status, "unsupported") != 0)
        memcpy(chip->power, path, sizeof chip->power);
    if (!collect_path(path, NULL, folder, "/device"))
        return;
    length = readlink(path, target, sizeof target - 1);
    if (length <= 0)
        return;
    target[length] = '\0';
    real = realpath(path, NULL);
    snprintf(chip->device, sizeof chip->device, "%s",
             basename(real == NULL ? target : real));
    free(real);
}

/* Names a chip. One without a name is called by its device, or by its folder. */
static void name_chip(struct chip *chip, const char *folder)
{
    static const char *const files[] = {"/name", "/device/name"};
    char path[COLLECT_PATH_MAX];

    find_device(chip, folder);
    for (size_t i = 0; i < 2; i++)
        if (collect_path(path, NULL, folder, files[i]) &&
            collect_file_small(path, chip->name, sizeof chip->name) > 0)
            return;
    snprintf(chip->name, sizeof chip->name, "%s", chip->device);
}

/* Kernels before 3.14 have the files of a chip below device/. */
static void find_chip(collect_sensors *sensors, const char *folder, const char *name)
{
    char files[COLLECT_SENSORS_MAX][FILE_MAX], below[COLLECT_PATH_MAX];
    size_t n, first = sensors->now->n;
    struct chip *chip;

    n = collect_folder_like(folder, "temp", "_input", files[0], FILE_MAX,
                            COLLECT_SENSORS_MAX);
    snprintf(below, sizeof below, "%s", folder);
    if (n == 0 && collect_path(below, NULL, folder, "/device"))
        n = collect_folder_like(below, "temp", "_input", files[0], FILE_MAX,
                                COLLECT_SENSORS_MAX);
    chip = n > 0 ? add_chip(sensors->now, name, "") : NULL;
    if (chip == NULL)
        return;
    name_chip(chip, folder);
    for (size_t i = 0; i < n; i++)
        add_input(sensors, below, files[i]);
    drop_control_values(sensors->now, first);
}

/* Says 100 degrees for ever on Tegra boards: it has no sensor. */
static bool is_dummy(const char *type)
{
    return strcmp(type, "PMIC-Die") == 0;
}

/* Tells whether the zone is there a second time as a chip: "cpu-thermal" is
 * "cpu_thermal". */
static bool is_chip_too(const struct list *list, const char *type)
{
    for (size_t i = 0; i < list->n_chips; i++) {
        const char *a = list->chip[i].name, *b = type;

        if (strncmp(list->chip[i].folder, "hwmon", 5) != 0)
            continue;
        while (*a != '\0' && (*a == *b || (*a == '_' && *b == '-')))
            a++, b++;
        if (*a == '\0' && *b == '\0')
            return true;
    }
    return false;
}

/* Adds a thermal zone as a chip with one sensor, unless a chip of the same name has it.
 */
static void find_zone(collect_sensors *sensors, const char *folder, const char *name)
{
    char path[COLLECT_PATH_MAX], type[TEXT_MAX];
    struct sensor *sensor;

    if (!collect_path(path, NULL, folder, "/type") ||
        collect_file_small(path, type, sizeof type) <= 0 || is_dummy(type) ||
        is_chip_too(sensors->now, type) || add_chip(sensors->now, name, type) == NULL)
        return;
    sensor = collect_path(path, NULL, folder, "/temp") ? add_sensor(sensors, path) : NULL;
    if (sensor == NULL)
        return;
    sensor->at->processor = collect_sensor_is_processor(type);
    snprintf(sensor->plain, sizeof sensor->plain, "%s", type);
}

/* Calls `find` for each folder of that prefix, in the order of their numbers, so that
 * labels come out the same each time. */
static void find_in(collect_sensors *sensors, const char *path, const char *prefix,
                    void (*find)(collect_sensors *sensors, const char *folder,
                                 const char *name))
{
    char names[CHIPS_MAX][FILE_MAX], folder[COLLECT_PATH_MAX];
    size_t n = collect_folder_like(path, prefix, "", names[0], FILE_MAX, CHIPS_MAX);

    for (size_t i = 0; i < n; i++)
        if (collect_path(folder, NULL, path, names[i]))
            find(sensors, folder, names[i]);
}

static bool any_processor(const struct list *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->sensor[i].at->processor)
            return true;
    return false;
}

/* ---- labels ---- */

/* Writes the label of a sensor. Detail 0 is the plain label; 1 adds the device, 2 the
 * input of it, 3 the folder, which is different for all. The end of a long label is cut,
 * not what was added. */
static void write_label(const struct list *list, struct sensor *sensor)
{
    const struct chip *chip = &list->chip[sensor->chip];
    char origin[FILE_MAX + TEXT_MAX + 8] = "";
    char whole[sizeof sensor->plain + sizeof origin] = "";
    int room = (int)sizeof sensor->at->label - 1;

    if (sensor->detail > 0)
        snprintf(origin, sizeof origin, " (%s%s%s)",
                 sensor->detail < 3 ? chip->device : chip->folder,
                 sensor->detail > 1 && sensor->input[0] != '\0' ? " " : "",
                 sensor->detail > 1 ? sensor->input : "");
    if (room > (int)strlen(origin))
        room -= (int)strlen(origin);
    snprintf(whole, sizeof whole, "%.*s%s", room, sensor->plain, origin);
    memcpy(sensor->at->label, whole, sizeof sensor->at->label - 1);
}

/* Keeps the labels of the sensors that were there before: a metric must not change its
 * name because another chip was plugged in. */
static void keep_labels(collect_sensors *sensors)
{
    struct list *now = sensors->now, *before = sensors->before;

    for (size_t i = 0; i < now->n; i++)
        for (size_t k = 0; k < before->n && !now->sensor[i].kept; k++) {
            const struct sensor *old = &before->sensor[k];

            if (strcmp(old->file.path, now->sensor[i].file.path) != 0 ||
                strcmp(old->plain, now->sensor[i].plain) != 0 ||
                strcmp(before->chip[old->chip].device,
                       now->chip[now->sensor[i].chip].device) != 0)
                continue;
            now->sensor[i].kept = true;
            now->sensor[i].detail = old->detail;
        }
}

/* Tells whether another sensor has the same label. */
static bool has_twin(const struct list *list, size_t i)
{
    for (size_t k = 0; k < list->n; k++)
        if (k != i && strcmp(list->sensor[i].at->label, list->sensor[k].at->label) == 0)
            return true;
    return false;
}

/* Writes all labels. Sensors that would have the same one tell more of their origin, step
 * by step; those that kept theirs do not change. */
static void write_labels(struct list *list)
{
    bool twin[COLLECT_SENSORS_MAX];

    for (size_t i = 0; i < list->n; i++)
        write_label(list, &list->sensor[i]);
    for (int detail = 1; detail <= 3; detail++) {
        for (size_t i = 0; i < list->n; i++)
            twin[i] = !list->sensor[i].kept && has_twin(list, i);
        for (size_t i = 0; i < list->n; i++) {
            if (!twin[i])
                continue;
            list->sensor[i].detail = detail;
            write_label(list, &list->sensor[i]);
        }
    }
}

/* ---- reading ---- */

static void forget(struct list *list)
{
    for (size_t i = 0; i < list->n; i++)
        collect_file_release(&list->sensor[i].file);
    list->n = list->n_chips = list->cores = list->left_out = 0;
}

/* Makes the list anew. Thermal zones are a second source, so they are asked only where no
 * chip measures a CPU, and labels only where no zone does either. */
static void find_sensors(collect_sensors *sensors)
{
    struct list *before = sensors->now;

    sensors->now = sensors->before;
    sensors->before = before;
    find_in(sensors, sensors->hwmon, "hwmon", find_chip);
    if (!any_processor(sensors->now))
        find_in(sensors, sensors->zones, "thermal_zone", find_zone);
    if (!any_processor(sensors->now))
        for (size_t i = 0; i < sensors->now->n; i++)
            sensors->now->sensor[i].at->processor = sensors->now->sensor[i].called;
    keep_labels(sensors);
    write_labels(sensors->now);
    forget(sensors->before);
}

/* Reads a temperature in degrees Celsius, NaN when it is none:
 * 47000
 * in thousandths of a degree; some drivers of boards give whole degrees. What no sensor
 * of a running machine can say is no temperature: some give 0, -273, 127 or 255 when they
 * are off or have no diode. */
double collect_sensor_celsius(const char *text, size_t size)
{
    double celsius = format_scan_only_number(text, size);

    if (!(fabs(celsius) < 200))
        celsius /= 1000;
    return celsius > -40 && celsius < 127 && celsius != 0 ? celsius : NAN;
}

/* Tells whether the chip's device sleeps: reading its temperature would wake it. */
static bool is_asleep(const struct chip *chip)
{
    char status[TEXT_MAX];

    return chip->power[0] != '\0' &&
           collect_file_small(chip->power, status, sizeof status) > 0 &&
           strncmp(status, "suspend", 7) == 0;
}

static double read_sensor(collect_sensors *sensors, struct sensor *sensor)
{
    const struct collect_buffer *buffer = &sensors->buffer;

    if (sensors->now->chip[sensor->chip].asleep ||
        collect_file_read(&sensor->file, &sensors->buffer, NULL) != VD_OK)
        return NAN;
    return collect_sensor_celsius(buffer->at, buffer->size);
}

/* Asks each chip once whether it sleeps, before any of its sensors wakes it. */
void collect_sensors_read(collect_sensors *sensors)
{
    struct list *list;

    if (sensors->now->n == 0 || sensors->reads++ % RESCAN_READS == 0)
        find_sensors(sensors);
    list = sensors->now;
    for (size_t i = 0; i < list->n_chips; i++)
        list->chip[i].asleep = is_asleep(&list->chip[i]);
    for (size_t i = 0; i < list->n; i++)
        list->sensor[i].at->celsius = read_sensor(sensors, &list->sensor[i]);
}

const struct collect_sensor *collect_sensors_at(const collect_sensors *sensors, size_t *n)
{
    *n = sensors->now->n;
    return sensors->now->given;
}

size_t collect_sensors_left_out(const collect_sensors *sensors)
{
    return sensors->now->left_out;
}

void collect_sensors_free(collect_sensors *sensors)
{
    if (sensors == NULL)
        return;
    if (sensors->now != NULL)
        forget(sensors->now);
    free(sensors->now);
    free(sensors->before);
    collect_buffer_release(&sensors->buffer);
    free(sensors);
}

collect_sensors *collect_sensors_new(const char *root)
{
    collect_sensors *sensors = calloc(1, sizeof *sensors);
    struct collect_file probe;

    if (sensors == NULL)
        return NULL;
    /* Untouched pages of them cost nothing. */
    sensors->now = calloc(1, sizeof *sensors->now);
    sensors->before = calloc(1, sizeof *sensors->before);
    if (sensors->now == NULL || sensors->before == NULL) {
        collect_sensors_free(sensors);
        return NULL;
    }
    collect_file_init(&probe, root, "/sys");
    sensors->keep = probe.keep;
    collect_path(sensors->hwmon, root, "/sys/class/hwmon/", NULL);
    collect_path(sensors->zones, root, "/sys/class/thermal/", NULL);
    return sensors;
}
