/* A set of decision trees laid out flat for scoring: random forest and XGBoost.
 *
 * Walking is the same for every node: next = child + (value > threshold). A leaf is its
 * own child with a threshold of infinity, so walks of different depth run in step, eight
 * at a time, without a branch. Shallow trees are kept a second time as complete trees in
 * heap order (heap.h), where a step needs less memory and vectors can take it.
 */
#ifndef VD_TREE_TREES_H
#define VD_TREE_TREES_H

#include "detect/class.h"
#include "detect/tree/heap.h"

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
    float *cover;               /* n_nodes: weight of the training rows that came by;
                                   zero where it is not known */
    /* NULL where trees are deep; else blocks of n_trees << heap_depth: */
    struct vd__heap_split *split;
    float *leaf;
    uint32_t heap_depth; /* 4, 6 or 8 */
};

/* Sum of the leaves' values of one row of numbers, in the trees' order. */
double vd__trees_sum(const struct vd__trees *t, const float *x);

/* The same for n rows of d numbers lying one after another, less the centres where there
 * are any (NULL = none). */
void vd__trees_sum_many(const struct vd__trees *t, const double *rows,
                        const double *center, size_t n, size_t d, double *sum);

/* Makes trees ready that belong to `owner`: finds depths, lays out the heaps and counts
 * them into the owner's size. VD_ERR_FORMAT when children do not lie behind their parent
 * inside the tree, a column is not the owner's or a number is not finite: what came from
 * a file is not a tree. */
enum vd_status vd__trees_finish(struct vd__trees *t, struct vd_detector *owner);

/* How much each column adds to the sum of the leaves over its mean, into share[d], as
 * TreeSHAP has it (tree_shares.c). VD_ERR_UNAVAILABLE when covers are not known or a tree
 * is too deep. Allocates nothing. */
enum vd_status vd__trees_explain(const struct vd__trees *t, const float *x, size_t d,
                                 double *share);

/* Frees the heaps; all else is the owner's. */
void vd__trees_release(struct vd__trees *t);

void vd__trees_save(const struct vd__trees *t, struct vd_writer *w);

/* Fills arrays that have room for the counts read before, and finishes. */
enum vd_status vd__trees_load(struct vd__trees *t, struct vd_reader *r,
                              struct vd_detector *owner);

/* ---- with AVX-512 (trees_wide.c) ---- */

bool vd__trees_wide_usable(const struct vd__trees *t, size_t d);

/* Adds the leaves of n rows (made up to a multiple of 32) in all trees to sum. x: column
 * by column, `stride` apart. */
void vd__trees_wide_add(const struct vd__trees *t, const float *x, size_t stride,
                        size_t d, size_t n, double *sum);

/* As the trees see a number: single precision, not beyond its range. */
static inline float vd__tree_value(double x)
{
    return x > 0x1p127 ? 0x1p127F : x < -0x1p127 ? -0x1p127F : (float)x;
}

#endif
