/* lib/detect: the univariate layer. */
#include "unit.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "vedette/rng.h"
#include "vedette/stream.h"

static vd_stream *new_stream(void)
{
    vd_stream *stream;

    assert_int_equal(vd_stream_new(&stream, NULL), VD_OK);
    return stream;
}

static void first_verdict_comes_after_the_warm_up(void **state)
{
    vd_stream *stream = new_stream();
    struct vd_stream_verdict v;

    (void)state;
    for (int i = 0; i < 60; i++) {
        vd_stream_push(stream, i, i % 5, &v);
        assert_false(v.ready);
        assert_false(v.alarm);
    }
    vd_stream_push(stream, 60, NAN, &v);
    assert_false(v.ready);
    assert_true(isnan(v.z) && isnan(v.surprise));
    vd_stream_push(stream, 61, 0, &v);
    assert_true(v.ready);
    assert_true(isfinite(v.z) && isfinite(v.surprise));
    assert_int_equal(vd_stream_count(stream), 61);
    vd_stream_free(stream);
}

/* CPU at 5 %, then a runaway process. */
static void runaway_is_seen_within_five_samples(void **state)
{
    const double levels[] = {55, 100};

    (void)state;
    for (int k = 0; k < 2; k++) {
        vd_stream *stream = new_stream();
        struct vd_stream_verdict v;
        struct vd_rng rng;
        double most = 0;
        bool alarm = false;

        vd_rng_init(&rng, 11);
        for (int i = 0; i < 1800; i++)
            vd_stream_push(stream, i, 5 + vd_rng_normal(&rng), &v);
        for (int i = 0; i < 5; i++) {
            vd_stream_push(stream, 1800 + i, levels[k], &v);
            alarm = alarm || v.alarm;
            most = fmax(most, v.surprise);
        }
        assert_true(alarm);
        assert_true(most > 5.5);
        vd_stream_free(stream);
    }
}

static void constant_metric_is_never_surprising(void **state)
{
    vd_stream *stream = new_stream();
    struct vd_stream_verdict v;

    (void)state;
    for (int64_t i = 0; i < 200000; i++) {
        vd_stream_push(stream, i, 42.5, &v);
        assert_false(v.alarm);
        if (v.ready)
            assert_double_equal(v.surprise, 0, 0);
    }
    vd_stream_push(stream, 200000, 43, &v);
    assert_double_equal(v.distance[VD_STREAM_VALUE], 0.5, 1e-6);
    assert_true(v.surprise > 3);
    vd_stream_free(stream);
}

static void distances_are_in_the_unit_of_the_metric(void **state)
{
    vd_stream *stream = new_stream();
    struct vd_stream_verdict v;

    (void)state;
    for (int i = 0; i < 100; i++)
        vd_stream_push(stream, i, 1000 + i % 10, &v);
    vd_stream_push(stream, 100, 1029, &v);
    assert_double_equal(v.distance[VD_STREAM_VALUE], 20, 1e-4);
    vd_stream_push(stream, 101, 900, &v);
    assert_double_equal(v.distance[VD_STREAM_VALUE], 100, 1e-4);
    vd_stream_free(stream);
}

/* Five days of a level that follows the hour: a night's value at noon is new only to the
 * part that reads the clock. */
static void time_of_day_is_learnt(void **state)
{
    vd_stream *stream = new_stream();
    struct vd_stream_verdict v;
    int64_t t = 0;

    (void)state;
    for (; t < 5 * 86400; t += 60) {
        vd_stream_push(stream, t, t % 86400 < 43200 ? 10 + t / 60 % 3 : 50 + t / 60 % 3,
                       &v);
        if (t < 86400 - 7200)
            assert_true(isnan(v.distance[VD_STREAM_DAILY]));
    }
    t += 21600;
    vd_stream_push(stream, t, 51, &v);
    assert_double_equal(v.distance[VD_STREAM_VALUE], 0, 0);
    assert_double_equal(v.distance[VD_STREAM_DAILY], 39, 1e-4);
    vd_stream_free(stream);
}

