/* src/detect/rules.h: limits that somebody has set. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "detect/rules.h"
#include "schema_fixture.h"

static void rules_are_parsed_with_all_their_words(void **state)
{
    struct detect_rule rule;
    struct vd_error err = {0};

    (void)state;
    assert_int_equal(detect_rule_parse(&rule, "cpu_percent > 90 for 30s critical", &err),
                     0);
    assert_string_equal(rule.metric, "cpu_percent");
    assert_true(rule.above && rule.value == 90 && rule.for_s == 30);
    assert_int_equal(rule.severity, RECORD_CRITICAL);
    assert_int_equal(detect_rule_parse(&rule, "memory_available_gb<0.5", &err), 0);
    assert_true(!rule.above && rule.value == 0.5 && rule.for_s == 0);
    assert_int_equal(rule.severity, RECORD_HIGH);
    assert_int_equal(detect_rule_parse(&rule, "cpu_percent > 90%", &err), 0);
}

static void bad_rules_are_refused_with_the_place(void **state)
{
    static const char *const bad[] = {
        "",
        "> 5",
        "cpu_percent",
        "cpu_percent = 5",
        "cpu_percent > high",
        "cpu_percent > 5 for",
        "cpu_percent > 5 for ever",
        "cpu_percent > 5 terrible",
        "cpu_percent > nan",
        "cpu_percent > 5x",
        /* longer than any metric's name: cut, it would be another one */
        "a_family_of_metrics_whose_name_is_far_longer_than_any > 1",
        ("filesystem_percent{/a/mount/point/longer/than/any/label/of/a/metric/can/be/and/"
         "more/so/with/all/of/its/folders/and/all/that/is/in/them} > 1"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct detect_rule rule;
        struct vd_error err = {0};

        assert_int_equal(detect_rule_parse(&rule, bad[i], &err), VD_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, bad[i]));
        assert_int_not_equal(err.hint[0], '\0');
    }
}

static void rule_fires_after_its_time_and_names_the_worst(void **state)
{
    double value[METRICS] = {10, 10, NAN, 0, 96, 99};
    struct detect_rule_hit hit[DETECT_RULES_MAX];
    struct detect_rules rules = {0};
    struct record_schema schema;
    struct detect_rule rule;

    (void)state;
    make_schema(&schema);
    detect_rule_parse(&rule, "filesystem_percent > 95 for 5s", NULL);
    assert_int_equal(detect_rules_add(&rules, &rule), VD_OK);
    assert_int_equal(detect_rules_check(&rules, &schema, value, 1 * SECOND, hit), 0);
    assert_int_equal(detect_rules_check(&rules, &schema, value, 5 * SECOND, hit), 0);
    assert_int_equal(detect_rules_check(&rules, &schema, value, 6 * SECOND, hit), 1);
    assert_int_equal(hit[0].metric, HOME);
    value[ROOT] = value[HOME] = NAN;
    assert_int_equal(detect_rules_check(&rules, &schema, value, 7 * SECOND, hit), 0);
    value[ROOT] = 97;
    assert_int_equal(detect_rules_check(&rules, &schema, value, 8 * SECOND, hit), 0);
    record_schema_release(&schema);
}

/* Kept for a second, and broken again at `mono_ns`: one hit. */
static void break_again(struct detect_rules *rules, const struct record_schema *schema,
                        const double *value, int64_t mono_ns, struct detect_rule_hit *hit)
{
    const double kept[METRICS] = {0};

    assert_int_equal(detect_rules_check(rules, schema, kept, mono_ns - SECOND, hit), 0);
    assert_int_equal(detect_rules_check(rules, schema, value, mono_ns, hit), 1);
}

