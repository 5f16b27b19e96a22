/* src/batch/report: the page of an analysis, at its largest and with hostile names. */
#include "unit.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch/report.h"
#include "batch/shown.h"

enum { COLUMNS = 200 };

static const char HOSTILE[] =
    "</script><script>alert('x')</script>&\"\\\n\x01\xff\xc0\xaf\u202e";

static float low[BATCH_BUCKETS], high[BATCH_BUCKETS];
static struct batch_analysis a;

/* The largest that an analysis can be: of ten million rows. */
static int make_analysis(void **state)
{
    (void)state;
    a = (struct batch_analysis){.rows = 10000000,
                                .anomalies = 500000,
                                .n_files = 1,
                                .first_ns = 1767225600 * SECOND,
                                .last_ns = (1767225600 + 9999999) * SECOND,
                                .pace_s = 1,
                                .n_columns = COLUMNS + 1,
                                .way = "ordered",
                                .n_buckets = BATCH_BUCKETS,
                                .n_events = BATCH_EVENTS_MAX,
                                .events_left_out = 7,
                                .n_worst = BATCH_WORST};
    a.column = calloc(COLUMNS + 1, sizeof *a.column);
    a.event = calloc(BATCH_EVENTS_MAX, sizeof *a.event);
    a.worst = calloc(BATCH_WORST, sizeof *a.worst);
    for (size_t b = 0; b < BATCH_BUCKETS; b++) {
        low[b] = -1234.567F * (float)b;
        high[b] = 1.2345678e-7F * (float)b;
        a.bucket_row[b] = b * 10000;
        a.bucket_ns[b] = a.first_ns + (int64_t)b * 10000 * SECOND;
        a.bucket_score[b] = 0.123456F;
    }
    for (size_t c = 0; c < COLUMNS; c++) {
        char name[32];
        struct record_metric metric = {.unit = "MB/s"};

        snprintf(name, sizeof name, "column_%zu", c);
        a.column[c].metric = record_schema_add_named(&a.schema, &metric, name, NULL);
        snprintf(a.column[c].name, sizeof a.column[c].name, "%s",
                 c == 7 ? HOSTILE : name);
        a.column[c].low = low;
        a.column[c].high = high;
    }
    a.column[COLUMNS].metric = SIZE_MAX;
    snprintf(a.column[COLUMNS].name, sizeof a.column[COLUMNS].name, "host");
    snprintf(a.column[COLUMNS].why, sizeof a.column[COLUMNS].why, "text");
    return 0;
}

/* Reasons as long as they can be, about the columns 150, 151 and 7. */
static void fill_reason(struct batch_reason *why, uint64_t row)
{
    static const size_t metric[RECORD_TOP] = {150, 151, 7};

    memset(why->reason, 'x', sizeof why->reason - 1);
    why->n_top = RECORD_TOP;
    for (size_t k = 0; k < RECORD_TOP; k++)
        why->top[k] = (struct record_deviation){.metric = metric[k],
                                                .value = 1234.5678 + (double)row,
                                                .expected = 0.0123456,
                                                .z = 99.5 - (double)k};
    why->n_factors = BATCH_FACTORS;
    for (size_t k = 0; k < BATCH_FACTORS; k++)
        snprintf(why->factor[k], sizeof why->factor[k], "Disk I/O: %zu MB/s", k);
}

static void fill(void)
{
    for (size_t i = 0; i < a.n_events; i++) {
        struct batch_event *e = &a.event[i];

        e->first = i * 1000;
        e->last = i * 1000 + 50;
        e->first_ns = a.first_ns + (int64_t)e->first * SECOND;
        e->last_ns = a.first_ns + (int64_t)e->last * SECOND;
        e->rows = 50;
        e->pattern = "sustained bottleneck";
        e->peak =
            (struct batch_row){.row = e->first, .time_ns = e->first_ns, .score = -0.7};
        fill_reason(&e->peak.why, i);
    }
    for (size_t i = 0; i < a.n_worst; i++) {
        a.worst[i] = (struct batch_row){.row = i, .time_ns = a.first_ns, .score = -0.9};
        fill_reason(&a.worst[i].why, i);
    }
}

static int release(void **state)
{
    (void)state;
    record_schema_release(&a.schema);
    free(a.column);
    free(a.event);
    free(a.worst);
    return 0;
}

/* Writes the report and gives its bytes. */
static char *report(size_t *size)
{
    const char *file[] = {HOSTILE};
    struct batch_analyse_options o = {.file = file, .n_files = 1};
    char path[] = "/tmp/vedette-report-XXXXXX";
    struct vd_error err = {0};
    char *text = NULL;
    FILE *in;

    close(mkstemp(path));
    assert_int_equal(batch_report_write(&a, &o, path, &err), VD_OK);
    in = fopen(path, "r");
    text = calloc(1, 8 << 20);
    *size = fread(text, 1, (8 << 20) - 1, in);
    fclose(in);
    unlink(path);
    return text;
}

