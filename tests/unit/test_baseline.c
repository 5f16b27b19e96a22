/* src/detect/baseline.h: what is usual for each metric, and what matters. */
#include "unit.h"

#include "detect/baseline.h"
#include "schema_fixture.h"
#include "vedette/rng.h"

static void z_has_a_floor_that_keeps_small_moves_small(void **state)
{
    double value[METRICS] = {0.1, 40, NAN, 0, 50, 50};
    struct detect_baseline b = {0};
    struct record_schema schema;

    (void)state;
    make_schema(&schema);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(detect_baseline_read(&b, &schema, value), VD_OK);
        detect_baseline_learn(&b, value);
    }
    value[CPU] = 0.9;
    value[WRITE] = 80;
    detect_baseline_read(&b, &schema, value);
    assert_true(b.z[CPU] < 1);
    assert_double_equal(b.z[WRITE], 80, 1e-6);
    assert_true(isnan(b.z[TEMP]));
    assert_double_equal(b.expected[MEMORY], 40, 1e-6);
    detect_baseline_release(&b);
    record_schema_release(&schema);
}

static void a_number_nobody_knows_has_no_floor_of_its_own(void **state)
{
    static const struct record_metric metric[] = {
        {.name = "load_1", .unit = "", .sigma_floor = 0.25},
        {.name = "volume_flow", .unit = ""},
        {.name = "disk_read_ops", .unit = "1/s", .sigma_floor = 100},
        {.name = "gpu_memory", .unit = "%", .sigma_floor = 0.75},
        {.name = "oom_kills", .unit = "1/s", .sigma_floor = 0.1},
    };
    static const double at_0[] = {0.25, 0, 100, 0.75, 0.1};
    static const double at_1000[] = {100, 10, 100, 0.75, 100};

    (void)state;
    for (size_t i = 0; i < sizeof metric / sizeof *metric; i++) {
        assert_double_equal(detect_sigma_floor(&metric[i], 0), at_0[i], 1e-12);
        assert_double_equal(detect_sigma_floor(&metric[i], 1000), at_1000[i], 1e-9);
    }
}

/* An acceleration is 0 in the middle: there nothing is small, and nothing matters more
 * than it is unusual. */
static void without_a_floor_what_is_unusual_matters(void **state)
{
    static const struct record_metric metric = {.name = "acceleration", .unit = ""};
    struct detect_baseline b = {0};
    struct record_schema schema = {0};
    struct vd_rng rng;
    double value = 0;

    (void)state;
    record_schema_add(&schema, &metric, NULL);
    vd_rng_init(&rng, 2);
    for (int i = 0; i < 201; i++) {
        value = 0.01 * vd_rng_normal(&rng);
        detect_baseline_read(&b, &schema, &value);
        detect_baseline_learn(&b, &value);
    }
    value = 0.005;
    detect_baseline_read(&b, &schema, &value);
    assert_true(detect_baseline_weight(&b, &schema, &value) < 3);
    value = 1;
    detect_baseline_read(&b, &schema, &value);
    assert_true(detect_baseline_weight(&b, &schema, &value) > 20);
    detect_baseline_release(&b);
    record_schema_release(&schema);
}

static void baseline_survives_saving(void **state)
{
    double value[METRICS] = {5, 40, 50, 0, 50, 50};
    struct detect_baseline b = {0}, c = {0};
    struct record_schema schema;
    struct vd_writer w = {0};
    struct vd_reader r;

    (void)state;
    make_schema(&schema);
    for (int i = 0; i < 100; i++) {
        detect_baseline_read(&b, &schema, value);
        detect_baseline_learn(&b, value);
    }
    detect_baseline_save(&b, &schema, &w);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(detect_baseline_load(&c, &schema, &r, NULL), VD_OK);
    detect_baseline_read(&c, &schema, value);
    assert_double_equal(c.expected[CPU], 5, 0);
    for (size_t cut = 0; cut < w.size; cut += 97) {
        struct detect_baseline d = {0};

        vd_reader_init(&r, w.at, cut);
        detect_baseline_load(&d, &schema, &r, NULL);
        detect_baseline_release(&d);
    }
    vd_writer_release(&w);
    detect_baseline_release(&b);
    detect_baseline_release(&c);
    record_schema_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(z_has_a_floor_that_keeps_small_moves_small),
        cmocka_unit_test(a_number_nobody_knows_has_no_floor_of_its_own),
        cmocka_unit_test(without_a_floor_what_is_unusual_matters),
        cmocka_unit_test(baseline_survives_saving),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
