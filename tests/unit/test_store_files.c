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
                        "2023-11-14T22:14:10.000000");
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
                        "2023-11-14 22:14:10.000000");
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
        assert_null(strstr(text, "22:14:02.250000"));
        assert_non_null(strstr(text, "\n2023-11-14 22:14:03.250000,3,"));
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
    assert_non_null(strstr(text, "22:14:01.250000"));
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
    store_print_time(&w, -500000000, 'T');
    vd_write_u8(&w, 0);
    assert_string_equal((char *)w.at, "1970-01-01T05:29:59.500000");
    vd_writer_release(&w);
    setenv("TZ", "UTC", 1);
    tzset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alerts_have_the_agreed_keys),
        cmocka_unit_test(torn_ends_are_mended),
        cmocka_unit_test(another_header_is_set_aside),
        cmocka_unit_test(a_pretty_array_is_continued),
        cmocka_unit_test(a_removed_file_comes_back),
        cmocka_unit_test(old_files_are_few),
        cmocka_unit_test(numbers_and_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
