/* Local outlier factor: Breunig, Kriegel, Ng, Sander, SIGMOD 2000, with novelty as
 * scikit-learn defines it.
 *
 * The reachability of x from o is max(k-distance of o, |x - o|); the density of x is
 * 1 / (mean reachability from its k neighbours + 1e-10); the raw score is the mean
 * density of the neighbours divided by that of x. A training row that is scored again has
 * itself among its neighbours, as in scikit-learn; the threshold by contamination leaves
 * every training row out of its own neighbours. Without contamination it is 1.5. The
 * search is in neighbours.c.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/threads.h"
#include "detect/distance/neighbours.h"
#include "detect/scaler.h"

enum param { SCALE, NEIGHBOURS, N_PARAMS };

static const struct vd_param params[N_PARAMS] = {
    [SCALE] = VD__SCALE_PARAM,
    [NEIGHBOURS] = {"n_neighbors", "neighbours a row is compared with", NULL, 20, 1,
                    VD__NEIGHBOURS_MAX},
};

/* One block, but for the index of the training rows. */
struct lof {
    struct vd_detector base;
    size_t n, k;
    struct vd__scaler scaler;
    double *density; /* n */
    double *reach;   /* n: squared k-distance */
    struct vd__neighbours nb;
};

static struct lof *lof_new(size_t d, size_t n, size_t k)
{
    size_t total = sizeof(struct lof);
    size_t scale = vd__layout(&total, 2 * d, sizeof(double));
    size_t density = vd__layout(&total, n, sizeof(double));
    size_t reach = vd__layout(&total, n, sizeof(double));
    struct lof *l = (struct lof *)vd__detector_new(&vd__lof, d, total);
    char *block = (char *)l;

    assert(k >= 1 && k < n && k <= VD__NEIGHBOURS_MAX);
    if (l == NULL)
        return NULL;
    l->n = n;
    l->k = k;
    l->scaler.center = (double *)(block + scale);
    l->scaler.factor = l->scaler.center + d;
    l->density = (double *)(block + density);
    l->reach = (double *)(block + reach);
    return l;
}

static void lof_release(vd_detector *self)
{
    struct lof *l = (struct lof *)self;

    vd__neighbours_release(&l->nb);
}

/* Computes the density of a row from its k neighbours. */
static double density_of(const struct lof *l, const struct vd__neighbour *near)
{
    double sum = 0;

    for (size_t i = 0; i < l->k; i++)
        sum += sqrt(fmax(l->reach[near[i].point], near[i].distance2));
    return 1 / (sum / (double)l->k + 1e-10);
}

/* Computes the outlier factor of a row from its density and its neighbours'. */
static double factor_of(const struct lof *l, const struct vd__neighbour *near,
                        double density)
{
    double sum = 0;

    for (size_t i = 0; i < l->k; i++)
        sum += l->density[near[i].point] / density;
    return sum / (double)l->k;
}

static double lof_score(const vd_detector *self, const double *row)
{
    const struct lof *l = (const struct lof *)self;
    struct vd__neighbour near[VD__NEIGHBOURS_MAX];
    double z[VD_COLUMNS_MAX];

    vd__scaler_apply(&l->scaler, row, z, self->d);
    vd__neighbours_find(&l->nb, z, l->k, UINT32_MAX, near);
    return factor_of(l, near, density_of(l, near));
}

/* Scores groups of rows with one search each, and the rest row by row. */
static void lof_score_block(const vd_detector *self, const double *rows, size_t n,
                            double *scores)
{
    const struct lof *l = (const struct lof *)self;
    struct vd__neighbour near[VD__NEIGHBOURS_SIDE * VD__NEIGHBOURS_MAX];
    double z[VD__NEIGHBOURS_SIDE * VD__BLOCK_COLUMNS];
    size_t d = self->d, i = 0;

    for (; d <= VD__BLOCK_COLUMNS && i + VD__NEIGHBOURS_SIDE <= n;
         i += VD__NEIGHBOURS_SIDE) {
        for (size_t r = 0; r < VD__NEIGHBOURS_SIDE; r++)
            vd__scaler_apply(&l->scaler, rows + (i + r) * d, z + r * d, d);
        vd__neighbours_find_side(&l->nb, z, l->k, UINT32_MAX, near);
        for (size_t r = 0; r < VD__NEIGHBOURS_SIDE; r++)
            scores[i + r] = factor_of(l, near + r * l->k, density_of(l, near + r * l->k));
    }
    for (; i < n; i++)
        scores[i] = lof_score(self, rows + i * d);
}

/* ---- fit ---- */

/* The state that the threads of a fit share; each writes to rows of its own. */
struct lof_fit {
    struct lof *l;
    const double *z;            /* n x d */
    struct vd__neighbour *near; /* n x k */
};

/* Finds the neighbours and k-distances of the i-th group of VD__NEIGHBOURS_SIDE rows. */
static void find_neighbours(void *context, size_t i)
{
    struct lof_fit *f = context;
    struct lof *l = f->l;
    size_t first = i * VD__NEIGHBOURS_SIDE, d = l->base.d;
    size_t end = first + VD__NEIGHBOURS_SIDE < l->n ? first + VD__NEIGHBOURS_SIDE : l->n;

    if (end - first == VD__NEIGHBOURS_SIDE)
        vd__neighbours_find_side(&l->nb, f->z + first * d, l->k, (uint32_t)first,
                                 f->near + first * l->k);
    else
        for (size_t r = first; r < end; r++)
            vd__neighbours_find(&l->nb, f->z + r * d, l->k, (uint32_t)r,
                                f->near + r * l->k);
    for (size_t r = first; r < end; r++)
        l->reach[r] = f->near[(r + 1) * l->k - 1].distance2;
}

