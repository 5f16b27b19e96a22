/* src/os/believed.h: leaps of the clock, and how long they must hold. */
#include "unit.h"

#include "os/believed.h"

static const int64_t HOUR = 3600 * SECOND, DAY = 86400 * SECOND;
static const int64_t NOW = 1700000000 * SECOND;

/* Runs for `for_ns` in steps of a second with the wall clock `ahead` of the true time.
 * Gives how far what is believed is ahead at the end. */
static int64_t run(struct os_believed *b, int64_t *true_ns, int64_t ahead, int64_t for_ns)
{
    int64_t believed = 0;

    for (int64_t t = 0; t <= for_ns; t += SECOND) {
        believed = os_believed_at(b, *true_ns + ahead, *true_ns - NOW + SECOND);
        *true_ns += SECOND;
    }
    *true_ns -= SECOND;
    return believed - *true_ns;
}

static void right_clock_is_believed(void **state)
{
    struct os_believed b = {0};
    int64_t now = NOW;

    (void)state;
    assert_int_equal(os_believed_at(&b, NOW, 5), NOW);
    b = (struct os_believed){0};
    assert_int_equal(run(&b, &now, 0, HOUR), 0);
    assert_int_equal(now, NOW + HOUR);
}

static void leap_that_ends_is_never_believed(void **state)
{
    static const int64_t leap[] = {10, 3600, 86400, 3 * 365 * 86400LL};

    (void)state;
    for (size_t i = 0; i < sizeof leap / sizeof *leap; i++) {
        struct os_believed b = {0};
        int64_t now = NOW, most = leap[i] * SECOND < DAY ? leap[i] * SECOND : DAY;

        run(&b, &now, 0, 60 * SECOND);
        assert_int_equal(run(&b, &now, leap[i] * SECOND, most - 2 * SECOND), 0);
        assert_int_equal(run(&b, &now, 0, 60 * SECOND), 0);
        assert_int_equal(b.held_ns, 0);
    }
}

static void leap_that_holds_is_believed(void **state)
{
    static const int64_t leap[] = {10, 3600, 86400, 3 * 365 * 86400LL};

    (void)state;
    for (size_t i = 0; i < sizeof leap / sizeof *leap; i++) {
        struct os_believed b = {0};
        int64_t now = NOW, ahead = leap[i] * SECOND, most = ahead < DAY ? ahead : DAY;

        run(&b, &now, 0, 60 * SECOND);
        assert_int_equal(run(&b, &now, ahead, most - 2 * SECOND), 0);
        assert_int_equal(run(&b, &now, ahead, 3 * SECOND), ahead);
        assert_int_equal(run(&b, &now, ahead, 60 * SECOND), ahead);
    }
}

static void clock_that_goes_back_is_believed_at_once(void **state)
{
    struct os_believed b = {0};
    int64_t now = NOW;

    (void)state;
    run(&b, &now, 0, 60 * SECOND);
    assert_int_equal(run(&b, &now, -HOUR, 5 * SECOND), -HOUR);
    assert_int_equal(run(&b, &now, -365 * DAY, 5 * SECOND), -365 * DAY);
    /* And the way back is a leap again. */
    assert_int_equal(run(&b, &now, 0, HOUR), -365 * DAY);
    assert_int_equal(run(&b, &now, 0, DAY), 0);
}

static void small_steps_are_corrections(void **state)
{
    struct os_believed b = {0};
    int64_t now = NOW;

    (void)state;
    run(&b, &now, 0, 60 * SECOND);
    assert_int_equal(run(&b, &now, SECOND, SECOND), SECOND);
    assert_int_equal(run(&b, &now, SECOND / 2, SECOND), SECOND / 2);
}

static void past_tells_what_was_a_leap(void **state)
{
    struct os_believed b = {0};

    (void)state;
    /* A day of rows, then a minute of rows a year later: not believed after a restart. */
    os_believed_saw(&b, NOW - DAY, NOW);
    os_believed_saw(&b, NOW + 365 * DAY, NOW + 365 * DAY + 60 * SECOND);
    assert_int_equal(b.time_ns, NOW + 60 * SECOND);
    assert_int_equal(os_believed_at(&b, NOW + 365 * DAY + 70 * SECOND, 5),
                     NOW + 60 * SECOND);
    assert_int_equal(os_believed_at(&b, NOW + 70 * SECOND, 6), NOW + 70 * SECOND);

    /* A machine that was off for a week: believed when it has run for a day in all. */
    b = (struct os_believed){0};
    os_believed_saw(&b, NOW - DAY, NOW);
    os_believed_saw(&b, NOW + 7 * DAY, NOW + 7 * DAY + 13 * HOUR);
    assert_int_equal(b.time_ns, NOW + 13 * HOUR);
    os_believed_saw(&b, NOW + 8 * DAY, NOW + 8 * DAY + 13 * HOUR);
    assert_int_equal(b.time_ns, NOW + 8 * DAY + 13 * HOUR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_clock_is_believed),
        cmocka_unit_test(leap_that_ends_is_never_believed),
        cmocka_unit_test(leap_that_holds_is_believed),
        cmocka_unit_test(clock_that_goes_back_is_believed_at_once),
        cmocka_unit_test(small_steps_are_corrections),
        cmocka_unit_test(past_tells_what_was_a_leap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
