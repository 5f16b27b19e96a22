/* One watched host by itself: samples made in memory, work done between two ticks, and
 * not a loop, thread, file or socket. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "vedette/rng.h"

enum { METRICS = 3, CALM_S = 400 };

static const struct record_metric metric[METRICS] = {
    {.name = "cpu_percent",
     .unit = "%",
     .group = RECORD_GROUP_CPU,
     .most = 100,
     .sigma_floor = 1,
     .scale = 1,
     .core = true},
    {.name = "cpu_memory",
     .unit = "%",
     .group = RECORD_GROUP_MEMORY,
     .most = 100,
     .sigma_floor = 0.5,
     .scale = 1,
     .core = true},
    {.name = "disk_read_mb",
     .unit = "MB/s",
     .group = RECORD_GROUP_DISK,
     .sigma_floor = 0.5,
     .scale = 1,
     .is_byte_rate = true,
     .core = true},
};

/* A host, where its samples come from, and what it has said so far. */
struct world {
    host *h;
    struct record_schema schema;
    struct record_sample sample;
    struct detect_rules rules;
    double raw[METRICS], base[METRICS];
    struct vd_rng rng;
    int64_t ids;
    struct record_event told[16];
    enum record_event_change change[16];
    size_t n_told, opened, ended, copies;
};

static int64_t next_id(void *context)
{
    struct world *w = context;

    return ++w->ids;
}

static int group_of(const char *name)
{
    for (size_t i = 0; i < METRICS; i++)
        if (strcmp(metric[i].name, name) == 0)
            return (int)metric[i].group;
    return -1;
}

static void world_open(struct world *w, uint64_t seed, const char *rule)
{
    struct host_config config = {
        .interval_s = 1,
        .rules = &w->rules,
        .detect = detect_config_default(),
        .alert = alert_config_default(),
        .keeps_moments = true,
        .next_event_id = next_id,
        .group_of = group_of,
        .context = w,
    };
    struct vd_error err = {0};

    *w = (struct world){.sample = {.schema = &w->schema,
                                   .time_ns = INT64_C(1700000000) * SECOND,
                                   .mono_ns = 1000 * SECOND,
                                   .raw = w->raw,
                                   .base = w->base}};
    vd_rng_init(&w->rng, seed);
    for (size_t i = 0; i < METRICS; i++)
        assert_int_equal(record_schema_add(&w->schema, &metric[i], NULL), i);
    detect_rules_init(&w->rules);
    if (rule != NULL) {
        struct detect_rule parsed;

        assert_int_equal(detect_rule_parse(&parsed, rule, NULL), VD_OK);
        assert_int_equal(detect_rules_add(&w->rules, &parsed), VD_OK);
    }
    if (host_new(&w->h, &config, &w->schema, &err) != VD_OK)
        fail_msg("%s", err.text);
}

static void world_close(struct world *w)
{
    host_free(w->h);
    record_schema_release(&w->schema);
}

/* One sample around these levels; what is due of work is done at once. */
static const struct host_output *tick(struct world *w, double cpu, double memory)
{
    const struct host_output *out;
    struct host_copy copy;
    host_job *job;

    w->sample.time_ns += SECOND;
    w->sample.mono_ns += SECOND;
    w->raw[0] = fmin(100, cpu + fabs(vd_rng_normal(&w->rng)));
    w->raw[1] = memory + 0.1 * vd_rng_normal(&w->rng);
    w->raw[2] = fabs(0.02 * vd_rng_normal(&w->rng));
    out = host_tick(w->h, &w->sample);
    for (size_t i = 0; i < out->n_told; i++) {
        assert_true(w->n_told < 16);
        w->told[w->n_told] = out->told[i].event;
        w->change[w->n_told++] = out->told[i].change;
    }
    w->opened += out->record->change == RECORD_EVENT_OPENED;
    w->ended += out->record->change == RECORD_EVENT_ENDED;
    while (host_copy_next(w->h, &copy)) {
        assert_true(copy.event_id > 0 && copy.event_id <= w->ids);
        history_moments_free(copy.moment, copy.n);
        w->copies++;
    }
    while ((job = host_work_begin(w->h)) != NULL) {
        host_work_run(job);
        host_work_end(w->h, job);
    }
    return out;
}

static void run(struct world *w, double cpu, double memory, int seconds)
{
    for (int i = 0; i < seconds; i++)
        tick(w, cpu, memory);
}

static struct host_status status_of(const struct world *w)
{
    struct host_status status;

    host_status(w->h, &status);
    return status;
}

