/* src/detect: the multivariate layer, by itself and together with the univariate layer.
 */
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "detect/detect.h"
#include "detect/multivariate_model.h"
#include "schema_fixture.h"
#include "vedette/rng.h"

/* ---- multivariate layer ---- */

struct bench {
    struct record_schema schema;
    detect_multivariate *host;
    struct vd_rng rng;
    struct record_verdict verdict;
};

static void bench_init(struct bench *b)
{
    static const char *const detectors[] = {"isolation_forest", "one_class_svm", "lof",
                                            "pca", "mahalanobis"};
    struct detect_multivariate_config config = detect_multivariate_config_default();

    config.detector = detectors;
    config.n_detectors = sizeof detectors / sizeof *detectors;
    make_schema(&b->schema);
    vd_rng_init(&b->rng, 11);
    assert_int_equal(detect_multivariate_new(&b->host, &config), VD_OK);
}

static void read_values(struct bench *b, const double value[METRICS],
                        const double live[DETECT_LIVE])
{
    b->verdict = (struct record_verdict){0};
    detect_multivariate_read(b->host, &b->schema, value, live, &b->verdict);
}

static void read_row(struct bench *b, double cpu, double memory)
{
    double value[METRICS] = {cpu, memory, NAN, 0.1, 50, 50};
    double live[DETECT_LIVE] = {fabs(cpu - 10) / 2, NAN};

    read_values(b, value, live);
}

static void learn(struct bench *b, int n)
{
    for (int i = 0; i < n; i++) {
        read_row(b, 10 + 2 * vd_rng_normal(&b->rng), 40 + vd_rng_normal(&b->rng));
        detect_multivariate_learn(b->host);
    }
}

static void train_with(struct bench *b, const struct detect_multivariate_row *more,
                       size_t n_more)
{
    detect_multivariate_job *job = detect_multivariate_train_begin(b->host, more, n_more);

    assert_non_null(job);
    detect_multivariate_train_run(job);
    assert_int_equal(detect_multivariate_train_end(b->host, job, NULL), VD_OK);
}

static void train(struct bench *b)
{
    train_with(b, NULL, 0);
}

static void bench_release(struct bench *b)
{
    detect_multivariate_free(b->host);
    record_schema_release(&b->schema);
}

static double surprise_of(const struct bench *b, const char *name)
{
    for (size_t i = 0; i < b->verdict.n; i++)
        if (strcmp(b->verdict.detector[i].name, name) == 0)
            return b->verdict.detector[i].surprise;
    return NAN;
}

static void host_says_nothing_before_it_has_learned(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    learn(&b, 5);
    assert_null(detect_multivariate_train_begin(b.host, NULL, 0));
    assert_int_equal(b.verdict.n, 0);
    bench_release(&b);
}

static void host_finds_the_runaway_and_trusts_more_data_more(void **state)
{
    struct bench b;
    double confidence;

    (void)state;
    bench_init(&b);
    learn(&b, 60);
    train(&b);
    confidence = detect_multivariate_confidence(b.host);
    assert_true(confidence > 0 && confidence < 0.6);
    read_row(&b, 10, 40);
    assert_true(surprise_of(&b, "isolation_forest") < 1);
    assert_true(isnan(surprise_of(&b, "metric_layer")));
    read_row(&b, 95, 40);
    assert_true(surprise_of(&b, "robust_z") > 5);
    assert_true(surprise_of(&b, "isolation_forest") > 1);
    learn(&b, 3000);
    train(&b);
    read_row(&b, 95, 40);
    assert_true(surprise_of(&b, "robust_z") > 5);
    assert_true(detect_multivariate_confidence(b.host) > confidence);
    bench_release(&b);
}

static void *run_job(void *job)
{
    detect_multivariate_train_run(job);
    return NULL;
}

