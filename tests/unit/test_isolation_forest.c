/* lib/detect/tree/isolation_forest: scores, threads, explanation, save and load, bad
 * input. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "base/real.h"
#include "vedette/detector.h"
#include "vedette/rng.h"

enum { N = 600, D = 7 };

/* Normal rows; the last ten lie 12 sigma away in column 2. */
static void make_data(struct vd_matrix *x)
{
    struct vd_rng rng;

    vd_rng_init(&rng, 42);
    assert_int_equal(vd_matrix_init(x, N, D), VD_OK);
    for (size_t i = 0; i < N * D; i++)
        x->at[i] = 1e9 + 5 * vd_rng_normal(&rng);
    for (size_t i = N - 10; i < N; i++)
        vd_matrix_row(x, i)[2] += 60;
}

static vd_detector *fit(const struct vd_matrix *x, const char *setting, double value,
                        unsigned threads)
{
    struct vd_setting settings[] = {{setting, value}};
    struct vd_fit_params params = vd_fit_params_default();
    struct vd_error err = {0};
    vd_detector *forest;

    params.settings = settings;
    params.n_settings = setting == NULL ? 0 : 1;
    params.threads = threads;
    if (vd_detector_fit(&forest, "isolation_forest", x, NULL, &params, &err) != VD_OK)
        fail_msg("%s", err.text);
    return forest;
}

static void outliers_score_higher(const char *setting, double value)
{
    struct vd_matrix x;
    vd_detector *forest;
    double scores[N];
    size_t pairs = 0;

    make_data(&x);
    forest = fit(&x, setting, value, 1);
    vd_detector_score_many(forest, &x, scores, 1);
    for (size_t i = 0; i < N; i++) {
        assert_true(scores[i] > 0 && scores[i] < 1);
        for (size_t k = N - 10; i < N - 10 && k < N; k++)
            pairs += scores[k] > scores[i];
    }
    /* The area under the ROC curve. */
    assert_true(pairs > 0.98 * 10 * (N - 10));
    vd_detector_free(forest);
    vd_matrix_release(&x);
}

static void outliers_score_higher_in_every_variant(void **state)
{
    (void)state;
    outliers_score_higher(NULL, 0);
    outliers_score_higher("extension", 6);
    outliers_score_higher("extension", 2);
    outliers_score_higher("max_samples", 600);
    outliers_score_higher("n_trees", 333);
}

static void one_row_block_and_threads_agree_to_the_bit(void **state)
{
    struct vd_matrix x;
    double one[N], two[N];
    struct vd_writer a = {0}, b = {0};
    vd_detector *forest, *again;

    (void)state;
    make_data(&x);
    forest = fit(&x, NULL, 0, 1);
    again = fit(&x, NULL, 0, 3);
    vd_detector_score_many(forest, &x, one, 1);
    vd_detector_score_many(again, &x, two, 4);
    assert_memory_equal(one, two, sizeof one);
    for (size_t i = 0; i < N; i++)
        assert_true(one[i] == vd_detector_score(forest, vd_matrix_row(&x, i)));
    vd_detector_save(forest, &a);
    vd_detector_save(again, &b);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.at, b.at, a.size);
    assert_true(vd_detector_size(forest) < 600000);
    vd_writer_release(&a);
    vd_writer_release(&b);
    vd_detector_free(forest);
    vd_detector_free(again);
    vd_matrix_release(&x);
}

/* Two rows, one column, one tree: the path is 1 for both and c(2) = 1, so the score is
 * 1/2. All rows equal: one leaf, E h = c(n), again 1/2. */
static void hand_worked_scores(void **state)
{
    double two[] = {0, 1}, same[] = {3, 3, 3, 3, 3};
    struct vd_matrix x = {.n = 2, .d = 1, .at = two};
    vd_detector *forest = fit(&x, "n_trees", 1, 1);

    (void)state;
    assert_double_equal(vd_detector_score(forest, &two[0]), 0.5, 1e-9);
    assert_double_equal(vd_detector_score(forest, &two[1]), 0.5, 1e-9);
    vd_detector_free(forest);
    x = (struct vd_matrix){.n = 5, .d = 1, .at = same};
    forest = fit(&x, NULL, 0, 1);
    assert_double_equal(vd_detector_score(forest, same), 0.5, 1e-8);
    assert_double_equal(vd_detector_score(forest, &(double){1e300}), 0.5, 1e-8);
    vd_detector_free(forest);
}

