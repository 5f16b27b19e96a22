/* Puts what the readers of collect/ give into prmon's columns and units. */
#include "recording/sampler.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/tree_waited.h"
#include "os/clock.h"

/* The driver takes its samples a few times a second, and asking takes milliseconds. */
static const int64_t GPU_PERIOD_NS = 200000000;

/* The number of the first pid namespace; fixed by the kernel's interface. */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCu

static bool is_in_first_namespace(void)
{
    struct stat info;

    return stat("/proc/self/ns/pid", &info) != 0 || info.st_ino == FIRST_PID_NAMESPACE;
}

/* Lets this process have as many files as it may: three for each process of the tree stay
 * open. The command was started before, with the limit as it was. */
static void raise_limit(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static void open_gpu(struct recording_sampler *sampler, const struct recording_plan *plan,
                     struct format_prmon *prmon)
{
    if (prmon->shown[FORMAT_PRMON_GPUS])
        collect_nvml_open(&sampler->nvml, plan->nvml_library, NULL);
    if (sampler->nvml == NULL)
        format_prmon_disable(prmon, "nvidiamon");
    sampler->numbers_differ = !is_in_first_namespace();
    sampler->gpu_ns = INT64_MIN / 2;
}

enum vd_status recording_sampler_open(struct recording_sampler *sampler,
                                      const struct recording_plan *plan, int pid,
                                      bool waits, struct format_prmon *prmon,
                                      struct vd_error *err)
{
    const struct collect_tree_config config = {
        .pid = pid,
        .adopter = waits ? (int)getpid() : 0,
        .pss_every = plan->pss_every,
    };

    sampler->waits = waits;
    raise_limit();
    collect_tree_network_init(&sampler->network, pid,
                              (const char *const *)plan->netdev.at, plan->netdev.n);
    collect_tree_network_read(&sampler->network);
    open_gpu(sampler, plan, prmon);
    sampler->start_ns = os_clock_mono_ns();
    sampler->use.has_root = true;
    return collect_tree_new(&sampler->tree, &config, err);
}

/* Asks the driver, unless that was done just now. In a container the driver may know the
 * processes by other numbers: that it names none of ours then means nothing. */
static void read_gpu(struct recording_sampler *sampler,
                     double value[FORMAT_PRMON_COLUMNS])
{
    struct collect_gpu_use *use = &sampler->gpu;
    int64_t now = os_clock_mono_ns();
    const int *pid;
    size_t n;

    if (now - sampler->gpu_ns >= GPU_PERIOD_NS) {
        pid = collect_tree_pids(sampler->tree, &n);
        collect_nvml_use(sampler->nvml, pid, n, now, use);
        sampler->gpu_ns = now;
        if (use->found)
            sampler->numbers_differ = false;
        if (sampler->numbers_differ)
            *use = (struct collect_gpu_use){NAN, NAN, NAN, NAN, false};
    }
    value[FORMAT_PRMON_GPU_MEMORY] = use->bytes / 1024;
    value[FORMAT_PRMON_GPU_MEMORY_PERCENT] = use->memory_percent;
    value[FORMAT_PRMON_GPU_PERCENT] = use->percent;
    value[FORMAT_PRMON_GPUS] = use->gpus;
}

static void take_tree(const struct collect_tree_use *use,
                      double value[FORMAT_PRMON_COLUMNS])
{
    value[FORMAT_PRMON_WTIME] = use->age_s;
    value[FORMAT_PRMON_PSS] = use->pss / 1024;
    value[FORMAT_PRMON_RSS] = use->rss / 1024;
    value[FORMAT_PRMON_SWAP] = use->swap / 1024;
    value[FORMAT_PRMON_VMEM] = use->vmem / 1024;
    value[FORMAT_PRMON_RCHAR] = use->counter[COLLECT_TREE_READ_CHARS];
    value[FORMAT_PRMON_READ_BYTES] = use->counter[COLLECT_TREE_READ_BYTES];
    value[FORMAT_PRMON_WCHAR] = use->counter[COLLECT_TREE_WRITTEN_CHARS];
    value[FORMAT_PRMON_WRITE_BYTES] = use->counter[COLLECT_TREE_WRITTEN_BYTES];
    value[FORMAT_PRMON_STIME] = use->counter[COLLECT_TREE_SYSTEM];
    value[FORMAT_PRMON_UTIME] = use->counter[COLLECT_TREE_USER];
    value[FORMAT_PRMON_NPROCS] = (double)use->processes;
    value[FORMAT_PRMON_NTHREADS] = (double)use->threads;
}

static void take_network(const struct collect_tree_network *network,
                         double value[FORMAT_PRMON_COLUMNS])
{
    value[FORMAT_PRMON_RX_BYTES] = network->sum[COLLECT_NET_RECV_BYTES];
    value[FORMAT_PRMON_RX_PACKETS] = network->sum[COLLECT_NET_RECV_PACKETS];
    value[FORMAT_PRMON_TX_BYTES] = network->sum[COLLECT_NET_SENT_BYTES];
    value[FORMAT_PRMON_TX_PACKETS] = network->sum[COLLECT_NET_SENT_PACKETS];
}

/* Keeps the gauges of the row before: that a tree which has ended uses nothing is no
 * news, and a last row of zeros would be the oddest of the recording. */
static void keep_gauges(const struct recording_sampler *sampler,
                        double value[FORMAT_PRMON_COLUMNS])
{
    for (int i = FORMAT_PRMON_GPU_MEMORY; i < FORMAT_PRMON_ELAPSED; i++)
        if (!format_prmon_is_counter(i))
            value[i] = sampler->before[i];
}

bool recording_sampler_read(struct recording_sampler *sampler,
                            double value[FORMAT_PRMON_COLUMNS])
{
    double waited[COLLECT_TREE_COUNTERS];
    bool measured;

    for (int i = 0; i < FORMAT_PRMON_COLUMNS; i++)
        value[i] = NAN;
    if (sampler->waits)
        collect_tree_waited(waited);
    collect_tree_read(sampler->tree, sampler->waits ? waited : NULL, &sampler->use);
    collect_tree_network_read(&sampler->network);
    value[FORMAT_PRMON_TIME] = (double)(os_clock_wall_ns() / 1000000000);
    value[FORMAT_PRMON_ELAPSED] = (double)(os_clock_mono_ns() - sampler->start_ns) * 1e-9;
    take_tree(&sampler->use, value);
    take_network(&sampler->network, value);
    if (sampler->nvml != NULL)
        read_gpu(sampler, value);
    measured = sampler->use.processes > 0 || !sampler->has_before;
    if (!measured)
        keep_gauges(sampler, value);
    memcpy(sampler->before, value, sizeof sampler->before);
    sampler->has_before = true;
    return measured;
}

void recording_sampler_close(struct recording_sampler *sampler)
{
    collect_tree_free(sampler->tree);
    collect_tree_network_release(&sampler->network);
    collect_nvml_close(sampler->nvml);
    *sampler = (struct recording_sampler){0};
}
