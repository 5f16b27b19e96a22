/* Opens libnvidia-ml by dlopen(3) and asks for each function by name: what an older
 * driver does not have is NULL, and its numbers are NaN. Processes are asked by the
 * newest call that is there. */
#include "collect/nvml.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of nvml.h: nvmlReturn_t is an int, 0 is success; handles are opaque pointers. */
typedef struct nvml_device *nvml_device;

struct nvml_utilization {
    unsigned gpu, memory; /* percent of the last sampling period */
};

struct nvml_memory {
    unsigned long long total, free, used;
};

/* nvmlProcessInfo_t of the _v3 calls; the older calls have two fields less. */
struct nvml_process {
    unsigned pid;
    unsigned long long used;
    unsigned instance, compute_instance;
};

/* nvmlProcessUtilizationSample_t: `sm` is the load in percent. */
struct nvml_process_sample {
    unsigned pid;
    unsigned long long time_us;
    unsigned sm, memory, encoder, decoder;
};

enum { NVML_SUCCESS = 0, NVML_NOT_FOUND = 6, NVML_TEMPERATURE_GPU = 0 };

#define NVML_NOT_AVAILABLE (~0ull) /* of nvml_process.used */

struct collect_nvml {
    void *library;
    int (*init)(void);
    int (*shutdown)(void);
    int (*count)(unsigned *count);
    int (*handle)(unsigned index, nvml_device *device);
    int (*name)(nvml_device device, char *name, unsigned length);
    int (*utilization)(nvml_device device, struct nvml_utilization *utilization);
    int (*memory)(nvml_device device, struct nvml_memory *memory);
    int (*temperature)(nvml_device device, int sensor, unsigned *celsius);
    int (*power)(nvml_device device, unsigned *milliwatts);
    int (*compute)(nvml_device device, unsigned *count, struct nvml_process *process);
    int (*graphics)(nvml_device device, unsigned *count, struct nvml_process *process);
    int (*samples)(nvml_device device, struct nvml_process_sample *sample,
                   unsigned *count, unsigned long long since_us);
    unsigned long long seen_us[COLLECT_GPUS_MAX];  /* newest process sample taken */
    struct collect_gpu_use held[COLLECT_GPUS_MAX]; /* loads of collect_nvml_use */
    int64_t held_ns[COLLECT_GPUS_MAX];             /* monotonic: when they were told */
};

/* Says where each function goes, and whether nothing works without it. One that an old
 * driver lacks stays NULL. */
static const struct {
    const char *name;
    size_t offset;
    int needed;
} functions[] = {
#define FUNCTION(NAME, FIELD, NEEDED)                                                    \
    {                                                                                    \
        NAME, offsetof(struct collect_nvml, FIELD), NEEDED                               \
    }
    FUNCTION("nvmlInit_v2", init, 1),
    FUNCTION("nvmlShutdown", shutdown, 1),
    FUNCTION("nvmlDeviceGetCount_v2", count, 1),
    FUNCTION("nvmlDeviceGetHandleByIndex_v2", handle, 1),
    FUNCTION("nvmlDeviceGetName", name, 0),
    FUNCTION("nvmlDeviceGetUtilizationRates", utilization, 0),
    FUNCTION("nvmlDeviceGetMemoryInfo", memory, 0),
    FUNCTION("nvmlDeviceGetTemperature", temperature, 0),
    FUNCTION("nvmlDeviceGetPowerUsage", power, 0),
    FUNCTION("nvmlDeviceGetComputeRunningProcesses_v3", compute, 0),
    FUNCTION("nvmlDeviceGetGraphicsRunningProcesses_v3", graphics, 0),
    FUNCTION("nvmlDeviceGetProcessUtilization", samples, 0),
#undef FUNCTION
};

/* ISO C has no conversion from object to function pointers; POSIX says that the bytes of
 * what dlsym gives are those of the function pointer. */
static enum vd_status find_functions(collect_nvml *nvml, struct vd_error *err)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *symbol = dlsym(nvml->library, functions[i].name);

        if (symbol == NULL && functions[i].needed)
            return vd_error_set(err, VD_ERR_FORMAT, "is the driver older than 2012?",
                                "the NVIDIA library has no %s", functions[i].name);
        memcpy((char *)nvml + functions[i].offset, &symbol, sizeof symbol);
    }
    return VD_OK;
}

enum vd_status collect_nvml_open(collect_nvml **out, const char *library,
                                 struct vd_error *err)
{
    collect_nvml *nvml = calloc(1, sizeof *nvml);
    enum vd_status status = VD_ERR_UNAVAILABLE;

    *out = NULL;
    if (nvml == NULL)
        return VD_ERR_MEMORY;
    nvml->library =
        dlopen(library == NULL ? "libnvidia-ml.so.1" : library, RTLD_NOW | RTLD_LOCAL);
    if (nvml->library == NULL)
        goto out;
    status = find_functions(nvml, err);
    if (status == VD_OK && nvml->init() != NVML_SUCCESS)
        status = VD_ERR_UNAVAILABLE;
out:
    if (status != VD_OK) {
        if (nvml->library != NULL)
            dlclose(nvml->library);
        free(nvml);
        return status;
    }
    *out = nvml;
    return VD_OK;
}

