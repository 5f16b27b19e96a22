/* Devices that come and go while the program runs, each with the same counters.
 *
 * The machine's totals are not the sums of the devices' counters: those would jump when a
 * device with a history appears and fall when one leaves. They are counters of our own,
 * to which each device adds what it counted since the tick before.
 */
#ifndef VD_COLLECT_DEVICES_H
#define VD_COLLECT_DEVICES_H

#include "collect/fill.h"

enum {
    COLLECT_DEVICES_MAX = 512,
    COLLECT_DEVICE_NAME_MAX = 33,
    COLLECT_COUNTERS_MAX = 8,
};

struct collect_device {
    char name[COLLECT_DEVICE_NAME_MAX];
    bool known;  /* looked at once: the flags below hold */
    bool shown;  /* has metrics of its own */
    bool summed; /* counts in the totals */
    bool hardware;
    bool seen; /* on this tick */
    size_t id[COLLECT_COUNTERS_MAX];
    double before[COLLECT_COUNTERS_MAX];
};

/* Zero-initialise; release with collect_devices_release. */
struct collect_devices {
    struct collect_device *at; /* owned, grows */
    size_t n, capacity;
    size_t next; /* where the next name is expected */
    double total[COLLECT_COUNTERS_MAX];
};

/* Before the devices of a tick are gone through. */
void collect_devices_begin(struct collect_devices *devices);

/* The device of that name, added (known = false) when it is new. NULL when the table is
 * full or there is no memory. Pointers are valid until the next call. */
struct collect_device *collect_devices_find(struct collect_devices *devices,
                                            const char *name);

/* Adds what the device's `n` counters grew by to the totals. NaN adds nothing. */
void collect_devices_count(struct collect_devices *devices, struct collect_device *device,
                           const double *counter, size_t n);

/* After them: what was not seen starts anew when it comes back. */
void collect_devices_end(struct collect_devices *devices);

void collect_devices_release(struct collect_devices *devices);

#endif
