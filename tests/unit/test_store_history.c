/* What comes back from the database: spans from the right tier, events, recorders,
 * models. */
#include "unit.h"

#include <dirent.h>

#include "store_fixture.h"

#include "store/sqlite.h"

/* A whole minute, 40 s before an hour's mark. */
#define BASE INT64_C(1700000040000000000)

static store_set *open_set(struct fixture *f)
{
    struct vd_error err = {0};
    store_set *set;

    f->config.retention_raw_s = f->config.retention_minute_s =
        f->config.retention_hour_s = 1e10;
    f->config.performance_log = f->config.metrics_history = false;
    if (store_set_new(&set, &f->config, &err) != VD_OK)
        fail_msg("%s", err.text);
    return set;
}

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

static int64_t rows_of(const struct fixture *f, const char *sql)
{
    sqlite3 *db = NULL;
    int64_t n;

    db = fixture_database(f);
    assert_non_null(db);
    n = store_db_number(db, sql, -1);
    sqlite3_close(db);
    return n;
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
    set = open_set(&f);
    push_ticks(&f, set, 0, n);
    /* 22:14:00 .. 01:14:00: 179 minutes are over, and 22 h, 23 h, 0 h. */
    assert_int_equal(rows_of(&f, "SELECT count(*) FROM minute"), 179);
    assert_int_equal(rows_of(&f, "SELECT count(*) FROM hour"), 3);

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
    set = open_set(&f);
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
    set = open_set(&f);
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
    set = open_set(&f);
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
    set = open_set(&f);
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
    assert_int_equal(rows_of(&f, "SELECT count(*) FROM layout"), 2);
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
    set = open_set(&f);
    push_ticks(&f, set, 0, 150);
    push_ticks(&f, set, 30, 200);
    assert_int_equal(rows_of(&f, "SELECT count(*) FROM sample"), 150 + 170);
    /* The minutes that were gone through twice have all rows of both. */
    assert_int_equal(rows_of(&f, "SELECT count(*) FROM minute"), 3);
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
        rows = rows_of(&f, "SELECT count(*) FROM sample");
    }
    assert_int_equal(rows, 101);
    assert_int_equal(rows_of(&f, "SELECT min(time) FROM sample"),
                     BASE + 3899 * SECOND + SECOND / 4);
    assert_int_equal(rows_of(&f, "SELECT count(*) FROM minute"), 66 - 37);
    assert_int_equal(rows_of(&f, "SELECT count(*) FROM hour"), 1);
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
    set = open_set(&f);
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

static void push_event(struct fixture *f, store_set *set, int k,
                       const struct record_event *event, enum record_event_change change)
{
    fixture_tick(f, k);
    f->record.event = event;
    f->record.change = change;
    store_set_push(set, &f->record);
}

static void events_come_back_whole(void **state)
{
    struct record_event event, found;
    const struct history_reader *reader;
    struct fixture f;
    store_set *set;

    (void)state;
    fixture_open(&f);
    set = open_set(&f);
    reader = store_set_history(set);
    fixture_event(&event, store_set_next_event_id(set));
    assert_int_equal(event.id, 1);
    push_event(&f, set, 0, &event, RECORD_EVENT_OPENED);
    assert_true(store_set_settle(set, 10));
    assert_int_equal(reader->event(reader->context, 1, &found, NULL), VD_OK);
    assert_int_equal(found.state, RECORD_EVENT_OPEN);
    /* NaN is not equal to itself, so it is compared apart. */
    assert_true(isnan(found.suspect[0].process.pss_bytes));
    found.suspect[0].process.pss_bytes = event.suspect[0].process.pss_bytes;
    assert_memory_equal(&found, &event, sizeof event);

    event.severity = RECORD_CRITICAL;
    event.n_suspects = 0;
    event.state = RECORD_EVENT_CLOSED;
    event.end_ns = event.start_ns + 9 * SECOND;
    push_event(&f, set, 1, &event, RECORD_EVENT_ENDED);
    assert_true(store_set_settle(set, 10));
    assert_int_equal(reader->event(reader->context, 1, &found, NULL), VD_OK);
    assert_int_equal(found.state, RECORD_EVENT_CLOSED);
    assert_int_equal(found.severity, RECORD_CRITICAL);
    assert_int_equal(found.n_suspects, 0);
    assert_int_equal(found.end_ns, event.end_ns);
    assert_int_equal(reader->event(reader->context, 2, &found, NULL), VD_ERR_DATA);
    store_set_close(set);
    fixture_close(&f);
}