/* Cuts the data out of the page and reads them. */
static json_t *data_of(char *page)
{
    char *from = strstr(page, "id=\"data\">"), *to;
    json_error_t error;
    json_t *root;

    assert_non_null(from);
    from += strlen("id=\"data\">");
    to = strstr(from, "</script>");
    assert_non_null(to);
    root = json_loadb(from, (size_t)(to - from), 0, &error);
    if (root == NULL)
        fail_msg("line %d: %s", error.line, error.text);
    return root;
}

static void the_largest_analysis_stays_small(void **state)
{
    size_t size;
    char *page;
    json_t *root, *event;

    (void)state;
    fill();
    page = report(&size);
    assert_in_range(size, 1000000, 5000000);
    root = data_of(page);
    assert_int_equal(json_array_size(json_object_get(root, "events")), BATCH_EVENTS_MAX);
    assert_int_equal(json_array_size(json_object_get(root, "worst")), BATCH_WORST);
    assert_int_equal(json_array_size(json_object_get(root, "metrics")), COLUMNS);
    assert_int_equal(json_integer_value(json_object_get(root, "events_left_out")), 7);
    event = json_array_get(json_object_get(root, "events"), 9999);
    assert_int_equal(json_integer_value(json_array_get(event, 0)), 9999000);
    assert_double_equal(json_number_value(json_array_get(event, 2)),
                        1767225600.0 + 9999000, 1e-3);
    json_decref(root);
    free(page);
}

/* What events speak of comes first, and deviations point to it. */
static void columns_that_matter_come_first(void **state)
{
    size_t size, n, *shown = batch_shown(&a, &n);
    char *page = report(&size);
    json_t *root = data_of(page), *metrics = json_object_get(root, "metrics"), *top;

    (void)state;
    assert_int_equal(n, COLUMNS);
    assert_int_equal(shown[0], 150);
    assert_int_equal(shown[1], 151);
    assert_int_equal(shown[2], 7);
    assert_int_equal(shown[3], 0);
    top = json_array_get(json_array_get(json_object_get(root, "events"), 3), 10);
    assert_int_equal(json_array_size(top), RECORD_TOP);
    for (size_t k = 0; k < 2; k++) {
        json_t *metric = json_array_get(
            metrics,
            (size_t)json_integer_value(json_array_get(json_array_get(top, k), 0)));

        assert_string_equal(json_string_value(json_object_get(metric, "name")),
                            k == 0 ? "column_150" : "column_151");
        assert_int_equal(json_array_size(json_object_get(metric, "low")), BATCH_BUCKETS);
    }
    /* The last has no chart any more. */
    assert_true(
        json_is_null(json_object_get(json_array_get(metrics, COLUMNS - 1), "low")));
    free(shown);
    json_decref(root);
    free(page);
}

/* The name comes back as it was, but for bytes that are no UTF-8. */
static void hostile_names_end_nothing(void **state)
{
    static const char seen[] =
        "</script><script>alert('x')</script>&\"\\\n\x01\ufffd\ufffd\ufffd\u202e";
    size_t size;
    char *page = report(&size);
    json_t *root = data_of(page), *file;

    (void)state;
    assert_null(strstr(page, "alert('x')"));
    assert_null(strstr(page, "<script>alert"));
    file = json_array_get(json_object_get(root, "files"), 0);
    assert_string_equal(json_string_value(file), seen);
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json_object_get(root, "metrics"), 2), "name")),
                        seen);
    json_decref(root);
    free(page);
}

static void what_is_not_known_is_null(void **state)
{
    size_t size;
    char *page;
    json_t *root;

    (void)state;
    a.first_ns = a.last_ns = 0;
    a.pace_s = NAN;
    a.n_events = a.n_worst = 0;
    low[3] = NAN;
    high[3] = INFINITY;
    page = report(&size);
    root = data_of(page);
    assert_true(json_is_null(json_object_get(root, "first")));
    assert_true(json_is_null(json_object_get(root, "pace")));
    assert_true(json_is_null(json_object_get(root, "quality")));
    for (size_t k = 0; k < 2; k++)
        assert_true(json_is_null(json_array_get(
            json_object_get(json_array_get(json_object_get(root, "metrics"), 0),
                            k == 0 ? "low" : "high"),
            3)));
    json_decref(root);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_analysis_stays_small),
        cmocka_unit_test(columns_that_matter_come_first),
        cmocka_unit_test(hostile_names_end_nothing),
        cmocka_unit_test(what_is_not_known_is_null),
    };
    struct vd_error err = {0};

    if (batch_report_check(&err) != VD_OK) {
        printf("skipped: %s\n", err.text);
        return 0;
    }
    return cmocka_run_group_tests(tests, make_analysis, release);
}
