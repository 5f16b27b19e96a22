/* The model bundle: the columns, the detectors trained on them and what their scores
 * mean, in one file format (docs/formats/model.md).
 *
 * Scaling is part of each detector, so rows go in as they were measured. The library
 * turns bundles into bytes and back; writing the file crash-safe is the program's.
 */
#ifndef VD_MODEL_H
#define VD_MODEL_H

#include "vedette/calibration.h"
#include "vedette/detector.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { VD_MODEL_NAME_MAX = 160, VD_MODEL_DETECTORS_MAX = 64 };

typedef struct vd_model vd_model;

/* One detector of a bundle. */
struct vd_model_entry {
    vd_detector *detector; /* owned by the bundle */
    struct vd_calibration calibration;
    double threshold; /* surprise where the calibrated score is 0; > 0 */
};

/* An empty bundle for rows of d columns with these names (copied; not empty, shorter than
 * VD_MODEL_NAME_MAX, no two alike). */
enum vd_status vd_model_new(vd_model **out, const char *const *columns, size_t d,
                            struct vd_error *err);
void vd_model_free(vd_model *model);

/* When it was made, ns since 1970; the caller's clock. 0 = unknown. */
void vd_model_set_time(vd_model *model, int64_t time_ns);
int64_t vd_model_time(const vd_model *model);

size_t vd_model_columns(const vd_model *model);
const char *vd_model_column(const vd_model *model, size_t i);

/* Takes the detector, on failure too. One of each name: a second replaces the first.
 * VD_ERR_SCHEMA when it has other columns. */
enum vd_status vd_model_take(vd_model *model, vd_detector *detector,
                             const struct vd_calibration *calibration, double threshold,
                             struct vd_error *err);

/* Entry i: 0, 1, 2 ... until NULL; and by the name of the detector. */
const struct vd_model_entry *vd_model_at(const vd_model *model, size_t i);
const struct vd_model_entry *vd_model_find(const vd_model *model, const char *name);

/* Where each of the bundle's columns is among the n `names` at hand, into index[d].
 * VD_ERR_SCHEMA names the columns that are missing. */
enum vd_status vd_model_map(const vd_model *model, const char *const *names, size_t n,
                            size_t *index, struct vd_error *err);

/* Appends the bundle; check w->status. */
void vd_model_save(const vd_model *model, struct vd_writer *w);

/* Reads a bundle, trusting nothing: magic, version, length and checksum first, then every
 * number. The message says what is wrong with it. */
enum vd_status vd_model_load(vd_model **out, const void *bytes, size_t size,
                             struct vd_error *err);

#ifdef __cplusplus
}
#endif

#endif
