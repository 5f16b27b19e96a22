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

static size_t check(const struct detect_rules *rules, struct detect_rules_state *seen,
                    const struct record_schema *schema, const double *value, int64_t at_s,
                    struct detect_rule_hit hit[DETECT_HITS_MAX])
{
    return detect_rules_check(rules, seen, schema, value, at_s * SECOND, hit);
}

/* Each metric of a family by itself, from when it exceeded the limit on. */
static void each_metric_is_watched_by_itself(void **state)
{
    double value[METRICS] = {10, 10, NAN, 0, 96, 94};
    struct detect_rule_hit hit[DETECT_HITS_MAX];
    struct detect_rules rules = {0};
    struct detect_rules_state seen = {0};
    struct record_schema schema;
    struct detect_rule rule;

    (void)state;
    make_schema(&schema);
    detect_rule_parse(&rule, "filesystem_percent > 95 for 5s", NULL);
    assert_int_equal(detect_rules_add(&rules, &rule), VD_OK);
    assert_int_equal(check(&rules, &seen, &schema, value, 1, hit), 1);
    assert_false(hit[0].fires);
    value[HOME] = 99;
    assert_int_equal(check(&rules, &seen, &schema, value, 4, hit), 2);
    assert_int_equal(check(&rules, &seen, &schema, value, 6, hit), 2);
    assert_int_equal(hit[0].metric, ROOT);
    assert_true(hit[0].fires && hit[0].since_ns == 1 * SECOND && hit[0].value == 96);
    assert_int_equal(hit[1].metric, HOME);
    assert_true(!hit[1].fires && hit[1].since_ns == 4 * SECOND);
    /* Absent exceeds nothing, and begins anew when it is back. */
    value[ROOT] = NAN;
    assert_int_equal(check(&rules, &seen, &schema, value, 9, hit), 1);
    assert_true(hit[0].metric == HOME && hit[0].fires);
    value[ROOT] = 97;
    assert_int_equal(check(&rules, &seen, &schema, value, 10, hit), 2);
    assert_true(hit[0].metric == HOME && hit[1].metric == ROOT && !hit[1].fires);
    /* On the limit is not beyond it. */
    value[ROOT] = value[HOME] = 95;
    assert_int_equal(check(&rules, &seen, &schema, value, 11, hit), 0);
    detect_rules_state_release(&seen);
    record_schema_release(&schema);
}

static void make_family(struct record_schema *schema, const char *name, size_t n)
{
    const struct record_metric row = {
        .name = name, .unit = "", .scale = 1, .label_key = "unit"};

    *schema = (struct record_schema){0};
    for (size_t i = 0; i < n; i++) {
        char label[32];

        snprintf(label, sizeof label, "%zu", i);
        record_schema_add(schema, &row, label);
    }
}

/* Of hundreds those that have lasted longest, and the others counted: whichever joins
 * them later, the first stay. */
static void many_at_once_are_bounded_and_counted(void **state)
{
    enum { MANY = 2000 };
    static double value[MANY];
    struct detect_rule_hit hit[DETECT_HITS_MAX];
    struct detect_rules rules = {.rule = {{"m", true, 0, 0, RECORD_LOW, .builtin = false},
                                          {"m", true, 1, 0, RECORD_LOW, .builtin = true}},
                                 .n = 2};
    struct detect_rules_state seen = {0};
    struct record_schema schema;

    (void)state;
    make_family(&schema, "m", MANY);
    for (size_t i = MANY / 2; i < MANY; i++)
        value[i] = 2;
    assert_int_equal(check(&rules, &seen, &schema, value, 1, hit), DETECT_EACH_MAX);
    for (size_t i = 0; i < MANY; i++)
        value[i] = 3;
    for (int64_t t = 2; t < 20; t++) {
        assert_int_equal(check(&rules, &seen, &schema, value, t, hit), DETECT_EACH_MAX);
        for (size_t i = 0; i < DETECT_EACH_MAX; i++)
            assert_int_equal(hit[i].metric, MANY / 2 + i);
        assert_int_equal(seen.n_broken, DETECT_BROKEN_MAX);
        assert_int_equal(seen.left_out, 2 * MANY - DETECT_EACH_MAX);
    }
    memset(value, 0, sizeof value);
    assert_int_equal(check(&rules, &seen, &schema, value, 20, hit), 0);
    assert_int_equal(seen.left_out, 0);
    detect_rules_state_release(&seen);
    record_schema_release(&schema);
}

static void built_in_rules_can_be_switched_off(void **state)
{
    const double value[] = {1};
    struct detect_rule_hit hit[DETECT_HITS_MAX];
    struct detect_rules rules;
    struct detect_rules_state seen = {0};
    struct record_schema schema;
    struct vd_error err = {0};

    (void)state;
    make_family(&schema, "unit_failed", 1);
    detect_rules_init(&rules);
    assert_int_equal(check(&rules, &seen, &schema, value, 1, hit), 1);
    assert_true(hit[0].fires);
    assert_int_equal(detect_rules_switch_off(&rules, "cpu_percent", &err), VD_OK);
    assert_int_equal(check(&rules, &seen, &schema, value, 2, hit), 1);
    assert_int_equal(detect_rules_switch_off(&rules, "unit_failed", &err), VD_OK);
    assert_int_equal(check(&rules, &seen, &schema, value, 3, hit), 0);
    detect_rules_init(&rules);
    assert_int_equal(detect_rules_switch_off(&rules, "all", &err), VD_OK);
    assert_int_equal(check(&rules, &seen, &schema, value, 4, hit), 0);
    assert_int_equal(detect_rules_switch_off(&rules, "unit_faild", &err),
                     VD_ERR_ARGUMENT);
    assert_non_null(strstr(err.hint, "unit_failed"));
    /* What somebody wrote down is not built in. */
    detect_rules_init(&rules);
    rules.rule[rules.n++] =
        (struct detect_rule){"unit_failed", true, 0, 0, RECORD_LOW, .builtin = false};
    detect_rules_switch_off(&rules, "all", &err);
    assert_int_equal(check(&rules, &seen, &schema, value, 5, hit), 1);
    detect_rules_state_release(&seen);
    record_schema_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_parsed_with_all_their_words),
        cmocka_unit_test(bad_rules_are_refused_with_the_place),
        cmocka_unit_test(each_metric_is_watched_by_itself),
        cmocka_unit_test(many_at_once_are_bounded_and_counted),
        cmocka_unit_test(built_in_rules_can_be_switched_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
