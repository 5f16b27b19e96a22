/* The schema: names that stay apart, and indices that serve again when nobody can hold
 * anything of the old metric any more. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "detect/baseline.h"
#include "detect/silence.h"
#include "detect/univariate.h"
#include "machine.h"
#include "store/names.h"

static const struct record_metric row = {.name = "x_mb",
                                         .unit = "MB/s",
                                         .kind = RECORD_RATE,
                                         .scale = 1,
                                         .label_key = "device"};

static void test_long_labels_stay_apart(void **state)
{
    static const char *const pod = "/var/lib/kubelet/pods/0f1e2d3c-0000-4000-8000-"
                                   "0123456789ab/volumes/kubernetes.io~nfs/";
    static const char *const ends[] = {"data", "logs", "datb", "\xc3\xa9t\xc3\xa9"};
    struct record_schema schema = {0};
    char label[RECORD_LABEL_MAX], name[512];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s%s", pod, ends[i]);
        assert_int_equal(record_schema_add(&schema, &row, name), i);
        assert_int_equal(record_schema_add(&schema, &row, name), i);
        assert_true(strlen(record_label(label, name)) < RECORD_LABEL_MAX);
        assert_string_equal(schema.metric[i].label, label);
        /* People see where it is and what it is. */
        assert_memory_equal(label, "/var/lib/kubelet", 16);
        assert_string_equal(label + strlen(label) - strlen(ends[i]), ends[i]);
        snprintf(name, sizeof name, "x_mb{mount=\"%s%s\"}", pod, ends[i]);
        assert_int_equal(record_schema_find(&schema, name), SIZE_MAX); /* another key */
        snprintf(name, sizeof name, "x_mb{device=\"%s%s\"}", pod, ends[i]);
        assert_int_equal(record_schema_find(&schema, name), i);
        snprintf(name, sizeof name, "x_mb{%s}", label);
        assert_int_equal(record_schema_find(&schema, name), i);
    }
    record_schema_release(&schema);
}

/* The difference may stand in the middle, which is what is left out. */
static void test_labels_differ_where_they_are_cut(void **state)
{
    char a[300], b[300], left[RECORD_LABEL_MAX], right[RECORD_LABEL_MAX];

    (void)state;
    for (size_t length = RECORD_LABEL_MAX - 2; length < sizeof a; length++)
        for (size_t at = 0; at < length; at += 7) {
            memset(a, 'n', length);
            a[length] = '\0';
            memcpy(b, a, sizeof b);
            b[at] = 'm';
            assert_string_not_equal(record_label(left, a), record_label(right, b));
        }
}

/* No character is cut in two, wherever the cut falls. */
static void test_labels_keep_characters_whole(void **state)
{
    char text[300], label[RECORD_LABEL_MAX];

    (void)state;
    for (size_t shift = 0; shift < 3; shift++) {
        size_t n = shift;

        memset(text, 'x', shift);
        for (int i = 0; i < 60; i++, n += 3)
            memcpy(text + n, "\xe2\x82\xac", 3);
        text[n] = '\0';
        record_label(label, text);
        for (const char *c = label; *c != '\0'; c++)
            if ((unsigned char)*c >= 0x80) {
                assert_memory_equal(c, "\xe2\x82\xac", 3);
                c += 2;
            }
    }
}

static int64_t seconds(double s)
{
    return (int64_t)(s * 1e9);
}

static void test_index_rests_before_it_serves_again(void **state)
{
    struct record_schema schema = {.mono_ns = seconds(100)};
    uint32_t serial;

    (void)state;
    assert_int_equal(record_schema_add(&schema, &row, "sda"), 0);
    assert_int_equal(record_schema_add(&schema, &row, "sdb"), 1);
    serial = schema.metric[0].serial;
    record_schema_give_back(&schema, 0);
    record_schema_give_back(&schema, SIZE_MAX);
    schema.mono_ns += seconds(RECORD_REST_S - 1);
    assert_int_equal(record_schema_add(&schema, &row, "sdc"), 2);
    /* It comes back in time: nothing has changed. */
    assert_int_equal(record_schema_add(&schema, &row, "sda"), 0);
    assert_int_equal(schema.metric[0].serial, serial);
    schema.mono_ns += seconds(2 * RECORD_REST_S);
    assert_int_equal(record_schema_add(&schema, &row, "sdd"), 3);
    record_schema_give_back(&schema, 0);
    schema.mono_ns += seconds(RECORD_REST_S);
    assert_int_equal(record_schema_add(&schema, &row, "sde"), 0);
    assert_true(schema.metric[0].serial > serial);
    assert_int_equal(schema.metric[0].serial, schema.serial);
    assert_int_equal(record_schema_find(&schema, "x_mb{sda}"), SIZE_MAX);
    assert_int_equal(record_schema_find(&schema, "x_mb{sde}"), 0);
    record_schema_release(&schema);
}