static void feedback_stays_whatever_comes_after(void **state)
{
    struct record_event event, found;
    const struct history_reader *reader;
    struct vd_error err = {0};
    struct fixture f;
    store_set *set;

    (void)state;
    fixture_open(&f);
    set = open_set(&f);
    reader = store_set_history(set);
    fixture_event(&event, store_set_next_event_id(set));
    push_event(&f, set, 0, &event, RECORD_EVENT_OPENED);
    assert_int_equal(store_set_feedback(set, 1, "expected", NULL), VD_OK);
    push_event(&f, set, 1, &event, RECORD_EVENT_ENDED);
    assert_true(store_set_settle(set, 10));
    assert_int_equal(reader->event(reader->context, 1, &found, NULL), VD_OK);
    assert_string_equal(found.feedback, "expected");
    assert_int_equal(store_set_feedback(set, 1, "", NULL), VD_OK);
    assert_true(store_set_settle(set, 10));
    assert_int_equal(reader->event(reader->context, 1, &found, NULL), VD_OK);
    assert_string_equal(found.feedback, "");
    assert_int_equal(rows_of(&f, "SELECT count(*) FROM feedback"), 2);
    assert_int_equal(store_set_feedback(set, 1, "maybe", &err), VD_ERR_ARGUMENT);
    assert_int_equal(store_set_feedback(set, 99, "real", NULL), VD_ERR_DATA);
    assert_int_equal(store_set_feedback(set, 0, "real", NULL), VD_ERR_DATA);
    store_set_close(set);
    fixture_close(&f);
}

static void pages_of_events(void **state)
{
    struct history_event_query query = {.limit = 4};
    const struct history_reader *reader;
    struct record_event event, *found;
    struct fixture f;
    store_set *set;
    size_t n;

    (void)state;
    fixture_open(&f);
    set = open_set(&f);
    reader = store_set_history(set);
    for (int k = 0; k < 10; k++) {
        fixture_event(&event, store_set_next_event_id(set));
        event.start_ns = BASE + k * 10 * SECOND;
        event.alerted = k % 2;
        event.kind = k % 5 == 0 ? RECORD_DRIFT : RECORD_ANOMALY;
        event.state = RECORD_EVENT_CLOSED;
        event.end_ns = event.start_ns + SECOND;
        push_event(&f, set, k, &event, RECORD_EVENT_OPENED);
    }
    assert_true(store_set_settle(set, 10));
    assert_int_equal(reader->events(reader->context, &query, &found, &n, NULL), VD_OK);
    assert_int_equal(n, 4);
    assert_int_equal(found[0].id, 10);
    assert_int_equal(found[0].n_suspects, 1);
    query.before_id = found[3].id;
    free(found);
    assert_int_equal(reader->events(reader->context, &query, &found, &n, NULL), VD_OK);
    assert_int_equal(n, 4);
    assert_int_equal(found[0].id, 6);
    free(found);
    query = (struct history_event_query){.limit = 100, .alerted_only = true};
    assert_int_equal(reader->events(reader->context, &query, &found, &n, NULL), VD_OK);
    assert_int_equal(n, 5);
    free(found);
    query = (struct history_event_query){.limit = 100, .kind = "drift"};
    assert_int_equal(reader->events(reader->context, &query, &found, &n, NULL), VD_OK);
    assert_int_equal(n, 2);
    free(found);
    query = (struct history_event_query){
        .limit = 100, .from_ns = BASE + 15 * SECOND, .to_ns = BASE + 45 * SECOND};
    assert_int_equal(reader->events(reader->context, &query, &found, &n, NULL), VD_OK);
    assert_int_equal(n, 3);
    assert_int_equal(found[0].id, 5);
    free(found);
    store_set_close(set);
    fixture_close(&f);
}

