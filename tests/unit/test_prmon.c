/* prmon's lines and summary, made of known rows. */
#include "unit.h"

#include <string.h>

#include "format/prmon.h"

static void show_all(struct format_prmon *prmon)
{
    *prmon = (struct format_prmon){0};
    for (int i = 0; i < FORMAT_PRMON_ELAPSED; i++)
        prmon->shown[i] = true;
}

static void test_head(void **state)
{
    char text[FORMAT_PRMON_LINE_MAX];
    struct format_prmon prmon;

    (void)state;
    show_all(&prmon);
    text[format_prmon_head(&prmon, text)] = '\0';
    assert_string_equal(text,
                        "Time\twtime\tgpufbmem\tgpumempct\tgpusmpct\tngpus\tpss\trss\t"
                        "swap\tvmem\trchar\tread_bytes\twchar\twrite_bytes\t"
                        "rx_bytes\trx_packets\ttx_bytes\ttx_packets\tstime\tutime\t"
                        "nprocs\tnthreads\n");
    prmon.shown[FORMAT_PRMON_ELAPSED] = prmon.has_phase = true;
    assert_true(format_prmon_disable(&prmon, "all"));
    text[format_prmon_head(&prmon, text)] = '\0';
    assert_string_equal(text, "Time\twtime\telapsed_s\tphase\n");
}

static void test_disable(void **state)
{
    struct format_prmon prmon;

    (void)state;
    show_all(&prmon);
    for (const char *const *name = format_prmon_monitors(); *name != NULL; name++)
        assert_int_equal(format_prmon_disable(&prmon, *name),
                         strcmp(*name, "wallmon") != 0);
    for (int i = 0; i < FORMAT_PRMON_COLUMNS; i++)
        assert_int_equal(prmon.shown[i], i <= FORMAT_PRMON_WTIME);
    assert_false(format_prmon_disable(&prmon, "mem"));
    assert_false(format_prmon_disable(&prmon, ""));
}

/* Unknown fields are empty; numbers too large for any counter are cut. */
static void test_rows(void **state)
{
    double value[FORMAT_PRMON_COLUMNS];
    char text[FORMAT_PRMON_LINE_MAX];
    struct format_prmon prmon;

    (void)state;
    show_all(&prmon);
    format_prmon_disable(&prmon, "netmon");
    format_prmon_disable(&prmon, "iomon");
    for (int i = 0; i < FORMAT_PRMON_COLUMNS; i++)
        value[i] = NAN;
    value[FORMAT_PRMON_TIME] = 1795170852.9;
    value[FORMAT_PRMON_WTIME] = 1.99;
    value[FORMAT_PRMON_PSS] = 1234.6;
    value[FORMAT_PRMON_RSS] = 1e300;
    value[FORMAT_PRMON_SWAP] = -1;
    value[FORMAT_PRMON_UTIME] = 1.996;
    value[FORMAT_PRMON_STIME] = 0.014;
    text[format_prmon_row(&prmon, value, "", text)] = '\0';
    assert_string_equal(text, "1795170852\t1\t\t\t\t\t1235\t10000000000000000000\t0\t\t"
                              "0.01\t2.00\t\t\n");
    prmon.whole_seconds = prmon.has_phase = true;
    text[format_prmon_row(&prmon, value, "io", text)] = '\0';
    assert_string_equal(text, "1795170852\t1\t\t\t\t\t1235\t10000000000000000000\t0\t\t"
                              "0\t1\t\t\tio\n");
}

/* The longest row there can be fits. */
static void test_the_longest_row(void **state)
{
    double value[FORMAT_PRMON_COLUMNS];
    char text[FORMAT_PRMON_LINE_MAX], phase[FORMAT_PRMON_PHASE_MAX];
    struct format_prmon prmon;

    (void)state;
    show_all(&prmon);
    prmon.shown[FORMAT_PRMON_ELAPSED] = prmon.has_phase = true;
    for (int i = 0; i < FORMAT_PRMON_COLUMNS; i++)
        value[i] = 1e308;
    memset(phase, 'p', sizeof phase - 1);
    phase[sizeof phase - 1] = '\0';
    assert_true(format_prmon_row(&prmon, value, phase, text) < sizeof text);
}

static double number(const json_t *root, const char *part, const char *name)
{
    return json_number_value(json_object_get(json_object_get(root, part), name));
}

/* Averages of memory are of the samples, those of counters are per second: 600 bytes in 4
 * seconds are 150 a second, not 15,000. A row that was not measured adds to no mean. */
static void test_summary(void **state)
{
    struct format_prmon_sums sums = {0};
    double value[FORMAT_PRMON_COLUMNS];
    struct format_prmon prmon;
    json_t *root;

    (void)state;
    show_all(&prmon);
    for (int i = 0; i < FORMAT_PRMON_COLUMNS; i++)
        value[i] = NAN;
    for (int row = 1; row <= 3; row++) {
        value[FORMAT_PRMON_PSS] = 100 * row;
        value[FORMAT_PRMON_RCHAR] = value[FORMAT_PRMON_RX_BYTES] = 200 * row;
        value[FORMAT_PRMON_UTIME] = 0.5 * row;
        value[FORMAT_PRMON_WTIME] = row + 1;
        format_prmon_add(&sums, value, row < 3);
    }
    root = format_prmon_summary(&prmon, &sums, 4, 3, true);
    assert_double_equal(number(root, "Max", "pss"), 300, 0);
    assert_double_equal(number(root, "Avg", "pss"), 150, 0);
    assert_double_equal(number(root, "Max", "rchar"), 600, 0);
    assert_double_equal(number(root, "Avg", "rchar"), 150, 0);
    assert_double_equal(number(root, "Avg", "rx_bytes"), 200, 0);
    assert_double_equal(number(root, "Max", "utime"), 1.5, 0);
    assert_null(json_object_get(json_object_get(root, "Avg"), "utime"));
    assert_true(json_is_null(json_object_get(json_object_get(root, "Max"), "gpufbmem")));
    assert_true(json_is_null(json_object_get(json_object_get(root, "Avg"), "swap")));
    assert_true(json_is_integer(json_object_get(json_object_get(root, "Max"), "pss")));
    assert_true(json_is_real(json_object_get(json_object_get(root, "Avg"), "pss")));
    assert_string_equal(
        json_string_value(json_object_get(
            json_object_get(json_object_get(root, "Units"), "Avg"), "tx_packets")),
        "1/s");
    json_decref(root);
    root = format_prmon_summary(&prmon, &sums, 0, 0, false);
    assert_true(json_is_null(json_object_get(json_object_get(root, "Avg"), "rchar")));
    assert_null(json_object_get(root, "Units"));
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head),    cmocka_unit_test(test_disable),
        cmocka_unit_test(test_rows),    cmocka_unit_test(test_the_longest_row),
        cmocka_unit_test(test_summary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
