/* Random forest: L. Breiman, Machine Learning 45 (2001), as scikit-learn grows it.
 *
 * The raw score is the mean over the trees of the share of anomalies in the row's leaf,
 * smoothed so little that only ties are decided by it; the threshold is 1/2. Tree t draws
 * from stream t of the seed. Growing one tree is in gini_tree.c, walking in trees.c.
 */
#include "detect/tree/random_forest.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/threads.h"
#include "detect/scaler.h"

enum param {
    N_TREES,
    MAX_DEPTH,
    MIN_LEAF,
    MAX_FEATURES,
    BOOTSTRAP,
    CLASS_WEIGHT,
    N_PARAMS
};

static const struct vd_param params[N_PARAMS] = {
    [N_TREES] = {"n_trees", "number of trees", NULL, 100, 1, 10000},
    [MAX_DEPTH] = {"max_depth", "levels of a tree (0 = until leaves are pure)", NULL, 0,
                   0, 64},
    [MIN_LEAF] = {"min_leaf", "fewest rows in a leaf", NULL, 1, 1, 1000000},
    [MAX_FEATURES] = {"max_features",
                      "columns tried for a split (0 = square root of all)", NULL, 0, 0,
                      VD_COLUMNS_MAX},
    [BOOTSTRAP] = {"bootstrap", "grow each tree from rows drawn with replacement",
                   "no|yes", 1, 0, 1},
    [CLASS_WEIGHT] = {"class_weight", "weight of rows by the rarity of their class",
                      "equal|balanced", 0, 0, 1},
};

/* One block: the struct and the arrays of the trees. */
struct forest {
    struct vd_detector base;
    double *center; /* d: subtracted before numbers become float */
    struct vd__trees trees;
};

static struct forest *forest_new(size_t d, size_t n_trees, size_t n_nodes)
{
    size_t total = sizeof(struct forest);
    size_t center = vd__layout(&total, d, sizeof(double));
    size_t root = vd__layout(&total, n_trees, sizeof(uint32_t));
    size_t depth = vd__layout(&total, n_trees, sizeof(uint32_t));
    size_t node = vd__layout(&total, n_nodes, sizeof(struct vd__tree_node));
    size_t cover = vd__layout(&total, n_nodes, sizeof(float));
    struct forest *f = (struct forest *)vd__detector_new(&vd__random_forest, d, total);
    char *block = (char *)f;

    if (f == NULL)
        return NULL;
    f->center = (double *)(block + center);
    f->trees.n_trees = n_trees;
    f->trees.n_nodes = n_nodes;
    f->trees.root = (uint32_t *)(block + root);
    f->trees.depth = (uint32_t *)(block + depth);
    f->trees.node = (struct vd__tree_node *)(block + node);
    f->trees.cover = (float *)(block + cover);
    return f;
}

static double forest_score(const vd_detector *self, const double *row)
{
    const struct forest *f = (const struct forest *)self;
    float x[VD_COLUMNS_MAX];

    for (size_t j = 0; j < self->d; j++)
        x[j] = vd__tree_value(row[j] - f->center[j]);
    return vd__trees_sum(&f->trees, x) / (double)f->trees.n_trees;
}

static void forest_score_block(const vd_detector *self, const double *rows, size_t n,
                               double *scores)
{
    const struct forest *f = (const struct forest *)self;

    vd__trees_sum_many(&f->trees, rows, f->center, n, self->d, scores);
    for (size_t i = 0; i < n; i++)
        scores[i] /= (double)f->trees.n_trees;
}

static enum vd_status forest_explain(const vd_detector *self, const double *row,
                                     double *share)
{
    const struct forest *f = (const struct forest *)self;
    float x[VD_COLUMNS_MAX];
    enum vd_status status;

    for (size_t j = 0; j < self->d; j++)
        x[j] = vd__tree_value(row[j] - f->center[j]);
    status = vd__trees_explain(&f->trees, x, self->d, share);
    for (size_t j = 0; j < self->d; j++)
        share[j] /= (double)f->trees.n_trees;
    return status;
}

static void forest_release(vd_detector *self)
{
    vd__trees_release(&((struct forest *)self)->trees);
}

/* ---- fit ---- */

/* The state that the threads share while they grow trees. */
struct growth {
    struct vd__gini_data data;
    struct vd__gini_params params;
    struct vd__gini_tree *tree;
    atomic_bool no_memory;
};

static void grow_tree(void *context, size_t i)
{
    struct growth *g = context;

    if (vd__gini_grow(&g->tree[i], &g->data, &g->params, i) != VD_OK)
        atomic_store(&g->no_memory, true);
}

/* Sets the weights of both classes and the share of label 1 under them. */
static void weigh_classes(struct vd__gini_data *data, bool balanced)
{
    double count[2] = {0}, ones;

    for (size_t i = 0; i < data->n; i++)
        count[data->labels[i]]++;
    for (size_t c = 0; balanced && c < 2; c++)
        data->weight[c] = (double)data->n / (2 * count[c]);
    ones = count[1] * data->weight[1];
    data->share = ones / (count[0] * data->weight[0] + ones);
}