static void test_full_table_says_so(void **state)
{
    struct record_schema schema = {.mono_ns = seconds(1)};
    char label[32];

    (void)state;
    for (int i = 0; i < RECORD_METRICS_MAX; i++) {
        assert_true(record_schema_has_room(&schema));
        snprintf(label, sizeof label, "%d", i);
        assert_int_equal(record_schema_add(&schema, &row, label), i);
    }
    assert_false(record_schema_has_room(&schema));
    assert_int_equal(record_schema_add(&schema, &row, "more"), SIZE_MAX);
    assert_int_equal(schema.dropped, 1);
    record_schema_give_back(&schema, 77);
    assert_false(record_schema_has_room(&schema));
    schema.mono_ns += seconds(RECORD_REST_S);
    assert_true(record_schema_has_room(&schema));
    assert_int_equal(record_schema_add(&schema, &row, "more"), 77);
    record_schema_release(&schema);
}

/* Rates know that the counter at an index is another one now. */
static void test_rates_forget(void **state)
{
    struct record_schema schema = {.mono_ns = seconds(1)};
    double raw[1] = {100}, base[1] = {NAN};
    struct record_sample sample = {.schema = &schema, .raw = raw, .base = base};
    feature_rates *rates;

    (void)state;
    assert_int_equal(feature_rates_new(&rates, NULL), VD_OK);
    record_schema_add(&schema, &row, "old");
    sample.mono_ns = seconds(1);
    feature_rates_update(rates, &sample);
    raw[0] = 107;
    sample.mono_ns += seconds(1);
    assert_double_equal(feature_rates_update(rates, &sample)[0], 7, 1e-9);
    record_schema_give_back(&schema, 0);
    schema.mono_ns += seconds(RECORD_REST_S);
    record_schema_add(&schema, &row, "new");
    raw[0] = 5000;
    sample.mono_ns += seconds(1);
    assert_double_equal(feature_rates_update(rates, &sample)[0], NAN, 0);
    feature_rates_free(rates);
    record_schema_release(&schema);
}

/* An index of which everything is known goes to another metric. */
struct passed_on {
    struct record_schema schema;
    double value[1];
};

static void pass_on(struct passed_on *p)
{
    record_schema_give_back(&p->schema, 0);
    p->schema.mono_ns += seconds(RECORD_REST_S);
    assert_int_equal(record_schema_add(&p->schema, &row, "new"), 0);
    p->value[0] = 5;
}

static void test_baselines_forget(void **state)
{
    struct passed_on p = {.schema = {.mono_ns = seconds(1)}, .value = {70}};
    struct detect_baseline baseline = {0};

    (void)state;
    record_schema_add(&p.schema, &row, "old");
    for (int i = 0; i < 200; i++) {
        assert_int_equal(detect_baseline_read(&baseline, &p.schema, p.value), VD_OK);
        detect_baseline_learn(&baseline, p.value);
    }
    assert_double_equal(baseline.expected[0], 70, 1e-9);
    pass_on(&p);
    assert_int_equal(detect_baseline_read(&baseline, &p.schema, p.value), VD_OK);
    assert_double_equal(baseline.expected[0], NAN, 0);
    for (int i = 0; i < 200; i++) {
        detect_baseline_learn(&baseline, p.value);
        detect_baseline_read(&baseline, &p.schema, p.value);
    }
    assert_double_equal(baseline.expected[0], 5, 1e-9);
    detect_baseline_release(&baseline);
    record_schema_release(&p.schema);
}

