/* src/detect: rules, baselines, silence and the host layer. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/baseline.h"
#include "detect/detect.h"
#include "detect/host_model.h"
#include "detect/rules.h"
#include "detect/silence.h"
#include "vedette/rng.h"

static const int64_t SECOND = 1000000000;

static const struct record_metric rows[] = {
    {.name = "cpu_percent", .unit = "%", .core = true},
    {.name = "cpu_memory", .unit = "%", .core = true},
    {.name = "cpu_temp", .unit = "C", .core = true},
    {.name = "disk_write_mb", .unit = "MB/s"},
    {.name = "filesystem_percent", .unit = "%", .label_key = "mount"},
};

enum { CPU, MEMORY, TEMP, WRITE, ROOT, HOME, METRICS };

static void make_schema(struct record_schema *schema)
{
    *schema = (struct record_schema){0};
    for (int i = 0; i < ROOT; i++)
        record_schema_add(schema, &rows[i], NULL);
    record_schema_add(schema, &rows[ROOT], "/");
    record_schema_add(schema, &rows[ROOT], "/home");
}

/* ---- rules ---- */

static void rules_are_parsed_with_all_their_words(void **state)
{
    struct detect_rule rule;
    struct vd_error err = {0};

    (void)state;
    assert_int_equal(detect_rule_parse(&rule, "cpu_percent > 90 for 30s critical", &err),
                     0);
    assert_string_equal(rule.metric, "cpu_percent");
    assert_true(rule.above && rule.value == 90 && rule.for_s == 30);
    assert_int_equal(rule.severity, RECORD_CRITICAL);
    assert_int_equal(detect_rule_parse(&rule, "memory_available_gb<0.5", &err), 0);
    assert_true(!rule.above && rule.value == 0.5 && rule.for_s == 0);
    assert_int_equal(rule.severity, RECORD_HIGH);
    assert_int_equal(detect_rule_parse(&rule, "cpu_percent > 90%", &err), 0);
}

static void bad_rules_are_refused_with_the_place(void **state)
{
    static const char *const bad[] = {
        "",
        "> 5",
        "cpu_percent",
        "cpu_percent = 5",
        "cpu_percent > high",
        "cpu_percent > 5 for",
        "cpu_percent > 5 for ever",
        "cpu_percent > 5 terrible",
        "cpu_percent > nan",
        "cpu_percent > 5x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct detect_rule rule;
        struct vd_error err = {0};

        assert_int_equal(detect_rule_parse(&rule, bad[i], &err), VD_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, bad[i]));
        assert_int_not_equal(err.hint[0], '\0');
    }
}

static void rule_fires_after_its_time_and_names_the_worst(void **state)
{
    double value[METRICS] = {10, 10, NAN, 0, 96, 99};
    struct detect_rule_hit hit[DETECT_RULES_MAX];
    struct detect_rules rules = {0};
    struct record_schema schema;
    struct detect_rule rule;

    (void)state;
    make_schema(&schema);
    detect_rule_parse(&rule, "filesystem_percent > 95 for 5s", NULL);
    assert_int_equal(detect_rules_add(&rules, &rule), VD_OK);
    assert_int_equal(detect_rules_check(&rules, &schema, value, 1 * SECOND, hit), 0);
    assert_int_equal(detect_rules_check(&rules, &schema, value, 5 * SECOND, hit), 0);
    assert_int_equal(detect_rules_check(&rules, &schema, value, 6 * SECOND, hit), 1);
    assert_int_equal(hit[0].metric, HOME);
    value[ROOT] = value[HOME] = NAN;
    assert_int_equal(detect_rules_check(&rules, &schema, value, 7 * SECOND, hit), 0);
    value[ROOT] = 97;
    assert_int_equal(detect_rules_check(&rules, &schema, value, 8 * SECOND, hit), 0);
    record_schema_release(&schema);
}

