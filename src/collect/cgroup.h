/* Limits of the control groups that this program, and so the container or unit around it,
 * runs in: version 1, version 2, or one controller in each (hybrid). */
#ifndef VD_COLLECT_CGROUP_H
#define VD_COLLECT_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "collect/file.h"

enum { COLLECT_CGROUP_LEVELS = 16 };

/* Where a controller has its files: folders from our own group up to the one that is
 * mounted. The limit of each of them counts. */
struct collect_cgroup_place {
    int version; /* 1 or 2; 0 = there is no such controller */
    size_t n;
    char point[COLLECT_PATH_MAX];                         /* what is mounted */
    char folder[COLLECT_CGROUP_LEVELS][COLLECT_PATH_MAX]; /* whole paths */
};

/* Looks for `controller` ("memory", "cpu") below root. What is in the buffer is lost. */
void collect_cgroup_find(struct collect_cgroup_place *place, const char *root,
                         const char *controller, struct collect_buffer *buffer);

/* The path of our group in /proc/PID/cgroup; `controller` "" = version 2. False when
 * there is no such line, or the path does not fit. */
bool collect_cgroup_path(const char *text, size_t size, const char *controller,
                         char path[COLLECT_PATH_MAX]);

/* Where a controller ("" = version 2) is mounted, and which group that mount shows, from
 * /proc/PID/mountinfo. False when it is not. */
bool collect_cgroup_mount(const char *text, size_t size, const char *controller,
                          char point[COLLECT_PATH_MAX], char shown[COLLECT_PATH_MAX]);

/* memory.max or memory.limit_in_bytes, in bytes; INFINITY = no limit, NaN = no number. */
double collect_cgroup_limit(const char *text, size_t size);

/* cpu.max ("50000 100000") in cores; INFINITY and NaN as above. */
double collect_cgroup_quota(const char *text, size_t size);

/* The number behind `key` in a file of lines "key number"; NaN when it has none. */
double collect_cgroup_value(const char *text, size_t size, const char *key);

#endif
