/* vedette probe: every metric that this machine gives, once, and what reading it took. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/commands.h"
#include "cmd/json_out.h"
#include "cmd/root.h"
#include "collect/collectors.h"
#include "feature/rates.h"
#include "os/clock.h"

struct probe_settings {
    char *root, *nvml_library, *replay;
    struct os_list only;
    long repeat, top;
    double interval;
    bool json;
};

#define AT(FIELD) offsetof(struct probe_settings, FIELD)

static const struct os_option options[] = {
    {.name = "root",
     .type = OS_OPTION_TEXT,
     .value = "DIR",
     .check = cmd_check_root,
     .help = "Read /proc and /sys below DIR instead of this machine's",
     .offset = AT(root)},
    {.name = "only",
     .letter = 'o',
     .type = OS_OPTION_LIST,
     .value = "COLLECTOR",
     .help = "Ask only this collector; may be given several times",
     .offset = AT(only)},
    {.name = "repeat",
     .letter = 'n',
     .type = OS_OPTION_INTEGER,
     .value = "N",
     .fallback = "2",
     .min = 1,
     .max = 1000000,
     .help = "Read N times and show the last; rates need two",
     .offset = AT(repeat)},
    {.name = "interval",
     .letter = 'i',
     .type = OS_OPTION_DURATION,
     .value = "TIME",
     .fallback = "1s",
     .min = 0.001,
     .max = 3600,
     .help = "Time from one read to the next",
     .offset = AT(interval)},
    {.name = "top",
     .letter = 't',
     .type = OS_OPTION_INTEGER,
     .value = "N",
     .fallback = "5",
     .min = 0,
     .max = 1000,
     .help = "Show the N processes that use most CPU time",
     .offset = AT(top)},
    {.name = "replay",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .help = "Read the rows of a CSV or prmon file instead of this machine",
     .offset = AT(replay)},
    {.name = "nvml-library",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .help = "The NVIDIA management library, libnvidia-ml.so.1 by default",
     .offset = AT(nvml_library)},
    CMD_JSON_OPTION(AT(json)),
    {.name = NULL},
};

/* Bounds the arrays below; it is above the number of collectors that there are. */
enum { COLLECTORS_MAX = 32 };

/* Holds one run: the set that reads, the last sample, and the time in microseconds that
 * each collector took. `value` points into `rates`. */
struct probe {
    struct record_schema schema;
    struct record_sample sample;
    collect_set *set;
    feature_rates *rates;
    const double *value; /* of the last tick */
    long ticks;
    double sum_us[COLLECTORS_MAX], max_us[COLLECTORS_MAX];
};

/* Adds what each collector took. The first tick opens files and is slower, so its times
 * are thrown away when a second one comes. */
static void add_times(struct probe *probe)
{
    const char *name;
    int64_t ns;

    if (probe->ticks == 1)
        for (size_t i = 0; i < COLLECTORS_MAX; i++)
            probe->sum_us[i] = probe->max_us[i] = 0;
    for (size_t i = 0; i < COLLECTORS_MAX; i++) {
        ns = collect_set_duration(probe->set, i, &name);
        if (ns < 0)
            break;
        probe->sum_us[i] += (double)ns / 1000;
        probe->max_us[i] = fmax(probe->max_us[i], (double)ns / 1000);
    }
}

/* Divides by the ticks that were counted: all but the first, or the first where it is the
 * only one. */
static double mean_us(const struct probe *probe, size_t i)
{
    return probe->sum_us[i] / (double)(probe->ticks > 1 ? probe->ticks - 1 : 1);
}