static void any_input_is_fine(void **state)
{
    const double values[] = {0,    1e308, -1e308,    5e-324,   -5e-324, INFINITY,
                             -0.0, NAN,   -INFINITY, DBL_MAX,  1,       DBL_MIN,
                             1e-9, 1e300, 2.5,       -DBL_MAX, 3};
    const int64_t times[] = {INT64_MIN, -1, 0, INT64_MAX, 1700000000, 1, 86400, 86399};
    struct vd_rng rng;

    (void)state;
    vd_rng_init(&rng, 2);
    for (int round = 0; round < 20; round++) {
        vd_stream *stream = new_stream();
        struct vd_stream_verdict v;

        for (int i = 0; i < 5000; i++) {
            double x = values[vd_rng_below(&rng, round % 2 ? 17 : 4)];

            vd_stream_push(stream, times[vd_rng_below(&rng, 8)], x, &v);
            if (isfinite(x) && !(v.z >= 0 && v.z <= 8 && v.surprise >= 0))
                fail_msg("%d %g z %g s %g parts %g %g %g %g %g", i, x, v.z, v.surprise,
                         v.part[0], v.part[1], v.part[2], v.part[3], v.part[4]);
            assert_true(v.score >= 0 && v.score <= 1);
            assert_true(v.alarm == (v.score >= 0.5));
        }
        vd_stream_free(stream);
    }
}

/* The verdict on a row does not depend on the rows after it, nor on a missing `out`. */
static void verdicts_depend_on_the_past_alone(void **state)
{
    enum { N = 3000 };
    vd_stream *whole = new_stream(), *other = new_stream();
    struct vd_stream_verdict a, b;
    struct vd_rng rng;
    double x[N];

    (void)state;
    vd_rng_init(&rng, 8);
    for (int i = 0; i < N; i++)
        x[i] = vd_rng_normal(&rng);
    for (int i = 0; i < N; i++) {
        vd_stream_push(whole, i * 300, x[i], &a);
        vd_stream_push(other, i * 300, x[i], i % 2 ? &b : NULL);
        if (i % 2)
            assert_memory_equal(&a, &b, sizeof a);
    }
    vd_stream_free(whole);
    vd_stream_free(other);
}

/* A stream of every part with history: 26 hours of minutes, noise on a daily course. */
static vd_stream *grown_stream(struct vd_rng *rng, int rows)
{
    vd_stream *stream = new_stream();

    for (int i = 0; i < rows; i++)
        vd_stream_push(stream, INT64_C(60) * i,
                       10 * sin(i * 0.00436) + vd_rng_normal(rng), NULL);
    return stream;
}

static void state_survives_saving(void **state)
{
    const int rows[] = {0, 1, 30, 60, 1560, 6000};
    struct vd_rng rng;

    (void)state;
    vd_rng_init(&rng, 21);
    for (int k = 0; k < 6; k++) {
        vd_stream *stream = grown_stream(&rng, rows[k]), *back = NULL;
        struct vd_writer w = {0}, again = {0};
        struct vd_reader r;

        vd_stream_save(stream, &w);
        assert_int_equal(w.status, VD_OK);
        vd_reader_init(&r, w.at, w.size);
        assert_int_equal(vd_stream_load(&back, &r, NULL), VD_OK);
        assert_int_equal(r.left, 0);
        vd_stream_save(back, &again);
        assert_int_equal(w.size, again.size);
        assert_memory_equal(w.at, again.at, w.size);
        for (int i = 0; i < 500; i++) {
            struct vd_stream_verdict a, b;
            double x = 3 * vd_rng_normal(&rng);
            int64_t t = INT64_C(60) * (rows[k] + i);

            vd_stream_push(stream, t, x, &a);
            vd_stream_push(back, t, x, &b);
            assert_memory_equal(&a, &b, sizeof a);
        }
        vd_writer_release(&w);
        vd_writer_release(&again);
        vd_stream_free(stream);
        vd_stream_free(back);
    }
}

static void damaged_state_is_refused(void **state)
{
    struct vd_writer w = {0};
    struct vd_error err = {0};
    struct vd_reader r;
    vd_stream *stream, *back;
    struct vd_rng rng;

    (void)state;
    vd_rng_init(&rng, 22);
    stream = grown_stream(&rng, 2000);
    vd_stream_save(stream, &w);
    for (size_t size = 0; size < w.size; size += size < 200 ? 1 : 97) {
        vd_reader_init(&r, w.at, size);
        assert_int_equal(vd_stream_load(&back, &r, NULL), VD_ERR_FORMAT);
        assert_null(back);
    }
    for (size_t i = 0; i < w.size; i += i < 64 ? 1 : 131) {
        w.at[i] ^= 0x10;
        vd_reader_init(&r, w.at, w.size);
        assert_int_not_equal(vd_stream_load(&back, &r, NULL), VD_OK);
        w.at[i] ^= 0x10;
    }
    w.at[4] = 9;
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(vd_stream_load(&back, &r, &err), VD_ERR_VERSION);
    vd_writer_release(&w);
    vd_stream_free(stream);
}

