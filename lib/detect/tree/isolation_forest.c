/* Isolation forest: F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation-based anomaly
 * detection", ACM TKDD 6 (2012) and ICDM 2008, with scikit-learn's conventions.
 *
 * The raw score of a row is 2^(-E h / c(subsample)): E h is its mean path length over the
 * trees, a leaf of n rows adding c(n). It is minus scikit-learn's score_samples. The
 * threshold is 0.5 (contamination 0), or the percentile of the training rows' scores.
 *
 * Scoring walks several trees (one row) or several rows (a block) in step, so that the
 * processor has independent loads to overlap; leaves are summed as whole numbers, so both
 * give the same bits. Growing is in isolation_tree.c.
 */
#include <assert.h>
#include <math.h>

#include "base/alloc.h"
#include "base/real.h"
#include "detect/tree/isolation_ranks.h"
#include "detect/tree/isolation_tree.h"
#include "detect/tree/isolation_wide.h"

enum param { N_TREES, MAX_SAMPLES, MAX_FEATURES, EXTENSION, N_PARAMS };

static const struct vd_param params[N_PARAMS] = {
    [N_TREES] = {"n_trees", "number of trees", NULL, 100, 1, 10000},
    [MAX_SAMPLES] = {"max_samples", "rows each tree is grown from", NULL, 256, 2,
                     ISOLATION_SAMPLE_MAX},
    [MAX_FEATURES] = {"max_features", "share of the columns each tree may use", NULL, 1,
                      0, 1},
    [EXTENSION] = {"extension", "further columns in each split (0 = axis-parallel)", NULL,
                   0, 0, 255},
};

/* ---- score ---- */

/* Trees of an extended forest that are walked in step: a divisor of the usual hundred. */
enum { PLANES = 10 };

/* Turns the sum of a row's path lengths into its raw score. */
static double score_of_sum(const struct isolation_forest *f, uint64_t sum)
{
    return vd__exp2(-(double)sum * 0x1p-26 / f->unit);
}

/* Finds the leaves of one row in `n` trees of an extended forest. The trees go in step,
 * because each level has to wait for the sum of the level above. */
static inline __attribute__((always_inline)) void
walk_planes(const struct isolation_forest *f, size_t tree, size_t n, const float *x,
            size_t *leaf)
{
    size_t size = (size_t)1 << f->depth;

    for (size_t t = 0; t < n; t++)
        leaf[t] = ((tree + t) << f->depth) + 1;
    for (unsigned level = 0; level < f->depth; level++) {
        double sum[PLANES] = {0};

        for (size_t k = 0; k < f->n_axes; k++)
            for (size_t t = 0; t < n; t++) {
                size_t at = leaf[t] * f->n_axes + k;

                sum[t] += (double)f->weight[at] * x[f->axis[at]];
            }
        for (size_t t = 0; t < n; t++) {
            size_t base = (tree + t) << f->depth;
            bool right = sum[t] > (double)f->split[leaf[t]].threshold;

            leaf[t] = 2 * leaf[t] - base + right;
        }
    }
    for (size_t t = 0; t < n; t++)
        leaf[t] -= size;
}

/* Goes from a node to the child on the row's side. */
static inline uint32_t step(const struct vd__heap_split *split, uint32_t node,
                            const float *x)
{
    return 2 * node + (x[split[node].column] > split[node].threshold);
}