/* Sleeps to an absolute time; a signal only makes it sleep on. */
static void sleep_until(int64_t mono_ns)
{
    struct timespec at = {mono_ns / 1000000000, mono_ns % 1000000000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
}

/* Reads as often as was asked. Each tick is due by the clock of the first one, so that a
 * slow tick does not delay those after it. A recording is read without waiting. */
static void run_ticks(struct probe *probe, const struct probe_settings *settings)
{
    int64_t start = os_clock_mono_ns(), interval = (int64_t)(settings->interval * 1e9);

    for (long tick = 0; tick < settings->repeat; tick++) {
        int64_t due = start + tick * interval;

        if (settings->replay == NULL)
            sleep_until(due);
        probe->sample.time_ns = os_clock_wall_ns();
        probe->sample.mono_ns = os_clock_mono_ns();
        probe->sample.jitter_ns = probe->sample.mono_ns - due;
        collect_set_read(probe->set, &probe->sample);
        if (probe->sample.raw == NULL || collect_set_course(probe->set).ended)
            return;
        probe->value = feature_rates_update(probe->rates, &probe->sample);
        add_times(probe);
        probe->ticks++;
    }
}

/* ---- output ---- */

/* Sorts the busiest process first, then the largest. A process that was seen once has no
 * rate yet (NaN) and comes last. */
static int by_cpu(const void *a, const void *b)
{
    const struct record_process *const *x = a, *const *y = b;
    double left = isnan((*x)->cpu_percent) ? -1 : (*x)->cpu_percent;
    double right = isnan((*y)->cpu_percent) ? -1 : (*y)->cpu_percent;

    if (left != right)
        return left < right ? 1 : -1;
    return ((*x)->rss_bytes < (*y)->rss_bytes) - ((*x)->rss_bytes > (*y)->rss_bytes);
}

/* Gives the busiest processes, *n at most, and sets *n to how many there are. The caller
 * frees the array; the processes stay the sample's. */
static const struct record_process **busiest(const struct record_processes *all,
                                             size_t *n)
{
    const struct record_process **list;

    if (all == NULL || all->n == 0 || *n == 0) {
        *n = 0;
        return NULL;
    }
    list = malloc(all->n * sizeof *list);
    if (list == NULL) {
        *n = 0;
        return NULL;
    }
    for (size_t i = 0; i < all->n; i++)
        list[i] = &all->at[i];
    qsort(list, all->n, sizeof *list, by_cpu);
    if (*n > all->n)
        *n = all->n;
    return list;
}

/* Prints at most `max` bytes of a process's name. A process may call itself anything, so
 * control bytes, which would steer the terminal, become '?'. */
static void print_safely(const char *text, size_t max)
{
    for (size_t i = 0; i < max && text[i] != '\0'; i++) {
        unsigned char byte = (unsigned char)text[i];

        putchar(byte < 0x20 || byte == 0x7f ? '?' : byte);
    }
}

/* Prints every metric; '-' stands for one that this machine does not have. */
static void print_metrics(const struct probe *probe)
{
    char label[RECORD_NAME_MAX + RECORD_LABEL_MAX + 4];

    for (size_t i = 0; i < probe->schema.n; i++) {
        const struct record_metric *metric = &probe->schema.metric[i];

        printf("%-40s ", record_metric_label(metric, label, sizeof label));
        if (isnan(probe->value[i]))
            puts("           -");
        else
            printf("%12.6g %s\n", probe->value[i], metric->unit);
    }
}

/* Prints the processes that use most CPU time. MB are 2^20 bytes, as in the metrics. */
static void print_processes(const struct probe *probe, long top)
{
    size_t n = (size_t)top;
    const struct record_process **list = busiest(probe->sample.processes, &n);

    if (n > 0)
        printf("\n%8s %7s %9s %8s %9s %9s  %s\n", "PID", "CPU %", "RSS MB", "THREADS",
               "READ MB/s", "WRITE", "COMMAND");
    for (size_t i = 0; i < n; i++) {
        const struct record_process *p = list[i];

        printf("%8d %7.1f %9.1f %8" PRIu32 " %9.2f %9.2f  ", p->pid, p->cpu_percent,
               p->rss_bytes / 1048576, p->threads, p->read_bytes_s / 1048576,
               p->write_bytes_s / 1048576);
        print_safely(p->command[0] != '\0' ? p->command : p->comm, 60);
        putchar('\n');
    }
    free(list);
}

/* Prints the time of each collector with its note or its error beside it. */
static void print_collectors(const struct probe *probe)
{
    struct vd_error errors[COLLECTORS_MAX] = {{0}};
    const char *names[COLLECTORS_MAX], *name;
    size_t failed = collect_set_errors(probe->set, names, errors, COLLECTORS_MAX);
    double sum = 0;

    printf("\n%-12s %10s %10s\n", "COLLECTOR", "MEAN us", "MAX us");
    for (size_t i = 0; collect_set_duration(probe->set, i, &name) >= 0; i++) {
        printf("%-12s %10.1f %10.1f", name, mean_us(probe, i), probe->max_us[i]);
        sum += mean_us(probe, i);
        if (collect_set_note(probe->set, i)[0] != '\0')
            printf("  %s", collect_set_note(probe->set, i));
        for (size_t k = 0; k < failed; k++)
            if (strcmp(names[k], name) == 0)
                printf("  %s", errors[k].text);
        putchar('\n');
    }
    printf("%-12s %10.1f\n", "all", sum);
}

static json_t *json_metrics(const struct probe *probe)
{
    json_t *array = json_array();

    for (size_t i = 0; i < probe->schema.n; i++) {
        const struct record_metric *metric = &probe->schema.metric[i];

        json_array_append_new(
            array, json_pack("{s:s, s:o, s:s, s:s, s:o}", "name", metric->name, "label",
                             cmd_json_text(metric->label), "unit", metric->unit, "help",
                             metric->help, "value", cmd_json_number(probe->value[i])));
    }
    return array;
}

static json_t *json_processes(const struct probe *probe, long top)
{
    size_t n = (size_t)top;
    const struct record_process **list = busiest(probe->sample.processes, &n);
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++) {
        const struct record_process *p = list[i];

        json_array_append_new(
            array,
            json_pack("{s:i, s:o, s:o, s:o, s:o, s:i, s:o, s:o}", "pid", p->pid, "name",
                      cmd_json_text(p->comm), "command", cmd_json_text(p->command),
                      "cpu_percent", cmd_json_number(p->cpu_percent), "rss_bytes",
                      cmd_json_number(p->rss_bytes), "threads", (int)p->threads,
                      "read_bytes_s", cmd_json_number(p->read_bytes_s), "write_bytes_s",
                      cmd_json_number(p->write_bytes_s)));
    }
    free(list);
    return array;
}

