/* Settings of a detector, chosen by cross-validation on labelled training rows. */
#ifndef VD_CMD_TUNE_H
#define VD_CMD_TUNE_H

#include "vedette/detector.h"

enum { TUNE_SETTINGS_MAX = 64, TUNE_NAME_MAX = 48 };

/* What was chosen; names of an ensemble's members stand before their settings. */
struct tune_choice {
    struct vd_setting setting[TUNE_SETTINGS_MAX]; /* names point into `name` */
    char name[TUNE_SETTINGS_MAX][TUNE_NAME_MAX];
    size_t n;
    double contamination; /* chosen for detectors that need no labels, else as given */
    double f1, roc_auc;   /* means over the folds; NaN = there was nothing to choose */
};

/* The rows that may be chosen by. */
struct tune_rows {
    const struct vd_matrix *x; /* n x d, labelled */
    const uint8_t *label;      /* n of 0 / 1 */
    const struct vd_matrix *normal;
    const struct vd_fit_params *params; /* seed, threads and library */
};

/* Whether there is something to choose by: VD_ERR_DATA when a class has fewer rows than
 * there are folds. */
enum vd_status tune_check(const struct tune_rows *rows, struct vd_error *err);

/* Tries the settings there are for `name`, each on stratified folds of the labelled rows,
 * and keeps those with the best sum of mean F1 and mean ROC area. A detector that needs
 * labels is fitted without the fold; one that does not is fitted on the normal rows, and
 * its contamination is the best on the other folds, unless `with_contamination` is false.
 * What is in `given` is not chosen. Of more than 2,000 normal or 1,000 labelled
 * rows every k-th is taken. Tried on params->threads threads, with the same outcome. */
enum vd_status tune_detector(struct tune_choice *choice, const char *name,
                             const struct tune_rows *rows,
                             const struct tune_choice *given, bool with_contamination,
                             struct vd_error *err);

/* Sets one setting, "prefix.name" or, without a prefix, "name". */
void tune_set(struct tune_choice *choice, const char *prefix, const char *name,
              double value);

/* Adds the settings of `member` to those of the ensemble. */
void tune_add_member(struct tune_choice *ensemble, const char *member,
                     const struct tune_choice *choice);

/* A choice points into itself: it is copied by this. */
void tune_copy(struct tune_choice *to, const struct tune_choice *from);

#endif
