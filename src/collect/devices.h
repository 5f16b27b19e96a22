/* Devices that come and go while the program runs, each with the same counters, and the
 * sums over them.
 *
 * The machine's totals are not the sums of the devices' counters: those would jump when a
 * device with a history appears and fall when one leaves. They are counters of our own,
 * to which each device adds what it counted since the tick before; what a device itself
 * shows is such a counter too. One that must not be believed for an interval (a device
 * went back to zero, or leapt) falls by one there: the stage that makes the rates takes a
 * counter that fell as unknown, for that interval alone.
 *
 * A device that is gone leaves the table with the tick that does not list it, and gives
 * its metrics back to the schema.
 */
#ifndef VD_COLLECT_DEVICES_H
#define VD_COLLECT_DEVICES_H

#include "collect/fill.h"

enum {
    COLLECT_DEVICES_MAX = 16384, /* listed at once */
    COLLECT_COUNTERS_MAX = 8,
};

struct collect_device {
    char name[RECORD_LABEL_MAX]; /* whole: one that does not fit is left out */
    bool known;                  /* looked at once: `kind` and the flags below hold */
    bool shown;                  /* has metrics of its own */
    bool summed;                 /* counts in the totals of this tick */
    bool seen;                   /* on this tick */
    bool fresh;                  /* and not on the one before: has no growth yet */
    int kind;                    /* what its collector found it to be */
    size_t id[COLLECT_COUNTERS_MAX];
    double before[COLLECT_COUNTERS_MAX]; /* the device's counters, a tick ago */
    double grown[COLLECT_COUNTERS_MAX];  /* since then; NaN = unknown */
    double count[COLLECT_COUNTERS_MAX];  /* our own, since it appeared */
    double around[COLLECT_COUNTERS_MAX]; /* what others counted since then; for the
                                            collector's own use */
};

/* Zero-initialise; release with collect_devices_release. */
struct collect_devices {
    struct collect_device *at; /* owned, grows */
    size_t n, capacity;
    size_t next;     /* where the next name is expected */
    size_t left_out; /* of this tick: no room for them, or their name is too long */
    int64_t mono_ns;
    double seconds; /* since the tick before; NaN on the first */
    double total[COLLECT_COUNTERS_MAX];
};

/* Before the devices of a tick are gone through. */
void collect_devices_begin(struct collect_devices *devices, int64_t mono_ns);

/* The device of that name, added (known = false) when it is new. NULL when the table is
 * full, the name too long or there is no memory. Pointers are valid until the next call.
 */
struct collect_device *collect_devices_find(struct collect_devices *devices,
                                            const char *name);

/* Takes the device's `n` counters (NaN = not there) and finds out what each grew by. A
 * counter of 32 bits that passed its end is followed where that is certain: it alone went
 * back, and by a step that is small beside 2^32. */
void collect_devices_count(struct collect_devices *devices, struct collect_device *device,
                           const double *counter, size_t n);

/* Gives the device metrics of its own, the rows of the table; false when there is no room
 * for all of them. */
bool collect_devices_show(struct record_sample *sample, struct collect_device *device,
                          const struct record_metric *rows, size_t n);

/* Adds what the devices grew by to the totals: of those that are `summed`, when all are
 * counted. The total of a counter is unknown for this interval when that of one of them
 * is. */
void collect_devices_sum(struct collect_devices *devices, size_t n);

/* After them: what was not seen leaves, and `schema` may give its metrics to others. */
void collect_devices_end(struct collect_devices *devices, struct record_schema *schema);

void collect_devices_release(struct collect_devices *devices);

#endif