static void rule_is_news_once_an_hour(void **state)
{
    double value[METRICS] = {10, 10, NAN, 0, 96, 99};
    struct detect_rule_hit hit[DETECT_RULES_MAX];
    struct detect_rules rules = {0};
    struct record_schema schema;
    struct detect_rule rule;

    (void)state;
    make_schema(&schema);
    detect_rule_parse(&rule, "filesystem_percent > 95", NULL);
    detect_rules_add(&rules, &rule);
    assert_int_equal(detect_rules_check(&rules, &schema, value, 1 * SECOND, hit), 1);
    assert_true(detect_rules_news(&rules, hit, 1, 1 * SECOND));
    detect_rules_told(&rules, hit, 1, 1 * SECOND);
    assert_false(detect_rules_news(&rules, hit, 1, 3600 * SECOND));
    assert_true(detect_rules_news(&rules, hit, 1, 3601 * SECOND));
    detect_rule_parse(&rule, "filesystem_percent > 98", NULL);
    detect_rules_add(&rules, &rule);
    assert_int_equal(detect_rules_check(&rules, &schema, value, 9 * SECOND, hit), 2);
    assert_true(detect_rules_news(&rules, hit, 2, 9 * SECOND));
    assert_false(detect_rules_news(&rules, hit, 0, 9 * SECOND));
    record_schema_release(&schema);
}

/* ---- baseline ---- */

static void z_has_a_floor_that_keeps_small_moves_small(void **state)
{
    double value[METRICS] = {0.1, 40, NAN, 0, 50, 50};
    struct detect_baseline b = {0};
    struct record_schema schema;

    (void)state;
    make_schema(&schema);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(detect_baseline_read(&b, &schema, value), VD_OK);
        detect_baseline_learn(&b, value);
    }
    value[CPU] = 0.9;
    value[WRITE] = 80;
    detect_baseline_read(&b, &schema, value);
    assert_true(b.z[CPU] < 1);
    assert_double_equal(b.z[WRITE], 80, 1e-6);
    assert_true(isnan(b.z[TEMP]));
    assert_double_equal(b.expected[MEMORY], 40, 1e-6);
    detect_baseline_release(&b);
    record_schema_release(&schema);
}

static void a_number_nobody_knows_has_no_floor_of_its_own(void **state)
{
    static const struct record_metric metric[] = {
        {.name = "load_1", .unit = ""},       {.name = "threads", .unit = ""},
        {.name = "volume_flow", .unit = ""},  {.name = "disk_read_ops", .unit = "1/s"},
        {.name = "gpu_memory", .unit = "%"},  {.name = "cpu_percent", .unit = "%"},
        {.name = "oom_kills", .unit = "1/s"},
    };
    static const double at_0[] = {0.25, 5, 0, 100, 0.75, 2, 0.1};
    static const double at_1000[] = {100, 100, 10, 100, 0.75, 2, 100};

    (void)state;
    for (size_t i = 0; i < sizeof metric / sizeof *metric; i++) {
        assert_double_equal(detect_sigma_floor(&metric[i], 0), at_0[i], 1e-12);
        assert_double_equal(detect_sigma_floor(&metric[i], 1000), at_1000[i], 1e-9);
    }
}

/* An acceleration is 0 in the middle: there nothing is small, and nothing matters more
 * than it is unusual. */
static void without_a_floor_what_is_unusual_matters(void **state)
{
    static const struct record_metric metric = {.name = "acceleration", .unit = ""};
    struct detect_baseline b = {0};
    struct record_schema schema = {0};
    struct vd_rng rng;
    double value = 0;

    (void)state;
    record_schema_add(&schema, &metric, NULL);
    vd_rng_init(&rng, 2);
    for (int i = 0; i < 201; i++) {
        value = 0.01 * vd_rng_normal(&rng);
        detect_baseline_read(&b, &schema, &value);
        detect_baseline_learn(&b, &value);
    }
    value = 0.005;
    detect_baseline_read(&b, &schema, &value);
    assert_true(detect_baseline_weight(&b, &schema, &value) < 3);
    value = 1;
    detect_baseline_read(&b, &schema, &value);
    assert_true(detect_baseline_weight(&b, &schema, &value) > 20);
    detect_baseline_release(&b);
    record_schema_release(&schema);
}

