/* lib/detect: calibration of scores, combination of members. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "vedette/calibration.h"
#include "vedette/rng.h"

/* Scores 0, 1, ..., 1000: the quantile q is 1000 q and the mean excess over 950 is
 * (1 + ... + 50) / 50 = 25.5. */
static struct vd_calibration ramp(void)
{
    struct vd_calibration c;
    double scores[1001];

    for (int i = 0; i <= 1000; i++)
        scores[i] = (i * 10) % 1001;
    assert_int_equal(vd_calibration_fit(&c, scores, 1001, NULL), VD_OK);
    return c;
}

static void body_is_empirical(void **state)
{
    struct vd_calibration c = ramp();

    (void)state;
    assert_double_equal(c.tail_start, 950, 1e-9);
    assert_double_equal(vd_calibration_surprise(&c, 0), 0, 0);
    assert_double_equal(vd_calibration_surprise(&c, -5), 0, 0);
    assert_double_equal(vd_calibration_surprise(&c, 500), -log10(0.5), 1e-9);
    assert_double_equal(vd_calibration_surprise(&c, 900), 1, 1e-9);
    assert_double_equal(vd_calibration_surprise(&c, 950), -log10(0.05), 1e-9);
    assert_true(isnan(vd_calibration_surprise(&c, NAN)));
}

static void tail_is_exponential(void **state)
{
    struct vd_calibration c = ramp();

    (void)state;
    assert_double_equal(c.tail_mean_excess, 25.5, 1e-9);
    assert_double_equal(vd_calibration_surprise(&c, 950 + 25.5), -log10(0.05 * exp(-1)),
                        1e-9);
    assert_double_equal(vd_calibration_surprise(&c, 950 + 255), -log10(0.05 * exp(-10)),
                        1e-9);
    assert_double_equal(vd_calibration_surprise(&c, 1e308), VD_SURPRISE_MAX, 0);
    assert_double_equal(vd_calibration_surprise(&c, INFINITY), VD_SURPRISE_MAX, 0);
    assert_double_equal(vd_calibration_surprise(&c, -INFINITY), 0, 0);
}

static void tied_scores_are_not_surprising(void **state)
{
    struct vd_calibration c;
    double scores[100] = {0};

    (void)state;
    for (int i = 90; i < 100; i++)
        scores[i] = 4;
    assert_int_equal(vd_calibration_fit(&c, scores, 100, NULL), VD_OK);
    assert_double_equal(vd_calibration_surprise(&c, 0), 0, 0);
    /* One in ten was 4; the knots are 0.75 % apart. */
    assert_double_equal(vd_calibration_surprise(&c, 4), 1, 0.07);
    /* Nothing was above: the tail has a twentieth of the way from the median, 0.2. */
    assert_double_equal(vd_calibration_surprise(&c, 5), -log10(0.05) + 5 * log10(exp(1)),
                        1e-9);
    for (int i = 0; i < 100; i++)
        scores[i] = 4;
    assert_int_equal(vd_calibration_fit(&c, scores, 100, NULL), VD_OK);
    assert_double_equal(vd_calibration_surprise(&c, 5), VD_SURPRISE_MAX, 0);
}

static void too_few_scores_are_refused(void **state)
{
    struct vd_error err = {0};
    struct vd_calibration c;
    double scores[40];

    (void)state;
    for (int i = 0; i < 40; i++)
        scores[i] = i < 19 ? i : NAN;
    assert_int_equal(vd_calibration_fit(&c, scores, 40, &err), VD_ERR_DATA);
    assert_non_null(strstr(err.text, "19 scores"));
    scores[39] = 1;
    assert_int_equal(vd_calibration_fit(&c, scores, 40, NULL), VD_OK);
    for (int i = 0; i < 40; i++)
        scores[i] = i % 2 ? 1e308 : -1e308;
    assert_int_equal(vd_calibration_fit(&c, scores, 40, NULL), VD_OK);
    assert_true(isfinite(vd_calibration_surprise(&c, 1e308)));
}

static void p_values_of_unseen_scores_are_right(void **state)
{
    enum { N = 20000, M = 200000 };
    double *scores = malloc(N * sizeof *scores);
    struct vd_calibration c;
    struct vd_rng rng;
    int above = 0;

    (void)state;
    vd_rng_init(&rng, 5);
    for (int i = 0; i < N; i++)
        scores[i] = -log(1 - vd_rng_uniform(&rng));
    assert_int_equal(vd_calibration_fit(&c, scores, N, NULL), VD_OK);
    for (int i = 0; i < M; i++)
        above += vd_calibration_surprise(&c, -log(1 - vd_rng_uniform(&rng))) >= 3;
    assert_in_range(above, 140, 270); /* 200 expected, and the mean excess has an error */
    free(scores);
}

