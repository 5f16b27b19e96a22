/* Detectors against the reference implementations' numbers (tests/golden). */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "golden.h"
#include "vedette/detector.h"

static struct vd_matrix train, test;

static int load_rows(void **state)
{
    struct golden g = golden_open("rows");

    (void)state;
    train = golden_next(&g);
    test = golden_next(&g);
    golden_close(&g);
    return 0;
}

static int free_rows(void **state)
{
    (void)state;
    vd_matrix_release(&train);
    vd_matrix_release(&test);
    return 0;
}

static vd_detector *fit(const char *name, const struct vd_matrix *x,
                        const struct vd_setting *settings, size_t n_settings,
                        double contamination)
{
    struct vd_fit_params params = vd_fit_params_default();
    struct vd_error err = {0};
    vd_detector *detector;

    params.settings = settings;
    params.n_settings = n_settings;
    params.contamination = contamination;
    if (vd_detector_fit(&detector, name, x, NULL, &params, &err) != VD_OK)
        fail_msg("%s: %s", name, err.text);
    return detector;
}

/* Every test row's score against the next block; `relative` tolerance of 1 + |score|. */
static void scores_match(vd_detector *detector, struct golden *g, double relative)
{
    struct vd_matrix expected = golden_next(g);
    double scores[128];

    assert_int_equal(expected.d, test.n);
    vd_detector_score_many(detector, &test, scores, 2);
    for (size_t i = 0; i < test.n; i++)
        assert_double_equal(scores[i], expected.at[i],
                            relative * (1 + fabs(expected.at[i])));
    vd_matrix_release(&expected);
    vd_detector_free(detector);
}

static void pca_matches_scikit_learn(void **state)
{
    const struct vd_setting three[] = {{"components", 3}}, most[] = {{"variance", 0.6}};
    struct golden g = golden_open("pca");

    (void)state;
    scores_match(fit("pca", &train, three, 1, 0.05), &g, 1e-9);
    scores_match(fit("pca", &train, most, 1, 0.05), &g, 1e-9);
    golden_close(&g);
}

static void mahalanobis_matches_scikit_learn(void **state)
{
    struct golden g = golden_open("mahalanobis");

    (void)state;
    scores_match(fit("mahalanobis", &train, NULL, 0, 0), &g, 1e-9);
    golden_close(&g);
}

static void lof_matches_scikit_learn(void **state)
{
    struct golden g = golden_open("lof");
    struct vd_matrix own, scaled, keep = test;
    vd_detector *lof = fit("lof", &train, NULL, 0, 0.1);
    size_t above = 0;

    (void)state;
    scores_match(lof, &g, 1e-9);
    /* The second block was made from the first 60 rows scaled by all of them. */
    assert_int_equal(vd_matrix_init(&scaled, train.n, train.d), VD_OK);
    scaled.n = 60;
    assert_int_equal(vd_matrix_init(&test, keep.n, keep.d), VD_OK);
    for (size_t j = 0; j < train.d; j++) {
        double mean = 0, variance = 0;

        for (size_t i = 0; i < train.n; i++)
            mean += vd_matrix_row(&train, i)[j] / (double)train.n;
        for (size_t i = 0; i < train.n; i++)
            variance += pow(vd_matrix_row(&train, i)[j] - mean, 2) / (double)train.n;
        for (size_t i = 0; i < 60; i++)
            vd_matrix_row(&scaled, i)[j] =
                (vd_matrix_row(&train, i)[j] - mean) / sqrt(variance);
        for (size_t i = 0; i < test.n; i++)
            vd_matrix_row(&test, i)[j] =
                (vd_matrix_row(&keep, i)[j] - mean) / sqrt(variance);
    }
    scores_match(fit("lof", &scaled,
                     (struct vd_setting[]){{"scale", 2}, {"n_neighbors", 5}}, 2, 0.1),
                 &g, 1e-6);
    vd_matrix_release(&test);
    test = keep;
    /* The threshold of 10 % is the percentile of scikit-learn's training factors. */
    own = golden_next(&g);
    lof = fit("lof", &train, NULL, 0, 0.1);
    for (size_t i = 0; i < own.d; i++)
        above += own.at[i] > vd_detector_threshold(lof);
    assert_int_equal(above, train.n / 10);
    vd_detector_free(lof);
    vd_matrix_release(&own);
    vd_matrix_release(&scaled);
    golden_close(&g);
}

static void one_class_svm_matches_scikit_learn(void **state)
{
    struct golden g = golden_open("one_class_svm");

    (void)state;
    if (vd_detector_find("one_class_svm")->unavailable != NULL)
        skip();
    for (size_t kernel = 0; kernel < 4; kernel++) {
        const struct vd_setting settings[] = {
            {"kernel", (double)kernel},     {"nu", 0.1},           {"coef0", 0.5},
            {"gamma", kernel == 3 ? 2 : 0}, {"gamma_value", 0.05}, {"tolerance", 1e-8}};

        scores_match(fit("one_class_svm", &train, settings, 6, 0), &g, 1e-4);
    }
    scores_match(
        fit("one_class_svm", &train,
            (struct vd_setting[]){{"nu", 0.3}, {"gamma", 1}, {"tolerance", 1e-8}}, 3, 0),
        &g, 1e-4);
    golden_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pca_matches_scikit_learn),
        cmocka_unit_test(mahalanobis_matches_scikit_learn),
        cmocka_unit_test(lof_matches_scikit_learn),
        cmocka_unit_test(one_class_svm_matches_scikit_learn),
    };

    return cmocka_run_group_tests(tests, load_rows, free_rows);
}
