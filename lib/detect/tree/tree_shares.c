/* Shapley values of decision trees: S. Lundberg et al., "From local explanations to
 * global understanding with explainable AI for trees", Nature Machine Intelligence 2
 * (2020), algorithm 2 (path-dependent TreeSHAP), leaf by leaf.
 *
 * A Shapley value asks what a row would score if only some columns were known. At a split
 * on an unknown column the row goes both ways, weighted by the covers of the children. On
 * the way to a leaf every column therefore has two factors: `zero`, the share of training
 * rows that go this way, and `one`, 1 if this row goes this way and else 0. The value of
 * the leaf is shared among the columns by a polynomial in both.
 */
#include "detect/tree/trees.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Deeper trees are refused: only a hostile file has them. */
enum { DEPTH_MAX = 512 };

/* The factors of one column on the way to the node at hand. */
struct factor {
    uint32_t column;
    double zero, one;
};

struct walk {
    const struct vd__trees *t;
    const float *x;
    double *share;
    size_t n; /* columns met so far */
    struct factor factor[DEPTH_MAX];
};

/* Adds the n-th column to the weights of the subsets, which are kept by subset size. */
static void extend(double *weight, size_t n, double zero, double one)
{
    weight[n] = 0;
    for (size_t i = n; i-- > 0;) {
        weight[i + 1] += one * weight[i] * (double)(i + 1) / (double)(n + 1);
        weight[i] *= zero * (double)(n - i) / (double)(n + 1);
    }
}

/* Sums the weights that would be there without one of the n columns. */
static double unwound_sum(const double *weight, size_t n, double zero, double one)
{
    double next = weight[n], sum = 0;

    for (size_t i = n; i-- > 0;) {
        if (one != 0) {
            double without = next * (double)(n + 1) / ((double)(i + 1) * one);

            sum += without;
            next = weight[i] - without * zero * (double)(n - i) / (double)(n + 1);
        } else {
            sum += weight[i] / (zero * (double)(n - i) / (double)(n + 1));
        }
    }
    return sum;
}

/* Shares the value of a leaf among the columns met on the way to it. */
static void share_leaf(struct walk *w, double value)
{
    double weight[DEPTH_MAX + 1] = {1};

    for (size_t k = 0; k < w->n; k++)
        extend(weight, k + 1, w->factor[k].zero, w->factor[k].one);
    for (size_t k = 0; k < w->n; k++) {
        const struct factor *f = &w->factor[k];

        w->share[f->column] +=
            unwound_sum(weight, w->n, f->zero, f->one) * (f->one - f->zero) * value;
    }
}

static void visit(struct walk *w, uint32_t at);

/* Visits a child with the factors of the split's column changed, then restores them.
 * `mine` tells whether the row goes to this child. */
static void visit_child(struct walk *w, uint32_t at, uint32_t child, bool mine)
{
    const float *cover = w->t->cover;
    uint32_t column = w->t->node[at].column;
    /* Nothing is known below a node that no training row reached: half and half. */
    double ratio = cover[at] > 0 ? (double)cover[child] / (double)cover[at] : 0.5;
    size_t n = w->n, k = 0;
    struct factor before;

    while (k < n && w->factor[k].column != column)
        k++;
    assert(k < DEPTH_MAX);
    if (k == n)
        w->factor[w->n++] = (struct factor){column, 1, 1};
    before = w->factor[k];
    w->factor[k].zero *= ratio;
    w->factor[k].one *= mine;
    /* With both factors 0 the leaves below count nothing, whichever columns are known. */
    if (w->factor[k].zero > 0 || w->factor[k].one > 0)
        visit(w, child);
    w->factor[k] = before;
    w->n = n;
}

/* Shares out all leaves below a node. */
static void visit(struct walk *w, uint32_t at)
{
    const struct vd__tree_node *node = &w->t->node[at];
    bool right;

    if (node->child == at) {
        share_leaf(w, (double)node->value);
        return;
    }
    right = w->x[node->column] > node->threshold;
    visit_child(w, at, node->child, !right);
    visit_child(w, at, node->child + 1, right);
}

enum vd_status vd__trees_explain(const struct vd__trees *t, const float *x, size_t d,
                                 double *share)
{
    struct walk w = {.t = t, .x = x, .share = share};

    for (size_t tree = 0; tree < t->n_trees; tree++)
        if (t->depth[tree] > DEPTH_MAX || !(t->cover[t->root[tree]] > 0))
            return VD_ERR_UNAVAILABLE;
    memset(share, 0, d * sizeof *share);
    for (size_t tree = 0; tree < t->n_trees; tree++)
        visit(&w, t->root[tree]);
    return VD_OK;
}
