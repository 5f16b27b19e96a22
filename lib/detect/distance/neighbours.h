/* Exact k nearest neighbours by Euclidean distance among fixed points. An index does not
 * change after it is built, so any number of threads may search it. */
#ifndef VD_DISTANCE_NEIGHBOURS_H
#define VD_DISTANCE_NEIGHBOURS_H

#include <stddef.h>
#include <stdint.h>

#include "vedette/bytes.h"

enum {
    VD__NEIGHBOURS_MAX = 1024, /* largest k */
    VD__NEIGHBOURS_SIDE = 8,   /* rows that are searched for side by side */
};

/* A neighbour that was found. */
struct vd__neighbour {
    double distance2;
    uint32_t point; /* its row in what the index was built from */
};

/* The index. */
struct vd__neighbours {
    size_t n, d;
    double *block;   /* points by eights, column by column: 8 x d each; owned */
    uint32_t *point; /* row of each place in the blocks, UINT32_MAX = empty; owned */
    struct vd__kd_node *node; /* the tree; owned */
    size_t n_nodes, n_blocks;
    size_t bytes; /* of all three */
};

/* Builds the index over z (n x d, finite, n >= 1), which it copies. VD_ERR_MEMORY leaves
 * nothing to release. */
enum vd_status vd__neighbours_init(struct vd__neighbours *nb, const double *z, size_t n,
                                   size_t d);

/* Frees the index; takes an all-zero one too. */
void vd__neighbours_release(struct vd__neighbours *nb);

/* Writes the n x d points in the order they were given. */
void vd__neighbours_save(const struct vd__neighbours *nb, struct vd_writer *w);

/* Finds the k points nearest to z, nearest first and equal distances by row, into
 * found[k]. Row `except` is left out (UINT32_MAX = none); k other points must exist.
 * Allocates nothing. */
void vd__neighbours_find(const struct vd__neighbours *nb, const double *z, size_t k,
                         uint32_t except, struct vd__neighbour *found);

/* Does the same for the VD__NEIGHBOURS_SIDE rows that lie one after another at z; row i
 * writes from found + i k on. When these are rows first, first + 1 ... of the index each
 * leaves itself out; first = UINT32_MAX means that they are not of the index. A search
 * that scans reads the points once for all rows. */
void vd__neighbours_find_side(const struct vd__neighbours *nb, const double *z, size_t k,
                              uint32_t first, struct vd__neighbour *found);

#endif
