/* How long a tick takes, stage by stage, and what it allocates: the real monitor with
 * everything on (store, dashboard, detectors), on this machine or below a root.
 *
 *     tick [--root DIR] [--ticks N] [--pace-ms N] [--trace]
 *
 * Time is made up, a second from tick to tick, so that a run takes seconds instead of
 * minutes; what is read is real, the store goes to a folder that is removed. --pace-ms
 * waits between two ticks, so that caches are as cold as in real life. --trace prints
 * where allocations on the tick came from.
 *
 * malloc and its kin are counted per thread: the store's writer may allocate as it likes,
 * the thread that ticks may not. A tick that hands a training, a save or an
 * event's flight recorder over to a worker copies it; those are counted apart. Exits with
 * 1 when another tick allocated.
 */
#include <dlfcn.h>
#include <execinfo.h>
#include <ftw.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/state.h"
#include "monitor/state.h"
#include "os/clock.h"
#include "vedette/detector.h"
#include "vedette/stats.h"

/* ---- the allocator, counted ---- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

static _Thread_local unsigned long allocations;
static _Thread_local bool tracing;

static void count(void)
{
    void *frame[24];

    allocations++;
    if (!tracing)
        return;
    tracing = false; /* backtrace may allocate */
    backtrace_symbols_fd(frame, backtrace(frame, 24), STDERR_FILENO);
    fprintf(stderr, "--\n");
    tracing = true;
}

void *malloc(size_t size)
{
    count();
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    count();
    return __libc_calloc(n, size);
}

void *realloc(void *block, size_t size)
{
    count();
    return __libc_realloc(block, size);
}

/* ---- the run ---- */

enum { WARM_UP = 400, TICKS_MAX = 100000 };

struct run {
    monitor *p;
    uv_loop_t loop;
    int64_t time_ns, mono_ns;
    long ticks, pace_ms;
    double *stage_us[MONITOR_STAGES], *wall_us, *cpu_us;
    long n, handed_over, dirty;
    unsigned long in_hand_over, in_others;
};

static void tick(struct run *run)
{
    run->time_ns += 1000000000;
    run->mono_ns += 1000000000;
    monitor_tick(run->p, run->time_ns, run->mono_ns, 0);
}

/* What changes when a tick hands a copy to a worker: a training, a save, the flight
 * recorder of an event. */
static int64_t hand_overs(const monitor *p)
{
    int64_t mark = p->save_due_ns + (p->job != NULL ? 1 : 0) + (p->saving ? 2 : 0);

    for (size_t i = 0; i < p->host->n_moments; i++)
        mark += p->host->moments[i].due_ns + (p->host->moments[i].kept ? 4 : 0);
    return mark;
}

static void measured_tick(struct run *run, bool trace)
{
    int64_t mark = hand_overs(run->p);
    unsigned long before = allocations, made;
    double cpu = (double)os_clock_thread_ns() * 1e-3;
    int64_t start = os_clock_mono_ns();
    long i = run->n++;

    tracing = trace;
    tick(run);
    tracing = false;
    made = allocations - before;
    run->wall_us[i] = (double)(os_clock_mono_ns() - start) * 1e-3;
    run->cpu_us[i] = (double)os_clock_thread_ns() * 1e-3 - cpu;
    for (int k = 0; k < MONITOR_STAGES; k++)
        run->stage_us[k][i] = run->p->stage_us[k];
    if (mark != hand_overs(run->p)) {
        run->handed_over++;
        run->in_hand_over += made;
    } else {
        run->dirty += made > 0;
        run->in_others += made;
    }
}

static void print_row(const char *name, double *us, long n)
{
    vd_sort(us, (size_t)n);
    printf("%-20s %10.1f %10.1f %10.1f\n", name, vd_quantile_sorted(us, (size_t)n, 0.5),
           vd_quantile_sorted(us, (size_t)n, 0.99), us[n - 1]);
}