/* Finds all k-distances, then the densities, which need them, then the threshold. */
static void rate_training_rows(struct lof_fit *f, const struct vd__fit *fit,
                               double *scores)
{
    struct lof *l = f->l;

    vd__parallel_for((l->n + VD__NEIGHBOURS_SIDE - 1) / VD__NEIGHBOURS_SIDE, fit->threads,
                     find_neighbours, f);
    for (size_t i = 0; i < l->n; i++)
        l->density[i] = density_of(l, f->near + i * l->k);
    for (size_t i = 0; i < l->n; i++)
        scores[i] = factor_of(l, f->near + i * l->k, l->density[i]);
    l->base.threshold =
        fit->contamination > 0 ? vd__threshold_of(scores, l->n, fit->contamination) : 1.5;
}

static enum vd_status lof_fit(vd_detector **out, const struct vd__fit *fit,
                              struct vd_error *err)
{
    size_t n = fit->x->n, d = fit->x->d, k = (size_t)fit->param[NEIGHBOURS];
    struct lof *l = lof_new(d, n, k < n ? k : n - 1);
    double *z = vd__alloc(n * d, sizeof *z), *scores = vd__alloc(n, sizeof *scores);
    struct lof_fit f = {.l = l, .z = z};
    enum vd_status status = VD_ERR_MEMORY;

    f.near = vd__alloc(n * (k < n ? k : n - 1), sizeof *f.near);
    if (l == NULL || z == NULL || scores == NULL || f.near == NULL)
        goto out;
    status = vd__scaler_fit(&l->scaler, fit->x, (enum vd__scale)fit->param[SCALE]);
    if (status != VD_OK)
        goto out;
    vd__scaler_apply_all(&l->scaler, fit->x, z);
    status = vd__neighbours_init(&l->nb, z, n, d);
    if (status != VD_OK)
        goto out;
    rate_training_rows(&f, fit, scores);
    l->base.size += l->nb.bytes;
    *out = &l->base;
out:
    if (status != VD_OK && l != NULL)
        vd_detector_free(&l->base);
    vd__free(z);
    vd__free(scores);
    vd__free(f.near);
    return status == VD_OK
               ? VD_OK
               : vd_error_set(err, status, "train on fewer rows",
                              "local outlier factor: no memory for %zu rows", n);
}

/* ---- save and load ---- */

/* Writes the points in the order they were given, so that loading builds the same index.
 */
static void lof_save(const vd_detector *self, struct vd_writer *w)
{
    const struct lof *l = (const struct lof *)self;

    vd_write_u64(w, l->n);
    vd_write_u64(w, l->k);
    vd__scaler_save(&l->scaler, w, self->d);
    vd__neighbours_save(&l->nb, w);
    vd_write_f64s(w, l->density, l->n);
    vd_write_f64s(w, l->reach, l->n);
}

/* Reads the arrays and the points z (n x d); false = numbers that cannot be. */
static bool load_arrays(struct lof *l, struct vd_reader *r, double *z)
{
    if (!vd__scaler_load(&l->scaler, r, l->base.d) ||
        !vd__load_numbers(r, z, l->n * l->base.d) ||
        !vd__load_numbers(r, l->density, l->n) || !vd__load_numbers(r, l->reach, l->n))
        return false;
    for (size_t i = 0; i < l->n; i++)
        if (!(l->density[i] > 0) || !(l->reach[i] >= 0))
            return false;
    return true;
}

static enum vd_status lof_load(vd_detector **out, size_t d, struct vd_reader *r,
                               struct vd_error *err)
{
    size_t n = vd_read_count(r, (d + 2) * sizeof(double));
    uint64_t k = vd_read_u64(r);
    struct lof *l = NULL;
    double *z = NULL;
    enum vd_status status = VD_ERR_MEMORY;

    if (r->failed || n < 2 || n > UINT32_MAX / 2 || k < 1 || k >= n ||
        k > VD__NEIGHBOURS_MAX)
        return vd__load_failed(r, vd__lof.info.name, err);
    l = lof_new(d, n, (size_t)k);
    z = vd__alloc(n * d, sizeof *z);
    if (l == NULL || z == NULL)
        goto out;
    status = load_arrays(l, r, z) ? vd__neighbours_init(&l->nb, z, n, d)
                                  : vd__load_failed(r, vd__lof.info.name, err);
    if (status != VD_OK)
        goto out;
    l->base.size += l->nb.bytes;
    *out = &l->base;
out:
    vd__free(z);
    if (status != VD_OK && l != NULL)
        vd_detector_free(&l->base);
    return status == VD_OK
               ? VD_OK
               : vd_error_set(err, status, NULL, "local outlier factor: no memory");
}

const struct vd__detector_class vd__lof = {
    .info = {.name = "lof",
             .title = "Local outlier factor",
             .source = "Breunig et al., SIGMOD 2000",
             .params = params,
             .n_params = N_PARAMS},
    .fit = lof_fit,
    .score = lof_score,
    .score_block = lof_score_block,
    .save = lof_save,
    .load = lof_load,
    .release = lof_release,
};
