/* Complete binary trees in heap order: the root is node 1, the children of i are 2i and
 * 2i + 1. Every step of a walk is the same, next = 2 node + (value > threshold), so many
 * walks go in step without a branch. Where a tree has a leaf above the last level, splits
 * with a threshold of infinity lead on to the left.
 */
#ifndef VD_TREE_HEAP_H
#define VD_TREE_HEAP_H

#include <stdbool.h>
#include <stdint.h>

struct vd__heap_split {
    float threshold; /* right when the value is larger */
    uint32_t column;
};

/* The limits of heap_wide.h: columns of a row, and rows that one step takes (two
 * registers of sixteen). */
enum { VD__HEAP_COLUMNS = 8, VD__HEAP_ROWS = 32 };

#endif