/* The share of training rows above the threshold is the contamination asked for. */
static void contamination_sets_the_threshold(void **state)
{
    struct vd_fit_params params = vd_fit_params_default();
    struct vd_matrix x;
    vd_detector *forest;
    double scores[N];
    size_t above = 0;

    (void)state;
    make_data(&x);
    params.contamination = 0.1;
    assert_int_equal(
        vd_detector_fit(&forest, "isolation_forest", &x, NULL, &params, NULL), VD_OK);
    vd_detector_score_many(forest, &x, scores, 1);
    for (size_t i = 0; i < N; i++)
        above += scores[i] > vd_detector_threshold(forest);
    assert_in_range(above, N / 10 - 1, N / 10 + 1);
    vd_detector_free(forest);
    params.contamination = 0;
    assert_int_equal(
        vd_detector_fit(&forest, "isolation_forest", &x, NULL, &params, NULL), VD_OK);
    assert_true(vd_detector_threshold(forest) == 0.5);
    vd_detector_free(forest);
    vd_matrix_release(&x);
}

static void the_explanation_names_the_column(void **state)
{
    struct vd_matrix x;
    vd_detector *forest;
    double share[D], sum = 0;

    (void)state;
    make_data(&x);
    forest = fit(&x, NULL, 0, 1);
    assert_int_equal(vd_detector_explain(forest, vd_matrix_row(&x, N - 3), share), VD_OK);
    for (size_t j = 0; j < D; j++) {
        sum += share[j];
        if (j != 2)
            assert_true(share[2] > share[j]);
    }
    assert_true(sum > 0);
    vd_detector_free(forest);
    vd_matrix_release(&x);
}

static void a_saved_model_scores_the_same(void **state)
{
    const double extension[] = {0, 3};

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct vd_writer w = {0};
        struct vd_reader r;
        struct vd_matrix x;
        vd_detector *forest, *loaded;

        make_data(&x);
        forest = fit(&x, "extension", extension[k], 1);
        vd_detector_save(forest, &w);
        assert_int_equal(w.status, VD_OK);
        vd_reader_init(&r, w.at, w.size);
        assert_int_equal(vd_detector_load(&loaded, &r, NULL), VD_OK);
        assert_int_equal(r.left, 0);
        assert_true(vd_detector_threshold(loaded) == vd_detector_threshold(forest));
        for (size_t i = 0; i < N; i++)
            assert_true(vd_detector_score(forest, vd_matrix_row(&x, i)) ==
                        vd_detector_score(loaded, vd_matrix_row(&x, i)));
        vd_detector_free(loaded);
        vd_detector_free(forest);
        vd_writer_release(&w);
        vd_matrix_release(&x);
    }
}

static void cut_or_changed_models_never_crash(void **state)
{
    struct vd_matrix x;
    struct vd_writer w = {0};
    vd_detector *forest, *loaded;
    struct vd_rng rng;

    (void)state;
    make_data(&x);
    forest = fit(&x, "n_trees", 3, 1);
    vd_detector_save(forest, &w);
    vd_rng_init(&rng, 5);
    for (size_t size = 0; size < w.size; size += 1 + size / 16) {
        struct vd_error err = {0};
        struct vd_reader r;

        vd_reader_init(&r, w.at, size);
        assert_int_not_equal(vd_detector_load(&loaded, &r, &err), VD_OK);
        assert_null(loaded);
        assert_true(err.text[0] != '\0' && err.hint[0] != '\0');
    }
    for (size_t trial = 0; trial < 2000; trial++) {
        size_t at = (size_t)vd_rng_below(&rng, w.size);
        uint8_t bit = (uint8_t)(1 << vd_rng_below(&rng, 8));
        struct vd_reader r;

        w.at[at] ^= bit;
        vd_reader_init(&r, w.at, w.size);
        if (vd_detector_load(&loaded, &r, NULL) == VD_OK) {
            vd_detector_score(loaded, x.at);
            vd_detector_free(loaded);
        }
        w.at[at] ^= bit;
    }
    vd_detector_free(forest);
    vd_writer_release(&w);
    vd_matrix_release(&x);
}

