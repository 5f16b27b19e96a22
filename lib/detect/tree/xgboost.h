/* Inside of the XGBoost detector: the flat model, and the library it is trained with. */
#ifndef VD_TREE_XGBOOST_H
#define VD_TREE_XGBOOST_H

#include "detect/tree/trees.h"

struct vd__xgboost_model {
    struct vd_detector base;
    double margin; /* log-odds before the first tree */
    struct vd__trees trees;
};

/* NULL = no memory. */
struct vd__xgboost_model *vd__xgboost_new(size_t d, size_t n_trees, size_t n_nodes);

/* ---- libxgboost ---- */

typedef void *vd__xgb_handle;

/* The functions of xgboost/c_api.h that training needs, by the same names; all but the
 * last return 0 or -1. */
#define VD__XGB_FUNCTIONS(X)                                                             \
    X(int, XGDMatrixCreateFromMat,                                                       \
      (const float *, uint64_t, uint64_t, float, vd__xgb_handle *))                      \
    X(int, XGDMatrixSetFloatInfo,                                                        \
      (vd__xgb_handle, const char *, const float *, uint64_t))                           \
    X(int, XGDMatrixFree, (vd__xgb_handle))                                              \
    X(int, XGBoosterCreate, (const vd__xgb_handle *, uint64_t, vd__xgb_handle *))        \
    X(int, XGBoosterFree, (vd__xgb_handle))                                              \
    X(int, XGBoosterSetParam, (vd__xgb_handle, const char *, const char *))              \
    X(int, XGBoosterUpdateOneIter, (vd__xgb_handle, int, vd__xgb_handle))                \
    X(int, XGBoosterSaveModelToBuffer,                                                   \
      (vd__xgb_handle, const char *, uint64_t *, const char **))                         \
    X(const char *, XGBGetLastError, (void))

struct vd__xgb {
#define X(type, name, args) type(*name) args;
    VD__XGB_FUNCTIONS(X)
#undef X
};

/* Loads the library and fills in the table. It stays loaded: its threads outlive a call.
 */
enum vd_status vd__xgb_open(struct vd__xgb *xgb, const char *path, struct vd_error *err);

#endif
