/* vedette evaluate: how good the detectors are on public benchmarks. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/json_out.h"
#include "format/nab.h"
#include "os/output.h"
#include "os/terminal.h"
#include "vedette/stream.h"

struct evaluate_settings {
    char *out, *windows;
    bool json;
};

#define AT(field) offsetof(struct evaluate_settings, field)

static const struct os_option options[] = {
    {.name = "out",
     .letter = 'o',
     .type = OS_OPTION_TEXT,
     .value = "DIR",
     .offset = AT(out),
     .help = "Where result files go (default: none are written)"},
    {.name = "windows",
     .letter = 'w',
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .offset = AT(windows),
     .help = "The labelled windows, JSON (default: looked for around the series)"},
    CMD_JSON_OPTION(AT(json)),
    {.name = NULL},
};

/* Counts the profiles of the benchmark: standard, few false alarms, few misses. */
enum { PROFILES = 3 };

/* Holds one run over all series. `total` has one sum for each profile; `failed` counts
 * the series that could not be read. */
struct evaluation {
    const struct evaluate_settings *settings;
    const char *dir;
    format_nab_labels *labels; /* NULL = only scores, no points */
    struct vd_nab_result total[PROFILES];
    size_t rows, alarms, failed;
    json_t *series; /* what --json writes of each */
};

/* Runs the univariate layer over the series, one row after the other and without looking
 * ahead. The benchmark tells every detector how many rows are probation; nothing else is
 * told of the file. */
static enum vd_status score_series(const struct format_nab_series *series, double *score,
                                   uint8_t *detected, struct vd_error *err)
{
    struct vd_stream_params params = vd_stream_params_default();
    vd_stream *stream;

    params.warm_up = params.memory = vd_nab_probation(series->n);
    if (vd_stream_new(&stream, &params) != VD_OK)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the detector");
    for (size_t i = 0; i < series->n; i++) {
        struct vd_stream_verdict verdict;

        vd_stream_push(stream, series->row[i].time_s, series->row[i].x, &verdict);
        score[i] = verdict.score;
        detected[i] = verdict.alarm;
    }
    vd_stream_free(stream);
    return VD_OK;
}

/* Prints one line of the table. A series without a labelled window has no score: every
 * one of its alarms is false, and no window could be caught. */
static void print_series(const char *name, size_t rows, size_t alarms,
                         const struct vd_nab_result *one)
{
    if (one == NULL) {
        printf("%-54s %7zu %7zu\n", name, rows, alarms);
        return;
    }
    printf("%-54s %7zu %7zu %7zu %7zu ", name, rows, one->windows, one->caught,
           one->false_alarms);
    if (one->windows == 0)
        printf("%7s\n", "-");
    else
        printf("%7.1f\n", vd_nab_normalised(one));
}

/* Prints a series or adds it to the JSON list. `one` is NULL where nothing is
 * labelled. */
static void tell_series(struct evaluation *e, const char *name, size_t rows,
                        size_t alarms, const struct vd_nab_result *one)
{
    json_t *row;

    if (!e->settings->json) {
        print_series(name, rows, alarms, one);
        return;
    }
    row = json_pack("{s:o, s:I, s:I}", "series", cmd_json_text(name), "rows",
                    (json_int_t)rows, "alarms", (json_int_t)alarms);
    if (one != NULL)
        json_object_update_new(
            row,
            json_pack("{s:I, s:I, s:I, s:o}", "windows", (json_int_t)one->windows,
                      "caught", (json_int_t)one->caught, "false_alarms",
                      (json_int_t)one->false_alarms, "score",
                      cmd_json_number(one->windows == 0 ? NAN : vd_nab_normalised(one))));
    json_array_append_new(e->series, row);
}

/* Adds a series to the totals of all profiles and tells its line. The line shows the
 * first profile, the standard one. */
static void count_series(struct evaluation *e, const char *name,
                         const struct format_nab_series *series, const uint8_t *detected)
{
    struct vd_nab_result one = {0};
    const struct vd_nab_profile *profiles;
    size_t n, alarms = 0;

    profiles = vd_nab_profiles(&n);
    for (size_t i = 0; i < series->n; i++)
        alarms += detected[i];
    e->rows += series->n;
    e->alarms += alarms;
    if (e->labels == NULL) {
        tell_series(e, name, series->n, alarms, NULL);
        return;
    }
    for (size_t k = 0; k < n && k < PROFILES; k++)
        vd_nab_score(detected, series->n, series->window, series->n_windows, &profiles[k],
                     &e->total[k]);
    vd_nab_score(detected, series->n, series->window, series->n_windows, &profiles[0],
                 &one);
    tell_series(e, name, series->n, alarms, &one);
}

/* Scores one series from its first row on, as a monitor would meet it, and adds its
 * points. */
static enum vd_status evaluate_series(struct evaluation *e, const char *name,
                                      struct vd_error *err)
{
    struct format_nab_series series = {0};
    uint8_t *detected = NULL;
    double *score = NULL;
    enum vd_status status = VD_ERR_ARGUMENT;
    char path[PATH_MAX];

