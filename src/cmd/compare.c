/* vedette compare: trains all detectors and benchmarks them on one test set. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch/benchmark.h"
#include "batch/compare_rows.h"
#include "batch/settings.h"
#include "cmd/commands.h"
#include "cmd/fit_options.h"
#include "cmd/json_out.h"
#include "cmd/table_options.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/output.h"
#include "os/terminal.h"
#include "plot/comparison.h"
#include "vedette/xgboost.h"

/* Holds what the options say. Paths are NULL when they are not given. */
struct compare_settings {
    char *train, *normal, *test, *data, *label, *out;
    struct fit_options fit;
    struct table_options table;
    int anomaly;
    bool plots, json;
};

#define AT(field) offsetof(struct compare_settings, field)

static const struct os_option options[] = {
    {.name = "train",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .offset = AT(train),
     .help = "Labelled CSV to learn from"},
    {.name = "normal",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .offset = AT(normal),
     .help = "CSV of normal rows, for the detectors that need no labels (default: the "
             "normal rows of --train)"},
    {.name = "test",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .offset = AT(test),
     .help = "Labelled CSV to be measured on"},
    {.name = "data",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .offset = AT(data),
     .help = "Fit and score the same rows; the label is used for scoring only"},
    {.name = "label",
     .type = OS_OPTION_TEXT,
     .value = "COLUMN",
     .offset = AT(label),
     .help = "Column of the label (default: label, anomaly or is_anomaly)"},
    ANOMALY_LABEL_OPTION(AT(anomaly)),
    FIT_OPTIONS(AT(fit)),
    TABLE_OPTIONS(AT(table)),
    {.name = "out",
     .letter = 'o',
     .type = OS_OPTION_TEXT,
     .value = "DIR",
     .fallback = ".",
     .offset = AT(out),
     .help = "Where the results are written"},
    {.name = "plots",
     .type = OS_OPTION_FLAG,
     .fallback = "true",
     .offset = AT(plots),
     .help = "Draw the plots (needs gnuplot)"},
    CMD_JSON_OPTION(AT(json)),
    {.name = NULL},
};

/* ---- one detector ---- */

/* Tells whether the detector learns from labelled rows. The ensemble has members of both
 * kinds: it can do without labels, and uses them where they are. */
static bool uses_labels(const struct batch_compare_rows *rows,
                        const struct vd_detector_info *info)
{
    return info->needs_labels || (info->combines && !rows->same_rows);
}

/* Gives the parameters that all detectors share. The normal rows are given apart only
 * when they are not the test rows themselves. */
static struct vd_fit_params base_params(const struct batch_compare_rows *rows,
                                        const struct compare_settings *s)
{
    struct vd_fit_params params = fit_options_params(&s->fit);

    if (!rows->same_rows)
        params.normal = &rows->normal.x;
    return params;
}

/* Measures one detector with the settings that were chosen for it. Detectors that need no
 * labels learn from the normal rows alone. */
static enum vd_status run_one(const struct batch_compare_rows *rows,
                              const struct compare_settings *s,
                              const struct vd_detector_info *info,
                              const struct vd_tune_choice *choice,
                              struct plot_result *result, struct vd_error *err)
{
    struct vd_fit_params params = base_params(rows, s);
    struct batch_benchmark b = {.info = info, .params = &params, .test = &rows->test};
    bool labelled = uses_labels(rows, info);

    b.x = rows->same_rows ? &rows->test.x : labelled ? &rows->train.x : &rows->normal.x;
    b.label = labelled ? rows->train.label : NULL;
    params.contamination = choice->contamination;
    params.settings = choice->setting;
    params.n_settings = choice->n;
    return batch_benchmark_run(result, &b, err);
}

/* ---- all of them ---- */

/* Decides whether a detector takes part. Fitting and scoring the same rows is for
 * detectors that see no labels: one that sees them would be asked what it was told
 * before. */
static bool is_wanted(const struct batch_compare_rows *rows,
                      const struct compare_settings *s,
                      const struct vd_detector_info *info)
{
    return fit_options_ask_for(&s->fit, info) ||
           (s->fit.detectors.n == 0 && !(rows->same_rows && info->needs_labels));
}

