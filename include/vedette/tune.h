/* Chooses the settings of a detector by stratified cross-validation on labelled rows.
 *
 * All combinations of a short list of values are tried (lib/evaluate/tune.c has the
 * list), each on the same five folds. The combination with the best sum of mean F1 and
 * mean ROC area is kept; of equally good ones the first, so the outcome does not depend
 * on the number of threads.
 *
 * Source: M. Stone, "Cross-validatory choice and assessment of statistical predictions",
 * Journal of the Royal Statistical Society B 36, 1974.
 */
#ifndef VD_TUNE_H
#define VD_TUNE_H

#include <stdbool.h>

#include "vedette/detector.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    VD_TUNE_SETTINGS_MAX = 64, /* settings of a choice */
    VD_TUNE_NAME_MAX = 48,     /* bytes of a name, with the terminating zero */
};

/* The settings chosen for one detector. Settings of an ensemble's member have its name in
 * front, "lof.n_neighbors". Zero-initialise. A choice points into itself: copy it with
 * vd_tune_copy, never by assignment. Nothing is allocated. */
struct vd_tune_choice {
    struct vd_setting setting[VD_TUNE_SETTINGS_MAX]; /* names point into `name` */
    char name[VD_TUNE_SETTINGS_MAX][VD_TUNE_NAME_MAX];
    size_t n;
    double contamination; /* chosen for detectors that need no labels, else as given */
    double f1, roc_auc;   /* means over the folds; NaN = there was nothing to choose */
};

/* The rows to choose by; all is borrowed and nothing may be NULL. */
struct vd_tune_rows {
    const struct vd_matrix *x;          /* n x d, labelled */
    const uint8_t *label;               /* n of 0 = normal, 1 = anomaly */
    const struct vd_matrix *normal;     /* m x d, known to be normal */
    const struct vd_fit_params *params; /* seed, threads and library */
};

/* Checks that each class has at least as many rows as there are folds, else VD_ERR_DATA.
 */
enum vd_status vd_tune_check(const struct vd_tune_rows *rows, struct vd_error *err);

/* Chooses the settings of the detector `name`, which must exist, into *choice. The
 * settings in `given` are kept as they are.
 *
 * A detector that needs labels is fitted without the fold that judges it. One that needs
 * none is fitted once on the normal rows, and its contamination is chosen on the folds
 * that do not judge it, unless `with_contamination` is false. Of more than 2,000 normal
 * or 1,000 labelled rows every k-th is used. Combinations are tried on up to
 * params->threads threads.
 *
 * VD_ERR_DATA when the rows are too few (vd_tune_check), VD_ERR_MEMORY, or the error of a
 * fit; then *choice is `given`. */
enum vd_status vd_tune_detector(struct vd_tune_choice *choice, const char *name,
                                const struct vd_tune_rows *rows,
                                const struct vd_tune_choice *given,
                                bool with_contamination, struct vd_error *err);

/* Sets "prefix.name" (prefix "" = "name") to a value; an earlier value is replaced. A
 * setting beyond VD_TUNE_SETTINGS_MAX is left out. */
void vd_tune_set(struct vd_tune_choice *choice, const char *prefix, const char *name,
                 double value);

/* Adds the settings of one member to those of the ensemble, with its name in front. */
void vd_tune_add_member(struct vd_tune_choice *ensemble, const char *member,
                        const struct vd_tune_choice *choice);

/* Copies a choice, so that the names of the copy are its own. */
void vd_tune_copy(struct vd_tune_choice *to, const struct vd_tune_choice *from);

#ifdef __cplusplus
}
#endif

#endif