static json_t *json_collectors(const struct probe *probe)
{
    struct vd_error errors[COLLECTORS_MAX] = {{0}};
    const char *names[COLLECTORS_MAX], *name;
    size_t failed = collect_set_errors(probe->set, names, errors, COLLECTORS_MAX);
    json_t *array = json_array();

    for (size_t i = 0; collect_set_duration(probe->set, i, &name) >= 0; i++) {
        json_t *error = json_null();

        for (size_t k = 0; k < failed; k++)
            if (strcmp(names[k], name) == 0)
                error = cmd_json_text(errors[k].text);
        json_array_append_new(array,
                              json_pack("{s:s, s:f, s:f, s:o, s:o}", "name", name,
                                        "mean_us", mean_us(probe, i), "max_us",
                                        probe->max_us[i], "error", error, "note",
                                        cmd_json_text(collect_set_note(probe->set, i))));
    }
    return array;
}

static int print_json(const struct probe *probe, long top)
{
    return cmd_json_print(json_pack(
        "{s:I, s:o, s:o, s:o, s:o}", "time_ns", (json_int_t)probe->sample.time_ns, "time",
        cmd_json_time(probe->sample.time_ns), "metrics", json_metrics(probe), "processes",
        json_processes(probe, top), "collectors", json_collectors(probe)));
}

static int print(const struct probe *probe, const struct probe_settings *settings)
{
    if (settings->json)
        return print_json(probe, settings->top);
    print_metrics(probe);
    print_processes(probe, settings->top);
    print_collectors(probe);
    return CMD_OK;
}

/* ---- the command ---- */

/* Reads and prints. After a failure all that was made is released; each release takes
 * what was not made as well. */
static int run_probe(void *context, int argc, char **argv)
{
    const struct probe_settings *settings = context;
    struct collect_config config = collect_config_default();
    const char *only[COLLECTORS_MAX + 1] = {NULL};
    struct probe *probe = calloc(1, sizeof *probe);
    struct vd_error err = {0};
    int code = CMD_OK;

    (void)argc;
    (void)argv;
    if (probe == NULL)
        return CMD_FAILED;
    config.root = settings->root;
    config.replay = settings->replay;
    config.nvml_library = settings->nvml_library;
    /* With a single read there is no later one that could take what a worker found. */
    config.threads = settings->repeat > 1;
    for (size_t i = 0; i < settings->only.n && i < COLLECTORS_MAX; i++)
        only[i] = settings->only.at[i];
    probe->sample.schema = &probe->schema;
    if (collect_set_new(&probe->set, &config, settings->only.n > 0 ? only : NULL,
                        &probe->schema, &err) != VD_OK ||
        feature_rates_new(&probe->rates, &err) != VD_OK)
        goto out;
    run_ticks(probe, settings);
    if (probe->value == NULL)
        vd_error_set(&err, VD_ERR_DATA, NULL, "there was nothing to read");
    else
        code = print(probe, settings);
out:
    if (err.status != VD_OK)
        code = cmd_failed(&err);
    collect_set_free(probe->set);
    feature_rates_free(probe->rates);
    collect_sample_release(&probe->sample);
    record_schema_release(&probe->schema);
    free(probe);
    return code;
}

const struct cmd_command cmd_probe = {
    .name = "probe",
    .summary = "Show every metric of this machine and what reading it takes",
    .about =
        "Reads all collectors as the monitor does and prints each metric with its value "
        "('-' where this machine has none), the busiest processes, and the time that "
        "each "
        "collector took.\n\n"
        "A collector that failed has its reason beside it. That is no failure of the "
        "command: a metric that cannot be read is absent, and asked for again.",
    .examples = "vedette probe\n    everything, from two reads one second apart\n"
                "vedette probe --only thermal --only gpu --repeat 1\n    sensors only\n"
                "vedette probe --repeat 60 --json | jq .collectors\n"
                "    the cost of each collector over a minute\n",
    .options = options,
    .settings_size = sizeof(struct probe_settings),
    .run = run_probe,
};
