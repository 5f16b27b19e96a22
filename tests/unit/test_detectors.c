/* What every row of the table of detectors promises, checked on every one that is built
 * in: same bits at any thread count and in one row or many, saved = loaded, bad input
 * refused or scored, no allocation while scoring. */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc_fault.h"
#include "vedette/detector.h"
#include "vedette/rng.h"
#include "vedette/xgboost.h"

enum { N = 300, D = 6, KINDS_MAX = 32 };

/* A blob with every eighth row an outlier labelled 1; column 4 is constant, column 5 has
 * few values, and 40 rows are equal. */
static void make_data(struct vd_matrix *x, uint8_t *labels)
{
    struct vd_rng rng;

    vd_rng_init(&rng, 9);
    assert_int_equal(vd_matrix_init(x, N, D), VD_OK);
    for (size_t i = 0; i < N; i++) {
        double *row = vd_matrix_row(x, i);

        labels[i] = i % 8 == 7;
        for (size_t j = 0; j < D; j++)
            row[j] = 50 + (labels[i] ? 12 : 2) * vd_rng_normal(&rng);
        row[0] += row[1];
        row[4] = 7;
        row[5] = floor(row[5]);
        if (i >= 100 && i < 140 && !labels[i])
            memcpy(row, vd_matrix_row(x, 99), D * sizeof *row);
    }
}

/* VEDETTE_XGBOOST names libxgboost where it lies in no well-known place. */
static bool usable(const struct vd_detector_info *info)
{
    struct vd_error err = {0};

    if (info->unavailable != NULL)
        print_message("%s: skipped: %s\n", info->name, info->unavailable);
    if (info->unavailable == NULL && strcmp(info->name, "xgboost") == 0 &&
        vd_xgboost_probe(getenv("VEDETTE_XGBOOST"), &err) != VD_OK) {
        print_message("xgboost: skipped: %s\n", err.text);
        return false;
    }
    return info->unavailable == NULL;
}

/* Short training where nothing but time depends on its length. */
static struct vd_fit_params quick_params(const char *name)
{
    static const struct vd_setting agent[] = {{"updates", 100}};
    static const struct vd_setting ensemble[] = {{"agent.updates", 40},
                                                 {"xgboost.n_rounds", 10},
                                                 {"random_forest.n_trees", 20},
                                                 {"isolation_forest.n_trees", 20}};
    struct vd_fit_params params = vd_fit_params_default();

    params.xgboost_library = getenv("VEDETTE_XGBOOST");
    if (strcmp(name, "agent") == 0) {
        params.settings = agent;
        params.n_settings = 1;
    } else if (strcmp(name, "ensemble") == 0) {
        params.settings = ensemble;
        params.n_settings = 4;
    }
    return params;
}

static vd_detector *fit(const char *name, const struct vd_matrix *x,
                        const uint8_t *labels, unsigned threads)
{
    struct vd_fit_params params = quick_params(name);
    struct vd_error err = {0};
    vd_detector *detector;

    params.threads = threads;
    params.seed = 3;
    if (vd_detector_fit(&detector, name, x, labels, &params, &err) != VD_OK)
        fail_msg("%s: %s", name, err.text);
    return detector;
}

/* What the tests share, since training is most of their time: every usable detector,
 * trained once by one thread; NULL = not usable. */
struct trained {
    struct vd_matrix x;
    uint8_t labels[N];
    vd_detector *detector[KINDS_MAX];
};

static int train_all(void **state)
{
    struct trained *t = calloc(1, sizeof *t);
    const struct vd_detector_info *info;

    assert_non_null(t);
    make_data(&t->x, t->labels);
    for (size_t k = 0; (info = vd_detector_at(k)) != NULL; k++) {
        assert_true(k < KINDS_MAX);
        if (usable(info))
            t->detector[k] = fit(info->name, &t->x, t->labels, 1);
    }
    *state = t;
    return 0;
}