static void thresholds_follow_budget_and_contamination(void **state)
{
    (void)state;
    /* One in a week of seconds: 604,800 samples. */
    assert_double_equal(vd_surprise_of_budget(1, 604800, 1), log10(604800), 1e-12);
    assert_double_equal(vd_surprise_of_budget(2, 100, 1), log10(50), 1e-12);
    assert_double_equal(vd_surprise_of_budget(7, 1, 1), 0, 0);
    assert_double_equal(vd_surprise_of_budget(0, 604800, 1), VD_SURPRISE_MAX, 0);
    assert_true(isnan(vd_surprise_of_budget(1, 0, 1)));
    assert_true(isnan(vd_surprise_of_budget(NAN, 1, 1)));
    assert_double_equal(vd_surprise_of_contamination(0.05), log10(20), 1e-12);
}

static void score_maps_threshold_to_zero(void **state)
{
    (void)state;
    assert_double_equal(vd_score_of_surprise(0, 4), 1, 0);
    assert_double_equal(vd_score_of_surprise(4, 4), 0, 0);
    assert_double_equal(vd_score_of_surprise(6, 4), -0.5, 0);
    assert_double_equal(vd_score_of_surprise(300, 4), -1, 0);
    assert_true(isnan(vd_score_of_surprise(NAN, 4)));
    assert_double_equal(vd_score_of_surprise(0, 0), -1, 0);
}

/* cot(pi p) for p = 1/4 is 1 and for p = 1/2 is 0: their mean 1/2 gives
 * p = 1/2 - atan(1/2) / pi = 0.352416. */
static void members_combine_by_cauchy(void **state)
{
    const double pair[] = {-log10(0.25), -log10(0.5)};
    const double with_nan[] = {NAN, -log10(0.25), -log10(0.5)};
    const double weight[] = {3, 1};
    const double none[] = {NAN, NAN};

    (void)state;
    assert_double_equal(vd_surprise_combine(pair, NULL, 2), -log10(0.3524163823), 1e-9);
    assert_double_equal(vd_surprise_combine(with_nan, NULL, 3), -log10(0.3524163823),
                        1e-9);
    /* 3/4 of 1: p = 1/2 - atan(3/4) / pi. */
    assert_double_equal(vd_surprise_combine(pair, weight, 2), -log10(0.2951672353), 1e-9);
    assert_double_equal(vd_surprise_combine(pair, NULL, 1), -log10(0.25), 1e-12);
    assert_true(isnan(vd_surprise_combine(none, NULL, 2)));
    assert_true(isnan(vd_surprise_combine(NULL, NULL, 0)));
}

static void combination_holds_over_the_whole_range(void **state)
{
    const double all[] = {300, 300, 300, 300};
    const double one[] = {300, 0, 0, 0};
    const double beyond[] = {INFINITY, 0};
    const double calm[] = {0, 0, 0};

    (void)state;
    assert_double_equal(vd_surprise_combine(all, NULL, 4), 300, 1e-9);
    /* One of four: p is four times as large. */
    assert_double_equal(vd_surprise_combine(one, NULL, 4), 300 - log10(4), 1e-9);
    assert_double_equal(vd_surprise_combine(beyond, NULL, 2), 300 - log10(2), 1e-9);
    assert_true(vd_surprise_combine(calm, NULL, 3) < 0.1);
    for (double s = 2; s < 300; s += 1) {
        const double both[] = {s, 0};

        assert_double_equal(vd_surprise_combine(both, NULL, 2), s - log10(2), 0.05);
    }
}

static void calibration_survives_saving(void **state)
{
    struct vd_calibration c = ramp(), back;
    struct vd_writer w = {0};
    struct vd_reader r;

    (void)state;
    vd_calibration_save(&c, &w);
    assert_int_equal(w.status, VD_OK);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(vd_calibration_load(&back, &r, NULL), VD_OK);
    assert_int_equal(r.left, 0);
    assert_memory_equal(&c, &back, sizeof c);
    for (size_t size = 0; size < w.size; size++) {
        vd_reader_init(&r, w.at, size);
        assert_int_not_equal(vd_calibration_load(&back, &r, NULL), VD_OK);
    }
    w.at[1 + 8 * 64 + 7] ^= 0x80; /* the sign of knot 64: no longer ascending */
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(vd_calibration_load(&back, &r, NULL), VD_ERR_FORMAT);
    vd_writer_release(&w);
}