static void baseline_survives_saving(void **state)
{
    double value[METRICS] = {5, 40, 50, 0, 50, 50};
    struct detect_baseline b = {0}, c = {0};
    struct record_schema schema;
    struct vd_writer w = {0};
    struct vd_reader r;

    (void)state;
    make_schema(&schema);
    for (int i = 0; i < 100; i++) {
        detect_baseline_read(&b, &schema, value);
        detect_baseline_learn(&b, value);
    }
    detect_baseline_save(&b, &schema, &w);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(detect_baseline_load(&c, &schema, &r, NULL), VD_OK);
    detect_baseline_read(&c, &schema, value);
    assert_double_equal(c.expected[CPU], 5, 0);
    for (size_t cut = 0; cut < w.size; cut += 97) {
        struct detect_baseline d = {0};

        vd_reader_init(&r, w.at, cut);
        detect_baseline_load(&d, &schema, &r, NULL);
        detect_baseline_release(&d);
    }
    vd_writer_release(&w);
    detect_baseline_release(&b);
    detect_baseline_release(&c);
    record_schema_release(&schema);
}

/* ---- silence ---- */

static void silence_hears_what_stopped_and_what_froze(void **state)
{
    double value[METRICS] = {1, 1, 50, 1, 1, 1};
    struct detect_silence s = {.interval_s = 1};
    struct detect_silence_hit hit;
    struct record_schema schema;
    int64_t now = 0;

    (void)state;
    make_schema(&schema);
    for (int i = 0; i < 100; i++) {
        value[TEMP] = 50 + i % 3;
        assert_false(detect_silence_check(&s, &schema, value, now += SECOND, &hit));
    }
    /* An unplugged file system is no incident, a metric without a label is. */
    value[HOME] = NAN;
    for (int i = 0; i < 60; i++) {
        value[TEMP] = 50 + i % 3;
        assert_false(detect_silence_check(&s, &schema, value, now += SECOND, &hit));
    }
    value[CPU] = NAN;
    for (int i = 0; i < 10; i++) {
        value[TEMP] = 50 + i % 3;
        assert_false(detect_silence_check(&s, &schema, value, now += SECOND, &hit));
    }
    assert_true(detect_silence_check(&s, &schema, value, now += SECOND, &hit));
    assert_int_equal(hit.kind, DETECT_SILENCE_GONE);
    assert_int_equal(hit.metric, CPU);
    value[CPU] = 1;
    for (int i = 0; i < 598; i++)
        assert_false(detect_silence_check(&s, &schema, value, now += SECOND, &hit));
    while (!detect_silence_check(&s, &schema, value, now += SECOND, &hit))
        assert_true(now < 10000 * SECOND);
    assert_int_equal(hit.kind, DETECT_SILENCE_FROZEN);
    assert_int_equal(hit.metric, TEMP);
    value[TEMP] = 51;
    assert_true(detect_silence_check(&s, &schema, value, now += 300 * SECOND, &hit));
    assert_int_equal(hit.kind, DETECT_SILENCE_GAP);
    detect_silence_release(&s);
    record_schema_release(&schema);
}

/* ---- host layer ---- */

struct bench {
    struct record_schema schema;
    detect_host *host;
    struct vd_rng rng;
    struct record_verdict verdict;
};

static void bench_init(struct bench *b)
{
    static const char *const detectors[] = {"isolation_forest", "one_class_svm", "lof",
                                            "pca", "mahalanobis"};
    struct host_config config = host_config_default();

    config.detector = detectors;
    config.n_detectors = sizeof detectors / sizeof *detectors;
    make_schema(&b->schema);
    vd_rng_init(&b->rng, 11);
    assert_int_equal(detect_host_new(&b->host, &config), VD_OK);
}

static void read_values(struct bench *b, const double value[METRICS],
                        const double live[HOST_LIVE])
{
    b->verdict = (struct record_verdict){0};
    detect_host_read(b->host, &b->schema, value, live, &b->verdict);
}

static void read_row(struct bench *b, double cpu, double memory)
{
    double value[METRICS] = {cpu, memory, NAN, 0.1, 50, 50};
    double live[HOST_LIVE] = {fabs(cpu - 10) / 2, NAN};

    read_values(b, value, live);
}

static void learn(struct bench *b, int n)
{
    for (int i = 0; i < n; i++) {
        read_row(b, 10 + 2 * vd_rng_normal(&b->rng), 40 + vd_rng_normal(&b->rng));
        detect_host_learn(b->host);
    }
}

