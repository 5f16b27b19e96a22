/* The options of the commands that train: which detectors, and how. */
#ifndef VD_CMD_FIT_OPTIONS_H
#define VD_CMD_FIT_OPTIONS_H

#include "batch/settings.h"
#include "cmd/detector_names.h"
#include "os/options.h"

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
         .check = batch_settings_check,                                                  \
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
struct vd_fit_params fit_options_params(const struct fit_options *options);

/* Whether --detector asks for it by name. */
bool fit_options_ask_for(const struct fit_options *options,
                         const struct vd_detector_info *info);

#endif
