#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/number.h"
#include "format/time.h"
#include "machine.h"
#include "tree.h"

static struct format_csv_field field_of(const char *text)
{
    return (struct format_csv_field){text, strlen(text)};
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        {"1970-01-01 00:00:00", 0},
        {"2025-07-28 20:47:37.026039", 1753735657026039000},
        {"2025-07-28T20:47:37Z", 1753735657000000000},
        {"2025-07-28T22:47:37+02:00", 1753735657000000000},
        {"2025-07-28T15:17:37-0530", 1753735657000000000},
        {"2025/07/28 20:47", 1753735620000000000},
        {"2024-02-29", 1709164800000000000},
        {"1969-12-31 23:59:59", -1000000000},
        {"2000-03-01 00:00:00", 951868800000000000},
        {"1753735657", 1753735657000000000},
        {"1753735657.5", 1753735657500000000},
        {"1753735657026", 1753735657026000000},
        {"1753735657026039", 1753735657026039000},
        {"0", 0},
    };
    static const char *const bad[] = {"",
                                      "yesterday",
                                      "2025-13-01",
                                      "2025-00-01",
                                      "2025-01-32",
                                      "2025-01-01 24:00",
                                      "2025-01-01 10:60",
                                      "2025-01-01 10:00:00 later",
                                      "1e300",
                                      "12:30",
                                      "nan"};
    int64_t ns;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(format_time(field_of(good[i].text), &ns));
        if (ns != good[i].ns)
            fail_msg("%s is %lld, expected %lld", good[i].text, (long long)ns,
                     (long long)good[i].ns);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (format_time(field_of(bad[i]), &ns))
            fail_msg("%s is no time", bad[i]);
}

static void test_rows(void **state)
{
    static const char text[] = "a, b ,\"c,d\"\r\n\r\n1,,\"x\"\"y\nz\"\n,\nlast,\"open\n";
    struct format_scan t = format_scan_of(text, sizeof text - 1);
    struct format_csv_field field[4];

    (void)state;
    assert_int_equal(format_csv_row(&t, ',', field, 4), 3);
    assert_memory_equal(field[0].at, "a", 1);
    assert_int_equal(field[1].size, 1);
    assert_int_equal(field[2].size, 3);
    assert_memory_equal(field[2].at, "c,d", 3);
    assert_int_equal(format_csv_row(&t, ',', field, 4), 3);
    assert_int_equal(field[1].size, 0);
    assert_memory_equal(field[2].at, "x\"\"y\nz", 6);
    assert_int_equal(format_csv_row(&t, ',', field, 4), 2);
    assert_int_equal(format_csv_row(&t, ',', field, 4), 2);
    assert_int_equal(format_csv_row(&t, ',', field, 4), 0);
    assert_int_equal(format_csv_separator("a;b;\"c,,,,\"", 11), ';');
    assert_int_equal(format_csv_separator("a\tb", 3), '\t');
    assert_int_equal(format_csv_separator("alone", 5), ',');
    assert_double_equal(format_number(field_of("-1.5e3"), '.'), -1500, 0);
    assert_double_equal(format_number(field_of("1,5"), '.'), NAN, 0);
    assert_double_equal(format_number(field_of(""), '.'), NAN, 0);
    assert_double_equal(format_number(field_of("True"), '.'), 1, 0);
    assert_double_equal(format_number(field_of("1e999"), '.'), NAN, 0);
}

/* ---- whole files ---- */

static struct tree tree;

static int set_up(void **state)
{
    (void)state;
    tree_init(&tree);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tree_release(&tree);
    return 0;
}

static void play(struct machine *machine, const char *text)
{
    static char path[256];

    tree_write(&tree, "/file.csv", "%s", text);
    strcat(strcpy(path, tree.root), "/file.csv");
    machine_init(machine, "");
    machine->config.replay = path;
    machine_start(machine, NULL);
}

static const char *unit_of(const struct machine *machine, const char *name)
{
    return machine->schema.metric[record_schema_find(&machine->schema, name)].unit;
}

static void test_metrics_file(void **state)
{
    struct machine machine;

    (void)state;
    play(&machine,
         "timestamp,cpu_percent,memory_percent,cpu_frequency,disk_read_mb,label\n"
         "2025-07-28 20:47:37,10.5,45,2400,0.25,0\n"
         "2025-07-28 20:47:39,11.5,,2500,bad,1\n");
    machine_tick(&machine, 1);
    assert_true(machine.sample.time_ns == 1753735657000000000);
    assert_double_equal(machine_value(&machine, "cpu_percent"), 10.5, 0);
    assert_double_equal(machine_value(&machine, "cpu_memory"), 45, 0);
    assert_double_equal(machine_value(&machine, "cpu_freq"), 2400, 0);
    assert_string_equal(unit_of(&machine, "cpu_memory"), "%");
    assert_string_equal(unit_of(&machine, "cpu_freq"), "MHz");
    assert_string_equal(unit_of(&machine, "disk_read_mb"), "MB/s");
    assert_double_equal(machine_value(&machine, "disk_read_mb"), 0.25, 0);
    assert_double_equal(machine_value(&machine, "gpu_temp"), NAN, 0);
    assert_false(machine_has(&machine, "label"));
    assert_false(machine_has(&machine, "timestamp"));
    assert_false(collect_set_course(machine.set).ended);
    {
        int64_t mono = machine.sample.mono_ns;

        machine_tick(&machine, 1);
        assert_true(machine.sample.mono_ns - mono == 2000000000);
    }
    assert_double_equal(machine_value(&machine, "cpu_memory"), NAN, 0);
    assert_double_equal(machine_value(&machine, "disk_read_mb"), NAN, 0);
    machine_tick(&machine, 1);
    assert_true(collect_set_course(machine.set).ended);
    assert_double_equal(machine_value(&machine, "cpu_percent"), NAN, 0);
    machine_release(&machine);
}

