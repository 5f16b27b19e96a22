/* src/alert/departure: what is clear by its course alone, as tables of courses. */
#include "unit.h"

#include <math.h>

#include "alert/departure.h"
#include "vedette/rng.h"

/* How far a metric is away after so many seconds of its course. `a` and `b` are the
 * numbers of the case. */
typedef double course(double t, double a, double b);

static double step(double t, double a, double b)
{
    return t < b ? a : 0;
}

/* Grows by `a` a second, for `b` seconds; then it stays. */
static double ramp(double t, double a, double b)
{
    return a * fmin(t, b);
}

static double saw(double t, double a, double b)
{
    return a * fmod(t, b) / b;
}

/* Every fourth second it is back. */
static double with_dips(double t, double a, double b)
{
    return fmod(floor(t), 4) == 3 ? b : a;
}

static double with_gaps(double t, double a, double b)
{
    return fmod(floor(t), b) == b - 1 ? NAN : a;
}

/* Gives the second on which it becomes clear, -1 when it does not within a minute and a
 * half. */
static double clear_after(course *at, double a, double b, double pace_s, double noise,
                          uint64_t seed)
{
    struct alert_departures d = {0};
    struct vd_rng rng;
    double worst[RECORD_GROUPS];

    vd_rng_init(&rng, seed);
    for (double t = -10; t < 90; t += pace_s) {
        int64_t mono_ns = (int64_t)((100 + t) * 1e9);

        for (int g = 0; g < RECORD_GROUPS; g++)
            worst[g] = NAN;
        worst[RECORD_GROUP_MEMORY] =
            (t < 0 ? 0 : at(t, a, b)) + noise * vd_rng_normal(&rng);
        alert_departures_tick(&d, worst, mono_ns);
        if (alert_departures_clear(&d, mono_ns) == 0)
            continue;
        assert_int_equal(alert_departures_clear(&d, mono_ns), 1U << RECORD_GROUP_MEMORY);
        assert_true(t >= 0);
        return t;
    }
    return -1;
}

static void what_stays_or_grows_is_clear(void **state)
{
    static const struct {
        course *at;
        double a, b, earliest, latest; /* -1: never */
    } cases[] = {
        {step, 16, 1000, 8, 8},   /* a runaway */
        {step, 16, 7, -1, -1},    /* a program that starts */
        {step, 14, 1000, -1, -1}, /* not far enough */
        {ramp, 0.8, 1000, 9, 13}, /* leaks: the faster, the sooner */
        {ramp, 1.0, 1000, 8, 11},   {ramp, 0.6, 1000, 12, 17}, {ramp, 0.2, 1000, 37, 50},
        {ramp, 3, 1000, 9, 11},  /* by where it is, not by its pace */
        {ramp, 1.33, 7, -1, -1}, /* a program that starts and stays */
        {ramp, 1.9, 7, -1, -1},     {ramp, 2.5, 7, 9, 11}, /* it is far out, and stays
                                                              there */
        {saw, 6, 20, -1, -1},       {saw, 4, 60, -1, -1},      {with_dips, 16, 0, 8, 9},
        {with_dips, 4, 16, -1, -1}, {with_gaps, 16, 2, 8, 8},  {with_gaps, 16, 5, 8, 9},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double t = clear_after(cases[i].at, cases[i].a, cases[i].b, 1, 0, 1);

        if (t < cases[i].earliest || t > cases[i].latest)
            fail_msg("case %zu: clear after %g s", i, t);
    }
}

static void at_any_pace(void **state)
{
    static const double pace_s[] = {0.1, 0.2, 0.5, 1, 2, 5};

    (void)state;
    for (size_t i = 0; i < sizeof pace_s / sizeof *pace_s; i++) {
        double leak = clear_after(ramp, 0.8, 1000, pace_s[i], 0, 1);

        assert_true(leak >= 9 && leak <= fmax(14, 4 * pace_s[i]));
        assert_float_equal(clear_after(step, 16, 1000, pace_s[i], 0, 1), 8,
                           pace_s[i] + 0.01);
        assert_float_equal(clear_after(step, 14, 1000, pace_s[i], 0, 1), -1, 0);
        assert_float_equal(clear_after(ramp, 1.33, 7, pace_s[i], 0, 1), -1, 0);
    }
}

/* Of the ordinary wavering of a metric, sigma one, nothing is clear, nor of a level on
 * which it wavers; a leak is, and in time. */
static void noise_is_not_growth(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        double leak = clear_after(ramp, 0.8, 1000, 1, 0.3, seed);

        assert_float_equal(clear_after(step, 0, 1000, 1, 1, seed), -1, 0);
        assert_float_equal(clear_after(step, 9, 1000, 1, 0.5, seed), -1, 0);
        assert_float_equal(clear_after(ramp, 1.33, 7, 1, 0.2, seed), -1, 0);
        assert_true(leak >= 8 && leak <= 17);
    }
}

static void groups_are_told_apart(void **state)
{
    struct alert_departures d = {0};
    double worst[RECORD_GROUPS] = {0};
    unsigned cpu = 1U << RECORD_GROUP_CPU, disk = 1U << RECORD_GROUP_DISK;

    (void)state;
    assert_int_equal(alert_departures_rose_ns(&d, 0), 0);
    for (int64_t t = 100; t < 130; t++) {
        unsigned clear;

        worst[RECORD_GROUP_CPU] = t >= 105 ? 20 : 0;
        worst[RECORD_GROUP_DISK] = t >= 112 ? 1.5 * (double)(t - 111) : 0;
        alert_departures_tick(&d, worst, t * SECOND);
        clear = alert_departures_clear(&d, t * SECOND);
        assert_int_equal(alert_departures_far(&d),
                         (t >= 105 ? cpu : 0) | (t >= 115 ? disk : 0));
        assert_int_equal(clear & cpu, t >= 113 ? cpu : 0);
        assert_int_equal(alert_departures_rose_ns(&d, t * SECOND),
                         (clear & disk) != 0 ? t * SECOND
                         : clear != 0        ? 105 * SECOND
                                             : 0);
    }
    assert_int_equal(alert_departures_clear(&d, 129 * SECOND), cpu | disk);
    assert_int_equal(alert_departures_left_ns(&d, cpu), 105 * SECOND);
    assert_int_equal(alert_departures_left_ns(&d, disk), 113 * SECOND);
    assert_int_equal(alert_departures_left_ns(&d, disk | cpu), 105 * SECOND);
    assert_int_equal(alert_departures_left_ns(&d, 1U << RECORD_GROUP_GPU), 0);
    /* Who is back for more than some seconds is back. */
    for (int64_t t = 130; t < 135; t++) {
        worst[RECORD_GROUP_CPU] = 0;
        alert_departures_tick(&d, worst, t * SECOND);
        assert_int_equal(alert_departures_far(&d) & cpu, t <= 131 ? cpu : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stays_or_grows_is_clear),
        cmocka_unit_test(at_any_pace),
        cmocka_unit_test(noise_is_not_growth),
        cmocka_unit_test(groups_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
