/* Model bundles on disk: written whole or not at all. */
#ifndef VD_BATCH_MODEL_FILE_H
#define VD_BATCH_MODEL_FILE_H

#include "vedette/model.h"

/* Whether a bundle can be written there, to be asked before a training. */
enum vd_status batch_model_file_check(const char *path, struct vd_error *err);

enum vd_status batch_model_file_write(const vd_model *model, const char *path,
                                      struct vd_error *err);

/* The caller owns *out. *size (may be NULL) = bytes of the file. */
enum vd_status batch_model_file_read(vd_model **out, const char *path, size_t *size,
                                     struct vd_error *err);

#endif
