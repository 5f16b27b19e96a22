/* vedette train: detectors from files of rows, or from what a monitor has kept, into one
 * model bundle. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch/dataset.h"
#include "batch/model_file.h"
#include "batch/settings.h"
#include "batch/stored_rows.h"
#include "batch/train.h"
#include "cmd/commands.h"
#include "cmd/fit_options.h"
#include "cmd/table_options.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/terminal.h"
#include "vedette/model.h"
#include "vedette/xgboost.h"

/* Holds what the options say. `last` is in seconds and counts only with a data
 * directory. */
struct train_settings {
    char *data_dir, *normal, *label, *out;
    double last;
    int anomaly;
    struct fit_options fit;
    struct table_options table;
};

#define AT(field) offsetof(struct train_settings, field)

static const struct os_option options[] = {
    {.name = "data-dir",
     .letter = 'd',
     .type = OS_OPTION_TEXT,
     .value = "DIR",
     .line_only = true,
     .offset = AT(data_dir),
     .help = "In place of FILE: the data directory of a monitor, running or not"},
    {.name = "last",
     .letter = 'l',
     .type = OS_OPTION_DURATION,
     .value = "TIME",
     .fallback = "1d",
     .min = 1,
     .max = 3.2e9,
     .offset = AT(last),
     .help = "With --data-dir: so long before its newest sample"},
    {.name = "normal",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .offset = AT(normal),
     .help = "CSV of normal rows, for the detectors that need no labels (default: the "
             "normal rows of FILE)"},
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
     .value = "FILE",
     .fallback = "model.vedette",
     .offset = AT(out),
     .help = "Where the bundle goes"},
    {.name = NULL},
};

/* Reads rows from a monitor's store and tells how many were left out and why. Without a
 * real event there are no labels, and that is said too. */
static enum vd_status read_stored(struct batch_train_rows *rows,
                                  const struct train_settings *s, struct vd_error *err)
{
    struct batch_stored_count n;
    enum vd_status status =
        batch_stored_rows_read(&rows->data, &rows->normal, &n, s->data_dir, s->last, err);

    if (status != VD_OK)
        return status;
    os_log_info("%s: %zu of %zu quiet rows; of events %zu real, %zu normal, %zu "
                "expected; left out: %zu of events without feedback, %zu incomplete",
                s->data_dir, n.quiet, n.quiet_all, n.real, n.normal, n.expected,
                n.unjudged, n.incomplete);
    if (rows->data.label == NULL)
        os_log_info("there are no samples of a real event ('vedette feedback EVENT "
                    "real'): nothing to learn for detectors that need labels");
    return VD_OK;
}

/* Reads the rows to learn from. `path` is NULL where the rows are a monitor's. The two
 * files must agree on what their labels mean before their columns are matched. */
static enum vd_status read_rows(struct batch_train_rows *rows,
                                const struct train_settings *s, const char *path,
                                struct vd_error *err)
{
    struct format_options table = table_options(&s->table, s->label);
    struct batch_dataset *all[] = {&rows->data, &rows->normal};
    enum vd_status status;

    if (path == NULL)
        return read_stored(rows, s, err);
    status = batch_dataset_read(&rows->data, path, &table, err);
    if (status == VD_OK && s->normal != NULL)
        status = batch_dataset_read(&rows->normal, s->normal, &table, err);
    if (status == VD_OK)
        status = batch_dataset_settle_labels(all, s->normal != NULL ? 2 : 1, path,
                                             table_anomaly_label(s->anomaly), err);
    if (status != VD_OK)
        return status;
    return s->normal != NULL
               ? batch_dataset_align(&rows->normal, &rows->data, s->normal, err)
               : batch_dataset_normal_rows(&rows->normal, &rows->data);
}

/* Decides whether a detector is trained: those named, or all that the rows allow. */
static bool is_wanted(const struct train_settings *s, const struct vd_detector_info *info,
                      bool labels)
{
    return fit_options_ask_for(&s->fit, info) ||
           (s->fit.detectors.n == 0 && (labels || !info->needs_labels));
}

/* Trains one detector into the bundle. A failure is a warning and the others go on. */
static bool take_one(const struct batch_train_rows *rows,
                     const struct vd_detector_info *info,
                     struct batch_settings_plan *plan, vd_model *model)
{
    const char *why = info->unavailable;
    enum vd_status status = VD_ERR_UNAVAILABLE;
    struct vd_error err = {0};
    char text[64];

    snprintf(text, sizeof text, "training %s ...", info->name);
    os_terminal_status(text);
    if (why == NULL) {
        why = err.text;
        status = batch_train_one(rows, info, batch_settings_for(plan, info), model, &err);
    }
    if (status != VD_OK)
        os_log_warning("%s is left out: %s", info->name, why);
    return status == VD_OK;
}

/* Trains all that are wanted and returns how many it trained. `err` is set when none
 * could be trained, or when one that was asked for by name is missing. */
static size_t train_all(const struct batch_train_rows *rows,
                        const struct train_settings *s, vd_model *model,
                        struct vd_error *err)
{
    const struct vd_detector_info *info;
    struct batch_settings_plan plan = {.given = &s->fit.set,
                                       .contamination = s->fit.contamination};
    struct vd_tune_rows by = {&rows->data.x, rows->data.label, &rows->normal.x,
                              &rows->params};
    size_t trained = 0, wanted = 0;

