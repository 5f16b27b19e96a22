/* vedette generate: made-up metrics with labelled faults. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/commands.h"
#include "cmd/generate_rows.h"
#include "format/time.h"
#include "os/output.h"

/* Holds what the options say. 0 and NaN stand for "as the preset has it". */
struct generate_settings {
    long rows, seed, machines;
    int preset, format;
    double interval, rate, share;
    char *start, *out, *labels;
    struct os_list faults;
    bool exact_original, force;
};

#define AT(FIELD) offsetof(struct generate_settings, FIELD)

/* The presets as the option counts them: what comes after these two is a kind of noise,
 * and "mixed" comes after the last of those. */
enum { PRESET_HOST, PRESET_METRICS2K, PRESET_NOISE };

static const struct os_option options[] = {
    {.name = "preset",
     .letter = 'p',
     .type = OS_OPTION_CHOICE,
     .value = "NAME",
     .fallback = "host",
     .choices = "host|metrics2k|gaussian|heavy|correlated|bursty|counts|rare_counts|"
                "on_off|daily|periodic|mixed",
     .offset = AT(preset),
     .help = "Which table"},
    {.name = "rows",
     .letter = 'n',
     .type = OS_OPTION_INTEGER,
     .value = "N",
     .min = 1,
     .max = 1e12,
     .offset = AT(rows),
     .help = "Rows of each machine (default: 10080; 2000 of metrics2k, 86400 of noise)"},
    {.name = "interval",
     .letter = 'i',
     .type = OS_OPTION_DURATION,
     .value = "TIME",
     .min = 1e-6,
     .max = 31536000,
     .line_only = true,
     .offset = AT(interval),
     .help = "Time between two rows (default: 1min; 1s of noise)"},
    {.name = "rate",
     .type = OS_OPTION_NUMBER,
     .value = "N",
     .min = 1e-6,
     .max = 1e6,
     .offset = AT(rate),
     .help = "Rows a second, instead of --interval"},
    {.name = "start",
     .type = OS_OPTION_TEXT,
     .value = "TIME",
     .fallback = "2026-01-01",
     .offset = AT(start),
     .help = "Time of the first row, UTC unless it names a zone"},
    {.name = "seed",
     .type = OS_OPTION_INTEGER,
     .value = "N",
     .fallback = "0",
     .min = 0,
     .max = 1e15,
     .line_only = true,
     .offset = AT(seed),
     .help = "The same seed gives the same bytes"},
    {.name = "machines",
     .letter = 'm',
     .type = OS_OPTION_INTEGER,
     .value = "N",
     .fallback = "1",
     .min = 1,
     .max = 10000,
     .offset = AT(machines),
     .help = "Hosts, named in a column `machine`, or with {} in the names of the files "
             "in a file each"},
    {.name = "share",
     .type = OS_OPTION_NUMBER,
     .value = "SHARE",
     .min = 0,
     .max = 0.5,
     .offset = AT(share),
     .help = "Share of the rows that are in faults, 0 = none (default: 0.05)",
     .group = "Faults of a host"},
    {.name = "fault",
     .type = OS_OPTION_LIST,
     .value = "KIND",
     .max = VD_HOST_FAULTS,
     .choices = "spike|step|leak|network_burst|disk_burst|contention|cascade|"
                "flat_sensor|off_schedule",
     .offset = AT(faults),
     .help = "Only faults of this kind; may be given several times (default: all)",
     .group = "Faults of a host"},
    {.name = "exact-original",
     .type = OS_OPTION_FLAG,
     .fallback = "false",
     .offset = AT(exact_original),
     .help = "metrics2k: leave memory_available_gb in the fixed faults as it was before "
             "them, as the original program does; it contradicts memory_percent there"},
    {.name = "output",
     .letter = 'o',
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .fallback = "-",
     .offset = AT(out),
     .help = "Where the rows go, - = standard output; {} is the number of the machine",
     .group = "Output"},
    {.name = "labels",
     .letter = 'l',
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .offset = AT(labels),
     .help = "Write label and kind of fault to a file of their own, a line for each row "
             "(default: in the columns label and fault of a host, else nowhere)",
     .group = "Output"},
    {.name = "format",
     .type = OS_OPTION_CHOICE,
     .value = "FORMAT",
     .fallback = "csv",
     .choices = "csv|jsonl",
     .offset = AT(format),
     .help = "CSV, or an object of JSON on each line",
     .group = "Output"},
    {.name = "force",
     .letter = 'f',
     .type = OS_OPTION_FLAG,
     .fallback = "false",
     .offset = AT(force),
     .help = "Replace the files when they are there",
     .group = "Output"},
    {.name = NULL},
};

