/* vedette compare: trains all detectors and benchmarks them on one test set. */
#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/dataset.h"
#include "cmd/detector_names.h"
#include "cmd/tune.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/terminal.h"
#include "plot/comparison.h"
#include "record.h"
#include "vedette/detector.h"
#include "vedette/evaluate.h"

struct compare_settings {
    char *train, *normal, *test, *data, *label, *out, *xgboost;
    struct os_list detectors;
    double contamination;
    long seed, threads;
    bool plots, tune;
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
    {.name = "detector",
     .type = OS_OPTION_LIST,
     .value = "NAME",
     .choices = CMD_DETECTOR_NAMES,
     .offset = AT(detectors),
     .help = "Only this detector; may be given again"},
    {.name = "contamination",
     .type = OS_OPTION_NUMBER,
     .value = "SHARE",
     .zero = "auto",
     .min = 0.0001,
     .max = 0.5,
     .offset = AT(contamination),
     .help = "Share of the training rows to call odd; auto = each method's own rule "
             "(default: chosen with the settings, else 0.05)"},
    {.name = "seed",
     .type = OS_OPTION_INTEGER,
     .value = "N",
     .fallback = "0",
     .min = 0,
     .max = 1e15,
     .offset = AT(seed),
     .help = "Seed of everything random"},
    {.name = "threads",
     .type = OS_OPTION_INTEGER,
     .value = "N",
     .fallback = "0",
     .min = 0,
     .max = 256,
     .offset = AT(threads),
     .help = "Threads to use; 0 = one for each core"},
    {.name = "xgboost",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .offset = AT(xgboost),
     .help = "The XGBoost library to load"},
    {.name = "tune",
     .type = OS_OPTION_FLAG,
     .fallback = "true",
     .offset = AT(tune),
     .help = "Choose settings by cross-validation on the training rows; --no-tune takes "
             "the defaults"},
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
     .help = "Draw comparison_plots.png (needs gnuplot)"},
    {.name = NULL},
};

/* What there is to learn from and to be measured on. */
struct field {
    struct dataset train, normal, test;
    bool same_rows; /* fit and score the same rows */
};

static void field_release(struct field *f)
{
    dataset_release(&f->train);
    dataset_release(&f->normal);
    dataset_release(&f->test);
}

static enum vd_status need_labels(const struct dataset *data, const char *path,
                                  struct vd_error *err)
{
    if (data->label != NULL)
        return VD_OK;
    return vd_error_set(err, VD_ERR_DATA, "name it with --label",
                        "%s: no column with labels", path);
}

static enum vd_status read_one(struct field *f, const struct compare_settings *s,
                               struct vd_error *err)
{
    enum vd_status status = dataset_read(&f->test, s->data, s->label, err);

    f->same_rows = true;
    return status == VD_OK ? need_labels(&f->test, s->data, err) : status;
}

/* All files with the columns of the training file, in its order. */
static enum vd_status read_all(struct field *f, const struct compare_settings *s,
                               struct vd_error *err)
{
    enum vd_status status = dataset_read(&f->train, s->train, s->label, err);

    if (status == VD_OK)
        status = dataset_read(&f->test, s->test, s->label, err);
    if (status == VD_OK)
        status = dataset_align(&f->test, &f->train, s->test, err);
    if (status == VD_OK && s->normal != NULL) {
        status = dataset_read(&f->normal, s->normal, s->label, err);
        if (status == VD_OK)
            status = dataset_align(&f->normal, &f->train, s->normal, err);
    }
    if (status == VD_OK)
        status = need_labels(&f->train, s->train, err);
    return status == VD_OK ? need_labels(&f->test, s->test, err) : status;
}

/* The normal rows of the training file, when no file of normal rows is given. */
static enum vd_status take_normal_rows(struct field *f)
{
    enum vd_status status;

    if (f->same_rows || f->normal.x.n > 0)
        return VD_OK;
    status = dataset_normal_rows(&f->normal, &f->train);
    return status == VD_OK && f->normal.x.n < 2 ? VD_ERR_DATA : status;
}

/* ---- one detector ---- */

static double seconds_since(int64_t start_ns)
{
    return (double)(os_clock_mono_ns() - start_ns) * 1e-9;
}

static double heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();

    return (double)(info.uordblks + info.hblkhd);
}

/* Scores the test rows one by one, then all at once for half a second. */
static void measure_speed(const vd_detector *detector, const struct vd_matrix *x,
                          unsigned threads, double *score, struct plot_result *result)
{
    size_t rows = 0, rounds = 0;
    int64_t start = os_clock_mono_ns();

    do {
        for (size_t i = 0; i < x->n; i++)
            score[i] = vd_detector_score(detector, vd_matrix_row(x, i));
        rows += x->n;
    } while (seconds_since(start) < 0.1);
    result->latency_ms = seconds_since(start) * 1e3 / (double)rows;
    start = os_clock_mono_ns();
    do {
        vd_detector_score_many(detector, x, score, threads);
        rounds++;
    } while (seconds_since(start) < 0.1);
    result->throughput_ips = (double)(x->n * rounds) / seconds_since(start);
}

