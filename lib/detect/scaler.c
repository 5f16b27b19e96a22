/* Column scaling: fit, apply, save, load; the three kinds are in scaler.h. Columns are
 * scaled one by one, so correlation between them stays.
 */
#include "detect/scaler.h"

#include <float.h>
#include <math.h>

#include "base/alloc.h"
#include "vedette/stats.h"

/* Scales by mean and standard deviation. */
static void standard(const double *column, size_t n, double *center, double *factor)
{
    double mean = vd_mean(column, n), variance = vd_variance(column, n, 0);
    /* The rounding error that a constant column's variance can have, by scikit-learn's
     * bound: a variance below it means a constant column. */
    double noise = (double)n * DBL_EPSILON * variance +
                   ((double)n * mean * DBL_EPSILON) * ((double)n * mean * DBL_EPSILON);

    *center = mean;
    *factor = variance > noise ? 1 / sqrt(variance) : 1;
}

/* Scales by median and interquartile range; a column whose middle half is constant takes
 * its factor from `standard`. Reorders the column. */
static void robust(double *column, size_t n, double *center, double *factor)
{
    double range;

    vd_sort(column, n);
    *center = vd_quantile_sorted(column, n, 0.5);
    range = vd_quantile_sorted(column, n, 0.75) - vd_quantile_sorted(column, n, 0.25);
    if (range > 0)
        *factor = 1.349 / range;
    else
        standard(column, n, &(double){0}, factor);
}

enum vd_status vd__scaler_fit(struct vd__scaler *s, const struct vd_matrix *x,
                              enum vd__scale kind)
{
    double *column = vd__alloc(x->n, sizeof *column);

    if (column == NULL)
        return VD_ERR_MEMORY;
    for (size_t j = 0; j < x->d; j++) {
        s->center[j] = 0;
        s->factor[j] = 1;
        for (size_t i = 0; i < x->n; i++)
            column[i] = vd_matrix_row(x, i)[j];
        if (kind == VD__SCALE_STANDARD)
            standard(column, x->n, &s->center[j], &s->factor[j]);
        else if (kind == VD__SCALE_ROBUST)
            robust(column, x->n, &s->center[j], &s->factor[j]);
    }
    vd__free(column);
    return VD_OK;
}

void vd__scaler_apply_all(const struct vd__scaler *s, const struct vd_matrix *x,
                          double *z)
{
    for (size_t i = 0; i < x->n; i++)
        vd__scaler_apply(s, vd_matrix_row(x, i), z + i * x->d, x->d);
}

void vd__scaler_save(const struct vd__scaler *s, struct vd_writer *w, size_t d)
{
    vd_write_f64s(w, s->center, d);
    vd_write_f64s(w, s->factor, d);
}

bool vd__load_numbers(struct vd_reader *r, double *values, size_t n)
{
    bool good = true;

    vd_read_f64s(r, values, n);
    for (size_t i = 0; i < n; i++)
        good &= fabs(values[i]) <= 1e300;
    return good && !r->failed;
}

bool vd__scaler_load(struct vd__scaler *s, struct vd_reader *r, size_t d)
{
    return vd__load_numbers(r, s->center, d) && vd__load_numbers(r, s->factor, d);
}

size_t vd__layout(size_t *total, size_t count, size_t size)
{
    size_t at = *total <= SIZE_MAX - 63 ? (*total + 63) / 64 * 64 : SIZE_MAX;

    if (count > (SIZE_MAX - at) / size)
        *total = SIZE_MAX;
    else
        *total = at + count * size;
    return at;
}
