/* Growing isolation trees.
 *
 * A tree gets `subsample` rows drawn without replacement. A node draws a column among
 * those that still vary in it and a threshold uniform between that column's extremes,
 * until one row is left, all rows are equal, or ceil(log2(subsample)) levels are used up.
 * The extended variant (Hariri et al., TKDE 2021) draws a hyperplane over several columns
 * instead: normal weights through a point uniform in the node's box.
 *
 * Tree t draws from stream t of the seed: any number of threads grows the same forest.
 */
#include "detect/tree/isolation_tree.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/threads.h"

/* The workspace of one thread, used for one tree after another. */
struct grower {
    struct isolation_forest *f;
    struct vd_rng rng;
    float *value;      /* subsample x d: the tree's rows, row-major */
    uint32_t *row;     /* drawn rows of the training data */
    uint32_t *set;     /* for drawing */
    uint16_t *order;   /* rows of `value`, those of a node side by side */
    uint16_t *column;  /* columns; [0, constants) do not vary in the node */
    float *low, *high; /* n_axes: the node's box */
    size_t tree, n_columns;
};

/* The state that the threads share. Thread i grows the trees i, i + parts ... */
struct growth {
    struct isolation_forest *f;
    const struct vd__fit *fit;
    size_t features;
    unsigned parts;
    atomic_bool no_memory;
};

static bool grower_init(struct grower *g, struct isolation_forest *f)
{
    size_t n = f->subsample, d = f->base.d;

    *g = (struct grower){.f = f};
    g->value = vd__alloc(n * d, sizeof *g->value);
    g->row = vd__alloc(n, sizeof *g->row);
    g->set = vd__alloc(vd__sample_set_size(n), sizeof *g->set);
    g->order = vd__alloc(n, sizeof *g->order);
    g->column = vd__alloc(d, sizeof *g->column);
    g->low = vd__alloc(f->n_axes, sizeof *g->low);
    g->high = vd__alloc(f->n_axes, sizeof *g->high);
    return g->value != NULL && g->row != NULL && g->set != NULL && g->order != NULL &&
           g->column != NULL && g->low != NULL && g->high != NULL;
}

static void grower_release(struct grower *g)
{
    vd__free(g->value);
    vd__free(g->row);
    vd__free(g->set);
    vd__free(g->order);
    vd__free(g->column);
    vd__free(g->low);
    vd__free(g->high);
}

/* Finds the extremes of a column among the node's rows [from, to). */
static void column_range(const struct grower *g, size_t from, size_t to, uint16_t column,
                         float *low, float *high)
{
    size_t d = g->f->base.d;
    float a = g->value[g->order[from] * d + column], b = a;

    for (size_t i = from + 1; i < to; i++) {
        float v = g->value[g->order[i] * d + column];

        a = v < a ? v : a;
        b = v > b ? v : b;
    }
    *low = a;
    *high = b;
}

/* Draws one of the columns [*constants, *left) of the list that varies in the node, with
 * its extremes, and moves it to place --*left. Columns found constant move to the front
 * and are not drawn again below this node. False when no column varies. */
static bool draw_column(struct grower *g, size_t from, size_t to, size_t *constants,
                        size_t *left, float *low, float *high)
{
    while (*constants < *left) {
        size_t pick = *constants + (size_t)vd_rng_below(&g->rng, *left - *constants);
        uint16_t column = g->column[pick];

        column_range(g, from, to, column, low, high);
        if (*low < *high) {
            g->column[pick] = g->column[--*left];
            g->column[*left] = column;
            return true;
        }
        g->column[pick] = g->column[*constants];
        g->column[(*constants)++] = column;
    }
    return false;
}

/* Draws a float uniform in [low, high). */
static float draw_between(struct vd_rng *rng, float low, float high)
{
    float x = (float)(low + vd_rng_uniform(rng) * ((double)high - low));

    return x < high ? x : low;
}

/* Computes the row's side of the hyperplane at node `at`, as scoring does. */
static double project(const struct isolation_forest *f, size_t at, const float *x)
{
    const float *weight = f->weight + at * f->n_axes;
    const uint16_t *axis = f->axis + at * f->n_axes;
    double sum = 0;

    for (size_t k = 0; k < f->n_axes; k++)
        sum += (double)weight[k] * x[axis[k]];
    return sum;
}