static void rule_is_news_once_an_hour(void **state)
{
    double value[METRICS] = {10, 10, NAN, 0, 96, 99};
    struct detect_rule_hit hit[DETECT_RULES_MAX];
    struct detect_rules rules = {0};
    struct record_schema schema;
    struct detect_rule rule;

    (void)state;
    make_schema(&schema);
    detect_rule_parse(&rule, "filesystem_percent > 95", NULL);
    detect_rules_add(&rules, &rule);
    assert_int_equal(detect_rules_check(&rules, &schema, value, 1 * SECOND, hit), 1);
    assert_true(detect_rules_news(&rules, hit, 1, 1 * SECOND));
    detect_rules_told(&rules, hit, 1, 1 * SECOND);
    /* It goes on for longer than an hour: told is told. */
    assert_int_equal(detect_rules_check(&rules, &schema, value, 4000 * SECOND, hit), 1);
    assert_false(detect_rules_news(&rules, hit, 1, 4000 * SECOND));
    rules = (struct detect_rules){.rule = {rule}, .n = 1};
    detect_rules_check(&rules, &schema, value, 1 * SECOND, hit);
    detect_rules_told(&rules, hit, 1, 1 * SECOND);
    /* Broken again: no news within the hour. */
    break_again(&rules, &schema, value, 3000 * SECOND, hit);
    assert_false(detect_rules_news(&rules, hit, 1, 3000 * SECOND));
    break_again(&rules, &schema, value, 3700 * SECOND, hit);
    assert_true(detect_rules_news(&rules, hit, 1, 3700 * SECOND));
    detect_rules_told(&rules, hit, 1, 3700 * SECOND);
    detect_rule_parse(&rule, "filesystem_percent > 98", NULL);
    detect_rules_add(&rules, &rule);
    assert_int_equal(detect_rules_check(&rules, &schema, value, 3701 * SECOND, hit), 2);
    assert_true(detect_rules_news(&rules, hit, 2, 3701 * SECOND));
    assert_false(detect_rules_news(&rules, hit, 0, 3701 * SECOND));
    record_schema_release(&schema);
}

/* One disk has been full for days: the other one is told of, and it alone. */
static void each_metric_of_some_rules_is_news_of_its_own(void **state)
{
    double value[METRICS] = {10, 10, NAN, 0, 96, 0};
    struct detect_rule_hit hit[DETECT_HITS_MAX];
    struct detect_rules rules = {
        .rule = {{"filesystem_percent", true, 95, 5, RECORD_HIGH, .each = true}}, .n = 1};
    struct record_schema schema;

    (void)state;
    make_schema(&schema);
    detect_rules_check(&rules, &schema, value, 1 * SECOND, hit);
    assert_int_equal(detect_rules_check(&rules, &schema, value, 6 * SECOND, hit), 1);
    assert_true(detect_rules_news(&rules, hit, 1, 6 * SECOND));
    detect_rules_told(&rules, hit, 1, 6 * SECOND);
    value[HOME] = 95.5;
    assert_int_equal(detect_rules_check(&rules, &schema, value, 9000 * SECOND, hit), 1);
    assert_false(detect_rules_news(&rules, hit, 1, 9000 * SECOND));
    assert_int_equal(detect_rules_check(&rules, &schema, value, 9005 * SECOND, hit), 2);
    assert_true(detect_rules_news(&rules, hit, 2, 9005 * SECOND));
    assert_int_equal(hit[0].metric, HOME);
    assert_int_equal(hit[1].metric, ROOT);
    detect_rules_told(&rules, hit, 2, 9005 * SECOND);
    assert_int_equal(detect_rules_check(&rules, &schema, value, 9006 * SECOND, hit), 2);
    assert_false(detect_rules_news(&rules, hit, 2, 9006 * SECOND));
    record_schema_release(&schema);
}

