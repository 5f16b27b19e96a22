/* src/explain: words, suspects, the flight recorder, patterns. */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"

static const struct record_metric rows[] = {
    {.name = "cpu_percent", .unit = "%", .group = RECORD_GROUP_CPU, .core = true},
    {.name = "cpu_memory", .unit = "%", .group = RECORD_GROUP_MEMORY, .core = true},
    {.name = "gpu_memory", .unit = "%", .group = RECORD_GROUP_GPU, .core = true},
    {.name = "disk_write_mb",
     .unit = "MB/s",
     .group = RECORD_GROUP_DISK,
     .is_byte_rate = true},
    {.name = "network_recv_mb",
     .unit = "MB/s",
     .group = RECORD_GROUP_NETWORK,
     .is_byte_rate = true},
    {.name = "cpu_core_percent",
     .unit = "%",
     .group = RECORD_GROUP_CPU,
     .label_key = "cpu"},
};

enum { CPU, MEMORY, GPU_MEMORY, WRITE, RECV, CORE_0, CORE_1, METRICS };

struct bench {
    struct record_schema schema;
    double value[METRICS], expected[METRICS], z[METRICS];
    struct explain_input in;
    struct record_event event;
};

static void bench_init(struct bench *b)
{
    memset(b, 0, sizeof *b);
    for (int i = 0; i < CORE_0; i++)
        record_schema_add(&b->schema, &rows[i], NULL);
    record_schema_add(&b->schema, &rows[CORE_0], "0");
    record_schema_add(&b->schema, &rows[CORE_0], "1");
    b->in = (struct explain_input){&b->schema, b->value, b->expected, b->z};
}

static void text_is_exactly_as_documented(void **state)
{
    struct record_deviation d = {
        .metric = GPU_MEMORY, .value = 14.2, .expected = 9.4, .z = 1.9};
    struct bench b;
    char text[128];

    (void)state;
    bench_init(&b);
    assert_string_equal(explain_deviation_text(&b.schema, &d, text, sizeof text),
                        "gpu_memory: 14.2 (high, expected ≈9.4, z=1.9)");
    d = (struct record_deviation){
        .metric = CORE_1, .value = 0.04, .expected = 1234.56, .z = -12.34};
    assert_string_equal(explain_deviation_text(&b.schema, &d, text, sizeof text),
                        "cpu_core_percent{1}: 0.04 (low, expected ≈1235, z=12.3)");
    record_schema_release(&b.schema);
}

static void top_names_the_metric_people_know_once_per_family(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    b.z[CPU] = 30, b.value[CPU] = 85.66, b.expected[CPU] = 4;
    b.z[CORE_0] = 50, b.z[CORE_1] = 50;
    b.z[MEMORY] = 3, b.value[MEMORY] = 60;
    b.z[WRITE] = 1;
    b.z[GPU_MEMORY] = NAN;
    explain_event(&b.in, &b.event);
    assert_int_equal(b.event.n_top, 3);
    assert_int_equal(b.event.top[0].metric, CPU);
    assert_int_equal(b.event.top[1].metric, CORE_0);
    assert_int_equal(b.event.top[2].metric, MEMORY);
    assert_string_equal(b.event.reason,
                        "High CPU usage detected | High memory consumption");
    assert_string_equal(b.event.factor[0], "CPU: 85.7%");
    record_schema_release(&b.schema);
}

static void another_group_is_news_and_the_same_one_less_so(void **state)
{
    struct bench b;
    double told;

    (void)state;
    bench_init(&b);
    b.z[CPU] = 20, b.z[MEMORY] = 6, b.z[CORE_0] = 18;
    told = explain_event(&b.in, &b.event);
    assert_int_equal(b.event.top[0].metric, CPU);
    assert_int_equal(b.event.top[1].metric, MEMORY);
    assert_int_equal(b.event.top[2].metric, CORE_0);
    assert_false(explain_is_drop(&b.event));
    /* A leak tells more as it grows. */
    b.z[MEMORY] = 9;
    assert_true(explain_event(&b.in, &b.event) > told);
    b.z[CPU] = -20, b.z[CORE_0] = -18;
    explain_event(&b.in, &b.event);
    assert_true(explain_is_drop(&b.event));
    record_schema_release(&b.schema);
}

static void nothing_deviating_is_said_so(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    explain_event(&b.in, &b.event);
    assert_int_equal(b.event.n_top, 0);
    assert_string_equal(b.event.explanation[0], "");
    assert_string_equal(b.event.reason, "Unusual combination of values");
    record_schema_release(&b.schema);
}

