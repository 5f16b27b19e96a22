/* The store as the monitor uses it: push ticks, read back what was written. */
#include "unit.h"

#include <sys/stat.h>

#include "store_fixture.h"

static void ticks_come_back_from_every_sink(void **state)
{
    static const char *const metric[] = {"cpu_percent", "disk_busy_percent{sda}", "score",
                                         "score.isolation_forest", "no_such"};
    struct history_query query = {metric, 5, 0, 0, 100};
    struct history_series series = {0};
    const struct history_reader *reader;
    struct store_counters counters[8];
    struct vd_error err = {0};
    struct fixture f;
    store_set *set;
    char *text;
    size_t n;

    (void)state;
    fixture_open(&f);
    assert_int_equal(store_set_new(&set, &f.config, &err), VD_OK);
    for (int k = 0; k < 30; k++)
        store_set_push(set, fixture_tick(&f, k));
    assert_true(store_set_settle(set, 10));
    n = store_set_counters(set, counters, 8);
    assert_int_equal(n, 6);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(counters[i].sent, 30);
        assert_int_equal(counters[i].lost, 0);
        assert_null(counters[i].unavailable);
    }
    query.from_ns = INT64_C(1700000040000000000);
    query.to_ns = query.from_ns + 30 * INT64_C(1000000000);
    reader = store_set_history(set);
    assert_int_equal(reader->series(reader->context, &query, &series, &err), VD_OK);
    assert_double_equal(series.step_s, 1, 0);
    for (size_t i = 0, k = 0; i < series.n && k < 30; i++) {
        if (isnan(series.mean[i]))
            continue;
        assert_double_equal(series.mean[i], (double)k, 0);
        assert_double_equal(series.mean[series.n + i], k % 2 ? (double)NAN : 10, 0);
        assert_double_equal(series.mean[2 * series.n + i], 0.5, 0);
        assert_double_equal(series.mean[3 * series.n + i], 0.75, 0);
        assert_true(isnan(series.mean[4 * series.n + i]));
        k++;
        if (i + 1 == series.n)
            assert_int_equal(k, 30);
    }
    history_series_release(&series);
    store_set_close(set);
    text = fixture_read(&f, "performance_log.csv");
    assert_non_null(strstr(text, ",29.000,29,,50,,,,,1,0.5,0.0125,0.120,False\n"));
    free(text);
    text = fixture_read(&f, "metrics_history.csv");
    assert_non_null(strstr(text, ",29,,50,,,,,,False,0.5\n"));
    free(text);
    text = fixture_read(&f, "performance_log.summary.txt");
    assert_non_null(strstr(text, "Rows: 30\nAnomalies: 0\n"));
    assert_non_null(strstr(text, "Max latency (ms): 0.012500\n"));
    free(text);
    text = fixture_read(&f, "anomalies.json");
    assert_string_equal(text, "[\n]\n");
    free(text);
    assert_string_equal(f.said, "");
    fixture_close(&f);
}

/* An index that passes to another disk writes to that one's series from then on. */
static void an_index_passes_to_another_metric(void **state)
{
    static const char *const metric[] = {"disk_busy_percent{sda}",
                                         "disk_busy_percent{sdb}"};
    struct history_query query = {metric, 2, INT64_C(1700000040000000000),
                                  INT64_C(1700000060000000000), 100};
    struct history_series series = {0};
    const struct history_reader *reader;
    struct vd_error err = {0};
    struct fixture f;
    store_set *set;
    int old = 0, new = 0;

    (void)state;
    fixture_open(&f);
    assert_int_equal(store_set_new(&set, &f.config, &err), VD_OK);
    for (int k = 0; k < 10; k++)
        store_set_push(set, fixture_tick(&f, 2 * (k / 2)));
    assert_true(store_set_settle(set, 10));
    f.schema.mono_ns = 1;
    record_schema_give_back(&f.schema, 2);
    f.schema.mono_ns += RECORD_REST_S * INT64_C(1000000000);
    assert_int_equal(record_schema_add(&f.schema, &fixture_rows[2], "sdb"), 2);
    for (int k = 10; k < 20; k += 2)
        store_set_push(set, fixture_tick(&f, k));
    assert_true(store_set_settle(set, 10));
    reader = store_set_history(set);
    assert_int_equal(reader->series(reader->context, &query, &series, &err), VD_OK);
    for (size_t i = 0; i < series.n; i++) {
        bool early = series.time_ns[i] < INT64_C(1700000049000000000);

        old += !isnan(series.mean[i]);
        new += !isnan(series.mean[series.n + i]);
        assert_false(!early && !isnan(series.mean[i]));
        assert_false(early && !isnan(series.mean[series.n + i]));
    }
    assert_int_equal(old, 5);
    assert_int_equal(new, 5);
    history_series_release(&series);
    store_set_close(set);
    fixture_close(&f);
}

static void a_second_instance_is_told_the_pid(void **state)
{
    struct vd_error err = {0};
    store_set *first, *second;
    struct fixture f;
    char pid[32];

    (void)state;
    fixture_open(&f);
    assert_int_equal(store_set_new(&first, &f.config, NULL), VD_OK);
    assert_int_equal(store_set_new(&second, &f.config, &err), VD_ERR_BUSY);
    assert_null(second);
    snprintf(pid, sizeof pid, "(pid %d)", (int)getpid());
    assert_non_null(strstr(err.text, pid));
    store_set_close(first);
    assert_int_equal(store_set_new(&second, &f.config, NULL), VD_OK);
    store_set_close(second);
    fixture_close(&f);
}

static void a_sink_that_is_off_loses_what_comes(void **state)
{
    static const struct {
        const char *file;
        size_t sink;
    } cases[] = {
        {"vedette.db", 0}, {"performance_log.csv", 1}, {"metrics_history.csv", 2}};
    struct store_counters counters[8];
    struct fixture f;
    store_set *set;

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        fixture_open(&f);
        assert_int_equal(mkdir(fixture_path(&f, cases[k].file), 0700), 0);
        assert_int_equal(store_set_new(&set, &f.config, NULL), VD_OK);
        for (int i = 0; i < 7; i++)
            store_set_push(set, fixture_tick(&f, i));
        assert_true(store_set_settle(set, 10));
        store_set_counters(set, counters, 8);
        for (size_t i = 0; i < 3; i++) {
            bool is_off = i == cases[k].sink;

            assert_int_equal(counters[i].unavailable != NULL, is_off);
            assert_int_equal(counters[i].sent, is_off ? 0 : 7);
            assert_int_equal(counters[i].lost, is_off ? 7 : 0);
            assert_int_equal(counters[i].waiting, 0);
        }
        store_set_close(set);
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sink_that_is_off_loses_what_comes),
        cmocka_unit_test(ticks_come_back_from_every_sink),
        cmocka_unit_test(an_index_passes_to_another_metric),
        cmocka_unit_test(a_second_instance_is_told_the_pid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
