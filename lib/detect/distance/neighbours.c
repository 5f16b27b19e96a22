/* k-d tree (Bentley, CACM 1975; Friedman, Bentley and Finkel, ACM TOMS 1977) with the
 * incremental lower bounds of Arya and Mount (1993), over leaves of whole blocks.
 *
 * Points lie in blocks of eight, column by column, so that eight distances are computed
 * at once. With many columns a tree no longer prunes: then there is one leaf, and the
 * search is a scan of all blocks. The limit was measured (bench/detectors). A scan for
 * one row waits for the memory of the points, so a scan for several rows reads each block
 * once and compares all rows with it. Nothing is approximate.
 */
#include "detect/distance/neighbours.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/lanes.h"

enum { LEAF = 32, TREE_COLUMNS_MAX = 14, TREE_POINTS_MIN = 256 };

struct vd__kd_node {
    double split;         /* inner: left side is <= split */
    uint32_t column;      /* inner */
    uint32_t right;       /* inner: the right child; the left one follows. 0 = leaf */
    uint32_t first, last; /* leaf: blocks [first, last) */
};

/* ---- build ---- */

/* The state of building the tree. */
struct builder {
    struct vd__neighbours *nb;
    const double *z;
    uint32_t *order;
    size_t leaf;     /* most points in a leaf */
    size_t n_blocks; /* filled so far */
};

/* Returns a number of the i-th point in the present order. */
static double at(const struct builder *b, size_t i, size_t column)
{
    return b->z[b->order[i] * b->nb->d + column];
}

/* Orders points by a column's value and equal values by row, so that only the points
 * decide the tree. */
static bool before(const struct builder *b, uint32_t left, uint32_t right, size_t column)
{
    double l = b->z[left * b->nb->d + column], r = b->z[right * b->nb->d + column];

    return l < r || (l == r && left < right);
}

/* Puts the middle element in its sorted place (Hoare's FIND, CACM 1961). */
static void select_middle(struct builder *b, size_t from, size_t to, size_t middle,
                          size_t column)
{
    ptrdiff_t low = (ptrdiff_t)from, high = (ptrdiff_t)to - 1;

    while (low < high) {
        uint32_t pivot = b->order[middle];
        ptrdiff_t i = low, j = high;

        do {
            while (before(b, b->order[i], pivot, column))
                i++;
            while (before(b, pivot, b->order[j], column))
                j--;
            if (i <= j) {
                uint32_t swap = b->order[i];

                b->order[i++] = b->order[j];
                b->order[j--] = swap;
            }
        } while (i <= j);
        if (j < (ptrdiff_t)middle)
            low = i;
        if ((ptrdiff_t)middle < i)
            high = j;
    }
}

/* Finds the column in which the points [from, to) spread the most. */
static size_t widest_column(const struct builder *b, size_t from, size_t to)
{
    size_t best = 0;
    double widest = -1;

    for (size_t j = 0; j < b->nb->d; j++) {
        double low = at(b, from, j), high = low;

        for (size_t i = from + 1; i < to; i++) {
            low = fmin(low, at(b, i, j));
            high = fmax(high, at(b, i, j));
        }
        if (high - low > widest) {
            widest = high - low;
            best = j;
        }
    }
    return best;
}

/* Copies the points [from, to) into blocks; empty places are infinitely far away. */
static void fill_leaf(struct builder *b, struct vd__kd_node *node, size_t from, size_t to)
{
    struct vd__neighbours *nb = b->nb;

    node->first = (uint32_t)b->n_blocks;
    for (size_t i = from; i < to; i += 8) {
        double *block = nb->block + b->n_blocks * 8 * nb->d;

        for (size_t k = 0; k < 8; k++) {
            bool used = i + k < to;

            nb->point[b->n_blocks * 8 + k] = used ? b->order[i + k] : UINT32_MAX;
            for (size_t j = 0; j < nb->d; j++)
                block[j * 8 + k] = used ? at(b, i + k, j) : INFINITY;
        }
        b->n_blocks++;
    }
    node->last = (uint32_t)b->n_blocks;
}

