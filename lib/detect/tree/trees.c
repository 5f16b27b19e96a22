/* Walks flat trees: checks them after a fit or a load, and sums the leaves of rows with
 * plain code for any processor. The layout is in trees.h, growing is elsewhere.
 */
#include "detect/tree/trees.h"

#include <assert.h>
#include <math.h>

#include "base/alloc.h"

/* Rows that go through all trees together; rows or trees whose walks go in step. */
enum { BLOCK = 256, STEP = 8 };

/* ---- one row ---- */

/* Goes from a node to the child on the row's side; a leaf stays where it is. */
static inline uint32_t step(const struct vd__tree_node *nodes, uint32_t at,
                            const float *x)
{
    const struct vd__tree_node *node = &nodes[at];

    return node->child + (x[node->column] > node->threshold);
}

/* Does the same in a complete tree. */
static inline uint32_t heap_step(const struct vd__heap_split *split, uint32_t at,
                                 const float *x)
{
    return 2 * at + (x[split[at].column] > split[at].threshold);
}

/* Adds to sum the leaves of one row in the eight trees from `tree` on. */
static double sum_eight(const struct vd__trees *t, size_t tree, const float *x,
                        double sum)
{
    uint32_t at[STEP], depth = 0;

    for (size_t k = 0; k < STEP; k++) {
        at[k] = t->root[tree + k];
        depth = t->depth[tree + k] > depth ? t->depth[tree + k] : depth;
    }
    for (; depth > 0; depth--)
#pragma GCC unroll 8
        for (size_t k = 0; k < STEP; k++)
            at[k] = step(t->node, at[k], x);
    for (size_t k = 0; k < STEP; k++)
        sum += (double)t->node[at[k]].value;
    return sum;
}

static double heap_sum_eight(const struct vd__trees *t, size_t tree, const float *x,
                             double sum)
{
    uint32_t at[STEP] = {1, 1, 1, 1, 1, 1, 1, 1}, size = 1U << t->heap_depth;
    size_t from = tree << t->heap_depth;

    for (uint32_t level = 0; level < t->heap_depth; level++)
#pragma GCC unroll 8
        for (size_t k = 0; k < STEP; k++)
            at[k] = heap_step(t->split + from + k * size, at[k], x);
    for (size_t k = 0; k < STEP; k++)
        sum += (double)t->leaf[from + k * size + at[k] - size];
    return sum;
}

double vd__trees_sum(const struct vd__trees *t, const float *x)
{
    double sum = 0;
    size_t tree = 0;

    for (; tree + STEP <= t->n_trees; tree += STEP)
        sum = t->split != NULL ? heap_sum_eight(t, tree, x, sum)
                               : sum_eight(t, tree, x, sum);
    for (; tree < t->n_trees; tree++) {
        uint32_t at = t->root[tree];

        for (uint32_t level = 0; level < t->depth[tree]; level++)
            at = step(t->node, at, x);
        sum += (double)t->node[at].value;
    }
    return sum;
}

/* ---- many rows ---- */

/* Adds to sum the leaves of eight rows of d numbers in one tree. The longest walk of a
 * deep tree is several times the usual one, so every third level checks whether any row
 * still moves. */
static void add_eight(const struct vd__trees *t, size_t tree, const float *x, size_t d,
                      double *sum)
{
    uint32_t at[STEP], moving = 1;

    for (size_t k = 0; k < STEP; k++)
        at[k] = t->root[tree];
    for (uint32_t level = 0; moving != 0 && level < t->depth[tree]; level += 3) {
#pragma GCC unroll 8
        for (size_t k = 0; k < STEP; k++)
            at[k] = step(t->node, at[k], x + k * d);
#pragma GCC unroll 8
        for (size_t k = 0; k < STEP; k++)
            at[k] = step(t->node, at[k], x + k * d);
        moving = 0;
#pragma GCC unroll 8
        for (size_t k = 0; k < STEP; k++) {
            uint32_t next = step(t->node, at[k], x + k * d);

            moving |= at[k] ^ next;
            at[k] = next;
        }
    }
    for (size_t k = 0; k < STEP; k++)
        sum[k] += (double)t->node[at[k]].value;
}