/* Sums the paths of one row in eight trees, which are walked in step. */
static uint64_t walk_trees(const struct isolation_forest *f, size_t tree, const float *x)
{
    size_t size = (size_t)1 << f->depth;
    const struct vd__heap_split *split = f->split + tree * size;
    const uint32_t *path = f->path + tree * size;
    uint32_t node[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    uint64_t sum = 0;

    for (unsigned level = 0; level < f->depth; level++)
#pragma GCC unroll 8
        for (size_t k = 0; k < 8; k++)
            node[k] = step(split + k * size, node[k], x);
    for (size_t k = 0; k < 8; k++)
        sum += path[k * size + node[k] - size];
    return sum;
}

/* Finds the leaf of one row in one tree, as an index into path and count. */
static size_t walk_tree(const struct isolation_forest *f, size_t tree, const float *x)
{
    size_t base = tree << f->depth;
    uint32_t node = 1;

    if (f->n_axes > 1) {
        size_t leaf;

        walk_planes(f, tree, 1, x, &leaf);
        return leaf;
    }
    for (unsigned level = 0; level < f->depth; level++)
        node = step(f->split + base, node, x);
    return base + node - ((size_t)1 << f->depth);
}

/* Scores one row: as many trees in step as possible, then the rest one by one. */
static double score_floats(const struct isolation_forest *f, const float *x)
{
    uint64_t sum = 0;
    size_t tree = 0;

    for (; f->n_axes == 1 && tree + 8 <= f->n_trees; tree += 8)
        sum += walk_trees(f, tree, x);
    for (; f->n_axes > 1 && tree + PLANES <= f->n_trees; tree += PLANES) {
        size_t leaf[PLANES];

        walk_planes(f, tree, PLANES, x, leaf);
        for (size_t t = 0; t < PLANES; t++)
            sum += f->path[leaf[t]];
    }
    for (; tree < f->n_trees; tree++)
        sum += f->path[walk_tree(f, tree, x)];
    return score_of_sum(f, sum);
}

static double forest_score(const vd_detector *self, const double *row)
{
    const struct isolation_forest *f = (const struct isolation_forest *)self;
    float x[VD_COLUMNS_MAX];

    for (size_t j = 0; j < self->d; j++)
        x[j] = isolation_value(row[j], f->center[j]);
    return score_floats(f, x);
}

enum { BLOCK = 64, WIDE_BLOCK = 256, STEP = 16 };

/* Adds to sum the paths of STEP rows in one tree, walked in step. x is d x BLOCK, column
 * by column, so that the rows of a step are a fixed distance apart. */
static void walk_rows(const struct isolation_forest *f, size_t tree, const float *x,
                      uint64_t *sum)
{
    size_t size = (size_t)1 << f->depth;
    const struct vd__heap_split *split = f->split + tree * size;
    const uint32_t *path = f->path + tree * size;
    uint32_t node[STEP];

    for (size_t k = 0; k < STEP; k++)
        node[k] = 1;
    for (unsigned level = 0; level < f->depth; level++)
#pragma GCC unroll 16
        for (size_t k = 0; k < STEP; k++) {
            const struct vd__heap_split *at = &split[node[k]];

            node[k] = 2 * node[k] + (x[(size_t)at->column * BLOCK + k] > at->threshold);
        }
    for (size_t k = 0; k < STEP; k++)
        sum[k] += path[node[k] - size];
}

/* Writes n rows as floats into x, column by column, `stride` apart. Places without a row
 * repeat the last row. */
static void fill_columns(const struct isolation_forest *f, const double *rows, size_t n,
                         float *x, size_t stride)
{
    size_t d = f->base.d;

    assert(n > 0 && n <= stride);
    for (size_t i = 0; i < stride; i++)
        for (size_t j = 0; j < d; j++)
            x[j * stride + i] =
                isolation_value(rows[(i < n ? i : n - 1) * d + j], f->center[j]);
}

/* Scores at most BLOCK rows, tree by tree: the nodes of a tree stay in the nearest cache
 * while the rows go through it. */
static void score_rows(const struct isolation_forest *f, const double *rows, size_t n,
                       double *scores)
{
    float x[BLOCK * (VD_COLUMNS_MAX / 256)];
    uint64_t sum[BLOCK] = {0};

    fill_columns(f, rows, n, x, BLOCK);
    for (size_t tree = 0; tree < f->n_trees; tree++)
        for (size_t i = 0; i < n; i += STEP)
            walk_rows(f, tree, x + i, sum + i);
    for (size_t i = 0; i < n; i++)
        scores[i] = score_of_sum(f, sum[i]);
}

/* Scores at most WIDE_BLOCK rows with AVX-512. */
static void score_rows_wide(const struct isolation_forest *f, const double *rows,
                            size_t n, double *scores)
{
    float x[WIDE_BLOCK * VD__HEAP_COLUMNS];
    uint64_t sum[WIDE_BLOCK] = {0};

    fill_columns(f, rows, n, x, WIDE_BLOCK);
    for (size_t tree = 0; tree < f->n_trees; tree++)
        vd__isolation_wide_add(f, tree, x, WIDE_BLOCK, n, sum);
    for (size_t i = 0; i < n; i++)
        scores[i] = score_of_sum(f, sum[i]);
}

/* Scores at most ISOLATION_RANK_ROWS rows with AVX2. */
static void score_ranks(const struct isolation_forest *f, const double *rows, size_t n,
                        double *scores)
{
    uint64_t sum[ISOLATION_RANK_ROWS];

    vd__isolation_ranks_sum(f->ranks, f, rows, n, sum);
    for (size_t i = 0; i < n; i++)
        scores[i] = score_of_sum(f, sum[i]);
}

static void forest_score_block(const vd_detector *self, const double *rows, size_t n,
                               double *scores)
{
    const struct isolation_forest *f = (const struct isolation_forest *)self;
    size_t d = self->d;

    if (f->n_axes > 1 || d > VD_COLUMNS_MAX / 256) {
        for (size_t i = 0; i < n; i++)
            scores[i] = forest_score(self, rows + i * d);
        return;
    }
    if (f->ranks != NULL) {
        for (size_t i = 0; i < n; i += ISOLATION_RANK_ROWS)
            score_ranks(f, rows + i * d,
                        n - i < ISOLATION_RANK_ROWS ? n - i : ISOLATION_RANK_ROWS,
                        scores + i);
        return;
    }
    if (vd__isolation_wide_usable(f)) {
        for (size_t i = 0; i < n; i += WIDE_BLOCK)
            score_rows_wide(f, rows + i * d, n - i < WIDE_BLOCK ? n - i : WIDE_BLOCK,
                            scores + i);
        return;
    }
    for (size_t i = 0; i < n; i += BLOCK)
        score_rows(f, rows + i * d, n - i < BLOCK ? n - i : BLOCK, scores + i);
}

/* Makes the ranks, but not where the way of AVX-512 is open, which is faster. */
static enum vd_status forest_prepare(vd_detector *self)
{
    struct isolation_forest *f = (struct isolation_forest *)self;
    enum vd_status status = VD_OK;

    if (f->ranks != NULL || vd__isolation_wide_usable(f))
        return VD_OK;
    status = vd__isolation_ranks_new(&f->ranks, f);
    self->size += vd__isolation_ranks_size(f->ranks);
    return status;
}

static void forest_release(vd_detector *self)
{
    vd__isolation_ranks_free(((struct isolation_forest *)self)->ranks);
}

/* ---- explain ---- */

/* The training rows in some leaves of one tree, and the sum of their paths. */
struct subtree {
    double rows, path;
};

/* Sums over the leaves [from, to). */
static struct subtree subtree_sum(const struct isolation_forest *f, size_t from,
                                  size_t to)
{
    struct subtree s = {0};

    for (size_t i = from; i < to; i++) {
        s.rows += f->count[i];
        s.path += (double)f->count[i] * f->path[i];
    }
    return s;
}

/* Shares the row's path in one tree among the columns. Each split on the way changes the
 * mean path length of the rows below it, and this change is credited to the split's
 * column. The changes add up to the row's path minus the mean path of all rows, exactly.
 * The walk goes from the leaf upwards, where the leaves of a subtree are neighbours. */
static void explain_tree(const struct isolation_forest *f, size_t tree, const float *x,
                         double *share)
{
    size_t base = tree << f->depth, leaf = walk_tree(f, tree, x) - base;
    double unit = (double)f->n_trees * (double)((uint32_t)1 << ISOLATION_PATH_BITS);
    struct subtree below = subtree_sum(f, base + leaf, base + leaf + 1);

    for (unsigned level = 1; level <= f->depth; level++) {
        size_t node = (((size_t)1 << f->depth) + leaf) >> level;
        size_t width = (size_t)1 << (level - 1);
        size_t sibling = ((leaf >> (level - 1)) ^ 1) << (level - 1);
        struct subtree other = subtree_sum(f, base + sibling, base + sibling + width);
        struct subtree all = {below.rows + other.rows, below.path + other.path};

        /* A split that left all rows on one side (or fills up a leaf) changes nothing. */
        if (other.rows > 0 && below.rows > 0)
            share[f->split[base + node].column] -=
                (below.path / below.rows - all.path / all.rows) / unit;
        below = all;
    }
}

/* Shares out minus the mean path length, since a shorter path is a higher score. */
static enum vd_status forest_explain(const vd_detector *self, const double *row,
                                     double *share)
{
    const struct isolation_forest *f = (const struct isolation_forest *)self;
    float x[VD_COLUMNS_MAX];

    if (f->n_axes > 1)
        return VD_ERR_UNAVAILABLE;
    for (size_t j = 0; j < self->d; j++) {
        x[j] = isolation_value(row[j], f->center[j]);
        share[j] = 0;
    }
    for (size_t tree = 0; tree < f->n_trees; tree++)
        explain_tree(f, tree, x, share);
    return VD_OK;
}

/* ---- fit ---- */

/* Takes the middle of three rows' values as the centre of column j: near the data
 * whatever one outlier does, so that floats keep the digits in which rows differ. */
static double middle_value(const struct vd_matrix *x, size_t j)
{
    double a = vd_matrix_row(x, 0)[j];
    double b = vd_matrix_row(x, x->n / 2)[j];
    double c = vd_matrix_row(x, x->n - 1)[j];
    double low = a < b ? a : b, high = a < b ? b : a;

    return c < low ? low : c > high ? high : c;
}

/* Computes the levels that a tree over n rows needs. */
static uint32_t ceil_log2(uint32_t n)
{
    uint32_t depth = 0;

    while (((uint32_t)1 << depth) < n)
        depth++;
    return depth;
}

/* Rows from which on ranks are made for the threshold alone. */
enum { RANKED_ROWS = 8192 };

/* Sets the threshold by the contamination, 0.5 without one. */
static enum vd_status set_threshold(struct isolation_forest *f, const struct vd__fit *fit)
{
    double *scores;

    f->base.threshold = 0.5;
    if (fit->contamination == 0)
        return VD_OK;
    scores = vd__alloc(fit->x->n, sizeof *scores);
    if (scores == NULL)
        return VD_ERR_MEMORY;
    /* Ranks pay for themselves over many rows. They do not stay. */
    if (fit->x->n >= RANKED_ROWS && !vd__isolation_wide_usable(f) &&
        vd__isolation_ranks_new(&f->ranks, f) != VD_OK) {
        vd__free(scores);
        return VD_ERR_MEMORY;
    }
    vd_detector_score_many(&f->base, fit->x, scores, fit->threads);
    vd__isolation_ranks_free(f->ranks);
    f->ranks = NULL;
    f->base.threshold = vd__threshold_of(scores, fit->x->n, fit->contamination);
    vd__free(scores);
    return VD_OK;
}

static enum vd_status forest_fit(vd_detector **out, const struct vd__fit *fit,
                                 struct vd_error *err)
{
    size_t n = fit->x->n, d = fit->x->d;
    uint32_t n_trees = (uint32_t)fit->param[N_TREES];
    double limit = fit->param[MAX_SAMPLES];
    uint32_t subsample = (double)n < limit ? (uint32_t)n : (uint32_t)limit;
    size_t features = (size_t)(fit->param[MAX_FEATURES] * (double)d);
    size_t axes = (size_t)fit->param[EXTENSION] + 1;
    struct isolation_forest *f;
    enum vd_status status;

    f = vd__isolation_new(&vd__isolation_forest, d, n_trees, subsample,
                          ceil_log2(subsample), (uint32_t)(axes < d ? axes : d));
    if (f == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, "use fewer trees or smaller samples",
                            "no memory for %u isolation trees", (unsigned)n_trees);
    for (size_t j = 0; j < d; j++)
        f->center[j] = middle_value(fit->x, j);
    status = vd__isolation_grow(f, fit, features > 0 ? features : 1);
    if (status == VD_OK)
        status = set_threshold(f, fit);
    if (status != VD_OK) {
        vd_detector_free(&f->base);
        return vd_error_set(err, status, NULL, "no memory to grow isolation trees");
    }
    *out = &f->base;
    return VD_OK;
}

/* ---- save and load ---- */

/* Writes the subtree of a node in preorder. A leaf is a 0 and its number of rows; a split
 * is a 1, its threshold and column, and in an extended forest all weights and columns. */
static void save_node(const struct isolation_forest *f, struct vd_writer *w, size_t base,
                      size_t node, unsigned level)
{
    const struct vd__heap_split *split = &f->split[base + node];
    size_t leaf = (node << (f->depth - level)) - ((size_t)1 << f->depth);

    if (level == f->depth || isinf(split->threshold)) {
        vd_write_u8(w, 0);
        vd_write_u32(w, f->count[base + leaf]);
        return;
    }
    vd_write_u8(w, 1);
    vd_write_f32(w, split->threshold);
    vd_write_u32(w, split->column);
    for (size_t k = 0; f->n_axes > 1 && k < f->n_axes; k++) {
        vd_write_f32(w, f->weight[(base + node) * f->n_axes + k]);
        vd_write_u32(w, f->axis[(base + node) * f->n_axes + k]);
    }
    save_node(f, w, base, 2 * node, level + 1);
    save_node(f, w, base, 2 * node + 1, level + 1);
}

static void forest_save(const vd_detector *self, struct vd_writer *w)
{
    const struct isolation_forest *f = (const struct isolation_forest *)self;

    vd_write_u32(w, f->n_trees);
    vd_write_u32(w, f->subsample);
    vd_write_u32(w, f->depth);
    vd_write_u32(w, f->n_axes);
    vd_write_f64s(w, f->center, self->d);
    for (size_t tree = 0; tree < f->n_trees; tree++)
        save_node(f, w, tree << f->depth, 1, 0);
}

/* Reads the hyperplane of an extended split; false = not what save_node writes. */
static bool load_axes(struct isolation_forest *f, struct vd_reader *r, size_t at)
{
    for (size_t k = 0; f->n_axes > 1 && k < f->n_axes; k++) {
        float weight = vd_read_f32(r);
        uint32_t axis = vd_read_u32(r);

        if (!isfinite(weight) || axis >= f->base.d)
            return false;
        f->weight[at * f->n_axes + k] = weight;
        f->axis[at * f->n_axes + k] = (uint16_t)axis;
    }
    return true;
}

/* Reads a subtree in preorder; false = not what save_node writes. */
static bool load_node(struct isolation_forest *f, struct vd_reader *r, size_t tree,
                      size_t node, unsigned level)
{
    size_t at = (tree << f->depth) + node;
    uint8_t kind = vd_read_u8(r);

    if (kind == 0) {
        uint32_t count = vd_read_u32(r);

        if (r->failed || count > ISOLATION_SAMPLE_MAX)
            return false;
        vd__isolation_set_leaf(f, tree, node, level, count);
        return true;
    }
    if (r->failed || kind != 1 || level >= f->depth)
        return false;
    f->split[at].threshold = vd_read_f32(r);
    f->split[at].column = vd_read_u32(r);
    return isfinite(f->split[at].threshold) && f->split[at].column < f->base.d &&
           load_axes(f, r, at) && load_node(f, r, tree, 2 * node, level + 1) &&
           load_node(f, r, tree, 2 * node + 1, level + 1);
}

/* Tells whether a file may ask for this shape. A tree of one leaf takes 5 bytes in the
 * file and 2^depth nodes in memory, so the product is limited to 2 GiB. */
static bool shape_allowed(uint64_t n_trees, uint64_t subsample, uint64_t depth,
                          uint64_t n_axes, size_t d, const struct vd_reader *r)
{
    return !r->failed && n_trees >= 1 && n_trees <= 10000 && subsample >= 2 &&
           subsample <= ISOLATION_SAMPLE_MAX && depth == ceil_log2((uint32_t)subsample) &&
           n_axes >= 1 && n_axes <= d && n_axes <= 256 && r->left / 5 >= n_trees &&
           r->left / sizeof(double) >= d &&
           (n_trees << depth) * (14 + (n_axes > 1 ? 6 * n_axes : 0)) <= (uint64_t)1 << 31;
}

static enum vd_status forest_load(vd_detector **out, size_t d, struct vd_reader *r,
                                  struct vd_error *err)
{
    uint32_t n_trees = vd_read_u32(r), subsample = vd_read_u32(r);
    uint32_t depth = vd_read_u32(r), n_axes = vd_read_u32(r);
    struct isolation_forest *f;
    bool good = true;

    if (!shape_allowed(n_trees, subsample, depth, n_axes, d, r))
        return vd__load_failed(r, vd__isolation_forest.info.name, err);
    f = vd__isolation_new(&vd__isolation_forest, d, n_trees, subsample, depth, n_axes);
    if (f == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL,
                            "no memory for an isolation forest");
    vd_read_f64s(r, f->center, d);
    for (size_t j = 0; j < d; j++)
        good &= fabs(f->center[j]) <= VD_VALUE_MAX;
    for (size_t tree = 0; good && tree < n_trees; tree++)
        good = load_node(f, r, tree, 1, 0);
    if (!good || r->failed) {
        vd_detector_free(&f->base);
        return vd__load_failed(r, vd__isolation_forest.info.name, err);
    }
    *out = &f->base;
    return VD_OK;
}

const struct vd__detector_class vd__isolation_forest = {
    .info = {.name = "isolation_forest",
             .title = "Isolation forest",
             .source = "Liu, Ting, Zhou, ICDM 2008; Hariri et al., TKDE 2021",
             .params = params,
             .n_params = N_PARAMS},
    .fit = forest_fit,
    .score = forest_score,
    .score_block = forest_score_block,
    .explain = forest_explain,
    .save = forest_save,
    .load = forest_load,
    .prepare = forest_prepare,
    .release = forest_release,
};