/* With the checksum made right again: what is read must then be harmless, whatever it
 * says. Address and undefined behaviour sanitizers watch in their builds. */
static void forged_state_does_no_harm(void **state)
{
    struct vd_writer w = {0};
    vd_stream *stream;
    struct vd_rng rng;
    int loaded = 0;

    (void)state;
    vd_rng_init(&rng, 23);
    stream = grown_stream(&rng, 2000);
    vd_stream_save(stream, &w);
    for (int round = 0; round < 3000; round++) {
        size_t at = 13 + vd_rng_below(&rng, w.size - 17);
        uint8_t kept = w.at[at];
        struct vd_stream_verdict v;
        struct vd_reader r;
        vd_stream *back;
        uint32_t crc;

        w.at[at] = (uint8_t)vd_rng_next(&rng);
        crc = vd_crc32c(0, w.at + 13, w.size - 17);
        for (int i = 0; i < 4; i++)
            w.at[w.size - 4 + i] = (uint8_t)(crc >> (8 * i));
        vd_reader_init(&r, w.at, w.size);
        if (vd_stream_load(&back, &r, NULL) == VD_OK) {
            loaded++;
            for (int i = 0; i < 30; i++)
                vd_stream_push(back, INT64_C(60) * (2000 + i), i * 0.3, &v);
            vd_stream_free(back);
        }
        w.at[at] = kept;
    }
    assert_true(loaded > 0);
    vd_writer_release(&w);
    vd_stream_free(stream);
}

/* A thousand hours of noise in 40 streams would be too slow here (bench/budget does
 * that); 12 hours show that one event in 1,000 samples is what surprise 3 means. */
static void surprise_is_the_rate_of_events(void **state)
{
    vd_stream *stream = new_stream();
    struct vd_stream_verdict v;
    struct vd_rng rng;
    int64_t last = -1000;
    int events = 0, rows = 0;

    (void)state;
    vd_rng_init(&rng, 31);
    for (int64_t t = 0; t < 43200; t++) {
        vd_stream_push(stream, t, 20 + 3 * vd_rng_normal(&rng), &v);
        if (!v.ready || v.surprise < 3)
            continue;
        rows++;
        events += t - last > 60;
        last = t;
    }
    assert_in_range(events, 21, 87); /* 43 to be expected */
    assert_in_range(rows, 21, 130);
    vd_stream_free(stream);
}

/* Ten minutes of a runaway must not blind the metric to the next one. */
static void anomaly_does_not_hide_the_next(void **state)
{
    vd_stream *stream = new_stream();
    struct vd_stream_verdict v;
    struct vd_rng rng;
    double first = 0, second = 0;

    (void)state;
    vd_rng_init(&rng, 32);
    for (int64_t t = 0; t < 14400; t++) {
        bool away = (t >= 7200 && t < 7800) || t >= 14395;

        vd_stream_push(stream, t, (away ? (t < 9000 ? 60 : 90) : 5) + vd_rng_normal(&rng),
                       &v);
        if (t >= 7200 && t < 7205)
            first = fmax(first, v.surprise);
        if (t >= 14395)
            second = fmax(second, v.surprise);
    }
    assert_true(first > 5.5);
    assert_true(second > 4.5);
    vd_stream_free(stream);
}

static void state_is_within_its_limit(void **state)
{
    (void)state;
    assert_true(vd_stream_size() <= 64 * 1024);
    vd_stream_free(NULL);
    for (int i = 0; i < VD_STREAM_PARTS; i++)
        assert_true(strlen(vd_stream_part_name(i)) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_verdict_comes_after_the_warm_up),
        cmocka_unit_test(runaway_is_seen_within_five_samples),
        cmocka_unit_test(constant_metric_is_never_surprising),
        cmocka_unit_test(distances_are_in_the_unit_of_the_metric),
        cmocka_unit_test(time_of_day_is_learnt),
        cmocka_unit_test(any_input_is_fine),
        cmocka_unit_test(verdicts_depend_on_the_past_alone),
        cmocka_unit_test(state_survives_saving),
        cmocka_unit_test(damaged_state_is_refused),
        cmocka_unit_test(forged_state_does_no_harm),
        cmocka_unit_test(surprise_is_the_rate_of_events),
        cmocka_unit_test(anomaly_does_not_hide_the_next),
        cmocka_unit_test(state_is_within_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
