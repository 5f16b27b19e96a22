/* One classification tree: Breiman, Friedman, Olshen, Stone, 1984, with the choices of
 * scikit-learn: exact splits by Gini impurity halfway between neighbouring values, a
 * fresh draw of columns in every node, down to pure leaves.
 *
 * Values are replaced by their ranks once for all trees. To split a node, the keys
 * (rank, label) of its rows are sorted as whole numbers and swept once. Trees are not
 * pruned.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "detect/tree/random_forest.h"

/* Limits the recursion of growing, one call a level. Only hostile data gets there. */
enum { DEPTH_MAX = 512 };

/* ---- ranks ---- */

static int compare_floats(const void *left, const void *right)
{
    float a = *(const float *)left, b = *(const float *)right;

    return (a > b) - (a < b);
}

/* Writes the n values' distinct ones, ascending, into `level`, and each value's place
 * among them into `rank`. */
static void rank_column(const float *value, float *level, uint32_t *rank, size_t n)
{
    size_t distinct = 0;

    memcpy(level, value, n * sizeof *level);
    qsort(level, n, sizeof *level, compare_floats);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || level[i] > level[distinct - 1])
            level[distinct++] = level[i];
    for (size_t i = 0; i < n; i++) {
        size_t low = 0, high = distinct;

        while (high - low > 1) {
            size_t middle = (low + high) / 2;

            if (level[middle] <= value[i])
                low = middle;
            else
                high = middle;
        }
        assert(level[low] == value[i]);
        rank[i] = (uint32_t)low;
    }
}

void vd__gini_data_release(struct vd__gini_data *data)
{
    vd__free(data->value);
    vd__free(data->rank);
    vd__free(data->level);
    *data = (struct vd__gini_data){0};
}

enum vd_status vd__gini_data_init(struct vd__gini_data *data, const struct vd_matrix *x,
                                  const uint8_t *labels, const double *center)
{
    size_t n = x->n, d = x->d;

    *data = (struct vd__gini_data){.n = n, .d = d, .labels = labels, .weight = {1, 1}};
    data->value = vd__alloc(n * d, sizeof *data->value);
    data->rank = vd__alloc(n * d, sizeof *data->rank);
    data->level = vd__alloc(n * d, sizeof *data->level);
    if (data->value == NULL || data->rank == NULL || data->level == NULL) {
        vd__gini_data_release(data);
        return VD_ERR_MEMORY;
    }
    for (size_t j = 0; j < d; j++) {
        for (size_t i = 0; i < n; i++)
            data->value[j * n + i] = vd__tree_value(vd_matrix_row(x, i)[j] - center[j]);
        rank_column(data->value + j * n, data->level + j * n, data->rank + j * n, n);
    }
    return VD_OK;
}

/* ---- growing ---- */

struct grower {
    const struct vd__gini_data *data;
    const struct vd__gini_params *params;
    struct vd__gini_tree *tree;
    struct vd_rng rng;
    uint32_t *row;         /* rows of the tree, those of a node side by side */
    uint32_t *key, *spare; /* sorting */
    uint16_t *column;      /* columns in the order of drawing */
    enum vd_status status;
};

/* The best split found in a node. */
struct split {
    double gain;
    size_t column;
    uint32_t rank; /* left side: rank <= this */
    float threshold;
};

static void insertion_sort(uint32_t *key, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint32_t k = key[i];
        size_t j = i;

        for (; j > 0 && key[j - 1] > k; j--)
            key[j] = key[j - 1];
        key[j] = k;
    }
}

/* Sorts byte by byte from the lowest up, as many bytes as the largest key has. Returns
 * the array that holds the result, which is `key` or `spare`. */
static uint32_t *radix_sort(uint32_t *key, uint32_t *spare, size_t n, uint32_t largest)
{
    for (unsigned shift = 0; shift < 32 && (largest >> shift) > 0; shift += 8) {
        size_t start[257] = {0};
        uint32_t *swap = key;

        for (size_t i = 0; i < n; i++)
            start[((key[i] >> shift) & 255) + 1]++;
        for (size_t b = 0; b < 256; b++)
            start[b + 1] += start[b];
        for (size_t i = 0; i < n; i++)
            spare[start[(key[i] >> shift) & 255]++] = key[i];
        key = spare;
        spare = swap;
    }
    return key;
}