/* What was made, for the last line. */
struct tally {
    uint64_t rows, anomalies, faults[VD_HOST_FAULTS];
};

/* One file of rows with its labels: the hosts first .. first + n - 1, in turn. */
struct table {
    const struct generate_settings *settings;
    struct vd_simulate_params params;
    unsigned first, n;
    vd_simulate **host;         /* n of them */
    enum vd_host_fault *before; /* of each, in the row before */
    struct os_output out, label_out;
    struct generate_rows rows, labels;
    bool has_labels; /* in a file of their own */
};

/* ---- what the options say ---- */

/* Refuses options that this preset does not look at: nothing is asked for in vain. */
static enum vd_status check(const void *settings, struct cmd_fault *fault,
                            struct vd_error *err)
{
    const struct generate_settings *s = settings;
    const char *option = NULL, *needs = "goes with --preset host only";

    if (s->preset != PRESET_METRICS2K && s->exact_original) {
        option = "exact-original";
        needs = "goes with --preset metrics2k only";
    }
    if (s->preset != PRESET_HOST && s->faults.n > 0)
        option = "fault";
    if (s->preset != PRESET_HOST && !isnan(s->share))
        option = "share";
    if (!isnan(s->rate) && !isnan(s->interval)) {
        option = "rate";
        needs = "and --interval say the same thing, give one";
    }
    if (option == NULL)
        return VD_OK;
    fault->option = option;
    return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "%s", needs);
}

/* Turns the names of --fault into a mask; none = all. */
static unsigned kinds_of(const struct os_list *faults)
{
    unsigned kinds = 0;

    for (size_t i = 0; i < faults->n; i++)
        for (unsigned k = 0; k < VD_HOST_FAULTS; k++)
            if (strcmp(faults->at[i], vd_host_fault_name((enum vd_host_fault)k)) == 0)
                kinds |= 1u << k;
    return kinds != 0 ? kinds : (1u << VD_HOST_FAULTS) - 1;
}

/* Makes the parameters: the defaults of the preset, then what was given. */
static enum vd_status make_params(const struct generate_settings *s,
                                  struct vd_simulate_params *p, struct vd_error *err)
{
    struct format_csv_field start = {s->start, strlen(s->start)};

    *p = vd_simulate_params_default();
    p->seed = (uint64_t)s->seed;
    p->kinds = kinds_of(&s->faults);
    p->stale_available = s->exact_original;
    if (s->preset == PRESET_METRICS2K) {
        p->preset = VD_SIMULATE_METRICS2K;
        p->rows = 2000;
    } else if (s->preset >= PRESET_NOISE) {
        p->preset = VD_SIMULATE_NOISE;
        p->noise = (size_t)(s->preset - PRESET_NOISE);
        p->rows = 86400;
        p->interval_ns = 1000000000;
    }
    if (s->rows > 0)
        p->rows = (uint64_t)s->rows;
    if (!isnan(s->share))
        p->share = s->share;
    if (!isnan(s->interval) || !isnan(s->rate))
        p->interval_ns = llround((isnan(s->rate) ? s->interval : 1 / s->rate) * 1e9);
    if (!format_time(start, &p->start_ns))
        return vd_error_set(err, VD_ERR_ARGUMENT, "write \"2026-01-01 08:00\"",
                            "--start: '%s' is no time", s->start);
    return VD_OK;
}

/* Returns how many digits of a second the times of the rows need. */
static int second_digits(const struct vd_simulate_params *p)
{
    int digits = 9;

    for (int64_t unit = 1000; digits > 0; digits -= 3, unit *= 1000)
        if (p->start_ns % unit != 0 || p->interval_ns % unit != 0)
            break;
    return digits;
}

/* ---- one file ---- */

/* Puts the number of a machine into the name of its file; false when it gets too long. */
static bool name_file(const char *pattern, unsigned machine, char *path, size_t size)
{
    const char *mark = strstr(pattern, "{}");
    int length = mark == NULL ? snprintf(path, size, "%s", pattern)
                              : snprintf(path, size, "%.*s%u%s", (int)(mark - pattern),
                                         pattern, machine, mark + 2);

    return length >= 0 && (size_t)length < size;
}

/* Opens the file of a pattern and gives its stream, which is standard output for "-". */
static enum vd_status open_file(const struct table *t, const char *pattern,
                                struct os_output *out, FILE **file, struct vd_error *err)
{
    char path[PATH_MAX];
    enum vd_status status;

