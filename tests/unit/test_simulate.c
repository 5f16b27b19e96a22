/* lib/evaluate/simulate: made-up metrics with labelled faults. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "alloc_fault.h"
#include "base/real.h"
#include "evaluate/simulate.h"

/* A table made at once. */
struct table {
    size_t rows, columns;
    double *at;
    struct vd_simulate_label *label;
};

static struct table make(const struct vd_simulate_params *params)
{
    struct table t = {.rows = params->rows};
    struct vd_error err = {0};
    vd_simulate *simulate;

    vd_simulate_columns(params->preset, &t.columns);
    t.at = malloc(t.rows * t.columns * sizeof *t.at);
    t.label = malloc(t.rows * sizeof *t.label);
    assert_int_equal(vd_simulate_new(&simulate, params, &err), VD_OK);
    for (size_t i = 0; i < t.rows; i++)
        t.label[i] = vd_simulate_next(simulate, t.at + i * t.columns);
    vd_simulate_free(simulate);
    return t;
}

static void release(struct table *t)
{
    free(t->at);
    free(t->label);
}

static double cell(const struct table *t, size_t row, size_t column)
{
    return t->at[row * t->columns + column];
}

static struct vd_simulate_params with_share(double share)
{
    struct vd_simulate_params params = vd_simulate_params_default();

    params.share = share;
    return params;
}

/* The mean of a column at full hours from .. to - 1 of the days since the first. */
static double mean_at(const struct table *t, size_t column, size_t first_day,
                      size_t last_day, size_t from, size_t to)
{
    double sum = 0;
    size_t n = 0;

    for (size_t day = first_day; day <= last_day; day++)
        for (size_t row = day * 1440 + from * 60; row < day * 1440 + to * 60; row++, n++)
            sum += cell(t, row, column);
    return sum / (double)n;
}

static double correlation(const struct table *t, size_t a, size_t b)
{
    double n = (double)t->rows, sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;

    for (size_t i = 0; i < t->rows; i++) {
        double x = cell(t, i, a), y = cell(t, i, b);

        sa += x, sb += y, aa += x * x, bb += y * y, ab += x * y;
    }
    return (ab - sa * sb / n) / sqrt((aa - sa * sa / n) * (bb - sb * sb / n));
}

/* ---- the same bytes ---- */

/* FNV-1a, 64 bits, over the bits of all values and the labels. */
static uint64_t fingerprint(const struct table *t)
{
    const unsigned char *bytes = (const unsigned char *)t->at;
    uint64_t h = 0xcbf29ce484222325;

    for (size_t i = 0; i < t->rows * t->columns * sizeof *t->at; i++)
        h = (h ^ bytes[i]) * 0x100000001b3;
    for (size_t i = 0; i < t->rows; i++)
        h = (h ^ (unsigned)(t->label[i].fault * 2 + t->label[i].anomaly)) * 0x100000001b3;
    return h;
}

/* Whatever builds and optimises this test, the numbers are these. */
static void a_seed_gives_the_same_bits_in_every_build(void **state)
{
    static const struct {
        enum vd_simulate_preset preset;
        uint64_t seed, machine, fingerprint;
    } known[] = {
        {VD_SIMULATE_HOST, 0, 0, 0xd9e9b0509d36049b},
        {VD_SIMULATE_HOST, 9, 3, 0xc0f602c8dc59a11a},
        {VD_SIMULATE_METRICS2K, 1, 0, 0xf1621e7c29f6c59b},
        {VD_SIMULATE_NOISE, 1, 0, 0x7ce72491c713d698},
    };
    struct vd_simulate_params params = with_share(0.05);

    (void)state;
    vd_noise_kinds(&params.noise);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct table t;

        params.preset = known[i].preset;
        params.seed = known[i].seed;
        params.machine = known[i].machine;
        t = make(&params);
        if (fingerprint(&t) != known[i].fingerprint)
            fail_msg("table %zu: 0x%llx", i, (unsigned long long)fingerprint(&t));
        release(&t);
    }
}

