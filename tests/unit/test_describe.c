/* src/explain/describe.h: events in words. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "explain/describe.h"

/* An event of this limit on this metric, as it is told. */
static struct record_event told(const struct record_metric *row, const char *label,
                                struct record_limit limit, struct explain_limit now)
{
    struct record_event event = {.kind = RECORD_RULE, .limit = limit};
    struct record_schema schema = {0};

    strcpy(event.limit.rule, "the rule");
    now.metric = record_schema_add(&schema, row, label);
    assert_int_not_equal(now.metric, SIZE_MAX);
    explain_limit(&schema, &now, &event);
    record_schema_release(&schema);
    return event;
}

static void limits_are_told_as_limits(void **state)
{
    static const struct {
        const char *name, *unit, *label;
        struct record_limit limit;
        struct explain_limit now;
        const char *reason;
    } cases[] = {
        {"cpu_percent",
         "%",
         "",
         {.above = true, .value = 95, .for_s = 10},
         {.value = 98.53, .above_s = 27 * 60},
         "cpu_percent 98.5 %, limit 95 % for 10 s, above it for 27 min"},
        {"memory_available_gb",
         "GB",
         "",
         {.value = 0.5, .for_s = 60},
         {.value = 0.25, .above_s = 119},
         "memory_available_gb 0.2 GB, limit 0.5 GB for 60 s, below it for 119 s"},
        {"cpu_temp",
         "C",
         "",
         {.above = true, .value = 95},
         {.value = 101, .above_s = 0},
         "cpu_temp 101 °C, limit 95 °C, above it for 0 s"},
        {"filesystem_percent",
         "%",
         "/home",
         {.above = true, .value = 95, .for_s = 5},
         {.value = 96, .above_s = 3 * 86400.0},
         "filesystem_percent{/home} 96 %, limit 95 % for 5 s, above it for 3.0 days"},
        {"tcp_resets",
         "1/s",
         "",
         {.above = true, .value = 1200},
         {.value = 1500.4, .above_s = 3 * 3600},
         "tcp_resets 1500 /s, limit 1200 /s, above it for 3.0 h"},
        {"unit_failed",
         "",
         "ssh.service",
         {.above = true, .value = 0},
         {.value = 1, .above_s = 5, .words = {"Unit ", " has failed"}},
         "Unit ssh.service has failed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct record_metric row = {.name = cases[i].name,
                                          .unit = cases[i].unit,
                                          .label_key = "mount",
                                          .scale = 1};
        struct record_event event =
            told(&row, cases[i].label, cases[i].limit, cases[i].now);

        assert_string_equal(event.reason, cases[i].reason);
        assert_int_equal(event.n_top, 1);
        assert_double_equal(event.top[0].value, cases[i].now.value, 0);
        /* No word of what is expected: a limit needs none. */
        assert_true(isnan(event.top[0].z) && isnan(event.top[0].expected));
        assert_null(strstr(event.explanation[0], "expected"));
        assert_non_null(strstr(event.explanation[0], "limit"));
    }
}

static void long_names_are_cut_and_nothing_else(void **state)
{
    char label[RECORD_LABEL_MAX];
    const struct record_metric row = {
        .name = "filesystem_percent", .unit = "%", .label_key = "mount", .scale = 1};
    struct record_event event;

    (void)state;
    memset(label, 'x', sizeof label - 1);
    label[sizeof label - 1] = '\0';
    event = told(&row, label, (struct record_limit){.above = true, .value = 95},
                 (struct explain_limit){.value = 99, .above_s = 1});
    assert_non_null(strstr(event.reason, " 99 %, limit 95 %, above it for 1 s"));
    assert_non_null(strstr(event.explanation[0], "99 % (limit 95 %, above it for 1 s)"));
}

static void silence_says_what_and_for_how_long(void **state)
{
    const struct record_metric row = {.name = "cpu_temp", .unit = "C", .scale = 1};
    struct record_schema schema = {0};
    struct record_event event = {.kind = RECORD_SILENCE};
    size_t temp = record_schema_add(&schema, &row, NULL);

    (void)state;
    explain_silence(&schema, &(struct record_silence){RECORD_SILENCE_GONE, temp, 12},
                    &event);
    assert_string_equal(event.reason, "cpu_temp has not reported for 12 s");
    explain_silence(&schema, &(struct record_silence){RECORD_SILENCE_FROZEN, temp, 1200},
                    &event);
    assert_string_equal(event.reason, "cpu_temp has not moved for 20 min");
    explain_silence(&schema, &(struct record_silence){RECORD_SILENCE_GAP, SIZE_MAX, 90},
                    &event);
    assert_string_equal(event.reason,
                        "No samples for 90 s: the machine slept or was starved");
    record_schema_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_told_as_limits),
        cmocka_unit_test(long_names_are_cut_and_nothing_else),
        cmocka_unit_test(silence_says_what_and_for_how_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
