/* Reads XGBoost's JSON model (its "model schema", versions 1.7 to 3.x) into flat trees
 * and writes it from them. Splits by categories and other objectives are refused.
 *
 *   {"learner":{"gradient_booster":{"name":"gbtree","model":{"trees":[{"left_children":
 *    [1,-1,-1],"right_children":[2,-1,-1],"split_indices":[0,0,0],"split_conditions":
 *    [0.5,-0.57,0.46],"split_type":[0,0,0], ...}]}},"learner_model_param":{"base_score":
 *    "[5.6E-1]","num_feature":"3"},"objective":{"name":"binary:logistic"}}}
 *
 * XGBoost goes left when x < condition, flat trees go left when x <= threshold: the
 * threshold is the next smaller float. Nodes are numbered anew, level by level, children
 * side by side.
 */
#include "detect/tree/xgboost_json.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/real.h"

/* The arrays of one tree in the file. */
struct json_tree {
    size_t n;
    const json_t *left, *right, *column, *condition, *type, *cover;
};

static enum vd_status refuse(struct vd_error *err, const char *what)
{
    return vd_error_set(err, VD_ERR_FORMAT, "give a binary:logistic gbtree model",
                        "XGBoost model: %s", what);
}

static const json_t *member(const json_t *object, const char *name)
{
    return json_object_get(object, name);
}

/* Reads a number that stands as "[5.6E-1]", as "5.6E-1" or as a number; NaN = it is none.
 */
static double text_number(const json_t *value)
{
    const char *text = json_string_value(value);
    json_t *parsed;
    double number = NAN;

    if (text == NULL)
        return json_is_number(value) ? json_number_value(value) : NAN;
    /* jansson reads numbers the same way in every locale. */
    parsed = json_loads(text, JSON_DECODE_ANY, NULL);
    if (json_is_number(parsed))
        number = json_number_value(parsed);
    else if (json_array_size(parsed) == 1)
        number = json_is_number(json_array_get(parsed, 0))
                     ? json_number_value(json_array_get(parsed, 0))
                     : NAN;
    json_decref(parsed);
    return number;
}

/* Finds the arrays of one tree; false = they are missing or of different lengths. */
static bool read_tree(const json_t *object, struct json_tree *t)
{
    *t = (struct json_tree){
        .left = member(object, "left_children"),
        .right = member(object, "right_children"),
        .column = member(object, "split_indices"),
        .condition = member(object, "split_conditions"),
        .type = member(object, "split_type"),
        .cover = member(object, "sum_hessian"),
    };
    t->n = json_array_size(t->left);
    return t->n > 0 && json_array_size(t->right) == t->n &&
           json_array_size(t->column) == t->n && json_array_size(t->condition) == t->n;
}

/* Reads element i of an array of whole numbers; -2 = it is none (-1 marks a leaf). */
static long long whole(const json_t *array, size_t i)
{
    const json_t *value = json_array_get(array, i);

    return json_is_integer(value) ? json_integer_value(value) : -2;
}

/* Lays tree t out from node `from` on, `*used` nodes; source[i] is the file's number of
 * flat node i. False when the file's nodes do not form a tree: a loop would need more
 * nodes than the file has. */
static bool flatten(const struct json_tree *t, struct vd__tree_node *node, size_t from,
                    uint32_t *source, size_t *used)
{
    size_t count = 1;

    source[0] = 0;
    for (size_t i = 0; i < count; i++) {
        long long left = whole(t->left, source[i]), right = whole(t->right, source[i]);
        long long column = whole(t->column, source[i]);
        double condition = json_number_value(json_array_get(t->condition, source[i]));
        struct vd__tree_node *at = &node[from + i];

        if (left == -1) {
            *at = (struct vd__tree_node){INFINITY, 0, (uint32_t)(from + i),
                                         (float)condition};
            continue;
        }
        if (left < 0 || right < 0 || left >= (long long)t->n ||
            right >= (long long)t->n || column < 0 || column > UINT32_MAX ||
            count + 2 > t->n || (t->type != NULL && whole(t->type, source[i]) != 0) ||
            !(fabs(condition) < 3e38))
            return false;
        *at = (struct vd__tree_node){nextafterf((float)condition, -INFINITY),
                                     (uint32_t)column, (uint32_t)(from + count), 0};
        source[count++] = (uint32_t)left;
        source[count++] = (uint32_t)right;
    }
    *used = count;
    return true;
}

