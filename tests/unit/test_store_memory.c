/* The store when memory runs out: the k-th allocation fails, for every k. Nothing
 * crashes, nothing leaks (ASan), and the database is whole afterwards. And: a warm tick
 * allocates nothing. */
#include "unit.h"

#include <fcntl.h>

#include "alloc_fault.h"
#include "store_fixture.h"

#include "alert/channels.h"
#include "store/sqlite.h"

static void use_everything(struct fixture *f, int round)
{
    static struct record_event event;
    struct record_process process = {.pid = 7, .comm = "x"};
    struct history_moment moment = {1700000040000000000, 1, &process}, *moments;
    const char *metric = "cpu_percent";
    struct history_query query = {&metric, 1, 1700000000000000000, 1700000100000000000,
                                  100};
    struct history_event_query events = {.limit = 10};
    const struct history_reader *reader;
    struct history_series series;
    struct record_event *found;
    store_set *set = NULL;
    void *bytes = NULL;
    size_t n;

    if (store_set_new(&set, &f->config, NULL) != VD_OK)
        return;
    for (int k = 0; k < 3; k++) {
        fixture_tick(f, 10 * round + k);
        fixture_event(&event, store_set_next_event_id(set));
        f->record.event = &event;
        f->record.change = RECORD_EVENT_OPENED;
        store_set_push(set, &f->record);
    }
    store_set_moments(set, event.id, &moment, 1);
    store_set_feedback(set, event.id, "real", NULL);
    store_set_settle(set, 0.02);
    reader = store_set_history(set);
    if (reader->series(reader->context, &query, &series, NULL) == VD_OK)
        history_series_release(&series);
    if (reader->events(reader->context, &events, &found, &n, NULL) == VD_OK)
        free(found);
    reader->event(reader->context, event.id, &event, NULL);
    if (reader->moments(reader->context, event.id, &moments, &n, NULL) == VD_OK)
        history_moments_free(moments, n);
    store_set_model_save(set, "host", "model", 6, NULL);
    if (store_set_model_load(set, "host", &bytes, &n, NULL) == VD_OK)
        assert_string_equal(bytes, "model");
    free(bytes);
    store_set_close(set);
}

static void every_allocation_may_fail(void **state)
{
    struct fixture f;
    sqlite3 *db = NULL;
    bool failed = true;
    int k;

    (void)state;
    fixture_open(&f);
    for (k = 1; failed && k < 1000; k++) {
        f.said[0] = '\0';
        alloc_fault_at(k);
        use_everything(&f, k);
        failed = alloc_fault_happened();
    }
    alloc_fault_at(0);
    assert_false(failed);
    assert_true(k > 30);
    use_everything(&f, k);
    db = fixture_database(&f);
    assert_non_null(db);
    assert_int_equal(store_db_number(db,
                                     "SELECT count(*) FROM pragma_integrity_check WHERE "
                                     "integrity_check <> 'ok'",
                                     -1),
                     0);
    /* The last rounds had all they needed. */
    assert_true(store_db_number(db, "SELECT count(*) FROM sample", 0) >= 6);
    sqlite3_close(db);
    fixture_close(&f);
}

/* The pusher allocates nothing: the writer is held still by a lock on the database, so
 * that all allocations counted are the tick's. */
static void a_warm_tick_allocates_nothing(void **state)
{
    struct record_event event;
    struct fixture f;
    sqlite3 *db = NULL;
    store_set *set;

    (void)state;
    fixture_open(&f);
    f.config.performance_log = f.config.metrics_history = false;
    assert_int_equal(store_set_new(&set, &f.config, NULL), VD_OK);
    fixture_event(&event, 1);
    f.record.event = &event;
    store_set_push(set, fixture_tick(&f, 0));
    fixture_tick(&f, 1);
    f.record.event = &event;
    f.record.change = RECORD_EVENT_OPENED;
    store_set_push(set, &f.record);
    assert_true(store_set_settle(set, 10));
    assert_int_equal(sqlite3_open(fixture_path(&f, "vedette.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    alloc_fault_at(0);
    for (int k = 2; k < 2000; k++) {
        fixture_tick(&f, k);
        if (k % 3 == 0) {
            f.record.event = &event;
            f.record.change = RECORD_EVENT_UPDATED;
        }
        store_set_push(set, &f.record);
    }
    assert_int_equal(alloc_fault_count(), 0);
    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(db);
    store_set_close(set);
    fixture_close(&f);
}

static void channels_without_memory(void **state)
{
    struct alert_channels_config config = alert_channels_config_default();
    struct record_event event;
    alert_channels *channels;
    bool failed = true;
    int k;

    (void)state;
    unsetenv("DBUS_SESSION_BUS_ADDRESS");
    setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
    fixture_event(&event, 1);
    config.fd = open("/dev/null", O_WRONLY);
    config.bell = true;
    config.close_s = 10;
    for (k = 1; failed && k < 100; k++) {
        alloc_fault_at(k);
        if (alert_channels_new(&channels, &config, NULL) == VD_OK) {
            alert_channels_send(channels, &event, RECORD_EVENT_OPENED);
            alert_channels_free(channels);
        }
        failed = alloc_fault_happened();
    }
    alloc_fault_at(0);
    assert_false(failed);
    assert_true(k > 5);
    close(config.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_warm_tick_allocates_nothing),
        cmocka_unit_test(channels_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
