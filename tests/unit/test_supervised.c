/* src/detect/labels and taught: rows with labels, and the detectors that learn them. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "detect/supervised.h"
#include "vedette/rng.h"

enum { QUIET = 200, EVENT = 24 };

static const char *const columns[] = {"cpu_percent", "cpu_memory", "disk_read_mb"};
static const bool is_log[DETECT_MULTIVARIATE_COLUMNS] = {[2] = true};

static struct detect_multivariate_config config_of_test(void)
{
    struct detect_multivariate_config config = detect_multivariate_config_default();

    config.column = columns;
    config.n_columns = 3;
    config.seed = 7;
    return config;
}

static void fill_row(float x[DETECT_MULTIVARIATE_COLUMNS], struct vd_rng *rng,
                     double level)
{
    for (size_t c = 0; c < DETECT_MULTIVARIATE_COLUMNS; c++)
        x[c] = NAN;
    x[0] = (float)(level + 2 * vd_rng_normal(rng));
    x[1] = (float)(40 + vd_rng_normal(rng));
    x[2] = (float)(0.5 + 0.1 * vd_rng_normal(rng));
}

static struct detect_multivariate_row *quiet_rows(struct vd_rng *rng)
{
    struct detect_multivariate_row *row = malloc(QUIET * sizeof *row);

    assert_non_null(row);
    for (size_t i = 0; i < QUIET; i++) {
        fill_row(row[i].x, rng, 10);
        row[i].live[0] = row[i].live[1] = NAN;
    }
    return row;
}

static void add_event(struct detect_labels *labels, int64_t id, enum detect_label label,
                      double level)
{
    float row[EVENT * DETECT_MULTIVARIATE_COLUMNS];
    struct vd_rng rng;

    vd_rng_init(&rng, (uint64_t)id);
    for (size_t i = 0; i < EVENT; i++)
        fill_row(row + i * DETECT_MULTIVARIATE_COLUMNS, &rng, level);
    assert_int_equal(detect_labels_add(labels, id, label, row, EVENT), VD_OK);
}

/* ---- labels ---- */

static void labels_of_an_event_come_and_go_together(void **state)
{
    struct detect_labels labels = {0};

    (void)state;
    add_event(&labels, 3, DETECT_LABEL_ANOMALY, 90);
    add_event(&labels, 5, DETECT_LABEL_NORMAL, 60);
    assert_true(detect_labels_has(&labels, 3) && detect_labels_has(&labels, 5));
    assert_int_equal(detect_labels_count(&labels, true), EVENT);
    assert_false(detect_labels_change(&labels, 3, DETECT_LABEL_ANOMALY));
    assert_true(detect_labels_change(&labels, 3, DETECT_LABEL_EXPECTED));
    assert_int_equal(detect_labels_count(&labels, true), 0);
    assert_true(detect_labels_forget(&labels, 3));
    assert_false(detect_labels_forget(&labels, 3));
    assert_int_equal(labels.n, EVENT);
    assert_false(detect_labels_has(&labels, 3));
    detect_labels_release(&labels);
}

static void labels_are_bounded(void **state)
{
    float *rows = calloc(1000 * DETECT_MULTIVARIATE_COLUMNS, sizeof *rows);
    struct detect_labels labels = {0};

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        rows[i * DETECT_MULTIVARIATE_COLUMNS] = (float)i;
    assert_int_equal(detect_labels_add(&labels, 1, DETECT_LABEL_NORMAL, rows, 1000),
                     VD_OK);
    assert_int_equal(labels.n, 250);
    assert_true(labels.at[249].row.x[0] == 996);
    for (int64_t id = 2; id < 40; id++)
        detect_labels_add(&labels, id, DETECT_LABEL_NORMAL, rows, 1000);
    assert_true(labels.n <= DETECT_LABELS_MAX);
    assert_false(detect_labels_has(&labels, 1));
    assert_true(detect_labels_has(&labels, 39));
    detect_labels_release(&labels);
    free(rows);
}

