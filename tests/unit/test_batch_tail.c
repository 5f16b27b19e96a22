/* src/batch/analyse_tail: which scores of a table with faults are common. */
#include "unit.h"

#include "batch/analyse_tail.h"
#include "vedette/rng.h"

enum { ROWS = 10000 };

static double score[ROWS];

/* Scores with an exponential tail of mean 1. */
static void make_quiet(uint64_t seed)
{
    struct vd_rng rng;

    vd_rng_init(&rng, seed);
    for (size_t i = 0; i < ROWS; i++)
        score[i] = -log1p(-vd_rng_uniform(&rng));
}

static struct vd_calibration fit(bool clean, bool ordered)
{
    struct vd_calibration c;

    assert_int_equal(batch_tail_fit(&c, score, ROWS, clean, ordered, NULL), VD_OK);
    return c;
}

static void quiet_scores_are_all_common(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct vd_calibration all, c[2];

        make_quiet(seed);
        all = fit(true, false);
        c[0] = fit(false, false);
        c[1] = fit(false, true);
        for (int i = 0; i < 2; i++) {
            assert_true(c[i].n >= ROWS - 1);
            assert_double_equal(c[i].tail_mean_excess, all.tail_mean_excess, 0.05);
        }
    }
}

/* Lays `n` faults of `rows` rows each over the scores, of heights that leave no gap. */
static void add_faults(size_t n, size_t rows)
{
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < rows; i++)
            score[(2 * k + 1) * ROWS / (2 * n) + i] = 13 + 40.0 * (double)k / (double)n;
}

static void long_faults_are_no_tail(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct vd_calibration c;

        make_quiet(seed);
        add_faults(25, 20); /* a row in twenty */
        c = fit(false, true);
        assert_in_range((uintmax_t)(ROWS - c.n), 24 * 20, 25 * 20 + 2);
        assert_true(vd_calibration_surprise(&c, 30) > 9);
        /* Taken row by row they look like a tail of their own. */
        c = fit(false, false);
        assert_true(vd_calibration_surprise(&c, 30) < 9);
    }
}

static void what_stands_apart_is_left_out(void **state)
{
    struct vd_calibration c;

    (void)state;
    make_quiet(7);
    for (size_t i = 0; i < ROWS / 20; i++)
        score[i * 20] = 500 + (double)i; /* each alone, and far */
    for (int ordered = 0; ordered < 2; ordered++) {
        c = fit(false, ordered);
        assert_true(c.n <= ROWS - ROWS / 20);
        assert_true(vd_calibration_surprise(&c, 500) > 50);
    }
}

static void what_is_missing_and_what_is_equal(void **state)
{
    struct vd_calibration c;

    (void)state;
    make_quiet(3);
    for (size_t i = 0; i < ROWS; i += 3)
        score[i] = NAN;
    c = fit(false, true);
    assert_true(c.n > ROWS / 2 && c.n <= ROWS * 2 / 3);
    for (size_t i = 0; i < ROWS; i++)
        score[i] = 4;
    c = fit(false, true);
    assert_double_equal(c.n, ROWS, 0);
    assert_double_equal(vd_calibration_surprise(&c, 4), 0, 1e-9);
    for (size_t i = 0; i < ROWS; i++)
        score[i] = NAN;
    assert_int_equal(batch_tail_fit(&c, score, ROWS, false, true, NULL), VD_ERR_DATA);
}

static void few_scores_are_enough(void **state)
{
    struct vd_calibration c;

    (void)state;
    make_quiet(11);
    score[12] = 1000;
    for (size_t n = VD_CALIBRATION_MIN + 1; n < 200; n += 13) {
        assert_int_equal(batch_tail_fit(&c, score, n, false, true, NULL), VD_OK);
        assert_true(c.n < (double)n);
        assert_true(vd_calibration_surprise(&c, 1000) > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quiet_scores_are_all_common),
        cmocka_unit_test(long_faults_are_no_tail),
        cmocka_unit_test(what_stands_apart_is_left_out),
        cmocka_unit_test(what_is_missing_and_what_is_equal),
        cmocka_unit_test(few_scores_are_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
