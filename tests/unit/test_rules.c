/* src/detect/rules.h: limits that somebody has set. */
#include "unit.h"

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
    assert_false(detect_rules_news(&rules, hit, 1, 3600 * SECOND));
    assert_true(detect_rules_news(&rules, hit, 1, 3601 * SECOND));
    detect_rule_parse(&rule, "filesystem_percent > 98", NULL);
    detect_rules_add(&rules, &rule);
    assert_int_equal(detect_rules_check(&rules, &schema, value, 9 * SECOND, hit), 2);
    assert_true(detect_rules_news(&rules, hit, 2, 9 * SECOND));
    assert_false(detect_rules_news(&rules, hit, 0, 9 * SECOND));
    record_schema_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_parsed_with_all_their_words),
        cmocka_unit_test(bad_rules_are_refused_with_the_place),
        cmocka_unit_test(rule_fires_after_its_time_and_names_the_worst),
        cmocka_unit_test(rule_is_news_once_an_hour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
