/* Walking flat trees; see trees.h. */
#include "detect/trees.h"

#include <math.h>

#include "base/alloc.h"

static inline uint32_t step(const struct vd__tree_node *nodes, uint32_t at,
                            const float *x)
{
    const struct vd__tree_node *node = &nodes[at];

    return node->child + (x[node->column] > node->threshold);
}

/* Eight trees, one row. */
static double sum_eight(const struct vd__trees *t, size_t tree, const float *x,
                        double sum)
{
    uint32_t at[8], depth = 0;

    for (size_t k = 0; k < 8; k++) {
        at[k] = t->root[tree + k];
        depth = t->depth[tree + k] > depth ? t->depth[tree + k] : depth;
    }
    for (; depth > 0; depth--)
#pragma GCC unroll 8
        for (size_t k = 0; k < 8; k++)
            at[k] = step(t->node, at[k], x);
    for (size_t k = 0; k < 8; k++)
        sum += (double)t->node[at[k]].value;
    return sum;
}

double vd__trees_sum(const struct vd__trees *t, const float *x)
{
    double sum = 0;
    size_t tree = 0;

    for (; tree + 8 <= t->n_trees; tree += 8)
        sum = sum_eight(t, tree, x, sum);
    for (; tree < t->n_trees; tree++) {
        uint32_t at = t->root[tree];

        for (uint32_t level = 0; level < t->depth[tree]; level++)
            at = step(t->node, at, x);
        sum += (double)t->node[at].value;
    }
    return sum;
}

/* One tree, eight rows. */
static void add_eight(const struct vd__trees *t, size_t tree, const float *x, size_t d,
                      double *sum)
{
    uint32_t at[8];

    for (size_t k = 0; k < 8; k++)
        at[k] = t->root[tree];
    for (uint32_t level = 0; level < t->depth[tree]; level++)
#pragma GCC unroll 8
        for (size_t k = 0; k < 8; k++)
            at[k] = step(t->node, at[k], x + k * d);
    for (size_t k = 0; k < 8; k++)
        sum[k] += (double)t->node[at[k]].value;
}

/* Trees outside, rows inside: a tree stays in the nearest cache. The sum of a row is made
 * in the trees' order either way. */
void vd__trees_sum_many(const struct vd__trees *t, const float *x, size_t n, size_t d,
                        double *sum)
{
    size_t whole = n / 8 * 8;

    for (size_t i = 0; i < whole; i++)
        sum[i] = 0;
    for (size_t tree = 0; tree < t->n_trees; tree++)
        for (size_t i = 0; i < whole; i += 8)
            add_eight(t, tree, x + i * d, d, sum + i);
    for (size_t i = whole; i < n; i++)
        sum[i] = vd__trees_sum(t, x + i * d);
}

/* Marks the deepest level of one tree, children behind parents. */
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

        if (node->column >= d || level[i] == UINT32_MAX || !isfinite(node->value))
            return false;
        if (node->child == i) {
            if (!(node->threshold == INFINITY))
                return false;
            t->depth[tree] = level[i] > t->depth[tree] ? level[i] : t->depth[tree];
            continue;
        }
        if (node->child <= i || (size_t)node->child + 1 >= to ||
            !isfinite(node->threshold))
            return false;
        level[node->child] = level[node->child + 1] = level[i] + 1;
    }
    return true;
}

bool vd__trees_check(struct vd__trees *t, size_t d)
{
    uint32_t *level = vd__alloc(t->n_nodes, sizeof *level);
    bool good = level != NULL && t->n_trees > 0 && t->root[0] == 0;

    for (size_t tree = 0; good && tree < t->n_trees; tree++)
        good = check_tree(t, tree, d, level);
    vd__free(level);
    return good;
}

void vd__trees_save(const struct vd__trees *t, struct vd_writer *w)
{
    for (size_t i = 0; i < t->n_trees; i++)
        vd_write_u32(w, t->root[i]);
    for (size_t i = 0; i < t->n_nodes; i++) {
        vd_write_f32(w, t->node[i].threshold);
        vd_write_u32(w, t->node[i].column);
        vd_write_u32(w, t->node[i].child);
        vd_write_f32(w, t->node[i].value);
    }
}

bool vd__trees_load(struct vd__trees *t, struct vd_reader *r, size_t d)
{
    for (size_t i = 0; i < t->n_trees; i++)
        t->root[i] = vd_read_u32(r);
    for (size_t i = 0; i < t->n_nodes; i++) {
        t->node[i].threshold = vd_read_f32(r);
        t->node[i].column = vd_read_u32(r);
        t->node[i].child = vd_read_u32(r);
        t->node[i].value = vd_read_f32(r);
    }
    return !r->failed && vd__trees_check(t, d);
}
