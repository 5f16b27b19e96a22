/* What names from outside say: of foreign columns, and of ours elsewhere. */
#include "unit.h"

#include <string.h>

#include "metrics.h"

static void foreign_names_say_what_they_are_about(void **state)
{
    static const struct {
        const char *name, *unit;
        bool counts;
        enum record_group group;
        double floor;
    } cases[] = {
        {"cpu_usage_pct", "%", false, RECORD_GROUP_CPU, 2},
        {"cpu_temp", "C", false, RECORD_GROUP_TEMPERATURE, 2},
        {"memory_used_percent", "%", false, RECORD_GROUP_MEMORY, 0.75},
        {"network_in_mb", "MB/s", false, RECORD_GROUP_NETWORK, 1},
        {"load_average", "", false, RECORD_GROUP_CPU, 0.25},
        {"nthreads", "", false, RECORD_GROUP_PROCESSES, 5},
        {"utime", "s/s", true, RECORD_GROUP_CPU, 0},
        {"rchar", "1/s", true, RECORD_GROUP_DISK, 50},
        {"rx_packets", "1/s", true, RECORD_GROUP_NETWORK, 1000},
        {"pss", "", false, RECORD_GROUP_MEMORY, 0},
        {"volume_flow", "", false, RECORD_GROUP_OTHER, 0},
        {"", "", false, RECORD_GROUP_OTHER, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record_metric m = metrics_guess(cases[i].name, cases[i].counts);

        print_message("%s\n", cases[i].name);
        assert_string_equal(m.unit, cases[i].unit);
        assert_int_equal(m.group, cases[i].group);
        assert_double_equal(m.sigma_floor, cases[i].floor, 0);
        assert_int_equal(m.kind, cases[i].counts ? RECORD_RATE : RECORD_GAUGE);
        assert_double_equal(m.scale, 1, 0);
    }
}

static void data_per_time_is_known_by_unit_or_by_what_is_counted(void **state)
{
    (void)state;
    assert_true(metrics_guess("disk_in_mb", false).is_byte_rate);
    assert_true(metrics_guess("rchar", true).is_byte_rate);
    assert_true(metrics_guess("tx_bytes", true).is_byte_rate);
    assert_false(metrics_guess("tx_packets", true).is_byte_rate);
    assert_false(metrics_guess("bytes", false).is_byte_rate);
}

static void some_are_worse_when_there_is_less_and_some_fill(void **state)
{
    (void)state;
    assert_true(metrics_guess("memory_available_gb", false).less_is_worse);
    assert_true(metrics_guess("filesystem_free_gb", false).less_is_worse);
    assert_false(metrics_guess("cpu_freq", false).less_is_worse);
    assert_false(metrics_guess("filesystem_percent", false).less_is_worse);
    assert_true(metrics_guess("filesystem_percent", false).fills);
    assert_false(metrics_guess("disk_busy_percent", false).fills);
}

static void ours_are_known_by_other_names(void **state)
{
    double factor = 0;

    (void)state;
    assert_string_equal(metrics_canonical("memory_percent"), "cpu_memory");
    assert_string_equal(metrics_canonical("cpu_memory"), "cpu_memory");
    assert_string_equal(metrics_canonical("flow"), "flow");
    assert_string_equal(metrics_node_name("memory_slab_mb", &factor),
                        "node_memory_Slab_bytes");
    assert_double_equal(factor, 1048576, 0);
    assert_null(metrics_node_name("disk_read_mb", &factor));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_names_say_what_they_are_about),
        cmocka_unit_test(data_per_time_is_known_by_unit_or_by_what_is_counted),
        cmocka_unit_test(some_are_worse_when_there_is_less_and_some_fill),
        cmocka_unit_test(ours_are_known_by_other_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