/* Builds the subtree of the points [from, to), left child first. */
static void build_node(struct builder *b, size_t from, size_t to)
{
    struct vd__kd_node *node = &b->nb->node[b->nb->n_nodes++];
    size_t middle = from + (to - from) / 2, column;

    if (to - from <= b->leaf) {
        fill_leaf(b, node, from, to);
        return;
    }
    column = widest_column(b, from, to);
    select_middle(b, from, to, middle, column);
    node->column = (uint32_t)column;
    node->split = at(b, middle, column);
    build_node(b, from, middle);
    node->right = (uint32_t)b->nb->n_nodes;
    build_node(b, middle, to);
}

enum vd_status vd__neighbours_init(struct vd__neighbours *nb, const double *z, size_t n,
                                   size_t d)
{
    bool tree = d <= TREE_COLUMNS_MAX && n >= TREE_POINTS_MIN;
    struct builder b = {.nb = nb, .z = z, .leaf = tree ? LEAF : n};
    /* Half of more than LEAF points is at least LEAF / 2, which bounds the leaves. */
    size_t leaves = tree ? n / (LEAF / 2) + 1 : 1, places = n + 7 * leaves + 8;

    *nb = (struct vd__neighbours){.n = n, .d = d};
    nb->block = vd__alloc_aligned(places, d * sizeof *nb->block);
    nb->point = vd__alloc(places, sizeof *nb->point);
    nb->node = vd__alloc_zero(2 * leaves, sizeof *nb->node);
    b.order = vd__alloc(n, sizeof *b.order);
    nb->bytes = places * (d * sizeof(double) + sizeof(uint32_t)) +
                2 * leaves * sizeof(struct vd__kd_node);
    if (nb->block == NULL || nb->point == NULL || nb->node == NULL || b.order == NULL) {
        vd__free(b.order);
        vd__neighbours_release(nb);
        return VD_ERR_MEMORY;
    }
    for (size_t i = 0; i < n; i++)
        b.order[i] = (uint32_t)i;
    build_node(&b, 0, n);
    assert(b.n_blocks * 8 <= places && nb->n_nodes <= 2 * leaves);
    nb->n_blocks = b.n_blocks;
    vd__free(b.order);
    return VD_OK;
}

void vd__neighbours_release(struct vd__neighbours *nb)
{
    vd__free(nb->block);
    vd__free(nb->point);
    vd__free(nb->node);
    *nb = (struct vd__neighbours){0};
}

void vd__neighbours_save(const struct vd__neighbours *nb, struct vd_writer *w)
{
    uint32_t *place = vd__alloc(nb->n, sizeof *place);
    size_t places = (size_t)nb->n_blocks * 8;

    if (place == NULL) {
        w->status = VD_ERR_MEMORY;
        return;
    }
    for (size_t i = 0; i < places; i++)
        if (nb->point[i] != UINT32_MAX)
            place[nb->point[i]] = (uint32_t)i;
    for (size_t i = 0; i < nb->n; i++)
        for (size_t j = 0; j < nb->d; j++)
            vd_write_f64(w, nb->block[(place[i] / 8 * nb->d + j) * 8 + place[i] % 8]);
    vd__free(place);
}

/* ---- search ---- */

/* The state of the search for one row. */
struct search {
    const struct vd__neighbours *nb;
    const double *z;
    size_t k, n; /* wanted, found so far */
    uint32_t except;
    double worst; /* distance of the k-th, infinite until there are k */
    struct vd__neighbour *found;
    double off[TREE_COLUMNS_MAX]; /* from z to the node's box, column by column */
};

/* Puts a point at its place among those found; the last one leaves when there are k. */
static void insert(struct search *s, double distance2, uint32_t point)
{
    size_t i = s->n < s->k ? s->n++ : s->k - 1;

    while (i > 0 &&
           (s->found[i - 1].distance2 > distance2 ||
            (s->found[i - 1].distance2 == distance2 && s->found[i - 1].point > point))) {
        s->found[i] = s->found[i - 1];
        i--;
    }
    s->found[i] = (struct vd__neighbour){distance2, point};
    if (s->n == s->k)
        s->worst = s->found[s->k - 1].distance2;
}

/* Inserts those of eight points that are nearer than the worst found; a point as far as
 * the worst is inserted when its row comes first. */
