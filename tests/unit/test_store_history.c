/* What comes back from the database: spans from the right tier. */
#include "unit.h"

#include "store_fixture.h"

/* A whole minute, 40 s before an hour's mark. */
#define BASE INT64_C(1700000040000000000)

/* Ticks [from, to), as many at a time as the queue holds. */
static void push_ticks(struct fixture *f, store_set *set, int from, int to)
{
    for (int k = from; k < to; k++) {
        store_set_push(set, fixture_tick(f, k));
        if (k % 500 == 499)
            assert_true(store_set_settle(set, 20));
    }
    assert_true(store_set_settle(set, 20));
}

static struct history_series span(store_set *set, const char *metric, int64_t from,
                                  int64_t to, size_t points)
{
    const struct history_reader *reader = store_set_history(set);
    struct history_query query = {&metric, 1, from, to, points};
    struct history_series series;
    struct vd_error err = {0};

    if (reader->series(reader->context, &query, &series, &err) != VD_OK)
        fail_msg("%s", err.text);
    for (size_t i = 1; i < series.n; i++)
        assert_true(series.time_ns[i] > series.time_ns[i - 1]);
    return series;
}

/* Three hours: raw, minutes and hours give the same means, minima and maxima. */
static void every_tier_tells_the_same(void **state)
{
    const int n = 3 * 3600;
    struct history_series series;
    struct fixture f;
    store_set *set;

    (void)state;
    fixture_open(&f);
    set = fixture_set(&f);
    push_ticks(&f, set, 0, n);
    /* 22:14:00 .. 01:14:00: 179 minutes are over, and 22 h, 23 h, 0 h. */
    assert_int_equal(fixture_count(&f, "SELECT count(*) FROM minute"), 179);
    assert_int_equal(fixture_count(&f, "SELECT count(*) FROM hour"), 3);

    series = span(set, "cpu_percent", BASE, BASE + n * SECOND, 10000);
    assert_double_equal(series.step_s, 2, 0);
    for (size_t i = 0; i < series.n; i++) {
        assert_true(series.max[i] - series.min[i] <= 1);
        assert_double_equal(series.mean[i], (series.max[i] + series.min[i]) / 2, 1e-6);
    }
    assert_double_equal(series.max[series.n - 1], n - 1, 0);
    history_series_release(&series);

    series = span(set, "cpu_percent", BASE, BASE + n * SECOND, 180);
    assert_double_equal(series.step_s, 60, 0);
    assert_int_equal(series.n, 180);
    /* The last minute is not over: it comes from the raw rows. */
    for (size_t i = 0; i < 180; i++) {
        assert_int_equal(series.time_ns[i], BASE + (int64_t)i * 60 * SECOND);
        assert_double_equal(series.min[i], (double)(60 * i), 0);
        assert_double_equal(series.max[i], (double)(60 * i + 59), 0);
        assert_double_equal(series.mean[i], 60 * (double)i + 29.5, 1e-3);
    }
    history_series_release(&series);

    /* 22:00 .. 02:00, where the ticks are from 22:14 to 01:14. */
    series = span(set, "cpu_percent", BASE - 840 * SECOND, BASE + 13560 * SECOND, 4);
    assert_double_equal(series.step_s, 3600, 0);
    assert_int_equal(series.n, 4);
    assert_double_equal(series.min[0], 0, 0);
    assert_double_equal(series.max[0], 46 * 60 - 1, 0);
    assert_double_equal(series.max[2], 46 * 60 + 2 * 3600 - 1, 0);
    assert_double_equal(series.mean[1], 46 * 60 + 1799.5, 1e-2);
    assert_double_equal(series.max[3], n - 1, 0);
    history_series_release(&series);
    store_set_close(set);
    fixture_close(&f);
}

