/* The ensemble, the agent's feedback, XGBoost's JSON, and memory: what the generic test
 * of all detectors does not see. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fault.h"
#include "golden.h"
#include "vedette/agent.h"
#include "vedette/ensemble.h"
#include "vedette/rng.h"
#include "vedette/xgboost.h"

enum { N = 240, D = 4 };

static struct vd_matrix x;
static uint8_t labels[N];

/* Every fourth row is an anomaly: far out in columns 0 and 1. */
static int make_rows(void **state)
{
    struct vd_rng rng;

    (void)state;
    vd_rng_init(&rng, 12);
    assert_int_equal(vd_matrix_init(&x, N, D), VD_OK);
    for (size_t i = 0; i < N; i++) {
        labels[i] = i % 4 == 3;
        for (size_t j = 0; j < D; j++)
            vd_matrix_row(&x, i)[j] =
                20 + vd_rng_normal(&rng) + (labels[i] && j < 2 ? 4 : 0);
    }
    return 0;
}

static int free_rows(void **state)
{
    (void)state;
    vd_matrix_release(&x);
    return 0;
}

/* Few and small models: these tests ask what happens, not how well. */
static const struct vd_setting small[] = {{"agent.updates", 60},
                                          {"random_forest.n_trees", 10},
                                          {"xgboost.n_rounds", 5},
                                          {"isolation_forest.n_trees", 10}};

static vd_detector *fit(const char *name, const uint8_t *y,
                        const struct vd_setting *settings, size_t n)
{
    struct vd_fit_params params = vd_fit_params_default();
    struct vd_error err = {0};
    vd_detector *detector;

    params.settings = settings;
    params.n_settings = n;
    params.xgboost_library = getenv("VEDETTE_XGBOOST");
    if (vd_detector_fit(&detector, name, &x, y, &params, &err) != VD_OK)
        fail_msg("%s: %s", name, err.text);
    return detector;
}

static const struct vd_ensemble_vote *vote_of(const struct vd_ensemble_verdict *verdict,
                                              const char *name)
{
    for (size_t i = 0; i < verdict->n; i++)
        if (strcmp(verdict->vote[i].name, name) == 0)
            return &verdict->vote[i];
    return NULL;
}

static void a_verdict_names_every_member(void **state)
{
    vd_detector *ensemble = fit("ensemble", labels, small, 4);
    struct vd_ensemble_verdict verdict;
    double sum = 0;

    (void)state;
    assert_int_equal(vd_ensemble_judge(ensemble, vd_matrix_row(&x, 3), &verdict), VD_OK);
    assert_int_equal(verdict.n, 8);
    assert_true(verdict.surprise == vd_detector_score(ensemble, vd_matrix_row(&x, 3)));
    assert_true(verdict.score < 0);
    assert_true(verdict.agreement > 0.5 && verdict.agreement <= 1);
    for (size_t i = 0; i < verdict.n; i++) {
        const struct vd_ensemble_vote *vote = &verdict.vote[i];

        assert_true(vote->ready || strcmp(vote->name, "xgboost") == 0 ||
                    strcmp(vote->name, "one_class_svm") == 0);
        if (!vote->ready) {
            assert_true(isnan(vote->raw) && isnan(vote->score) && isnan(vote->weight));
            continue;
        }
        sum += vote->weight;
        assert_true(vote->anomaly == (vote->score < 0));
    }
    assert_double_equal(sum, 1, 1e-12);
    assert_int_equal(vd_ensemble_judge(ensemble, vd_matrix_row(&x, 0), &verdict), VD_OK);
    assert_true(verdict.score > 0);
    vd_detector_free(ensemble);
}

/* A given power is the one by which the members count. */
static void members_count_by_the_given_power(void **state)
{
    static const double powers[] = {1, 3};
    struct vd_ensemble_verdict verdict[2];
    double cubes = 0;

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct vd_setting settings[5] = {{"weight_power", powers[k]}};
        vd_detector *ensemble;

        memcpy(settings + 1, small, sizeof small);
        ensemble = fit("ensemble", labels, settings, 5);
        assert_int_equal(vd_ensemble_judge(ensemble, x.at, &verdict[k]), VD_OK);
        vd_detector_free(ensemble);
    }
    for (size_t i = 0; i < verdict[0].n; i++)
        if (verdict[0].vote[i].ready)
            cubes += pow(verdict[0].vote[i].weight, 3);
    for (size_t i = 0; i < verdict[0].n; i++)
        if (verdict[0].vote[i].ready)
            assert_double_equal(verdict[1].vote[i].weight,
                                pow(verdict[0].vote[i].weight, 3) / cubes, 1e-9);
}

