/* Which CPUs there are. Their numbers have holes: cores that are off, sockets that are
 * not filled, and cpu0 itself may be missing. */
#ifndef VD_COLLECT_CPU_LIST_H
#define VD_COLLECT_CPU_LIST_H

#include <stdbool.h>
#include <stddef.h>

enum { COLLECT_CPUS_MAX = 1024 };

/* Marks the CPUs that have a folder below root/sys/devices/system/cpu, on or off. Returns
 * the highest number + 1; 0 when there is none. */
size_t collect_cpu_list(const char *root, bool present[COLLECT_CPUS_MAX]);

/* "/sys/devices/system/cpu/cpu12/NAME" below root; false when it does not fit. `path` has
 * room for COLLECT_PATH_MAX. */
bool collect_cpu_path(char *path, const char *root, size_t cpu, const char *name);

#endif
