/* lib/detect: Page-Hinkley. */
#include "unit.h"

#include "vedette/page_hinkley.h"
#include "vedette/rng.h"

/* Scores 0, 0, 4: means 0, 0, 4/3; with delta 1/3 the sum up is 4 - 4/3 - 1/3 = 7/3 and
 * the sum down 0. A fourth score -4 has mean 0: up = 0, down = 4 - 1/3. */
static void sums_are_those_worked_by_hand(void **state)
{
    struct vd_page_hinkley_params params = vd_page_hinkley_params_default();
    struct vd_page_hinkley test;

    (void)state;
    params.delta = 1.0 / 3;
    vd_page_hinkley_init(&test, &params);
    vd_page_hinkley_push(&test, 0);
    vd_page_hinkley_push(&test, 0);
    vd_page_hinkley_push(&test, 4);
    assert_double_equal(test.up, 7.0 / 3, 1e-12);
    assert_double_equal(test.down, 0, 1e-12);
    vd_page_hinkley_push(&test, NAN);
    vd_page_hinkley_push(&test, INFINITY);
    vd_page_hinkley_push(&test, -4);
    assert_double_equal(test.up, 0, 1e-12);
    assert_double_equal(test.down, 11.0 / 3, 1e-12);
}

/* 200 zeros, then ones. After k ones the mean is k / (200 + k), so each adds
 * 200 / (200 + k) - 0.005: the sum passes 50 with the 58th (sum over 57 is 49.96, over 58
 * 50.73). */
static void step_is_found_when_the_sum_says(void **state)
{
    struct vd_page_hinkley test;
    int at = 0;

    (void)state;
    vd_page_hinkley_init(&test, NULL);
    for (int i = 0; i < 200; i++)
        assert_int_equal(vd_page_hinkley_push(&test, 0), VD_DRIFT_NONE);
    for (int k = 1; k <= 100 && at == 0; k++)
        if (vd_page_hinkley_push(&test, 1) == VD_DRIFT_UP)
            at = k;
    {
        double sum = 0;
        int expected = 0;

        while (sum <= 50) {
            expected++;
            sum += 200.0 / (200 + expected) - 0.005;
        }
        assert_int_equal(at, expected);
    }
    assert_double_equal(test.n, 0, 0);
}

static void falling_scores_are_a_drift_down(void **state)
{
    struct vd_page_hinkley_params params = vd_page_hinkley_params_default();
    struct vd_page_hinkley both, up_only;
    int down = 0;

    (void)state;
    params.directions = VD_DRIFT_UP;
    vd_page_hinkley_init(&both, NULL);
    vd_page_hinkley_init(&up_only, &params);
    for (int i = 0; i < 500; i++) {
        double x = i < 300 ? 0.9 : -0.6;

        down += vd_page_hinkley_push(&both, x) == VD_DRIFT_DOWN;
        assert_int_equal(vd_page_hinkley_push(&up_only, x), VD_DRIFT_NONE);
    }
    assert_int_equal(down, 1);
}

static void nothing_is_said_before_the_warm_up(void **state)
{
    struct vd_page_hinkley test;
    int first = -1;

    (void)state;
    vd_page_hinkley_init(&test, NULL);
    for (int i = 0; i < 200 && first < 0; i++)
        if (vd_page_hinkley_push(&test, i < 20 ? 0 : 1000) != VD_DRIFT_NONE)
            first = i;
    assert_int_equal(first, 99);
}

static void steady_scores_stay_quiet(void **state)
{
    struct vd_page_hinkley test;
    struct vd_rng rng;

    (void)state;
    vd_rng_init(&rng, 3);
    vd_page_hinkley_init(&test, NULL);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(vd_page_hinkley_push(&test, 0.8 + 0.1 * vd_rng_normal(&rng)),
                         VD_DRIFT_NONE);
}

static void state_survives_saving(void **state)
{
    struct vd_page_hinkley test, back;
    struct vd_writer w = {0};
    struct vd_reader r;

    (void)state;
    vd_page_hinkley_init(&test, NULL);
    for (int i = 0; i < 150; i++)
        vd_page_hinkley_push(&test, i % 7);
    vd_page_hinkley_save(&test, &w);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(vd_page_hinkley_load(&back, &r, NULL), VD_OK);
    assert_double_equal(back.up, test.up, 0);
    assert_double_equal(back.mean, test.mean, 0);
    assert_int_equal(back.params.directions, test.params.directions);
    for (size_t size = 0; size < w.size; size++) {
        vd_reader_init(&r, w.at, size);
        assert_int_equal(vd_page_hinkley_load(&back, &r, NULL), VD_ERR_FORMAT);
    }
    vd_writer_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_worked_by_hand),
        cmocka_unit_test(step_is_found_when_the_sum_says),
        cmocka_unit_test(falling_scores_are_a_drift_down),
        cmocka_unit_test(nothing_is_said_before_the_warm_up),
        cmocka_unit_test(steady_scores_stay_quiet),
        cmocka_unit_test(state_survives_saving),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