/* Those beyond the few that an event names are told of by the next alert. */
static void many_at_once_are_told_of_in_turn(void **state)
{
    enum { UNITS = 8 };
    struct detect_rule_hit hit[DETECT_HITS_MAX];
    struct detect_rules rules;
    struct record_schema schema = {0};
    const struct record_metric row = {
        .name = "unit_failed", .unit = "", .scale = 1, .label_key = "unit"};
    double value[UNITS];
    int alerts = 0;

    (void)state;
    detect_rules_init(&rules);
    for (int i = 0; i < UNITS; i++) {
        char label[] = "0.service";

        label[0] = (char)('0' + i);
        record_schema_add(&schema, &row, label);
        value[i] = 1;
    }
    for (int64_t t = 1; t < 100; t++) {
        size_t n = detect_rules_check(&rules, &schema, value, t * SECOND, hit);

        assert_int_equal(n, RECORD_TOP);
        if (!detect_rules_news(&rules, hit, n, t * SECOND))
            break;
        detect_rules_told(&rules, hit, n, t * SECOND);
        alerts++;
    }
    assert_int_equal(alerts, (UNITS + RECORD_TOP - 1) / RECORD_TOP);
    record_schema_release(&schema);
}

static void built_in_rules_speak_in_words(void **state)
{
    static const struct {
        const char *name, *label;
        double value;
        const char *text;
    } cases[] = {
        {"unit_failed", "nginx.service", 1, "Unit nginx.service has failed"},
        {"unit_restarts", "db.service", 4, "Unit db.service is started again and again"},
        {"raid_missing_disks", "md0", 1, "Disk array md0 is degraded: disks are missing"},
        {"zfs_pool_fault", "tank", 2, "ZFS pool tank is degraded or faulted"},
        {"cpu_percent", "", 97, "cpu_percent is 97 (limit: cpu_percent > 95 for 10 s)"},
    };
    struct detect_rule_hit hit[DETECT_HITS_MAX];
    char text[128];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record_metric row = {.name = cases[i].name, .unit = "", .scale = 1};
        struct record_schema schema = {0};
        struct detect_rules rules;

        detect_rules_init(&rules);
        record_schema_add(&schema, &row, cases[i].label);
        detect_rules_check(&rules, &schema, &cases[i].value, 1 * SECOND, hit);
        assert_int_equal(
            detect_rules_check(&rules, &schema, &cases[i].value, 60 * SECOND, hit), 1);
        assert_string_equal(detect_rule_hit_text(&hit[0], &schema, text, sizeof text),
                            cases[i].text);
        record_schema_release(&schema);
    }
}

/* More broken limits than there are entries: those there is room for, and no end. */
static void table_of_broken_limits_is_bounded(void **state)
{
    struct detect_rule_hit hit[DETECT_HITS_MAX];
    struct detect_rules rules = {.rule = {{"m", true, 0, 0, RECORD_LOW, .each = true},
                                          {"m", true, 1, 0, RECORD_LOW, .each = true}},
                                 .n = 2};
    const struct record_metric row = {.name = "m", .unit = "", .scale = 1};
    struct record_schema schema = {0};
    static double value[2000];

    (void)state;
    for (int i = 0; i < 2000; i++) {
        char label[16];

        snprintf(label, sizeof label, "%d", i);
        record_schema_add(&schema, &row, label);
        value[i] = 2;
    }
    for (int64_t t = 1; t < 20; t++) {
        size_t n = detect_rules_check(&rules, &schema, value, t * SECOND, hit);

        assert_true(n > 0 && n <= DETECT_HITS_MAX);
        detect_rules_told(&rules, hit, n, t * SECOND);
        assert_int_equal(rules.n_broken, DETECT_BROKEN_MAX);
    }
    record_schema_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_parsed_with_all_their_words),
        cmocka_unit_test(bad_rules_are_refused_with_the_place),
        cmocka_unit_test(rule_fires_after_its_time_and_names_the_worst),
        cmocka_unit_test(rule_is_news_once_an_hour),
        cmocka_unit_test(each_metric_of_some_rules_is_news_of_its_own),
        cmocka_unit_test(many_at_once_are_told_of_in_turn),
        cmocka_unit_test(built_in_rules_speak_in_words),
        cmocka_unit_test(table_of_broken_limits_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