/* Believed: exponential of a mean, in the body as in the tail. */
static void a_belief_is_exponential(void **state)
{
    struct vd_calibration c, again;
    struct vd_writer w = {0};
    struct vd_reader r;

    (void)state;
    vd_calibration_believe(&c, 2);
    for (double x = 0; x < 100; x += 0.7)
        assert_double_equal(vd_calibration_surprise(&c, x), x / 2 * log10(exp(1)), 1e-3);
    assert_double_equal(vd_calibration_surprise(&c, -1), 0, 0);
    vd_calibration_save(&c, &w);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(vd_calibration_load(&again, &r, NULL), VD_OK);
    assert_double_equal(vd_calibration_surprise(&again, 30), 15 * log10(exp(1)), 1e-9);
    vd_writer_release(&w);
}

/* ---- many at once ---- */

enum { MANY = 1003 }; /* not a whole number of steps */

/* Scores from far below what was learned to far above, ties and edges among them. */
static void make_scores(const struct vd_calibration *c, double *raw, uint64_t seed)
{
    struct vd_rng rng;

    vd_rng_init(&rng, seed);
    for (size_t i = 0; i < MANY; i++)
        raw[i] = 1500 * vd_rng_uniform(&rng) - 200;
    for (size_t i = 0; i < VD_CALIBRATION_KNOTS; i++)
        raw[i] = c->knot[i];
    raw[200] = NAN;
    raw[201] = INFINITY;
    raw[202] = -INFINITY;
    raw[203] = 1e300;
    raw[MANY - 1] = nextafter(c->tail_start, INFINITY);
}

static void assert_same(double a, double b)
{
    assert_int_equal(isnan(a), isnan(b));
    if (!isnan(a))
        assert_double_equal(a, b, 1e-12 * (1 + fabs(b)));
}

static void many_surprises_are_those_of_each(void **state)
{
    struct vd_calibration laws[3] = {ramp(), ramp(), ramp()};
    double tied[100] = {0}, raw[MANY], surprise[MANY];

    (void)state;
    for (int i = 90; i < 100; i++)
        tied[i] = 4;
    assert_int_equal(vd_calibration_fit(&laws[1], tied, 100, NULL), VD_OK);
    vd_calibration_believe(&laws[2], 30);
    for (size_t law = 0; law < 3; law++)
        for (size_t n = 0; n <= MANY; n = n < 70 ? n + 1 : n + 933) {
            make_scores(&laws[law], raw, law);
            vd_calibration_surprises(&laws[law], raw, surprise, n);
            for (size_t i = 0; i < n; i++)
                assert_same(surprise[i], vd_calibration_surprise(&laws[law], raw[i]));
        }
}

static void a_raw_score_is_found_by_its_surprise(void **state)
{
    struct vd_calibration c = ramp();

    (void)state;
    for (double s = 0; s < 290; s += s < 3 ? 0.01 : 1.3)
        assert_double_equal(vd_calibration_surprise(&c, vd_calibration_raw(&c, s)), s,
                            1e-9 * (1 + s));
}

static void many_rows_combine_as_each(void **state)
{
    double surprise[3][MANY], together[MANY];
    const double *member[3] = {surprise[0], surprise[1], surprise[2]};
    struct vd_rng rng;

    (void)state;
    vd_rng_init(&rng, 7);
    for (size_t m = 0; m < 3; m++)
        for (size_t i = 0; i < MANY; i++)
            surprise[m][i] = i % 11 == m   ? NAN
                             : i % 13 == m ? VD_SURPRISE_MAX * vd_rng_uniform(&rng)
                                           : -log10(vd_rng_uniform(&rng) + 1e-12);
    surprise[0][5] = surprise[1][5] = surprise[2][5] = NAN;
    surprise[0][6] = surprise[1][6] = surprise[2][6] = VD_SURPRISE_MAX;
    surprise[0][7] = surprise[1][7] = surprise[2][7] = 0;
    for (size_t members = 1; members <= 3; members++) {
        vd_surprises_combine(member, members, MANY, together);
        for (size_t i = 0; i < MANY; i++) {
            double one[3] = {surprise[0][i], surprise[1][i], surprise[2][i]};

            assert_same(together[i], vd_surprise_combine(one, NULL, members));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_surprises_are_those_of_each),
        cmocka_unit_test(a_raw_score_is_found_by_its_surprise),
        cmocka_unit_test(many_rows_combine_as_each),
        cmocka_unit_test(a_belief_is_exponential),
        cmocka_unit_test(body_is_empirical),
        cmocka_unit_test(tail_is_exponential),
        cmocka_unit_test(tied_scores_are_not_surprising),
        cmocka_unit_test(too_few_scores_are_refused),
        cmocka_unit_test(p_values_of_unseen_scores_are_right),
        cmocka_unit_test(thresholds_follow_budget_and_contamination),
        cmocka_unit_test(score_maps_threshold_to_zero),
        cmocka_unit_test(members_combine_by_cauchy),
        cmocka_unit_test(combination_holds_over_the_whole_range),
        cmocka_unit_test(calibration_survives_saving),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
