/* The text files: formats, torn ends, files of others, files that are removed. */
#include "unit.h"

#include <dirent.h>
#include <sys/stat.h>
#include <time.h>

#include <jansson.h>

#include "store_fixture.h"

#include "store/text.h"

static store_set *open_set(struct fixture *f)
{
    struct vd_error err = {0};
    store_set *set;

    if (store_set_new(&set, &f->config, &err) != VD_OK)
        fail_msg("%s", err.text);
    return set;
}

static void push_events(struct fixture *f, store_set *set, int from, int n)
{
    static struct record_event event;

    for (int k = from; k < from + n; k++) {
        fixture_tick(f, k);
        fixture_event(&event, store_set_next_event_id(set));
        f->record.event = &event;
        f->record.change = RECORD_EVENT_OPENED;
        f->record.verdict.score = -0.6;
        store_set_push(set, &f->record);
    }
}

static void write_file(const struct fixture *f, const char *name, const char *text)
{
    FILE *file = fopen(fixture_path(f, name), "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    fclose(file);
}

static int count_files(const struct fixture *f, const char *prefix)
{
    DIR *dir = opendir(f->dir);
    struct dirent *entry;
    int n = 0;

    while ((entry = readdir(dir)) != NULL)
        n += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    closedir(dir);
    return n;
}

static size_t count_events(const struct fixture *f)
{
    char *text = fixture_read(f, "anomalies.json");
    json_error_t error;
    json_t *root = json_loads(text, 0, &error);
    size_t n;

    if (root == NULL)
        fail_msg("line %d: %s: %s", error.line, error.text, text);
    n = json_array_size(root);
    json_decref(root);
    free(text);
    return n;
}

static void push_change(struct fixture *f, store_set *set,
                        const struct record_event *event, enum record_event_change change)
{
    fixture_tick(f, 0);
    f->record.event = event;
    f->record.change = change;
    store_set_push(set, &f->record);
}

/* "1 opened -, 1 ended 2023-...": event, change and end of each line. */
static char *changes_of(const struct fixture *f, const char *name)
{
    char *text = fixture_read(f, name), *out = calloc(1, 4096);
    size_t used = 0;

    assert_non_null(out);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        json_t *root = json_loads(line, 0, NULL);
        const char *end = json_string_value(json_object_get(root, "end"));

        assert_non_null(root);
        used += (size_t)snprintf(
            out + used, 4096 - used, "%lld %s %s, ",
            (long long)json_integer_value(json_object_get(root, "event")),
            json_string_value(json_object_get(root, "change")), end == NULL ? "-" : end);
        json_decref(root);
    }
    free(text);
    return out;
}

static void alerts_have_the_agreed_keys(void **state)
{
    json_t *root, *value;
    struct fixture f;
    store_set *set;
    char *text, *end;

    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    fixture_open(&f);
    set = open_set(&f);
    push_events(&f, set, 0, 2);
    store_set_close(set);
    text = fixture_read(&f, "alerts.jsonl");
    end = strchr(text, '\n');
    *end = '\0';
    root = json_loads(text, 0, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "time")),
                        "2023-11-14T22:14:10.000+00:00");
    assert_string_equal(json_string_value(json_object_get(root, "kind")), "anomaly");
    assert_double_equal(json_real_value(json_object_get(root, "score")), -0.6, 1e-9);
    value = json_object_get(root, "explanation");
    assert_int_equal(json_array_size(value), 1);
    assert_string_equal(json_string_value(json_array_get(value, 0)),
                        "disk_busy_percent{sda}: 97.1 (high, expected ≈9.4, z=8.8)");
    value = json_object_get(root, "metrics");
    assert_int_equal(json_object_size(value), 7);
    assert_int_equal(json_integer_value(json_object_get(value, "cpu_memory")), 50);
    assert_true(json_is_null(json_object_get(value, "gpu_temp")));
    assert_string_equal(json_string_value(json_object_get(root, "note")),
                        "Alerted: 1 of 1 this week");
    value = json_array_get(json_object_get(root, "suspects"), 0);
    assert_string_equal(json_string_value(json_object_get(value, "name")),
                        "burn\xef\xbf\xbd\x1b[2J");
    json_decref(root);
    assert_null(strchr(text, '\x1b'));
    assert_int_equal(end[strlen(end + 1)], '\n');
    free(text);
    text = fixture_read(&f, "anomalies.json");
    root = json_loads(text, 0, NULL);
    assert_int_equal(json_array_size(root), 2);
    value = json_array_get(root, 1);
    assert_string_equal(json_string_value(json_object_get(value, "timestamp")),
                        "2023-11-14T22:14:10.000+00:00");
    assert_int_equal(json_object_size(json_object_get(value, "metrics")), 8);
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(value, "severity_factors"), 0)),
        "Disk: 97.1%");
    json_decref(root);
    free(text);
    fixture_close(&f);
}

