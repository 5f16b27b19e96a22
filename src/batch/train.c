/* Fits one detector, finds out what its scores mean on normal rows, and puts both into a
 * model bundle.
 *
 * A score of a row that the detector has learned from is too good: detectors without
 * labels are calibrated by cross-fitting over FOLDS blocks of time. */
#include "batch/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sets the blocks of the cross-fit: each costs one more fit. */
enum { FOLDS = 4 };

/* Scores normal rows by detectors that have not seen them: contiguous blocks, each scored
 * by one fitted on the others, since rows next to each other in time are alike. Returns
 * how many scores there are. */
static size_t score_unseen(const struct batch_train_rows *rows, const char *name,
                           const struct vd_fit_params *params, double *score)
{
    const struct vd_matrix *all = &rows->normal.x;
    struct vd_matrix rest;
    size_t k = 0;

    if (vd_matrix_init(&rest, all->n, all->d) != VD_OK)
        return 0;
    for (size_t fold = 0; fold < FOLDS; fold++) {
        size_t from = fold * all->n / FOLDS, to = (fold + 1) * all->n / FOLDS;
        vd_detector *part = NULL;

        memcpy(rest.at, all->at, from * all->d * sizeof *rest.at);
        memcpy(rest.at + from * all->d, vd_matrix_row(all, to),
               (all->n - to) * all->d * sizeof *rest.at);
        rest.n = all->n - (to - from);
        if (vd_detector_fit(&part, name, &rest, NULL, params, NULL) != VD_OK)
            continue;
        for (size_t i = from; i < to; i++)
            score[k++] = vd_detector_score(part, vd_matrix_row(all, i));
        vd_detector_free(part);
    }
    vd_matrix_release(&rest);
    return k;
}

/* Scores the normal rows by the detector itself. One that learned from labels has seen
 * these rows, too, but its probability is the label's, not how rare a row is. */
static size_t score_seen(const struct batch_train_rows *rows, const vd_detector *detector,
                         double *score)
{
    for (size_t i = 0; i < rows->normal.x.n; i++)
        score[i] = vd_detector_score(detector, vd_matrix_row(&rows->normal.x, i));
    return rows->normal.x.n;
}

/* Gives the surprise from which a row is anomalous. Without a share of contamination it
 * is what the method's own threshold means on these rows. */
static double surprise_at_threshold(const vd_detector *detector,
                                    const struct vd_calibration *calibration,
                                    const struct vd_fit_params *params)
{
    double own;

    if (params->contamination > 0)
        return vd_surprise_of_contamination(params->contamination);
    own = vd_calibration_surprise(calibration, vd_detector_threshold(detector));
    return fmax(own, vd_surprise_of_contamination(0.5));
}

/* Fits one detector, calibrates it, and gives both to the model, which owns the detector
 * from then on. */
enum vd_status batch_train_one(const struct batch_train_rows *rows,
                               const struct vd_detector_info *info,
                               const struct vd_tune_choice *choice, vd_model *model,
                               struct vd_error *err)
{
    bool labelled = info->needs_labels || (rows->data.label != NULL && info->combines);
    const struct vd_matrix *x = labelled ? &rows->data.x : &rows->normal.x;
    double *score = calloc(rows->normal.x.n + 1, sizeof *score);
    struct vd_fit_params params = rows->params;
    struct vd_calibration calibration;
    vd_detector *detector = NULL;
    enum vd_status status = VD_ERR_MEMORY;
    size_t k;

    if (score == NULL)
        return status;
    params.settings = choice->setting;
    params.n_settings = choice->n;
    params.contamination = choice->contamination;
    status = vd_detector_fit(&detector, info->name, x, labelled ? rows->data.label : NULL,
                             &params, err);
    if (status == VD_OK) {
        k = labelled ? score_seen(rows, detector, score)
                     : score_unseen(rows, info->name, &params, score);
        status = vd_calibration_fit(&calibration, score, k, err);
    }
    free(score);
    if (status != VD_OK) {
        vd_detector_free(detector);
        return status;
    }
    return vd_model_take(model, detector, &calibration,
                         surprise_at_threshold(detector, &calibration, &params), err);
}