/* Two moments, the second empty; hostile names. */
static void recorder_comes_back(void **state)
{
    struct record_process process[2] = {{.pid = 7,
                                         .state = 'R',
                                         .comm = "a\xff\n",
                                         .command = "a b",
                                         .cpu_percent = 12.5,
                                         .pss_bytes = NAN},
                                        {.pid = 8,
                                         .start_ticks = UINT64_MAX,
                                         .uid = 1000,
                                         .rss_bytes = 1e12,
                                         .swap_bytes = 835584,
                                         .major_faults_s = 2.5}};
    struct history_moment moment[2] = {{BASE, 2, process}, {BASE + SECOND, 0, NULL}};
    const struct history_reader *reader;
    struct history_moment *found;
    struct vd_writer bytes = {0};
    struct fixture f;
    store_set *set;
    size_t n;

    (void)state;
    fixture_open(&f);
    set = open_set(&f);
    reader = store_set_history(set);
    store_set_moments(set, 5, moment, 2);
    assert_true(store_set_settle(set, 10));
    assert_int_equal(reader->moments(reader->context, 5, &found, &n, NULL), VD_OK);
    assert_int_equal(n, 2);
    assert_int_equal(found[0].n, 2);
    assert_int_equal(found[1].time_ns, BASE + SECOND);
    assert_string_equal(found[0].process[0].comm, "a\xff\n");
    assert_true(isnan(found[0].process[0].pss_bytes));
    assert_memory_equal(&found[0].process[1], &process[1], sizeof process[1]);
    history_moments_free(found, n);
    assert_int_equal(reader->moments(reader->context, 6, &found, &n, NULL), VD_OK);
    assert_int_equal(n, 0);
    history_moments_free(found, n);
    store_set_close(set);
    /* No prefix of it is taken for the whole. */
    assert_int_equal(store_moments_encode(&bytes, moment, 2), VD_OK);
    for (size_t size = 0; size < bytes.size; size++) {
        assert_int_not_equal(store_moments_decode(bytes.at, size, &found, &n), VD_OK);
        assert_null(found);
    }
    vd_writer_release(&bytes);
    fixture_close(&f);
}

/* Version 1 ended each process before its swap. */
static void recorder_of_version_1_is_read(void **state)
{
    struct record_process process = {.pid = 7, .comm = "sh", .swap_bytes = 5};
    struct history_moment moment = {BASE, 1, &process}, *found;
    struct vd_writer bytes = {0};
    size_t n;

    (void)state;
    assert_int_equal(store_moments_encode(&bytes, &moment, 1), VD_OK);
    assert_int_equal(store_moments_decode(bytes.at, bytes.size, &found, &n), VD_OK);
    assert_double_equal(found[0].process[0].swap_bytes, 5, 0);
    history_moments_free(found, n);
    ((unsigned char *)bytes.at)[0] = 1;
    assert_int_equal(store_moments_decode(bytes.at, bytes.size - 16, &found, &n), VD_OK);
    assert_int_equal(n, 1);
    assert_string_equal(found[0].process[0].comm, "sh");
    assert_true(isnan(found[0].process[0].swap_bytes));
    assert_true(isnan(found[0].process[0].major_faults_s));
    history_moments_free(found, n);
    ((unsigned char *)bytes.at)[0] = 3;
    assert_int_equal(store_moments_decode(bytes.at, bytes.size, &found, &n),
                     VD_ERR_VERSION);
    vd_writer_release(&bytes);
}