/* ---- flight recorder ---- */

static void fill(struct record_process *p, int pid, const char *comm, double cpu,
                 double rss)
{
    *p = (struct record_process){
        .pid = pid,
        .start_ticks = (uint64_t)pid,
        .cpu_percent = cpu,
        .rss_bytes = rss,
        .read_bytes_s = NAN,
        .write_bytes_s = NAN,
    };
    snprintf(p->comm, sizeof p->comm, "%s", comm);
}

/* 90 s: an editor at 3 %, a steady burner at 50 %, and from second 60 on a runaway. */
static void record_seconds(explain_recorder *r, int seconds)
{
    struct record_process at[3];
    struct record_processes table = {.at = at};

    for (int t = 0; t < seconds; t++) {
        fill(&at[0], 10, "editor", 3, 2e8);
        fill(&at[1], 20, "steady", 50, 1e8);
        fill(&at[2], 30, "runaway <b>", 95, 5e7 + (t - 60) * 1e7);
        table.n = t < 60 ? 2 : 3;
        explain_recorder_add(r, (5000 - t) * SECOND, (1000 + t) * SECOND, &table);
    }
}

static void record_story(explain_recorder *r)
{
    record_seconds(r, 90);
}

static void suspect_is_who_caused_the_excess_not_who_uses_most(void **state)
{
    struct record_suspect suspect[RECORD_SUSPECTS];
    explain_recorder *r;
    size_t n;

    (void)state;
    assert_int_equal(explain_recorder_new(&r), VD_OK);
    record_story(r);
    n = explain_recorder_suspects(r, 1060 * SECOND, RECORD_CPU, EXPLAIN_BY_EXCESS,
                                  suspect, RECORD_SUSPECTS);
    assert_int_equal(n, 1);
    assert_int_equal(suspect[0].process.pid, 30);
    assert_string_equal(suspect[0].process.comm, "runaway <b>");
    assert_double_equal(suspect[0].before, 0, 1e-9);
    assert_double_equal(suspect[0].during, 95, 1e-3);
    assert_double_equal(suspect[0].share, 1, 1e-9);
    n = explain_recorder_suspects(r, 1060 * SECOND, RECORD_MEMORY, EXPLAIN_BY_EXCESS,
                                  suspect, 5);
    assert_int_equal(suspect[0].process.pid, 30);
    assert_double_equal(suspect[0].during, 5e7 + 29e7, 1e3);
    explain_recorder_free(r);
}

/* Filled as an event of this metric that exceeds a limit, or an anomaly. */
static struct record_event event_of(enum record_event_kind kind, const char *name,
                                    enum record_group group)
{
    struct record_event event = {.kind = kind, .n_top = 1};

    snprintf(event.top[0].name, sizeof event.top[0].name, "%s", name);
    event.top[0].z = kind == RECORD_RULE ? NAN : 5;
    event.top[0].group = group;
    return event;
}

/* Where nobody uses more than before, those who use most now are named, and it says so.
 */
static void suspects_of_a_limit_are_the_largest_users(void **state)
{
    struct record_event rule = event_of(RECORD_RULE, "cpu_percent", RECORD_GROUP_CPU);
    struct record_event unit = event_of(RECORD_RULE, "unit_failed", RECORD_GROUP_OTHER);
    struct record_event anomaly =
        event_of(RECORD_ANOMALY, "cpu_percent", RECORD_GROUP_CPU);
    struct record_event before;
    explain_recorder *r;

    (void)state;
    assert_int_equal(explain_recorder_new(&r), VD_OK);
    record_story(r);
    /* The runaway came at 1060 s: an excess over the minute before. */
    explain_suspects(r, 1060 * SECOND, &rule);
    assert_int_equal(rule.n_suspects, 1);
    assert_true(rule.suspect[0].process.pid == 30 && !rule.suspect[0].of_use);
    /* All that there is at 1050 s was there before: nothing to blame. */
    explain_recorder_free(r);
    assert_int_equal(explain_recorder_new(&r), VD_OK);
    record_seconds(r, 60);
    explain_suspects(r, 1050 * SECOND, &rule);
    assert_int_equal(rule.n_suspects, 2);
    assert_true(rule.suspect[0].process.pid == 20 && rule.suspect[0].of_use);
    assert_true(rule.suspect[1].process.pid == 10);
    assert_double_equal(rule.suspect[0].share, 50.0 / 53, 1e-3);
    explain_recorder_free(r);
    assert_int_equal(explain_recorder_new(&r), VD_OK);
    record_story(r);
    /* The recorder does not reach back to before it: the same, but never forgotten what
     * was found while it did. */
    explain_suspects(r, 900 * SECOND, &anomaly);
    assert_true(anomaly.n_suspects == 2 && anomaly.suspect[0].of_use);
    explain_suspects(r, 1060 * SECOND, &anomaly);
    assert_true(anomaly.n_suspects == 1 && !anomaly.suspect[0].of_use);
    before = anomaly;
    explain_suspects(r, 900 * SECOND, &anomaly);
    assert_memory_equal(&before, &anomaly, sizeof before);
    explain_suspects(r, 1060 * SECOND, &unit);
    assert_int_equal(unit.n_suspects, 0);
    explain_recorder_free(r);
}