/* Sets up bytes that are to be the same again. */
static struct vd_writer saved(const struct world *w)
{
    struct vd_writer bytes = {0};

    host_save(w->h, &bytes);
    assert_int_equal(bytes.status, VD_OK);
    assert_true(bytes.size > 0);
    return bytes;
}

static void a_sample_becomes_an_alert_that_ends(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, 1, NULL);
    run(&w, 4, 40, CALM_S);
    assert_true(status_of(&w).confidence > 0.5);
    assert_int_equal(w.n_told, 0);
    run(&w, 95, 60, 30);
    assert_int_equal(w.n_told, 1);
    assert_int_equal(w.change[0], RECORD_EVENT_OPENED);
    assert_int_equal(w.told[0].kind, RECORD_ANOMALY);
    assert_true(w.told[0].alerted && w.told[0].n_top > 0);
    run(&w, 4, 40, 60);
    assert_int_equal(w.n_told, 2);
    assert_int_equal(w.change[1], RECORD_EVENT_ENDED);
    assert_int_equal(w.told[1].id, w.told[0].id);
    assert_true(w.told[1].end_ns > w.told[1].start_ns);
    assert_int_equal(w.opened, w.ended);
    assert_true(w.copies >= 2 * w.opened - 1);
    assert_int_equal(status_of(&w).alerts, 1);
    assert_true(status_of(&w).quarantined >= 30);
    world_close(&w);
}

/* Hosts share nothing: what one gives is the same whoever else is watched beside it. */
static void hosts_do_not_see_each_other(void **state)
{
    struct vd_writer alone, beside;
    struct world a, b;

    (void)state;
    world_open(&a, 7, NULL);
    run(&a, 4, 40, 200);
    alone = saved(&a);
    world_close(&a);

    world_open(&a, 7, NULL);
    world_open(&b, 8, "cpu_memory > 60");
    for (int i = 0; i < 200; i++) {
        tick(&a, 4, 40);
        tick(&b, i < 150 ? 60 : 5, i < 150 ? 30 : 90);
    }
    beside = saved(&a);
    assert_int_equal(alone.size, beside.size);
    assert_memory_equal(alone.at, beside.at, alone.size);
    assert_int_equal(a.n_told, 0);
    assert_true(b.n_told > 0);
    world_close(&a);
    world_close(&b);
    vd_writer_release(&alone);
    vd_writer_release(&beside);
}

static void what_was_learned_is_saved(void **state)
{
    struct vd_writer bytes, again;
    struct world w;
    struct vd_reader r;

    (void)state;
    world_open(&w, 3, NULL);
    run(&w, 4, 40, CALM_S);
    bytes = saved(&w);
    world_close(&w);

    world_open(&w, 4, NULL);
    assert_true(status_of(&w).confidence <= 0);
    vd_reader_init(&r, bytes.at, bytes.size);
    host_load(w.h, &r);
    assert_false(r.failed);
    assert_int_equal(r.left, 0);
    again = saved(&w);
    assert_int_equal(again.size, bytes.size);
    assert_memory_equal(again.at, bytes.at, bytes.size);
    /* It knows what is normal from its first sample on. */
    run(&w, 4, 40, 20);
    run(&w, 95, 60, 30);
    assert_int_equal(w.n_told, 1);
    vd_writer_release(&bytes);
    vd_writer_release(&again);
    world_close(&w);
}

/* What is cut off anywhere is restored as far as it goes, and the host goes on. */
static void half_of_what_was_saved_is_no_fault(void **state)
{
    struct vd_writer bytes;
    struct world w;

    (void)state;
    world_open(&w, 3, NULL);
    run(&w, 4, 40, 100);
    bytes = saved(&w);
    world_close(&w);
    for (size_t left = 0; left < bytes.size; left += bytes.size / 37 + 1) {
        struct vd_reader r;

        world_open(&w, 4, NULL);
        vd_reader_init(&r, bytes.at, left);
        host_load(w.h, &r);
        run(&w, 4, 40, 3);
        assert_int_equal(status_of(&w).ticks, 3);
        world_close(&w);
    }
    vd_writer_release(&bytes);
}

