/* A set of decision trees laid out flat for scoring: random forest and XGBoost.
 *
 * Every step of a walk is the same: next = child + (value > threshold). A leaf is its own
 * child with a threshold of infinity, so walks of different depth run in step, eight at a
 * time, without a branch. Shallow trees are also kept as complete trees in heap order
 * (heap.h), where a step reads less memory and vectors can do it.
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

/* Sums the values of the leaves that one row x (d floats) reaches, in the trees' order.
 */
double vd__trees_sum(const struct vd__trees *t, const float *x);

/* Does the same for n rows of d numbers that lie one after another, into sum[n]. `center`
 * (d) is subtracted first; NULL = nothing. The bits are those of vd__trees_sum. */
void vd__trees_sum_many(const struct vd__trees *t, const double *rows,
                        const double *center, size_t n, size_t d, double *sum);

/* Makes the trees of `owner` ready: checks them, finds their depths, lays out the heaps
 * and adds these to the owner's size. VD_ERR_FORMAT when the nodes, which may come from a
 * file, are no trees: children must lie after their parent and inside the tree, columns
 * must be the owner's and numbers finite. VD_ERR_MEMORY. */
enum vd_status vd__trees_finish(struct vd__trees *t, struct vd_detector *owner);

/* Writes into share[d] how much each column moves the sum of the leaves away from its
 * mean over the training rows, by TreeSHAP (tree_shares.c). VD_ERR_UNAVAILABLE when
 * covers are not known or a tree is too deep. Allocates nothing. */
enum vd_status vd__trees_explain(const struct vd__trees *t, const float *x, size_t d,
                                 double *share);

/* Frees the heaps; the other arrays belong to the owner's block. */
void vd__trees_release(struct vd__trees *t);

/* Appends roots, nodes and covers; the caller writes the counts. */
void vd__trees_save(const struct vd__trees *t, struct vd_writer *w);

/* Reads what vd__trees_save wrote into arrays that have room for the counts, then calls
 * vd__trees_finish. VD_ERR_FORMAT, VD_ERR_MEMORY. */
enum vd_status vd__trees_load(struct vd__trees *t, struct vd_reader *r,
                              struct vd_detector *owner);

/* ---- with AVX-512 (trees_wide.c) ---- */

/* Tells whether vd__trees_wide_add may be called for rows of d columns. */
bool vd__trees_wide_usable(const struct vd__trees *t, size_t d);

/* Adds to sum[i] the leaves of row i in all trees. x holds the rows column by column,
 * `stride` apart; x and sum have room for n made up to a multiple of VD__HEAP_ROWS. */
void vd__trees_wide_add(const struct vd__trees *t, const float *x, size_t stride,
                        size_t d, size_t n, double *sum);

/* Converts a number to the float that the trees compare, cut to +-2^127. */
static inline float vd__tree_value(double x)
{
    return x > 0x1p127 ? 0x1p127F : x < -0x1p127 ? -0x1p127F : (float)x;
}

#endif