/* A minute in which the monitor (pid 77) takes 1 % of a core of the 3 % that the machine
 * uses, then ten seconds in which it takes `own` of `machine`: the rest is of processes
 * that begin and end between two ticks. Returns its share as a suspect; 0 = it is none.
 */
static double blamed_for(double own, double machine)
{
    struct record_suspect suspect[RECORD_SUSPECTS];
    struct record_process at;
    struct record_processes table = {.at = &at, .n = 1};
    explain_recorder *r;
    size_t n;

    assert_int_equal(explain_recorder_new(&r), VD_OK);
    for (int t = 0; t < 70; t++) {
        fill(&at, 77, "vedette", t < 60 ? 1 : own, 3e7);
        table.machine_cpu_percent = t < 60 ? 3 : machine;
        explain_recorder_add(r, t * SECOND, (1000 + t) * SECOND, &table);
    }
    n = explain_recorder_suspects(r, 1060 * SECOND, RECORD_CPU, EXPLAIN_BY_EXCESS,
                                  suspect, RECORD_SUSPECTS);
    explain_recorder_free(r);
    return n == 0 ? 0 : suspect[0].share;
}

/* What it costs to watch short-lived processes grows with them. */
static void the_monitor_is_named_only_when_it_is_the_cause(void **state)
{
    (void)state;
    assert_double_equal(blamed_for(8, 180), 0, 0);
    assert_double_equal(blamed_for(4, 6), 0, 0);
    assert_double_equal(blamed_for(5.9, 8), 0, 0);
    assert_double_equal(blamed_for(81, 85), 80.0 / 82, 1e-6);
    assert_double_equal(blamed_for(81, 163), 0.5, 1e-6);
    /* Without the machine's use the processes that were seen are all there is. */
    assert_double_equal(blamed_for(81, NAN), 1, 0);
    assert_double_equal(blamed_for(81, 0), 1, 0);
}

/* One process writes 30 MB/s for five seconds, 20 s before the disk is seen to be full;
 * another writes a little all the time, and most of all in the end. */
static void who_filled_a_disk_did_so_before_it_was_full(void **state)
{
    struct record_event full =
        event_of(RECORD_RULE, "filesystem_percent{/srv}", RECORD_GROUP_DISK);
    struct record_event found, busy = full;
    struct record_process at[2];
    struct record_processes table = {.at = at, .n = 2};
    explain_recorder *r;

    (void)state;
    full.top[0].fills = true;
    assert_int_equal(explain_recorder_new(&r), VD_OK);
    for (int t = 0; t < 90; t++) {
        fill(&at[0], 10, "database", 1, 2e8);
        fill(&at[1], 20, "download", 1, 1e8);
        at[0].write_bytes_s = t < 60 ? 1e5 : 4e5;
        at[1].write_bytes_s = t >= 35 && t < 40 ? 3e7 : 0;
        explain_recorder_add(r, t * SECOND, (1000 + t) * SECOND, &table);
    }
    explain_suspects(r, 1060 * SECOND, &full);
    assert_int_equal(full.suspect[0].process.pid, 20);
    assert_true(full.suspect[0].share > 0.8 && full.suspect[0].of_use);
    assert_int_equal(full.suspect[0].resource, RECORD_DISK_WRITE);
    /* How busy a disk is, is of now. */
    explain_suspects(r, 1060 * SECOND, &busy);
    assert_int_equal(busy.suspect[0].process.pid, 10);
    /* What was found stays when the minute before has left the recorder. */
    found = full;
    at[0].write_bytes_s = 9e7;
    for (int t = 90; t < 240; t++)
        explain_recorder_add(r, t * SECOND, (1000 + t) * SECOND, &table);
    explain_suspects(r, 1060 * SECOND, &full);
    assert_memory_equal(&found, &full, sizeof found);
    explain_recorder_free(r);
}