static void released_rows_are_spread_and_normal(void **state)
{
    struct detect_labels labels = {0};
    struct detect_multivariate_row out[2 * EVENT];

    (void)state;
    add_event(&labels, 1, DETECT_LABEL_ANOMALY, 90);
    add_event(&labels, 2, DETECT_LABEL_NORMAL, 60);
    add_event(&labels, 3, DETECT_LABEL_EXPECTED, 30);
    assert_int_equal(detect_labels_released(&labels, out, 2 * EVENT), EVENT);
    assert_int_equal(detect_labels_released(&labels, out, 6), 6);
    for (size_t i = 0; i < 6; i++)
        assert_memory_equal(out[i].x, labels.at[EVENT + 4 * i].row.x, sizeof out[i].x);
    assert_int_equal(detect_labels_released(&labels, out, 0), 0);
    detect_labels_release(&labels);
}

static void labels_come_back_from_their_bytes_or_not_at_all(void **state)
{
    struct detect_multivariate_config config = config_of_test(), other = config;
    struct detect_labels labels = {0}, read = {0};
    struct vd_writer w = {0};
    struct vd_reader r;

    (void)state;
    add_event(&labels, 9, DETECT_LABEL_ANOMALY, 90);
    detect_labels_save(&labels, &config, &w);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(detect_labels_load(&read, &config, &r, NULL), VD_OK);
    assert_int_equal(read.n, EVENT);
    assert_int_equal(read.at[4].event_id, 9);
    assert_int_equal(read.at[4].label, DETECT_LABEL_ANOMALY);
    assert_true(read.at[4].row.x[0] == labels.at[4].row.x[0]);
    assert_true(isnan(read.at[4].row.x[5]) && isnan(read.at[4].row.live[0]));
    for (size_t cut = 0; cut < w.size; cut += 7) {
        vd_reader_init(&r, w.at, cut);
        assert_int_not_equal(detect_labels_load(&read, &config, &r, NULL), VD_OK);
        assert_int_equal(read.n, EVENT);
    }
    other.n_columns = 2;
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(detect_labels_load(&read, &other, &r, NULL), VD_ERR_SCHEMA);
    vd_writer_release(&w);
    detect_labels_release(&labels);
    detect_labels_release(&read);
}

/* ---- taught ---- */

struct bench {
    detect_supervised *taught;
    struct detect_labels labels;
    struct vd_rng rng;
    int64_t mono_ns;
};

static void bench_open(struct bench *b, const vd_model *bundle)
{
    struct detect_multivariate_config config = config_of_test();

    *b = (struct bench){.mono_ns = 1};
    vd_rng_init(&b->rng, 1);
    assert_int_equal(detect_supervised_new(&b->taught, &config, bundle, NULL), VD_OK);
}

static void bench_close(struct bench *b)
{
    detect_supervised_free(b->taught);
    detect_labels_release(&b->labels);
}

static void train(struct bench *b)
{
    detect_supervised_job *job;

    assert_true(detect_supervised_due(b->taught, &b->labels, QUIET, b->mono_ns));
    job = detect_supervised_begin(b->taught, quiet_rows(&b->rng), QUIET, is_log,
                                  &b->labels, b->mono_ns);
    assert_non_null(job);
    detect_supervised_run(job);
    detect_supervised_end(b->taught, job);
    assert_false(detect_supervised_due(b->taught, &b->labels, QUIET, b->mono_ns));
}

static struct record_verdict verdict_on(const struct bench *b, double level)
{
    struct record_verdict verdict = {0};
    struct detect_multivariate_row row;
    struct vd_rng rng;

    vd_rng_init(&rng, 5);
    fill_row(row.x, &rng, level);
    detect_supervised_read(b->taught, &row, is_log, &verdict);
    return verdict;
}

static void without_labels_nothing_is_said(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, NULL);
    assert_false(detect_supervised_due(b.taught, &b.labels, QUIET, 1));
    assert_int_equal(verdict_on(&b, 10).n, 0);
    assert_int_equal(detect_supervised_ready(b.taught), 0);
    bench_close(&b);
}

static void one_class_is_not_enough(void **state)
{
    struct bench b;
    struct record_verdict verdict;

    (void)state;
    bench_open(&b, NULL);
    add_event(&b.labels, 1, DETECT_LABEL_NORMAL, 60);
    detect_supervised_changed(b.taught, false);
    train(&b);
    verdict = verdict_on(&b, 90);
    assert_int_equal(verdict.n, 4);
    for (size_t i = 0; i < verdict.n; i++)
        assert_false(verdict.detector[i].ready);
    bench_close(&b);
}

