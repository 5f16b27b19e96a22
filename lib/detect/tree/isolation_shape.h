/* The shape of an isolation forest in memory: what growing it (isolation_tree.c), walking
 * it (isolation_wide.c) and using it (isolation_forest.c) stand on.
 *
 * Every tree is a complete binary tree of `depth` levels in heap order (heap.h). The
 * forest is one block: the struct, then its arrays, each aligned to 64 bytes.
 */
#ifndef VD_TREE_ISOLATION_SHAPE_H
#define VD_TREE_ISOLATION_SHAPE_H

#include "detect/class.h"
#include "detect/tree/heap.h"

enum {
    ISOLATION_DEPTH_MAX = 16,
    ISOLATION_SAMPLE_MAX = 65535,
    /* Path lengths are whole numbers of 2^-26 (up to 63.99), so that their sum does not
     * depend on its order. */
    ISOLATION_PATH_BITS = 26,
};

struct isolation_forest {
    struct vd_detector base;
    uint32_t n_trees, depth;
    uint32_t subsample; /* rows a tree was grown from */
    uint32_t n_axes;    /* coordinates of a hyperplane; 1 = axis-parallel */
    double unit;        /* n_trees c(subsample): sum of paths at the score 1/2 */
    struct isolation_ranks *ranks; /* owned; NULL = rows are compared as they are */
    double *center;                /* d: subtracted before numbers become float */
    /* n_trees << depth of each: */
    struct vd__heap_split *split;
    uint32_t *path;  /* of leaf i: depth + c(rows in it), in 2^-26 */
    uint16_t *count; /* training rows in leaf i */
    /* n_axes for each split of an extended forest, else NULL: */
    float *weight;
    uint16_t *axis;
};

/* Allocates an empty forest of that shape for the detector `class`; vd_detector_free
 * frees it. NULL = no memory. */
struct isolation_forest *vd__isolation_new(const struct vd__detector_class *class,
                                           size_t d, uint32_t n_trees, uint32_t subsample,
                                           uint32_t depth, uint32_t n_axes);

/* Makes node `node` (on level `level`) of tree `tree` a leaf of `count` rows. */
void vd__isolation_set_leaf(struct isolation_forest *f, size_t tree, size_t node,
                            unsigned level, uint32_t count);

/* Converts a number to the float that the trees compare: less the column's centre, and
 * cut to +-2^127. */
static inline float isolation_value(double x, double center)
{
    double shifted = x - center;

    return shifted > 0x1p127 ? 0x1p127F : shifted < -0x1p127 ? -0x1p127F : (float)shifted;
}

#endif
