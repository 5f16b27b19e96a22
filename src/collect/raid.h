/* Disks that stand in for each other: arrays of /proc/mdstat, pools of ZFS. */
#ifndef VD_COLLECT_RAID_H
#define VD_COLLECT_RAID_H

#include <stddef.h>

enum { COLLECT_ARRAYS_MAX = 64, COLLECT_ARRAY_NAME_MAX = 64 };

struct collect_array {
    char name[COLLECT_ARRAY_NAME_MAX];
    double missing;      /* disks that it should have and has not; of an array that does
                            not run, all of them; NaN = not told */
    double sync_percent; /* how far a rebuild or a check is; NaN = none goes on */
};

/* At most COLLECT_ARRAYS_MAX; returns how many there are, which may be more. */
size_t collect_mdstat_parse(const char *text, size_t size,
                            struct collect_array array[COLLECT_ARRAYS_MAX]);

/* The state of a ZFS pool: 0 = all well, 1 = degraded, 2 = it cannot be used; NaN = no
 * state. */
double collect_zfs_state_parse(const char *text, size_t size);

#endif
