/* What one watched host costs: bytes by part, and the time of a tick when 1, 100 and
 * 2,000 of them are watched in one process.
 *
 *     bench_host [--ticks N] [--window ROWS] [--detector NAME]... [--train] [HOSTS]...
 *
 * Hosts of eight metrics without process tables; samples are made up, a second from one
 * to the next, and all hosts get one before any gets the next, as in a fleet. Nothing is
 * read or written. Without --detector a model has the five detectors that need no labels.
 */
#include <getopt.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/state.h"
#include "os/clock.h"
#include "vedette/rng.h"
#include "vedette/stats.h"

enum { METRICS = 8, WARM_UP = 120, DETECTORS_MAX = 8 };

/* Those of the single machine. */
static const char *const all_detectors[] = {"isolation_forest", "one_class_svm", "lof",
                                            "pca", "mahalanobis"};

static const struct record_metric metric[METRICS] = {
    {.name = "cpu_percent", .unit = "%", .most = 100, .sigma_floor = 1},
    {.name = "cpu_freq", .unit = "MHz", .sigma_floor = 50},
    {.name = "cpu_memory", .unit = "%", .most = 100, .sigma_floor = 0.5},
    {.name = "cpu_temp", .unit = "C", .sigma_floor = 1},
    {.name = "disk_read_mb", .unit = "MB/s", .sigma_floor = 0.5, .is_byte_rate = true},
    {.name = "disk_write_mb", .unit = "MB/s", .sigma_floor = 0.5, .is_byte_rate = true},
    {.name = "network_sent_mb", .unit = "MB/s", .sigma_floor = 0.1, .is_byte_rate = true},
    {.name = "network_recv_mb", .unit = "MB/s", .sigma_floor = 0.1, .is_byte_rate = true},
};

/* What is asked on the command line. */
struct settings {
    long ticks, window;
    const char *detector[DETECTORS_MAX];
    size_t n_detectors;
    bool train;
};

/* A host and the sample that is filled in for it. */
struct watched {
    host *h;
    struct record_schema schema;
    struct record_sample sample;
    double raw[METRICS], base[METRICS];
    struct vd_rng rng;
};

static struct detect_rules rules;

static int64_t next_id(void *context)
{
    int64_t *id = context;

    return ++*id;
}

static int one_group(const char *name)
{
    (void)name;
    return 0;
}

