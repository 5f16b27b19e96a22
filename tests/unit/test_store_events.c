/* What comes back from the database of events: themselves, what was said of them, their
 * recorders; of older formats, too. */
#include "unit.h"

#include "store_fixture.h"

/* A whole minute, 40 s before an hour's mark. */
#define BASE INT64_C(1700000040000000000)

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
    set = fixture_set(&f);
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
    set = fixture_set(&f);
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
    assert_int_equal(fixture_count(&f, "SELECT count(*) FROM feedback"), 2);
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
    set = fixture_set(&f);
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
    set = fixture_set(&f);
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
            " rss_bytes) VALUES(1, 0, 'warp', 41, 'x', 'x', 1),"
            " (1, 1, 'memory', 42, 'hog', 'hog -x', 4096);",
            NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    set = fixture_set(&f);
    reader = store_set_history(set);
    assert_int_equal(reader->event(reader->context, 1, &found, NULL), VD_OK);
    /* One of a resource that nobody knows here is passed over. */
    assert_int_equal(found.n_suspects, 1);
    assert_string_equal(found.suspect[0].process.comm, "hog");
    assert_int_equal(found.suspect[0].resource, RECORD_MEMORY);
    assert_double_equal(found.suspect[0].process.rss_bytes, 4096, 0);
    assert_true(isnan(found.suspect[0].process.swap_bytes));
    assert_true(isnan(found.suspect[0].process.major_faults_s));
    assert_false(found.suspect[0].of_use);
    assert_string_equal(found.note, "");
    assert_string_equal(found.limit.rule, "");
    store_set_close(set);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_back_whole),
        cmocka_unit_test(feedback_stays_whatever_comes_after),
        cmocka_unit_test(pages_of_events),
        cmocka_unit_test(recorder_comes_back),
        cmocka_unit_test(recorder_of_version_1_is_read),
        cmocka_unit_test(database_of_version_2_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
