#include "unit.h"

#include "alloc_fault.h"
#include "feature/rates.h"
#include "vedette/rate.h"

static void test_delta(void **state)
{
    (void)state;
    assert_double_equal(vd_delta(5, 3), 2, 0);
    assert_double_equal(vd_delta(3, 3), 0, 0);
    assert_double_equal(vd_delta(3, 5), NAN, 0); /* reset, wrap */
    assert_double_equal(vd_delta(NAN, 5), NAN, 0);
    assert_double_equal(vd_delta(5, NAN), NAN, 0);
    assert_double_equal(vd_delta(INFINITY, 5), NAN, 0);
}

static void test_rate(void **state)
{
    (void)state;
    assert_double_equal(vd_rate(30, 10, 4), 5, 0);
    assert_double_equal(vd_rate(30, 10, 0), NAN, 0);
    assert_double_equal(vd_rate(30, 10, -1), NAN, 0);
    assert_double_equal(vd_rate(30, 10, NAN), NAN, 0);
    assert_double_equal(vd_rate(1e300, 0, 1e-300), NAN, 0);
}

static void test_ratio(void **state)
{
    (void)state;
    assert_double_equal(vd_ratio(7, 5, 30, 20), 0.2, 1e-15);
    assert_double_equal(vd_ratio(5, 5, 20, 20), NAN, 0); /* nothing happened */
    assert_double_equal(vd_ratio(5, 5, 30, 20), 0, 0);
    assert_double_equal(vd_ratio(7, 5, 10, 20), NAN, 0);
}

/* ---- the stage ---- */

struct bench {
    struct record_schema schema;
    struct record_sample sample;
    double raw[RECORD_METRICS_MAX], base[RECORD_METRICS_MAX];
    feature_rates *rates;
};

static const struct record_metric gauge = {
    .name = "gauge", .kind = RECORD_GAUGE, .scale = 2};
static const struct record_metric rate = {
    .name = "rate", .kind = RECORD_RATE, .scale = 10};
static const struct record_metric ratio = {
    .name = "ratio", .kind = RECORD_RATIO, .scale = 100};

static int set_up(void **state)
{
    static struct bench bench;

    bench = (struct bench){0};
    assert_int_equal(feature_rates_new(&bench.rates, NULL), VD_OK);
    record_schema_add(&bench.schema, &gauge, NULL);
    record_schema_add(&bench.schema, &rate, NULL);
    record_schema_add(&bench.schema, &ratio, NULL);
    bench.sample = (struct record_sample){
        .schema = &bench.schema, .raw = bench.raw, .base = bench.base};
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    feature_rates_free(bench->rates);
    record_schema_release(&bench->schema);
    return 0;
}

static const double *tick(struct bench *bench, int64_t mono_ns, double g, double r,
                          double numerator, double base)
{
    bench->sample.mono_ns = mono_ns;
    bench->raw[0] = g;
    bench->raw[1] = r;
    bench->raw[2] = numerator;
    bench->base[2] = base;
    return feature_rates_update(bench->rates, &bench->sample);
}

static void test_first_tick_has_no_rates(void **state)
{
    const double *value = tick(*state, 5000000000, 21, 100, 10, 50);

    assert_double_equal(value[0], 42, 0);
    assert_double_equal(value[1], NAN, 0);
    assert_double_equal(value[2], NAN, 0);
}

static void test_rates_use_the_time_that_passed(void **state)
{
    const double *value;

    tick(*state, 5000000000, 0, 100, 10, 50);
    value = tick(*state, 5500000000, 0, 103, 15, 60);
    assert_double_equal(value[1], 60, 1e-9); /* 3 in half a second, times 10 */
    assert_double_equal(value[2], 50, 1e-9);
}

static void test_reset_and_recovery(void **state)
{
    const double *value;

    tick(*state, 1000000000, 0, 100, 10, 50);
    value = tick(*state, 2000000000, 0, 5, 1, 2);
    assert_double_equal(value[1], NAN, 0);
    assert_double_equal(value[2], NAN, 0);
    value = tick(*state, 3000000000, 0, 6, 2, 4);
    assert_double_equal(value[1], 10, 1e-9);
    assert_double_equal(value[2], 50, 1e-9);
}

static void test_gap_makes_no_rate_over_it(void **state)
{
    const double *value;

    tick(*state, 1000000000, 0, 100, 10, 50);
    value = tick(*state, 2000000000, NAN, NAN, NAN, NAN);
    for (int i = 0; i < 3; i++)
        assert_double_equal(value[i], NAN, 0);
    value = tick(*state, 3000000000, 1, 300, 20, 60);
    assert_double_equal(value[1], NAN, 0);
    value = tick(*state, 4000000000, 1, 301, 20, 60);
    assert_double_equal(value[1], 10, 1e-9);
}

static void test_clock_that_stands_or_goes_back(void **state)
{
    const double *value;

    tick(*state, 2000000000, 0, 100, 10, 50);
    value = tick(*state, 2000000000, 0, 200, 10, 50);
    assert_double_equal(value[1], NAN, 0);
    value = tick(*state, 1000000000, 0, 300, 20, 60);
    assert_double_equal(value[1], NAN, 0);
    assert_double_equal(value[2], 100, 1e-9); /* needs no clock */
}

static void test_schema_grows(void **state)
{
    struct bench *bench = *state;
    const double *value;
    size_t added;

    tick(bench, 1000000000, 0, 100, 10, 50);
    added = record_schema_add(&bench->schema, &rate, "sdb");
    bench->raw[added] = 7;
    value = tick(bench, 2000000000, 0, 101, 11, 51);
    assert_double_equal(value[1], 10, 1e-9);
    assert_double_equal(value[added], NAN, 0);
    bench->raw[added] = 9;
    value = tick(bench, 3000000000, 0, 101, 11, 51);
    assert_double_equal(value[added], 20, 1e-9);
}

static void test_reset_forgets(void **state)
{
    struct bench *bench = *state;
    const double *value;

    tick(bench, 1000000000, 0, 100, 10, 50);
    feature_rates_reset(bench->rates);
    value = tick(bench, 2000000000, 3, 200, 20, 60);
    assert_double_equal(value[0], 6, 0);
    assert_double_equal(value[1], NAN, 0);
    assert_double_equal(value[2], NAN, 0);
}

static void test_allocates_nothing(void **state)
{
    tick(*state, 1000000000, 0, 100, 10, 50);
    alloc_fault_at(0);
    tick(*state, 2000000000, 0, 101, 11, 51);
    assert_int_equal(alloc_fault_count(), 0);
}

static void test_no_memory(void **state)
{
    feature_rates *rates = (feature_rates *)1;

    (void)state;
    alloc_fault_at(1);
    assert_int_equal(feature_rates_new(&rates, NULL), VD_ERR_MEMORY);
    alloc_fault_at(0);
    assert_null(rates);
    feature_rates_free(rates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delta),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_ratio),
        cmocka_unit_test_setup_teardown(test_first_tick_has_no_rates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rates_use_the_time_that_passed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_reset_and_recovery, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gap_makes_no_rate_over_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_clock_that_stands_or_goes_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_schema_grows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reset_forgets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_allocates_nothing, set_up, tear_down),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