    *file = stdout;
    if (strcmp(pattern, "-") == 0)
        return VD_OK;
    if (!name_file(pattern, t->first + 1, path, sizeof path))
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                            "the name of a file is too long: %.40s...", pattern);
    status = os_output_open_as(out, path,
                               t->settings->force ? OS_OUTPUT_ANY : OS_OUTPUT_NEW, err);
    *file = out->file;
    return status;
}

/* Opens the files and writes the names of their columns. */
static enum vd_status open_files(struct table *t, struct vd_error *err)
{
    const struct generate_settings *s = t->settings;
    bool is_host = t->params.preset == VD_SIMULATE_HOST;
    struct generate_layout layout = {
        .format = s->format == 0 ? GENERATE_CSV : GENERATE_JSON,
        .has_machine = t->n > 1,
        .has_label = is_host && !t->has_labels,
        .has_zone = t->params.preset != VD_SIMULATE_METRICS2K,
        .second_digits = second_digits(&t->params),
    };
    enum vd_status status;
    FILE *file;

    layout.column = vd_simulate_columns(t->params.preset, &layout.columns);
    status = open_file(t, s->out, &t->out, &file, err);
    if (status != VD_OK)
        return status;
    generate_rows_begin(&t->rows, file, &layout);
    if (!t->has_labels)
        return VD_OK;
    status = open_file(t, s->labels, &t->label_out, &file, err);
    if (status != VD_OK)
        return status;
    if (strcmp(t->out.path, t->label_out.path) == 0)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                            "--output and --labels are the same file");
    layout.column = NULL;
    layout.has_label = true;
    generate_rows_begin(&t->labels, file, &layout);
    return VD_OK;
}

/* Makes the hosts of the file. */
static enum vd_status make_hosts(struct table *t, struct vd_error *err)
{
    enum vd_status status = VD_OK;