static void refused(const struct vd_matrix *x, const struct vd_fit_params *params,
                    enum vd_status status, const char *text)
{
    struct vd_error err = {0};
    vd_detector *forest;

    assert_int_equal(vd_detector_fit(&forest, "isolation_forest", x, NULL, params, &err),
                     status);
    assert_null(forest);
    assert_non_null(strstr(err.text, text));
    assert_true(err.hint[0] != '\0');
}

static void bad_input_is_refused_with_its_place(void **state)
{
    double rows[] = {1, 2, 3, 4};
    struct vd_matrix x = {.n = 2, .d = 2, .at = rows};
    struct vd_setting unknown = {"n_leaves", 1}, outside = {"n_trees", 0};
    struct vd_fit_params params = vd_fit_params_default();

    (void)state;
    rows[3] = NAN;
    refused(&x, NULL, VD_ERR_DATA, "row 2, column 2 is nan");
    rows[3] = -INFINITY;
    refused(&x, NULL, VD_ERR_DATA, "row 2, column 2 is -inf");
    rows[3] = 1e308;
    refused(&x, NULL, VD_ERR_DATA, "row 2, column 2 is 1e+308");
    rows[3] = 4;
    x.n = 1;
    refused(&x, NULL, VD_ERR_DATA, "1 rows");
    x.n = 2;
    params.settings = &unknown;
    params.n_settings = 1;
    refused(&x, &params, VD_ERR_ARGUMENT, "no setting 'n_leaves'");
    params.settings = &outside;
    refused(&x, &params, VD_ERR_ARGUMENT, "n_trees = 0 is outside");
    params.n_settings = 0;
    params.contamination = 0.7;
    refused(&x, &params, VD_ERR_ARGUMENT, "contamination 0.7");
    assert_int_equal(
        vd_detector_fit(&(vd_detector *){NULL}, "oracle", &x, NULL, NULL, NULL),
        VD_ERR_ARGUMENT);
}

static void bad_rows_score_nan_and_huge_ones_high(void **state)
{
    struct vd_matrix x;
    vd_detector *forest;
    double row[D], normal;

    (void)state;
    make_data(&x);
    forest = fit(&x, NULL, 0, 1);
    memcpy(row, x.at, sizeof row);
    normal = vd_detector_score(forest, row);
    row[1] = NAN;
    assert_true(isnan(vd_detector_score(forest, row)));
    row[1] = INFINITY;
    assert_true(isnan(vd_detector_score(forest, row)));
    row[1] = 1e308;
    assert_true(vd_detector_score(forest, row) > normal);
    vd_detector_free(forest);
    vd_matrix_release(&x);
}

static void ten_thousand_columns_and_hardly_any_rows(void **state)
{
    struct vd_matrix x;
    vd_detector *forest;

    (void)state;
    assert_int_equal(vd_matrix_init(&x, 12, 10000), VD_OK);
    for (size_t i = 0; i < 120000; i++)
        x.at[i] = (double)(i * 7919 % 1000);
    forest = fit(&x, "max_features", 0.5, 2);
    assert_true(isfinite(vd_detector_score(forest, x.at)));
    vd_detector_free(forest);
    vd_matrix_release(&x);
}

