/* The files of one control group (version 2): what a unit or container uses. */
#ifndef VD_COLLECT_UNIT_USE_H
#define VD_COLLECT_UNIT_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/scan.h"

/* Since the group was made, but for memory, which is now; NaN = not told: a controller
 * that is not on has no file. */
struct collect_unit_use {
    double cpu_us;
    double periods, throttled; /* of its CPU limit: how many, in how many it was held */
    double memory;             /* bytes, without files that may be dropped */
    double read_bytes, written_bytes;
};

/* cpu.stat */
void collect_unit_cpu_parse(const char *text, size_t size, struct collect_unit_use *use);

/* Bytes of files that are cached and may be dropped, of memory.stat; NaN = not told. */
double collect_unit_cache_parse(const char *text, size_t size);

struct collect_unit_io {
    uint32_t major, minor;
    double read_bytes, written_bytes; /* NaN = not told */
};

/* The next device of io.stat; false at the end. */
bool collect_unit_io_next(struct format_scan *t, struct collect_unit_io *io);

#endif