static void another_seed_or_machine_gives_other_rows(void **state)
{
    struct vd_simulate_params params = with_share(0);
    struct table one = make(&params), other, third;

    (void)state;
    params.machine = 1;
    other = make(&params);
    params.machine = 0;
    params.seed = 1;
    third = make(&params);
    assert_true(fingerprint(&one) != fingerprint(&other));
    assert_true(fingerprint(&one) != fingerprint(&third));
    /* Their noise has nothing in common either. */
    for (size_t c = 0; c < one.columns; c++) {
        size_t equal = 0;

        for (size_t i = 0; i < one.rows; i++)
            equal += cell(&one, i, c) == cell(&other, i, c);
        assert_true(equal < one.rows / 4);
    }
    release(&third);
    release(&other);
    release(&one);
}

static void sines_are_exact_to_a_few_units(void **state)
{
    (void)state;
    for (double x = -3; x < 3; x += 0.00037)
        assert_double_equal(vd__sin_turns(x), sin(6.28318530717958647692 * x), 1e-14);
    assert_true(vd__sin_turns(0) == 0 && vd__sin_turns(-2) == 0);
    assert_double_equal(vd__sin_turns(7.75), -1, 1e-15);
}

/* ---- a host like others ---- */

static void days_and_weeks_are_seen(void **state)
{
    static const size_t driven[] = {VD__CPU, VD__SENT, VD__RECEIVED, VD__WRITE,
                                    VD__TEMPERATURE};

    (void)state;
    for (uint64_t machine = 0; machine < 5; machine++) {
        struct vd_simulate_params params = with_share(0);
        struct table t;

        params.machine = machine;
        t = make(&params);
        for (size_t k = 0; k < sizeof driven / sizeof *driven; k++) {
            /* It begins on a Thursday: days 2 and 3 are the weekend. */
            double day = mean_at(&t, driven[k], 4, 6, 10, 16);
            double night = mean_at(&t, driven[k], 4, 6, 20, 24);
            double weekend = mean_at(&t, driven[k], 2, 3, 10, 16);

            assert_true(day > 1.1 * night && day > 1.1 * weekend);
        }
        release(&t);
    }
}

static void metrics_move_together(void **state)
{
    struct vd_simulate_params params = with_share(0);
    struct table t = make(&params);

    (void)state;
    assert_true(correlation(&t, VD__CPU, VD__RECEIVED) > 0.6);
    assert_true(correlation(&t, VD__CPU, VD__TEMPERATURE) > 0.6);
    assert_true(correlation(&t, VD__CPU, VD__LOAD) > 0.6);
    assert_true(correlation(&t, VD__MEMORY, VD__AVAILABLE) < -0.99);
    for (size_t i = 0; i < t.rows; i++) {
        assert_true(cell(&t, i, VD__CPU) <= 100 && cell(&t, i, VD__MEMORY) < 100);
        for (size_t c = 0; c < t.columns; c++)
            assert_true(cell(&t, i, c) >= 0);
    }
    release(&t);
}

/* Each night's backup reads and sends for a quarter of an hour or more. */
static void a_job_runs_every_night(void **state)
{
    struct vd_simulate_params params = with_share(0);
    struct table t = make(&params);

    (void)state;
    for (size_t day = 0; day < 7; day++) {
        size_t rows = 0;

        for (size_t row = day * 1440; row < (day + 1) * 1440; row++)
            rows += cell(&t, row, VD__READ) > 25 && cell(&t, row, VD__SENT) > 18;
        assert_in_range(rows, 14, 31);
    }
    release(&t);
}

/* ---- faults ---- */

