/* Growing the trees of an isolation forest. */
#ifndef VD_TREE_ISOLATION_TREE_H
#define VD_TREE_ISOLATION_TREE_H

#include "detect/tree/isolation_shape.h"

/* Grows all trees of `f`, whose shape and centres are set, on up to fit->threads threads.
 * `features`: how many columns each tree may use, 1 .. d. VD_ERR_MEMORY leaves the forest
 * half grown: free it. */
enum vd_status vd__isolation_grow(struct isolation_forest *f, const struct vd__fit *fit,
                                  size_t features);

#endif