static int free_all(void **state)
{
    struct trained *t = *state;

    for (size_t k = 0; k < KINDS_MAX; k++)
        vd_detector_free(t->detector[k]);
    vd_matrix_release(&t->x);
    free(t);
    return 0;
}

static void same_bits_at_any_thread_count(void **state)
{
    struct trained *t = *state;

    for (size_t k = 0; k < KINDS_MAX; k++) {
        struct vd_writer a = {0}, b = {0};
        vd_detector *one = t->detector[k], *many;
        double first[N], second[N];

        if (one == NULL)
            continue;
        many = fit(vd_detector_describe(one)->name, &t->x, t->labels, 3);
        vd_detector_save(one, &a);
        vd_detector_save(many, &b);
        assert_int_equal(a.size, b.size);
        assert_memory_equal(a.at, b.at, a.size);
        vd_detector_score_many(one, &t->x, first, 1);
        vd_detector_score_many(many, &t->x, second, 4);
        assert_memory_equal(first, second, sizeof first);
        for (size_t i = 0; i < N; i++)
            assert_true(first[i] == vd_detector_score(one, vd_matrix_row(&t->x, i)));
        vd_detector_free(many);
        vd_writer_release(&a);
        vd_writer_release(&b);
    }
}

/* Blocks of rows take other code than one row, chosen by the depth of the trees and the
 * number of columns; the odd number of rows leaves every block unfilled. */
static void blocks_match(const char *name, const struct vd_matrix *x,
                         const uint8_t *labels, const char *setting, double value)
{
    const struct vd_setting settings[] = {{setting, value}};
    struct vd_fit_params params = vd_fit_params_default();
    struct vd_error err = {0};
    double scores[N];
    vd_detector *detector;

    params.settings = settings;
    params.n_settings = 1;
    params.xgboost_library = getenv("VEDETTE_XGBOOST");
    if (vd_detector_fit(&detector, name, x, labels, &params, &err) != VD_OK)
        fail_msg("%s %s = %g: %s", name, setting, value, err.text);
    vd_detector_score_many(detector, x, scores, 1);
    for (size_t i = 0; i < x->n; i++)
        if (scores[i] != vd_detector_score(detector, vd_matrix_row(x, i)))
            fail_msg("%s %s = %g, %zu columns: row %zu", name, setting, value, x->d, i);
    vd_detector_free(detector);
}

static void blocks_score_as_single_rows_do(void **state)
{
    const double depths[] = {1, 3, 4, 5, 6, 8, 9, 20};
    const size_t columns[] = {1, 7, 8, 9, 20};
    bool boosted = usable(vd_detector_find("xgboost"));
    uint8_t labels[N];
    struct vd_rng rng;

    (void)state;
    vd_rng_init(&rng, 11);
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        struct vd_matrix x;

        assert_int_equal(vd_matrix_init(&x, N - 3, columns[c]), VD_OK);
        for (size_t i = 0; i < x.n * x.d; i++)
            x.at[i] = floor(20 * vd_rng_normal(&rng)) / 4;
        for (size_t i = 0; i < x.n; i++)
            labels[i] = vd_rng_uniform(&rng) < 0.4;
        for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
            blocks_match("random_forest", &x, labels, "max_depth", depths[i]);
            if (boosted)
                blocks_match("xgboost", &x, labels, "max_depth", depths[i]);
        }
        blocks_match("isolation_forest", &x, NULL, "max_samples", 256);
        blocks_match("isolation_forest", &x, NULL, "max_samples", 100);
        blocks_match("pca", &x, NULL, "components", columns[c] > 3 ? 3 : 1);
        blocks_match("lof", &x, NULL, "n_neighbors", 5);
        vd_matrix_release(&x);
    }
}

