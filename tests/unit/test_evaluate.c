/* lib/evaluate: rates, curves, fault injection. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "vedette/evaluate.h"

static void rates_by_hand(void **state)
{
    const uint8_t label[] = {1, 1, 1, 0, 0, 0, 0, 0, 0, 0};
    const uint8_t predicted[] = {1, 1, 0, 1, 0, 0, 0, 0, 0, 0};
    struct vd_confusion c = vd_confusion_count(label, predicted, 10);

    (void)state;
    assert_int_equal(c.tp, 2);
    assert_int_equal(c.fp, 1);
    assert_int_equal(c.fn, 1);
    assert_int_equal(c.tn, 6);
    assert_double_equal(vd_accuracy(&c), 0.8, 1e-15);
    assert_double_equal(vd_precision(&c), 2.0 / 3, 1e-15);
    assert_double_equal(vd_recall(&c), 2.0 / 3, 1e-15);
    assert_double_equal(vd_f1(&c), 2.0 / 3, 1e-15);
    assert_double_equal(vd_specificity(&c), 6.0 / 7, 1e-15);
    assert_double_equal(vd_false_positive_rate(&c), 1.0 / 7, 1e-15);
    assert_double_equal(vd_false_negative_rate(&c), 1.0 / 3, 1e-15);
}

static void rates_without_a_divisor(void **state)
{
    const struct vd_confusion silent = {.tn = 5, .fn = 2}, calm = {.tn = 5};

    (void)state;
    assert_double_equal(vd_precision(&silent), 0, 0);
    assert_double_equal(vd_f1(&silent), 0, 0);
    assert_true(isnan(vd_precision(&calm)));
    assert_true(isnan(vd_recall(&calm)));
    assert_true(isnan(vd_f1(&calm)));
    assert_double_equal(vd_specificity(&calm), 1, 0);
}

/* Scores .9+ .8- .7+ .7- .3- .1+: of the 9 pairs the positive is above in 3 (.9) plus
 * 1.5 (.7: above .3, tied with .7) plus 0: AUC = 4.5 / 9. Recall rises to 1/3 at
 * precision 1, to 2/3 at .7 (2 of 4), to 1 at .1 (3 of 6): average precision 1/3 + 1/6 +
 * 1/6. */
static void curves_with_ties_by_hand(void **state)
{
    const uint8_t label[] = {0, 1, 1, 0, 1, 0, 1};
    const double score[] = {0.8, 0.7, 0.9, 0.7, 0.1, 0.3, NAN};
    struct vd_curve curve;
    const struct vd_curve_point *best;
    double roc, pr;

    (void)state;
    assert_int_equal(vd_curve_init(&curve, label, score, 7, NULL), VD_OK);
    assert_int_equal(curve.n, 6);
    assert_double_equal(vd_curve_roc_auc(&curve), 0.5, 1e-15);
    assert_double_equal(vd_curve_pr_auc(&curve), 2.0 / 3, 1e-15);
    best = vd_curve_best_f1(&curve); /* .1: 6/9; .7: 4/7; .9: 2/4 */
    assert_double_equal(best->threshold, 0.1, 0);
    assert_int_equal(best->confusion.tp, 3);
    vd_curve_release(&curve);
    vd_curve_release(NULL);
    assert_int_equal(vd_areas(label, score, 7, &roc, &pr, NULL), VD_OK);
    assert_double_equal(roc, 0.5, 1e-15);
    assert_double_equal(pr, 2.0 / 3, 1e-15);
}