static void heap_add_eight(const struct vd__trees *t, size_t tree, const float *x,
                           size_t d, double *sum)
{
    const struct vd__heap_split *split = t->split + (tree << t->heap_depth);
    const float *leaf = t->leaf + (tree << t->heap_depth) - (1UL << t->heap_depth);
    uint32_t at[STEP] = {1, 1, 1, 1, 1, 1, 1, 1};

    for (uint32_t level = 0; level < t->heap_depth; level++)
#pragma GCC unroll 8
        for (size_t k = 0; k < STEP; k++)
            at[k] = heap_step(split, at[k], x + k * d);
    for (size_t k = 0; k < STEP; k++)
        sum[k] += (double)leaf[at[k]];
}

/* Writes n rows as floats: number j of row i goes to i * row_stride + j * column_stride.
 * Rows n .. room - 1 repeat the last row. */
static void fill(float *x, const double *rows, const double *center, size_t n, size_t d,
                 size_t room, size_t row_stride, size_t column_stride)
{
    for (size_t i = 0; i < room; i++)
        for (size_t j = 0; j < d; j++) {
            double v = rows[(i < n ? i : n - 1) * d + j];

            x[i * row_stride + j * column_stride] =
                vd__tree_value(center == NULL ? v : v - center[j]);
        }
}

/* Sums the leaves of n rows with AVX-512, a block at a time. */
static void sum_wide(const struct vd__trees *t, const double *rows, const double *center,
                     size_t n, size_t d, double *sum)
{
    float x[VD__HEAP_COLUMNS * BLOCK];

    for (size_t from = 0; from < n; from += BLOCK) {
        size_t count = n - from < BLOCK ? n - from : BLOCK;
        double block[BLOCK] = {0};

        fill(x, rows + from * d, center, count, d,
             (count + VD__HEAP_ROWS - 1) / VD__HEAP_ROWS * VD__HEAP_ROWS, 1, BLOCK);
        vd__trees_wide_add(t, x, BLOCK, d, count, block);
        for (size_t i = 0; i < count; i++)
            sum[from + i] = block[i];
    }
}

/* Sums the leaves of a block of rows, tree by tree: a tree stays in the nearest cache.
 * The leaves of a row are added in the trees' order here as in vd__trees_sum. */
static void sum_block(const struct vd__trees *t, const float *x, size_t n, size_t d,
                      double *sum)
{
    size_t whole = n / STEP * STEP;

    for (size_t i = 0; i < whole; i++)
        sum[i] = 0;
    for (size_t tree = 0; tree < t->n_trees; tree++)
        for (size_t i = 0; i < whole; i += STEP)
            if (t->split != NULL)
                heap_add_eight(t, tree, x + i * d, d, sum + i);
            else
                add_eight(t, tree, x + i * d, d, sum + i);
    for (size_t i = whole; i < n; i++)
        sum[i] = vd__trees_sum(t, x + i * d);
}

void vd__trees_sum_many(const struct vd__trees *t, const double *rows,
                        const double *center, size_t n, size_t d, double *sum)
{
    float x[VD_COLUMNS_MAX];
    size_t room = VD_COLUMNS_MAX / d;

    assert(d > 0 && d <= VD_COLUMNS_MAX);
    if (vd__trees_wide_usable(t, d)) {
        sum_wide(t, rows, center, n, d, sum);
        return;
    }
    for (size_t from = 0; from < n; from += room) {
        size_t count = n - from < room ? n - from : room;

        fill(x, rows + from * d, center, count, d, count, d, 1);
        sum_block(t, x, count, d, sum + from);
    }
}

/* ---- finish ---- */

/* Checks the nodes of one tree and finds its depth; false = no tree. Every node but the
 * root must be the child of exactly one earlier node, so no walk can loop or leave. */
static bool check_tree(struct vd__trees *t, size_t tree, size_t d, uint32_t *level)
{
    size_t from = t->root[tree];
    size_t to = tree + 1 < t->n_trees ? t->root[tree + 1] : t->n_nodes;

    if (from >= to || to > t->n_nodes)
        return false;
    t->depth[tree] = 0;
    level[from] = 0;
    for (size_t i = from + 1; i < to; i++)
        level[i] = UINT32_MAX;
    for (size_t i = from; i < to; i++) {
        const struct vd__tree_node *node = &t->node[i];

        if (node->column >= d || level[i] == UINT32_MAX || !isfinite(node->value) ||
            !(t->cover[i] >= 0 && isfinite(t->cover[i])))
            return false;
        if (node->child == i) {
            if (!(node->threshold == INFINITY))
                return false;
            t->depth[tree] = level[i] > t->depth[tree] ? level[i] : t->depth[tree];
            continue;
        }
        if (node->child <= i || (size_t)node->child + 1 >= to ||
            !isfinite(node->threshold) || level[node->child] != UINT32_MAX ||
            level[node->child + 1] != UINT32_MAX)
            return false;
        level[node->child] = level[node->child + 1] = level[i] + 1;
    }
    return true;
}

