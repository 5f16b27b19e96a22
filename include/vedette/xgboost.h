/* Gradient boosted trees: XGBoost's own models in and out.
 *
 * The detector "xgboost" trains with libxgboost and scores with flat trees of its own.
 * The library is loaded when a fit needs it; scoring, loading and saving work without.
 */
#ifndef VD_XGBOOST_H
#define VD_XGBOOST_H

#include "vedette/detector.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether libxgboost can be loaded from `path` (NULL or "" = the system's search path,
 * then the places where packages of Python put it). VD_ERR_UNAVAILABLE with the reason
 * otherwise. */
enum vd_status vd_xgboost_probe(const char *path, struct vd_error *err);

/* A detector from a model in XGBoost's JSON (binary:logistic or reg:logistic, gbtree,
 * numeric columns). Trusts nothing in it. */
enum vd_status vd_xgboost_from_json(vd_detector **out, const char *json, size_t size,
                                    struct vd_error *err);

/* Appends the model as XGBoost's JSON, which XGBoost 1.7 and later loads.
 * VD_ERR_ARGUMENT when the detector is of another kind. Statistics of the training that
 * scoring does not need (gains, covers) are written as zero. */
enum vd_status vd_xgboost_to_json(const vd_detector *detector, struct vd_writer *w);

#ifdef __cplusplus
}
#endif

#endif
