/* A set of decision trees laid out flat for scoring: random forest and XGBoost.
 *
 * Walking is the same for every node: next = child + (value > threshold). A leaf is its
 * own child with a threshold of infinity, so walks of different depth run in step, eight
 * at a time, without a branch.
 */
#ifndef VD_DETECT_TREES_H
#define VD_DETECT_TREES_H

#include "detect/class.h"

struct vd__tree_node {
    float threshold; /* INFINITY in a leaf */
    uint32_t column;
    uint32_t child; /* the left child, the right one follows; itself in a leaf */
    float value;    /* of a leaf */
};

struct vd__trees {
    size_t n_trees, n_nodes;
    struct vd__tree_node *node; /* tree after tree */
    uint32_t *root;             /* n_trees */
    uint32_t *depth;            /* n_trees: longest walk */
};

/* Sum of the leaves' values of one row of numbers, in the trees' order. */
double vd__trees_sum(const struct vd__trees *t, const float *x);

/* The same for n rows of d numbers lying one after another. */
void vd__trees_sum_many(const struct vd__trees *t, const float *x, size_t n, size_t d,
                        double *sum);

/* Finds depths; false when children do not lie behind their parent inside the tree, a
 * column is d or more or a number is not finite: what came from a file is not a tree. */
bool vd__trees_check(struct vd__trees *t, size_t d);

void vd__trees_save(const struct vd__trees *t, struct vd_writer *w);

/* Fills arrays that have room for the counts read before. */
bool vd__trees_load(struct vd__trees *t, struct vd_reader *r, size_t d);

/* As the trees see a number: single precision, not beyond its range. */
static inline float vd__tree_value(double x)
{
    return x > 0x1p127 ? 0x1p127F : x < -0x1p127 ? -0x1p127F : (float)x;
}

#endif