static const struct record_score *score_of(const struct record_verdict *verdict,
                                           const char *name)
{
    for (size_t i = 0; i < verdict->n; i++)
        if (strcmp(verdict->detector[i].name, name) == 0)
            return &verdict->detector[i];
    fail_msg("no verdict of %s", name);
    return NULL;
}

static void check_scores(const struct bench *b)
{
    struct record_verdict odd = verdict_on(b, 90), quiet = verdict_on(b, 10);
    struct record_verdict said = verdict_on(b, 50);

    for (size_t i = 0; i < odd.n; i++) {
        if (!odd.detector[i].ready)
            continue;
        /* n quiet rows know of nothing rarer than one in ten n. */
        assert_true(odd.detector[i].surprise > 1.5);
        assert_true(odd.detector[i].surprise <= log10(QUIET + 1) + 1 + 1e-9);
        assert_true(quiet.detector[i].surprise < odd.detector[i].surprise);
        assert_true(said.detector[i].raw < odd.detector[i].raw);
    }
}

/* The one without labels has had its say before. */
static void check_ensemble(const struct bench *b)
{
    struct record_verdict verdict = {.n = 1};
    struct vd_rng rng;
    struct detect_multivariate_row row;

    vd_rng_init(&rng, 5);
    fill_row(row.x, &rng, 90);
    verdict.detector[0] = (struct record_score){.name = "ensemble", .ready = true};
    detect_supervised_read(b->taught, &row, is_log, &verdict);
    assert_int_equal(verdict.n, 4);
    assert_true(verdict.detector[0].ready && verdict.detector[0].surprise > 0);
}

/* One test, since each training takes seconds where nothing is optimised. */
static void both_classes_make_them_ready_until_it_is_undone(void **state)
{
    struct bench b;
    struct record_verdict before, after;

    (void)state;
    bench_open(&b, NULL);
    add_event(&b.labels, 1, DETECT_LABEL_ANOMALY, 90);
    add_event(&b.labels, 2, DETECT_LABEL_EXPECTED, 50);
    detect_supervised_changed(b.taught, false);
    train(&b);
    assert_true(detect_supervised_ready(b.taught) >=
                3); /* XGBoost may not be installed */
    check_scores(&b);
    check_ensemble(&b);

    /* The agent goes on with what is said. */
    before = verdict_on(&b, 70);
    add_event(&b.labels, 3, DETECT_LABEL_NORMAL, 70);
    detect_supervised_changed(b.taught, false);
    train(&b);
    after = verdict_on(&b, 70);
    assert_true(score_of(&after, "agent")->raw < score_of(&before, "agent")->raw);
    after = verdict_on(&b, 95);
    assert_true(score_of(&after, "agent")->raw > 0);

    for (int64_t id = 1; id <= 3; id++)
        detect_labels_forget(&b.labels, id);
    detect_supervised_changed(b.taught, true);
    train(&b);
    assert_int_equal(detect_supervised_ready(b.taught), 0);
    assert_int_equal(verdict_on(&b, 90).n, 0);
    bench_close(&b);
}

/* ---- a bundle ---- */

/* An agent (or a forest without labels) on values as measured, in another order. */
static vd_model *bundle_of(const char *detector, const char *const names[3])
{
    /* Enough to know ninety from ten. */
    static const struct vd_setting brief[] = {{"updates", 60}};
    struct vd_fit_params params = vd_fit_params_default();
    struct vd_calibration calibration = {.n = 20};
    struct vd_matrix x = {0};
    uint8_t label[200] = {0};
    vd_detector *fitted = NULL;
    vd_model *model = NULL;
    struct vd_rng rng;

    vd_rng_init(&rng, 3);
    assert_int_equal(vd_matrix_init(&x, 200, 3), VD_OK);
    for (size_t i = 0; i < 200; i++) {
        double *row = vd_matrix_row(&x, i);

        label[i] = i % 10 == 0;
        row[0] = 40 + vd_rng_normal(&rng);
        row[1] = (label[i] ? 90 : 10) + 2 * vd_rng_normal(&rng);
        row[2] = expm1(0.5 + 0.1 * vd_rng_normal(&rng));
    }
    params.settings = brief;
    params.n_settings = strcmp(detector, "agent") == 0;
    assert_int_equal(vd_detector_fit(&fitted, detector, &x, label, &params, NULL), VD_OK);
    assert_int_equal(vd_model_new(&model, names, 3, NULL), VD_OK);
    assert_int_equal(vd_model_take(model, fitted, &calibration, 3, NULL), VD_OK);
    vd_matrix_release(&x);
    return model;
}

