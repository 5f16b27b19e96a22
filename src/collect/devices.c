#include "collect/devices.h"

#include <stdlib.h>
#include <string.h>

#include "vedette/rate.h"

void collect_devices_begin(struct collect_devices *devices)
{
    devices->next = 0;
    for (size_t i = 0; i < devices->n; i++)
        devices->at[i].seen = false;
}

static bool grow(struct collect_devices *devices)
{
    size_t capacity = devices->capacity == 0 ? 8 : devices->capacity * 2;
    struct collect_device *at;

    if (devices->capacity >= COLLECT_DEVICES_MAX)
        return false;
    at = realloc(devices->at, capacity * sizeof *at);
    if (at == NULL)
        return false;
    devices->at = at;
    devices->capacity = capacity;
    return true;
}

static struct collect_device *add(struct collect_devices *devices, const char *name)
{
    struct collect_device *device;

    if (devices->n == devices->capacity && !grow(devices))
        return NULL;
    device = &devices->at[devices->n++];
    *device = (struct collect_device){.seen = true};
    strncpy(device->name, name, sizeof device->name - 1);
    for (int i = 0; i < COLLECT_COUNTERS_MAX; i++) {
        device->id[i] = COLLECT_NO_METRIC;
        device->before[i] = NAN;
    }
    return device;
}

struct collect_device *collect_devices_find(struct collect_devices *devices,
                                            const char *name)
{
    /* The kernel lists devices in the same order each time, so the search ends at its
     * first step unless something was plugged in or out. */
    for (size_t i = 0; i < devices->n; i++) {
        size_t k = (devices->next + i) % devices->n;

        if (strncmp(devices->at[k].name, name, COLLECT_DEVICE_NAME_MAX - 1) == 0) {
            devices->at[k].seen = true;
            devices->next = k + 1;
            return &devices->at[k];
        }
    }
    return add(devices, name);
}

void collect_devices_count(struct collect_devices *devices, struct collect_device *device,
                           const double *counter, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double grown = vd_delta(counter[i], device->before[i]);

        device->before[i] = counter[i];
        if (device->summed && !isnan(grown))
            devices->total[i] += grown;
    }
}

void collect_devices_end(struct collect_devices *devices)
{
    for (size_t i = 0; i < devices->n; i++)
        for (int k = 0; k < COLLECT_COUNTERS_MAX && !devices->at[i].seen; k++)
            devices->at[i].before[k] = NAN;
}

void collect_devices_release(struct collect_devices *devices)
{
    free(devices->at);
    *devices = (struct collect_devices){0};
}
