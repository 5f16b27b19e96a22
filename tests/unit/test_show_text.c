/* src/show: JSON text, requests' parameters, header checks, the ranking of processes. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "show/encode.h"
#include "show/filter.h"
#include "show/json.h"
#include "show/query.h"
#include "show/snapshot.h"

/* ---- JSON ---- */

static void number_is(double value, const char *want)
{
    char text[32];
    size_t size = show_number_text(text, value);

    assert_int_equal(size, strlen(want));
    assert_memory_equal(text, want, size);
}

static void numbers_are_short_and_right(void **state)
{
    (void)state;
    number_is(0, "0");
    number_is(-0.0, "0");
    number_is(1, "1");
    number_is(-42, "-42");
    number_is(85.7, "85.7");
    number_is(0.1, "0.1");
    number_is(-0.62, "-0.62");
    number_is(99.99999999, "100");
    number_is(1234567.8, "1234568");
    number_is(123456789012345, "123456789012345");
    number_is(0.00123456789, "0.001234568");
    number_is(1e-9, "1e-09");
    number_is(1e300, "1e+300");
}

static void numbers_come_back_within_their_digits(void **state)
{
    double value = 1.2345678e-12;

    (void)state;
    for (int i = 0; i < 600; i++, value *= -1.137) {
        char text[33];
        size_t size = show_number_text(text, value);

        assert_in_range(size, 1, 32);
        text[size] = '\0';
        assert_double_equal(strtod(text, NULL), value, fabs(value) * 6e-7);
    }
}

/* The text parsed by another implementation. */
static json_t *parsed(const struct show_json *j)
{
    json_error_t where;
    json_t *root = json_loadb(show_json_text(j), j->size, JSON_REJECT_DUPLICATES, &where);

    if (root == NULL)
        fail_msg("%s in %.*s", where.text, (int)j->size, show_json_text(j));
    return root;
}

static void hostile_text_stays_valid(void **state)
{
    static const char text[] = "a\"b\\c\n\t\x01\x1f\x7f<script>\xff\xc0\x80\xed\xa0\x80"
                               "\xf4\x90\x80\x80\xe2\x89\x88\xf0\x9f\x90\x8e\xe2\x89";
    static const char want[] = "a\"b\\c\n\t\x01\x1f\x7f<script>\xef\xbf\xbd\xef\xbf\xbd"
                               "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                               "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                               "\xe2\x89\x88\xf0\x9f\x90\x8e\xef\xbf\xbd\xef\xbf\xbd";
    struct show_json j = {0};
    json_t *root;

    (void)state;
    show_json_open(&j, NULL, '[');
    show_json_string(&j, NULL, text);
    show_json_string(&j, NULL, NULL);
    show_json_close(&j, ']');
    root = parsed(&j);
    assert_string_equal(json_string_value(json_array_get(root, 0)), want);
    assert_true(json_is_null(json_array_get(root, 1)));
    json_decref(root);
    show_json_release(&j);
}

static void every_byte_alone_is_valid(void **state)
{
    struct show_json j = {0};

    (void)state;
    for (int c = 1; c < 256; c++) {
        char text[2] = {(char)c, '\0'};

        show_json_clear(&j);
        show_json_open(&j, NULL, '{');
        show_json_string(&j, text, text);
        show_json_close(&j, '}');
        json_decref(parsed(&j));
    }
    show_json_release(&j);
}

static void absent_is_null_and_commas_fit(void **state)
{
    static const char want[] =
        "{\"a\":null,\"b\":[],\"c\":[1,{\"d\":true},null],\"t\":1700000000.05,"
        "\"never\":null,\"raw\":{}}";
    struct show_json j = {0};

    (void)state;
    show_json_open(&j, NULL, '{');
    show_json_number(&j, "a", NAN);
    show_json_open(&j, "b", '[');
    show_json_close(&j, ']');
    show_json_open(&j, "c", '[');
    show_json_number(&j, NULL, 1);
    show_json_open(&j, NULL, '{');
    show_json_bool(&j, "d", true);
    show_json_close(&j, '}');
    show_json_number(&j, NULL, INFINITY);
    show_json_close(&j, ']');
    show_json_time(&j, "t", 1700000000050999999);
    show_json_time(&j, "never", 0);
    show_json_raw(&j, "raw", "{}", 2);
    show_json_close(&j, '}');
    assert_int_equal(j.size, sizeof want - 1);
    assert_memory_equal(show_json_text(&j), want, j.size);
    show_json_release(&j);
}

