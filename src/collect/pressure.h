/* /proc/pressure: pressure stall information. */
#ifndef VD_COLLECT_PRESSURE_H
#define VD_COLLECT_PRESSURE_H

#include <stddef.h>

/* Microseconds since boot in which some task, or all tasks, waited; NaN = no such line.
 */
struct collect_pressure {
    double some, full;
};

void collect_pressure_parse(const char *text, size_t size, struct collect_pressure *p);

#endif