static void torn_ends_are_mended(void **state)
{
    struct fixture f;
    store_set *set;
    char *text;

    (void)state;
    for (int cut = 1; cut < 700; cut += 13) {
        struct stat found;

        fixture_open(&f);
        set = open_set(&f);
        push_events(&f, set, 0, 3);
        store_set_close(set);
        assert_int_equal(stat(fixture_path(&f, "anomalies.json"), &found), 0);
        if (found.st_size > cut)
            assert_int_equal(
                truncate(fixture_path(&f, "anomalies.json"), found.st_size - cut), 0);
        assert_int_equal(stat(fixture_path(&f, "metrics_history.csv"), &found), 0);
        assert_int_equal(
            truncate(fixture_path(&f, "metrics_history.csv"), found.st_size - 5), 0);
        set = open_set(&f);
        assert_true(count_events(&f) <= 3);
        push_events(&f, set, 3, 1);
        store_set_close(set);
        assert_true(count_events(&f) >= 1 && count_events(&f) <= 4);
        text = fixture_read(&f, "metrics_history.csv");
        assert_null(strstr(text, "-0.6\n\n"));
        /* The torn third row is gone, the fourth is there. */
        assert_null(strstr(text, "22:14:02.250+"));
        assert_non_null(strstr(text, "\n2023-11-14T22:14:03.250+00:00,3,"));
        free(text);
        fixture_close(&f);
    }
}

static void another_header_is_set_aside(void **state)
{
    struct fixture f;
    store_set *set;
    char *text;

    (void)state;
    fixture_open(&f);
    write_file(&f, "metrics_history.csv", "time,cpu\n1,2\n");
    write_file(&f, "anomalies.json", "{\"not\": \"an array\"}");
    set = open_set(&f);
    push_events(&f, set, 0, 1);
    store_set_close(set);
    assert_int_equal(count_files(&f, "metrics_history"), 2);
    assert_int_equal(count_files(&f, "anomalies"), 2);
    assert_non_null(strstr(f.said, "metrics_history.csv: it has other columns"));
    assert_int_equal(count_events(&f), 1);
    text = fixture_read(&f, "metrics_history.csv");
    assert_true(strncmp(text, "timestamp,cpu_percent,", 22) == 0);
    free(text);
    fixture_close(&f);
}

/* An array that another program printed over many lines is gone on with. */
static void a_pretty_array_is_continued(void **state)
{
    struct fixture f;
    store_set *set;

    (void)state;
    fixture_open(&f);
    write_file(&f, "anomalies.json", "[\n  {\n    \"reason\": \"x\"\n  }\n]");
    set = open_set(&f);
    push_events(&f, set, 0, 2);
    store_set_close(set);
    assert_int_equal(count_events(&f), 3);
    fixture_close(&f);
}

static void a_removed_file_comes_back(void **state)
{
    struct fixture f;
    store_set *set;
    char *text;

    (void)state;
    fixture_open(&f);
    set = open_set(&f);
    push_events(&f, set, 0, 1);
    assert_true(store_set_settle(set, 10));
    assert_int_equal(unlink(fixture_path(&f, "alerts.jsonl")), 0);
    assert_int_equal(truncate(fixture_path(&f, "metrics_history.csv"), 0), 0);
    push_events(&f, set, 1, 1);
    assert_true(store_set_settle(set, 10));
    text = fixture_read(&f, "alerts.jsonl");
    assert_non_null(text);
    assert_non_null(strstr(text, "\"event\": 2,"));
    free(text);
    text = fixture_read(&f, "metrics_history.csv");
    assert_true(strncmp(text, "timestamp,cpu_percent,", 22) == 0);
    assert_non_null(strstr(text, "22:14:01.250+00:00"));
    free(text);
    store_set_close(set);
    fixture_close(&f);
}

/* Lines written while it runs are appended to, not overwritten; at most three older files
 * stay. */
static void old_files_are_few(void **state)
{
    struct fixture f;
    store_set *set;

    (void)state;
    fixture_open(&f);
    for (int i = 0; i < 6; i++) {
        write_file(&f, "metrics_history.csv", "other,header\n");
        set = open_set(&f);
        store_set_close(set);
    }
    assert_int_equal(count_files(&f, "metrics_history."), 1 + 3);
    fixture_close(&f);
}

/* What becomes of three events: one that alerts at once, one that alerts later, one that
 * never does and ends between two ticks. */