/* Labels that have nothing to do with the rows: a member that has learned them by heart
 * is judged by rows that it has not seen, and is worth nothing. */
static void who_learned_by_heart_weighs_little(void **state)
{
    enum { DRAWS = 4 };
    struct vd_ensemble_verdict verdict;
    uint8_t drawn[N];
    struct vd_rng rng;
    double sum = 0;

    (void)state;
    vd_rng_init(&rng, 5);
    for (int draw = 0; draw < DRAWS; draw++) {
        vd_detector *ensemble;

        for (size_t i = 0; i < N; i++)
            drawn[i] = vd_rng_below(&rng, 3) == 0;
        ensemble = fit("ensemble", drawn, small, 4);
        assert_int_equal(vd_ensemble_judge(ensemble, x.at, &verdict), VD_OK);
        sum += vote_of(&verdict, "random_forest")->weight;
        vd_detector_free(ensemble);
    }
    assert_true(sum / DRAWS < 0.4);
}

static void without_labels_the_supervised_are_left_out(void **state)
{
    vd_detector *ensemble = fit("ensemble", NULL, small, 4);
    struct vd_ensemble_verdict verdict;

    (void)state;
    assert_int_equal(vd_ensemble_judge(ensemble, x.at, &verdict), VD_OK);
    assert_false(vote_of(&verdict, "random_forest")->ready);
    assert_false(vote_of(&verdict, "agent")->ready);
    assert_true(vote_of(&verdict, "lof")->ready);
    assert_true(isfinite(verdict.surprise));
    vd_detector_free(ensemble);
}

static void members_settings_reach_them_and_are_checked(void **state)
{
    const struct vd_setting bad[] = {{"lof.n_neighbors", -1}}, unknown[] = {{"lof.x", 1}};
    struct vd_fit_params params = vd_fit_params_default();
    struct vd_error err = {0};
    vd_detector *ensemble;

    (void)state;
    params.settings = bad;
    params.n_settings = 1;
    assert_int_equal(vd_detector_fit(&ensemble, "ensemble", &x, NULL, &params, &err),
                     VD_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "n_neighbors = -1"));
    vd_error_clear(&err);
    params.settings = unknown;
    assert_int_equal(vd_detector_fit(&ensemble, "ensemble", &x, NULL, &params, &err),
                     VD_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "no setting 'x'"));
}

static void judging_another_detector_is_refused(void **state)
{
    vd_detector *pca = fit("pca", NULL, NULL, 0);
    struct vd_ensemble_verdict verdict;
    double row[D] = {0, NAN, 0, 0};
    vd_detector *ensemble = fit("ensemble", NULL, small, 4);

    (void)state;
    assert_int_equal(vd_ensemble_judge(pca, x.at, &verdict), VD_ERR_ARGUMENT);
    assert_int_equal(vd_agent_learn(pca, x.at, true), VD_ERR_ARGUMENT);
    assert_null(vd_agent_copy(pca));
    assert_int_equal(vd_ensemble_judge(ensemble, row, &verdict), VD_ERR_DATA);
    vd_detector_free(pca);
    vd_detector_free(ensemble);
}

/* ---- the agent ---- */

/* A normal row in a place where anomalies were: told "normal" a few times, the agent
 * falls silent there, still alerts elsewhere, and learns the same every time. */
static void feedback_moves_the_agent(void **state)
{
    const struct vd_setting settings[] = {{"updates", 300}};
    vd_detector *agent = fit("agent", labels, settings, 1), *copy;
    double row[D] = {24, 24, 18, 22}, before = vd_detector_score(agent, row), kept = 0;

    (void)state;
    assert_true(before > 0);
    copy = vd_agent_copy(agent);
    assert_true(vd_detector_score(copy, row) == before);
    for (int i = 0; i < 40 && vd_detector_score(agent, row) > 0; i++)
        assert_int_equal(vd_agent_learn(agent, row, false), VD_OK);
    assert_true(vd_detector_score(agent, row) <= 0);
    assert_true(vd_detector_score(copy, row) == before);
    for (size_t i = 0; i < N; i++)
        kept += (vd_detector_score(agent, vd_matrix_row(&x, i)) > 0) == (labels[i] == 1);
    assert_true(kept / N > 0.8);
    for (int i = 0; i < 40 && vd_detector_score(copy, row) > 0; i++)
        assert_int_equal(vd_agent_learn(copy, row, false), VD_OK);
    assert_true(vd_detector_score(copy, row) == vd_detector_score(agent, row));
    row[0] = NAN;
    assert_int_equal(vd_agent_learn(agent, row, true), VD_ERR_DATA);
    vd_detector_free(agent);
    vd_detector_free(copy);
}