static const char *const bundle_columns[] = {"cpu_memory", "cpu_percent", "disk_read_mb"};

static void a_bundle_speaks_once_it_is_calibrated_here(void **state)
{
    vd_model *bundle = bundle_of("random_forest", bundle_columns);
    struct record_verdict odd, quiet;
    struct bench b;

    (void)state;
    bench_open(&b, bundle);
    odd = verdict_on(&b, 90);
    assert_false(score_of(&odd, "random_forest")->ready);
    train(&b);
    odd = verdict_on(&b, 90);
    quiet = verdict_on(&b, 10);
    assert_true(score_of(&odd, "random_forest")->ready);
    assert_true(score_of(&odd, "random_forest")->raw > 0.5);
    assert_true(score_of(&odd, "random_forest")->surprise > 2);
    assert_true(score_of(&quiet, "random_forest")->surprise < 1.31);
    assert_int_equal(odd.n, 1);
    bench_close(&b);
    vd_model_free(bundle);
}

static void a_bundles_agent_learns_and_unlearns(void **state)
{
    vd_model *bundle = bundle_of("agent", bundle_columns);
    struct record_verdict first, heard, undone;
    struct bench b;

    (void)state;
    bench_open(&b, bundle);
    train(&b);
    first = verdict_on(&b, 90);
    assert_true(score_of(&first, "agent")->raw > 0);
    add_event(&b.labels, 1, DETECT_LABEL_NORMAL, 90);
    detect_supervised_changed(b.taught, false);
    train(&b);
    heard = verdict_on(&b, 90);
    assert_true(score_of(&heard, "agent")->raw < score_of(&first, "agent")->raw);
    detect_labels_forget(&b.labels, 1);
    detect_supervised_changed(b.taught, true);
    train(&b);
    undone = verdict_on(&b, 90);
    assert_double_equal(score_of(&undone, "agent")->raw, score_of(&first, "agent")->raw,
                        0);
    bench_close(&b);
    vd_model_free(bundle);
}

static void a_bundle_that_does_not_fit_is_refused(void **state)
{
    static const char *const foreign[] = {"cpu_memory", "cpu_percent", "heartbeats"};
    struct detect_multivariate_config config = config_of_test();
    vd_model *other = bundle_of("random_forest", foreign);
    vd_model *unlabelled = bundle_of("isolation_forest", bundle_columns);
    detect_supervised *taught = NULL;
    struct vd_error err = {0};

    (void)state;
    assert_int_equal(detect_supervised_new(&taught, &config, other, &err), VD_ERR_SCHEMA);
    assert_non_null(strstr(err.text, "heartbeats"));
    assert_null(taught);
    vd_error_clear(&err);
    assert_int_equal(detect_supervised_new(&taught, &config, unlabelled, &err),
                     VD_ERR_ARGUMENT);
    assert_null(taught);
    vd_model_free(other);
    vd_model_free(unlabelled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_of_an_event_come_and_go_together),
        cmocka_unit_test(labels_are_bounded),
        cmocka_unit_test(released_rows_are_spread_and_normal),
        cmocka_unit_test(labels_come_back_from_their_bytes_or_not_at_all),
        cmocka_unit_test(without_labels_nothing_is_said),
        cmocka_unit_test(one_class_is_not_enough),
        cmocka_unit_test(both_classes_make_them_ready_until_it_is_undone),
        cmocka_unit_test(a_bundle_speaks_once_it_is_calibrated_here),
        cmocka_unit_test(a_bundles_agent_learns_and_unlearns),
        cmocka_unit_test(a_bundle_that_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
