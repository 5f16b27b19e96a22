/* The block of an isolation forest and its leaves: F. T. Liu, K. M. Ting, Z.-H. Zhou,
 * ACM TKDD 6 (2012). Allocates and fills in; growing, scoring and files are elsewhere.
 */
#include "detect/tree/isolation_shape.h"

#include <assert.h>
#include <math.h>

#include "base/real.h"

/* Computes c(n) of the paper: the mean path length of an unsuccessful search among n. */
static double mean_path(double n)
{
    const double euler_gamma = 0.57721566490153286061;

    if (n <= 1)
        return 0;
    if (n == 2)
        return 1;
    return 2 * (vd__log(n - 1) + euler_gamma) - 2 * (n - 1) / n;
}

/* Rounds a size up to whole cache lines. */
static size_t round_up(size_t size)
{
    return (size + 63) / 64 * 64;
}

struct isolation_forest *vd__isolation_new(const struct vd__detector_class *class,
                                           size_t d, uint32_t n_trees, uint32_t subsample,
                                           uint32_t depth, uint32_t n_axes)
{
    size_t nodes = (size_t)n_trees << depth;
    size_t axes = n_axes > 1 ? nodes * n_axes : 0;
    size_t center = round_up(sizeof(struct isolation_forest));
    size_t split = center + round_up(d * sizeof(double));
    size_t path = split + round_up(nodes * sizeof(struct vd__heap_split));
    size_t count = path + round_up(nodes * sizeof(uint32_t));
    size_t weight = count + round_up(nodes * sizeof(uint16_t));
    size_t axis = weight + round_up(axes * sizeof(float));
    size_t size = axis + round_up(axes * sizeof(uint16_t));
    struct isolation_forest *f =
        (struct isolation_forest *)vd__detector_new(class, d, size);
    char *block = (char *)f;

    assert(n_trees > 0 && depth <= ISOLATION_DEPTH_MAX && n_axes >= 1 && n_axes <= d);
    if (f == NULL)
        return NULL;
    f->n_trees = n_trees;
    f->subsample = subsample;
    f->depth = depth;
    f->n_axes = n_axes;
    f->unit = (double)n_trees * mean_path(subsample);
    f->center = (double *)(block + center);
    f->split = (struct vd__heap_split *)(block + split);
    f->path = (uint32_t *)(block + path);
    f->count = (uint16_t *)(block + count);
    f->weight = axes > 0 ? (float *)(block + weight) : NULL;
    f->axis = axes > 0 ? (uint16_t *)(block + axis) : NULL;
    return f;
}

/* Fills the levels below with splits that send every row to the left, so that all walks
 * are `depth` steps long. */
void vd__isolation_set_leaf(struct isolation_forest *f, size_t tree, size_t node,
                            unsigned level, uint32_t count)
{
    size_t base = tree << f->depth, size = (size_t)1 << f->depth;
    double path = level + mean_path(count);

    assert(tree < f->n_trees && level <= f->depth && node >> level == 1);
    for (; level < f->depth; level++) {
        f->split[base + node] = (struct vd__heap_split){.threshold = INFINITY};
        node *= 2;
    }
    f->path[base + node - size] =
        (uint32_t)(path * ((uint32_t)1 << ISOLATION_PATH_BITS) + 0.5);
    f->count[base + node - size] = (uint16_t)count;
}
