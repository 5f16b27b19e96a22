/* lib/detect/tree/gini_tree: a grown tree beside all trees it could have been.
 */
#include "unit.h"

#include <stdlib.h>

#include "detect/tree/random_forest.h"
#include "vedette/rng.h"

enum { ROWS = 300, COLUMNS = 3 };

struct grown {
    struct vd__gini_data data;
    struct vd__gini_params params;
    struct vd__gini_tree tree;
    uint8_t labels[ROWS];
    bool in[ROWS][2 * ROWS]; /* [row][node] */
    size_t split, leaves;
};

static float value_of(const struct grown *g, size_t column, size_t row)
{
    return g->data.value[column * ROWS + row];
}

/* The sum over both sides and both classes of (weight of the class)^2 / weight
 * of the side, of the rows of a node split at `at`; -1 = a side has too few
 * rows. */
static double purity_of(const struct grown *g, size_t node, size_t column, float at)
{
    double weight[2][2] = {{0}}, sum = 0;
    size_t n[2] = {0};

    for (size_t i = 0; i < ROWS; i++)
        if (g->in[i][node]) {
            bool right = value_of(g, column, i) > at;

            n[right]++;
            weight[right][g->labels[i]] += g->data.weight[g->labels[i]];
        }
    if (n[0] < g->params.min_leaf || n[1] < g->params.min_leaf || n[0] == 0 || n[1] == 0)
        return -1;
    for (int side = 0; side < 2; side++)
        sum += (weight[side][0] * weight[side][0] + weight[side][1] * weight[side][1]) /
               (weight[side][0] + weight[side][1]);
    return sum;
}

/* The purest split there is of a node's rows; -1 = none. */
static double purest(const struct grown *g, size_t node)
{
    double best = -1;

    for (size_t c = 0; c < COLUMNS; c++)
        for (size_t i = 0; i < ROWS; i++)
            if (g->in[i][node])
                best = fmax(best, purity_of(g, node, c, value_of(g, c, i)));
    return best;
}

/* The largest value on the left and the least on the right, between which a
 * threshold lies. */
static void gap_of(const struct grown *g, size_t node, size_t column, float at,
                   float *low, float *high)
{
    *low = -INFINITY;
    *high = INFINITY;
    for (size_t i = 0; i < ROWS; i++) {
        float x = value_of(g, column, i);

        if (g->in[i][node] && x <= at)
            *low = fmaxf(*low, x);
        if (g->in[i][node] && x > at)
            *high = fminf(*high, x);
    }
}

static void check_split(struct grown *g, size_t node)
{
    const struct vd__tree_node *at = &g->tree.node[node];
    float low, high;

    g->split++;
    assert_double_equal(purity_of(g, node, at->column, at->threshold), purest(g, node),
                        1e-9);
    gap_of(g, node, at->column, at->threshold, &low, &high);
    assert_double_equal(at->threshold, (low + high) / 2, fabsf(high) * 1e-6F);
    assert_true(low <= at->threshold && at->threshold < high);
    for (size_t i = 0; i < ROWS; i++)
        g->in[i][at->child + (value_of(g, at->column, i) > at->threshold)] =
            g->in[i][node];
}

/* Checks a node and what is below it. */
static void check_node(struct grown *g, size_t node, size_t depth)
{
    const struct vd__tree_node *at = &g->tree.node[node];
    double weight[2] = {0};
    size_t n = 0;

    assert_true(node < g->tree.n);
    for (size_t i = 0; i < ROWS; i++)
        if (g->in[i][node]) {
            weight[g->labels[i]] += g->data.weight[g->labels[i]];
            n++;
        }
    assert_double_equal(g->tree.cover[node], weight[0] + weight[1], 1e-3);
    if (at->child != node) {
        check_split(g, node);
        check_node(g, at->child, depth + 1);
        check_node(g, at->child + 1, depth + 1);
        return;
    }
    g->leaves++;
    assert_double_equal(
        at->value, (weight[1] + 1e-3 * g->data.share) / (weight[0] + weight[1] + 1e-3),
        1e-6);
    assert_true(weight[0] == 0 || weight[1] == 0 || n < 2 * g->params.min_leaf ||
                depth == g->params.max_depth || purest(g, node) < 0);
}