static void recorder_gives_the_span_oldest_first(void **state)
{
    struct history_moment *moment;
    explain_recorder *r;
    size_t n;

    (void)state;
    assert_int_equal(explain_recorder_new(&r), VD_OK);
    record_story(r);
    assert_int_equal(explain_recorder_span(r, 1050 * SECOND, 1069 * SECOND, &moment, &n),
                     VD_OK);
    assert_int_equal(n, 20);
    /* The wall clock runs backwards in this story. */
    assert_true(moment[0].time_ns == 4950 * SECOND &&
                moment[19].time_ns == 4931 * SECOND);
    assert_int_equal(moment[0].n, 2);
    assert_int_equal(moment[19].n, 3);
    assert_int_equal(moment[19].process[0].pid, 30);
    assert_true(isnan(moment[19].process[0].pss_bytes));
    history_moments_free(moment, n);
    explain_recorder_free(r);
}

static void recorder_is_bounded_and_forgets_processes(void **state)
{
    struct record_process *at = calloc(5000, sizeof *at);
    struct record_processes table = {.at = at, .n = 5000};
    struct history_moment *moment;
    explain_recorder *r;
    size_t n;

    (void)state;
    assert_int_equal(explain_recorder_new(&r), VD_OK);
    /* Each second 5,000 new busy processes: more than the table of names can hold. */
    for (int t = 0; t < 300; t++) {
        for (int i = 0; i < 5000; i++)
            fill(&at[i], 1 + i + 5000 * t, "child", 1 + i % 90, 1e6);
        explain_recorder_add(r, (5000 - t) * SECOND, (1000 + t) * SECOND, &table);
    }
    assert_int_equal(explain_recorder_span(r, 0, 2000 * SECOND, &moment, &n), VD_OK);
    assert_true(n > 60 && n <= 100);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < moment[k].n; i++) {
            int second = (moment[k].process[i].pid - 1) / 5000;

            assert_true(moment[k].time_ns == (5000 - second) * SECOND);
        }
    history_moments_free(moment, n);
    explain_recorder_free(r);
    free(at);
}

/* ---- patterns ---- */

static const char *course_of(struct bench *b, size_t metric, double from, double step,
                             int ticks)
{
    struct explain_course course;

    explain_course_start(&course);
    b->event = (struct record_event){.n_top = 1};
    b->expected[metric] = from;
    b->event.top[0] = (struct record_deviation){.metric = metric, .expected = from};
    for (int t = 0; t < ticks; t++) {
        b->value[metric] = from + step * (t + 1);
        b->z[metric] = 8;
        explain_course_add(&course, &b->in, &b->event);
    }
    return explain_pattern(&course, &b->in, &b->event, ticks);
}

static void patterns_have_their_names(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    assert_string_equal(course_of(&b, CPU, 5, 40, 2), "spike");
    assert_string_equal(course_of(&b, CPU, 5, 0.5, 30), "step");
    assert_string_equal(course_of(&b, MEMORY, 30, 1, 20), "leak");
    b.value[CPU] = 0, b.z[CPU] = 0, b.z[MEMORY] = 0;
    assert_string_equal(course_of(&b, RECV, 0, 10, 3), "flooding");
    b.z[CPU] = b.z[MEMORY] = b.z[WRITE] = 9;
    assert_string_equal(course_of(&b, CPU, 5, 40, 2), "contention");
    record_schema_release(&b.schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_exactly_as_documented),
        cmocka_unit_test(top_names_the_metric_people_know_once_per_family),
        cmocka_unit_test(another_group_is_news_and_the_same_one_less_so),
        cmocka_unit_test(nothing_deviating_is_said_so),
        cmocka_unit_test(suspect_is_who_caused_the_excess_not_who_uses_most),
        cmocka_unit_test(suspects_of_a_limit_are_the_largest_users),
        cmocka_unit_test(the_monitor_is_named_only_when_it_is_the_cause),
        cmocka_unit_test(who_filled_a_disk_did_so_before_it_was_full),
        cmocka_unit_test(recorder_gives_the_span_oldest_first),
        cmocka_unit_test(recorder_is_bounded_and_forgets_processes),
        cmocka_unit_test(patterns_have_their_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