static void measure_quality(const struct dataset *test, const double *score,
                            double threshold, uint8_t *predicted,
                            struct plot_result *result)
{
    struct vd_confusion confusion;

    for (size_t i = 0; i < test->x.n; i++)
        predicted[i] = score[i] > threshold;
    confusion = vd_confusion_count(test->label, predicted, test->x.n);
    result->f1 = vd_f1(&confusion);
    result->precision = vd_precision(&confusion);
    result->recall = vd_recall(&confusion);
    result->roc_auc = result->pr_auc = NAN;
    vd_areas(test->label, score, test->x.n, &result->roc_auc, &result->pr_auc, NULL);
    if (vd_curve_init(&result->curve, test->label, score, test->x.n, NULL) != VD_OK)
        result->curve = (struct vd_curve){0};
}

/* The ensemble has members of both kinds: it can do without labels, and uses them. */
static bool uses_labels(const struct field *f, const struct vd_detector_info *info)
{
    return info->needs_labels || (!f->same_rows && strcmp(info->name, "ensemble") == 0);
}

static struct vd_fit_params base_params(const struct field *f,
                                        const struct compare_settings *s)
{
    struct vd_fit_params params = vd_fit_params_default();

    if (!isnan(s->contamination))
        params.contamination = s->contamination;
    params.seed = (uint64_t)s->seed;
    params.threads =
        s->threads > 0 ? (unsigned)s->threads : (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    params.xgboost_library = s->xgboost;
    if (!f->same_rows)
        params.normal = &f->normal.x;
    return params;
}

static enum vd_status run_one(const struct field *f, const struct compare_settings *s,
                              const struct vd_detector_info *info,
                              const struct tune_choice *choice,
                              struct plot_result *result, struct vd_error *err)
{
    struct vd_fit_params params = base_params(f, s);
    bool labelled = uses_labels(f, info);
    const struct vd_matrix *x = f->same_rows ? &f->test.x
                                : labelled   ? &f->train.x
                                             : &f->normal.x;
    const uint8_t *label = !labelled      ? NULL
                           : f->same_rows ? f->test.label
                                          : f->train.label;
    double *score = calloc(f->test.x.n, sizeof *score);
    uint8_t *predicted = calloc(f->test.x.n, 1);
    vd_detector *detector = NULL;
    double heap = heap_bytes();
    int64_t start = os_clock_mono_ns();
    enum vd_status status = VD_ERR_MEMORY;

    params.contamination = choice->contamination;
    params.settings = choice->setting;
    params.n_settings = choice->n;
    if (score != NULL && predicted != NULL)
        status = vd_detector_fit(&detector, info->name, x, label, &params, err);
    if (status == VD_OK) {
        result->name = info->name;
        result->title = info->title;
        result->train_s = seconds_since(start);
        result->memory_mb = fmax(heap_bytes() - heap, 0) * 1e-6;
        result->size_kb = (double)vd_detector_size(detector) / 1024;
        measure_speed(detector, &f->test.x, params.threads, score, result);
        measure_quality(&f->test, score, vd_detector_threshold(detector), predicted,
                        result);
    }
    vd_detector_free(detector);
    free(predicted);
    free(score);
    return status;
}

/* ---- all of them ---- */

static bool is_wanted(const struct compare_settings *s, const char *name)
{
    for (size_t i = 0; i < s->detectors.n; i++)
        if (strcmp(s->detectors.at[i], name) == 0)
            return true;
    return s->detectors.n == 0;
}

static int by_f1(const void *left, const void *right)
{
    const struct plot_result *a = left, *b = right;

    return (b->f1 > a->f1) - (b->f1 < a->f1);
}

/* " kernel=sigmoid": the word where the setting has words. */
static void print_setting(const struct vd_detector_info *info,
                          const struct vd_setting *setting)
{
    const char *word = NULL;

    for (size_t i = 0; i < info->n_params; i++)
        if (strcmp(info->params[i].name, setting->name) == 0)
            word = info->params[i].choices;
    for (double k = 0; word != NULL && k < setting->value; k++) {
        word = strchr(word, '|');
        word = word == NULL ? NULL : word + 1;
    }
    if (word != NULL)
        printf(" %s=%.*s", setting->name, (int)strcspn(word, "|"), word);
    else
        printf(" %s=%g", setting->name, setting->value);
}

/* "lof: scale=robust n_neighbors=20 contamination=0.002 (folds: F1 0.893, ROC AUC 0.923)"
 */
static void print_choice(const struct vd_detector_info *info,
                         const struct tune_choice *choice)
{
    printf("%s:", info->name);
    for (size_t i = 0; i < choice->n; i++)
        print_setting(info, &choice->setting[i]);
    if (!info->needs_labels && choice->contamination > 0)
        printf(" contamination=%g", choice->contamination);
    else if (!info->needs_labels)
        printf(" contamination=auto");
    printf(" (folds: F1 %.3f, ROC AUC %.3f)\n", choice->f1, choice->roc_auc);
}

/* Settings for one detector; what its row has none for is left at the defaults. The
 * ensemble's come from its members, which stand before it in the table. */
static void choose(const struct field *f, const struct compare_settings *s,
                   const struct vd_detector_info *info, struct tune_choice *choice,
                   struct tune_choice *ensemble)
{
    struct vd_fit_params params = base_params(f, s);
    const struct tune_choice defaults = {.contamination = params.contamination};
    struct tune_rows rows = {&f->train.x, f->train.label, &f->normal.x, &params};
    struct vd_error err = {0};

    *choice = defaults;
    if (!s->tune || f->same_rows)
        return;
    if (strcmp(info->name, "ensemble") == 0) {
        tune_add_member(choice, "", ensemble);
        return;
    }
    if (tune_detector(choice, info->name, &rows, &err) != VD_OK) {
        os_log_warning("%s: settings are left at their defaults: %s", info->name,
                       err.text);
        *choice = defaults;
        return;
    }
    if (!isnan(s->contamination))
        choice->contamination = s->contamination;
    if (choice->n == 0)
        return;
    tune_add_member(ensemble, info->name, choice);
    print_choice(info, choice);
}

/* Fitting and scoring the same rows is for detectors that see no labels: one that does
 * would be asked what it was told. */
static size_t run_all(const struct field *f, const struct compare_settings *s,
                      struct plot_result *result, size_t max)
{
    bool live = isatty(STDERR_FILENO);
    const struct vd_detector_info *info;
    struct tune_choice choice, ensemble = {0};
    size_t n = 0;

    for (size_t i = 0; (info = vd_detector_at(i)) != NULL && n < max; i++) {
        struct vd_error err = {0};

        if (!is_wanted(s, info->name) || (f->same_rows && info->needs_labels))
            continue;
        if (info->unavailable != NULL) {
            os_log_warning("%s is left out: %s", info->name, info->unavailable);
            continue;
        }
        if (live)
            fprintf(stderr, "\r\033[Ktraining %s ...", info->name);
        choose(f, s, info, &choice, &ensemble);
        if (run_one(f, s, info, &choice, &result[n], &err) == VD_OK)
            n++;
        else
            os_log_warning("%s is left out: %s", info->name, err.text);
    }
    if (live)
        fputs("\r\033[K", stderr);
    qsort(result, n, sizeof *result, by_f1);
    return n;
}

static void print_table(const struct plot_result *result, size_t n)
{
    printf("%-18s %9s %9s %9s %10s %12s %6s %9s %7s %8s\n", "detector", "train s",
           "model kB", "memory MB", "latency us", "rows/s", "F1", "precision", "recall",
           "ROC AUC");
    for (size_t i = 0; i < n; i++)
        printf("%-18s %9.4f %9.1f %9.2f %10.2f %12.0f %6.3f %9.3f %7.3f %8.3f\n",
               result[i].name, result[i].train_s, result[i].size_kb, result[i].memory_mb,
               result[i].latency_ms * 1e3, result[i].throughput_ips, result[i].f1,
               result[i].precision, result[i].recall, result[i].roc_auc);
}

static enum vd_status check_names(const struct compare_settings *s, struct vd_error *err)
{
    bool both = s->train != NULL && s->test != NULL;

    if (both == (s->data != NULL))
        return vd_error_set(err, VD_ERR_ARGUMENT, "see vedette help compare",
                            "give --train and --test, or --data");
    return VD_OK;
}

static enum vd_status compare(const struct compare_settings *s, struct vd_error *err)
{
    struct plot_result result[RECORD_DETECTORS_MAX] = {0};
    struct field f = {0};
    enum vd_status status = s->data != NULL ? read_one(&f, s, err) : read_all(&f, s, err);
    size_t n = 0;

    if (status == VD_OK && take_normal_rows(&f) != VD_OK)
        status = vd_error_set(err, VD_ERR_DATA, "give them with --normal",
                              "%s: no normal rows to learn from", s->train);
    if (status == VD_OK) {
        n = run_all(&f, s, result, RECORD_DETECTORS_MAX);
        if (n == 0)
            status = vd_error_set(err, VD_ERR_DATA, NULL, "no detector could be trained");
    }
    if (status == VD_OK) {
        print_table(result, n);
        status = plot_comparison_write(result, n, s->out, s->plots, err);
    }
    for (size_t i = 0; i < n; i++)
        vd_curve_release(&result[i].curve);
    field_release(&f);
    return status;
}

static int run(void *settings, int argc, char **argv)
{
    const struct compare_settings *s = settings;
    struct vd_error err = {0};

    (void)argc;
    (void)argv;
    if (check_names(s, &err) != VD_OK || compare(s, &err) != VD_OK)
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
        "2,000 of each kind), by the sum of F1 and ROC AUC; the test rows take no part. "
        "What was chosen is printed.\n\n"
        "Writes comparison_results.csv, comparison_report.html and, where gnuplot is "
        "there, comparison_plots.png, roc_curves.png and pr_curves.png.",
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