/* With this share of a core a training would take days. */
static void a_training_rests_until_somebody_waits(void **state)
{
    struct vd_writer calm = {0}, fast = {0};
    detect_multivariate_job *job;
    struct bench b;
    pthread_t thread;

    (void)state;
    bench_init(&b);
    learn(&b, 300);
    train(&b);
    detect_multivariate_save(b.host, &fast);
    job = detect_multivariate_train_begin(b.host, NULL, 0);
    detect_multivariate_train_calmly(job, 1e-7);
    assert_int_equal(pthread_create(&thread, NULL, run_job, job), 0);
    detect_multivariate_train_hurry(job);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(detect_multivariate_train_end(b.host, job, NULL), VD_OK);
    detect_multivariate_save(b.host, &calm);
    assert_int_equal(calm.size, fast.size);
    assert_memory_equal(calm.at, fast.at, fast.size);
    vd_writer_release(&calm);
    vd_writer_release(&fast);
    bench_release(&b);
}

/* A temperature that hangs on the load, memory that hardly moves, writes in bursts: a
 * model of a hundred seconds must see a processor that runs away all the same. */
static void read_busy_row(struct bench *b, int i, double cpu)
{
    double value[METRICS] = {cpu,
                             22 + 0.08 * vd_rng_normal(&b->rng),
                             40 + 0.55 * cpu + 0.3 * vd_rng_normal(&b->rng),
                             i % 31 < 4 ? 8 + vd_rng_uniform(&b->rng) : 0,
                             50,
                             50};
    double live[DETECT_LIVE] = {NAN, NAN};

    read_values(b, value, live);
}

static void every_detector_sees_the_runaway_early(void **state)
{
    static const char *const name[] = {"lof", "pca", "mahalanobis", "windowed_pca"};
    static const double least[] = {10, 5, 10, 10};
    struct bench b;

    (void)state;
    bench_init(&b);
    for (int i = 0; i < 100; i++) {
        read_busy_row(&b, i, 19 + 2 * vd_rng_normal(&b.rng));
        detect_multivariate_learn(b.host);
    }
    train(&b);
    read_busy_row(&b, 100, 21);
    for (size_t k = 0; k < sizeof name / sizeof *name; k++)
        assert_true(surprise_of(&b, name[k]) < 3);
    read_busy_row(&b, 101, 85);
    for (size_t k = 0; k < sizeof name / sizeof *name; k++)
        assert_true(surprise_of(&b, name[k]) > least[k]);
    bench_release(&b);
}

/* A machine at rest: the load comes in steps of what one tick of a core is, memory hardly
 * moves, now and then something is written. */
static void read_idle_row(struct bench *b)
{
    double value[METRICS] = {0.5 * floor(4 * pow(vd_rng_uniform(&b->rng), 3)),
                             1.7 + 0.01 * vd_rng_normal(&b->rng),
                             NAN,
                             vd_rng_uniform(&b->rng) < 0.1 ? 0.03 : 0,
                             50,
                             50};
    double live[DETECT_LIVE] = {NAN, NAN};

    read_values(b, value, live);
}

/* A surprise of 2 is passed by one quiet row in a hundred, at most. */
static void a_machine_at_rest_surprises_no_more_than_said(void **state)
{
    enum { GENERATIONS = 5, ROWS = 5000 };
    size_t high[RECORD_DETECTORS_MAX] = {0};
    struct bench b;

    (void)state;
    bench_init(&b);
    for (int generation = 0; generation < GENERATIONS; generation++) {
        for (int i = 0; i < 300; i++) {
            read_idle_row(&b);
            detect_multivariate_learn(b.host);
        }
        train(&b);
        for (int i = 0; i < ROWS; i++) {
            read_idle_row(&b);
            for (size_t k = 0; k < b.verdict.n; k++)
                high[k] += b.verdict.detector[k].surprise >= 2;
        }
    }
    for (size_t k = 0; k < b.verdict.n; k++)
        assert_in_range(high[k], 0, GENERATIONS * ROWS / 100);
    bench_release(&b);
}