/* Where the raw rows are gone the minutes go on, where those are gone the hours do. */
static void coarser_tiers_fill_in(void **state)
{
    struct history_series series;
    struct fixture f;
    store_set *set;
    sqlite3 *db = NULL;

    (void)state;
    fixture_open(&f);
    set = fixture_set(&f);
    push_ticks(&f, set, 0, 7200);
    store_set_close(set);
    assert_int_equal(sqlite3_open(fixture_path(&f, "vedette.db"), &db), SQLITE_OK);
    assert_int_equal(
        store_db_run(db, "DELETE FROM sample WHERE time < 1700006040000000000", NULL),
        VD_OK);
    assert_int_equal(
        store_db_run(db, "DELETE FROM minute WHERE time < 1700003640000000000", NULL),
        VD_OK);
    sqlite3_close(db);
    set = fixture_set(&f);
    series = span(set, "cpu_percent", BASE, BASE + 7200 * SECOND, 10000);
    assert_double_equal(series.step_s, 1, 0);
    for (size_t i = 1; i < series.n; i++) {
        /* raw from 6000 on, minutes from 3600 on, before that the hours */
        double second = (double)(series.time_ns[i] - BASE) / 1e9 + 0.75;
        double expected = second >= 6000   ? floor(second)
                          : second >= 3600 ? floor(second / 60) * 60 + 29.5
                          : second >= 2760 ? 2760 + (6359 - 2760) / 2.0
                                           : (2759) / 2.0;

        if (fmod(second, 60) > 2 && fmod(second, 60) < 58)
            assert_double_equal(series.mean[i], expected, 1);
    }
    history_series_release(&series);
    store_set_close(set);
    fixture_close(&f);
}

/* Recording begins within a minute and within an hour: what was before is not made up. */
static void nothing_before_the_first_tick(void **state)
{
    struct history_series series;
    struct fixture f;
    store_set *set;

    (void)state;
    fixture_open(&f);
    set = fixture_set(&f);
    push_ticks(&f, set, 90, 4000);
    series = span(set, "cpu_percent", BASE, BASE + 4200 * SECOND, 10000);
    for (size_t i = 0; i < series.n; i++)
        if (series.time_ns[i] < BASE + 89 * SECOND)
            assert_true(isnan(series.mean[i]));
    assert_false(isnan(series.mean[series.n - 300]));
    history_series_release(&series);
    store_set_close(set);
    fixture_close(&f);
}

static void a_gap_is_nan_and_a_new_device_has_no_past(void **state)
{
    static const struct record_metric late = {
        .name = "disk_busy_percent", .unit = "%", .label_key = "device"};
    struct history_series series;
    struct fixture f;
    store_set *set;

    (void)state;
    fixture_open(&f);
    set = fixture_set(&f);
    push_ticks(&f, set, 0, 100);
    record_schema_add(&f.schema, &late, "sdb");
    f.value[3] = 77;
    push_ticks(&f, set, 160, 200);
    series = span(set, "disk_busy_percent{sdb}", BASE, BASE + 200 * SECOND, 200);
    for (size_t i = 1; i < series.n; i++)
        assert_double_equal(series.mean[i], i < 160 ? (double)NAN : 77, 0);
    history_series_release(&series);
    series = span(set, "cpu_percent", BASE, BASE + 200 * SECOND, 200);
    for (size_t i = 1; i < series.n; i++)
        assert_int_equal(isnan(series.mean[i]), i >= 100 && i < 160);
    history_series_release(&series);
    series = span(set, "memory_percent", BASE, BASE + 50 * SECOND, 50);
    assert_double_equal(series.mean[10], 50, 0);
    history_series_release(&series);
    assert_int_equal(fixture_count(&f, "SELECT count(*) FROM layout"), 2);
    /* Metrics of both layouts meet in one minute. */
    push_ticks(&f, set, 200, 300);
    series = span(set, "cpu_percent", BASE, BASE + 300 * SECOND, 5);
    assert_double_equal(series.min[1], 60, 0);
    assert_double_equal(series.max[1], 99, 0);
    assert_double_equal(series.mean[3], 209.5, 1e-3);
    history_series_release(&series);
    store_set_close(set);
    fixture_close(&f);
}

