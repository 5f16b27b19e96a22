/* A table in the order in which the kernel lists the devices. On each tick every device
 * that is seen is marked; what was not is dropped at the end, and those behind it move
 * up. A device's metrics are registered when it is first shown. */
#include "collect/devices.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "vedette/rate.h"

/* Nothing counts faster: a terabyte, or as many packets, in a second. */
static const double GROWTH_MAX = 1e12;

static const double TWO_TO_32 = 4294967296.0;

/* Begins a tick. On the first one the time that passed is NaN, so no growth is believed.
 */
void collect_devices_begin(struct collect_devices *devices, int64_t mono_ns)
{
    devices->seconds =
        devices->mono_ns == 0 ? NAN : (double)(mono_ns - devices->mono_ns) * 1e-9;
    devices->mono_ns = mono_ns;
    devices->next = 0;
    devices->left_out = 0;
    for (size_t i = 0; i < devices->n; i++)
        devices->at[i].seen = false;
}

/* Doubles the room, up to COLLECT_DEVICES_MAX devices; false when there is no more. */
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

/* Adds a device at the end, with unknown counters, so that what it counted before it was
 * seen is no rate. Counts it as left out and returns NULL when its name is too long or
 * there is no room. */
static struct collect_device *add(struct collect_devices *devices, const char *name)
{
    struct collect_device *device;

    if (strlen(name) >= sizeof device->name ||
        (devices->n == devices->capacity && !grow(devices))) {
        devices->left_out++;
        return NULL;
    }
    assert(devices->n < devices->capacity);
    device = &devices->at[devices->n++];
    *device = (struct collect_device){.seen = true, .fresh = true};
    strcpy(device->name, name);
    for (int i = 0; i < COLLECT_COUNTERS_MAX; i++) {
        device->id[i] = COLLECT_NO_METRIC;
        device->before[i] = device->grown[i] = NAN;
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

        if (strcmp(devices->at[k].name, name) == 0) {
            devices->at[k].seen = true;
            devices->next = k + 1;
            return &devices->at[k];
        }
    }
    return add(devices, name);
}

/* Tells a counter of 32 bits that ran over from one that was reset. Running over is
 * believed for steps of less than an eighth of its range; a reset, taken as such a step,
 * mostly is one of nearly 2^32. */
static bool is_wrap(double now, double before)
{
    return before < TWO_TO_32 && now < before && now + TWO_TO_32 - before < TWO_TO_32 / 8;
}

/* Tells whether the device counts anew: what takes one counter back to zero takes the
 * others along, also those that seem to have grown. */
static bool was_reset(const struct collect_device *device, const double *counter,
                      size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (counter[i] < device->before[i] && !is_wrap(counter[i], device->before[i]))
            return true;
    return false;
}

/* Adds what a counter grew by to the count that is shown. An unknown step lets the count
 * fall by one, which makes the interval unknown (vedette/rate.h). */
static void count_on(double *count, double grown)
{
    *count += isnan(grown) ? -1 : grown;
}

void collect_devices_count(struct collect_devices *devices, struct collect_device *device,
                           const double *counter, size_t n)
{
    bool reset = was_reset(device, counter, n);

    assert(n <= COLLECT_COUNTERS_MAX);
    assert(device->seen);
    for (size_t i = 0; i < n; i++) {
        double grown = vd_delta(counter[i], device->before[i]);

        if (!reset && is_wrap(counter[i], device->before[i]))
            grown = counter[i] + TWO_TO_32 - device->before[i];
        device->grown[i] = grown <= GROWTH_MAX * devices->seconds ? grown : NAN;
        device->before[i] = counter[i];
        if (!device->fresh)
            count_on(&device->count[i], device->grown[i]);
    }
}

bool collect_devices_show(struct record_sample *sample, struct collect_device *device,
                          const struct record_metric *rows, size_t n)
{
    device->shown = collect_show(sample, rows, n, device->name, device->id);
    return device->shown;
}

/* Adds up what the counters grew by and not the counters themselves: those leap when a
 * device comes or goes. One unknown step makes the sum unknown. */
void collect_devices_sum(struct collect_devices *devices, size_t n)
{
    assert(n <= COLLECT_COUNTERS_MAX);
    for (size_t k = 0; k < n; k++) {
        double sum = 0;

        for (size_t i = 0; i < devices->n; i++) {
            const struct collect_device *device = &devices->at[i];

            if (device->summed && device->seen && !device->fresh)
                sum += device->grown[k];
        }
        count_on(&devices->total[k], sum);
    }
}

/* Drops what was not seen on this tick and gives its metrics back. The others keep their
 * order, on which the quick search of collect_devices_find rests. */
void collect_devices_end(struct collect_devices *devices, struct record_schema *schema)
{
    size_t kept = 0;

    for (size_t i = 0; i < devices->n; i++) {
        struct collect_device *device = &devices->at[i];

        device->fresh = false;
        if (!device->seen)
            collect_hide(schema, device->id, COLLECT_COUNTERS_MAX);
        else if (kept++ != i)
            devices->at[kept - 1] = *device;
    }
    devices->n = kept;
}

void collect_devices_release(struct collect_devices *devices)
{
    free(devices->at);
    *devices = (struct collect_devices){0};
}