/* Load and memory each go up and down once in 40 s as they always did, but no longer
 * together: no row is out of place, the order of the rows is. */
static void windowed_pca_sees_what_no_row_shows(void **state)
{
    const double turn = 2 * 3.14159265358979 / 40;
    struct bench b;

    (void)state;
    bench_init(&b);
    for (int i = 0; i < 600; i++) {
        read_row(&b, 40 + 30 * sin(turn * i) + vd_rng_normal(&b.rng),
                 40 + 30 * cos(turn * i) + vd_rng_normal(&b.rng));
        detect_multivariate_learn(b.host);
    }
    train(&b);
    for (int i = 600; i < 620; i++)
        read_row(&b, 40 + 30 * sin(turn * i), 40 + 30 * cos(turn * i));
    assert_true(surprise_of(&b, "windowed_pca") < 2);
    for (int i = 620; i < 640; i++)
        read_row(&b, 40 + 30 * sin(-turn * i), 40 + 30 * cos(-turn * i));
    assert_true(surprise_of(&b, "windowed_pca") > 5);
    assert_true(surprise_of(&b, "pca") < 2 && surprise_of(&b, "lof") < 2 &&
                surprise_of(&b, "mahalanobis") < 2);
    detect_multivariate_gap(b.host);
    for (int i = 0; i < DETECT_MULTIVARIATE_TICKS; i++) {
        assert_true(isnan(surprise_of(&b, "windowed_pca")) == (i > 0));
        read_row(&b, 40, 70);
    }
    assert_false(isnan(surprise_of(&b, "windowed_pca")));
    bench_release(&b);
}

static bool has_windows(struct bench *b)
{
    for (int i = 0; i < DETECT_MULTIVARIATE_TICKS; i++)
        read_row(b, 10, 40);
    return !isnan(surprise_of(b, "windowed_pca"));
}

static void only_rows_that_follow_each_other_make_a_window(void **state)
{
    struct detect_multivariate_row more[30] = {0};
    struct vd_writer w = {0};
    struct vd_reader r;
    struct bench b, c, torn;

    (void)state;
    bench_init(&b);
    bench_init(&c);
    bench_init(&torn);
    learn(&b, 300);
    detect_multivariate_save(b.host, &w);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(detect_multivariate_load(c.host, &r, NULL), VD_OK);
    train(&c);
    assert_true(has_windows(&c));
    /* A tenth of rows from elsewhere does not tear them all. */
    for (size_t i = 0; i < 30; i++)
        more[i] = *detect_multivariate_row(b.host);
    for (size_t i = 0; i < 30; i++)
        more[i].follows = false;
    train_with(&b, more, 30);
    assert_true(has_windows(&b));
    for (int i = 0; i < 300; i++) {
        learn(&torn, 1);
        if (i % 2 == 0)
            detect_multivariate_gap(torn.host);
        else
            read_row(&torn, 90, 40);
    }
    train(&torn);
    assert_false(has_windows(&torn));
    assert_false(isnan(surprise_of(&torn, "pca")));
    vd_writer_release(&w);
    bench_release(&b);
    bench_release(&c);
    bench_release(&torn);
}

/* ---- both layers ---- */

struct course {
    struct record_schema schema;
    detect_set *set;
    struct vd_rng rng;
    int64_t time_ns, mono_ns;
    struct record_verdict verdict;
};

static void tick(struct course *c, double wall_s, double mono_s)
{
    double value[METRICS] = {
        10 + 2 * vd_rng_normal(&c->rng), 40 + vd_rng_normal(&c->rng), NAN, 0.1, 50, 50};

    c->time_ns += (int64_t)(wall_s * 1e9);
    c->mono_ns += (int64_t)(mono_s * 1e9);
    detect_set_read(c->set, &c->schema, value, c->time_ns, c->mono_ns, 5, &c->verdict);
    detect_set_learn(c->set, value);
}