static void train_with(struct bench *b, const struct host_row *more, size_t n_more)
{
    host_job *job = detect_host_train_begin(b->host, more, n_more);

    assert_non_null(job);
    detect_host_train_run(job);
    assert_int_equal(detect_host_train_end(b->host, job, NULL), VD_OK);
}

static void train(struct bench *b)
{
    train_with(b, NULL, 0);
}

static void bench_release(struct bench *b)
{
    detect_host_free(b->host);
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
    assert_null(detect_host_train_begin(b.host, NULL, 0));
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
    confidence = detect_host_confidence(b.host);
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
    assert_true(detect_host_confidence(b.host) > confidence);
    bench_release(&b);
}

static void *run_job(void *job)
{
    detect_host_train_run(job);
    return NULL;
}

/* With this share of a core a training would take days. */
static void a_training_rests_until_somebody_waits(void **state)
{
    struct vd_writer calm = {0}, fast = {0};
    host_job *job;
    struct bench b;
    pthread_t thread;

    (void)state;
    bench_init(&b);
    learn(&b, 300);
    train(&b);
    detect_host_save(b.host, &fast);
    job = detect_host_train_begin(b.host, NULL, 0);
    detect_host_train_calmly(job, 1e-7);
    assert_int_equal(pthread_create(&thread, NULL, run_job, job), 0);
    detect_host_train_hurry(job);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(detect_host_train_end(b.host, job, NULL), VD_OK);
    detect_host_save(b.host, &calm);
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
    double live[HOST_LIVE] = {NAN, NAN};

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
        detect_host_learn(b.host);
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
    double live[HOST_LIVE] = {NAN, NAN};

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
            detect_host_learn(b.host);
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
        detect_host_learn(b.host);
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
    detect_host_gap(b.host);
    for (int i = 0; i < HOST_TICKS; i++) {
        assert_true(isnan(surprise_of(&b, "windowed_pca")) == (i > 0));
        read_row(&b, 40, 70);
    }
    assert_false(isnan(surprise_of(&b, "windowed_pca")));
    bench_release(&b);
}

static bool has_windows(struct bench *b)
{
    for (int i = 0; i < HOST_TICKS; i++)
        read_row(b, 10, 40);
    return !isnan(surprise_of(b, "windowed_pca"));
}

