/* vedette detect: finds what is odd in recorded tables. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch/analyse.h"
#include "batch/picture.h"
#include "batch/report.h"
#include "batch/spool.h"
#include "cmd/commands.h"
#include "cmd/detect_text.h"
#include "cmd/detector_names.h"
#include "cmd/json_out.h"
#include "cmd/table_options.h"
#include "os/clock.h"
#include "os/output.h"
#include "os/terminal.h"
#include "store/inspect.h"

/* Holds what the options say. The last two are the names of the originals. */
struct detect_settings {
    char *output, *model, *label, *data_dir, *plot, *report, *rejects;
    struct os_list train, detectors, columns;
    double contamination, budget, last;
    long seed, trees, window, threads;
    int counters, format, anomaly;
    bool json, strict;
    struct table_options table;
    char *csv_file, *output_file;
};

#define AT(field) offsetof(struct detect_settings, field)

static const struct os_option options[] = {
    {.name = "output",
     .letter = 'o',
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .line_only = true,
     .offset = AT(output),
     .help = "Where the scored rows go; - is standard output (default: nowhere)"},
    {.name = "format",
     .type = OS_OPTION_CHOICE,
     .value = "FORMAT",
     .choices = "csv|json|jsonl",
     .line_only = true,
     .offset = AT(format),
     .help = "How they are written: CSV, one JSON list, or a JSON object a line "
             "(default: by the ending of FILE)"},
    {.name = "plot",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .line_only = true,
     .offset = AT(plot),
     .help =
         "Draw the metrics that matter, anomalies in red, to FILE.png or FILE.svg; in "
         "a folder to anomaly_visualization.png (needs gnuplot)"},
    {.name = "report",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .line_only = true,
     .offset = AT(report),
     .help = "Write a page with summary, charts, events and the worst rows, which needs "
             "no other file"},
    {.name = "train",
     .type = OS_OPTION_LIST,
     .value = "FILE",
     .line_only = true,
     .offset = AT(train),
     .help = "Learn from this table of normal rows; may be given again, or as --train A "
             "B -- FILE (default: from the table itself)"},
    {.name = "model",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .line_only = true,
     .offset = AT(model),
     .help = "Use the detectors of this bundle of 'vedette train'"},
    {.name = "data-dir",
     .type = OS_OPTION_TEXT,
     .value = "DIR",
     .line_only = true,
     .offset = AT(data_dir),
     .help = "Look at what a monitor has kept there instead of a FILE"},
    {.name = "last",
     .type = OS_OPTION_DURATION,
     .value = "TIME",
     .fallback = "1w",
     .min = 1,
     .max = 1e10,
     .line_only = true,
     .offset = AT(last),
     .help = "How much of it, back from now"},
    {.name = "detector",
     .type = OS_OPTION_LIST,
     .value = "NAME",
     .choices = "ordered|" CMD_DETECTOR_NAMES,
     .line_only = true,
     .offset = AT(detectors),
     .help = "Only this detector, or ordered: several that follow the rows in time; may "
             "be given again (default: chosen, and said)"},
    {.name = "columns",
     .type = OS_OPTION_LIST,
     .value = "NAME",
     .line_only = true,
     .offset = AT(columns),
     .help = "Look at this column only; may be given again (default: all that hold "
             "numbers and move)"},
    {.name = "contamination",
     .type = OS_OPTION_NUMBER,
     .value = "SHARE",
     .min = 0.0001,
     .max = 0.5,
     .line_only = true,
     .offset = AT(contamination),
     .help = "Flag this share of the rows, whatever they are (default: what the tail of "
             "common rows does not explain; a quiet table has none)"},
    {.name = "budget",
     .type = OS_OPTION_NUMBER,
     .value = "N",
     .min = 0.001,
     .max = 100000,
     .line_only = true,
     .offset = AT(budget),
     .help = "Flag as if N false alarms a week were allowed"},
    {.name = "seed",
     .type = OS_OPTION_INTEGER,
     .value = "N",
     .fallback = "0",
     .min = 0,
     .max = 1e15,
     .line_only = true,
     .offset = AT(seed),
     .help = "Seed of everything random"},
    {.name = "trees",
     .type = OS_OPTION_INTEGER,
     .value = "N",
     .min = 0,
     .max = 10000,
     .line_only = true,
     .offset = AT(trees),
     .help = "Take an isolation forest of so many trees"},
    {.name = "window-size",
     .type = OS_OPTION_INTEGER,
     .value = "N",
     .min = 0,
     .max = 8192,
     .line_only = true,
     .offset = AT(window),
     .help = "Rows side by side that the ordered way looks at, fewer where there are "
             "many columns (default: 10)"},
    {.name = "counters",
     .type = OS_OPTION_CHOICE,
     .value = "HOW",
     .choices = "rate|raw",
     .fallback = "rate",
     .line_only = true,
     .offset = AT(counters),
     .help = "How the counters of prmon are taken: their rates, with four columns made "
             "of them, or as they stand"},
    {.name = "label",
     .type = OS_OPTION_TEXT,
     .value = "COLUMN",
     .line_only = true,
     .offset = AT(label),
     .help = "Column of labels to compare with (default: label, anomaly, is_anomaly, or "
             "phase)"},
    ANOMALY_LABEL_OPTION(AT(anomaly)),
    {.name = "threads",
     .type = OS_OPTION_INTEGER,
     .value = "N",
     .fallback = "0",
     .min = 0,
     .max = 256,
     .line_only = true,
     .offset = AT(threads),
     .help = "Threads to use; 0 = one for each core"},
    {.name = "strict",
     .type = OS_OPTION_FLAG,
     .line_only = true,
     .offset = AT(strict),
     .help =
         "Refuse a row with more or fewer fields than names (default: longer ones are "
         "left out and counted, shorter ones filled up)"},
    {.name = "rejects",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .line_only = true,
     .offset = AT(rejects),
     .help = "Where rows that are left out go, as they stand"},
    CMD_JSON_OPTION(AT(json)),
    TABLE_OPTIONS(AT(table)),
    {.name = "csv-file",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .line_only = true,
     .group = "Old names",
     .offset = AT(csv_file),
     .help = "The same as FILE; then a share of 0.05 of the rows is flagged (0.1 of "
             "prmon's) unless another is given"},
    {.name = "output-file",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .line_only = true,
     .group = "Old names",
     .offset = AT(output_file),
     .help = "The same as --output"},
    {.name = NULL},
};

