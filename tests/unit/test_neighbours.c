/* lib/detect/distance/neighbours.h beside what a look at every point finds. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/distance/neighbours.h"
#include "vedette/rng.h"

enum { N = 403, K = 7, SIDE = VD__NEIGHBOURS_SIDE };

static int nearer(const void *a, const void *b)
{
    const struct vd__neighbour *x = a, *y = b;

    if (x->distance2 != y->distance2)
        return x->distance2 < y->distance2 ? -1 : 1;
    return x->point < y->point ? -1 : 1;
}

static void look_at_all(const double *points, size_t d, const double *z, uint32_t except,
                        struct vd__neighbour found[N])
{
    for (uint32_t i = 0; i < N; i++) {
        double sum = 0;

        for (size_t j = 0; j < d; j++) {
            double off = points[i * d + j] - z[j];

            sum += off * off;
        }
        found[i] = (struct vd__neighbour){i == except ? INFINITY : sum, i};
    }
    qsort(found, N, sizeof *found, nearer);
}

static void same_neighbours(const struct vd__neighbour *found,
                            const struct vd__neighbour *expected, size_t d)
{
    for (size_t i = 0; i < K; i++)
        if (found[i].point != expected[i].point ||
            found[i].distance2 != expected[i].distance2)
            fail_msg("%zu columns, neighbour %zu: point %u at %.17g, not %u at %.17g", d,
                     i, found[i].point, found[i].distance2, expected[i].point,
                     expected[i].distance2);
}

/* Few distinct values, so that the K-th neighbour is one of many at its distance. */
static void fill(double *points, size_t n, struct vd_rng *rng)
{
    for (size_t i = 0; i < n; i++)
        points[i] = floor(3 * vd_rng_uniform(rng));
}

static void neighbours_are_the_nearest_equal_ones_by_row(void **state)
{
    /* A tree, and a scan. */
    const size_t columns[] = {1, 3, 14, 15, 50};
    struct vd_rng rng;

    (void)state;
    vd_rng_init(&rng, 8);
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        size_t d = columns[c];
        double *points = malloc(N * d * sizeof *points);
        struct vd__neighbours nb;

        assert_non_null(points);
        fill(points, N * d, &rng);
        assert_int_equal(vd__neighbours_init(&nb, points, N, d), VD_OK);
        for (uint32_t first = 0; first + SIDE <= N; first += SIDE) {
            struct vd__neighbour side[SIDE * K], one[K], all[N];

            vd__neighbours_find_side(&nb, points + first * d, K, first, side);
            for (uint32_t r = first; r < first + SIDE; r++) {
                look_at_all(points, d, points + r * d, r, all);
                vd__neighbours_find(&nb, points + r * d, K, r, one);
                same_neighbours(one, all, d);
                same_neighbours(side + (r - first) * K, all, d);
            }
            vd__neighbours_find_side(&nb, points + first * d, K, UINT32_MAX, side);
            look_at_all(points, d, points + first * d, UINT32_MAX, all);
            same_neighbours(side, all, d);
        }
        vd__neighbours_release(&nb);
        free(points);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_are_the_nearest_equal_ones_by_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