/* Fills the model from the file's trees; `largest` is the most nodes one of them has. */
static enum vd_status fill_trees(struct vd__xgboost_model *m, const json_t *trees,
                                 size_t largest, struct vd_error *err)
{
    uint32_t *source = vd__alloc(largest, sizeof *source);
    size_t at = 0, used = 0;
    enum vd_status status = VD_OK;

    if (source == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "xgboost: no memory");
    for (size_t i = 0; status == VD_OK && i < m->trees.n_trees; i++) {
        struct json_tree t;

        m->trees.root[i] = (uint32_t)at;
        if (!read_tree(json_array_get(trees, i), &t) ||
            !flatten(&t, m->trees.node, at, source, &used))
            status = refuse(err, "a tree is damaged or splits by categories");
        for (size_t k = 0; status == VD_OK && k < used; k++)
            m->trees.cover[at + k] =
                (float)json_number_value(json_array_get(t.cover, source[k]));
        at += used;
    }
    vd__free(source);
    assert(status != VD_OK || at <= m->trees.n_nodes);
    m->trees.n_nodes = at;
    if (status == VD_OK)
        status = vd__trees_finish(&m->trees, &m->base);
    if (status == VD_ERR_FORMAT)
        return refuse(err, "a tree uses a column that is not there");
    return status == VD_ERR_MEMORY ? vd_error_set(err, status, NULL, "xgboost: no memory")
                                   : status;
}

/* Checks what kind of model the file holds, counts its nodes and reads it. */
static enum vd_status read_model(vd_detector **out,
                                 const struct vd__detector_class *class,
                                 const json_t *root, struct vd_error *err)
{
    const json_t *learner = member(root, "learner");
    const json_t *booster = member(learner, "gradient_booster");
    const json_t *param = member(learner, "learner_model_param");
    const json_t *trees = member(member(booster, "model"), "trees");
    const char *name = json_string_value(member(booster, "name"));
    const char *objective =
        json_string_value(member(member(learner, "objective"), "name"));
    double base = text_number(member(param, "base_score"));
    double d = text_number(member(param, "num_feature"));
    size_t n_trees = json_array_size(trees), n_nodes = 0, largest = 1;
    struct vd__xgboost_model *m;
    enum vd_status status;

    if (name == NULL || strcmp(name, "gbtree") != 0 || objective == NULL ||
        (strcmp(objective, "binary:logistic") != 0 &&
         strcmp(objective, "reg:logistic") != 0))
        return refuse(err, "not a binary:logistic gbtree model");
    if (!(base > 0 && base < 1) || !(d >= 1 && d <= VD_COLUMNS_MAX) || n_trees == 0)
        return refuse(err,
                      "base_score, num_feature or trees are missing or out of range");
    for (size_t i = 0; i < n_trees; i++) {
        size_t n = json_array_size(member(json_array_get(trees, i), "left_children"));

        n_nodes += n;
        largest = n > largest ? n : largest;
    }
    m = n_nodes < UINT32_MAX ? vd__xgboost_new(class, (size_t)d, n_trees, n_nodes) : NULL;
    if (m == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "xgboost: no memory");
    m->margin = -vd__log(1 / base - 1);
    status = fill_trees(m, trees, largest, err);
    if (status == VD_OK)
        *out = &m->base;
    else
        vd_detector_free(&m->base);
    return status;
}

enum vd_status vd__xgboost_read_json(vd_detector **out,
                                     const struct vd__detector_class *class,
                                     const char *json, size_t size, struct vd_error *err)
{
    json_error_t where;
    json_t *root = json_loadb(json, size, 0, &where);
    enum vd_status status;

    *out = NULL;
    if (root == NULL)
        return vd_error_set(err, VD_ERR_FORMAT, "save it again as JSON",
                            "XGBoost model: line %d, column %d: %s", where.line,
                            where.column, where.text);
    status = read_model(out, class, root, err);
    json_decref(root);
    return status;
}

/* ---- write ---- */

static json_t *zeros(size_t n, bool real)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, real ? json_real(0) : json_integer(0));
    return array;
}

