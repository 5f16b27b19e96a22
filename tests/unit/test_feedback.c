/* src/alert/feedback: which events are alike, what is said of them, what that changes. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alert/feedback.h"
#include "alert/preview.h"

/* 2023-11-14 22:13:20 UTC. */
static const int64_t THEN = INT64_C(1700000000000000000);
static const int64_t HOUR = INT64_C(3600000000000), DAY = INT64_C(86400000000000);

/* The first letter is what a metric is about: good enough here. */
static int group_of(const char *metric)
{
    return metric[0];
}

static void add_top(struct record_event *event, const char *name, double value,
                    double expected, double z)
{
    struct record_deviation *top = &event->top[event->n_top++];

    *top = (struct record_deviation){.value = value, .expected = expected, .z = z};
    snprintf(top->name, sizeof top->name, "%s", name);
}

/* A busy processor: 90 % instead of 10 % and what goes with it. */
static struct record_event busy(int64_t id, double percent, const char *said)
{
    struct record_event event = {
        .id = id, .start_ns = THEN, .severity = RECORD_HIGH, .kind = RECORD_ANOMALY};

    add_top(&event, "cpu_percent", percent, 10, (percent - 10) / 2.5);
    add_top(&event, "load_1", 4, 0.5, 12);
    snprintf(event.feedback, sizeof event.feedback, "%s", said);
    event.feedback_ns = *said == '\0' ? 0 : id;
    return event;
}

static struct record_event writing(int64_t id, const char *said)
{
    struct record_event event = {
        .id = id, .start_ns = THEN, .severity = RECORD_HIGH, .kind = RECORD_ANOMALY};

    add_top(&event, "disk_write_mb", 150, 0.3, 90);
    add_top(&event, "disk_busy_percent{sda}", 80, 1, 30);
    snprintf(event.feedback, sizeof event.feedback, "%s", said);
    event.feedback_ns = *said == '\0' ? 0 : id;
    return event;
}

static struct alert_feedback heard_of(const struct record_event *event, size_t n)
{
    struct alert_feedback f;

    alert_feedback_init(&f, group_of);
    assert_int_equal(alert_feedback_replace(&f, event, n), VD_OK);
    return f;
}

static enum record_feedback about(const struct record_event *said,
                                  struct record_event now, int64_t time_ns)
{
    struct alert_feedback f = heard_of(said, 1);
    enum record_feedback word = alert_feedback_match(&f, &now, time_ns).word;

    alert_feedback_release(&f);
    return word;
}

static void nothing_said_changes_nothing(void **state)
{
    struct record_event said = busy(1, 60, "");

    (void)state;
    assert_int_equal(about(&said, busy(2, 60, ""), THEN), RECORD_UNSAID);
    assert_int_equal(alert_feedback_of("maybe"), RECORD_UNSAID);
    assert_false(alert_feedback_silences(RECORD_UNSAID));
    assert_double_equal(alert_feedback_bar(RECORD_UNSAID, 6), 6, 0);
}

static void normal_silences_what_is_alike_and_no_larger(void **state)
{
    struct record_event said = busy(1, 50, "normal"), other = busy(2, 50, "");

    (void)state;
    assert_int_equal(about(&said, busy(2, 50, ""), THEN + 5 * DAY), RECORD_SAID_NORMAL);
    /* 40 from what is expected was normal: so is 58, and 63 is not. */
    assert_int_equal(about(&said, busy(2, 68, ""), THEN), RECORD_SAID_NORMAL);
    assert_int_equal(about(&said, busy(2, 73, ""), THEN), RECORD_UNSAID);
    assert_int_equal(about(&said, writing(2, ""), THEN), RECORD_UNSAID);
    other.kind = RECORD_RULE;
    assert_int_equal(about(&said, other, THEN), RECORD_UNSAID);
}

static void the_direction_counts(void **state)
{
    struct record_event said = busy(1, 50, "normal"), idle = busy(2, 50, "");

    (void)state;
    for (size_t i = 0; i < idle.n_top; i++)
        idle.top[i].z = -idle.top[i].z;
    assert_int_equal(about(&said, idle, THEN), RECORD_UNSAID);
}