/* ---- progress ---- */

/* Holds when the analysis began, for the time that is left. */
struct bar {
    int64_t start_ns;
};

/* Shows a bar with the rate and the time left. It never stops the analysis. */
static bool show_progress(void *context, double done, size_t rows)
{
    const struct bar *bar = context;
    double seconds = (double)(os_clock_mono_ns() - bar->start_ns) * 1e-9;
    char cells[21], text[96];

    if (done >= 1 || seconds < 0.5) {
        os_terminal_status(NULL);
        return true;
    }
    for (size_t i = 0; i < sizeof cells - 1; i++)
        cells[i] = (double)i < done * (sizeof cells - 1) ? '#' : '.';
    cells[sizeof cells - 1] = '\0';
    snprintf(text, sizeof text, "[%s] %3.0f %%  %.2g M rows/s  %.0f s left", cells,
             100 * done, done * (double)rows / seconds * 1e-6,
             done > 0.01 ? seconds * (1 - done) / done : NAN);
    os_terminal_status(text);
    return true;
}

/* ---- what was asked for ---- */

/* Parts the words into files to train on and files to look at: of "A B -- C" after
 * --train, B is one to train on. */
static enum vd_status part_words(const struct detect_settings *s, int argc, char **argv,
                                 const char **train, const char **file,
                                 struct batch_analyse_options *o, struct vd_error *err)
{
    int dashes = 0, from = 0;

    for (size_t i = 0; i < s->train.n; i++)
        train[o->n_train++] = s->train.at[i];
    while (dashes < argc && strcmp(argv[dashes], "--") != 0)
        dashes++;
    for (; dashes < argc && s->train.n > 0 && from < dashes; from++)
        train[o->n_train++] = argv[from];
    if (s->data_dir != NULL)
        file[o->n_files++] = s->data_dir;
    if (s->csv_file != NULL)
        file[o->n_files++] = s->csv_file;
    for (int i = from; i < argc; i++)
        if (i != dashes)
            file[o->n_files++] = argv[i];
    if (o->n_files == 0)
        return vd_error_set(err, VD_ERR_ARGUMENT, "name one, or - for standard input",
                            "no table was given");
    if (s->data_dir != NULL && o->n_files > 1)
        return vd_error_set(err, VD_ERR_ARGUMENT, "leave one of them out",
                            "a file and --data-dir");
    if (o->n_train > 0 && s->model != NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, "leave one of them out",
                            "--train and --model: a model has learned already");
    return VD_OK;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), tail = strlen(end);

    return n >= tail && strcmp(text + n - tail, end) == 0;
}

/* Gives the format by the ending of the file, when none was asked for. */
static enum batch_scored_format format_of(const struct detect_settings *s,
                                          const char *output)
{
    if (s->format >= 0)
        return (enum batch_scored_format)s->format;
    if (output != NULL && ends_with(output, ".json"))
        return BATCH_JSON;
    return output != NULL && (ends_with(output, ".jsonl") || ends_with(output, ".ndjson"))
               ? BATCH_JSON_LINES
               : BATCH_CSV;
}

