/* src/alert/habits: what comes and goes again and again. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "alert/habits.h"

enum { BEGIN_S = 1000000 }; /* no event begins in 1970 */
static const int64_t WEEK = 7 * 86400 * SECOND;

static int one_group(const char *metric)
{
    (void)metric;
    return 0;
}

/* A job that takes `percent` of the processor for `seconds`. */
static struct record_event job(int64_t start_s, double percent, double seconds)
{
    struct record_event event = {.kind = RECORD_ANOMALY, .n_top = 1};

    event.start_ns = (BEGIN_S + start_s) * SECOND;
    event.end_ns = event.start_ns + (int64_t)(seconds * 1e9);
    event.top[0] = (struct record_deviation){
        .name = "cpu_percent", .value = percent, .expected = 5, .z = (percent - 5) / 2};
    return event;
}

static bool is_known(struct alert_habits *habits, const struct record_event *event,
                     double age_s)
{
    return alert_habits_know(habits, event, event->start_ns + (int64_t)(age_s * 1e9));
}

static void what_comes_for_an_hour_is_a_habit(void **state)
{
    struct record_event soon = job(3300, 50, 20), later = job(3600, 50, 20);
    struct record_event other = job(3600, 50, 20);
    struct alert_habits habits;

    (void)state;
    other.n_suspects = 1;
    snprintf(other.suspect[0].process.comm, RECORD_COMM_MAX, "runaway");
    alert_habits_init(&habits, one_group);
    for (int i = 0; i < 3; i++) {
        struct record_event past = job(300 * i, 50, 20);

        assert_false(is_known(&habits, &later, 3));
        alert_habits_add(&habits, &past);
    }
    assert_false(is_known(&habits, &soon, 3));
    assert_false(alert_habits_has(&habits.past[2], soon.end_ns));
    assert_int_equal(alert_habits_know(&habits, &later, later.start_ns + 3 * SECOND),
                     BEGIN_S * SECOND);
    for (int i = 0; i < 3; i++) {
        assert_true(alert_habits_has(&habits.past[i], later.end_ns));
        assert_int_equal(habits.past[i].habit_ns, BEGIN_S * SECOND);
        assert_false(alert_habits_has(&habits.past[i], later.end_ns + WEEK));
    }
    assert_false(is_known(&habits, &other, 3));
    alert_habits_release(&habits);
}

static void a_habit_lasts_while_it_comes(void **state)
{
    struct alert_habits habits;

    (void)state;
    alert_habits_init(&habits, one_group);
    for (int i = 0; i < 3; i++) {
        struct record_event past = job(300 * i, 50, 20);

        alert_habits_add(&habits, &past);
    }
    for (int day = 1; day < 30; day++) {
        struct record_event event = job(86400 * day, 50, 20);

        assert_true(is_known(&habits, &event, 3));
    }
    alert_habits_release(&habits);
}

static void a_habit_that_grows_or_hangs_is_none(void **state)
{
    struct record_event larger = job(5000, 95, 20), event = job(5000, 50, 20);
    struct record_event next_week = job(5000 + 8 * 86400, 50, 20), other = event;
    struct alert_habits habits;

    (void)state;
    other.kind = RECORD_RULE;
    alert_habits_init(&habits, one_group);
    for (int i = 0; i < 2 * ALERT_HABITS_MAX; i++) {
        struct record_event past = job(5 * i, 50, 20);

        alert_habits_add(&habits, &past);
    }
    assert_true(is_known(&habits, &event, 39));
    assert_false(is_known(&habits, &event, 41));
    assert_false(is_known(&habits, &larger, 3));
    assert_false(is_known(&habits, &other, 3));
    assert_false(is_known(&habits, &next_week, 3));
    alert_habits_release(&habits);
}

static void what_alerted_before_is_a_repeat(void **state)
{
    struct record_event past = job(0, 50, 20), soon = job(60, 50, 20);
    struct record_event larger = job(60, 95, 20), other = soon;
    struct alert_habits habits;

    (void)state;
    other.n_suspects = 1;
    snprintf(other.suspect[0].process.comm, RECORD_COMM_MAX, "runaway");
    alert_habits_init(&habits, one_group);
    alert_habits_add(&habits, &past);
    assert_int_equal(alert_habits_repeats(&habits, &soon, soon.end_ns), 0);
    past.alerted = true;
    past.id = 12;
    alert_habits_add(&habits, &past);
    assert_int_equal(alert_habits_repeats(&habits, &soon, soon.end_ns), 12);
    assert_int_equal(alert_habits_repeats(&habits, &soon, soon.end_ns + 21 * SECOND), 0);
    assert_int_equal(alert_habits_repeats(&habits, &larger, larger.end_ns), 0);
    assert_int_equal(alert_habits_repeats(&habits, &other, other.end_ns), 0);
    assert_false(is_known(&habits, &soon, 3));
    /* The newest of several is named. */
    past.id = 13;
    past.start_ns += SECOND;
    alert_habits_add(&habits, &past);
    past.alerted = false;
    past.id = 14;
    past.start_ns += SECOND;
    alert_habits_add(&habits, &past);
    assert_int_equal(alert_habits_repeats(&habits, &soon, soon.end_ns), 13);
    alert_habits_release(&habits);
}

/* More than are kept: the oldest leave, those that stay are the newest. */
static void the_oldest_leave(void **state)
{
    enum { MORE = 3 };
    struct alert_habits habits;
    bool seen[ALERT_HABITS_MAX + MORE] = {false};

    (void)state;
    alert_habits_init(&habits, one_group);
    for (int i = 0; i < ALERT_HABITS_MAX + MORE; i++) {
        struct record_event past = job(300 * i, 50, 20);

        past.id = i;
        alert_habits_add(&habits, &past);
        assert_int_equal(habits.n, i < ALERT_HABITS_MAX ? i + 1 : ALERT_HABITS_MAX);
    }
    for (size_t i = 0; i < habits.n; i++)
        seen[habits.past[i].event_id] = true;
    for (int i = 0; i < ALERT_HABITS_MAX + MORE; i++)
        assert_int_equal(seen[i], i >= MORE);
    alert_habits_release(&habits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_for_an_hour_is_a_habit),
        cmocka_unit_test(a_habit_lasts_while_it_comes),
        cmocka_unit_test(a_habit_that_grows_or_hangs_is_none),
        cmocka_unit_test(what_alerted_before_is_a_repeat),
        cmocka_unit_test(the_oldest_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