static bool windowed_is_ready(const struct course *c)
{
    for (size_t i = 0; i < c->verdict.n; i++)
        if (c->verdict.detector[i].name == detect_multivariate_windowed_name)
            return c->verdict.detector[i].ready;
    return false;
}

static void a_gap_begins_new_windows(void **state)
{
    static const char *const detectors[] = {"pca"};
    struct detect_config config = detect_config_default();
    struct course c = {.time_ns = 1700000000 * SECOND, .mono_ns = 7 * SECOND};
    detect_multivariate_job *job;
    /* Late but next; a sample left out; asleep; the clock set back; the clock set on. */
    static const struct {
        double wall_s, mono_s;
        bool gap;
    } step[] = {
        {1.4, 1.4, false}, {2, 2, true}, {3600, 1, true}, {-60, 1, true}, {60, 1, true}};

    (void)state;
    config.multivariate.detector = detectors;
    config.multivariate.n_detectors = 1;
    make_schema(&c.schema);
    vd_rng_init(&c.rng, 5);
    assert_int_equal(detect_set_new(&c.set, &config, NULL), VD_OK);
    for (int i = 0; i < 120; i++)
        tick(&c, 1, 1);
    job = detect_set_training_begin(c.set, c.mono_ns);
    assert_non_null(job);
    detect_multivariate_train_run(job);
    assert_int_equal(detect_set_training_end(c.set, job, NULL), VD_OK);
    for (size_t k = 0; k < sizeof step / sizeof *step; k++) {
        for (int i = 0; i < DETECT_MULTIVARIATE_TICKS; i++)
            tick(&c, 1, 1);
        assert_true(windowed_is_ready(&c));
        tick(&c, step[k].wall_s, step[k].mono_s);
        assert_int_equal(windowed_is_ready(&c), !step[k].gap);
    }
    detect_set_free(c.set);
    record_schema_release(&c.schema);
}

static enum vd_status load_set(const struct record_schema *schema, const uint8_t *at,
                               size_t size)
{
    struct detect_config config = detect_config_default();
    struct vd_reader r;
    enum vd_status status;
    detect_set *set;

    assert_int_equal(detect_set_new(&set, &config, NULL), VD_OK);
    vd_reader_init(&r, at, size);
    status = detect_set_load(set, schema, &r, NULL);
    assert_true(status != VD_OK || r.left == 0);
    detect_set_free(set);
    return status;
}

/* The parts stand one after the other, each behind its size. */
static void what_a_set_saved_is_whole_or_refused(void **state)
{
    struct detect_config config = detect_config_default();
    struct course c = {.time_ns = 1700000000 * SECOND, .mono_ns = 7 * SECOND};
    struct vd_writer w = {0};
    size_t sizes = 0;

    (void)state;
    make_schema(&c.schema);
    vd_rng_init(&c.rng, 5);
    assert_int_equal(detect_set_new(&c.set, &config, NULL), VD_OK);
    for (int i = 0; i < 120; i++)
        tick(&c, 1, 1);
    detect_set_save(c.set, &c.schema, &w);
    assert_int_equal(load_set(&c.schema, w.at, w.size), VD_OK);
    for (size_t cut = 0; cut < w.size; cut += 1 + w.size / 60)
        assert_int_not_equal(load_set(&c.schema, w.at, cut), VD_OK);
    assert_int_equal(load_set(&c.schema, w.at, w.size - 1), VD_ERR_FORMAT);
    for (size_t i = 0; i + 8 <= w.size; i++) {
        uint64_t size;

        memcpy(&size, w.at + i, sizeof size);
        if (size != w.size - i - 8)
            continue;
        sizes++;
        size++;
        memcpy(w.at + i, &size, sizeof size);
        assert_int_equal(load_set(&c.schema, w.at, w.size), VD_ERR_FORMAT);
        size = UINT64_MAX;
        memcpy(w.at + i, &size, sizeof size);
        assert_int_equal(load_set(&c.schema, w.at, w.size), VD_ERR_FORMAT);
    }
    assert_int_equal(sizes, 1);
    vd_writer_release(&w);
    detect_set_free(c.set);
    record_schema_release(&c.schema);
}