static void scoring_and_explaining_allocate_nothing(void **state)
{
    struct trained *t = *state;

    for (size_t k = 0; k < KINDS_MAX; k++) {
        vd_detector *detector = t->detector[k];
        double scores[N], share[D];

        if (detector == NULL)
            continue;
        alloc_fault_at(0);
        vd_detector_score_many(detector, &t->x, scores, 1);
        for (size_t i = 0; i < N; i++) {
            scores[i] = vd_detector_score(detector, vd_matrix_row(&t->x, i));
            vd_detector_explain(detector, vd_matrix_row(&t->x, i), share);
        }
        if (alloc_fault_count() != 0)
            fail_msg("%s: %ld allocations", vd_detector_describe(detector)->name,
                     alloc_fault_count());
    }
}

static void outliers_score_higher(void **state)
{
    struct trained *t = *state;

    for (size_t k = 0; k < KINDS_MAX; k++) {
        vd_detector *detector = t->detector[k];
        double scores[N], pairs = 0, won = 0;

        if (detector == NULL)
            continue;
        assert_ptr_equal(vd_detector_describe(detector), vd_detector_at(k));
        assert_int_equal(vd_detector_columns(detector), D);
        vd_detector_score_many(detector, &t->x, scores, 1);
        for (size_t i = 0; i < N; i++)
            for (size_t m = 0; m < N; m++)
                if (t->labels[i] && !t->labels[m]) {
                    pairs++;
                    won += scores[i] > scores[m];
                }
        print_message("%s: ROC AUC %.3f\n", vd_detector_describe(detector)->name,
                      won / pairs);
        assert_true(won / pairs > 0.75);
    }
}

static void saved_models_score_the_same(void **state)
{
    struct trained *t = *state;

    for (size_t k = 0; k < KINDS_MAX; k++) {
        struct vd_writer w = {0};
        struct vd_reader r;
        struct vd_error err = {0};
        vd_detector *detector = t->detector[k], *loaded;

        if (detector == NULL)
            continue;
        vd_detector_save(detector, &w);
        assert_int_equal(w.status, VD_OK);
        vd_reader_init(&r, w.at, w.size);
        if (vd_detector_load(&loaded, &r, &err) != VD_OK)
            fail_msg("%s: %s", vd_detector_describe(detector)->name, err.text);
        assert_int_equal(r.left, 0);
        assert_true(vd_detector_threshold(loaded) == vd_detector_threshold(detector));
        assert_int_equal(vd_detector_size(loaded), vd_detector_size(detector));
        for (size_t i = 0; i < N; i++)
            assert_true(vd_detector_score(detector, vd_matrix_row(&t->x, i)) ==
                        vd_detector_score(loaded, vd_matrix_row(&t->x, i)));
        vd_detector_free(loaded);
        vd_writer_release(&w);
    }
}

static void cut_models_are_refused(const struct vd_writer *w)
{
    for (size_t size = 0; size < w->size; size += 1 + size / 8) {
        struct vd_error err = {0};
        struct vd_reader r;
        vd_detector *loaded;

        vd_reader_init(&r, w->at, size);
        assert_int_not_equal(vd_detector_load(&loaded, &r, &err), VD_OK);
        assert_null(loaded);
        assert_true(err.text[0] != '\0' && err.hint[0] != '\0');
    }
}

/* A flipped bit gives an error or a model that scores without harm. */
static void changed_models_do_no_harm(struct vd_writer *w, const double *row)
{
    struct vd_rng rng;

    vd_rng_init(&rng, 5);
    for (size_t trial = 0; trial < 120; trial++) {
        size_t range = trial % 2 == 0 || w->size < 256 ? w->size : 256;
        size_t at = (size_t)vd_rng_below(&rng, range);
        uint8_t bit = (uint8_t)(1 << vd_rng_below(&rng, 8));
        struct vd_reader r;
        vd_detector *loaded;

        w->at[at] ^= bit;
        vd_reader_init(&r, w->at, w->size);
        if (vd_detector_load(&loaded, &r, NULL) == VD_OK) {
            if (vd_detector_columns(loaded) == D)
                assert_false(isnan(vd_detector_score(loaded, row)));
            vd_detector_free(loaded);
        }
        w->at[at] ^= bit;
    }
}