/* The share that the originals flagged by default, under their own names. */
static double old_share(const struct detect_settings *s, const char *file)
{
    struct format_table table;
    double share = 0.05;

    if (s->csv_file == NULL || !isnan(s->contamination) || !isnan(s->budget))
        return s->contamination;
    if (strcmp(file, "-") == 0)
        return share; /* it can be read only once */
    if (format_table_open(&table, file, NULL, NULL) == VD_OK && table.n_columns > 1 &&
        format_is_prmon(table.separator, table.column[1].name))
        share = 0.1;
    format_table_close(&table);
    return share;
}

static void fill_options(const struct detect_settings *s, struct batch_analyse_options *o)
{
    long threads = s->threads > 0 ? s->threads : sysconf(_SC_NPROCESSORS_ONLN);

    o->table = table_options(&s->table, s->label);
    o->table.ragged = s->strict ? FORMAT_RAGGED_REFUSED : FORMAT_LONG_SKIPPED;
    o->model = s->model;
    o->detector = (const char *const *)s->detectors.at;
    o->n_detectors = s->detectors.n;
    o->column = (const char *const *)s->columns.at;
    o->n_columns = s->columns.n;
    o->contamination = s->contamination;
    o->budget = s->budget;
    o->seed = (uint64_t)s->seed;
    o->trees = (unsigned)s->trees;
    o->window = (size_t)s->window;
    o->threads = (unsigned)threads;
    o->counters = (enum batch_counters)s->counters;
    o->anomaly_label = table_anomaly_label(s->anomaly);
    o->output = s->output != NULL ? s->output : s->output_file;
    o->format = format_of(s, o->output);
    o->only_odd = o->output == NULL && s->report == NULL;
}

/* Prints what goes on in the words that scripts know; they are not for a program that
 * reads JSON or the rows themselves. */
static void announce(const struct batch_analyse_options *o, FILE *out)
{
    for (size_t i = 0; i < o->n_files; i++)
        fprintf(out, "Processing CSV file: %s\n",
                o->title != NULL ? o->title[i] : o->file[i]);
    if (o->output != NULL)
        fprintf(out, "Output will be saved to: %s\n", o->output);
    fflush(out);
}

/* Writes picture and page, and says where; `out` NULL = without a word. */
static enum vd_status write_pictures(const struct detect_settings *s,
                                     const struct batch_analyse_options *o,
                                     const struct batch_analysis *analysis, FILE *out,
                                     struct vd_error *err)
{
    enum vd_status status = VD_OK;
    char path[PATH_MAX];

    if (s->plot != NULL) {
        status = batch_picture_write(analysis, s->plot, path, err);
        if (status == VD_OK && out != NULL)
            fprintf(out, "Saved visualization to %s\n", path);
    }
    if (status == VD_OK && s->report != NULL) {
        status = batch_report_write(analysis, o, s->report, err);
        if (status == VD_OK && out != NULL)
            fprintf(out, "Saved report to %s\n", s->report);
    }
    return status;
}

static int analyse(const struct detect_settings *s, struct batch_analyse_options *o)
{
    bool to_stdout = o->output != NULL && strcmp(o->output, "-") == 0;
    FILE *out = to_stdout ? stderr : stdout;
    struct bar bar = {os_clock_mono_ns()};
    struct batch_analysis analysis;
    struct vd_error err = {0};
    enum vd_status status;
    int code = CMD_OK;

    o->progress = show_progress;
    o->context = &bar;
    if (!s->json)
        announce(o, out);
    if (batch_analyse(&analysis, o, &err) != VD_OK) {
        os_terminal_status(NULL);
        return cmd_failed(&err);
    }
    os_terminal_status(NULL);
    status = write_pictures(s, o, &analysis, s->json ? NULL : out, &err);
    if (!s->json)
        detect_text_print(&analysis, out);
    else if (to_stdout)
        code = json_dumpf(detect_text_json(&analysis), stderr, JSON_INDENT(2));
    else
        code = cmd_json_print(detect_text_json(&analysis));
    batch_analysis_release(&analysis);
    if (status != VD_OK)
        return cmd_failed(&err);
    return fflush(stdout) != 0 ? CMD_FAILED : code;
}