    if ((size_t)snprintf(path, sizeof path, "%s/%s", e->dir, name) >= sizeof path)
        return vd_error_set(err, status, NULL, "%s: name too long", name);
    status = format_nab_series_read(&series, path, err);
    if (status == VD_OK && e->labels != NULL)
        status = format_nab_labels_apply(e->labels, name, &series, err);
    if (status != VD_OK)
        goto out;
    score = calloc(series.n + 1, sizeof *score);
    detected = calloc(series.n + 1, sizeof *detected);
    if (score == NULL || detected == NULL) {
        status = vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory", name);
        goto out;
    }
    status = score_series(&series, score, detected, err);
    if (status == VD_OK && e->settings->out != NULL)
        status = format_nab_result_write(e->settings->out, name, &series, score, err);
    if (status == VD_OK)
        count_series(e, name, &series, detected);
out:
    format_nab_series_release(&series);
    free(score);
    free(detected);
    return status;
}

static void print_totals(const struct evaluation *e)
{
    const struct vd_nab_profile *profiles;
    size_t n;

    profiles = vd_nab_profiles(&n);
    printf("\n%zu rows, %zu alarms; an alarm is an anomaly_score of 0.5 or more\n",
           e->rows, e->alarms);
    if (e->labels == NULL) {
        printf("No labelled windows were found: no points.\n");
        return;
    }
    printf("%zu of %zu windows caught, %zu false alarms\n", e->total[0].caught,
           e->total[0].windows, e->total[0].false_alarms);
    for (size_t k = 0; k < n && k < PROFILES; k++)
        printf("%-20s %6.2f\n", profiles[k].name, vd_nab_normalised(&e->total[k]));
}

/* Prints the whole run as one object. It takes over the list of series. */
static int print_json(struct evaluation *e)
{
    const struct vd_nab_profile *profiles;
    json_t *scores = e->labels == NULL ? json_null() : json_object();
    size_t n;

    profiles = vd_nab_profiles(&n);
    for (size_t k = 0; e->labels != NULL && k < n && k < PROFILES; k++)
        json_object_set_new(scores, profiles[k].name,
                            cmd_json_number(vd_nab_normalised(&e->total[k])));
    return cmd_json_print(json_pack("{s:I, s:I, s:o, s:o}", "rows", (json_int_t)e->rows,
                                    "alarms", (json_int_t)e->alarms, "scores", scores,
                                    "series", e->series));
}

static void print_columns(const struct evaluation *e)
{
    if (e->labels == NULL)
        printf("%-54s %7s %7s\n", "series", "rows", "alarms");
    else
        printf("%-54s %7s %7s %7s %7s %7s\n", "series", "rows", "windows", "caught",
               "false", "score");
}

/* Goes through all series of the folder. One that cannot be read is told and counted and
 * the others go on; the exit status then says that something failed. */
static int evaluate_nab(struct evaluation *e)
{
    struct format_nab_list list;
    struct vd_error err = {0};

    if (e->settings->out != NULL && os_folder_make(e->settings->out, &err) != VD_OK)
        return cmd_failed(&err);
    if (format_nab_list_find(&list, e->dir, &err) != VD_OK)
        return cmd_failed(&err);
    if (format_nab_labels_read(&e->labels, e->dir, e->settings->windows, &err) != VD_OK) {
        format_nab_list_release(&list);
        return cmd_failed(&err);
    }
    if (e->settings->json)
        e->series = json_array();
    else
        print_columns(e);
    for (size_t i = 0; i < list.n; i++) {
        os_terminal_progress((double)i / (double)list.n);
        vd_error_clear(&err);
        if (evaluate_series(e, list.name[i], &err) != VD_OK) {
            e->failed++;
            cmd_failed(&err);
        }
    }
    os_terminal_progress(1);
    if (e->settings->json)
        e->failed += print_json(e) != CMD_OK;
    else
        print_totals(e);
    format_nab_labels_free(e->labels);
    format_nab_list_release(&list);
    return e->failed > 0 || fflush(stdout) != 0 ? CMD_FAILED : CMD_OK;
}

/* Takes "nab" and a folder. The word leaves room for other benchmarks. */
static int run_evaluate(void *data, int argc, char **argv)
{
    struct evaluation e = {.settings = data};
    struct vd_error err = {0};

    if (argc != 2 || strcmp(argv[0], "nab") != 0) {
        vd_error_set(&err, VD_ERR_ARGUMENT, "write nab and the folder of the series",
                     "evaluate: %s", argc == 0 ? "nothing to do" : "wrong words");
        return cmd_failed(&err);
    }
    e.dir = argv[1];
    return evaluate_nab(&e);
}

const struct cmd_command cmd_evaluate = {
    .name = "evaluate",
    .summary = "Measure detection on a public benchmark",
    .arguments = "nab DIR",
    .about =
        "nab runs the univariate layer, as the monitor does on each metric, over every "
        "series "
        "below DIR (the Numenta Anomaly Benchmark: CSV files with the columns timestamp "
        "and value), each from its first row to its last without looking ahead, all with "
        "one configuration and one threshold.\n\n"
        "With --out it writes DIR/vedette/FOLDER/vedette_FILE.csv as the benchmark's own "
        "program wants it: timestamp, value, anomaly_score (0 to 1; an alarm from 0.5 "
        "on) "
        "and label. Where the labelled windows are found it prints the benchmark's three "
        "scores: 0 is a detector that says nothing, 100 a perfect one.",
    .examples = "vedette evaluate nab NAB/data --out NAB/results\n    all series of the "
                "benchmark\n",
    .options = options,
    .settings_size = sizeof(struct evaluate_settings),
    .run = run_evaluate,
};