/* What an older database holds is kept; what it did not know is unknown. */
static void database_of_version_2_goes_on(void **state)
{
    struct record_event found;
    const struct history_reader *reader;
    struct fixture f;
    store_set *set;
    sqlite3 *db;

    (void)state;
    fixture_open(&f);
    assert_int_equal(sqlite3_open(fixture_path(&f, "vedette.db"), &db), SQLITE_OK);
    assert_int_equal(store_db_migrate(db, 0, 2, NULL), VD_OK);
    assert_int_equal(
        sqlite3_exec(
            db,
            "INSERT INTO event VALUES(1,5,6,7,2,-0.5,1,1,'anomaly','spike','','');"
            "INSERT INTO suspect(event, rank, resource, pid, comm, command,"
            " rss_bytes) VALUES(1, 0, 'memory', 42, 'hog', 'hog -x', 4096);",
            NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    set = open_set(&f);
    reader = store_set_history(set);
    assert_int_equal(reader->event(reader->context, 1, &found, NULL), VD_OK);
    assert_int_equal(found.n_suspects, 1);
    assert_string_equal(found.suspect[0].process.comm, "hog");
    assert_double_equal(found.suspect[0].process.rss_bytes, 4096, 0);
    assert_true(isnan(found.suspect[0].process.swap_bytes));
    assert_true(isnan(found.suspect[0].process.major_faults_s));
    assert_false(found.suspect[0].of_use);
    assert_string_equal(found.note, "");
    assert_string_equal(found.limit.rule, "");
    store_set_close(set);
    fixture_close(&f);
}

static void corrupt_byte(const struct fixture *f, const char *name, long at)
{
    FILE *file = fopen(fixture_path(f, name), "r+b");
    int c;

    assert_non_null(file);
    fseek(file, at, SEEK_SET);
    c = fgetc(file);
    fseek(file, at, SEEK_SET);
    fputc(c ^ 0x10, file);
    fclose(file);
}

static void models_keep_three_generations(void **state)
{
    struct vd_error err = {0};
    char text[24] = "model 0";
    struct fixture f;
    store_set *set;
    void *bytes;
    size_t size;

    (void)state;
    fixture_open(&f);
    set = open_set(&f);
    assert_int_equal(store_set_model_load(set, "host", &bytes, &size, &err), VD_ERR_DATA);
    assert_null(bytes);
    for (int i = 1; i <= 12; i++) {
        snprintf(text, sizeof text, "model%2d", i % 100);
        assert_int_equal(store_set_model_save(set, "host", text, sizeof text, NULL),
                         VD_OK);
    }
    assert_int_equal(store_set_model_save(set, "other", "", 0, NULL), VD_OK);
    assert_int_equal(access(fixture_path(&f, "models/host.9.model"), F_OK), -1);
    assert_int_equal(access(fixture_path(&f, "models/host.10.model"), F_OK), 0);
    assert_int_equal(store_set_model_load(set, "host", &bytes, &size, NULL), VD_OK);
    assert_int_equal(size, sizeof text);
    assert_string_equal(bytes, "model12");
    free(bytes);
    /* Every byte counts: one flipped anywhere, and the generation before is taken. */
    for (long at = 0; at < 24 + (long)sizeof text; at++) {
        corrupt_byte(&f, "models/host.12.model", at);
        assert_int_equal(store_set_model_load(set, "host", &bytes, &size, NULL), VD_OK);
        assert_string_equal(bytes, "model11");
        free(bytes);
        corrupt_byte(&f, "models/host.12.model", at);
    }
    for (long size_now = 24 + (long)sizeof text - 1; size_now >= 0; size_now--) {
        assert_int_equal(truncate(fixture_path(&f, "models/host.12.model"), size_now), 0);
        assert_int_equal(store_set_model_load(set, "host", &bytes, &size, NULL), VD_OK);
        assert_string_equal(bytes, "model11");
        free(bytes);
    }
    assert_int_equal(store_set_model_load(set, "other", &bytes, &size, NULL), VD_OK);
    assert_int_equal(size, 0);
    free(bytes);
    assert_int_equal(store_set_model_save(set, "../x", "", 0, NULL), VD_ERR_ARGUMENT);
    assert_int_equal(store_set_model_load(set, "", &bytes, &size, NULL), VD_ERR_ARGUMENT);
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
        cmocka_unit_test(events_come_back_whole),
        cmocka_unit_test(feedback_stays_whatever_comes_after),
        cmocka_unit_test(pages_of_events),
        cmocka_unit_test(recorder_comes_back),
        cmocka_unit_test(recorder_of_version_1_is_read),
        cmocka_unit_test(database_of_version_2_goes_on),
        cmocka_unit_test(models_keep_three_generations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