/* Writes the rows of the store to a table that is removed with the program's end. */
static enum vd_status read_store(const struct detect_settings *s,
                                 struct batch_spool *spool, struct vd_error *err)
{
    int64_t now_ns = os_clock_wall_ns(), rows;
    const struct store_export what = {.dir = s->data_dir,
                                      .tier = STORE_RAW,
                                      .from_ns = now_ns - (int64_t)(s->last * 1e9),
                                      .to_ns = now_ns,
                                      .no_verdicts = true};
    enum vd_status status = batch_spool_make(spool, err);

    if (status == VD_OK)
        status = store_export_csv(&what, spool->file, &rows, err);
    if (status == VD_OK && rows == 0)
        status = vd_error_set(err, VD_ERR_DATA, "give a longer --last",
                              "%s: no rows in that span", s->data_dir);
    return status == VD_OK ? batch_spool_finish(spool, err) : status;
}

/* Looks at the files, or at what the store has. */
static int detect(const struct detect_settings *s, const char **file,
                  struct batch_analyse_options *o)
{
    struct batch_spool spool = {0};
    struct vd_error err = {0};
    int code = CMD_FAILED;

    if (s->data_dir == NULL)
        return analyse(s, o);
    o->title = (const char *const *)&s->data_dir;
    if (read_store(s, &spool, &err) != VD_OK) {
        code = cmd_failed(&err);
    } else {
        file[0] = spool.path;
        code = analyse(s, o);
    }
    batch_spool_close(&spool);
    return code;
}

/* Does the same with a file for the rows that are left out. */
static int detect_and_reject(const struct detect_settings *s, const char **file,
                             struct batch_analyse_options *o)
{
    struct os_output rejects = {0};
    struct vd_error err = {0};
    int code;

    if (s->rejects == NULL)
        return detect(s, file, o);
    if (os_output_open(&rejects, s->rejects, &err) != VD_OK)
        return cmd_failed(&err);
    o->table.rejects = rejects.file;
    code = detect(s, file, o);
    if (code == CMD_OK && os_output_close(&rejects, &err) != VD_OK)
        code = cmd_failed(&err);
    os_output_drop(&rejects);
    return code;
}

static int run_detect(void *data, int argc, char **argv)
{
    const struct detect_settings *s = data;
    struct batch_analyse_options o = batch_analyse_options_default();
    const char **file = calloc((size_t)argc + 3, sizeof *file);
    const char **train = calloc((size_t)argc + s->train.n + 1, sizeof *train);
    struct vd_error err = {0};
    int code = CMD_FAILED;

    if (file == NULL || train == NULL) {
        vd_error_set(&err, VD_ERR_MEMORY, NULL, "no memory");
        code = cmd_failed(&err);
    } else if (part_words(s, argc, argv, train, file, &o, &err) != VD_OK) {
        code = cmd_wrong_use(&cmd_detect, &err);
    } else if ((s->plot != NULL && batch_picture_check(s->plot, &err) != VD_OK) ||
               (s->report != NULL && batch_report_check(&err) != VD_OK)) {
        code = cmd_failed(&err);
    } else {
        o.file = file;
        o.train = train;
        fill_options(s, &o);
        o.contamination = old_share(s, file[0]);
        code = detect_and_reject(s, file, &o);
    }
    free(file);
    free(train);
    return code;
}

const struct cmd_command cmd_detect = {
    .name = "detect",
    .summary = "Find what is odd in recorded tables",
    .arguments = "FILE...",
    .about =
        "Reads tables of metrics (CSV in any usual form, prmon's text, our own files; "
        "also compressed), learns what is common in them, and says which rows and events "
        "are not, and why. Several files with the same columns are read one after the "
        "other. Rows that have times are looked at in their order: each metric by "
        "itself, the last rows together, and all metrics at once. Rows without are "
        "compared with each other by the ensemble. Which way was taken is said.\n\n"
        "A quiet table has no anomaly: a row is flagged when the tail of the common ones "
        "does not explain it. --contamination flags a share of the rows instead, by an "
        "isolation forest. With --train what is normal is learned from other tables, "
        "with --model it is known already.\n\n"
        "With --output each row is written with index, timestamp (Unix time), "
        "is_anomaly, anomaly_score (0 is the threshold, -1 the worst) and reason before "
        "its own columns, whose bytes are copied, and severity, severity_factors and "
        "top_features behind them. The file is there whole or not at all.\n\n"
        "A label or phase column, or files named after phases, are not learned from; the "
        "result is compared with them.",
    .examples = "vedette detect metrics.csv --output scored.csv\n    score a table\n"
                "vedette detect --train monday.csv tuesday.csv\n    judge one day by "
                "another\n"
                "vedette detect --json run.txt\n    prmon's output, the result as "
                "JSON\n",
    .options = options,
    .settings_size = sizeof(struct detect_settings),
    .keeps_dashes = true,
    .run = run_detect,
};
