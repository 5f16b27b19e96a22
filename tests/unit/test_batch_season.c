/* src/batch/analyse_season: what is usual at a time of the day, or of the week. */
#include "unit.h"

#include <stdlib.h>

#include "batch/analyse_season.h"
#include "vedette/rng.h"

enum { MINUTES = 1440 };

/* 2026-01-05, a Monday, 00:00 UTC. */
#define START (INT64_C(1767571200) * SECOND)

static struct vd_matrix x;
static int64_t *time_ns;
static struct batch_season season;

static int utc(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    return 0;
}

static int release(void **state)
{
    (void)state;
    vd_matrix_release(&x);
    free(time_ns);
    time_ns = NULL;
    batch_season_release(&season);
    return 0;
}

/* Rows of one value: noise around 10, and from 02:00 to 02:20 a job of 50. */
static void make(size_t n, int64_t pace_s)
{
    struct vd_rng rng;

    vd_rng_init(&rng, 1);
    assert_int_equal(vd_matrix_init(&x, n, 1), VD_OK);
    time_ns = calloc(n, sizeof *time_ns);
    assert_non_null(time_ns);
    for (size_t i = 0; i < n; i++) {
        int64_t at = (int64_t)i * pace_s;

        time_ns[i] = START + at * SECOND;
        x.at[i] = 10 + vd_rng_normal(&rng);
        if (at % 86400 >= 7200 && at % 86400 < 8400)
            x.at[i] += 50;
    }
}

static void learn(const bool *odd)
{
    const double sigma = 1;

    assert_int_equal(batch_season_learn(&season, &x, time_ns, odd, &sigma, NULL), VD_OK);
}

/* Gives what is expected a number of minutes after midnight. */
static const struct batch_season_level *at(int64_t minutes)
{
    long slot = batch_season_slot(&season, START + minutes * 60 * SECOND);

    return batch_season_at(&season, slot, 0);
}

static void a_job_is_usual_at_its_hour_alone(void **state)
{
    (void)state;
    make(7 * MINUTES, 60);
    learn(NULL);
    assert_int_equal(season.slots, 144);
    assert_double_equal((double)at(600)->middle, 10, 0.3);
    assert_double_equal((double)at(600)->up, 1, 0.5);
    assert_double_equal((double)at(600)->down, 1, 0.5);
    assert_true((double)at(125)->middle > 50);
    /* At its edges both are usual. */
    assert_true(10 + 4 * (double)at(115)->up > 60 || (double)at(115)->middle > 50);
    assert_true((double)at(95)->up < 2 && (double)at(155)->up < 2);
}

static void what_was_odd_on_one_day_is_not_usual(void **state)
{
    (void)state;
    make(7 * MINUTES, 60);
    for (size_t i = 3 * MINUTES + 600; i < 3 * MINUTES + 700; i++)
        x.at[i] = 90;
    learn(NULL);
    assert_double_equal((double)at(650)->middle, 10, 0.3);
    assert_true((double)at(650)->up < 2);
}

static void rows_that_are_odd_are_not_asked(void **state)
{
    static bool odd[7 * MINUTES];

    (void)state;
    make(7 * MINUTES, 60);
    for (size_t i = 0; i < 7 * MINUTES; i++) {
        odd[i] = i < 4 * MINUTES && i % MINUTES >= 600 && i % MINUTES < 700;
        if (odd[i])
            x.at[i] = 90;
    }
    learn(NULL);
    assert_true((double)at(650)->middle > 50);
    learn(odd);
    assert_double_equal((double)at(650)->middle, 10, 0.4);
}

static void three_weeks_have_weekends(void **state)
{
    const struct batch_season_level *monday, *sunday;

    (void)state;
    make(3 * 7 * MINUTES / 10, 600);
    for (size_t i = 0; i < x.n; i++)
        if (i / 144 % 7 >= 5)
            x.at[i] += 30;
    learn(NULL);
    assert_int_equal(season.slots, 1008);
    monday = at(720);
    sunday = at(6 * MINUTES + 720);
    assert_true((double)monday->middle < 13 && (double)sunday->middle > 37);
}

static void there_is_no_season(void **state)
{
    (void)state;
    make(2 * MINUTES, 60); /* two days */
    learn(NULL);
    assert_int_equal(batch_season_slot(&season, START), BATCH_NO_SLOT);
    assert_null(at(10));
    release(NULL);
    make(100, 7200); /* too slow */
    learn(NULL);
    assert_null(at(10));
    release(NULL);
    make(7 * MINUTES, 60);
    for (size_t i = 0; i < x.n; i++)
        time_ns[i] = 0; /* no time */
    learn(NULL);
    assert_null(at(10));
}

static void holes_and_clocks_that_are_put_back(void **state)
{
    (void)state;
    make(7 * MINUTES, 60);
    for (size_t i = 0; i < x.n; i++) {
        if (i % MINUTES >= 300 && i % MINUTES < 400)
            x.at[i] = NAN;
        if (i % 1000 == 999)
            time_ns[i] -= 5 * 3600 * SECOND;
    }
    learn(NULL);
    assert_null(at(350)); /* nothing is known */
    assert_double_equal((double)at(600)->middle, 10, 0.3);
    /* Years before, years after, and before 1970. */
    assert_non_null(at(-20 * 365 * MINUTES + 600));
    assert_int_not_equal(batch_season_slot(&season, -SECOND), BATCH_NO_SLOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_job_is_usual_at_its_hour_alone, release),
        cmocka_unit_test_teardown(what_was_odd_on_one_day_is_not_usual, release),
        cmocka_unit_test_teardown(rows_that_are_odd_are_not_asked, release),
        cmocka_unit_test_teardown(three_weeks_have_weekends, release),
        cmocka_unit_test_teardown(there_is_no_season, release),
        cmocka_unit_test_teardown(holes_and_clocks_that_are_put_back, release),
    };

    return cmocka_run_group_tests(tests, utc, NULL);
}