    t->host = calloc(t->n, sizeof(vd_simulate *));
    t->before = malloc(t->n * sizeof *t->before);
    if (t->host == NULL || t->before == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for %u machines", t->n);
    for (unsigned i = 0; i < t->n && status == VD_OK; i++) {
        t->before[i] = VD_HOST_NORMAL;
        t->params.machine = t->first + i;
        status = vd_simulate_new(&t->host[i], &t->params, err);
    }
    return status;
}

/* Counts a row, and a fault when it begins. */
static void count(struct tally *tally, enum vd_host_fault *before,
                  struct vd_simulate_label label)
{
    tally->rows++;
    tally->anomalies += label.anomaly;
    if (label.fault != *before && label.fault != VD_HOST_NORMAL)
        tally->faults[label.fault]++;
    *before = label.fault;
}

/* Writes all rows; stops when a file takes no more, which its closing tells. */
static void write_rows(struct table *t, struct tally *tally)
{
    double value[16];
    int64_t time_ns = t->params.start_ns;

    for (uint64_t row = 0; row < t->params.rows; row++) {
        for (unsigned i = 0; i < t->n; i++) {
            struct vd_simulate_label label = vd_simulate_next(t->host[i], value);

            count(tally, &t->before[i], label);
            generate_rows_put(&t->rows, time_ns, t->first + i + 1, value, label);
            if (t->has_labels)
                generate_rows_put(&t->labels, time_ns, t->first + i + 1, value, label);
        }
        if (ferror(t->rows.file) || (t->has_labels && ferror(t->labels.file)))
            break;
        time_ns += t->params.interval_ns;
    }
    generate_rows_end(&t->rows);
    if (t->has_labels)
        generate_rows_end(&t->labels);
}

/* Frees the table. Files that are not in their places yet are removed. */
static void drop(struct table *t)
{
    for (unsigned i = 0; t->host != NULL && i < t->n; i++)
        vd_simulate_free(t->host[i]);
    free(t->host);
    free(t->before);
    os_output_drop(&t->label_out);
    os_output_drop(&t->out);
    free(t);
}

/* Makes one file of rows, with its labels: both come to their places, or none does. */
static enum vd_status make_table(const struct generate_settings *s,
                                 const struct vd_simulate_params *params, unsigned first,
                                 unsigned n, struct tally *tally, struct vd_error *err)
{
    struct table *t = calloc(1, sizeof *t);
    enum vd_status status;

    if (t == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory to make rows");
    t->settings = s;
    t->params = *params;
    t->first = first;
    t->n = n;
    t->has_labels = s->labels != NULL;
    status = make_hosts(t, err);
    if (status == VD_OK)
        status = open_files(t, err);
    if (status == VD_OK)
        write_rows(t, tally);
    if (status == VD_OK && t->label_out.file != NULL)
        status = os_output_commit(&t->label_out, 1, err);
    if (status == VD_OK && t->out.file != NULL)
        status = os_output_close(&t->out, err);
    drop(t);
    return status;
}

/* ---- the command ---- */

/* Says how much was made, where the rows themselves are not on standard output. */
static void report(const struct generate_settings *s, const struct tally *tally)
{
    const char *mark = ": ";

    printf("%s: %llu rows, %llu of them anomalies", s->out,
           (unsigned long long)tally->rows, (unsigned long long)tally->anomalies);
    for (unsigned k = 0; k < VD_HOST_FAULTS; k++)
        if (tally->faults[k] > 0) {
            printf("%s%llu %s", mark, (unsigned long long)tally->faults[k],
                   vd_host_fault_name((enum vd_host_fault)k));
            mark = ", ";
        }
    printf("\n");
}

/* Makes one file of all machines, or one for each where the names have the mark. */
static enum vd_status generate(const struct generate_settings *s, struct tally *tally,
                               struct vd_error *err)
{
    bool apart = strstr(s->out, "{}") != NULL;
    unsigned machines = (unsigned)s->machines, n = apart ? 1 : machines;
    struct vd_simulate_params params;
    enum vd_status status = make_params(s, &params, err);

    if (status == VD_OK && s->labels != NULL && machines > 1 &&
        apart != (strstr(s->labels, "{}") != NULL))
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                            "--labels: {} is to be in both names of files or in none");
    for (unsigned first = 0; first < machines && status == VD_OK; first += n)
        status = make_table(s, &params, first, n, tally, err);
    return status;
}

static int run(void *settings, int argc, char **argv)
{
    const struct generate_settings *s = settings;
    struct tally tally = {0};
    struct vd_error err = {0};

    (void)argc;
    (void)argv;
    if (generate(s, &tally, &err) != VD_OK)
        return cmd_failed(&err);
    if (strcmp(s->out, "-") != 0)
        report(s, &tally);
    return CMD_OK;
}

/* Lists the tables that can be made. */
static void list_presets(FILE *out)
{
    size_t n;
    const struct vd_noise_kind *kinds = vd_noise_kinds(&n);

    fprintf(out, "host: a server with days, weeks, jobs, noise and faults\n"
                 "metrics2k: uniform rows, 5 %% odd; faults in 25, 40-45, 60, 80\n");
    for (size_t k = 0; k < n; k++)
        fprintf(out, "%s: %s\n", kinds[k].name, kinds[k].what);
    fprintf(out, "mixed: one of these kinds of noise after the other\n");
}

const struct cmd_command cmd_generate = {
    .name = "generate",
    .summary = "Make up metrics of hosts, with faults of known place and kind",
    .about =
        "Writes rows as a host would give them: a demand that follows the hours of the "
        "day and the days of the week drives processor, network and disks together, "
        "memory, heat and load follow it, jobs run each hour and each night, and noise "
        "of "
        "several kinds lies on everything. Into that come faults: spikes, steps, leaks, "
        "bursts of the network and of a disk, contention, a cascade from disk to memory "
        "to processor, a sensor that stands still, the nightly job at another hour. "
        "Columns `label` (0 or 1) and `fault` say which rows they are in; --labels moves "
        "them to a file of their own.\n\n"
        "The same options give the same bytes on every machine. Another share of faults "
        "leaves the noise as it is. Numbers have a fixed count of decimals, less the "
        "zeros at the end.\n\n"
        "The presets other than host are simpler: metrics2k is a widely used sample, the "
        "others are stationary noise in which nothing happens, to count false alarms in.",
    .examples =
        "vedette generate -o week.csv\n"
        "    a week of one row a minute, 5 % of it in faults\n"
        "vedette generate --rows 86400 --interval 1s --fault leak --fault spike\n"
        "    a day by the second, with two kinds of faults\n"
        "vedette generate --machines 20 -o 'host-{}.csv' --labels 'labels-{}.csv'\n"
        "    twenty hosts, two files each\n"
        "vedette generate --preset metrics2k -o sample.csv --labels sample-labels.csv\n"
        "    the sample of 2,000 rows\n",
    .options = options,
    .list = list_presets,
    .list_title = "Presets",
    .settings_size = sizeof(struct generate_settings),
    .check = check,
    .run = run,
};