static int report(struct run *run)
{
    const struct record_processes *processes = host_record(run->p->host)->processes;

    printf("%ld metrics, %zu processes, %ld ticks after a warm-up of %d\n\n",
           (long)run->p->schema.n, processes == NULL ? 0 : processes->n, run->n, WARM_UP);
    printf("%-20s %10s %10s %10s\n", "stage", "p50 us", "p99 us", "max us");
    for (int k = 0; k < MONITOR_STAGES; k++)
        print_row(monitor_stage_name((enum monitor_stage)k), run->stage_us[k], run->n);
    print_row("whole tick", run->wall_us, run->n);
    print_row("its CPU time", run->cpu_us, run->n);
    printf("\nallocations on the tick: %lu in %ld of %ld ticks", run->in_others,
           run->dirty, run->n - run->handed_over);
    printf("\n(and %lu in %ld ticks that handed a training, a save or an event over)\n",
           run->in_hand_over, run->handed_over);
    return run->in_others == 0 ? 0 : 1;
}

static void configure(struct monitor_config *config, const char *root, const char *dir,
                      uv_loop_t *loop)
{
    static const char *detector[RECORD_DETECTORS_MAX];
    const struct vd_detector_info *info;

    *config = monitor_config_default();
    config->loop = loop;
    config->collect.root = root;
    config->store.dir = dir;
    config->show.port = 0;
    config->channels.terminal = config->channels.desktop = false;
    detect_rules_init(&config->rules);
    for (size_t i = 0; (info = vd_detector_at(i)) != NULL; i++)
        if (!info->needs_labels && info->unavailable == NULL)
            detector[config->detect.multivariate.n_detectors++] = info->name;
    config->detect.multivariate.detector = detector;
}

static int run_all(struct run *run, bool trace)
{
    struct timespec pause = {0, run->pace_ms * 1000000L};

    run->time_ns = os_clock_wall_ns();
    run->mono_ns = os_clock_mono_ns();
    for (int i = 0; i < WARM_UP; i++) {
        tick(run);
        uv_run(&run->loop, UV_RUN_NOWAIT);
        /* The writers have a bounded queue and work in real time. */
        nanosleep(&(struct timespec){0, 5000000L}, NULL);
    }
    while (run->n < run->ticks) {
        measured_tick(run, trace);
        uv_run(&run->loop, UV_RUN_NOWAIT);
        nanosleep(&pause, NULL);
    }
    return report(run);
}

static bool make_room(struct run *run)
{
    size_t size = (size_t)run->ticks * sizeof(double);

    run->wall_us = malloc(size);
    run->cpu_us = malloc(size);
    for (int k = 0; k < MONITOR_STAGES; k++)
        if ((run->stage_us[k] = malloc(size)) == NULL)
            return false;
    return run->wall_us != NULL && run->cpu_us != NULL;
}

static void release(struct run *run)
{
    monitor_free(run->p);
    uv_run(&run->loop, UV_RUN_DEFAULT);
    uv_loop_close(&run->loop);
    free(run->wall_us);
    free(run->cpu_us);
    for (int k = 0; k < MONITOR_STAGES; k++)
        free(run->stage_us[k]);
}

static int remove_one(const char *path, const struct stat *info, int kind,
                      struct FTW *place)
{
    (void)info, (void)kind, (void)place;
    return remove(path);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"root", required_argument, NULL, 'r'},
                                            {"ticks", required_argument, NULL, 'n'},
                                            {"pace-ms", required_argument, NULL, 'p'},
                                            {"trace", no_argument, NULL, 't'},
                                            {0}};
    char dir[] = "/tmp/vedette-tick-XXXXXX";
    struct run run = {.ticks = 500, .pace_ms = 20};
    struct monitor_config config;
    struct vd_error err = {0};
    const char *root = NULL;
    bool trace = false;
    int c, code = 2;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'r')
            root = optarg;
        else if (c == 'n')
            run.ticks = atol(optarg);
        else if (c == 'p')
            run.pace_ms = atol(optarg);
        else if (c == 't')
            trace = true;
        else
            return 2;
    }
    if (run.ticks < 1 || run.ticks > TICKS_MAX || run.pace_ms < 0 || run.pace_ms > 999 ||
        !make_room(&run) || mkdtemp(dir) == NULL || uv_loop_init(&run.loop) != 0)
        return 2;
    configure(&config, root, dir, &run.loop);
    if (monitor_new(&run.p, &config, &err) == VD_OK)
        code = run_all(&run, trace);
    else
        fprintf(stderr, "%s\n", err.text);
    release(&run);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return code;
}
