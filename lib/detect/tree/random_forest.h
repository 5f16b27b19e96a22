/* Growing the classification trees of a random forest (gini_tree.c). */
#ifndef VD_TREE_RANDOM_FOREST_H
#define VD_TREE_RANDOM_FOREST_H

#include "detect/tree/trees.h"

/* The training rows in the form that growing needs; threads share it and only read. */
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

/* A grown tree: `n` nodes, a parent before its children, which lie side by side. Both
 * arrays are owned. */
struct vd__gini_tree {
    struct vd__tree_node *node;
    float *cover; /* weight of the rows in a node */
    size_t n, capacity;
};

/* Takes the rows of x, less `center` (d), and their labels (n of 0 / 1, borrowed).
 * Weights are 1 and share is 0: the caller sets them. Release it with
 * vd__gini_data_release; VD_ERR_MEMORY leaves nothing to release. */
enum vd_status vd__gini_data_init(struct vd__gini_data *data, const struct vd_matrix *x,
                                  const uint8_t *labels, const double *center);
void vd__gini_data_release(struct vd__gini_data *data);

/* Frees a tree; takes an all-zero one too. */
void vd__gini_tree_release(struct vd__gini_tree *tree);

/* Grows tree number `tree`, which draws from that stream of the seed; its leaves hold the
 * weighted share of label 1. VD_ERR_MEMORY leaves *out empty. */
enum vd_status vd__gini_grow(struct vd__gini_tree *out, const struct vd__gini_data *data,
                             const struct vd__gini_params *params, size_t tree);

#endif
