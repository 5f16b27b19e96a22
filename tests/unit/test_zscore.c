/* lib/detect: rolling window of normal samples, robust z. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "vedette/rng.h"
#include "vedette/stats.h"
#include "vedette/zscore.h"

/* 1 .. 31: median 16, deviations 0, 1, 1, ..., 15, 15 with median 8. */
static void median_and_sigma_by_hand(void **state)
{
    struct vd_rolling rolling;

    (void)state;
    assert_int_equal(vd_rolling_init(&rolling, 0), VD_OK);
    for (int i = 1; i <= 29; i++)
        vd_rolling_push(&rolling, i);
    vd_rolling_push(&rolling, NAN);
    assert_true(isnan(vd_rolling_expected(&rolling)));
    assert_true(isnan(vd_rolling_z(&rolling, 5, 0)));
    vd_rolling_push(&rolling, 31);
    vd_rolling_push(&rolling, 30);
    assert_double_equal(vd_rolling_expected(&rolling), 16, 0);
    assert_double_equal(vd_rolling_sigma(&rolling), 1.4826 * 8, 1e-12);
    assert_double_equal(vd_rolling_z(&rolling, 16 + 2 * 1.4826 * 8, 0), 2, 1e-6);
    assert_double_equal(vd_rolling_z(&rolling, 1e300, 0), VD_Z_MAX, 0);
    assert_double_equal(vd_rolling_z(&rolling, -INFINITY, 0), -VD_Z_MAX, 0);
    assert_true(isnan(vd_rolling_z(&rolling, NAN, 0)));
    vd_rolling_release(&rolling);
}

static void mostly_equal_samples_fall_back_to_the_mean(void **state)
{
    struct vd_rolling rolling;

    (void)state;
    assert_int_equal(vd_rolling_init(&rolling, 40), VD_OK);
    for (int i = 0; i < 40; i++)
        vd_rolling_push(&rolling, i < 30 ? 5 : 9);
    assert_double_equal(vd_rolling_expected(&rolling), 5, 0);
    assert_double_equal(vd_rolling_sigma(&rolling), 1.2533 * 1, 1e-12);
    vd_rolling_release(&rolling);
}

static void constant_metric_that_moves_is_far(void **state)
{
    struct vd_rolling rolling;

    (void)state;
    assert_int_equal(vd_rolling_init(&rolling, 0), VD_OK);
    for (int i = 0; i < 200; i++)
        vd_rolling_push(&rolling, 0.1);
    assert_double_equal(vd_rolling_sigma(&rolling), 0, 0);
    assert_double_equal(vd_rolling_z(&rolling, 0.1, 0), 0, 0);
    assert_double_equal(vd_rolling_z(&rolling, 0.2, 0), VD_Z_MAX, 0);
    assert_double_equal(vd_rolling_z(&rolling, 0.05, 0), -VD_Z_MAX, 0);
    vd_rolling_release(&rolling);
}

/* Against a sort of the last samples, for odd and even windows, with many ties. */
static void window_agrees_with_sorting(void **state)
{
    const size_t windows[] = {30, 31, 200};

    (void)state;
    for (size_t k = 0; k < 3; k++) {
        struct vd_rolling rolling;
        double all[1000], copy[200];
        struct vd_rng rng;

        vd_rng_init(&rng, k);
        assert_int_equal(vd_rolling_init(&rolling, windows[k]), VD_OK);
        for (size_t i = 0; i < 1000; i++) {
            size_t n = i + 1 < windows[k] ? i + 1 : windows[k];
            double median, mad;

            all[i] = (double)vd_rng_below(&rng, i < 500 ? 50 : 5);
            vd_rolling_push(&rolling, all[i]);
            if (n < VD_ROLLING_MIN)
                continue;
            memcpy(copy, all + i + 1 - n, n * sizeof *copy);
            median = vd_median(copy, n);
            mad = vd_mad(copy, n, median);
            assert_double_equal(vd_rolling_expected(&rolling), median, 0);
            if (mad > 0)
                assert_double_equal(vd_rolling_sigma(&rolling), mad, 1e-9);
        }
        vd_rolling_release(&rolling);
    }
}

static void huge_and_tiny_values_stay_finite(void **state)
{
    const double values[] = {1e308, -1e308, 5e-324, -5e-324, INFINITY, -INFINITY, 0};
    struct vd_rolling rolling;

    (void)state;
    assert_int_equal(vd_rolling_init(&rolling, 30), VD_OK);
    for (size_t i = 0; i < 100; i++) {
        vd_rolling_push(&rolling, values[i % 7]);
        if (i >= 29)
            assert_true(isfinite(vd_rolling_z(&rolling, values[(i + 3) % 7], 0)));
    }
    assert_int_equal(rolling.n, 30);
    vd_rolling_release(&rolling);
}

static void window_sizes_are_checked(void **state)
{
    struct vd_rolling rolling;

    (void)state;
    assert_int_equal(vd_rolling_init(&rolling, 29), VD_ERR_ARGUMENT);
    vd_rolling_release(&rolling);
    assert_int_equal(vd_rolling_init(&rolling, VD_ROLLING_MAX + 1), VD_ERR_ARGUMENT);
    vd_rolling_release(&rolling);
    vd_rolling_release(NULL);
}

static void window_survives_saving(void **state)
{
    struct vd_rolling rolling, back;
    struct vd_writer w = {0};
    struct vd_reader r;

    (void)state;
    assert_int_equal(vd_rolling_init(&rolling, 50), VD_OK);
    assert_int_equal(vd_rolling_init(&back, 50), VD_OK);
    for (int i = 0; i < 77; i++)
        vd_rolling_push(&rolling, i * i % 13);
    vd_rolling_save(&rolling, &w);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(vd_rolling_load(&back, &r, NULL), VD_OK);
    for (int i = 0; i < 60; i++) {
        vd_rolling_push(&rolling, i);
        vd_rolling_push(&back, i);
        assert_double_equal(vd_rolling_z(&back, 7, 0), vd_rolling_z(&rolling, 7, 0), 0);
    }
    for (size_t size = 0; size < w.size; size++) {
        vd_reader_init(&r, w.at, size);
        assert_int_equal(vd_rolling_load(&back, &r, NULL), VD_ERR_FORMAT);
        assert_int_equal(back.n, 0);
    }
    vd_writer_release(&w);
    vd_rolling_release(&rolling);
    vd_rolling_release(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(median_and_sigma_by_hand),
        cmocka_unit_test(mostly_equal_samples_fall_back_to_the_mean),
        cmocka_unit_test(constant_metric_that_moves_is_far),
        cmocka_unit_test(window_agrees_with_sorting),
        cmocka_unit_test(huge_and_tiny_values_stay_finite),
        cmocka_unit_test(window_sizes_are_checked),
        cmocka_unit_test(window_survives_saving),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