/* Counts the processors, up to `max`; false when the driver does not answer any more. */
static bool device_count(const collect_nvml *nvml, size_t max, size_t *n)
{
    unsigned count = 0;
    bool good = nvml->count(&count) == NVML_SUCCESS;

    *n = !good ? 0 : count > max ? max : count;
    return good;
}

/* Fills in what the driver answers; the rest stays NaN, since small and virtual
 * processors have no sensor of power or temperature. */
static void read_device(const collect_nvml *nvml, nvml_device device,
                        struct collect_gpu_state *gpu)
{
    struct nvml_utilization utilization;
    struct nvml_memory memory;
    unsigned value;

    if (nvml->name != NULL &&
        nvml->name(device, gpu->name, sizeof gpu->name) != NVML_SUCCESS)
        gpu->name[0] = '\0';
    if (nvml->utilization != NULL &&
        nvml->utilization(device, &utilization) == NVML_SUCCESS)
        gpu->percent = utilization.gpu;
    if (nvml->memory != NULL && nvml->memory(device, &memory) == NVML_SUCCESS) {
        gpu->memory_used = (double)memory.used;
        gpu->memory_total = (double)memory.total;
    }
    if (nvml->temperature != NULL &&
        nvml->temperature(device, NVML_TEMPERATURE_GPU, &value) == NVML_SUCCESS)
        gpu->celsius = value;
    if (nvml->power != NULL && nvml->power(device, &value) == NVML_SUCCESS)
        gpu->watts = value / 1000.0;
}

bool collect_nvml_read(collect_nvml *nvml, struct collect_gpu_state *gpu, size_t max,
                       size_t *n)
{
    if (!device_count(nvml, max, n))
        return false;
    for (size_t i = 0; i < *n; i++) {
        nvml_device device;

        gpu[i] = (struct collect_gpu_state){"", NAN, NAN, NAN, NAN, NAN};
        /* A processor that fell off the bus has no handle any more. */
        if (nvml->handle((unsigned)i, &device) == NVML_SUCCESS)
            read_device(nvml, device, &gpu[i]);
    }
    return true;
}

/* Finds the entry of `pid`, or adds one; NULL when there is no room. */
static struct collect_gpu_process *entry_of(struct collect_gpu_process *process,
                                            size_t *n, size_t max, unsigned pid)
{
    for (size_t i = 0; i < *n; i++)
        if (process[i].pid == (int)pid)
            return &process[i];
    if (*n == max)
        return NULL;
    process[*n] = (struct collect_gpu_process){(int)pid, NAN, 0};
    return &process[(*n)++];
}

/* Adds what the processes hold on this processor. When they are more than fit, the driver
 * answers with an error, and nothing is added. */
static void add_memory(int (*list)(nvml_device, unsigned *, struct nvml_process *),
                       nvml_device device, struct collect_gpu_process *process, size_t *n,
                       size_t max)
{
    struct nvml_process found[COLLECT_GPU_PROCESSES_MAX];
    unsigned count = COLLECT_GPU_PROCESSES_MAX;

    if (list == NULL || list(device, &count, found) != NVML_SUCCESS)
        return;
    for (unsigned i = 0; i < count && i < COLLECT_GPU_PROCESSES_MAX; i++) {
        struct collect_gpu_process *entry = entry_of(process, n, max, found[i].pid);

        if (entry != NULL && found[i].used != NVML_NOT_AVAILABLE)
            entry->bytes += (double)found[i].used;
    }
}

/* Adds the load of the processes since the last call. Of several samples, and of several
 * processors, the largest load of a process counts. */
static void add_percent(collect_nvml *nvml, size_t gpu, nvml_device device,
                        struct collect_gpu_process *process, size_t *n, size_t max)
{
    struct nvml_process_sample sample[COLLECT_GPU_PROCESSES_MAX];
    unsigned count = COLLECT_GPU_PROCESSES_MAX;
    unsigned long long since = nvml->seen_us[gpu];

    if (nvml->samples == NULL ||
        nvml->samples(device, sample, &count, since) != NVML_SUCCESS)
        return;
    for (unsigned i = 0; i < count && i < COLLECT_GPU_PROCESSES_MAX; i++) {
        struct collect_gpu_process *entry;

        if (sample[i].pid == 0 || sample[i].sm > 100)
            continue;
        entry = entry_of(process, n, max, sample[i].pid);
        if (entry != NULL)
            entry->percent = fmax(entry->percent, sample[i].sm);
        if (sample[i].time_us > nvml->seen_us[gpu])
            nvml->seen_us[gpu] = sample[i].time_us;
    }
}

size_t collect_nvml_processes(collect_nvml *nvml, struct collect_gpu_process *process,
                              size_t max)
{
    size_t gpus, n = 0;

    device_count(nvml, COLLECT_GPUS_MAX, &gpus);
    for (size_t i = 0; i < gpus; i++) {
        nvml_device device;

        if (nvml->handle((unsigned)i, &device) != NVML_SUCCESS)
            continue;
        add_memory(nvml->compute, device, process, &n, max);
        add_memory(nvml->graphics, device, process, &n, max);
        add_percent(nvml, i, device, process, &n, max);
    }
    return n;
}