static size_t bytes_in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* Gives what of the process lies in memory; what was never written to does not. */
static size_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;

    if (file == NULL || fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void fail(const char *what)
{
    fprintf(stderr, "bench_host: %s\n", what);
    exit(1);
}

static void watch(struct watched *w, const struct settings *s, uint64_t seed)
{
    static int64_t last_id;
    struct host_config config = {
        .interval_s = 1,
        .detect = detect_config_default(),
        .rules = &rules,
        .alert = alert_config_default(),
        .next_event_id = next_id,
        .group_of = one_group,
        .context = &last_id,
    };

    *w = (struct watched){.sample = {.schema = &w->schema,
                                     .time_ns = INT64_C(1700000000) * 1000000000,
                                     .mono_ns = INT64_C(1000) * 1000000000,
                                     .raw = w->raw,
                                     .base = w->base}};
    vd_rng_init(&w->rng, seed);
    for (size_t i = 0; i < METRICS; i++) {
        struct record_metric row = metric[i];

        row.scale = 1;
        row.core = true;
        record_schema_add(&w->schema, &row, NULL);
    }
    if (s->window > 0)
        config.detect.multivariate.window = (size_t)s->window;
    config.detect.multivariate.detector = s->detector;
    config.detect.multivariate.n_detectors = s->n_detectors;
    if (host_new(&w->h, &config, &w->schema, NULL) != VD_OK)
        fail("no memory for one more host");
}

/* Feeds one sample. What the host has to say is nothing to us. */
static void tick(struct watched *w)
{
    double load = fabs(vd_rng_normal(&w->rng));

    w->sample.time_ns += 1000000000;
    w->sample.mono_ns += 1000000000;
    for (size_t i = 0; i < METRICS; i++)
        w->raw[i] = metric[i].is_byte_rate ? load * 0.1 : 40 + load;
    host_tick(w->h, &w->sample);
}

static void forget(struct watched *w)
{
    host_free(w->h);
    record_schema_release(&w->schema);
}

/* Trains what is due; gives the CPU time in seconds. */
static double train(struct watched *w)
{
    int64_t began = os_clock_thread_ns();
    host_job *job;

    while ((job = host_work_begin(w->h)) != NULL) {
        host_work_run(job);
        host_work_end(w->h, job);
    }
    return (double)(os_clock_thread_ns() - began) * 1e-9;
}

static void print_part(const char *name, size_t bytes)
{
    printf("  %-44s %9.1f KiB\n", name, (double)bytes / 1024);
}

/* Prints the bytes of one host, by what they are for. */
static void print_parts(const struct settings *s)
{
    size_t start = bytes_in_use(), made, ticked, trained;
    struct detect_multivariate_config layer = detect_config_default().multivariate;
    struct watched *w = malloc(sizeof *w);
    size_t window = (s->window > 0 ? (size_t)s->window : layer.window) *
                    sizeof(struct detect_multivariate_row);
    explain_recorder *recorder;
    double cpu_s;

    if (w == NULL)
        fail("no memory");
    watch(w, s, 1);
    made = bytes_in_use();
    for (int i = 0; i < WARM_UP; i++)
        tick(w);
    ticked = bytes_in_use();
    cpu_s = train(w);
    trained = bytes_in_use();
    printf("one host of %d metrics without process tables\n", METRICS);
    print_part("struct host", sizeof *w->h);
    print_part("window of the multivariate layer, full", window);
    start = bytes_in_use() - (trained - start);
    if (explain_recorder_new(&recorder) != VD_OK)
        fail("no memory");
    print_part("flight recorder", bytes_in_use() - trained);
    explain_recorder_free(recorder);
    print_part("all of it, before its first sample", made - start);
    print_part("streaming detectors, baselines", ticked - made);
    print_part("models", trained - ticked);
    printf("  %-44s %9.3f s of CPU\n", "first training", cpu_s);
    forget(w);
    free(w);
}

/* Gives the median time of a round, by host, in microseconds. */
static double time_of(const struct settings *s, size_t n)
{
    struct watched *w = malloc(n * sizeof *w);
    double *us = malloc((size_t)s->ticks * sizeof *us), median;
    size_t before = resident_bytes();

    if (w == NULL || us == NULL)
        fail("no memory");
    for (size_t i = 0; i < n; i++)
        watch(&w[i], s, i + 1);
    for (long k = 0; k < WARM_UP; k++)
        for (size_t i = 0; i < n; i++)
            tick(&w[i]);
    for (size_t i = 0; i < n && s->train; i++)
        train(&w[i]);
    for (long k = 0; k < s->ticks; k++) {
        int64_t began = os_clock_thread_ns();

        for (size_t i = 0; i < n; i++)
            tick(&w[i]);
        us[k] = (double)(os_clock_thread_ns() - began) * 1e-3 / (double)n;
    }
    vd_sort(us, (size_t)s->ticks);
    median = vd_quantile_sorted(us, (size_t)s->ticks, 0.5);
    printf("  %6zu %14.2f %14.2f %22.1f\n", n, median,
           vd_quantile_sorted(us, (size_t)s->ticks, 0.99),
           (double)(resident_bytes() - before) / 1024 / (double)n);
    for (size_t i = 0; i < n; i++)
        forget(&w[i]);
    free(w);
    free(us);
    return median;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"ticks", required_argument, NULL, 't'},
                                            {"window", required_argument, NULL, 'w'},
                                            {"detector", required_argument, NULL, 'd'},
                                            {"train", no_argument, NULL, 'T'},
                                            {0}};
    static char *usual[] = {"1", "100", "2000"};
    struct settings s = {.ticks = 60};
    double least = 0, last = 0;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 't')
            s.ticks = atol(optarg);
        else if (option == 'w')
            s.window = atol(optarg);
        else if (option == 'd' && s.n_detectors < DETECTORS_MAX)
            s.detector[s.n_detectors++] = optarg;
        else if (option == 'T')
            s.train = true;
        else
            return 2;
    }
    if (s.ticks < 1)
        return 2;
    if (s.n_detectors == 0) {
        s.n_detectors = sizeof all_detectors / sizeof *all_detectors;
        memcpy(s.detector, all_detectors, sizeof all_detectors);
    }
    detect_rules_init(&rules);
    print_parts(&s);
    printf("\nhosts    us a tick p50            p99   KiB resident a host\n");
    if (optind == argc) {
        argv = usual;
        argc = sizeof usual / sizeof *usual;
        optind = 0;
    }
    for (int i = optind; i < argc; i++) {
        last = time_of(&s, (size_t)atol(argv[i]));
        least = least == 0 ? last : least;
    }
    printf("\nthe last costs %.2f times the first a tick\n", last / least);
    return 0;
}
