/* Time zones: a clock on the wall -> UTC. */
#ifndef VD_FORMAT_ZONE_H
#define VD_FORMAT_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/status.h"

enum { FORMAT_ZONE_CHANGES = 512 };

struct format_zone {
    char name[64]; /* "UTC", "+02:00", "Europe/Berlin", "local time" */
    int first_east_s;
    size_t n;
    struct {
        int64_t at_s; /* UTC */
        int east_s;   /* from then on */
    } change[FORMAT_ZONE_CHANGES];
};

/* The zone called so: "UTC", an offset ("+02:00", "-0530"), a name of the time zone
 * database, or NULL or "local" for the machine's (or TZ's). VD_ERR_ARGUMENT when there is
 * none. A name sets TZ for the time of the call: no other thread may ask for local times
 * meanwhile. */
enum vd_status format_zone_load(struct format_zone *zone, const char *name,
                                struct vd_error *err);

/* The points in time at which clocks in this zone show `wall_ns` (ns since 1970 if it
 * were UTC), earlier first, into utc_ns[2]. Returns how many: none in the hour that is
 * left out in spring, two in the one that comes twice in autumn. */
int format_zone_utc(const struct format_zone *zone, int64_t wall_ns, int64_t utc_ns[2]);

/* The times around one that was asked for that have its offset, and it alone. Zero-
 * initialise. */
struct format_zone_memo {
    int64_t from_ns, to_ns; /* on the wall */
    int64_t east_ns;
};

/* The same for times that come in order, which is faster. *utc_ns is the first moment, or
 * as if the clock had not been set forward yet; false unless there is exactly one. */
bool format_zone_one(const struct format_zone *zone, struct format_zone_memo *memo,
                     int64_t wall_ns, int64_t *utc_ns);

/* "Z", "UTC", "+02:00", "-0530", "CEST" in text[size]: seconds east; false for others. */
bool format_zone_offset(const char *text, size_t size, int64_t *east_s);

#endif