static void only_rows_that_follow_each_other_make_a_window(void **state)
{
    struct host_row more[30] = {0};
    struct vd_writer w = {0};
    struct vd_reader r;
    struct bench b, c, torn;

    (void)state;
    bench_init(&b);
    bench_init(&c);
    bench_init(&torn);
    learn(&b, 300);
    detect_host_save(b.host, &w);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(detect_host_load(c.host, &r, NULL), VD_OK);
    train(&c);
    assert_true(has_windows(&c));
    /* A tenth of rows from elsewhere does not tear them all. */
    for (size_t i = 0; i < 30; i++)
        more[i] = *detect_host_row(b.host);
    for (size_t i = 0; i < 30; i++)
        more[i].follows = false;
    train_with(&b, more, 30);
    assert_true(has_windows(&b));
    for (int i = 0; i < 300; i++) {
        learn(&torn, 1);
        if (i % 2 == 0)
            detect_host_gap(torn.host);
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
        if (c->verdict.detector[i].name == host_windowed_name)
            return c->verdict.detector[i].ready;
    return false;
}

static void a_gap_begins_new_windows(void **state)
{
    static const char *const detectors[] = {"pca"};
    struct detect_config config = detect_config_default();
    struct course c = {.time_ns = 1700000000 * SECOND, .mono_ns = 7 * SECOND};
    host_job *job;
    /* Late but next; a sample left out; asleep; the clock set back; the clock set on. */
    static const struct {
        double wall_s, mono_s;
        bool gap;
    } step[] = {
        {1.4, 1.4, false}, {2, 2, true}, {3600, 1, true}, {-60, 1, true}, {60, 1, true}};

    (void)state;
    config.host.detector = detectors;
    config.host.n_detectors = 1;
    make_schema(&c.schema);
    vd_rng_init(&c.rng, 5);
    assert_int_equal(detect_set_new(&c.set, &config, NULL), VD_OK);
    for (int i = 0; i < 120; i++)
        tick(&c, 1, 1);
    job = detect_set_training_begin(c.set, c.mono_ns);
    assert_non_null(job);
    detect_host_train_run(job);
    assert_int_equal(detect_set_training_end(c.set, job, NULL), VD_OK);
    for (size_t k = 0; k < sizeof step / sizeof *step; k++) {
        for (int i = 0; i < HOST_TICKS; i++)
            tick(&c, 1, 1);
        assert_true(windowed_is_ready(&c));
        tick(&c, step[k].wall_s, step[k].mono_s);
        assert_int_equal(windowed_is_ready(&c), !step[k].gap);
    }
    detect_set_free(c.set);
    record_schema_release(&c.schema);
}

static void a_row_is_nearer_to_what_it_is_like(void **state)
{
    double ours[HOST_COLUMNS], theirs[HOST_COLUMNS];
    struct host_row row[3], none = {0};
    struct bench b;
    size_t n;
    struct host_row *window;

    (void)state;
    bench_init(&b);
    learn(&b, 200);
    window = detect_host_window(b.host, NULL, 0, &n);
    assert_int_equal(n, 200);
    for (int i = 0; i < 3; i++) {
        read_row(&b, 84 + i, 40);
        row[i] = *detect_host_row(b.host);
    }
    assert_int_equal(detect_host_middle(window, n, ours), VD_OK);
    assert_int_equal(detect_host_middle(row, 3, theirs), VD_OK);
    assert_true(theirs[0] == 85 && fabs(ours[0] - 10) < 1);
    for (size_t i = 0; i < n; i++)
        assert_false(detect_host_is_nearer(&window[i], ours, theirs));
    read_row(&b, 70, 41);
    assert_true(detect_host_is_nearer(detect_host_row(b.host), ours, theirs));
    read_row(&b, 20, 90);
    assert_false(detect_host_is_nearer(detect_host_row(b.host), ours, theirs));
    assert_false(detect_host_is_nearer(&none, ours, ours));
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
    detect_host_save(b.host, &w);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(detect_host_load(c.host, &r, NULL), VD_OK);
    assert_int_equal(detect_host_rows(c.host), 300);
    read_row(&b, 33, 44);
    read_row(&c, 33, 44);
    expected = surprise_of(&b, "isolation_forest");
    assert_double_equal(surprise_of(&c, "isolation_forest"), expected, 0);
    for (int i = 0; i < HOST_TICKS; i++) {
        read_row(&b, 10 + i, 44);
        read_row(&c, 10 + i, 44);
    }
    assert_false(isnan(surprise_of(&b, "windowed_pca")));
    assert_double_equal(surprise_of(&c, "windowed_pca"), surprise_of(&b, "windowed_pca"),
                        0);
    for (size_t cut = 0; cut < w.size; cut += 1 + w.size / 200) {
        vd_reader_init(&r, w.at, cut);
        assert_int_not_equal(detect_host_load(c.host, &r, NULL), VD_OK);
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
        cmocka_unit_test(rules_are_parsed_with_all_their_words),
        cmocka_unit_test(bad_rules_are_refused_with_the_place),
        cmocka_unit_test(rule_fires_after_its_time_and_names_the_worst),
        cmocka_unit_test(rule_is_news_once_an_hour),
        cmocka_unit_test(z_has_a_floor_that_keeps_small_moves_small),
        cmocka_unit_test(a_number_nobody_knows_has_no_floor_of_its_own),
        cmocka_unit_test(without_a_floor_what_is_unusual_matters),
        cmocka_unit_test(baseline_survives_saving),
        cmocka_unit_test(silence_hears_what_stopped_and_what_froze),
        cmocka_unit_test(host_says_nothing_before_it_has_learned),
        cmocka_unit_test(host_finds_the_runaway_and_trusts_more_data_more),
        cmocka_unit_test(a_training_rests_until_somebody_waits),
        cmocka_unit_test(every_detector_sees_the_runaway_early),
        cmocka_unit_test(a_machine_at_rest_surprises_no_more_than_said),
        cmocka_unit_test(windowed_pca_sees_what_no_row_shows),
        cmocka_unit_test(only_rows_that_follow_each_other_make_a_window),
        cmocka_unit_test(a_gap_begins_new_windows),
        cmocka_unit_test(a_row_is_nearer_to_what_it_is_like),
        cmocka_unit_test(host_comes_back_from_its_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