/* Whole seconds at four rows a second, then three: spread evenly. */
static void test_rows_share_a_time(void **state)
{
    static const int64_t expected_ms[] = {0, 250, 500, 750, 1000, 1333, 1666, 2000, 2500};
    struct machine machine;
    int64_t start = 0;

    (void)state;
    play(&machine, "Time\twtime\tpss\tutime\n"
                   "1795170852\t0\t1\t0\n1795170852\t0\t2\t0\n1795170852\t0\t3\t0\n"
                   "1795170852\t0\t4\t0\n1795170853\t1\t5\t1\n1795170853\t1\t6\t1\n"
                   "1795170853\t1\t7\t1\n1795170854\t1\t8\t2\n1795170854\t1\t9\t2\n");
    for (size_t i = 0; i < 9; i++) {
        int64_t ms;

        machine_tick(&machine, 1);
        if (i == 0)
            start = machine.sample.time_ns;
        ms = (machine.sample.time_ns - start) / 1000000;
        if (i < 8 && ms != expected_ms[i])
            fail_msg("row %zu is at %lld ms", i, (long long)ms);
        assert_double_equal(machine_value(&machine, "pss"), (double)i + 1, 0);
    }
    assert_false(machine_has(&machine, "wtime"));
    assert_string_equal(unit_of(&machine, "utime"), "s/s");
    machine_release(&machine);
}

static void test_no_time_column(void **state)
{
    struct machine machine;
    int64_t first;

    (void)state;
    play(&machine, "\xef\xbb\xbfvalue;note\n1;x\n2;y\n");
    machine_tick(&machine, 1);
    first = machine.sample.time_ns;
    assert_true(first == 1700000001000000000);
    machine_tick(&machine, 5);
    assert_true(machine.sample.time_ns - first == 1000000000);
    assert_double_equal(machine_value(&machine, "value"), 2, 0);
    assert_false(machine_has(&machine, "note"));
    machine_release(&machine);
}

static void test_time_goes_back(void **state)
{
    struct machine machine;
    int64_t mono;

    (void)state;
    play(&machine, "time,v\n100,1\n50,2\n60,3\n");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "v"), 2, 0);
    mono = machine.sample.mono_ns;
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "v"), 3, 0);
    assert_true(machine.sample.mono_ns - mono == 10000000000);
    machine_release(&machine);
}

static void test_unusable_files(void **state)
{
    static const char *const bad[] = {"", "\n\n", "only,a,header\n", "a,b\nx,y\n",
                                      "timestamp,label\n2025-01-01,1\n"};
    struct record_schema schema = {0};
    struct collect_config config = collect_config_default();
    struct vd_error err = {0};
    collect_set *set;
    char path[256];

    (void)state;
    strcat(strcpy(path, tree.root), "/file.csv");
    config.replay = path;
    assert_int_equal(collect_set_new(&set, &config, NULL, &schema, &err), VD_ERR_IO);
    assert_non_null(strstr(err.text, path));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tree_write(&tree, "/file.csv", "%s", bad[i]);
        assert_int_equal(collect_set_new(&set, &config, NULL, &schema, NULL),
                         VD_ERR_DATA);
        assert_null(set);
    }
    config.replay = tree.root; /* a folder */
    assert_int_equal(collect_set_new(&set, &config, NULL, &schema, NULL), VD_ERR_IO);
    record_schema_release(&schema);
}

/* Real files: every row is played, and its numbers are those of the file. */
static void test_real_data(void **state)
{
    static const struct {
        const char *file;
        int rows;
        const char *metric;
        double mean;
    } files[] = {
        {"labeled/labeled_test.csv", 90, "cpu_percent", 34.56444444444443},
        {"metrics2k/sample_metrics2k.csv", 2000, "cpu_memory", 37.412099999999995},
    };
    const char *data = getenv("VEDETTE_DATA");
    char path[512];

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct machine machine;
        double sum = 0;
        int rows = 0;
        FILE *probe;

        snprintf(path, sizeof path, "%s/%s",
                 data != NULL ? data : TESTS_DIR "/../../shared/data", files[i].file);
        probe = fopen(path, "r");
        if (probe == NULL) {
            print_message("skipped: no %s (set VEDETTE_DATA)\n", path);
            skip();
        }
        fclose(probe);
        machine_init(&machine, "");
        machine.config.replay = path;
        machine_start(&machine, NULL);
        for (;;) {
            machine_tick(&machine, 1);
            if (collect_set_course(machine.set).ended)
                break;
            rows++;
            sum += machine_value(&machine, files[i].metric);
        }
        assert_int_equal(rows, files[i].rows);
        /* The means are Python's, from the same columns. */
        assert_double_equal(sum / rows, files[i].mean, 1e-9);
        machine_release(&machine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_rows),
        cmocka_unit_test_setup_teardown(test_metrics_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows_share_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_time_column, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_time_goes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unusable_files, set_up, tear_down),
        cmocka_unit_test(test_real_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
