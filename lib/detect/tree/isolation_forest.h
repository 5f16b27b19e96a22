/* The shape of an isolation forest in memory, between growing it (isolation_tree.c) and
 * using it (isolation_forest.c).
 *
 * Every tree is a complete binary tree of `depth` levels in heap order (heap.h).
 */
#ifndef VD_ISOLATION_FOREST_H
#define VD_ISOLATION_FOREST_H

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
    double *center;     /* d: subtracted before numbers become float */
    /* n_trees << depth of each: */
    struct vd__heap_split *split;
    uint32_t *path;  /* of leaf i: depth + c(rows in it), in 2^-26 */
    uint16_t *count; /* training rows in leaf i */
    /* n_axes for each split of an extended forest, else NULL: */
    float *weight;
    uint16_t *axis;
};

/* c(n) of the paper: mean path length of an unsuccessful search among n. */
double vd__isolation_mean_path(double n);

/* A number as the trees see it. */
static inline float isolation_value(double x, double center)
{
    double shifted = x - center;

    return shifted > 0x1p127 ? 0x1p127F : shifted < -0x1p127 ? -0x1p127F : (float)shifted;
}

/* An empty forest of that shape; NULL = no memory. */
struct isolation_forest *vd__isolation_new(size_t d, uint32_t n_trees, uint32_t subsample,
                                           uint32_t depth, uint32_t n_axes);

/* Makes node `node` (on level `level`) of tree `tree` a leaf of `count` rows. */
void vd__isolation_set_leaf(struct isolation_forest *f, size_t tree, size_t node,
                            unsigned level, uint32_t count);

/* Grows all trees. `features`: columns each tree may use. */
enum vd_status vd__isolation_grow(struct isolation_forest *f, const struct vd__fit *fit,
                                  size_t features);

/* Whether this machine and this forest can go through vd__isolation_wide_add. */
bool vd__isolation_wide_usable(const struct isolation_forest *f);

/* Adds the leaves of n rows (made up to a multiple of 32) in one tree to sum. x: column
 * by column, `stride` apart. */
void vd__isolation_wide_add(const struct isolation_forest *f, size_t tree, const float *x,
                            size_t stride, size_t n, uint64_t *sum);

#endif
