/* lib/base/eigen: what it promises, on matrices of every size and kind. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/eigen.h"
#include "vedette/rng.h"

enum { MOST = 40 };

enum kind { ANY, DIAGONAL, EQUAL, ZERO, RANK_ONE, BLOCKS, HUGE_ONE, TINY_ONE, KINDS };

static double entry(enum kind kind, size_t i, size_t j, struct vd_rng *rng)
{
    switch (kind) {
    case DIAGONAL:
        return i == j ? (double)(i % 5) - 1 : 0;
    case EQUAL:
        return i == j ? 3 : 0;
    case ZERO:
        return 0;
    case RANK_ONE:
        return (double)(i + 1) * (double)(j + 1);
    case BLOCKS:
        return i / 2 == j / 2 ? vd_rng_normal(rng) : 0;
    case HUGE_ONE:
        return 1e150 * vd_rng_normal(rng);
    case TINY_ONE:
        return 1e-150 * vd_rng_normal(rng);
    default:
        return vd_rng_normal(rng);
    }
}

/* A v = value v, the vectors are of length 1 and at right angles, values fall, and the
 * largest component is positive. */
static void check(const double *a, const double *v, const double *value, size_t n,
                  double size)
{
    for (size_t k = 0; k < n; k++) {
        double largest = 0;

        assert_true(k == 0 || value[k] <= value[k - 1]);
        for (size_t i = 0; i < n; i++) {
            double sum = 0;

            for (size_t j = 0; j < n; j++)
                sum += a[i * n + j] * v[k * n + j];
            assert_double_equal(sum / size, value[k] / size * v[k * n + i], 1e-12);
            if (fabs(v[k * n + i]) > fabs(largest) * (1 + 1e-9))
                largest = v[k * n + i];
        }
        assert_true(largest > 0);
        for (size_t l = 0; l <= k; l++) {
            double dot = 0;

            for (size_t i = 0; i < n; i++)
                dot += v[k * n + i] * v[l * n + i];
            assert_double_equal(dot, k == l, 1e-12);
        }
    }
}

static void vectors_and_values_are_those_of_the_matrix(void **state)
{
    struct vd_rng rng;

    (void)state;
    vd_rng_init(&rng, 2);
    for (enum kind kind = ANY; kind < KINDS; kind++)
        for (size_t n = 1; n <= MOST; n += n < 12 ? 1 : 7) {
            double a[MOST * MOST], v[MOST * MOST], value[MOST], size = 1e-300;

            for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j <= i; j++)
                    a[i * n + j] = a[j * n + i] = entry(kind, i, j, &rng);
            for (size_t i = 0; i < n * n; i++)
                size = fmax(size, fabs(a[i]) * (double)n);
            memcpy(v, a, sizeof v);
            assert_int_equal(vd__eigen(v, value, n), VD_OK);
            check(a, v, value, n, size);
        }
}

static void values_are_known_ones(void **state)
{
    double a[] = {2, 1, 1, 2}, value[2], one[] = {-7},
           three[] = {4, 1, 0, 1, 4, 0, 0, 0, 9}, values[3];

    (void)state;
    assert_int_equal(vd__eigen(a, value, 2), VD_OK);
    assert_double_equal(value[0], 3, 1e-15);
    assert_double_equal(value[1], 1, 1e-15);
    assert_double_equal(a[0], sqrt(0.5), 1e-15);
    assert_double_equal(a[1], sqrt(0.5), 1e-15);
    assert_double_equal(fabs(a[2]), sqrt(0.5), 1e-15);
    assert_int_equal(vd__eigen(one, value, 1), VD_OK);
    assert_double_equal(value[0], -7, 0);
    assert_double_equal(one[0], 1, 0);
    assert_int_equal(vd__eigen(three, values, 3), VD_OK);
    assert_double_equal(values[0], 9, 1e-14);
    assert_double_equal(values[1], 5, 1e-14);
    assert_double_equal(values[2], 3, 1e-14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_and_values_are_those_of_the_matrix),
        cmocka_unit_test(values_are_known_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
