/* vedette model: what is in a model bundle, and whether it is whole. */
#include <stdio.h>
#include <string.h>

#include "batch/model_file.h"
#include "batch/settings.h"
#include "cmd/commands.h"
#include "cmd/json_out.h"
#include "os/clock.h"

/* Prints the bundle for people. At most 32 columns are named; a table with hundreds would
 * push the detectors off the screen. */
static void show(const vd_model *model, const char *path, size_t size)
{
    const struct vd_model_entry *entry;
    char made[OS_CLOCK_TEXT] = "unknown";

    if (vd_model_time(model) != 0)
        os_clock_text(vd_model_time(model), made);
    printf("%s: %zu bytes, made %s\n\nColumns (%zu)\n", path, size, made,
           vd_model_columns(model));
    for (size_t i = 0; i < vd_model_columns(model) && i < 32; i++)
        printf("  %s\n", vd_model_column(model, i));
    if (vd_model_columns(model) > 32)
        printf("  and %zu more\n", vd_model_columns(model) - 32);
    printf("\n%-22s %10s %12s %12s\n", "Detector", "size kB", "calibrated on",
           "threshold");
    for (size_t i = 0; (entry = vd_model_at(model, i)) != NULL; i++)
        printf("%-22s %10.1f %8.0f rows %12.6g\n",
               vd_detector_describe(entry->detector)->name,
               (double)vd_detector_size(entry->detector) / 1024, entry->calibration.n,
               vd_detector_threshold(entry->detector));
}

/* Prints the bundle with all of its columns. */
static int show_json(const vd_model *model, const char *path, size_t size)
{
    json_t *columns = json_array(), *detectors = json_array();
    const struct vd_model_entry *entry;

    for (size_t i = 0; i < vd_model_columns(model); i++)
        json_array_append_new(columns, cmd_json_text(vd_model_column(model, i)));
    for (size_t i = 0; (entry = vd_model_at(model, i)) != NULL; i++)
        json_array_append_new(
            detectors,
            json_pack("{s:s, s:I, s:f, s:o}", "name",
                      vd_detector_describe(entry->detector)->name, "bytes",
                      (json_int_t)vd_detector_size(entry->detector), "calibrated_on",
                      (double)entry->calibration.n, "threshold",
                      cmd_json_number(vd_detector_threshold(entry->detector))));
    return cmd_json_print(json_pack("{s:o, s:I, s:o, s:o, s:o}", "file",
                                    cmd_json_text(path), "bytes", (json_int_t)size,
                                    "made", cmd_json_time(vd_model_time(model)),
                                    "columns", columns, "detectors", detectors));
}

/* Makes one setting. A setting of words has its default as a word and no bounds; one of
 * numbers has a least and a most value. */
static json_t *json_param(const struct vd_param *param)
{
    json_t *words = cmd_json_words(param->choices);
    bool is_word = param->choices != NULL;

    return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o}", "name", param->name, "default",
                     is_word ? json_incref(json_array_get(words, (size_t)param->value))
                             : cmd_json_number(param->value),
                     "help", param->help, "choices", words, "min",
                     is_word ? json_null() : cmd_json_number(param->min), "max",
                     is_word ? json_null() : cmd_json_number(param->max));
}

static int settings_json(void)
{
    json_t *root = json_array();
    const struct vd_detector_info *info;

    for (size_t i = 0; (info = vd_detector_at(i)) != NULL; i++) {
        json_t *list = json_array();

        for (size_t k = 0; k < info->n_params; k++)
            json_array_append_new(list, json_param(&info->params[k]));
        json_array_append_new(
            root, json_pack("{s:s, s:o}", "detector", info->name, "settings", list));
    }
    return cmd_json_print(root);
}

struct model_settings {
    bool json;
};

static const struct os_option options[] = {
    CMD_JSON_OPTION(offsetof(struct model_settings, json)),
    {.name = NULL},
};

/* Reads the words. "verify" needs no code of its own: reading a bundle checks the
 * checksum and every number. */
static int run(void *settings, int argc, char **argv)
{
    const struct model_settings *s = settings;
    struct vd_error err = {0};
    int code = CMD_OK;
    vd_model *model;
    size_t size;

    if (argc == 1 && s->json && strcmp(argv[0], "settings") == 0)
        return settings_json();
    if (argc == 1 && strcmp(argv[0], "settings") == 0) {
        batch_settings_print_all();
        return CMD_OK;
    }
    if (argc != 2 || (strcmp(argv[0], "show") != 0 && strcmp(argv[0], "verify") != 0)) {
        vd_error_set(&err, VD_ERR_ARGUMENT, "see vedette help model",
                     "give show or verify, and a file, or settings");
        return cmd_failed(&err);
    }
    if (batch_model_file_read(&model, argv[1], &size, &err) != VD_OK)
        return cmd_failed(&err);
    if (strcmp(argv[0], "show") == 0 && s->json)
        code = show_json(model, argv[1], size);
    else if (s->json)
        code = cmd_json_print(
            json_pack("{s:o, s:b}", "file", cmd_json_text(argv[1]), "whole", 1));
    else if (strcmp(argv[0], "show") == 0)
        show(model, argv[1], size);
    else
        printf("%s: whole\n", argv[1]);
    vd_model_free(model);
    return code;
}

const struct cmd_command cmd_model = {
    .name = "model",
    .summary = "Show or verify a model bundle, or list the detectors' settings",
    .arguments = "show FILE | verify FILE | settings",
    .about = "\"show\" prints the columns and the detectors of a bundle, \"verify\" only "
             "whether it is whole: its checksum and every number in it are checked. "
             "\"settings\" lists the settings of all detectors, for --set of train and "
             "compare: the default, what it does, and what it may be.",
    .examples = "vedette model show model.vedette\n"
                "    What is in it\n"
                "vedette model verify model.vedette\n"
                "    Exit status 0 when it is whole\n"
                "vedette model settings\n"
                "    Every setting of every detector\n",
    .options = options,
    .settings_size = sizeof(struct model_settings),
    .run = run,
};