static void something_new_beside_it_is_heard(void **state)
{
    struct record_event said = busy(1, 50, "normal"), now = writing(2, "");

    (void)state;
    add_top(&now, "cpu_percent", 50, 10, 16);
    assert_int_equal(about(&said, now, THEN), RECORD_UNSAID);
}

static void other_metrics_of_one_thing_are_half_alike(void **state)
{
    struct record_event said = busy(1, 50, "normal"), now = busy(2, 50, "");

    (void)state;
    snprintf(now.top[1].name, sizeof now.top[1].name, "load_5");
    assert_int_equal(about(&said, now, THEN), RECORD_SAID_NORMAL);
    snprintf(now.top[0].name, sizeof now.top[0].name, "cpu_core_percent{3}");
    assert_int_equal(about(&said, now, THEN), RECORD_UNSAID);
}

static void an_event_without_deviations_is_like_none(void **state)
{
    struct record_event said = busy(1, 50, "normal"), now = busy(2, 50, "");

    (void)state;
    said.n_top = 0;
    now.n_top = 0;
    assert_int_equal(about(&said, now, THEN), RECORD_UNSAID);
    said.n_top = now.n_top = 1;
    now.top[0].z = NAN;
    assert_int_equal(about(&said, now, THEN), RECORD_UNSAID);
}

static void expected_is_bound_to_the_hour(void **state)
{
    struct record_event said = busy(1, 50, "expected"), now = busy(2, 50, "");

    (void)state;
    assert_int_equal(about(&said, now, THEN), RECORD_SAID_EXPECTED);
    assert_int_equal(about(&said, now, THEN + 3 * DAY + HOUR), RECORD_SAID_EXPECTED);
    assert_int_equal(about(&said, now, THEN + DAY - HOUR), RECORD_SAID_EXPECTED);
    assert_int_equal(about(&said, now, THEN + DAY + HOUR * 5 / 4), RECORD_UNSAID);
    assert_int_equal(about(&said, now, THEN + 12 * HOUR), RECORD_UNSAID);
    /* Around midnight: 23:43 and 00:33. */
    said.start_ns = THEN + HOUR * 3 / 2;
    assert_int_equal(about(&said, now, THEN + DAY + HOUR * 7 / 3), RECORD_SAID_EXPECTED);
    assert_int_equal(about(&said, busy(2, 90, ""), said.start_ns), RECORD_UNSAID);
}

/* The hour is that of the clock on the wall, in summer as in winter. */
static void the_hour_follows_daylight_saving_time(void **state)
{
    struct record_event said = busy(1, 50, "expected"), now = busy(2, 50, "");
    const int64_t july = INT64_C(1689372800000000000); /* 22:13:20 UTC as well */

    (void)state;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    assert_int_equal(about(&said, now, july - HOUR * 3 / 2), RECORD_SAID_EXPECTED);
    assert_int_equal(about(&said, now, july + HOUR / 4), RECORD_UNSAID);
    setenv("TZ", "UTC", 1);
    tzset();
}

static void real_lowers_the_bar_within_bounds(void **state)
{
    struct record_event said = busy(1, 50, "real");

    (void)state;
    assert_int_equal(about(&said, busy(2, 99, ""), THEN + DAY), RECORD_SAID_REAL);
    assert_false(alert_feedback_silences(RECORD_SAID_REAL));
    assert_double_equal(alert_feedback_bar(RECORD_SAID_REAL, 4), 3.2, 1e-12);
    assert_double_equal(alert_feedback_bar(RECORD_SAID_REAL, 20), 19, 1e-12);
}

static void the_most_alike_decides_and_then_the_latest(void **state)
{
    struct record_event said[2] = {busy(1, 50, "normal"), busy(2, 60, "real")};
    struct record_event now = busy(3, 60, "");
    struct alert_feedback f = heard_of(said, 2);

    (void)state;
    assert_int_equal(alert_feedback_match(&f, &now, THEN).word, RECORD_SAID_REAL);
    alert_feedback_release(&f);
    said[1] = busy(2, 50, "real");
    said[0].feedback_ns = 9;
    now = busy(3, 50, "");
    f = heard_of(said, 2);
    assert_int_equal(alert_feedback_match(&f, &now, THEN).word, RECORD_SAID_NORMAL);
    alert_feedback_release(&f);
}