static void cut_or_changed_models_never_crash(void **state)
{
    struct trained *t = *state;

    for (size_t k = 0; k < KINDS_MAX; k++) {
        struct vd_writer w = {0};
        vd_detector *detector = t->detector[k];

        if (detector == NULL)
            continue;
        vd_detector_save(detector, &w);
        cut_models_are_refused(&w);
        changed_models_do_no_harm(&w, t->x.at);
        vd_writer_release(&w);
    }
}

static void rows_out_of_range_are_scored_or_nan(void **state)
{
    struct trained *t = *state;
    const double odd[] = {1e308, -1e308, 1e99, 5e-324};
    double row[D];

    for (size_t k = 0; k < KINDS_MAX; k++) {
        vd_detector *detector = t->detector[k];

        if (detector == NULL)
            continue;
        for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
            for (size_t j = 0; j < D; j++)
                row[j] = j % 2 == 0 ? odd[i] : 50;
            assert_true(isfinite(vd_detector_score(detector, row)));
        }
        row[3] = NAN;
        assert_true(isnan(vd_detector_score(detector, row)));
        row[3] = -INFINITY;
        assert_true(isnan(vd_detector_score(detector, row)));
    }
}

/* Fits what it may, and says why where it may not. */
static void fits_or_explains(const char *name, const struct vd_matrix *x,
                             const uint8_t *labels)
{
    struct vd_fit_params params = quick_params(name);
    struct vd_error err = {0};
    vd_detector *detector;

    if (vd_detector_fit(&detector, name, x, labels, &params, &err) == VD_OK) {
        for (size_t i = 0; i < x->n; i++)
            assert_true(isfinite(vd_detector_score(detector, vd_matrix_row(x, i))));
        vd_detector_free(detector);
    } else {
        assert_null(detector);
        assert_true(err.text[0] != '\0' && err.hint[0] != '\0');
    }
}

static void poor_training_data_never_crashes(void **state)
{
    const struct vd_detector_info *info;
    uint8_t labels[40] = {0, 1, 0, 1};

    (void)state;
    for (size_t k = 0; (info = vd_detector_at(k)) != NULL; k++) {
        struct vd_matrix x;

        if (!usable(info))
            continue;
        assert_int_equal(vd_matrix_init(&x, 40, 3), VD_OK);
        fits_or_explains(info->name, &x,
                         labels); /* all rows equal, all columns constant */
        for (size_t i = 0; i < 120; i++)
            x.at[i] = i % 2 == 0 ? 1e100 : -1e100;
        fits_or_explains(info->name, &x, labels);
        for (size_t i = 0; i < 120; i++)
            x.at[i] = (double)(i * i % 17) * 1e-310;
        fits_or_explains(info->name, &x, labels);
        x.n = 2;
        fits_or_explains(info->name, &x, labels);
        x.n = 4;
        x.d = 1;
        fits_or_explains(info->name, &x, labels);
        vd_matrix_release(&x);
        assert_int_equal(vd_matrix_init(&x, 12, 10000), VD_OK);
        for (size_t i = 0; i < 120000; i++)
            x.at[i] = (double)(i * 7919 % 1009);
        fits_or_explains(info->name, &x, labels);
        vd_matrix_release(&x);
    }
}

static void refused(const char *name, const struct vd_matrix *x, const uint8_t *labels,
                    const char *text)
{
    struct vd_error err = {0};
    vd_detector *detector;

    assert_int_equal(vd_detector_fit(&detector, name, x, labels, NULL, &err),
                     VD_ERR_DATA);
    assert_non_null(strstr(err.text, text));
    assert_true(err.hint[0] != '\0');
}

