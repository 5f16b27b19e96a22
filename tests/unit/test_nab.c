/* lib/evaluate: the NAB score, worked by hand. */
#include "unit.h"

#include "vedette/nab.h"

/* sigma(-1) = 2 / (1 + e^-5) - 1 = (1 - e^-5) / (1 + e^-5). */
static const double LEFT = 0.98661429815143028;

static struct vd_nab_result score(const uint8_t *detected, size_t n,
                                  const struct vd_nab_window *windows, size_t n_windows,
                                  size_t profile)
{
    struct vd_nab_result result = {0};
    size_t n_profiles;

    vd_nab_score(detected, n, windows, n_windows, &vd_nab_profiles(&n_profiles)[profile],
                 &result);
    return result;
}

static void probation_is_the_benchmarks(void **state)
{
    (void)state;
    assert_int_equal(vd_nab_probation(0), 0);
    assert_int_equal(vd_nab_probation(100), 15);
    assert_int_equal(vd_nab_probation(1126), 168); /* 168.9 */
    assert_int_equal(vd_nab_probation(4032), 604); /* 604.8 */
    assert_int_equal(vd_nab_probation(5000), 750);
    assert_int_equal(vd_nab_probation(22695), 750);
}

static void sigmoid_at_the_edges(void **state)
{
    (void)state;
    assert_double_equal(vd_nab_sigmoid(-1), LEFT, 1e-15);
    assert_double_equal(vd_nab_sigmoid(0), 0, 0);
    assert_double_equal(vd_nab_sigmoid(1), -LEFT, 1e-15);
    assert_double_equal(vd_nab_sigmoid(-0.5), 0.84828363995751, 1e-12);
    assert_double_equal(vd_nab_sigmoid(3), -1, 0);
    assert_double_equal(vd_nab_sigmoid(INFINITY), -1, 0);
}

/* 100 rows, 15 of probation, one window of 10 rows at 40 .. 49. */
static void first_row_of_a_window_is_perfect(void **state)
{
    const struct vd_nab_window window = {40, 49};
    uint8_t detected[100] = {0};
    struct vd_nab_result result;

    (void)state;
    detected[3] = 1;                                /* in the probation: does not count */
    detected[40] = detected[41] = detected[49] = 1; /* only the first pays */
    result = score(detected, 100, &window, 1, 0);
    assert_double_equal(result.score, 1, 1e-15);
    assert_double_equal(vd_nab_normalised(&result), 100, 1e-12);
    assert_int_equal(result.windows, 1);
    assert_int_equal(result.caught, 1);
    assert_int_equal(result.false_alarms, 0);
}

static void late_detection_earns_less(void **state)
{
    const struct vd_nab_window window = {40, 49};
    uint8_t detected[100] = {0};
    struct vd_nab_result result;

    (void)state;
    detected[45] = 1; /* y = -(49 - 45 + 1) / 10 = -0.5 */
    result = score(detected, 100, &window, 1, 0);
    assert_double_equal(result.score, 0.84828363995751 / LEFT, 1e-12);
    assert_double_equal(vd_nab_normalised(&result),
                        100 * (0.84828363995751 / LEFT + 1) / 2, 1e-10);
}

static void silence_is_zero_in_every_profile(void **state)
{
    const struct vd_nab_window windows[] = {{40, 49}, {60, 69}};
    const double misses[] = {-2, -2, -4};
    uint8_t detected[100] = {0};

    (void)state;
    for (size_t profile = 0; profile < 3; profile++) {
        struct vd_nab_result result = score(detected, 100, windows, 2, profile);

        assert_double_equal(result.score, misses[profile], 0);
        assert_double_equal(vd_nab_normalised(&result), 0, 0);
    }
}

static void false_alarms_cost_by_distance(void **state)
{
    const struct vd_nab_window window = {40, 49};
    uint8_t detected[100] = {0};
    struct vd_nab_result result;

    (void)state;
    detected[20] = 1; /* before any window: -1 */
    detected[49] = 1; /* the last row earns sigma(-0.1) = 0.244919 */
    detected[58] = 1; /* 9 rows past 10 wide: y = 9 / 9 = 1 */
    detected[76] = 1; /* y = 27 / 9 = 3: -1 */
    result = score(detected, 100, &window, 1, 0);
    assert_int_equal(result.false_alarms, 3);
    assert_double_equal(result.score, 0.2449186624 / LEFT - 0.11 * (1 + LEFT + 1), 1e-9);
    result = score(detected, 100, &window, 1, 1);
    assert_double_equal(result.score, 0.2449186624 / LEFT - 0.22 * (1 + LEFT + 1), 1e-9);
}

static void window_in_the_probation_is_left_out(void **state)
{
    const struct vd_nab_window windows[] = {{2, 9}, {12, 21}};
    uint8_t detected[100] = {0};
    struct vd_nab_result result;

    (void)state;
    detected[5] = 1;
    detected[13] = 1; /* in the second window, but before row 15 */
    detected[17] = 1; /* y = -(21 - 17 + 1) / 10 */
    result = score(detected, 100, windows, 2, 0);
    assert_int_equal(result.windows, 1);
    assert_double_equal(result.score, 0.84828363995751 / LEFT, 1e-12);
}

static void series_without_windows_only_cost(void **state)
{
    uint8_t detected[100] = {0};
    struct vd_nab_result result;

    (void)state;
    detected[15] = detected[99] = 1;
    result = score(detected, 100, NULL, 0, 1);
    assert_double_equal(result.score, -0.44, 1e-15);
    assert_true(isnan(vd_nab_normalised(&result)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probation_is_the_benchmarks),
        cmocka_unit_test(sigmoid_at_the_edges),
        cmocka_unit_test(first_row_of_a_window_is_perfect),
        cmocka_unit_test(late_detection_earns_less),
        cmocka_unit_test(silence_is_zero_in_every_profile),
        cmocka_unit_test(false_alarms_cost_by_distance),
        cmocka_unit_test(window_in_the_probation_is_left_out),
        cmocka_unit_test(series_without_windows_only_cost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