/* ---- the budget ---- */

static void confirmed_once_and_undone_exactly(void **state)
{
    struct record_event said = busy(1, 50, "real");
    struct alert_feedback f;
    struct alert_budget b, before;

    (void)state;
    said.alerted = true;
    f = heard_of(&said, 1);
    alert_budget_init(&b, 1, 1);
    alert_budget_alerted(&b);
    alert_budget_alerted(&b);
    before = b;
    for (int i = 0; i < 3; i++)
        assert_int_equal(alert_feedback_settle(&f, &b), VD_OK);
    assert_double_equal(b.alerts, 1, 0);
    assert_double_equal(b.spent, before.spent / 2, 1e-12);
    assert_int_equal(alert_feedback_replace(&f, NULL, 0), VD_OK);
    assert_int_equal(alert_feedback_settle(&f, &b), VD_OK);
    assert_memory_equal(&b, &before, sizeof b);
    alert_feedback_release(&f);
}

/* What is spent fades: undone after a day, the budget is as if nothing had been said. */
static void undone_later_it_has_faded_as_well(void **state)
{
    struct record_event said = busy(1, 50, "real");
    struct alert_feedback f;
    struct alert_budget with, without;

    (void)state;
    said.alerted = true;
    f = heard_of(&said, 1);
    alert_budget_init(&with, 1, 1);
    alert_budget_alerted(&with);
    without = with;
    assert_int_equal(alert_feedback_settle(&f, &with), VD_OK);
    for (int i = 0; i < 86400; i++) {
        alert_budget_add(&with, 0, 1);
        alert_budget_add(&without, 0, 1);
    }
    assert_true(with.spent < without.spent);
    assert_int_equal(alert_feedback_replace(&f, NULL, 0), VD_OK);
    assert_int_equal(alert_feedback_settle(&f, &with), VD_OK);
    assert_double_equal(with.spent, without.spent, 1e-9);
    assert_double_equal(with.alerts, without.alerts, 0);
    alert_feedback_release(&f);
}

static void what_alerted_nobody_has_nothing_to_give_back(void **state)
{
    struct record_event said[2] = {busy(1, 50, "real"), busy(2, 50, "normal")};
    struct alert_feedback f;
    struct alert_budget b, before;

    (void)state;
    said[1].alerted = true;
    f = heard_of(said, 2);
    alert_budget_init(&b, 1, 1);
    alert_budget_alerted(&b);
    before = b;
    assert_int_equal(alert_feedback_settle(&f, &b), VD_OK);
    assert_memory_equal(&b, &before, sizeof b);
    alert_feedback_release(&f);
}

static void credits_come_back_from_their_bytes_or_not_at_all(void **state)
{
    struct record_event said = busy(1, 50, "real");
    struct alert_feedback f, g;
    struct alert_budget b, before;
    struct vd_writer w = {0};
    struct vd_reader r;

    (void)state;
    said.alerted = true;
    f = heard_of(&said, 1);
    g = heard_of(&said, 1);
    alert_budget_init(&b, 1, 1);
    alert_budget_alerted(&b);
    assert_int_equal(alert_feedback_settle(&f, &b), VD_OK);
    before = b;
    alert_feedback_save(&f, &w);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(alert_feedback_load(&g, &r, NULL), VD_OK);
    /* The budget that was saved has the credit: a restart gives no second one. */
    assert_int_equal(alert_feedback_settle(&g, &b), VD_OK);
    assert_memory_equal(&b, &before, sizeof b);
    for (size_t cut = 0; cut < w.size; cut++) {
        vd_reader_init(&r, w.at, cut);
        assert_int_not_equal(alert_feedback_load(&g, &r, NULL), VD_OK);
    }
    memset(w.at + 8, 0xff, w.size - 8);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(alert_feedback_load(&g, &r, NULL), VD_ERR_FORMAT);
    assert_int_equal(g.n_confirmed, 1);
    vd_writer_release(&w);
    alert_feedback_release(&f);
    alert_feedback_release(&g);
}