/* Sorts the best F1 to the front. A NaN compares as equal with everything: it has no
 * place of its own in the order. */
static int by_f1(const void *left, const void *right)
{
    const struct plot_result *a = left, *b = right;

    return (b->f1 > a->f1) - (b->f1 < a->f1);
}

/* Keeps the settings as text for the report. When the stream cannot be opened the text
 * stays empty, which is no reason to lose the result. */
static void keep_settings(struct plot_result *result, const struct vd_detector_info *info,
                          const struct vd_tune_choice *choice)
{
    FILE *out = fmemopen(result->settings, sizeof result->settings, "w");

    if (out == NULL)
        return;
    if (info->combines)
        fputs("those of its members", out);
    else
        batch_settings_put(out, info, choice);
    fclose(out);
}

/* Says why the detector cannot take part; NULL means that it can. */
static const char *obstacle(const struct batch_compare_rows *rows,
                            const struct vd_detector_info *info)
{
    if (info->unavailable != NULL)
        return info->unavailable;
    return rows->same_rows && info->needs_labels
               ? "it needs labelled rows to learn from: give --train and --test"
               : NULL;
}

/* Measures one detector and keeps the result. A failure is a warning and not the end,
 * since the others can still be compared. Only where the user named the detectors does
 * `err` say that one is missing. */
static void try_one(struct plot_comparison *c, const struct batch_compare_rows *rows,
                    const struct compare_settings *s, const struct vd_detector_info *info,
                    struct batch_settings_plan *plan, struct vd_error *err)
{
    struct plot_result *result = &c->result[c->n];
    const char *why = obstacle(rows, info);
    const struct vd_tune_choice *choice;
    struct vd_error inner = {0};
    char text[64];

    if (why == NULL) {
        snprintf(text, sizeof text, "training %s ...", info->name);
        os_terminal_status(text);
        choice = batch_settings_for(plan, info);
        if (run_one(rows, s, info, choice, result, &inner) == VD_OK) {
            keep_settings(result, info, choice);
            c->n++;
            return;
        }
        why = inner.text;
    }
    os_log_warning("%s is left out: %s", info->name, why);
    if (s->fit.detectors.n > 0)
        vd_error_set(err, VD_ERR_DATA, NULL,
                     "not all detectors that were asked for could be trained");
}

/* Measures all detectors that are wanted, best first. `err` is set when one that was
 * asked for by name is not among the results. With --json the choice of settings is told
 * on standard error, so that standard output stays JSON. */
static void run_all(struct plot_comparison *c, const struct batch_compare_rows *rows,
                    const struct compare_settings *s, struct vd_error *err)
{
    const struct vd_detector_info *info;
    struct vd_fit_params params = base_params(rows, s);
    struct vd_tune_rows by = {&rows->train.x, rows->train.label, &rows->normal.x,
                              &params};
    struct batch_settings_plan plan = {.given = &s->fit.set,
                                       .contamination = s->fit.contamination,
                                       .say = s->json ? stderr : stdout};

    if (s->fit.tune && !rows->same_rows)
        batch_settings_choose_by(&plan, &by);
    for (size_t i = 0; (info = vd_detector_at(i)) != NULL; i++)
        if (c->n < PLOT_RESULTS_MAX && is_wanted(rows, s, info))
            try_one(c, rows, s, info, &plan, err);
    os_terminal_status(NULL);
    qsort(c->result, c->n, sizeof *c->result, by_f1);
}

/* ---- what is said of it ---- */

/* Prints " 0.937", or "-" where there is no number: F1 is not defined without anomalies,
 * and the area under the curve needs both classes. */
static void print_quality(int width, double value)
{
    if (isnan(value))
        printf(" %*s", width, "-");
    else
        printf(" %*.3f", width, value);
}

