/* The model bundle: the names of the columns, the detectors trained on them, and the
 * calibration of their scores, in one file format (docs/formats/model.md).
 *
 * Scaling is part of each detector, so rows go in as they were measured. The library
 * turns bundles into bytes and back; writing files so that a crash leaves none half
 * written is the program's part. A bundle that nobody changes may be used by any number
 * of threads.
 */
#ifndef VD_MODEL_H
#define VD_MODEL_H

#include "vedette/calibration.h"
#include "vedette/detector.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    VD_MODEL_NAME_MAX = 160, /* bytes of a column's name, with the terminating zero */
    VD_MODEL_DETECTORS_MAX = 64,
};

/* A bundle. The caller that got it owns it and frees it with vd_model_free. */
typedef struct vd_model vd_model;

/* One detector of a bundle. Pointers to it hold until vd_model_take or vd_model_free. */
struct vd_model_entry {
    vd_detector *detector; /* owned by the bundle */
    struct vd_calibration calibration;
    double threshold; /* surprise where the calibrated score is 0; > 0 */
};

/* Makes an empty bundle for rows of d columns with these names, which are copied. A name
 * must not be empty, must be shorter than VD_MODEL_NAME_MAX, and no two may be the same
 * (VD_ERR_SCHEMA). VD_ERR_ARGUMENT when d is 0 or above VD_COLUMNS_MAX, VD_ERR_MEMORY; on
 * failure *out is NULL. */
enum vd_status vd_model_new(vd_model **out, const char *const *columns, size_t d,
                            struct vd_error *err);

/* Frees the bundle and its detectors; takes NULL. */
void vd_model_free(vd_model *model);

/* Set and return when the bundle was made, in ns since 1970 by the caller's clock; 0 =
 * unknown. */
void vd_model_set_time(vd_model *model, int64_t time_ns);
int64_t vd_model_time(const vd_model *model);

/* Return d, and the name of column i, which belongs to the bundle (NULL = no column i).
 */
size_t vd_model_columns(const vd_model *model);
const char *vd_model_column(const vd_model *model, size_t i);

/* Adds a detector, which the bundle then owns; on failure it is freed. A bundle holds one
 * detector of each name: a second one replaces the first. `threshold` is the surprise at
 * which the calibrated score is 0. VD_ERR_SCHEMA when the detector has another number of
 * columns, VD_ERR_ARGUMENT when the threshold is not above 0 and at most VD_SURPRISE_MAX,
 * VD_ERR_LIMIT when the bundle is full. */
enum vd_status vd_model_take(vd_model *model, vd_detector *detector,
                             const struct vd_calibration *calibration, double threshold,
                             struct vd_error *err);

/* Return entry i (0, 1, 2 ... until NULL), and the entry of the detector `name` (NULL =
 * there is none). */
const struct vd_model_entry *vd_model_at(const vd_model *model, size_t i);
const struct vd_model_entry *vd_model_find(const vd_model *model, const char *name);

/* Finds each of the bundle's columns among the n `names` at hand and writes its place
 * into index[d]. VD_ERR_SCHEMA when some are missing; `err` names them. */
enum vd_status vd_model_map(const vd_model *model, const char *const *names, size_t n,
                            size_t *index, struct vd_error *err);

/* Appends the bundle; check w->status. */
void vd_model_save(const vd_model *model, struct vd_writer *w);

/* Reads a bundle of `size` bytes (borrowed), trusting nothing: magic, version, length and
 * checksum first, then every number. On failure *out is NULL and `err` says what is
 * wrong: VD_ERR_FORMAT, VD_ERR_VERSION, VD_ERR_SCHEMA, VD_ERR_ARGUMENT, VD_ERR_LIMIT,
 * VD_ERR_UNAVAILABLE, VD_ERR_MEMORY. */
enum vd_status vd_model_load(vd_model **out, const void *bytes, size_t size,
                             struct vd_error *err);

#ifdef __cplusplus
}
#endif

#endif
