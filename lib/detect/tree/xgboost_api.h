/* The C interface of libxgboost, which trains the models. */
#ifndef VD_TREE_XGBOOST_API_H
#define VD_TREE_XGBOOST_API_H

#include <stdint.h>

#include "vedette/status.h"

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

/* The table of these functions. */
struct vd__xgb {
#define X(type, name, args) type(*name) args;
    VD__XGB_FUNCTIONS(X)
#undef X
};

/* Loads the library from `path` (NULL or "" = search for it) and fills in the table. It
 * is never unloaded, because its threads outlive a call. VD_ERR_UNAVAILABLE with the
 * reason.
 */
enum vd_status vd__xgb_open(struct vd__xgb *xgb, const char *path, struct vd_error *err);

#endif
