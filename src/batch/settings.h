/* Settings of the detectors of one training: those given with --set, the others chosen by
 * cross-validation (tune.h) or left at their defaults. */
#ifndef VD_BATCH_SETTINGS_H
#define VD_BATCH_SETTINGS_H

#include <stdio.h>

#include "os/options.h"
#include "vedette/tune.h"

enum { BATCH_DETECTORS_MAX = 16 };

/* The check of an item of --set, "lof.n_neighbors=10" or "one_class_svm.kernel=poly":
 * VD_ERR_ARGUMENT says what there is instead. */
enum vd_status batch_settings_check(const char *text, struct vd_error *err);

struct batch_settings_plan {
    const struct os_list *given; /* items of --set, checked */
    struct vd_tune_rows rows;    /* x NULL = nothing is chosen */
    double contamination;        /* NaN = chosen, or the default */
    FILE *say; /* what was chosen is printed here; NULL = standard output */
    struct vd_tune_choice choice[BATCH_DETECTORS_MAX]; /* by row of the table */
    bool is_made[BATCH_DETECTORS_MAX];
};

/* Lets the plan choose by `rows`; when they are too few, says so, and it does not. */
void batch_settings_choose_by(struct batch_settings_plan *plan,
                              const struct vd_tune_rows *rows);

/* The settings to fit `info` with; the ensemble's are those of its members. Made at the
 * first question, and what was chosen is printed then. Points into the plan. */
const struct vd_tune_choice *batch_settings_for(struct batch_settings_plan *plan,
                                                const struct vd_detector_info *info);

/* " scale=robust n_neighbors=20 contamination=0.002" */
void batch_settings_put(FILE *out, const struct vd_detector_info *info,
                        const struct vd_tune_choice *choice);

/* Prints the detectors with all their settings: default, range and meaning. */
void batch_settings_print_all(void);

#endif
