/* The block of an XGBoost model: allocates the flat trees that xgboost_json.c fills from
 * XGBoost's JSON and xgboost.c from a saved model. It knows neither.
 */
#include "detect/tree/xgboost_shape.h"

#include <assert.h>

#include "detect/scaler.h"

struct vd__xgboost_model *vd__xgboost_new(const struct vd__detector_class *class,
                                          size_t d, size_t n_trees, size_t n_nodes)
{
    size_t total = sizeof(struct vd__xgboost_model);
    size_t root = vd__layout(&total, n_trees, sizeof(uint32_t));
    size_t depth = vd__layout(&total, n_trees, sizeof(uint32_t));
    size_t node = vd__layout(&total, n_nodes, sizeof(struct vd__tree_node));
    size_t cover = vd__layout(&total, n_nodes, sizeof(float));
    struct vd__xgboost_model *m =
        (struct vd__xgboost_model *)vd__detector_new(class, d, total);
    char *block = (char *)m;

    assert(n_trees > 0 && n_nodes < UINT32_MAX);
    if (m == NULL)
        return NULL;
    m->base.threshold = 0.5;
    m->trees.n_trees = n_trees;
    m->trees.n_nodes = n_nodes;
    m->trees.root = (uint32_t *)(block + root);
    m->trees.depth = (uint32_t *)(block + depth);
    m->trees.node = (struct vd__tree_node *)(block + node);
    m->trees.cover = (float *)(block + cover);
    return m;
}
