/* The NVIDIA management library, opened at run time: no header and no library of NVIDIA
 * is needed to build. The declarations are those of its documented, stable C interface.
 */
#ifndef VD_COLLECT_NVML_H
#define VD_COLLECT_NVML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/status.h"

enum { COLLECT_GPUS_MAX = 16, COLLECT_GPU_PROCESSES_MAX = 128 };

/* One graphics processor; NaN = it does not say. */
struct collect_gpu_state {
    char name[64];
    double percent;      /* share of time with work on it */
    double memory_used;  /* bytes */
    double memory_total; /* bytes */
    double celsius;
    double watts;
};

/* What one process has on all of them. */
struct collect_gpu_process {
    int pid;
    double percent; /* NaN = not told */
    double bytes;
};

typedef struct collect_nvml collect_nvml;

/* Opens and initialises `library` (NULL = libnvidia-ml.so.1). VD_ERR_UNAVAILABLE when it
 * is not there or there is no driver: nothing is written to err then. */
enum vd_status collect_nvml_open(collect_nvml **out, const char *library,
                                 struct vd_error *err);

/* The processors' state into gpu[max]; how many in *n. Slow: tens of milliseconds when
 * the driver wakes up. False when there is no driver any more: close it, and open it
 * anew. */
bool collect_nvml_read(collect_nvml *nvml, struct collect_gpu_state *gpu, size_t max,
                       size_t *n);

/* Processes that use them into process[max]; returns how many. */
size_t collect_nvml_processes(collect_nvml *nvml, struct collect_gpu_process *process,
                              size_t max);

/* What some processes use of all processors together. NaN = the driver does not tell. */
struct collect_gpu_use {
    double bytes;          /* of memory */
    double memory_percent; /* share of time in which memory was moved, summed */
    double percent;        /* share of time with work, summed */
    double gpus;           /* processors that any of them uses */
    bool found;            /* the driver named one of the processes */
};

/* Sums up for the processes pid[n] (ascending). The driver samples loads a few times a
 * second; where it has no new sample the last one stands for a second. */
void collect_nvml_use(collect_nvml *nvml, const int *pid, size_t n, int64_t mono_ns,
                      struct collect_gpu_use *use);

void collect_nvml_close(collect_nvml *nvml);

#endif