static void extreme_scores_order(void **state)
{
    const uint8_t label[] = {1, 0, 1, 0};
    const double right[] = {INFINITY, -INFINITY, 1e308, -1e308}, tied[] = {2, 2, 2, 2};
    const double wrong[] = {0, 1, 0, 1};
    double roc, pr;

    (void)state;
    assert_int_equal(vd_areas(label, right, 4, &roc, &pr, NULL), VD_OK);
    assert_double_equal(roc, 1, 0);
    assert_double_equal(pr, 1, 0);
    assert_int_equal(vd_areas(label, tied, 4, &roc, &pr, NULL), VD_OK);
    assert_double_equal(roc, 0.5, 0);
    assert_double_equal(pr, 0.5, 0);
    assert_int_equal(vd_areas(label, wrong, 4, &roc, NULL, NULL), VD_OK);
    assert_double_equal(roc, 0, 0);
}

static void one_class_has_no_curve(void **state)
{
    const uint8_t label[] = {0, 0, 1};
    const double score[] = {1, 2, NAN};
    struct vd_error err = {0};
    double roc;

    (void)state;
    assert_int_equal(vd_areas(label, score, 3, &roc, NULL, &err), VD_ERR_DATA);
    assert_true(isnan(roc));
    assert_non_null(strstr(err.text, "0 of 2"));
}

static void faults_by_hand(void **state)
{
    const double expected[VD_FAULTS][6] = {{0, 10, 10, 10, 10, 0},
                                           {0, -10, -10, -10, -10, 0},
                                           {0, 2.5, 7.5, 7.5, 2.5, 0},
                                           {0, 2.5, 5, 7.5, 10, 0},
                                           {0, 10, 10, 10, 10, 0}};

    (void)state;
    for (int fault = 0; fault < VD_FAULTS; fault++) {
        double x[6] = {0};
        uint8_t label[6] = {0};

        vd_fault_add(x, label, 6, fault, 1, 4, 10);
        for (int i = 0; i < 6; i++) {
            assert_double_equal(x[i], expected[fault][i], 1e-12);
            assert_int_equal(label[i], i >= 1 && i <= 4);
        }
        vd_fault_add(x, NULL, 6, fault, 5, 4, 10); /* cut at the end */
        vd_fault_add(x, NULL, 6, fault, 9, 4, 10);
    }
    assert_string_equal(vd_fault_name(VD_FAULT_LEAK), "leak");
    assert_null(vd_fault_name(VD_FAULTS));
}

static void injection_keeps_its_share_and_repeats(void **state)
{
    enum { N = 4000 };
    struct vd_inject_params params = vd_inject_params_default();
    double *a = calloc(N, sizeof *a), *b = calloc(N, sizeof *b);
    uint8_t label[N], again[N];
    struct vd_rng rng;
    size_t sum = 0;

    (void)state;
    params.quiet = 500;
    for (int i = 0; i < N; i++)
        a[i] = b[i] = i % 11;
    a[100] = b[100] = NAN;
    vd_rng_init(&rng, 4);
    assert_int_equal(vd_inject(a, label, N, &params, &rng, NULL), VD_OK);
    vd_rng_init(&rng, 4);
    assert_int_equal(vd_inject(b, again, N, &params, &rng, NULL), VD_OK);
    assert_memory_equal(label, again, N);
    assert_memory_equal(a, b, N * sizeof *a);
    for (int i = 0; i < N; i++) {
        sum += label[i];
        if (!label[i] && i != 100)
            assert_double_equal(a[i], i % 11, 0);
        if (label[i])
            assert_true(i >= 500 && fabs(a[i] - i % 11) > 0.05);
    }
    assert_int_equal(sum, N / 20);
    assert_true(isnan(a[100]));
    params.share = 0.7;
    assert_int_equal(vd_inject(a, label, N, &params, &rng, NULL), VD_ERR_ARGUMENT);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_by_hand),
        cmocka_unit_test(rates_without_a_divisor),
        cmocka_unit_test(curves_with_ties_by_hand),
        cmocka_unit_test(extreme_scores_order),
        cmocka_unit_test(one_class_has_no_curve),
        cmocka_unit_test(faults_by_hand),
        cmocka_unit_test(injection_keeps_its_share_and_repeats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