static void the_share_is_kept_and_faults_do_not_touch(void **state)
{
    static const double shares[] = {0.01, 0.05, 0.2, 0.5};
    static const uint64_t rows[] = {3000, 10080, 100000};

    (void)state;
    for (size_t s = 0; s < 4; s++)
        for (size_t r = 0; r < 3; r++) {
            struct vd_simulate_params params = with_share(shares[s]);
            size_t odd = 0, seen[VD_HOST_FAULTS + 1] = {0};
            struct table t;

            params.rows = rows[r];
            params.seed = s + r;
            t = make(&params);
            for (size_t i = 0; i < t.rows; i++) {
                odd += t.label[i].anomaly;
                seen[t.label[i].fault]++;
                assert_int_equal(t.label[i].anomaly, t.label[i].fault != VD_HOST_NORMAL);
                if (i > 0 && t.label[i].fault != t.label[i - 1].fault)
                    assert_true(!t.label[i].anomaly || !t.label[i - 1].anomaly);
                assert_false(t.label[i].anomaly && i < t.rows / 20);
            }
            assert_double_equal((double)odd / (double)t.rows, shares[s],
                                0.25 * shares[s]);
            for (size_t k = 0; k < VD_HOST_FAULTS && t.rows > 5000; k++)
                assert_true(shares[s] < 0.02 || seen[k] > 0);
            release(&t);
        }
}

static void only_the_kinds_asked_for_come(void **state)
{
    (void)state;
    for (unsigned a = 0; a < VD_HOST_FAULTS; a++) {
        unsigned b = (a + 4) % VD_HOST_FAULTS;
        struct vd_simulate_params params = with_share(0.1);
        size_t seen[VD_HOST_FAULTS + 1] = {0};
        struct table t;

        params.kinds = 1u << a | 1u << b;
        params.seed = a;
        t = make(&params);
        for (size_t i = 0; i < t.rows; i++)
            seen[t.label[i].fault]++;
        assert_int_equal(seen[a] + seen[b] + seen[VD_HOST_NORMAL], t.rows);
        assert_true(seen[a] > 0 && seen[b] > 0);
        release(&t);
    }
}

/* What a fault of a kind must do to a row, seen beside the row without it; `first` is the
 * row before it began, `left` how many of its rows are still to come. */
static bool shows(enum vd_host_fault kind, const double *x, const double *quiet,
                  const double *first, size_t left)
{
    switch (kind) {
    case VD_HOST_SPIKE:
        return x[VD__CPU] > quiet[VD__CPU] + 30 || x[VD__CPU] == 100;
    case VD_HOST_STEP:
        return x[VD__CPU] > quiet[VD__CPU] + 15 ||
               x[VD__MEMORY] > quiet[VD__MEMORY] + 10 ||
               x[VD__RECEIVED] > quiet[VD__RECEIVED] + 15;
    case VD_HOST_LEAK:
        return x[VD__MEMORY] > quiet[VD__MEMORY] &&
               x[VD__AVAILABLE] < quiet[VD__AVAILABLE] &&
               (left > 0 || x[VD__MEMORY] > quiet[VD__MEMORY] + 20);
    case VD_HOST_NETWORK_BURST:
        return x[VD__SENT] + x[VD__RECEIVED] > quiet[VD__SENT] + quiet[VD__RECEIVED] + 80;
    case VD_HOST_DISK_BURST:
        return x[VD__READ] + x[VD__WRITE] > quiet[VD__READ] + quiet[VD__WRITE] + 80;
    case VD_HOST_CONTENTION:
        return (x[VD__CPU] > quiet[VD__CPU] + 15 || x[VD__CPU] == 100) &&
               x[VD__MEMORY] > quiet[VD__MEMORY] + 10 &&
               x[VD__READ] > quiet[VD__READ] + 25 && x[VD__WRITE] > quiet[VD__WRITE] + 35;
    case VD_HOST_CASCADE:
        return x[VD__WRITE] > quiet[VD__WRITE] &&
               (left > 0 || x[VD__RECEIVED] < 0.2 * quiet[VD__RECEIVED]);
    case VD_HOST_FLAT_SENSOR:
        return x[VD__TEMPERATURE] == first[VD__TEMPERATURE] ||
               x[VD__CPU] == first[VD__CPU] || x[VD__RECEIVED] == first[VD__RECEIVED] ||
               x[VD__WRITE] == first[VD__WRITE];
    default: /* the job reads and sends at another hour than every night */
        return x[VD__READ] > quiet[VD__READ] + 25 && x[VD__SENT] > quiet[VD__SENT] + 15;
    }
}