/* Labels that hang on all columns; the last column has few values. */
static void fill(struct vd_matrix *x, uint8_t *labels, uint64_t seed)
{
    struct vd_rng rng;

    vd_rng_init(&rng, seed);
    assert_int_equal(vd_matrix_init(x, ROWS, COLUMNS), VD_OK);
    for (size_t i = 0; i < ROWS; i++) {
        double *row = vd_matrix_row(x, i);

        row[0] = 1 + vd_rng_normal(&rng);
        row[1] = 100 * vd_rng_uniform(&rng);
        row[2] = (double)vd_rng_below(&rng, 5);
        labels[i] = row[0] + row[1] / 50 + row[2] / 5 + vd_rng_normal(&rng) / 3 > 3.5;
    }
}

static void every_split_is_the_purest_there_is(void **state)
{
    static const struct {
        struct vd__gini_params params;
        double weight[2];
        size_t leaves; /* 0 = any number */
    } known[] = {
        {{.features = COLUMNS, .min_leaf = 1}, {1, 1}, 0},
        {{.features = COLUMNS, .min_leaf = 1}, {0.7, 2.5}, 0},
        {{.features = COLUMNS, .min_leaf = 10}, {1, 1}, 0},
        {{.features = COLUMNS, .min_leaf = 2, .max_depth = 2}, {1, 1}, 4},
        {{.features = COLUMNS, .min_leaf = 1, .max_depth = 1}, {1, 3}, 2},
        {{.features = COLUMNS, .min_leaf = 40}, {1, 1}, 0},
        {{.features = COLUMNS, .min_leaf = 41}, {1, 2}, 0},
        {{.features = COLUMNS, .min_leaf = 60}, {1, 1}, 0},
        {{.features = COLUMNS, .min_leaf = 90}, {1, 1}, 0},
        {{.features = COLUMNS, .min_leaf = 120}, {1, 1}, 0},
        {{.features = COLUMNS, .min_leaf = ROWS / 2 + 1}, {1, 1}, 1},
    };

    (void)state;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        static struct grown g;
        const double center[COLUMNS] = {1, 50, 0};
        struct vd_matrix x;

        g = (struct grown){.params = known[k].params};
        fill(&x, g.labels, 40 + k);
        assert_int_equal(vd__gini_data_init(&g.data, &x, g.labels, center), VD_OK);
        assert_double_equal(value_of(&g, 1, 7), vd_matrix_row(&x, 7)[1] - 50, 1e-5);
        g.data.weight[0] = known[k].weight[0];
        g.data.weight[1] = known[k].weight[1];
        g.data.share = 0.25;
        assert_int_equal(vd__gini_grow(&g.tree, &g.data, &g.params, k), VD_OK);
        for (size_t i = 0; i < ROWS; i++)
            g.in[i][0] = true;
        check_node(&g, 0, 0);
        assert_int_equal(g.tree.n, g.split + g.leaves);
        if (known[k].leaves > 0)
            assert_int_equal(g.leaves, known[k].leaves);
        vd__gini_tree_release(&g.tree);
        vd__gini_data_release(&g.data);
        vd_matrix_release(&x);
    }
}

/* With one column drawn for each split, trees differ; with rows drawn anew,
 * too. */
