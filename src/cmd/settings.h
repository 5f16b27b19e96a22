/* Settings of the detectors of one training: those given with --set, the others chosen by
 * cross-validation (tune.h) or left at their defaults. */
#ifndef VD_CMD_SETTINGS_H
#define VD_CMD_SETTINGS_H

#include <stdio.h>

#include "cmd/detector_names.h"
#include "os/options.h"
#include "vedette/tune.h"

enum { SETTINGS_DETECTORS_MAX = 16 };

/* The check of an item of --set, "lof.n_neighbors=10" or "one_class_svm.kernel=poly":
 * VD_ERR_ARGUMENT says what there is instead. */
enum vd_status settings_check(const char *text, struct vd_error *err);

/* What the commands that train have in common: which detectors, and how. */
struct fit_options {
    struct os_list detectors, set;
    double contamination;
    long seed, threads;
    char *xgboost;
    bool tune;
};

/* Its rows for an option table; `at` is where it lies in the command's settings. */
#define FIT_OPTIONS(at)                                                                  \
    {.name = "detector",                                                                 \
     .type = OS_OPTION_LIST,                                                             \
     .value = "NAME",                                                                    \
     .choices = CMD_DETECTOR_NAMES,                                                      \
     .offset = (at) + offsetof(struct fit_options, detectors),                           \
     .help = "Only this detector; may be given again"},                                  \
        {.name = "set",                                                                  \
         .type = OS_OPTION_LIST,                                                         \
         .value = "D.S=VALUE",                                                           \
         .offset = (at) + offsetof(struct fit_options, set),                             \
         .check = settings_check,                                                        \
         .help = "Setting S of detector D, \"lof.n_neighbors=10\"; may be given again "  \
                 "('vedette model settings' lists them)"},                               \
        {.name = "contamination",                                                        \
         .type = OS_OPTION_NUMBER,                                                       \
         .value = "SHARE",                                                               \
         .zero = "auto",                                                                 \
         .min = 0.0001,                                                                  \
         .max = 0.5,                                                                     \
         .offset = (at) + offsetof(struct fit_options, contamination),                   \
         .help = "Share of the training rows to call odd; auto = each method's own "     \
                 "rule (default: chosen with the settings, else 0.05)"},                 \
        {.name = "tune",                                                                 \
         .type = OS_OPTION_FLAG,                                                         \
         .fallback = "true",                                                             \
         .offset = (at) + offsetof(struct fit_options, tune),                            \
         .help = "Choose settings by cross-validation on the labelled rows; --no-tune "  \
                 "takes the defaults"},                                                  \
        {.name = "seed",                                                                 \
         .type = OS_OPTION_INTEGER,                                                      \
         .value = "N",                                                                   \
         .fallback = "0",                                                                \
         .min = 0,                                                                       \
         .max = 1e15,                                                                    \
         .offset = (at) + offsetof(struct fit_options, seed),                            \
         .help = "Seed of everything random"},                                           \
        {.name = "threads",                                                              \
         .type = OS_OPTION_INTEGER,                                                      \
         .value = "N",                                                                   \
         .fallback = "0",                                                                \
         .min = 0,                                                                       \
         .max = 256,                                                                     \
         .offset = (at) + offsetof(struct fit_options, threads),                         \
         .help = "Threads to use; 0 = one for each core"},                               \
    {                                                                                    \
        .name = "xgboost", .type = OS_OPTION_TEXT, .value = "FILE",                      \
        .offset = (at) + offsetof(struct fit_options, xgboost),                          \
        .help = "The XGBoost library to load"                                            \
    }

/* Seed, threads and library as the library wants them; borrows the texts. */
struct vd_fit_params settings_params(const struct fit_options *options);

/* Whether --detector asks for it by name. */
bool settings_ask_for(const struct fit_options *options,
                      const struct vd_detector_info *info);

struct settings_plan {
    const struct os_list *given; /* items of --set, checked */
    struct vd_tune_rows rows;    /* x NULL = nothing is chosen */
    double contamination;        /* NaN = chosen, or the default */
    struct vd_tune_choice choice[SETTINGS_DETECTORS_MAX]; /* by row of the table */
    bool is_made[SETTINGS_DETECTORS_MAX];
};

/* Lets the plan choose by `rows`; when they are too few, says so, and it does not. */
void settings_choose_by(struct settings_plan *plan, const struct vd_tune_rows *rows);

/* The settings to fit `info` with; the ensemble's are those of its members. Made at the
 * first question, and what was chosen is printed then. Points into the plan. */
const struct vd_tune_choice *settings_for(struct settings_plan *plan,
                                          const struct vd_detector_info *info);

/* " scale=robust n_neighbors=20 contamination=0.002" */
void settings_put(FILE *out, const struct vd_detector_info *info,
                  const struct vd_tune_choice *choice);

/* Prints the detectors with all their settings: default, range and meaning. */
void settings_print_all(void);

#endif