static void each_kind_does_what_it_is_called(void **state)
{
    (void)state;
    for (unsigned k = 0; k < VD_HOST_FAULTS; k++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            struct vd_simulate_params params = with_share(0.1);
            size_t first = 0, faults = 0;
            struct table t, quiet;

            params.kinds = 1u << k;
            params.seed = seed;
            t = make(&params);
            params.share = 0;
            quiet = make(&params);
            for (size_t i = 1; i < t.rows; i++) {
                size_t left = 0;

                if (!t.label[i].anomaly)
                    continue;
                if (!t.label[i - 1].anomaly)
                    first = i - 1, faults++;
                while (i + left + 1 < t.rows && t.label[i + left + 1].anomaly)
                    left++;
                if (!shows((enum vd_host_fault)k, t.at + i * t.columns,
                           quiet.at + i * t.columns, t.at + first * t.columns, left))
                    fail_msg("%s, seed %d, row %zu of the fault after row %zu",
                             vd_host_fault_name((enum vd_host_fault)k), (int)seed, i,
                             first);
            }
            assert_true(faults > 3);
            release(&quiet);
            release(&t);
        }
}

/* So that what a detection finds at another share is due to the share. */
static void faults_change_no_noise(void **state)
{
    struct vd_simulate_params params = with_share(0);
    struct table quiet = make(&params), t;

    (void)state;
    params.share = 0.2;
    t = make(&params);
    for (size_t i = 0; i < t.rows; i++)
        if (!t.label[i].anomaly) {
            assert_true(cell(&t, i, VD__READ) == cell(&quiet, i, VD__READ));
            assert_true(cell(&t, i, VD__CPU) == cell(&quiet, i, VD__CPU));
        }
    release(&t);
    release(&quiet);
}

/* ---- the sample ---- */

static void the_sample_has_its_fixed_faults(void **state)
{
    struct vd_simulate_params params = {
        .preset = VD_SIMULATE_METRICS2K, .rows = 20000, .interval_ns = 60 * SECOND};
    struct table t = make(&params), stale;
    size_t odd = 0;

    (void)state;
    params.stale_available = true;
    stale = make(&params);
    assert_true(cell(&t, 25, VD__CPU) == 92.5 && cell(&t, 25, VD__MEMORY) == 85.2);
    assert_true(cell(&t, 25, VD__READ) == 156.7 && cell(&t, 25, VD__SENT) == 234.8);
    for (size_t i = 0; i < 6; i++) {
        assert_true(cell(&t, 40 + i, VD__MEMORY) == 65 + 5 * (double)i);
        assert_double_equal(cell(&t, 40 + i, VD__WRITE), 45.2 + 8 * (double)i, 1e-9);
        assert_int_equal(t.label[40 + i].fault, VD_HOST_LEAK);
        assert_double_equal(cell(&t, 40 + i, VD__AVAILABLE),
                            16 - 0.16 * cell(&t, 40 + i, VD__MEMORY), 0.006);
    }
    assert_true(cell(&t, 60, VD__SENT) == 287.3 && cell(&t, 60, VD__RECEIVED) == 45.6);
    assert_true(cell(&t, 60, VD__CPU) == 78.9 && cell(&t, 80, VD__CPU) == 82.1);
    assert_true(cell(&t, 80, VD__READ) == 187.5 && cell(&t, 80, VD__WRITE) == 98.7);
    for (size_t i = 0; i < t.rows; i++) {
        bool fixed = i == 25 || (i >= 40 && i <= 45);

        odd += t.label[i].anomaly;
        assert_true(cell(&t, i, VD__FREQUENCY) == 2400);
        assert_true(fixed || (cell(&t, i, VD__CPU) >= 70) == t.label[i].anomaly);
        assert_true(fixed ||
                    cell(&t, i, VD__AVAILABLE) == cell(&stale, i, VD__AVAILABLE));
    }
    assert_double_equal((double)odd / (double)t.rows, 0.05, 0.005);
    assert_true(cell(&stale, 45, VD__AVAILABLE) > 3);
    release(&stale);
    release(&t);
}