static void test_streams_forget(void **state)
{
    struct passed_on p = {.schema = {.mono_ns = seconds(1)}, .value = {70}};
    double z[1] = {50}, before = NAN, after;
    detect_univariate *layer;

    (void)state;
    assert_int_equal(detect_univariate_new(&layer, 2, 1), VD_OK);
    record_schema_add(&p.schema, &row, "old");
    for (int i = 0; i < 300; i++) {
        p.value[0] = 70 + i % 3;
        before = detect_univariate_read(layer, &p.schema, p.value, z, seconds(i));
    }
    assert_false(isnan(before));
    pass_on(&p);
    /* A step from 70 to 5 would be the surprise of its life. */
    after = detect_univariate_read(layer, &p.schema, p.value, z, seconds(301));
    assert_double_equal(after, NAN, 0);
    for (int i = 0; i < 300; i++)
        after = detect_univariate_read(layer, &p.schema, p.value, z, seconds(302 + i));
    assert_false(isnan(after)); /* there is a stream again */
    detect_univariate_free(layer);
    record_schema_release(&p.schema);
}

static void test_silence_forgets(void **state)
{
    static const struct record_metric plain = {.name = "y", .unit = "", .scale = 1};
    struct passed_on p = {.schema = {.mono_ns = seconds(1)}, .value = {70}};
    struct detect_silence silence = {.interval_s = 1};
    struct record_silence hit;

    (void)state;
    record_schema_add(&p.schema, &row, "old");
    for (int i = 1; i <= 100; i++)
        assert_false(
            detect_silence_check(&silence, &p.schema, p.value, seconds(i), &hit));
    record_schema_give_back(&p.schema, 0);
    p.schema.mono_ns += seconds(RECORD_REST_S);
    record_schema_add(&p.schema, &plain, NULL);
    p.value[0] = NAN; /* never there: nothing is missed */
    for (int i = 101; i <= 200; i++)
        assert_false(
            detect_silence_check(&silence, &p.schema, p.value, seconds(i), &hit));
    detect_silence_release(&silence);
    record_schema_release(&p.schema);
}

static void test_names_follow(void **state)
{
    struct passed_on p = {.schema = {.mono_ns = seconds(1)}};
    struct store_names names;

    (void)state;
    store_names_init(&names);
    record_schema_add(&p.schema, &row, "old");
    record_schema_add(&p.schema, &row, "other");
    store_names_note(&names, &p.schema);
    assert_int_equal(store_names_find(&names, "x_mb{old}"), 0);
    pass_on(&p);
    store_names_note(&names, &p.schema);
    assert_int_equal(store_names_find(&names, "x_mb{old}"), SIZE_MAX);
    assert_int_equal(store_names_find(&names, "x_mb{new}"), 0);
    assert_int_equal(store_names_find(&names, "x_mb{other}"), 1);
    store_names_release(&names);
    record_schema_release(&p.schema);
}

static void words_of_feedback_are_known_both_ways(void **state)
{
    static const char *const others[] = {"Normal", "normal ", "unsaid", "maybe", "x"};
    enum record_feedback said;

    (void)state;
    for (int i = RECORD_UNSAID; i < RECORD_FEEDBACKS; i++) {
        assert_true(
            record_feedback_of(record_feedback_name((enum record_feedback)i), &said));
        assert_int_equal(said, i);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        said = RECORD_SAID_REAL;
        assert_false(record_feedback_of(others[i], &said));
        assert_int_equal(said, RECORD_UNSAID);
    }
}

static void resources_are_known_both_ways(void **state)
{
    static const char *const others[] = {"", "CPU", "disk", "disk_read ", "memoryx"};

    (void)state;
    for (int i = 0; i < RECORD_RESOURCES; i++)
        assert_int_equal(
            record_resource_of(record_resource_name((enum record_resource)i)), i);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(record_resource_of(others[i]), RECORD_RESOURCES);
    assert_double_equal(record_beyond_limit(true, 95, 98), 3, 0);
    assert_double_equal(record_beyond_limit(false, 1, 0.25), 0.75, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_labels_stay_apart),
        cmocka_unit_test(test_labels_differ_where_they_are_cut),
        cmocka_unit_test(test_labels_keep_characters_whole),
        cmocka_unit_test(test_index_rests_before_it_serves_again),
        cmocka_unit_test(test_full_table_says_so),
        cmocka_unit_test(test_rates_forget),
        cmocka_unit_test(test_baselines_forget),
        cmocka_unit_test(test_streams_forget),
        cmocka_unit_test(test_silence_forgets),
        cmocka_unit_test(test_names_follow),
        cmocka_unit_test(words_of_feedback_are_known_both_ways),
        cmocka_unit_test(resources_are_known_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