    if (s->fit.tune && rows->data.label != NULL)
        batch_settings_choose_by(&plan, &by);
    for (size_t i = 0; (info = vd_detector_at(i)) != NULL; i++)
        if (is_wanted(s, info, rows->data.label != NULL)) {
            wanted++;
            trained += take_one(rows, info, &plan, model);
        }
    os_terminal_status(NULL);
    if (trained == 0)
        vd_error_set(err, VD_ERR_DATA, NULL, "no detector could be trained");
    else if (trained < wanted && s->fit.detectors.n > 0)
        vd_error_set(err, VD_ERR_DATA, NULL,
                     "not all detectors that were asked for could be trained");
    return trained;
}

/* Makes an empty bundle with the columns of the rows. It copies the names, so the rows
 * may be released. */
static enum vd_status new_model(vd_model **model, const struct batch_dataset *data,
                                struct vd_error *err)
{
    const char **column = calloc(data->x.d + 1, sizeof *column);
    enum vd_status status = VD_ERR_MEMORY;

    for (size_t k = 0; column != NULL && k < data->x.d; k++)
        column[k] = data->name[k];
    if (column != NULL)
        status = vd_model_new(model, column, data->x.d, err);
    free(column);
    if (status == VD_OK)
        vd_model_set_time(*model, os_clock_wall_ns());
    return status;
}

/* Does the whole run. What can be checked beforehand is checked before the training,
 * which takes long. When a detector that was asked for is missing, the bundle is still
 * written and the exit status says that it failed. */
static enum vd_status train(const struct train_settings *s, const char *path,
                            struct vd_error *err)
{
    struct batch_train_rows rows = {.params = fit_options_params(&s->fit)};
    vd_model *model = NULL;
    size_t n = 0;
    struct vd_error lacking = {0};
    enum vd_status status = batch_model_file_check(s->out, err);

    if (status == VD_OK)
        status = read_rows(&rows, s, path, err);
    if (status == VD_OK && s->fit.xgboost != NULL)
        status = vd_xgboost_probe(s->fit.xgboost, err);
    rows.params.normal = &rows.normal.x;
    if (status == VD_OK && rows.normal.x.n < VD_CALIBRATION_MIN)
        status = vd_error_set(err, VD_ERR_DATA, "collect more rows",
                              "%s: %zu normal rows: at least %d are needed",
                              s->normal != NULL ? s->normal
                              : path == NULL    ? s->data_dir
                                                : path,
                              rows.normal.x.n, VD_CALIBRATION_MIN);
    if (status == VD_OK)
        status = new_model(&model, &rows.data, err);
    if (status == VD_OK && (n = train_all(&rows, s, model, &lacking)) == 0)
        status = vd_error_set(err, lacking.status, NULL, "%s", lacking.text);
    if (status == VD_OK)
        status = batch_model_file_write(model, s->out, err);
    if (status == VD_OK)
        printf(
            "%s: %zu detectors, %zu columns, trained on %zu rows (%zu of them normal)\n",
            s->out, n, rows.data.x.d, rows.data.x.n, rows.normal.x.n);
    if (status == VD_OK && lacking.status != VD_OK)
        status = vd_error_set(err, lacking.status, NULL, "%s", lacking.text);
    vd_model_free(model);
    batch_dataset_release(&rows.normal);
    batch_dataset_release(&rows.data);
    return status;
}

/* Refuses a mix of both sources: the rows come from a file or from a store, and the
 * options of the other one would be ignored. */
static void check_source(const struct train_settings *s, int argc, struct vd_error *err)
{
    const char *hint = "see vedette help train";

    if (s->data_dir != NULL && argc > 0)
        vd_error_set(err, VD_ERR_ARGUMENT, hint, "give a file or --data-dir, not both");
    else if (s->data_dir != NULL && (s->normal != NULL || s->label != NULL))
        vd_error_set(err, VD_ERR_ARGUMENT, hint,
                     "%s is for a file: with --data-dir, feedback on events says which "
                     "rows are normal",
                     s->normal != NULL ? "--normal" : "--label");
    else if (s->data_dir == NULL && argc != 1)
        vd_error_set(err, VD_ERR_ARGUMENT, hint,
                     "give one file to learn from, or --data-dir");
}

static int run(void *settings, int argc, char **argv)
{
    const struct train_settings *s = settings;
    struct vd_error err = {0};

    check_source(s, argc, &err);
    if (err.status == VD_OK && train(s, argc == 0 ? NULL : argv[0], &err) == VD_OK)
        return CMD_OK;
    return cmd_failed(&err);
}

const struct cmd_command cmd_train = {
    .name = "train",
    .summary = "Train detectors on a CSV or on a monitor's store",
    .arguments = "[FILE]",
    .about =
        "Learns from the rows of FILE. With a label column, detectors that need labels "
        "are trained as well; the others learn from normal rows only. The bundle "
        "holds the columns, the detectors and what their scores mean; it is written "
        "whole or not at all.\n\n"
        "With --data-dir the rows are the samples of the core metrics that a monitor has "
        "kept; it may be running. Samples of events said to be real are anomalies, those "
        "of normal and expected ones are not; during other anomalies they are left out. "
        "Without a real event there are no labels.\n\n"
        "Where there are labels of both kinds, settings that are not given with --set "
        "are "
        "chosen by cross-validation on the labelled rows, and printed.",
    .examples =
        "vedette train labeled_training.csv --normal normal_training.csv\n"
        "    All detectors, to model.vedette\n"
        "vedette train --detector isolation_forest -o forest.vedette history.csv\n"
        "    One detector, without labels\n"
        "vedette train labeled.csv --no-tune --set one_class_svm.kernel=poly\n"
        "    Defaults but for one setting\n"
        "vedette train --data-dir ~/.local/state/vedette --last 6h\n"
        "    From the last six hours of this user's monitor; then\n"
        "    vedette monitor --model model.vedette\n",
    .options = options,
    .settings_size = sizeof(struct train_settings),
    .run = run,
};
