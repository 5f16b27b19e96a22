/* lib/evaluate/tune: settings chosen on folds. */
#include "unit.h"

#include <string.h>

#include "alloc_fault.h"
#include "vedette/rng.h"
#include "vedette/tune.h"

enum { N = 120, NORMAL = 300, D = 3 };

static struct vd_matrix x, normal;
static uint8_t label[N];
static const struct vd_tune_choice nothing = {
    .contamination = 0.05, .f1 = NAN, .roc_auc = NAN};

/* Two columns move together; an anomaly breaks that and stays inside each one's range,
 * so that one axis (or a few neighbours) tells it and the wrong number of axes does not.
 */
static void fill(struct vd_rng *rng, double *row, bool is_anomaly)
{
    double level = vd_rng_normal(rng);

    row[0] = 10 * level + 0.3 * vd_rng_normal(rng);
    row[1] = (is_anomaly ? -10 : 10) * level + 0.3 * vd_rng_normal(rng);
    row[2] = vd_rng_normal(rng);
}

static int make_rows(void **state)
{
    struct vd_rng rng;

    (void)state;
    vd_rng_init(&rng, 3);
    assert_int_equal(vd_matrix_init(&x, N, D), VD_OK);
    assert_int_equal(vd_matrix_init(&normal, NORMAL, D), VD_OK);
    for (size_t i = 0; i < N; i++) {
        label[i] = i % 6 == 0;
        fill(&rng, vd_matrix_row(&x, i), label[i]);
    }
    for (size_t i = 0; i < NORMAL; i++)
        fill(&rng, vd_matrix_row(&normal, i), false);
    return 0;
}

static int free_rows(void **state)
{
    (void)state;
    vd_matrix_release(&x);
    vd_matrix_release(&normal);
    return 0;
}

static double value_of(const struct vd_tune_choice *choice, const char *name)
{
    for (size_t i = 0; i < choice->n; i++)
        if (strcmp(choice->setting[i].name, name) == 0)
            return choice->setting[i].value;
    return NAN;
}

static void choose(struct vd_tune_choice *choice, const char *name, unsigned threads,
                   const struct vd_tune_choice *given)
{
    struct vd_fit_params params = vd_fit_params_default();
    struct vd_tune_rows rows = {&x, label, &normal, &params};
    struct vd_error err = {0};

    params.threads = threads;
    assert_int_equal(vd_tune_detector(choice, name, &rows, given, true, &err), VD_OK);
}

/* Of three axes, standardised, two hold what normal rows do: the third one left out is
 * where anomalies stick out. */
static void the_best_settings_are_chosen(void **state)
{
    struct vd_tune_choice choice;

    (void)state;
    choose(&choice, "pca", 1, &nothing);
    assert_double_equal(value_of(&choice, "components"), 2, 0);
    assert_true(choice.f1 > 0.9 && choice.f1 <= 1);
    assert_true(choice.roc_auc > 0.95 && choice.roc_auc <= 1);
    assert_true(choice.contamination > 0 && choice.contamination <= 0.2);
}

static void threads_do_not_change_the_choice(void **state)
{
    static const char *const names[] = {"lof", "one_class_svm", "random_forest"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct vd_tune_choice one, four;

        choose(&one, names[i], 1, &nothing);
        choose(&four, names[i], 4, &nothing);
        assert_int_equal(one.n, four.n);
        for (size_t k = 0; k < one.n; k++)
            assert_double_equal(one.setting[k].value,
                                value_of(&four, one.setting[k].name), 0);
        assert_double_equal(one.f1, four.f1, 0);
        assert_double_equal(one.contamination, four.contamination, 0);
    }
}

static void what_is_given_is_not_chosen(void **state)
{
    struct vd_tune_choice given, choice;

    (void)state;
    vd_tune_copy(&given, &nothing);
    vd_tune_set(&given, "", "components", 1);
    choose(&choice, "pca", 1, &given);
    assert_double_equal(value_of(&choice, "components"), 1, 0);
    assert_false(isnan(value_of(&choice, "scale")));
    assert_true(choice.f1 < 0.9);
}