static int by_number(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

static bool is_one_of(const int *pid, size_t n, unsigned wanted)
{
    int key = (int)wanted;

    return bsearch(&key, pid, n, sizeof *pid, by_number) != NULL;
}

/* Sums what the processes hold. False when the driver does not answer. A process that has
 * both contexts is on both lists with the same memory. */
static bool sum_memory(int (*list)(nvml_device, unsigned *, struct nvml_process *),
                       nvml_device device, const int *pid, size_t n, double *bytes,
                       bool *found)
{
    struct nvml_process process[COLLECT_GPU_PROCESSES_MAX];
    unsigned count = COLLECT_GPU_PROCESSES_MAX;
    bool known = true;

    if (list == NULL || list(device, &count, process) != NVML_SUCCESS)
        return false;
    for (unsigned i = 0; i < count && i < COLLECT_GPU_PROCESSES_MAX; i++) {
        if (!is_one_of(pid, n, process[i].pid))
            continue;
        *found = true;
        known = known && process[i].used != NVML_NOT_AVAILABLE;
        if (process[i].used != NVML_NOT_AVAILABLE)
            *bytes += (double)process[i].used;
    }
    return known;
}

/* Sums the loads of the processes' newest samples. With several of one process the
 * largest counts. */
static void sum_samples(collect_nvml *nvml, size_t gpu, const int *pid, size_t n,
                        const struct nvml_process_sample *sample, unsigned count,
                        struct collect_gpu_use *load)
{
    *load = (struct collect_gpu_use){0};
    for (unsigned i = 0; i < count && i < COLLECT_GPU_PROCESSES_MAX; i++) {
        unsigned sm = sample[i].sm, memory = sample[i].memory;
        bool again = false;

        if (sample[i].time_us > nvml->seen_us[gpu])
            nvml->seen_us[gpu] = sample[i].time_us;
        if (sample[i].pid == 0 || sm > 100 || !is_one_of(pid, n, sample[i].pid))
            continue;
        for (unsigned k = 0; k < count && k < COLLECT_GPU_PROCESSES_MAX; k++) {
            bool same = sample[k].pid == sample[i].pid && sample[k].sm <= 100;

            again |= same && k < i;
            if (same && k > i) {
                sm = sample[k].sm > sm ? sample[k].sm : sm;
                memory = sample[k].memory > memory ? sample[k].memory : memory;
            }
        }
        load->percent += again ? 0 : sm;
        load->memory_percent += again || memory > 100 ? 0 : memory;
        load->found = true;
    }
}

/* Asks for the loads since the last time. No new sample is an error of its own. */
static void read_loads(collect_nvml *nvml, size_t gpu, nvml_device device, const int *pid,
                       size_t n, int64_t mono_ns)
{
    struct nvml_process_sample sample[COLLECT_GPU_PROCESSES_MAX];
    struct collect_gpu_use *held = &nvml->held[gpu];
    unsigned count = COLLECT_GPU_PROCESSES_MAX;
    int code = nvml->samples == NULL
                   ? -1
                   : nvml->samples(device, sample, &count, nvml->seen_us[gpu]);

    if (code == NVML_SUCCESS && count > 0) {
        sum_samples(nvml, gpu, pid, n, sample, count, held);
        nvml->held_ns[gpu] = mono_ns;
    } else if (code != NVML_SUCCESS && code != NVML_NOT_FOUND)
        *held = (struct collect_gpu_use){.percent = NAN, .memory_percent = NAN};
    else if (mono_ns - nvml->held_ns[gpu] > 1000000000)
        *held = (struct collect_gpu_use){0};
}

void collect_nvml_use(collect_nvml *nvml, const int *pid, size_t n, int64_t mono_ns,
                      struct collect_gpu_use *use)
{
    size_t gpus;
    bool answered = device_count(nvml, COLLECT_GPUS_MAX, &gpus);

    *use = (struct collect_gpu_use){0};
    for (size_t i = 0; i < gpus; i++) {
        nvml_device device;
        double bytes = 0, graphics = 0;
        bool found = false;

        if (nvml->handle((unsigned)i, &device) != NVML_SUCCESS)
            continue;
        if (!sum_memory(nvml->compute, device, pid, n, &bytes, &found))
            bytes = NAN;
        sum_memory(nvml->graphics, device, pid, n, &graphics, &found);
        read_loads(nvml, i, device, pid, n, mono_ns);
        use->bytes += bytes > graphics || isnan(bytes) ? bytes : graphics;
        use->percent += nvml->held[i].percent;
        use->memory_percent += nvml->held[i].memory_percent;
        found |= nvml->held[i].found;
        use->gpus += found;
        use->found |= found;
    }
    if (!answered)
        *use = (struct collect_gpu_use){NAN, NAN, NAN, NAN, false};
}

void collect_nvml_close(collect_nvml *nvml)
{
    if (nvml == NULL)
        return;
    nvml->shutdown();
    dlclose(nvml->library);
    free(nvml);
}