static void an_open_event_goes_on_under_its_number(void **state)
{
    struct record_event open;
    struct world w;

    (void)state;
    world_open(&w, 5, "cpu_memory > 80 high");
    run(&w, 4, 40, 10);
    run(&w, 4, 90, 10);
    assert_int_equal(w.n_told, 1);
    open = w.told[0];
    world_close(&w);

    world_open(&w, 6, "cpu_memory > 80 high");
    w.ids = 100;
    assert_true(host_resume(w.h, &open, open.start_ns + 10 * SECOND));
    assert_false(host_resume(w.h, &open, open.start_ns)); /* one course, one event */
    run(&w, 4, 90, 10);
    assert_int_equal(w.n_told, 0);
    run(&w, 4, 40, 60);
    assert_int_equal(w.n_told, 1);
    assert_int_equal(w.change[0], RECORD_EVENT_ENDED);
    assert_int_equal(w.told[0].id, open.id);
    world_close(&w);

    /* One whose condition does not hold any more ends by itself. */
    world_open(&w, 6, "cpu_memory > 80 high");
    assert_true(host_resume(w.h, &open, open.start_ns + 10 * SECOND));
    run(&w, 4, 40, 60);
    assert_int_equal(w.n_told, 1);
    assert_int_equal(w.change[0], RECORD_EVENT_ENDED);
    world_close(&w);
}

/* Work is one job at a time, and ends as it began: by the host's thread. */
static void one_job_at_a_time(void **state)
{
    host_job *job = NULL;
    struct world w;

    (void)state;
    world_open(&w, 9, NULL);
    while (job == NULL) {
        w.sample.time_ns += SECOND;
        w.sample.mono_ns += SECOND;
        w.raw[0] = 4 + fabs(vd_rng_normal(&w.rng));
        w.raw[1] = 40 + vd_rng_normal(&w.rng);
        w.raw[2] = fabs(vd_rng_normal(&w.rng));
        host_tick(w.h, &w.sample);
        job = host_work_begin(w.h);
        assert_true(status_of(&w).ticks < 100);
    }
    assert_null(host_work_begin(w.h));
    host_tick(w.h, &w.sample);
    assert_null(host_work_begin(w.h));
    assert_true(status_of(&w).confidence <= 0);
    host_work_run(job);
    host_work_end(w.h, job);
    assert_true(status_of(&w).confidence > 0);
    assert_int_equal(status_of(&w).trained_ns, w.sample.time_ns);
    world_close(&w);
}

static void feedback_of_an_open_event(void **state)
{
    struct record_event event;
    struct world w;

    (void)state;
    world_open(&w, 2, NULL);
    run(&w, 4, 40, CALM_S);
    run(&w, 88, 60, 30);
    assert_int_equal(w.n_told, 1);
    event = w.told[0];
    host_hear(w.h, event.id, "normal");
    strcpy(event.feedback, "normal");
    assert_int_equal(host_judge(w.h, &event, NULL, 1), VD_OK);
    assert_int_equal(host_judged_at(w.h, 0), event.id);
    assert_int_equal(host_judged_at(w.h, 1), 0);
    assert_false(host_has_labels(w.h, event.id));
    for (int i = 0; i < 60; i++)
        if (tick(&w, 4, 40)->judged_ended)
            break;
        else
            assert_true(i < 59);
    /* What was said is of the whole event, and the same again wakes nobody. */
    assert_int_equal(w.change[1], RECORD_EVENT_ENDED);
    assert_string_equal(w.told[1].feedback, "normal");
    assert_int_equal(host_judge(w.h, &w.told[1], NULL, 1), VD_OK);
    run(&w, 4, 40, 120);
    w.n_told = 0;
    run(&w, 88, 60, 30);
    run(&w, 4, 40, 60);
    assert_int_equal(w.n_told, 0);
    world_close(&w);
}

static void how_the_rules_stand(void **state)
{
    struct world w;
    size_t last;

    (void)state;
    world_open(&w, 2, "cpu_memory > 80");
    last = w.rules.n - 1;
    assert_string_equal(host_rule_state(w.h, last), "kept");
    run(&w, 4, 90, 10);
    assert_string_equal(host_rule_state(w.h, last), "exceeded");
    run(&w, 4, 40, 60);
    assert_string_equal(host_rule_state(w.h, last), "kept");
    world_close(&w);
    world_open(&w, 2, "frobnications > 80");
    assert_string_equal(host_rule_state(w.h, w.rules.n - 1), "no metric");
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_becomes_an_alert_that_ends),
        cmocka_unit_test(hosts_do_not_see_each_other),
        cmocka_unit_test(what_was_learned_is_saved),
        cmocka_unit_test(half_of_what_was_saved_is_no_fault),
        cmocka_unit_test(an_open_event_goes_on_under_its_number),
        cmocka_unit_test(one_job_at_a_time),
        cmocka_unit_test(feedback_of_an_open_event),
        cmocka_unit_test(how_the_rules_stand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