static void too_few_rows_of_a_class_are_said(void **state)
{
    struct vd_fit_params params = vd_fit_params_default();
    uint8_t few[N] = {1, 1, 1, 1};
    struct vd_tune_rows rows = {&x, few, &normal, &params};
    struct vd_tune_choice choice;
    struct vd_error err = {0};

    (void)state;
    assert_int_equal(vd_tune_check(&rows, &err), VD_ERR_DATA);
    assert_non_null(strstr(err.text, "4 anomalous"));
    err = (struct vd_error){0};
    assert_int_equal(vd_tune_detector(&choice, "lof", &rows, &nothing, true, &err),
                     VD_ERR_DATA);
    assert_true(isnan(choice.f1));
    few[4] = 1;
    assert_int_equal(vd_tune_check(&rows, NULL), VD_OK);
}

static void tables_without_rows_are_refused(void **state)
{
    struct vd_fit_params params = vd_fit_params_default();
    struct vd_matrix empty = {.d = D};

    (void)state;
    for (int no_normal = 0; no_normal < 2; no_normal++) {
        struct vd_tune_rows rows = {no_normal ? &x : &empty, label,
                                    no_normal ? &empty : &normal, &params};
        struct vd_tune_choice choice;
        struct vd_error err = {0};

        assert_int_equal(vd_tune_detector(&choice, "lof", &rows, &nothing, true, &err),
                         VD_ERR_DATA);
        assert_true(err.text[0] != '\0');
    }
}

static void a_choice_holds_each_setting_once(void **state)
{
    struct vd_tune_choice lof, ensemble, copy;

    (void)state;
    vd_tune_copy(&lof, &nothing);
    vd_tune_copy(&ensemble, &nothing);
    vd_tune_set(&lof, "", "n_neighbors", 5);
    vd_tune_set(&lof, "", "n_neighbors", 10);
    assert_int_equal(lof.n, 1);
    vd_tune_add_member(&ensemble, "lof", &lof);
    assert_double_equal(value_of(&ensemble, "lof.n_neighbors"), 10, 0);
    vd_tune_copy(&copy, &ensemble);
    memset(&ensemble, 0, sizeof ensemble); /* the copy points into itself */
    assert_double_equal(value_of(&copy, "lof.n_neighbors"), 10, 0);
    for (size_t i = 0; i < VD_TUNE_SETTINGS_MAX + 3; i++) {
        char name[8] = {(char)('a' + i / 26), (char)('a' + i % 26)};

        vd_tune_set(&copy, "", name, (double)i);
    }
    assert_int_equal(copy.n, VD_TUNE_SETTINGS_MAX);
}

static void every_failing_allocation_is_survived(void **state)
{
    struct vd_fit_params params = vd_fit_params_default();
    struct vd_tune_rows rows = {&x, label, &normal, &params};
    bool failed = true;

    (void)state;
    for (long k = 1; failed; k++) {
        struct vd_tune_choice choice;
        struct vd_error err = {0};
        enum vd_status status;

        alloc_fault_at(k);
        status = vd_tune_detector(&choice, "mahalanobis", &rows, &nothing, true, &err);
        failed = alloc_fault_happened();
        alloc_fault_at(0);
        assert_int_equal(status, failed ? VD_ERR_MEMORY : VD_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_settings_are_chosen),
        cmocka_unit_test(threads_do_not_change_the_choice),
        cmocka_unit_test(what_is_given_is_not_chosen),
        cmocka_unit_test(too_few_rows_of_a_class_are_said),
        cmocka_unit_test(tables_without_rows_are_refused),
        cmocka_unit_test(a_choice_holds_each_setting_once),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };

    return cmocka_run_group_tests(tests, make_rows, free_rows);
}