/* ---- preview ---- */

/* Five of the processor, the last one clearly larger, and two of the disk. */
static void fill_past(struct record_event past[8])
{
    for (int i = 0; i < 5; i++)
        past[i] = busy(i + 1, i == 4 ? 99 : 50, "");
    past[5] = writing(6, "");
    past[6] = writing(7, "");
    past[7] = (struct record_event){.id = 8, .kind = RECORD_DRIFT};
    for (int i = 0; i < 7; i++)
        past[i].alerted = i != 3;
    past[2].start_ns += 5 * HOUR;
}

static struct record_preview preview_of(const struct record_event past[8], size_t which,
                                        enum record_feedback word)
{
    struct record_preview preview;

    assert_int_equal(alert_preview_of(past, 8, &past[which], word, group_of, &preview),
                     VD_OK);
    return preview;
}

static void preview_counts_what_the_list_shows(void **state)
{
    struct record_event past[8];
    struct record_preview p;

    (void)state;
    fill_past(past);
    p = preview_of(past, 0, RECORD_SAID_NORMAL);
    assert_string_equal(
        p.text, "8 events in the last 7 days, 6 alerted; 3 of these would not have.");
    assert_int_equal(p.n_changed, 3);
    assert_true(p.changed[0] == 1 && p.changed[1] == 2 && p.changed[2] == 3);
    assert_int_equal(preview_of(past, 0, RECORD_SAID_EXPECTED).n_changed, 2);
    p = preview_of(past, 0, RECORD_SAID_REAL);
    assert_string_equal(p.text,
                        "8 events in the last 7 days, 6 alerted; 1 more would have.");
    assert_true(p.n_changed == 1 && p.changed[0] == 4);
}

static void preview_of_undoing_is_the_reverse(void **state)
{
    struct record_event past[8];
    struct record_preview p;

    (void)state;
    fill_past(past);
    past[0] = busy(1, 50, "normal");
    past[0].alerted = true;
    p = preview_of(past, 0, RECORD_UNSAID);
    assert_string_equal(
        p.text,
        "8 events in the last 7 days, 6 alerted; 3 like these would alert again.");
    assert_int_equal(p.n_changed, 4);
}

static void preview_sees_what_else_was_said(void **state)
{
    struct record_event past[8];
    struct record_preview p;

    (void)state;
    fill_past(past);
    past[1] = busy(2, 50, "normal");
    past[1].alerted = true;
    p = preview_of(past, 0, RECORD_SAID_NORMAL);
    assert_string_equal(
        p.text, "8 events in the last 7 days, 6 alerted; this changes none of them.");
    assert_int_equal(preview_of(past, 5, RECORD_SAID_NORMAL).n_changed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_changes_nothing),
        cmocka_unit_test(normal_silences_what_is_alike_and_no_larger),
        cmocka_unit_test(the_direction_counts),
        cmocka_unit_test(something_new_beside_it_is_heard),
        cmocka_unit_test(other_metrics_of_one_thing_are_half_alike),
        cmocka_unit_test(an_event_without_deviations_is_like_none),
        cmocka_unit_test(expected_is_bound_to_the_hour),
        cmocka_unit_test(the_hour_follows_daylight_saving_time),
        cmocka_unit_test(real_lowers_the_bar_within_bounds),
        cmocka_unit_test(the_most_alike_decides_and_then_the_latest),
        cmocka_unit_test(confirmed_once_and_undone_exactly),
        cmocka_unit_test(undone_later_it_has_faded_as_well),
        cmocka_unit_test(what_alerted_nobody_has_nothing_to_give_back),
        cmocka_unit_test(credits_come_back_from_their_bytes_or_not_at_all),
        cmocka_unit_test(preview_counts_what_the_list_shows),
        cmocka_unit_test(preview_of_undoing_is_the_reverse),
        cmocka_unit_test(preview_sees_what_else_was_said),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
