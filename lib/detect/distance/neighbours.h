/* Exact k nearest neighbours by Euclidean distance among fixed points. */
#ifndef VD_DISTANCE_NEIGHBOURS_H
#define VD_DISTANCE_NEIGHBOURS_H

#include <stddef.h>
#include <stdint.h>

#include "vedette/bytes.h"

enum {
    VD__NEIGHBOURS_MAX = 1024, /* largest k */
    VD__NEIGHBOURS_SIDE = 8,   /* rows that are searched for side by side */
};

struct vd__neighbour {
    double distance2;
    uint32_t point; /* its row in what the index was built from */
};

struct vd__neighbours {
    size_t n, d;
    double *block;   /* points by eights, column by column: 8 x d each; owned */
    uint32_t *point; /* row of each place in the blocks, UINT32_MAX = empty; owned */
    struct vd__kd_node *node; /* the tree; owned */
    size_t n_nodes, n_blocks;
    size_t bytes; /* of all three */
};

/* Builds the index over z (n x d, finite), which it copies. */
enum vd_status vd__neighbours_init(struct vd__neighbours *nb, const double *z, size_t n,
                                   size_t d);
void vd__neighbours_release(struct vd__neighbours *nb);

/* Writes the n x d points in the order they were given. */
void vd__neighbours_save(const struct vd__neighbours *nb, struct vd_writer *w);

/* The k nearest points to z but for row `except` (UINT32_MAX = none), nearest first,
 * equal distances by row. Needs k points beside `except`. Allocates nothing. */
void vd__neighbours_find(const struct vd__neighbours *nb, const double *z, size_t k,
                         uint32_t except, struct vd__neighbour *found);

/* The same for VD__NEIGHBOURS_SIDE rows at z, which are rows first, first + 1 ... of what
 * the index was built from, each without itself (UINT32_MAX = they are others), into
 * found + 0, k, 2 k ... Where the search is a scan the points are read once for all. */
void vd__neighbours_find_side(const struct vd__neighbours *nb, const double *z, size_t k,
                              uint32_t first, struct vd__neighbour *found);

#endif
