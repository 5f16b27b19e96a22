/* Growing classification trees (gini_tree.c) for the random forest. */
#ifndef VD_TREE_RANDOM_FOREST_H
#define VD_TREE_RANDOM_FOREST_H

#include "detect/tree/trees.h"

/* The training rows as growing needs them. */
struct vd__gini_data {
    size_t n, d;
    const uint8_t *labels;
    float *value;     /* d x n: column by column */
    uint32_t *rank;   /* d x n: place of a value among the column's distinct ones */
    float *level;     /* d x n: distinct values, ascending */
    double weight[2]; /* of a row of each class */
    double share;     /* of label 1 in all rows, weighted */
};

struct vd__gini_params {
    size_t features, max_depth, min_leaf; /* max_depth 0 = none */
    bool bootstrap;
    uint64_t seed;
};

/* A grown tree. */
struct vd__gini_tree {
    struct vd__tree_node *node;
    float *cover; /* weight of the rows in a node */
    size_t n, capacity;
};

enum vd_status vd__gini_data_init(struct vd__gini_data *data, const struct vd_matrix *x,
                                  const uint8_t *labels, const double *center);
void vd__gini_data_release(struct vd__gini_data *data);

void vd__gini_tree_release(struct vd__gini_tree *tree);

/* Grows tree number `tree`; its leaves hold the weighted share of label 1. */
enum vd_status vd__gini_grow(struct vd__gini_tree *out, const struct vd__gini_data *data,
                             const struct vd__gini_params *params, size_t tree);

#endif