/* ---- XGBoost ---- */

static char *read_text(const char *name, size_t *size)
{
    char path[512], *text = malloc(1 << 20);
    FILE *file;

    snprintf(path, sizeof path, "%s/golden/%s", TESTS_DIR, name);
    file = fopen(path, "rb");
    assert_non_null(file);
    *size = fread(text, 1, 1 << 20, file);
    fclose(file);
    return text;
}

static void xgboost_models_score_as_xgboost_does(void **state)
{
    struct golden g = golden_open("xgboost"), rows = golden_open("rows");
    struct vd_matrix expected = golden_next(&g), train = golden_next(&rows);
    struct vd_matrix test = golden_next(&rows);
    struct vd_writer w = {0};
    struct vd_error err = {0};
    size_t size;
    char *json = read_text("xgboost.json", &size);
    vd_detector *model, *again;

    (void)state;
    if (vd_xgboost_from_json(&model, json, size, &err) != VD_OK)
        fail_msg("%s", err.text);
    assert_int_equal(vd_xgboost_to_json(model, &w), VD_OK);
    assert_int_equal(vd_xgboost_from_json(&again, (const char *)w.at, w.size, NULL),
                     VD_OK);
    for (size_t i = 0; i < test.n; i++) {
        double score = vd_detector_score(model, vd_matrix_row(&test, i));

        assert_double_equal(score, expected.at[i], 1e-6);
        assert_double_equal(vd_detector_score(again, vd_matrix_row(&test, i)), score,
                            1e-12);
    }
    for (size_t cut = 0; cut < size; cut += 1 + size / 50) {
        vd_error_clear(&err);
        assert_int_not_equal(
            vd_xgboost_from_json(&(vd_detector *){NULL}, json, cut, &err), VD_OK);
        assert_true(err.text[0] != '\0' && err.hint[0] != '\0');
    }
    free(json);
    vd_detector_free(model);
    vd_detector_free(again);
    vd_writer_release(&w);
    vd_matrix_release(&expected);
    vd_matrix_release(&train);
    vd_matrix_release(&test);
    golden_close(&g);
    golden_close(&rows);
}

/* Against pred_contribs; shares and mean add up to the log-odds. */
static void xgboost_shares_are_xgboosts(void **state)
{
    struct golden g = golden_open("xgboost_shares"), rows = golden_open("rows");
    struct vd_matrix expected = golden_next(&g), train = golden_next(&rows);
    struct vd_matrix test = golden_next(&rows);
    struct vd_writer w = {0};
    struct vd_reader r;
    size_t size;
    char *json = read_text("xgboost.json", &size);
    vd_detector *model, *again;

    (void)state;
    assert_int_equal(vd_xgboost_from_json(&model, json, size, NULL), VD_OK);
    vd_detector_save(model, &w);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(vd_detector_load(&again, &r, NULL), VD_OK);
    assert_int_equal(expected.d, test.d + 1);
    for (size_t i = 0; i < test.n; i++) {
        const double *row = vd_matrix_row(&test, i),
                     *theirs = vd_matrix_row(&expected, i);
        double share[8], loaded[8], score = vd_detector_score(model, row);
        double sum = theirs[test.d];

        assert_int_equal(vd_detector_explain(model, row, share), VD_OK);
        assert_int_equal(vd_detector_explain(again, row, loaded), VD_OK);
        assert_memory_equal(share, loaded, test.d * sizeof *share);
        for (size_t j = 0; j < test.d; j++) {
            assert_double_equal(share[j], theirs[j], 1e-5);
            sum += share[j];
        }
        assert_double_equal(sum, log(score / (1 - score)), 1e-5);
    }
    free(json);
    vd_detector_free(model);
    vd_detector_free(again);
    vd_writer_release(&w);
    vd_matrix_release(&expected);
    vd_matrix_release(&train);
    vd_matrix_release(&test);
    golden_close(&g);
    golden_close(&rows);
}

