/* Adds faults of known place and size to a series that is taken to be normal. Whether it
 * is normal is not checked: a fault that it has already stays unlabelled.
 */
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "vedette/evaluate.h"
#include "vedette/stats.h"

/* Places tried in a row before the search for a free one is given up. */
enum { PLACES_TRIED = 64 };

static const char *const NAMES[VD_FAULTS] = {"spike", "dip", "drift", "leak", "step"};

const char *vd_fault_name(enum vd_fault fault)
{
    return (unsigned)fault < VD_FAULTS ? NAMES[fault] : NULL;
}

/* Computes the shape of a fault: its height at row i of `length`, in -1 .. 1. */
static double course(enum vd_fault fault, size_t i, size_t length)
{
    double position = (double)(i + 1) / (double)length;

    switch (fault) {
    case VD_FAULT_DIP:
        return -1;
    case VD_FAULT_DRIFT:
        return 1 - fabs(2 * position - 1 - 1 / (double)length);
    case VD_FAULT_LEAK:
        return position;
    default:
        return 1;
    }
}

void vd_fault_add(double *x, uint8_t *label, size_t n, enum vd_fault fault, size_t start,
                  size_t length, double height)
{
    for (size_t i = 0; i < length && start < n && i < n - start; i++) {
        x[start + i] += height * course(fault, i, length);
        if (label != NULL)
            label[start + i] = 1;
    }
}

struct vd_inject_params vd_inject_params_default(void)
{
    return (struct vd_inject_params){
        .share = 0.05,
        .kinds = (1u << VD_FAULTS) - 1,
        .height_sigmas = 6,
        .longest = 60,
    };
}

/* Computes a robust sigma of the series. A constant series has none: it gets a tenth of
 * its level, or 1 for the level 0. */
static enum vd_status scale_of(const double *x, size_t n, double *scale)
{
    double *copy = vd__alloc(n, sizeof *copy), center;
    size_t kept = 0;

    if (copy == NULL)
        return VD_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i]))
            copy[kept++] = x[i];
    center = vd_median(copy, kept);
    *scale = vd_mad(copy, kept, center);
    if (!(*scale > 0))
        *scale = center != 0 && isfinite(center) ? fabs(center) / 10 : 1;
    vd__free(copy);
    return VD_OK;
}

/* Draws one of the kinds that are asked for; at least one must be. */
static enum vd_fault draw_kind(unsigned kinds, struct vd_rng *rng)
{
    enum vd_fault fault;

    do
        fault = (enum vd_fault)vd_rng_below(rng, VD_FAULTS);
    while (!(kinds >> fault & 1));
    return fault;
}

/* Draws the length of a fault in rows: 1 .. 3, or a quarter of `longest` and up. */
static size_t draw_length(enum vd_fault fault, size_t longest, struct vd_rng *rng)
{
    bool is_short = fault == VD_FAULT_SPIKE || fault == VD_FAULT_DIP;
    size_t most = is_short || longest < 3 ? 3 : longest;
    size_t least = is_short ? 1 : (most + 3) / 4;

    return least + vd_rng_below(rng, most - least + 1);
}

/* Tells whether a place has no fault and a normal row before and after it. */
static bool is_free(const uint8_t *label, size_t n, size_t start, size_t length)
{
    size_t from = start == 0 ? 0 : start - 1;

    for (size_t i = from; i < n && i <= start + length; i++)
        if (label[i])
            return false;
    return true;
}

enum vd_status vd_inject(double *x, uint8_t *label, size_t n,
                         const struct vd_inject_params *params, struct vd_rng *rng,
                         struct vd_error *err)
{
    struct vd_inject_params p = params == NULL ? vd_inject_params_default() : *params;
    size_t wanted, done = 0;
    double scale;

    if (!(p.share > 0 && p.share <= 0.5) || (p.kinds & ((1u << VD_FAULTS) - 1)) == 0 ||
        p.quiet >= n)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                            "no faults can be put into %zu rows so", n);
    if (scale_of(x, n, &scale) != VD_OK)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for %zu rows", n);
    memset(label, 0, n);
    wanted = (size_t)(p.share * (double)n + 0.5);
    for (int tries = 0; done < wanted && tries < PLACES_TRIED; tries++) {
        enum vd_fault fault = draw_kind(p.kinds, rng);
        size_t length = draw_length(fault, p.longest, rng);
        size_t start = p.quiet + vd_rng_below(rng, n - p.quiet);
        double height = scale * p.height_sigmas * (0.75 + 0.5 * vd_rng_uniform(rng));

        if (length > wanted - done)
            length = wanted - done;
        if (length > n - start || !is_free(label, n, start, length))
            continue;
        if ((fault == VD_FAULT_DRIFT || fault == VD_FAULT_STEP) && vd_rng_below(rng, 2))
            height = -height;
        vd_fault_add(x, label, n, fault, start, length, height);
        done += length;
        tries = -1;
    }
    assert(done <= wanted);
    return VD_OK;
}