/* Prints the table. Times of training are in seconds, of one row in microseconds. */
static void print_table(const struct plot_comparison *c)
{
    printf("%-18s %9s %9s %9s %10s %12s %6s %9s %7s %8s\n", "detector", "train s",
           "model kB", "memory MB", "latency us", "rows/s", "F1", "precision", "recall",
           "ROC AUC");
    for (size_t i = 0; i < c->n; i++) {
        const struct plot_result *r = &c->result[i];

        printf("%-18s %9.4f %9.1f %9.2f %10.2f %12.0f", r->name, r->train_s, r->size_kb,
               r->memory_mb, r->latency_ms * 1e3, r->throughput_ips);
        print_quality(6, r->f1);
        print_quality(9, r->precision);
        print_quality(7, r->recall);
        print_quality(8, r->roc_auc);
        putchar('\n');
    }
}

/* Prints the results with the same names and units as the columns of the report file, so
 * that a script can read either. */
static void print_json(const struct plot_comparison *c)
{
    json_t *root = json_array();

    for (size_t i = 0; i < c->n; i++) {
        const struct plot_result *r = &c->result[i];

        json_array_append_new(
            root,
            json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:o, s:o, s:o, s:o, s:o}",
                      "detector", r->name, "settings", r->settings, "train_time_s",
                      r->train_s, "model_size_kb", r->size_kb, "runtime_mem_mb",
                      r->memory_mb, "latency_ms", r->latency_ms, "throughput_ips",
                      r->throughput_ips, "f1_score", cmd_json_number(r->f1), "precision",
                      cmd_json_number(r->precision), "recall", cmd_json_number(r->recall),
                      "roc_auc", cmd_json_number(r->roc_auc), "pr_auc",
                      cmd_json_number(r->pr_auc)));
    }
    cmd_json_print(root);
}

/* Counts the anomalous rows; 0 where there are no labels. */
static size_t count_odd(const struct batch_dataset *data)
{
    size_t n = 0;

    for (size_t i = 0; data->label != NULL && i < data->x.n; i++)
        n += data->label[i] != 0;
    return n;
}

static void say_rows(struct plot_comparison *c, const char *name, const char *path,
                     const struct batch_dataset *data)
{
    if (data->label != NULL)
        plot_comparison_say(c, name, "%s: %zu rows, %zu of them anomalous", path,
                            data->x.n, count_odd(data));
    else
        plot_comparison_say(c, name, "%s: %zu rows", path, data->x.n);
}

/* Writes into the report which rows and settings led to the numbers, so that a reader can
 * repeat the run. */
static void say_run(struct plot_comparison *c, const struct batch_compare_rows *rows,
                    const struct compare_settings *s)
{
    char now[OS_CLOCK_TEXT];

    plot_comparison_say(c, "Made", "%s by vedette " VEDETTE_VERSION,
                        os_clock_text(os_clock_wall_ns(), now));
    if (rows->same_rows) {
        say_rows(c, "Learned from and tested on", s->data, &rows->test);
    } else {
        say_rows(c, "Labelled rows", s->train, &rows->train);
        say_rows(c, "Normal rows", s->normal != NULL ? s->normal : s->train,
                 &rows->normal);
        say_rows(c, "Test rows", s->test, &rows->test);
    }
    plot_comparison_say(c, "Columns", "%zu", rows->test.x.d);
    plot_comparison_say(c, "Settings", "%s%s", s->fit.set.n > 0 ? "as given, else " : "",
                        s->fit.tune && !rows->same_rows
                            ? "chosen by cross-validation on the labelled rows"
                            : "defaults");
    plot_comparison_say(c, "Seed", "%ld", s->fit.seed);
}

/* Warns when the test rows have one class only, since they cannot tell good detectors
 * from bad ones. The share of anomalies is kept as well: it is the precision of a
 * detector that guesses. */
static void warn_of_one_class(struct plot_comparison *c,
                              const struct batch_compare_rows *rows)
{
    size_t odd = count_odd(&rows->test);

    c->chance = (double)odd / (double)rows->test.x.n;
    if (odd == 0)
        os_log_warning("the test rows are all normal: no F1 and no ROC area");
    else if (odd == rows->test.x.n)
        os_log_warning("the test rows are all anomalous: no ROC area");
}