/* Against the C library, whose error is below one unit in the last place. */
static void exp_and_log_are_exact_to_a_few_units(void **state)
{
    (void)state;
    for (double x = -700; x < 700; x += 0.37) {
        assert_double_equal(vd__exp(x) / exp(x), 1, 1e-15);
        assert_double_equal(vd__log(exp(x)), x, 4e-16 * (1 + fabs(x)) + 1e-15);
        assert_double_equal(vd__tanh(x / 100), tanh(x / 100), 1e-15);
        assert_double_equal(vd__sigmoid(x / 10), 1 / (1 + exp(-x / 10)), 1e-15);
    }
    assert_true(vd__exp(-1e9) == 0 && vd__exp(0) == 1 && vd__log(1) == 0);
    assert_true(isfinite(vd__exp(1e9)) && isinf(vd__log(0)));
    assert_double_equal(vd__log(5e-320) / log(5e-320), 1, 1e-15);
}

/* Numbers that repeat, columns that are constant, and some rows far out, where the splits
 * of a column lie close together on one side. */
static void make_uneven(struct vd_matrix *x, size_t n, size_t d, uint64_t seed)
{
    struct vd_rng rng;

    vd_rng_init(&rng, seed);
    assert_int_equal(vd_matrix_init(x, n, d), VD_OK);
    for (size_t i = 0; i < n * d; i++) {
        double value = 10 * vd_rng_normal(&rng);

        x->at[i] = i % d == 3        ? 7
                   : i % d == 1      ? floor(value)
                   : i % 997 == 0    ? value * 1e6
                   : i % (5003) == 0 ? -1e99
                                     : value;
    }
}

/* With ranks and without, for every number of columns that they are made for and one
 * more, and for rows that no tree has seen. */
static void prepared_scores_have_the_same_bits(void **state)
{
    enum { ROWS = 1501 };
    static double plain[ROWS], ranked[ROWS];

    (void)state;
    for (size_t d = 1; d <= 17; d++) {
        struct vd_matrix x, sample;
        vd_detector *forest;

        make_uneven(&x, ROWS, d, d);
        sample = (struct vd_matrix){.n = ROWS / 2, .d = d, .at = x.at};
        forest = fit(&sample, NULL, 0, 1);
        vd_detector_score_many(forest, &x, plain, 1);
        assert_int_equal(vd_detector_prepare(forest), VD_OK);
        assert_int_equal(vd_detector_prepare(forest), VD_OK);
        vd_detector_score_many(forest, &x, ranked, 2);
        assert_memory_equal(plain, ranked, sizeof plain);
        for (size_t i = 0; i < ROWS; i += 100)
            assert_double_equal(vd_detector_score(forest, vd_matrix_row(&x, i)),
                                ranked[i], 0);
        vd_detector_free(forest);
        vd_matrix_release(&x);
    }
}

static void what_has_no_ranks_scores_as_before(void **state)
{
    static const struct {
        const char *setting;
        double value;
    } kinds[] = {{"max_samples", 64}, {"max_samples", 500}, {"extension", 2}};
    struct vd_matrix x;
    double plain[N], prepared[N];

    (void)state;
    make_data(&x);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        vd_detector *forest = fit(&x, kinds[k].setting, kinds[k].value, 1);

        vd_detector_score_many(forest, &x, plain, 1);
        assert_int_equal(vd_detector_prepare(forest), VD_OK);
        vd_detector_score_many(forest, &x, prepared, 1);
        assert_memory_equal(plain, prepared, sizeof plain);
        vd_detector_free(forest);
    }
    vd_matrix_release(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outliers_score_higher_in_every_variant),
        cmocka_unit_test(one_row_block_and_threads_agree_to_the_bit),
        cmocka_unit_test(prepared_scores_have_the_same_bits),
        cmocka_unit_test(what_has_no_ranks_scores_as_before),
        cmocka_unit_test(hand_worked_scores),
        cmocka_unit_test(contamination_sets_the_threshold),
        cmocka_unit_test(the_explanation_names_the_column),
        cmocka_unit_test(a_saved_model_scores_the_same),
        cmocka_unit_test(cut_or_changed_models_never_crash),
        cmocka_unit_test(bad_input_is_refused_with_its_place),
        cmocka_unit_test(bad_rows_score_nan_and_huge_ones_high),
        cmocka_unit_test(ten_thousand_columns_and_hardly_any_rows),
        cmocka_unit_test(exp_and_log_are_exact_to_a_few_units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