/* Copies the grown trees into one block, one after another; NULL = no memory. */
static struct forest *join(const struct vd__gini_tree *tree, size_t n_trees, size_t d)
{
    struct forest *f;
    size_t n_nodes = 0, at = 0;

    for (size_t t = 0; t < n_trees; t++)
        n_nodes += tree[t].n;
    f = n_nodes < UINT32_MAX ? forest_new(d, n_trees, n_nodes) : NULL;
    for (size_t t = 0; f != NULL && t < n_trees; t++) {
        f->trees.root[t] = (uint32_t)at;
        for (size_t i = 0; i < tree[t].n; i++) {
            f->trees.node[at + i] = tree[t].node[i];
            f->trees.node[at + i].child += (uint32_t)at;
            f->trees.cover[at + i] = tree[t].cover[i];
        }
        at += tree[t].n;
    }
    assert(f == NULL || at == n_nodes);
    return f;
}

/* Turns the settings into what growing needs. */
static struct vd__gini_params growth_params(const struct vd__fit *fit)
{
    double features = fit->param[MAX_FEATURES], d = (double)fit->x->d;

    if (features == 0)
        features = floor(sqrt(d));
    return (struct vd__gini_params){
        .features = (size_t)fmin(features, d),
        .max_depth = (size_t)fit->param[MAX_DEPTH],
        .min_leaf = (size_t)fit->param[MIN_LEAF],
        .bootstrap = fit->param[BOOTSTRAP] != 0,
        .seed = fit->seed,
    };
}

static enum vd_status forest_fit(vd_detector **out, const struct vd__fit *fit,
                                 struct vd_error *err)
{
    size_t d = fit->x->d, n_trees = (size_t)fit->param[N_TREES];
    struct growth g = {.params = growth_params(fit)};
    double *center = vd__alloc(d, sizeof *center);
    struct forest *f = NULL;
    enum vd_status status = VD_ERR_MEMORY;

    g.tree = vd__alloc_zero(n_trees, sizeof *g.tree);
    if (g.tree == NULL || center == NULL)
        goto out;
    memcpy(center, vd_matrix_row(fit->x, fit->x->n / 2), d * sizeof *center);
    status = vd__gini_data_init(&g.data, fit->x, fit->labels, center);
    if (status != VD_OK)
        goto out;
    weigh_classes(&g.data, fit->param[CLASS_WEIGHT] != 0);
    vd__parallel_for(n_trees, fit->threads, grow_tree, &g);
    if (!atomic_load(&g.no_memory))
        f = join(g.tree, n_trees, d);
    if (f == NULL || vd__trees_finish(&f->trees, &f->base) != VD_OK) {
        if (f != NULL)
            vd_detector_free(&f->base);
        status = VD_ERR_MEMORY;
        goto out;
    }
    memcpy(f->center, center, d * sizeof *center);
    f->base.threshold = 0.5;
    *out = &f->base;
out:
    for (size_t t = 0; g.tree != NULL && t < n_trees; t++)
        vd__gini_tree_release(&g.tree[t]);
    vd__free(g.tree);
    vd__free(center);
    vd__gini_data_release(&g.data);
    return status == VD_OK ? VD_OK
                           : vd_error_set(err, status, "grow fewer or shallower trees",
                                          "random forest: no memory");
}

static void forest_save(const vd_detector *self, struct vd_writer *w)
{
    const struct forest *f = (const struct forest *)self;

    vd_write_u64(w, f->trees.n_nodes);
    vd_write_u64(w, f->trees.n_trees);
    vd_write_f64s(w, f->center, self->d);
    vd__trees_save(&f->trees, w);
}

static enum vd_status forest_load(vd_detector **out, size_t d, struct vd_reader *r,
                                  struct vd_error *err)
{
    size_t n_nodes = vd_read_count(r, 20), n_trees = vd_read_count(r, 4);
    struct forest *f;
    enum vd_status status;

    if (r->failed || n_trees == 0 || n_nodes >= UINT32_MAX)
        return vd__load_failed(r, vd__random_forest.info.name, err);
    f = forest_new(d, n_trees, n_nodes);
    if (f == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "random forest: no memory");
    status = !vd__load_numbers(r, f->center, d) ? VD_ERR_FORMAT
                                                : vd__trees_load(&f->trees, r, &f->base);
    if (status != VD_OK) {
        vd_detector_free(&f->base);
        return status == VD_ERR_MEMORY
                   ? vd_error_set(err, status, NULL, "random forest: no memory")
                   : vd__load_failed(r, vd__random_forest.info.name, err);
    }
    *out = &f->base;
    return VD_OK;
}

const struct vd__detector_class vd__random_forest = {
    .info = {.name = "random_forest",
             .title = "Random forest",
             .source = "Breiman, Machine Learning 2001",
             .needs_labels = true,
             .params = params,
             .n_params = N_PARAMS},
    .version = 2,
    .fit = forest_fit,
    .score = forest_score,
    .score_block = forest_score_block,
    .explain = forest_explain,
    .save = forest_save,
    .load = forest_load,
    .release = forest_release,
};
