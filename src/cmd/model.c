/* vedette model: what is in a model bundle, and whether it is whole. */
#include <stdio.h>
#include <string.h>

#include "batch/model_file.h"
#include "batch/settings.h"
#include "cmd/commands.h"
#include "os/clock.h"

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

static int run(void *settings, int argc, char **argv)
{
    struct vd_error err = {0};
    vd_model *model;
    size_t size;

    (void)settings;
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
    if (strcmp(argv[0], "show") == 0)
        show(model, argv[1], size);
    else
        printf("%s: whole\n", argv[1]);
    vd_model_free(model);
    return CMD_OK;
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
    .run = run,
};