static void a_row_is_nearer_to_what_it_is_like(void **state)
{
    double ours[DETECT_MULTIVARIATE_COLUMNS], theirs[DETECT_MULTIVARIATE_COLUMNS];
    struct detect_multivariate_row row[3], none = {0};
    struct bench b;
    size_t n;
    struct detect_multivariate_row *window;

    (void)state;
    bench_init(&b);
    learn(&b, 200);
    window = detect_multivariate_window(b.host, NULL, 0, &n);
    assert_int_equal(n, 200);
    for (int i = 0; i < 3; i++) {
        read_row(&b, 84 + i, 40);
        row[i] = *detect_multivariate_row(b.host);
    }
    assert_int_equal(detect_multivariate_middle(window, n, ours), VD_OK);
    assert_int_equal(detect_multivariate_middle(row, 3, theirs), VD_OK);
    assert_true(theirs[0] == 85 && fabs(ours[0] - 10) < 1);
    for (size_t i = 0; i < n; i++)
        assert_false(detect_multivariate_is_nearer(&window[i], ours, theirs));
    read_row(&b, 70, 41);
    assert_true(
        detect_multivariate_is_nearer(detect_multivariate_row(b.host), ours, theirs));
    read_row(&b, 20, 90);
    assert_false(
        detect_multivariate_is_nearer(detect_multivariate_row(b.host), ours, theirs));
    assert_false(detect_multivariate_is_nearer(&none, ours, ours));
    free(window);
    bench_release(&b);
}

static void host_comes_back_from_its_bytes(void **state)
{
    struct vd_writer w = {0};
    struct vd_reader r;
    struct bench b, c;
    double expected;

    (void)state;
    bench_init(&b);
    bench_init(&c);
    learn(&b, 300);
    train(&b);
    detect_multivariate_save(b.host, &w);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(detect_multivariate_load(c.host, &r, NULL), VD_OK);
    assert_int_equal(detect_multivariate_rows(c.host), 300);
    read_row(&b, 33, 44);
    read_row(&c, 33, 44);
    expected = surprise_of(&b, "isolation_forest");
    assert_double_equal(surprise_of(&c, "isolation_forest"), expected, 0);
    for (int i = 0; i < DETECT_MULTIVARIATE_TICKS; i++) {
        read_row(&b, 10 + i, 44);
        read_row(&c, 10 + i, 44);
    }
    assert_false(isnan(surprise_of(&b, "windowed_pca")));
    assert_double_equal(surprise_of(&c, "windowed_pca"), surprise_of(&b, "windowed_pca"),
                        0);
    for (size_t cut = 0; cut < w.size; cut += 1 + w.size / 200) {
        vd_reader_init(&r, w.at, cut);
        assert_int_not_equal(detect_multivariate_load(c.host, &r, NULL), VD_OK);
    }
    read_row(&c, 33, 44);
    assert_double_equal(surprise_of(&c, "isolation_forest"), expected, 0);
    vd_writer_release(&w);
    bench_release(&b);
    bench_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_says_nothing_before_it_has_learned),
        cmocka_unit_test(host_finds_the_runaway_and_trusts_more_data_more),
        cmocka_unit_test(a_training_rests_until_somebody_waits),
        cmocka_unit_test(every_detector_sees_the_runaway_early),
        cmocka_unit_test(a_machine_at_rest_surprises_no_more_than_said),
        cmocka_unit_test(windowed_pca_sees_what_no_row_shows),
        cmocka_unit_test(only_rows_that_follow_each_other_make_a_window),
        cmocka_unit_test(a_gap_begins_new_windows),
        cmocka_unit_test(what_a_set_saved_is_whole_or_refused),
        cmocka_unit_test(a_row_is_nearer_to_what_it_is_like),
        cmocka_unit_test(host_comes_back_from_its_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