static void events_have_a_line_for_each_change(void **state)
{
    static const struct {
        int64_t id;
        enum record_event_change change;
        bool alerted, alerts_now;
    } tick[] = {
        {1, RECORD_EVENT_OPENED, true, true},    {1, RECORD_EVENT_UPDATED, true, false},
        {2, RECORD_EVENT_OPENED, false, false},  {2, RECORD_EVENT_UPDATED, true, true},
        {1, RECORD_EVENT_ENDED, true, false},    {3, RECORD_EVENT_OPENED, false, false},
        {3, RECORD_EVENT_UPDATED, false, false}, {2, RECORD_EVENT_ENDED, true, false},
    };
    struct record_event event;
    struct fixture f;
    store_set *set;
    char *text;

    (void)state;
    fixture_open(&f);
    set = open_set(&f);
    for (size_t i = 0; i < sizeof tick / sizeof *tick; i++) {
        fixture_event(&event, tick[i].id);
        event.alerted = tick[i].alerted;
        event.alerts_now = tick[i].alerts_now;
        event.end_ns = tick[i].change == RECORD_EVENT_ENDED ? event.peak_ns : 0;
        push_change(&f, set, &event, tick[i].change);
    }
    fixture_event(&event, 3);
    event.alerted = false;
    event.end_ns = event.peak_ns + 1;
    store_set_event(set, &event, RECORD_EVENT_ENDED, NULL, 0);
    store_set_event(set, &event, RECORD_EVENT_ENDED, "webhook", 1); /* told, not new */
    store_set_close(set);
    text = changes_of(&f, "alerts.jsonl");
    assert_string_equal(text, "1 opened -, 2 alerted -, ");
    free(text);
    text = changes_of(&f, "events.jsonl");
    assert_string_equal(text, "1 opened -, 2 opened -, 2 alerted -, "
                              "1 ended 2023-11-14T22:14:12.000+00:00, 3 opened -, "
                              "2 ended 2023-11-14T22:14:12.000+00:00, "
                              "3 ended 2023-11-14T22:14:12.000+00:00, ");
    free(text);
    fixture_close(&f);
}

static void a_limit_and_a_note_are_told(void **state)
{
    struct record_event event;
    struct fixture f;
    store_set *set;
    json_t *root, *limit;
    char *text;

    (void)state;
    setenv("TZ", "Asia/Tokyo", 1);
    tzset();
    fixture_open(&f);
    set = open_set(&f);
    fixture_event(&event, 1);
    event.kind = RECORD_RULE;
    snprintf(event.note, sizeof event.note, "1 of \"1\" this week");
    event.limit = (struct record_limit){
        .rule = "cpu_percent > 95 for 10 s", .above = true, .value = 95, .for_s = 10};
    event.limit.since_ns = event.start_ns;
    push_change(&f, set, &event, RECORD_EVENT_OPENED);
    store_set_close(set);
    text = fixture_read(&f, "events.jsonl");
    root = json_loads(text, 0, NULL);
    assert_non_null(root);
    limit = json_object_get(root, "limit");
    assert_string_equal(json_string_value(json_object_get(root, "note")),
                        "1 of \"1\" this week");
    assert_string_equal(json_string_value(json_object_get(limit, "rule")),
                        "cpu_percent > 95 for 10 s");
    assert_true(json_is_true(json_object_get(limit, "above")));
    assert_int_equal(json_integer_value(json_object_get(limit, "value")), 95);
    assert_string_equal(json_string_value(json_object_get(limit, "since")),
                        "2023-11-15T07:14:10.000+09:00");
    json_decref(root);
    free(text);
    fixture_close(&f);
    setenv("TZ", "UTC", 1);
    tzset();
}

static void numbers_and_texts(void **state)
{
    struct vd_writer w = {0};

    (void)state;
    store_print_number(&w, 12.3456789);
    store_print_number(&w, NAN);
    store_json_number(&w, INFINITY);
    store_json_text(&w, "a\"\\\n\x7f\xc3\xa9\xc3(");
    vd_write_u8(&w, 0);
    assert_string_equal((char *)w.at,
                        "12.3457null\"a\\\"\\\\\\u000a\\u007f\xc3\xa9\xef\xbf\xbd(\"");
    vd_writer_release(&w);
    setenv("TZ", "Asia/Kolkata", 1);
    tzset();
    store_print_time(&w, -500000000);
    vd_write_u8(&w, 0);
    assert_string_equal((char *)w.at, "1970-01-01T05:29:59.500+05:30");
    vd_writer_release(&w);
    setenv("TZ", "UTC", 1);
    tzset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alerts_have_the_agreed_keys),
        cmocka_unit_test(events_have_a_line_for_each_change),
        cmocka_unit_test(a_limit_and_a_note_are_told),
        cmocka_unit_test(torn_ends_are_mended),
        cmocka_unit_test(another_header_is_set_aside),
        cmocka_unit_test(a_pretty_array_is_continued),
        cmocka_unit_test(a_removed_file_comes_back),
        cmocka_unit_test(old_files_are_few),
        cmocka_unit_test(numbers_and_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
