/* The shape of an XGBoost model in memory: a start value and flat trees. */
#ifndef VD_TREE_XGBOOST_SHAPE_H
#define VD_TREE_XGBOOST_SHAPE_H

#include "detect/tree/trees.h"

struct vd__xgboost_model {
    struct vd_detector base;
    double margin; /* log-odds before the first tree */
    struct vd__trees trees;
};

/* Allocates a model for the detector `class` with room for these counts of trees and
 * nodes; vd_detector_free frees it. NULL = no memory. */
struct vd__xgboost_model *vd__xgboost_new(const struct vd__detector_class *class,
                                          size_t d, size_t n_trees, size_t n_nodes);

#endif
