/* XGBoost's JSON models, read into flat trees and written from them. */
#ifndef VD_TREE_XGBOOST_JSON_H
#define VD_TREE_XGBOOST_JSON_H

#include "detect/tree/xgboost_shape.h"

/* Reads a model in XGBoost's JSON, trusting nothing in it, as a detector of `class`; the
 * caller owns *out. VD_ERR_FORMAT or VD_ERR_MEMORY sets *out to NULL. */
enum vd_status vd__xgboost_read_json(vd_detector **out,
                                     const struct vd__detector_class *class,
                                     const char *json, size_t size, struct vd_error *err);

/* Appends the model as XGBoost's JSON; returns w->status. */
enum vd_status vd__xgboost_write_json(const struct vd__xgboost_model *m,
                                      struct vd_writer *w);

#endif