/* Chooses the least of the depths 4, 6 and 8 that all trees fit in. 0 = keep no heaps:
 * the trees are too deep, or so uneven that heaps would take many times their memory. */
static uint32_t choose_heap_depth(const struct vd__trees *t)
{
    uint32_t deepest = 0, depth = 4;

    for (size_t tree = 0; tree < t->n_trees; tree++)
        deepest = t->depth[tree] > deepest ? t->depth[tree] : deepest;
    while (depth < deepest)
        depth += 2;
    return depth <= 8 && t->n_trees << depth <= 16 * t->n_nodes ? depth : 0;
}

/* Copies a subtree to its place in the heap. Below a leaf the walk goes on to the left.
 */
static void fill_heap(struct vd__trees *t, size_t tree, uint32_t node, uint32_t heap_node,
                      uint32_t level)
{
    const struct vd__tree_node *from = &t->node[node];
    struct vd__heap_split *split = t->split + (tree << t->heap_depth);

    if (level == t->heap_depth) {
        t->leaf[(tree << t->heap_depth) + heap_node - (1U << level)] = from->value;
        return;
    }
    split[heap_node].column = from->column;
    split[heap_node].threshold = from->threshold;
    fill_heap(t, tree, from->child, 2 * heap_node, level + 1);
    if (from->child != node)
        fill_heap(t, tree, from->child + 1, 2 * heap_node + 1, level + 1);
}

/* Lays out the heaps where that pays. Splits that no walk reaches stay zero. */
static enum vd_status make_heaps(struct vd__trees *t, struct vd_detector *owner)
{
    uint32_t depth = choose_heap_depth(t);
    size_t n = t->n_trees << depth;

    if (depth == 0)
        return VD_OK;
    t->heap_depth = depth;
    t->split = vd__alloc_zero(n, sizeof *t->split);
    t->leaf = vd__alloc_zero(n, sizeof *t->leaf);
    if (t->split == NULL || t->leaf == NULL) {
        vd__trees_release(t);
        return VD_ERR_MEMORY;
    }
    for (size_t tree = 0; tree < t->n_trees; tree++)
        fill_heap(t, tree, t->root[tree], 1, 0);
    owner->size += n * (sizeof *t->split + sizeof *t->leaf);
    return VD_OK;
}

enum vd_status vd__trees_finish(struct vd__trees *t, struct vd_detector *owner)
{
    uint32_t *level = vd__alloc(t->n_nodes, sizeof *level);
    bool good = t->n_trees > 0 && t->root[0] == 0;

    if (level == NULL)
        return VD_ERR_MEMORY;
    for (size_t tree = 0; good && tree < t->n_trees; tree++)
        good = check_tree(t, tree, owner->d, level);
    vd__free(level);
    return good ? make_heaps(t, owner) : VD_ERR_FORMAT;
}

void vd__trees_release(struct vd__trees *t)
{
    vd__free(t->split);
    vd__free(t->leaf);
    t->split = NULL;
    t->leaf = NULL;
}

/* ---- save and load ---- */

void vd__trees_save(const struct vd__trees *t, struct vd_writer *w)
{
    for (size_t i = 0; i < t->n_trees; i++)
        vd_write_u32(w, t->root[i]);
    for (size_t i = 0; i < t->n_nodes; i++) {
        vd_write_f32(w, t->node[i].threshold);
        vd_write_u32(w, t->node[i].column);
        vd_write_u32(w, t->node[i].child);
        vd_write_f32(w, t->node[i].value);
        vd_write_f32(w, t->cover[i]);
    }
}

enum vd_status vd__trees_load(struct vd__trees *t, struct vd_reader *r,
                              struct vd_detector *owner)
{
    for (size_t i = 0; i < t->n_trees; i++)
        t->root[i] = vd_read_u32(r);
    for (size_t i = 0; i < t->n_nodes; i++) {
        t->node[i].threshold = vd_read_f32(r);
        t->node[i].column = vd_read_u32(r);
        t->node[i].child = vd_read_u32(r);
        t->node[i].value = vd_read_f32(r);
        t->cover[i] = vd_read_f32(r);
    }
    return r->failed ? VD_ERR_FORMAT : vd__trees_finish(t, owner);
}