/* Measures one side of a split: the sum over classes of (weight of class)^2 / weight. The
 * larger the sum over both sides, the purer they are. */
static double purity(const double w[2])
{
    double sum = w[0] + w[1];

    return sum > 0 ? (w[0] * w[0] + w[1] * w[1]) / sum : 0;
}

/* Computes the threshold between two neighbouring ranks of a column; rounding must not
 * bring it up to the higher value. */
static float halfway(const struct vd__gini_data *data, size_t column, uint32_t low,
                     uint32_t high)
{
    const float *level = data->level + column * data->n;
    float middle = level[low] / 2 + level[high] / 2;

    return middle >= level[high] || middle < level[low] ? level[low] : middle;
}

/* Tries every split of a column by one pass over the sorted keys of the node's rows, and
 * improves *best. False when the column does not vary. */
static bool sweep(const struct grower *g, const uint32_t *key, size_t n, size_t column,
                  const double total[2], struct split *best)
{
    const double *weight = g->data->weight;
    double left[2] = {0}, right[2];
    size_t min_leaf = g->params->min_leaf;

    if (key[0] >> 1 == key[n - 1] >> 1)
        return false;
    for (size_t i = 0; i + 1 < n; i++) {
        uint32_t rank = key[i] >> 1;
        double gain;

        left[key[i] & 1] += weight[key[i] & 1];
        if (rank == key[i + 1] >> 1 || i + 1 < min_leaf || n - i - 1 < min_leaf)
            continue;
        right[0] = total[0] - left[0];
        right[1] = total[1] - left[1];
        gain = purity(left) + purity(right);
        if (gain > best->gain)
            *best = (struct split){gain, column, rank,
                                   halfway(g->data, column, rank, key[i + 1] >> 1)};
    }
    return true;
}

/* Sorts the keys of the node's rows [from, to) for a column and sweeps them. */
static bool try_column(struct grower *g, size_t from, size_t to, size_t column,
                       const double total[2], struct split *best)
{
    const uint32_t *rank = g->data->rank + column * g->data->n;
    uint32_t *key = g->key, largest = 0;
    size_t n = to - from;

    for (size_t i = 0; i < n; i++) {
        uint32_t row = g->row[from + i];

        key[i] = rank[row] << 1 | g->data->labels[row];
        largest = key[i] > largest ? key[i] : largest;
    }
    if (n <= 48)
        insertion_sort(key, n);
    else
        key = radix_sort(key, g->spare, n, largest);
    return sweep(g, key, n, column, total, best);
}

/* Tries as many randomly drawn columns as the settings say, and more only while none of
 * them varies. A column that is constant in the node counts as tried, as in scikit-learn,
 * which keeps the trees different. */
static struct split find_split(struct grower *g, size_t from, size_t to,
                               const double total[2])
{
    struct split best = {.gain = -INFINITY};
    size_t varying = 0, d = g->data->d;

    for (size_t j = 0; j < d && (j < g->params->features || varying == 0); j++) {
        size_t pick = j + (size_t)vd_rng_below(&g->rng, d - j);
        uint16_t column = g->column[pick];

        g->column[pick] = g->column[j];
        g->column[j] = column;
        varying += try_column(g, from, to, column, total, &best);
    }
    return best;
}

/* Moves the rows of the left side to the front; returns the place of the first right one.
 */
static size_t partition(struct grower *g, size_t from, size_t to,
                        const struct split *split)
{
    const uint32_t *rank = g->data->rank + split->column * g->data->n;

    while (from < to) {
        uint32_t row = g->row[from];

        if (rank[row] <= split->rank) {
            from++;
        } else {
            g->row[from] = g->row[--to];
            g->row[to] = row;
        }
    }
    return from;
}

/* Makes room for two more nodes; returns the place of the first, 0 = no memory. (The pair
 * of the root is at 0 too, but draw_rows looks at the status.) */
