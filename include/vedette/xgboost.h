/* Gradient boosted trees: reading and writing XGBoost's own models.
 *
 * The detector "xgboost" (Chen and Guestrin, "XGBoost: a scalable tree boosting system",
 * KDD 2016) trains with libxgboost and scores with flat trees of its own. The library is
 * loaded when a fit needs it; scoring, loading and saving work without it.
 */
#ifndef VD_XGBOOST_H
#define VD_XGBOOST_H

#include "vedette/detector.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Tries to load libxgboost from `path` (NULL or "" = the system's search path, then the
 * places where packages of Python put it). VD_OK when training is possible, else
 * VD_ERR_UNAVAILABLE with the reason. A library that was loaded stays loaded. */
enum vd_status vd_xgboost_probe(const char *path, struct vd_error *err);

/* Makes a detector from a model in XGBoost's JSON (`size` bytes, borrowed): gbtree with
 * binary:logistic or reg:logistic on numeric columns. Nothing in it is trusted. The
 * caller owns *out and frees it with vd_detector_free. VD_ERR_FORMAT for other models and
 * damaged ones, VD_ERR_MEMORY; then *out is NULL. */
enum vd_status vd_xgboost_from_json(vd_detector **out, const char *json, size_t size,
                                    struct vd_error *err);

/* Appends the model as XGBoost's JSON, which XGBoost 1.7 and later loads. Statistics of
 * the training that scoring does not need, such as gains, are written as zero.
 * VD_ERR_ARGUMENT when the detector is of another kind, VD_ERR_MEMORY. */
enum vd_status vd_xgboost_to_json(const vd_detector *detector, struct vd_writer *w);

#ifdef __cplusplus
}
#endif

#endif