/* What is added over the mean adds up: score less shares is the same for every row. The
 * columns that make the anomalies have the shares. */
static void forest_shares_add_up(void **state)
{
    vd_detector *forest = fit("random_forest", labels, NULL, 0);
    double mean = NAN, anomalous[D] = {0};

    (void)state;
    for (size_t i = 0; i < N; i++) {
        const double *row = vd_matrix_row(&x, i);
        double share[D], rest = vd_detector_score(forest, row);

        assert_int_equal(vd_detector_explain(forest, row, share), VD_OK);
        for (size_t j = 0; j < D; j++) {
            rest -= share[j];
            anomalous[j] += labels[i] ? share[j] : 0;
        }
        if (isnan(mean))
            mean = rest;
        assert_double_equal(rest, mean, 1e-9);
    }
    assert_double_equal(mean, 0.25, 0.02);
    assert_true(fmin(anomalous[0], anomalous[1]) >
                5 * fmax(fabs(anomalous[2]), fabs(anomalous[3])));
    vd_detector_free(forest);
}

static void a_missing_libxgboost_is_named(void **state)
{
    struct vd_error err = {0};

    (void)state;
    assert_int_equal(vd_xgboost_probe("/nonexistent/libxgboost.so", &err),
                     VD_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "/nonexistent/libxgboost.so"));
    assert_true(err.hint[0] != '\0');
}

/* ---- memory ---- */

static const struct vd_setting *tiny_of(const char *name, size_t *n)
{
    static const struct vd_setting trees[] = {{"n_trees", 2}},
                                   steps[] = {{"updates", 10}};

    *n = 1;
    if (strcmp(name, "isolation_forest") == 0 || strcmp(name, "random_forest") == 0)
        return trees;
    if (strcmp(name, "agent") == 0)
        return steps;
    *n = 0;
    return NULL;
}

static void every_failing_allocation_is_survived(void **state)
{
    static const char *const names[] = {
        "isolation_forest", "one_class_svm", "lof",  "pca",
        "mahalanobis",      "random_forest", "agent"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct vd_fit_params params = vd_fit_params_default();

        if (vd_detector_find(names[i])->unavailable != NULL)
            continue;
        params.settings = tiny_of(names[i], &params.n_settings);
        for (long k = 1;; k++) {
            struct vd_error err = {0};
            vd_detector *detector;
            enum vd_status status;

            alloc_fault_at(k);
            status = vd_detector_fit(&detector, names[i], &x, labels, &params, &err);
            if (!alloc_fault_happened()) {
                alloc_fault_at(0);
                assert_int_equal(status, VD_OK);
                vd_detector_free(detector);
                break;
            }
            assert_int_equal(status, VD_ERR_MEMORY);
            assert_null(detector);
            assert_true(err.text[0] != '\0');
        }
    }
}

static void judging_allocates_nothing(void **state)
{
    vd_detector *ensemble = fit("ensemble", labels, small, 4);
    struct vd_ensemble_verdict verdict;

    (void)state;
    alloc_fault_at(0);
    assert_int_equal(vd_ensemble_judge(ensemble, x.at, &verdict), VD_OK);
    assert_int_equal(alloc_fault_count(), 0);
    vd_detector_free(ensemble);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verdict_names_every_member),
        cmocka_unit_test(members_count_by_the_given_power),
        cmocka_unit_test(who_learned_by_heart_weighs_little),
        cmocka_unit_test(without_labels_the_supervised_are_left_out),
        cmocka_unit_test(members_settings_reach_them_and_are_checked),
        cmocka_unit_test(judging_another_detector_is_refused),
        cmocka_unit_test(feedback_moves_the_agent),
        cmocka_unit_test(xgboost_models_score_as_xgboost_does),
        cmocka_unit_test(xgboost_shares_are_xgboosts),
        cmocka_unit_test(forest_shares_add_up),
        cmocka_unit_test(a_missing_libxgboost_is_named),
        cmocka_unit_test(every_failing_allocation_is_survived),
        cmocka_unit_test(judging_allocates_nothing),
    };

    return cmocka_run_group_tests(tests, make_rows, free_rows);
}
