/* Training of one detector on a whole table, for `vedette train`. */
#ifndef VD_BATCH_TRAIN_H
#define VD_BATCH_TRAIN_H

#include "batch/dataset.h"
#include "vedette/model.h"
#include "vedette/tune.h"

/* What is learned from. */
struct batch_train_rows {
    struct batch_dataset data;   /* labelled or not */
    struct batch_dataset normal; /* rows without labels or labelled 0; the same columns */
    struct vd_fit_params params; /* of all detectors: seed, threads, normal rows */
};

/* Fits the detector `info` with the settings of `choice` and adds it, calibrated on the
 * normal rows (VD_CALIBRATION_MIN at least), to `model`. On failure the model is as it
 * was. */
enum vd_status batch_train_one(const struct batch_train_rows *rows,
                               const struct vd_detector_info *info,
                               const struct vd_tune_choice *choice, vd_model *model,
                               struct vd_error *err);

#endif