/* ---- the command ---- */

/* Refuses options that contradict each other before any file is read. */
static enum vd_status check_use(const struct compare_settings *s, struct vd_error *err)
{
    const char *hint = "see vedette help compare";
    const char *other = s->train != NULL    ? "train"
                        : s->test != NULL   ? "test"
                        : s->normal != NULL ? "normal"
                                            : NULL;

    if (s->data != NULL && other != NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, hint,
                            "--data fits and scores its own rows: it does not go with "
                            "--%s",
                            other);
    if (s->data == NULL && (s->train == NULL || s->test == NULL))
        return vd_error_set(err, VD_ERR_ARGUMENT, hint,
                            "give --train and --test, or --data");
    return VD_OK;
}

/* Checks the output folder and the XGBoost library now: finding them out after minutes of
 * training would be a pity. */
static enum vd_status check_places(const struct compare_settings *s, struct vd_error *err)
{
    enum vd_status status = os_folder_make(s->out, err);

    if (status == VD_OK && s->fit.xgboost != NULL)
        status = vd_xgboost_probe(s->fit.xgboost, err);
    return status;
}

/* Does the whole run. When a detector that was asked for is missing, the results of the
 * others are still written and the exit status says that it failed. */
static enum vd_status compare(const struct compare_settings *s, struct vd_error *err)
{
    struct plot_comparison c = {0};
    struct format_options table = table_options(&s->table, s->label);
    const struct batch_compare_paths paths = {
        s->train, s->normal, s->test, s->data, &table, table_anomaly_label(s->anomaly)};
    struct batch_compare_rows rows;
    struct vd_error missing = {0};
    enum vd_status status = batch_compare_rows_read(&rows, &paths, err);

    if (status == VD_OK)
        status = check_places(s, err);
    if (status == VD_OK) {
        warn_of_one_class(&c, &rows);
        run_all(&c, &rows, s, &missing);
        if (c.n == 0)
            status = vd_error_set(err, VD_ERR_DATA, NULL, "no detector could be trained");
    }
    if (status == VD_OK) {
        if (s->json)
            print_json(&c);
        else
            print_table(&c);
        say_run(&c, &rows, s);
        status = plot_comparison_write(&c, s->out, s->plots, err);
    }
    if (status == VD_OK && missing.status != VD_OK)
        status = vd_error_set(err, missing.status, NULL, "%s", missing.text);
    plot_comparison_release(&c);
    batch_compare_rows_release(&rows);
    return status;
}

static int run(void *settings, int argc, char **argv)
{
    const struct compare_settings *s = settings;
    struct vd_error err = {0};

    (void)argc;
    (void)argv;
    if (check_use(s, &err) != VD_OK || compare(s, &err) != VD_OK)
        return cmd_failed(&err);
    return CMD_OK;
}

const struct cmd_command cmd_compare = {
    .name = "compare",
    .summary = "Train all detectors and benchmark them on one test set",
    .about =
        "Fits every detector, scores the test rows one by one and all at once, and "
        "prints what it took and how good it was, best F1 first. Detectors that need no "
        "labels "
        "learn from normal rows, the others from the labelled ones.\n\n"
        "Settings are chosen on five stratified folds of the training rows (of at most "
        "2,000 normal and 1,000 labelled ones), by the sum of F1 and ROC AUC; the test "
        "rows take no part. "
        "What was chosen is printed.\n\n"
        "Writes comparison_results.csv, comparison_report.html and, where gnuplot is "
        "there, "
        "comparison_plots.png, roc_curves.png and pr_curves.png, in place of those of an "
        "earlier run. With --detector or --xgboost, one that cannot be trained is a "
        "failure.",
    .examples =
        "vedette compare --train labeled_training.csv --test labeled_test.csv "
        "--normal normal_training.csv\n"
        "    Normal rows for those that need no labels, labelled ones for the others\n"
        "vedette compare --data wine.csv --label label\n"
        "    Fit and score the same rows, as papers on unlabelled detection do\n",
    .options = options,
    .settings_size = sizeof(struct compare_settings),
    .run = run,
};
