/* Complete binary trees in heap order: the root is node 1, the children of i are 2i and
 * 2i + 1. Walking is the same for every node, next = 2 node + (value > threshold), so
 * that walks go in step without a branch. A branch that ends early goes on to the left
 * with thresholds of infinity.
 */
#ifndef VD_TREE_HEAP_H
#define VD_TREE_HEAP_H

#include <stdbool.h>
#include <stdint.h>

struct vd__heap_split {
    float threshold; /* right when the value is larger */
    uint32_t column;
};

/* What the vectors of heap_wide.h can hold: columns of a row, and rows that go in one
 * step (two registers of sixteen). */
enum { VD__HEAP_COLUMNS = 8, VD__HEAP_ROWS = 32 };

#endif