static json_t *text_of(size_t number)
{
    return json_sprintf("%zu", number);
}

/* Makes the JSON of one tree, whose nodes keep their flat order. Statistics that only
 * training needs are zero. */
static json_t *write_tree(const struct vd__trees *t, size_t tree, size_t d)
{
    size_t from = t->root[tree];
    size_t to = tree + 1 < t->n_trees ? t->root[tree + 1] : t->n_nodes, n = to - from;
    json_t *left = json_array(), *right = json_array(), *column = json_array();
    json_t *condition = json_array(), *parent = zeros(n, false), *cover = json_array();

    json_array_set_new(parent, 0, json_integer(2147483647));
    for (size_t i = from; i < to; i++) {
        const struct vd__tree_node *node = &t->node[i];
        bool leaf = node->child == i;
        size_t child = node->child - from;

        json_array_append_new(left, json_integer(leaf ? -1 : (json_int_t)child));
        json_array_append_new(right, json_integer(leaf ? -1 : (json_int_t)child + 1));
        json_array_append_new(column, json_integer(node->column));
        json_array_append_new(cover, json_real((double)t->cover[i]));
        json_array_append_new(
            condition, json_real((double)(leaf ? node->value
                                               : nextafterf(node->threshold, INFINITY))));
        if (!leaf) {
            json_array_set_new(parent, child, json_integer((json_int_t)(i - from)));
            json_array_set_new(parent, child + 1, json_integer((json_int_t)(i - from)));
        }
    }
    return json_pack("{s:o,s:[],s:[],s:[],s:[],s:o,s:i,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,"
                     "s:{s:s,s:o,s:o,s:s}}",
                     "base_weights", zeros(n, true), "categories", "categories_nodes",
                     "categories_segments", "categories_sizes", "default_left",
                     zeros(n, false), "id", (int)tree, "left_children", left,
                     "loss_changes", zeros(n, true), "parents", parent, "right_children",
                     right, "split_conditions", condition, "split_indices", column,
                     "split_type", zeros(n, false), "sum_hessian", cover, "tree_param",
                     "num_deleted", "0", "num_feature", text_of(d), "num_nodes",
                     text_of(n), "size_leaf_vector", "1");
}

/* Writes the probability before the first tree as a text with all its digits. */
static json_t *base_score_text(double margin)
{
    json_t *number = json_real(vd__sigmoid(margin));
    char *digits = json_dumps(number, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    json_t *text = json_string(digits == NULL ? "" : digits);

    free(digits);
    json_decref(number);
    return text;
}

static json_t *write_model(const struct vd__xgboost_model *m)
{
    size_t n = m->trees.n_trees, d = m->base.d;
    json_t *trees = json_array(), *rounds = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(trees, write_tree(&m->trees, i, d));
    for (size_t i = 0; i <= n; i++)
        json_array_append_new(rounds, json_integer((json_int_t)i));
    return json_pack(
        "{s:{s:{},s:[],s:[],s:{s:{s:{s:s,s:o},s:o,s:o,s:o},s:s},"
        "s:{s:o,s:s,s:s,s:o,s:s},s:{s:s,s:{s:s}}},s:[i,i,i]}",
        "learner", "attributes", "feature_names", "feature_types", "gradient_booster",
        "model", "gbtree_model_param", "num_parallel_tree", "1", "num_trees", text_of(n),
        "iteration_indptr", rounds, "tree_info", zeros(n, false), "trees", trees, "name",
        "gbtree", "learner_model_param", "base_score", base_score_text(m->margin),
        "boost_from_average", "1", "num_class", "0", "num_feature", text_of(d),
        "num_target", "1", "objective", "name", "binary:logistic", "reg_loss_param",
        "scale_pos_weight", "1", "version", 2, 0, 0);
}

enum vd_status vd__xgboost_write_json(const struct vd__xgboost_model *m,
                                      struct vd_writer *w)
{
    json_t *root = write_model(m);
    char *text =
        root == NULL ? NULL : json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));

    if (text == NULL)
        w->status = VD_ERR_MEMORY;
    else
        vd_write_bytes(w, text, strlen(text));
    free(text);
    json_decref(root);
    return w->status;
}