static void bad_labels_and_numbers_are_named(void **state)
{
    const struct vd_detector_info *info;
    uint8_t labels[N];
    struct vd_matrix x;

    (void)state;
    make_data(&x, labels);
    for (size_t k = 0; (info = vd_detector_at(k)) != NULL; k++) {
        uint8_t same[N] = {0}, other[N] = {0, 2, 1};
        double keep = x.at[20];

        if (!usable(info))
            continue;
        x.at[20] = NAN;
        refused(info->name, &x, labels, "row 4, column 3 is nan");
        x.at[20] = INFINITY;
        refused(info->name, &x, labels, "row 4, column 3 is inf");
        x.at[20] = 1e308;
        refused(info->name, &x, labels, "row 4, column 3 is 1e+308");
        x.at[20] = keep;
        x.n = 1;
        refused(info->name, &x, labels, "1 row");
        x.n = N;
        if (!info->needs_labels)
            continue;
        refused(info->name, &x, NULL, "there are none");
        refused(info->name, &x, same, "all 300 are normal");
        refused(info->name, &x, other, "row 2 has the label 2");
    }
    vd_matrix_release(&x);
}

/* libsvm warns on stderr when it cannot reach the tolerance; the library never asks for
 * what cannot be reached. */
static void solvers_say_nothing(void **state)
{
    uint8_t labels[N];
    struct vd_matrix x;
    FILE *caught = tmpfile();
    int keep = dup(STDERR_FILENO);
    long said;

    (void)state;
    if (vd_detector_find("one_class_svm")->unavailable != NULL)
        skip();
    make_data(&x, labels);
    /* Of 200 rows two kernels would complain, in a second; all 300 take the solver long
     * although it gets there. */
    x.n = 200;
    assert_non_null(caught);
    assert_true(keep >= 0 && dup2(fileno(caught), STDERR_FILENO) >= 0);
    for (double kernel = 0; kernel < 4; kernel++)
        for (double scale = 0; scale < 3; scale += 2) {
            const struct vd_setting settings[] = {
                {"kernel", kernel}, {"scale", scale}, {"tolerance", 1e-12}, {"nu", 0.3}};
            struct vd_fit_params params = vd_fit_params_default();
            vd_detector *detector;

            params.settings = settings;
            params.n_settings = 4;
            if (vd_detector_fit(&detector, "one_class_svm", &x, NULL, &params, NULL) ==
                VD_OK)
                vd_detector_free(detector);
        }
    fflush(stderr);
    said = lseek(fileno(caught), 0, SEEK_END);
    assert_true(dup2(keep, STDERR_FILENO) >= 0);
    close(keep);
    fclose(caught);
    vd_matrix_release(&x);
    assert_int_equal(said, 0);
}

static void the_table_is_well_formed(void **state)
{
    const struct vd_detector_info *info;
    size_t k = 0;

    (void)state;
    for (; (info = vd_detector_at(k)) != NULL; k++) {
        assert_ptr_equal(vd_detector_find(info->name), info);
        assert_non_null(info->title);
        assert_non_null(info->source);
        for (size_t p = 0; p < info->n_params; p++) {
            const struct vd_param *param = &info->params[p];

            assert_true(param->value >= param->min && param->value <= param->max);
            assert_true(param->help[0] != '\0');
        }
    }
    assert_true(k >= 4);
    assert_null(vd_detector_find("oracle"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_well_formed),
        cmocka_unit_test(same_bits_at_any_thread_count),
        cmocka_unit_test(blocks_score_as_single_rows_do),
        cmocka_unit_test(scoring_and_explaining_allocate_nothing),
        cmocka_unit_test(outliers_score_higher),
        cmocka_unit_test(saved_models_score_the_same),
        cmocka_unit_test(cut_or_changed_models_never_crash),
        cmocka_unit_test(rows_out_of_range_are_scored_or_nan),
        cmocka_unit_test(poor_training_data_never_crashes),
        cmocka_unit_test(bad_labels_and_numbers_are_named),
        cmocka_unit_test(solvers_say_nothing),
    };

    return cmocka_run_group_tests(tests, train_all, free_all);
}