static void trees_differ_by_what_is_drawn(void **state)
{
    const double center[COLUMNS] = {0};
    struct vd__gini_params params = {.features = 1, .min_leaf = 1, .max_depth = 1};
    uint8_t labels[ROWS];
    struct vd__gini_data data;
    struct vd_matrix x;
    size_t drawn[COLUMNS] = {0}, other = 0;

    (void)state;
    fill(&x, labels, 5);
    assert_int_equal(vd__gini_data_init(&data, &x, labels, center), VD_OK);
    data.weight[0] = data.weight[1] = 1;
    for (size_t t = 0; t < 60; t++) {
        struct vd__gini_tree tree;

        assert_int_equal(vd__gini_grow(&tree, &data, &params, t), VD_OK);
        drawn[tree.node[0].column]++;
        vd__gini_tree_release(&tree);
    }
    for (size_t c = 0; c < COLUMNS; c++)
        assert_in_range(drawn[c], 8, 35);
    params = (struct vd__gini_params){
        .features = COLUMNS, .min_leaf = 1, .max_depth = 1, .bootstrap = true};
    for (size_t t = 0; t < 20; t++) {
        struct vd__gini_tree tree;
        static float first;

        assert_int_equal(vd__gini_grow(&tree, &data, &params, t), VD_OK);
        assert_double_equal(tree.cover[0], ROWS, 0);
        first = t == 0 ? tree.node[0].threshold : first;
        other += tree.node[0].threshold != first;
        vd__gini_tree_release(&tree);
    }
    assert_true(other > 5);
    vd__gini_data_release(&data);
    vd_matrix_release(&x);
}

/* A column that does not vary is passed over, however few may be tried. */
static void columns_that_do_not_vary_are_no_choice(void **state)
{
    const double center[COLUMNS] = {0};
    struct vd__gini_params params = {.features = 1, .min_leaf = 1};
    uint8_t labels[ROWS];
    struct vd__gini_data data;
    struct vd_matrix x;

    (void)state;
    assert_int_equal(vd_matrix_init(&x, ROWS, COLUMNS), VD_OK);
    for (size_t i = 0; i < ROWS; i++) {
        vd_matrix_row(&x, i)[0] = vd_matrix_row(&x, i)[2] = 3;
        vd_matrix_row(&x, i)[1] = (double)i;
        labels[i] = i >= 100;
    }
    assert_int_equal(vd__gini_data_init(&data, &x, labels, center), VD_OK);
    for (size_t t = 0; t < 20; t++) {
        struct vd__gini_tree tree;

        assert_int_equal(vd__gini_grow(&tree, &data, &params, t), VD_OK);
        assert_int_equal(tree.n, 3);
        assert_int_equal(tree.node[0].column, 1);
        assert_double_equal(tree.node[0].threshold, 99.5, 0);
        vd__gini_tree_release(&tree);
    }
    vd__gini_data_release(&data);
    vd_matrix_release(&x);
}

/* The purest split has a hundred rows on one side: fewer than a leaf needs, or just as
 * many. */
static void leaves_have_the_rows_they_need(void **state)
{
    static const struct {
        size_t first_anomaly, min_leaf;
        double threshold;
    } known[] = {
        {100, 100, 99.5}, {100, 101, 100.5}, {200, 100, 199.5}, {200, 101, 198.5}};
    const double center[COLUMNS] = {0};

    (void)state;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        struct vd__gini_params params = {.features = COLUMNS,
                                         .min_leaf = known[k].min_leaf};
        uint8_t labels[ROWS];
        struct vd__gini_data data;
        struct vd__gini_tree tree;
        struct vd_matrix x;

        assert_int_equal(vd_matrix_init(&x, ROWS, COLUMNS), VD_OK);
        for (size_t i = 0; i < ROWS; i++) {
            vd_matrix_row(&x, i)[0] = (double)i;
            vd_matrix_row(&x, i)[1] = vd_matrix_row(&x, i)[2] = 0;
            labels[i] = i >= known[k].first_anomaly;
        }
        assert_int_equal(vd__gini_data_init(&data, &x, labels, center), VD_OK);
        assert_int_equal(vd__gini_grow(&tree, &data, &params, 0), VD_OK);
        assert_double_equal(tree.node[0].threshold, known[k].threshold, 0);
        vd__gini_tree_release(&tree);
        vd__gini_data_release(&data);
        vd_matrix_release(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split_is_the_purest_there_is),
        cmocka_unit_test(trees_differ_by_what_is_drawn),
        cmocka_unit_test(columns_that_do_not_vary_are_no_choice),
        cmocka_unit_test(leaves_have_the_rows_they_need),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
