/* Stands in for NVIDIA's library: the same functions, made-up numbers. What it says is
 * chosen by environment variables, read at each call:
 *   VEDETTE_NVML_COUNT  processors (1)
 *   VEDETTE_NVML_FAIL   name of a function that fails
 * Two processes are on the first processor: 4200 and 4300. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 3, UNKNOWN = 999 };

struct utilization {
    unsigned gpu, memory;
};

struct memory {
    unsigned long long total, free, used;
};

struct process {
    unsigned pid;
    unsigned long long used;
    unsigned instance, compute_instance;
};

struct sample {
    unsigned pid;
    unsigned long long time;
    unsigned sm, memory, encoder, decoder;
};

int nvmlInit_v2(void);
int nvmlShutdown(void);
int nvmlDeviceGetCount_v2(unsigned *count);
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device);
int nvmlDeviceGetName(void *device, char *name, unsigned length);
int nvmlDeviceGetUtilizationRates(void *device, struct utilization *utilization);
int nvmlDeviceGetMemoryInfo(void *device, struct memory *memory);
int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *celsius);
int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts);
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count,
                                            struct process *process);
int nvmlDeviceGetGraphicsRunningProcesses_v3(void *device, unsigned *count,
                                             struct process *process);
int nvmlDeviceGetProcessUtilization(void *device, struct sample *sample, unsigned *count,
                                    unsigned long long since);

static int fails(const char *function)
{
    const char *name = getenv("VEDETTE_NVML_FAIL");

    return name != NULL && strcmp(name, function) == 0;
}

/* Handles are 1, 2, ... */
static unsigned index_of(void *device)
{
    return (unsigned)((size_t)device - 1);
}

int nvmlInit_v2(void)
{
    return fails(__func__) ? UNKNOWN : SUCCESS;
}

int nvmlShutdown(void)
{
    return SUCCESS;
}

int nvmlDeviceGetCount_v2(unsigned *count)
{
    const char *text = getenv("VEDETTE_NVML_COUNT");

    *count = text == NULL ? 1 : (unsigned)atoi(text);
    return fails(__func__) ? UNKNOWN : SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device)
{
    *device = (void *)(size_t)(index + 1);
    return fails(__func__) ? UNKNOWN : SUCCESS;
}

int nvmlDeviceGetName(void *device, char *name, unsigned length)
{
    snprintf(name, length, "Stand-in %u", index_of(device));
    return fails(__func__) ? UNKNOWN : SUCCESS;
}

int nvmlDeviceGetUtilizationRates(void *device, struct utilization *utilization)
{
    utilization->gpu = 87 - 40 * index_of(device);
    utilization->memory = 30;
    return fails(__func__) ? NOT_SUPPORTED : SUCCESS;
}

int nvmlDeviceGetMemoryInfo(void *device, struct memory *memory)
{
    memory->total = 12ull << 30;
    memory->used = (3ull + index_of(device)) << 30;
    memory->free = memory->total - memory->used;
    return fails(__func__) ? NOT_SUPPORTED : SUCCESS;
}

int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *celsius)
{
    *celsius = 71 + index_of(device) + (unsigned)sensor;
    return fails(__func__) ? NOT_SUPPORTED : SUCCESS;
}

int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts)
{
    *milliwatts = 95500 + index_of(device);
    return fails(__func__) ? NOT_SUPPORTED : SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count,
                                            struct process *process)
{
    if (fails(__func__))
        return UNKNOWN;
    *count = index_of(device) == 0 ? 2 : 0;
    if (*count == 2) {
        process[0] = (struct process){4200, 2ull << 30, 0, 0};
        process[1] = (struct process){4300, ~0ull, 0, 0};
    }
    return SUCCESS;
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(void *device, unsigned *count,
                                             struct process *process)
{
    *count = 1;
    process[0] = (struct process){4200, 1ull << 20, 0, 0};
    return index_of(device) == 0 ? SUCCESS : NOT_SUPPORTED;
}

int nvmlDeviceGetProcessUtilization(void *device, struct sample *sample, unsigned *count,
                                    unsigned long long since)
{
    if (fails(__func__) || index_of(device) != 0)
        return UNKNOWN;
    *count = 2;
    sample[0] = (struct sample){4200, since + 1, 60, 10, 0, 0};
    sample[1] = (struct sample){4200, since + 2, 64, 10, 0, 0};
    return SUCCESS;
}