static void offer(struct search *s, const double distance2[8], const uint32_t *point)
{
    for (size_t i = 0; i < 8; i++) {
        if (distance2[i] > s->worst || point[i] == UINT32_MAX || point[i] == s->except)
            continue;
        if (s->n == s->k && distance2[i] == s->worst &&
            point[i] > s->found[s->k - 1].point)
            continue;
        insert(s, distance2[i], point[i]);
    }
}

/* Offers the points of block b, whose squared distances are *sum. The vector is passed by
 * pointer, because how a function receives one by value depends on the instruction set it
 * was compiled for. */
static inline void look(struct search *s, const vd__eight *sum, size_t b)
{
    double distance2[8];
    int near = 0;

    *(vd__eight *)distance2 = *sum;
    for (size_t i = 0; i < 8; i++)
        near |= distance2[i] <= s->worst;
    if (near)
        offer(s, distance2, s->nb->point + b * 8);
}

/* Searches the blocks [first, last) for one row. */
VD_LANES static void scan(struct search *s, size_t first, size_t last)
{
    const struct vd__neighbours *nb = s->nb;
    size_t d = nb->d;

    for (size_t b = first; b < last; b++) {
        const double *block = nb->block + b * 8 * d;
        vd__eight sum = {0};

        for (size_t j = 0; j < d; j++) {
            vd__eight off = *(const vd__eight *)(block + j * 8) - s->z[j];

            sum += off * off;
        }
        look(s, &sum, b);
    }
}

/* Searches all blocks for VD__NEIGHBOURS_SIDE rows. */
VD_LANES static void scan_side(struct search *s)
{
    const struct vd__neighbours *nb = s->nb;
    const double *z = s->z;
    size_t d = nb->d;

    for (size_t b = 0; b < nb->n_blocks; b++) {
        const double *block = nb->block + b * 8 * d;
        vd__eight sum[VD__NEIGHBOURS_SIDE] = {{0}};

        for (size_t j = 0; j < d; j++) {
            vd__eight point = *(const vd__eight *)(block + j * 8);

#pragma GCC unroll 8
            for (size_t r = 0; r < VD__NEIGHBOURS_SIDE; r++) {
                vd__eight off = point - z[r * d + j];

                sum[r] += off * off;
            }
        }
#pragma GCC unroll 8
        for (size_t r = 0; r < VD__NEIGHBOURS_SIDE; r++)
            look(&s[r], &sum[r], b);
    }
}

/* Searches the subtree of a node, nearer side first. `bound` is the squared distance from
 * z to the node's box. */
static void visit(struct search *s, size_t at, double bound)
{
    const struct vd__kd_node *node = &s->nb->node[at];
    double side, old, far;
    size_t nearer, farther;

    if (node->right == 0) {
        scan(s, node->first, node->last);
        return;
    }
    side = s->z[node->column] - node->split;
    nearer = side <= 0 ? at + 1 : node->right;
    farther = side <= 0 ? node->right : at + 1;
    visit(s, nearer, bound);
    old = s->off[node->column];
    far = bound - old * old + side * side;
    /* The bound carries rounding errors; a hair of slack keeps the search exact. */
    if (far * (1 - 1e-12) > s->worst)
        return;
    s->off[node->column] = side;
    visit(s, farther, far);
    s->off[node->column] = old;
}

void vd__neighbours_find(const struct vd__neighbours *nb, const double *z, size_t k,
                         uint32_t except, struct vd__neighbour *found)
{
    struct search s = {
        .nb = nb, .z = z, .k = k, .except = except, .worst = INFINITY, .found = found};

    visit(&s, 0, 0);
}

void vd__neighbours_find_side(const struct vd__neighbours *nb, const double *z, size_t k,
                              uint32_t first, struct vd__neighbour *found)
{
    struct search s[VD__NEIGHBOURS_SIDE];

    for (uint32_t r = 0; r < VD__NEIGHBOURS_SIDE; r++) {
        s[r] = (struct search){.nb = nb,
                               .z = z + r * nb->d,
                               .k = k,
                               .except = first == UINT32_MAX ? first : first + r,
                               .worst = INFINITY,
                               .found = found + r * k};
        if (nb->n_nodes > 1)
            visit(&s[r], 0, 0);
    }
    if (nb->n_nodes == 1)
        scan_side(s);
}
