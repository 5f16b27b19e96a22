/* Graphics processors that the kernel tells of by itself: AMD (amdgpu) in full, Intel
 * (i915, xe) temperature and power where the card has them, and its load from the time it
 * slept. */
#ifndef VD_COLLECT_GPU_SYSFS_H
#define VD_COLLECT_GPU_SYSFS_H

#include "collect/nvml.h"

/* Cards below `drm` ("/sys/class/drm/", with the root before it) into gpu[max]; returns
 * how many. NVIDIA's are left out: they tell nothing there. A card that sleeps is not
 * woken: its load is 0, the rest NaN. `slept` remembers each card between calls: zero it
 * before the first; now_ns is the monotonic time. */
struct collect_gpu_slept {
    double ms; /* counter of the sleep at the call before */
    long long at_ns;
};

size_t collect_gpu_sysfs_read(const char *drm, struct collect_gpu_state *gpu,
                              struct collect_gpu_slept *slept, size_t max,
                              long long now_ns);

/* How many devices the driver has whose folder is `driver` (a whole path with a slash at
 * its end), at most max, when all of them sleep; 0 when one is awake. Wakes none. */
size_t collect_gpu_all_asleep(const char *driver, size_t max);

#endif