/* ---- headers ---- */

static void only_loopback_hosts_pass(void **state)
{
    static const char *const good[] = {"localhost",   "LOCALHOST:5000", "127.0.0.1",
                                       "127.0.0.1:1", "[::1]:65535",    "[::1]"};
    static const char *const bad[] = {"",
                                      "example.com",
                                      "localhost.example.com",
                                      "localhost:",
                                      "localhost:0",
                                      "localhost:70000",
                                      "localhost:5000,evil",
                                      "127.0.0.1.evil.com",
                                      "127.0.0.2",
                                      "::1",
                                      "localhost:50000x",
                                      "0.0.0.0:5000",
                                      "localhost ",
                                      "evil.com:5000",
                                      "localhost:000005000",
                                      "?"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(show_host_is_local(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (show_host_is_local(bad[i]))
            fail_msg("%s passed", bad[i]);
    assert_false(show_host_is_local(NULL));
}

static void only_the_same_origin_passes(void **state)
{
    (void)state;
    assert_true(show_origin_is_same(NULL, "localhost:5000"));
    assert_true(show_origin_is_same("http://LOCALHOST:5000", "localhost:5000"));
    assert_false(show_origin_is_same("null", "localhost:5000"));
    assert_false(show_origin_is_same("", "localhost:5000"));
    assert_false(show_origin_is_same("https://localhost:5000", "localhost:5000"));
    assert_false(show_origin_is_same("http://localhost:5001", "localhost:5000"));
    assert_false(show_origin_is_same("http://localhost:5000.evil.com", "localhost:5000"));
    assert_false(show_origin_is_same("http://127.0.0.1:5000", "localhost:5000"));
    assert_false(show_origin_is_same("http://localhost:5000", NULL));
    assert_true(show_address_is_loopback("::1"));
    assert_false(show_address_is_loopback("0.0.0.0"));
    assert_false(show_address_is_loopback("192.168.1.5"));
    assert_false(show_address_is_loopback(NULL));
}

/* ---- parameters ---- */

static enum vd_status add(struct show_query *q, const char *pair)
{
    return show_query_add(q, pair, strlen(pair), NULL);
}

static void history_takes_its_parameters(void **state)
{
    struct show_query *q = calloc(1, sizeof *q);

    (void)state;
    show_query_init(q, SHOW_QUERY_HISTORY);
    assert_int_equal(add(q, "metric=disk_busy_percent{sda}"), VD_OK);
    assert_int_equal(add(q, "metric=score"), VD_OK);
    assert_int_equal(add(q, "from=1700000000.5"), VD_OK);
    assert_int_equal(add(q, "points=10"), VD_OK);
    assert_int_equal(show_query_finish(q, 1700000100000000000, NULL), VD_OK);
    assert_int_equal(q->n_metrics, 2);
    assert_string_equal(q->metric[0], "disk_busy_percent{sda}");
    assert_int_equal(q->from_ns, 1700000000500000000);
    assert_int_equal(q->to_ns, 1700000100000000000);
    assert_int_equal(q->points, 10);
    free(q);
}

static void bad_parameters_are_refused(void **state)
{
    static const char *const history[] = {
        "points=9",    "points=10001", "points=",  "points=1e3",
        "points=-50",  "from=inf",     "from=nan", "from=-1",
        "from=0x10",   "from=1e300",   "to=",      "metric=",
        "metrics=cpu", "limit=5",      "metric",   "points= 5",
        "from=1 ",     "from=1,5",     "=5",       "points=99999999999999999999"};
    static const char *const events[] = {"limit=0",
                                         "limit=1001",
                                         "before=0",
                                         "before=-3",
                                         "before=9223372036854775808",
                                         "kind=",
                                         "kind=A",
                                         "kind=abcdefghijklmnop",
                                         "alerted=yes",
                                         "metric=cpu"};
    struct show_query *q = calloc(1, sizeof *q);
    struct vd_error err = {0};

    (void)state;
    show_query_init(q, SHOW_QUERY_HISTORY);
    for (size_t i = 0; i < sizeof history / sizeof *history; i++)
        if (add(q, history[i]) == VD_OK)
            fail_msg("%s passed", history[i]);
    show_query_init(q, SHOW_QUERY_EVENTS);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (add(q, events[i]) == VD_OK)
            fail_msg("%s passed", events[i]);
    show_query_init(q, SHOW_QUERY_NONE);
    assert_int_equal(add(q, "from=5"), VD_ERR_ARGUMENT);
    show_query_init(q, SHOW_QUERY_HISTORY);
    assert_int_equal(show_query_finish(q, 1, NULL), VD_ERR_ARGUMENT);
    for (int i = 0; i < SHOW_QUERY_METRICS; i++)
        assert_int_equal(add(q, "metric=a"), VD_OK);
    assert_int_equal(show_query_add(q, "metric=a", 8, &err), VD_ERR_ARGUMENT);
    assert_string_equal(err.text, "more than 64 metrics in one request");
    assert_int_equal(add(q, "from=10"), VD_OK);
    assert_int_equal(add(q, "to=10"), VD_OK);
    assert_int_equal(show_query_finish(q, 1, NULL), VD_ERR_ARGUMENT);
    free(q);
}

static enum vd_status preview_query(struct show_query *q, const char *pair)
{
    show_query_init(q, SHOW_QUERY_PREVIEW);
    return show_query_add(q, pair, strlen(pair), NULL);
}

static void a_preview_needs_its_word(void **state)
{
    struct show_query *q = malloc(sizeof *q);

    (void)state;
    assert_int_equal(preview_query(q, "feedback=real"), VD_OK);
    assert_string_equal(q->word, "real");
    assert_int_equal(show_query_finish(q, 1, NULL), VD_OK);
    assert_int_equal(preview_query(q, "feedback="), VD_OK);
    assert_string_equal(q->word, "");
    assert_int_equal(preview_query(q, "feedback=great"), VD_ERR_ARGUMENT);
    assert_int_equal(preview_query(q, "from=3"), VD_ERR_ARGUMENT);
    assert_int_equal(show_query_finish(q, 1, NULL), VD_ERR_ARGUMENT);
    show_query_init(q, SHOW_QUERY_EVENTS);
    assert_int_equal(show_query_add(q, "judged=1", 8, NULL), VD_OK);
    assert_true(q->judged);
    assert_int_equal(show_query_add(q, "judged=2", 8, NULL), VD_ERR_ARGUMENT);
    free(q);
}

static void event_paths(void **state)
{
    int64_t id = 0;
    enum show_event_part part = SHOW_EVENT_FEEDBACK;

    (void)state;
    assert_true(show_query_event_path("/api/v1/events/17", &id, &part));
    assert_true(id == 17 && part == SHOW_EVENT_WHOLE);
    assert_true(show_query_event_path("/api/v1/events/8/feedback", &id, &part));
    assert_true(id == 8 && part == SHOW_EVENT_FEEDBACK);
    assert_true(show_query_event_path("/api/v1/events/9/preview", &id, &part));
    assert_true(id == 9 && part == SHOW_EVENT_PREVIEW);
    assert_false(show_query_event_path("/api/v1/events/", &id, &part));
    assert_false(show_query_event_path("/api/v1/events/0", &id, &part));
    assert_false(show_query_event_path("/api/v1/events/1/", &id, &part));
    assert_false(show_query_event_path("/api/v1/events/1x", &id, &part));
    assert_false(
        show_query_event_path("/api/v1/events/99999999999999999999", &id, &part));
    assert_false(show_query_event_path("/api/v1/event/1", &id, &part));
}

static enum vd_status word_of(const char *body, const char **word)
{
    return show_query_feedback(body, strlen(body), word, NULL);
}

static void bodies_and_messages(void **state)
{
    const char *word = NULL;
    struct show_wish wish = {0};

    (void)state;
    assert_int_equal(word_of("{\"feedback\": \"normal\"}", &word), VD_OK);
    assert_string_equal(word, "normal");
    assert_int_equal(word_of("{\"feedback\": \"\"}", &word), VD_OK);
    assert_string_equal(word, "");
    assert_int_equal(word_of("{\"feedback\": \"great\"}", &word), VD_ERR_ARGUMENT);
    assert_int_equal(word_of("{\"feedback\": 1}", &word), VD_ERR_ARGUMENT);
    assert_int_equal(word_of("[]", &word), VD_ERR_ARGUMENT);
    assert_int_equal(word_of("", &word), VD_ERR_ARGUMENT);
    assert_int_equal(word_of("{\"feedback\": \"real\"} x", &word), VD_ERR_ARGUMENT);
    assert_true(show_query_message("{\"type\":\"processes\",\"on\":true}", 30, &wish));
    assert_int_equal(wish.kind, SHOW_WISH_PROCESSES);
    assert_true(wish.on && !wish.changes);
    assert_true(show_query_message(
        "{\"type\":\"processes\",\"on\":true,\"changes\":true}", 45, &wish));
    assert_true(wish.on && wish.changes);
    assert_true(show_query_message("{\"type\":\"other\"}", 16, &wish));
    assert_int_equal(wish.kind, SHOW_WISH_OTHER);
    assert_false(show_query_message("{\"type\":5}", 10, &wish));
    assert_false(show_query_message("{", 1, &wish));
}

static bool view_of(const char *text, struct show_view *view)
{
    struct show_wish wish;
    bool good = show_query_message(text, strlen(text), &wish);

    *view = wish.view;
    assert_int_equal(wish.kind, good ? SHOW_WISH_VIEW : SHOW_WISH_OTHER);
    return good;
}

static void views_name_metrics_by_index(void **state)
{
    static const char *bad[] = {
        "{\"type\":\"view\",\"metrics\":5}",
        "{\"type\":\"view\",\"metrics\":[\"cpu_percent\"]}",
        "{\"type\":\"view\",\"metrics\":[-1]}",
        "{\"type\":\"view\",\"metrics\":[4096]}",
        "{\"type\":\"view\",\"metrics\":[1.5]}",
        "{\"type\":\"view\",\"metrics\":[[3,2]]}",
        "{\"type\":\"view\",\"metrics\":[[0,18446744073709551616]]}",
        "{\"type\":\"view\",\"metrics\":[[0,1,2]]}",
        "{\"type\":\"view\",\"metrics\":[[]]}",
        "{\"type\":\"view\",\"detectors\":1}",
        "{\"type\":\"view\",\"top\":\"yes\"}",
    };
    struct show_view view;

    (void)state;
    assert_true(view_of("{\"type\":\"view\"}", &view));
    assert_true(view.all_metrics && !view.detectors && !view.top);
    assert_true(view_of("{\"type\":\"view\",\"metrics\":[],\"top\":true}", &view));
    assert_true(!view.all_metrics && !show_view_has(&view, 0) && view.top);
    assert_true(view_of("{\"type\":\"view\",\"metrics\":[0,[62,65],[4095,4095]],"
                        "\"detectors\":true}",
                        &view));
    for (size_t i = 0; i < RECORD_METRICS_MAX + 64; i++)
        assert_int_equal(show_view_has(&view, i),
                         i == 0 || (i >= 62 && i <= 65) || i == 4095);
    assert_true(view.detectors && !view.top);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (view_of(bad[i], &view))
            fail_msg("taken: %s", bad[i]);
}

static void coarse_numbers_keep_four_digits(void **state)
{
    static const struct {
        double value;
        const char *text;
    } row[] = {{0, "[0]"},           {12.3456789, "[12.35]"}, {-0.123456, "[-0.1235]"},
               {123456, "[123500]"}, {99.9999, "[100]"},      {NAN, "[null]"},
               {INFINITY, "[null]"}, {1e-320, NULL},          {1.7e308, NULL},
               {1e-7, "[1e-07]"}};

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct show_json j = {0};

        show_json_open(&j, NULL, '[');
        show_json_coarse(&j, NULL, row[i].value);
        show_json_close(&j, ']');
        if (row[i].text != NULL) {
            assert_int_equal(j.size, strlen(row[i].text));
            assert_memory_equal(show_json_text(&j), row[i].text, j.size);
        }
        assert_true(show_is_coarsely_equal(row[i].value, row[i].value));
        assert_false(show_is_coarsely_equal(row[i].value, 7));
        show_json_release(&j);
    }
    assert_true(show_is_coarsely_equal(12.3456, 12.3489));
    assert_false(show_is_coarsely_equal(12.34, 12.36));
    assert_false(show_is_coarsely_equal(NAN, 0));
    assert_true(show_is_coarsely_equal(NAN, INFINITY));
}

/* ---- snapshot ---- */

static void top_processes_are_the_largest(void **state)
{
    struct record_process process[40];
    struct show_snapshot s = {.process = process, .n_processes = 40};
    size_t top[SHOW_TOP];

    (void)state;
    memset(process, 0, sizeof process);
    for (int i = 0; i < 40; i++) {
        process[i].cpu_percent = i % 3 == 0 ? NAN : (i * 17) % 40;
        process[i].rss_bytes = 1000 - i;
        process[i].read_bytes_s = i == 11 ? 5 : NAN;
        process[i].write_bytes_s = i == 12 ? 7 : 0;
    }
    assert_int_equal(show_snapshot_top(&s, SHOW_RANK_CPU, top), 5);
    for (int i = 1; i < 5; i++)
        assert_true(process[top[i - 1]].cpu_percent > process[top[i]].cpu_percent);
    for (size_t i = 0; i < 40; i++)
        if (i != top[0] && i != top[1] && i != top[2] && i != top[3] && i != top[4])
            assert_false(process[i].cpu_percent > process[top[4]].cpu_percent);
    assert_int_equal(show_snapshot_top(&s, SHOW_RANK_MEMORY, top), 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(top[i], i);
    assert_int_equal(show_snapshot_top(&s, SHOW_RANK_IO, top), 2);
    assert_true(top[0] == 12 && top[1] == 11);
}

static void snapshot_outlives_the_record(void **state)
{
    static const struct record_metric row = {
        .name = "cpu_percent", .unit = "%", .help = ""};
    struct record_schema schema = {0};
    double value[2] = {1, NAN};
    struct record record = {.schema = &schema, .value = value, .time_ns = 5, .tick = 7};
    struct show_snapshot s = {0};
    struct show_schema *held;
    bool grew = false;

    (void)state;
    record_schema_add(&schema, &row, "0");
    assert_int_equal(show_snapshot_take(&s, &record, &grew), VD_OK);
    assert_true(grew && s.filled);
    held = show_schema_hold(s.schema);
    assert_int_equal(show_snapshot_take(&s, &record, &grew), VD_OK);
    assert_false(grew);
    record_schema_add(&schema, &row, "1");
    assert_int_equal(show_snapshot_take(&s, &record, &grew), VD_OK);
    assert_true(grew);
    record_schema_release(&schema);
    value[0] = 99;
    assert_int_equal(held->metrics.n, 1);
    assert_int_equal(s.schema->metrics.n, 2);
    assert_string_equal(s.schema->metrics.metric[1].label, "1");
    assert_true(s.value[0] == 1);
    show_schema_drop(held);
    show_snapshot_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_short_and_right),
        cmocka_unit_test(numbers_come_back_within_their_digits),
        cmocka_unit_test(hostile_text_stays_valid),
        cmocka_unit_test(every_byte_alone_is_valid),
        cmocka_unit_test(absent_is_null_and_commas_fit),
        cmocka_unit_test(only_loopback_hosts_pass),
        cmocka_unit_test(only_the_same_origin_passes),
        cmocka_unit_test(history_takes_its_parameters),
        cmocka_unit_test(bad_parameters_are_refused),
        cmocka_unit_test(a_preview_needs_its_word),
        cmocka_unit_test(event_paths),
        cmocka_unit_test(bodies_and_messages),
        cmocka_unit_test(views_name_metrics_by_index),
        cmocka_unit_test(coarse_numbers_keep_four_digits),
        cmocka_unit_test(top_processes_are_the_largest),
        cmocka_unit_test(snapshot_outlives_the_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