/* Draws the split of node `at`; false when no column varies. */
static bool draw_split(struct grower *g, size_t at, size_t from, size_t to,
                       size_t *constants)
{
    struct isolation_forest *f = g->f;
    size_t left = g->n_columns;
    double offset = 0;

    if (f->n_axes == 1) {
        if (!draw_column(g, from, to, constants, &left, g->low, g->high))
            return false;
        f->split[at].column = g->column[left];
        f->split[at].threshold = draw_between(&g->rng, *g->low, *g->high);
        return true;
    }
    for (size_t k = 0; k < f->n_axes; k++) {
        float weight;

        if (!draw_column(g, from, to, constants, &left, &g->low[k], &g->high[k]))
            break;
        weight = (float)vd_rng_normal(&g->rng);
        f->axis[at * f->n_axes + k] = g->column[left];
        f->weight[at * f->n_axes + k] = weight;
        offset += (double)weight * draw_between(&g->rng, g->low[k], g->high[k]);
    }
    f->split[at].threshold = (float)fmax(-0x1p127, fmin(0x1p127, offset));
    return left < g->n_columns;
}

/* Moves the node's rows on the left side before those on the right; returns the place of
 * the first right one. */
static size_t partition(struct grower *g, size_t at, size_t from, size_t to)
{
    const struct isolation_forest *f = g->f;
    size_t d = f->base.d, column = f->split[at].column;
    float threshold = f->split[at].threshold;

    while (from < to) {
        uint16_t row = g->order[from];
        const float *x = g->value + (size_t)row * d;
        bool right = f->n_axes == 1 ? x[column] > threshold
                                    : project(f, at, x) > (double)threshold;

        if (!right) {
            from++;
        } else {
            g->order[from] = g->order[--to];
            g->order[to] = row;
        }
    }
    return from;
}

/* Grows the subtree of a node from the rows [from, to). The first `constants` columns of
 * the list do not vary in it. */
static void grow_node(struct grower *g, size_t node, unsigned level, size_t from,
                      size_t to, size_t constants)
{
    struct isolation_forest *f = g->f;
    size_t at = (g->tree << f->depth) + node, middle;

    if (level == f->depth || to - from < 2 || !draw_split(g, at, from, to, &constants)) {
        vd__isolation_set_leaf(f, g->tree, node, level, (uint32_t)(to - from));
        return;
    }
    middle = partition(g, at, from, to);
    assert(middle >= from && middle <= to);
    grow_node(g, 2 * node, level + 1, from, middle, constants);
    grow_node(g, 2 * node + 1, level + 1, middle, to, constants);
}

/* Draws the columns that the tree may use. */
static void choose_columns(struct grower *g, size_t features)
{
    size_t d = g->f->base.d;

    assert(features >= 1 && features <= d);
    g->n_columns = features;
    for (size_t j = 0; j < d; j++)
        g->column[j] = (uint16_t)j;
    for (size_t j = 0; j < features && features < d; j++) {
        size_t pick = j + (size_t)vd_rng_below(&g->rng, d - j);
        uint16_t swap = g->column[j];

        g->column[j] = g->column[pick];
        g->column[pick] = swap;
    }
}

/* Draws the rows of one tree, copies them as floats and grows from them. */
static void grow_tree(struct grower *g, const struct growth *growth, size_t tree)
{
    struct isolation_forest *f = g->f;
    const struct vd_matrix *x = growth->fit->x;
    size_t d = x->d;

    g->tree = tree;
    vd_rng_init_stream(&g->rng, growth->fit->seed, tree);
    choose_columns(g, growth->features);
    vd__sample(&g->rng, g->row, x->n, f->subsample, g->set);
    for (size_t i = 0; i < f->subsample; i++) {
        const double *from = vd_matrix_row(x, g->row[i]);

        for (size_t j = 0; j < d; j++)
            g->value[i * d + j] = isolation_value(from[j], f->center[j]);
        g->order[i] = (uint16_t)i;
    }
    grow_node(g, 1, 0, 0, f->subsample, 0);
}

/* Grows every parts-th tree, from `part` on; the tree's number alone decides its draws.
 */
static void grow_part(void *context, size_t part)
{
    struct growth *growth = context;
    struct grower g;

    if (grower_init(&g, growth->f))
        for (size_t tree = part; tree < growth->f->n_trees; tree += growth->parts)
            grow_tree(&g, growth, tree);
    else
        atomic_store(&growth->no_memory, true);
    grower_release(&g);
}

enum vd_status vd__isolation_grow(struct isolation_forest *f, const struct vd__fit *fit,
                                  size_t features)
{
    struct growth growth = {.f = f,
                            .fit = fit,
                            .features = features,
                            .parts = fit->threads > 1 ? fit->threads : 1};

    vd__parallel_for(growth.parts, growth.parts, grow_part, &growth);
    return atomic_load(&growth.no_memory) ? VD_ERR_MEMORY : VD_OK;
}