static size_t add_pair(struct grower *g)
{
    struct vd__gini_tree *t = g->tree;
    size_t at = t->n;

    if (t->n + 2 > t->capacity) {
        size_t capacity = t->capacity * 2 + 16;
        struct vd__tree_node *node = vd__realloc(t->node, capacity, sizeof *node);
        float *cover =
            node == NULL ? NULL : vd__realloc(t->cover, capacity, sizeof *cover);

        t->node = node != NULL ? node : t->node;
        t->cover = cover != NULL ? cover : t->cover;
        if (node == NULL || cover == NULL) {
            g->status = VD_ERR_MEMORY;
            return 0;
        }
        t->capacity = capacity;
    }
    t->n += 2;
    return at;
}

/* Computes a leaf's share of label 1, as if it also held a thousandth of a row with the
 * mix of all rows (after F. Provost, P. Domingos, Machine Learning 52, 2003). That
 * decides ties only, but the votes of pure leaves have many: of two rows that no tree
 * calls an anomaly, the row whose leaves hold fewer training rows scores higher. */
static float leaf_value(const struct grower *g, const double total[2])
{
    const double extra = 1e-3;

    return (float)((total[1] + extra * g->data->share) / (total[0] + total[1] + extra));
}

/* Makes node `at` a leaf of the rows [from, to), and a split where one helps. */
static void grow_node(struct grower *g, size_t at, size_t depth, size_t from, size_t to)
{
    const struct vd__gini_params *params = g->params;
    double total[2] = {0};
    struct split split;
    size_t middle, child;

    for (size_t i = from; i < to; i++) {
        uint8_t label = g->data->labels[g->row[i]];

        total[label] += g->data->weight[label];
    }
    g->tree->node[at] =
        (struct vd__tree_node){INFINITY, 0, (uint32_t)at, leaf_value(g, total)};
    g->tree->cover[at] = (float)(total[0] + total[1]);
    if (total[0] == 0 || total[1] == 0 || to - from < 2 * params->min_leaf ||
        depth == (params->max_depth > 0 ? params->max_depth : DEPTH_MAX))
        return;
    split = find_split(g, from, to, total);
    if (split.gain == -INFINITY || (child = add_pair(g)) == 0)
        return;
    g->tree->node[at].threshold = split.threshold;
    g->tree->node[at].column = (uint32_t)split.column;
    g->tree->node[at].child = (uint32_t)child;
    middle = partition(g, from, to, &split);
    assert(from < middle && middle < to);
    grow_node(g, child, depth + 1, from, middle);
    grow_node(g, child + 1, depth + 1, middle, to);
}

/* Draws the rows of the tree and makes room for its root; false = no memory. */
static bool draw_rows(struct grower *g)
{
    size_t n = g->data->n;

    for (size_t i = 0; i < n; i++)
        g->row[i] =
            g->params->bootstrap ? (uint32_t)vd_rng_below(&g->rng, n) : (uint32_t)i;
    for (size_t j = 0; j < g->data->d; j++)
        g->column[j] = (uint16_t)j;
    return add_pair(g) == 0 && g->status == VD_OK;
}

void vd__gini_tree_release(struct vd__gini_tree *tree)
{
    vd__free(tree->node);
    vd__free(tree->cover);
    *tree = (struct vd__gini_tree){0};
}

enum vd_status vd__gini_grow(struct vd__gini_tree *out, const struct vd__gini_data *data,
                             const struct vd__gini_params *params, size_t tree)
{
    struct grower g = {.data = data, .params = params, .tree = out};
    size_t n = data->n;

    *out = (struct vd__gini_tree){0};
    vd_rng_init_stream(&g.rng, params->seed, tree);
    g.row = vd__alloc(n, sizeof *g.row);
    g.key = vd__alloc(n, sizeof *g.key);
    g.spare = vd__alloc(n, sizeof *g.spare);
    g.column = vd__alloc(data->d, sizeof *g.column);
    g.status = VD_ERR_MEMORY;
    if (g.row != NULL && g.key != NULL && g.spare != NULL && g.column != NULL) {
        g.status = VD_OK;
        if (draw_rows(&g)) {
            /* The root stands alone: its sister's place is given back. */
            out->n = 1;
            grow_node(&g, 0, 0, 0, n);
        }
    }
    vd__free(g.row);
    vd__free(g.key);
    vd__free(g.spare);
    vd__free(g.column);
    if (g.status != VD_OK)
        vd__gini_tree_release(out);
    return g.status;
}