/* The clock is set back, and the same nanosecond comes twice: every row stays. */
static void a_clock_set_back_loses_nothing(void **state)
{
    struct fixture f;
    store_set *set;

    (void)state;
    fixture_open(&f);
    set = fixture_set(&f);
    push_ticks(&f, set, 0, 150);
    push_ticks(&f, set, 30, 200);
    assert_int_equal(fixture_count(&f, "SELECT count(*) FROM sample"), 150 + 170);
    /* The minutes that were gone through twice have all rows of both. */
    assert_int_equal(fixture_count(&f, "SELECT count(*) FROM minute"), 3);
    store_set_close(set);
    fixture_close(&f);
}

/* Ages are those of the rows among each other: what is old by the clock alone stays. */
static void retention_of_each_tier(void **state)
{
    struct fixture f;
    store_set *set;
    int64_t rows = 0;

    (void)state;
    fixture_open(&f);
    f.config.performance_log = f.config.metrics_history = false;
    f.config.retention_raw_s = 100;
    f.config.retention_minute_s = 1800;
    f.config.retention_hour_s = 1e9;
    assert_int_equal(store_set_new(&set, &f.config, NULL), VD_OK);
    push_ticks(&f, set, 0, 3999);
    store_set_close(set);
    /* Each start cleans up once it has a row, and then once a minute. */
    assert_int_equal(store_set_new(&set, &f.config, NULL), VD_OK);
    push_ticks(&f, set, 3999, 4000);
    for (int i = 0; i < 6000 && rows != 101; i++) {
        usleep(5000);
        rows = fixture_count(&f, "SELECT count(*) FROM sample");
    }
    assert_int_equal(rows, 101);
    assert_int_equal(fixture_count(&f, "SELECT min(time) FROM sample"),
                     BASE + 3899 * SECOND + SECOND / 4);
    assert_int_equal(fixture_count(&f, "SELECT count(*) FROM minute"), 66 - 37);
    assert_int_equal(fixture_count(&f, "SELECT count(*) FROM hour"), 1);
    store_set_close(set);
    fixture_close(&f);
}

static void span_requests_are_checked(void **state)
{
    static const char *const metric[] = {"cpu_percent"};
    const struct history_reader *reader;
    struct history_series series;
    struct history_query query = {metric, 1, 10, 10, 100};
    struct vd_error err = {0};
    struct fixture f;
    store_set *set;

    (void)state;
    fixture_open(&f);
    set = fixture_set(&f);
    reader = store_set_history(set);
    assert_int_equal(reader->series(reader->context, &query, &series, &err),
                     VD_ERR_ARGUMENT);
    query.to_ns = 1000 * SECOND; /* nothing there */
    assert_int_equal(reader->series(reader->context, &query, &series, NULL), VD_OK);
    assert_true(series.n > 0 && isnan(series.mean[0]));
    history_series_release(&series);
    store_set_close(set);
    f.config.sqlite = false;
    assert_int_equal(store_set_new(&set, &f.config, NULL), VD_OK);
    reader = store_set_history(set);
    assert_int_equal(reader->series(reader->context, &query, &series, NULL),
                     VD_ERR_UNAVAILABLE);
    assert_int_equal(store_set_feedback(set, 1, "real", NULL), VD_ERR_UNAVAILABLE);
    store_set_close(set);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tier_tells_the_same),
        cmocka_unit_test(coarser_tiers_fill_in),
        cmocka_unit_test(nothing_before_the_first_tick),
        cmocka_unit_test(a_gap_is_nan_and_a_new_device_has_no_past),
        cmocka_unit_test(a_clock_set_back_loses_nothing),
        cmocka_unit_test(retention_of_each_tier),
        cmocka_unit_test(span_requests_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