/* ---- noise ---- */

static void noise_is_stationary_and_has_no_labels(void **state)
{
    struct vd_simulate_params params = {
        .preset = VD_SIMULATE_NOISE, .rows = 20000, .interval_ns = SECOND};
    size_t kinds;

    (void)state;
    vd_noise_kinds(&kinds);
    for (params.noise = 0; params.noise <= kinds; params.noise++) {
        struct table t = make(&params);

        for (size_t i = 0; i < t.rows; i++) {
            assert_false(t.label[i].anomaly);
            for (size_t c = 0; c < t.columns; c++)
                assert_true(cell(&t, i, c) >= 0 && cell(&t, i, c) <= 90);
        }
        release(&t);
    }
}

/* ---- wrong arguments ---- */

static void wrong_numbers_are_refused(void **state)
{
    struct vd_simulate_params good = vd_simulate_params_default(), bad[10];
    vd_simulate *simulate;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < 10; i++)
        bad[i] = good;
    bad[n++].rows = 0;
    bad[n++].interval_ns = 0;
    bad[n++].interval_ns = -1;
    bad[n++].start_ns = -1;
    bad[n++].rows = UINT64_MAX;
    bad[n++].share = 0.51;
    bad[n++].share = NAN;
    bad[n++].kinds = 0;
    bad[n++].kinds = 1u << VD_HOST_FAULTS;
    bad[n++].noise = 99;
    for (size_t i = 0; i < n; i++) {
        struct vd_error err = {0};

        assert_int_equal(vd_simulate_new(&simulate, &bad[i], &err), VD_ERR_ARGUMENT);
        assert_null(simulate);
        assert_true(strlen(err.text) > 10);
    }
    assert_null(vd_host_fault_name(VD_HOST_NORMAL));
    assert_string_equal(vd_host_fault_name(VD_HOST_FLAT_SENSOR), "flat_sensor");
    vd_simulate_free(NULL);
}

static void tables_of_any_length_are_made(void **state)
{
    (void)state;
    for (uint64_t rows = 1; rows < 60; rows++) {
        struct vd_simulate_params params = with_share(0.5);
        struct table t;

        params.rows = rows;
        params.interval_ns = rows % 2 == 0 ? 86400 * SECOND : SECOND / 1000;
        t = make(&params);
        release(&t);
    }
}

static void a_failing_allocation_is_survived(void **state)
{
    struct vd_simulate_params params = vd_simulate_params_default();
    vd_simulate *simulate;

    (void)state;
    alloc_fault_at(1);
    assert_int_equal(vd_simulate_new(&simulate, &params, NULL), VD_ERR_MEMORY);
    alloc_fault_at(0);
    assert_null(simulate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_the_same_bits_in_every_build),
        cmocka_unit_test(another_seed_or_machine_gives_other_rows),
        cmocka_unit_test(sines_are_exact_to_a_few_units),
        cmocka_unit_test(days_and_weeks_are_seen),
        cmocka_unit_test(metrics_move_together),
        cmocka_unit_test(a_job_runs_every_night),
        cmocka_unit_test(the_share_is_kept_and_faults_do_not_touch),
        cmocka_unit_test(only_the_kinds_asked_for_come),
        cmocka_unit_test(each_kind_does_what_it_is_called),
        cmocka_unit_test(faults_change_no_noise),
        cmocka_unit_test(the_sample_has_its_fixed_faults),
        cmocka_unit_test(noise_is_stationary_and_has_no_labels),
        cmocka_unit_test(wrong_numbers_are_refused),
        cmocka_unit_test(tables_of_any_length_are_made),
        cmocka_unit_test(a_failing_allocation_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
