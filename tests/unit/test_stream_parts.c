/* lib/stream: each part beside a plain calculation that keeps everything. */
#include "unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "stream/state.h"
#include "vedette/rng.h"

enum { SAMPLES = 4000 };

/* ---- recent ---- */

static void recent_means_and_spreads_are_those_of_the_last_samples(void **state)
{
    struct vd__recent recent = {.n = 0};
    struct vd_rng rng;
    float at[200];

    (void)state;
    vd_rng_init(&rng, 3);
    for (int n = 0; n < 200; n++) {
        static const int counts[] = {1, 3, 7, 12, RECENT};

        at[n] = (float)(5 + vd_rng_normal(&rng));
        vd__recent_add(&recent, at[n]);
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            double sum = 0, squares = 0, mean;

            if (counts[c] > n + 1)
                continue;
            for (int i = n + 1 - counts[c]; i <= n; i++)
                sum += at[i];
            mean = sum / counts[c];
            assert_double_equal(vd__recent_mean(&recent, (uint32_t)counts[c]), mean,
                                1e-5);
            for (int i = n + 1 - counts[c]; i <= n; i++)
                squares += (at[i] - mean) * (at[i] - mean);
            if (counts[c] == RECENT)
                assert_double_equal(vd__recent_spread(&recent), sqrt(squares / RECENT),
                                    1e-5);
        }
    }
}

/* ---- nearest ---- */

static void nearest_is_the_nearest_of_all_older_values(void **state)
{
    static struct vd__nearest set;
    struct vd_rng rng;
    float at[600];

    (void)state;
    memset(&set, 0, sizeof set);
    vd_rng_init(&rng, 4);
    for (int n = 0; n < 600; n++) {
        float x = (float)(vd_rng_normal(&rng) + 3), nearest = INFINITY;

        for (int i = 0; i < n - NEAREST_DELAY; i++)
            nearest = fminf(nearest, fabsf(x - at[i]));
        assert_double_equal(vd__nearest_distance(&set, x),
                            n > NEAREST_DELAY ? nearest : -1, 0);
        at[n] = x;
        vd__nearest_add(&set, x);
    }
    /* A value that is known is not kept twice. */
    assert_int_equal(set.n, 600 - NEAREST_DELAY);
    for (int i = 0; i < 2 * NEAREST_DELAY; i++)
        vd__nearest_add(&set, at[0]);
    assert_int_equal(set.n, 600);
}

static void full_set_gets_coarser_and_forgets_no_part(void **state)
{
    static struct vd__nearest set;
    struct vd_rng rng;
    static float at[SAMPLES];
    uint32_t most = 0;

    (void)state;
    memset(&set, 0, sizeof set);
    vd_rng_init(&rng, 5);
    for (int n = 0; n < SAMPLES; n++) {
        uint32_t before = set.n;

        at[n] = (float)(100 * vd_rng_uniform(&rng));
        vd__nearest_add(&set, at[n]);
        most = set.n > most ? set.n : most;
        if (set.n < before) {
            assert_int_equal(before, NEAREST_MAX);
            assert_in_range(set.n, NEAREST_MAX / 3, NEAREST_MAX * 3 / 4 + 1);
        }
        for (uint32_t i = 1; i < set.n; i++)
            assert_true(set.at[i] - set.at[i - 1] > set.gap || set.at[i] > set.at[i - 1]);
    }
    assert_int_equal(most, NEAREST_MAX);
    assert_true(set.gap > 0 && set.gap < 0.2F);
    for (int n = 0; n < SAMPLES - NEAREST_DELAY; n++)
        assert_true(vd__nearest_distance(&set, at[n]) <= 2 * set.gap);
}

/* The gap starts at 1/8192 of the range and is doubled, no more often than is needed. */
static void gap_is_widened_no_more_than_is_needed(void **state)
{
    static struct vd__nearest set;

    (void)state;
    memset(&set, 0, sizeof set);
    /* 1,024 values, each fourth next to the one before it, and the one too many. */
    for (int n = 0; n < NEAREST_MAX + NEAREST_DELAY; n++)
        vd__nearest_add(&set, n % 4 == 3 ? (float)n - 0.96F : (float)n);
    assert_int_equal(set.n, NEAREST_MAX);
    assert_double_equal(set.gap, 0, 0);
    vd__nearest_add(&set, 5000);
    assert_int_equal(set.n, NEAREST_MAX / 4 * 3 + 1);
    assert_double_equal(set.gap, 1022.04 / 8192, 1e-6);
    assert_double_equal(vd__nearest_distance(&set, 2.04F), 0.04, 1e-6);
}

/* ---- daily ---- */

enum { HOUR = 3600, DAY = 24 * HOUR };

struct seen {
    int64_t hour; /* since 1970 */
    float x;
};

/* The distance to the past day whose samples within two hours of this time of day are the
 * nearest; -1 = none. */
static float nearest_day(const struct seen *seen, int n, int64_t hour, float x)
{
    float nearest = -1;

    for (int64_t back = 1; back < DAILY_DAYS; back++) {
        float low = INFINITY, high = -INFINITY, outside;

        for (int i = 0; i < n; i++) {
            int64_t away = seen[i].hour - (hour - 24 * back);

            if (llabs(away) > DAILY_REACH || seen[i].hour / 24 <= hour / 24 - DAILY_DAYS)
                continue;
            low = fminf(low, seen[i].x);
            high = fmaxf(high, seen[i].x);
        }
        outside = fmaxf(fmaxf(low - x, x - high), 0);
        if (low <= high && (nearest < 0 || outside < nearest))
            nearest = outside;
    }
    return nearest;
}

static void daily_range_is_that_of_the_nearest_past_day(void **state)
{
    static struct vd__daily daily;
    static struct seen seen[SAMPLES];
    struct vd_rng rng;
    int64_t time_s = 20000 * (int64_t)DAY + 5 * HOUR;

    (void)state;
    memset(&daily, 0, sizeof daily);
    vd_rng_init(&rng, 6);
    for (int n = 0; n < 3000; n++) {
        int64_t hour = time_s / HOUR;
        float x = (float)vd_rng_below(&rng, 100000);

        assert_double_equal(vd__daily_push(&daily, time_s, x),
                            nearest_day(seen, n, hour, x), 0);
        seen[n] = (struct seen){hour, x};
        /* Some hours have several samples, some none, and now and then days are left out.
         */
        time_s += (int64_t)vd_rng_below(&rng, 3 * HOUR);
        if (n % 500 == 499)
            time_s += 3 * DAY;
    }
}

static void days_are_forgotten_after_four_weeks_or_a_clock_set_back(void **state)
{
    static const struct {
        int64_t later_s;
        bool known;
    } steps[] = {
        {0, false},
        {DAY, true},
        {27 * DAY, true},
        {28 * DAY, false},
        {40 * DAY, false},
        {-DAY, true},
        {-2 * DAY, false},
        {2 * HOUR, false},
        {DAY + 2 * HOUR, true},
        {DAY + 3 * HOUR, false},
        {DAY - 2 * HOUR, true},
        {DAY - 3 * HOUR, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        static struct vd__daily daily;
        int64_t start = 20000 * (int64_t)DAY + 12 * HOUR;
        float found;

        memset(&daily, 0, sizeof daily);
        assert_double_equal(vd__daily_push(&daily, start - DAY, 7), -1, 0);
        memset(daily.seen, 0, sizeof daily.seen);
        vd__daily_push(&daily, start, 5);
        if (steps[i].later_s == -DAY) {
            /* The day before is still today's past when the clock is right again. */
            vd__daily_push(&daily, start - DAY, 5);
            found = vd__daily_push(&daily, start, 9);
        } else if (steps[i].later_s == -2 * DAY) {
            vd__daily_push(&daily, start - 2 * DAY, 9);
            found = vd__daily_push(&daily, start - 1 * DAY, 9) == 0 ? -1 : 0;
        } else {
            found = vd__daily_push(&daily, start + steps[i].later_s, 9);
        }
        assert_double_equal(found, steps[i].known ? 4 : -1, 0);
    }
}

static void times_out_of_range_are_the_first_day(void **state)
{
    static struct vd__daily daily;
    static const struct {
        int64_t time_s;
        int32_t day, slot;
    } known[] = {
        {0, 0, 0},
        {DAY - 1, 0, 23},
        {DAY, 1, 0},
        {-1, 0, 0},
        {INT64_MIN, 0, 0},
        {INT64_MAX, 0, 0},
        {DAILY_DAY_MAX * (int64_t)DAY + 7 * HOUR, DAILY_DAY_MAX, 7},
        {(DAILY_DAY_MAX + 1) * (int64_t)DAY, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        memset(&daily, 0, sizeof daily);
        vd__daily_push(&daily, known[i].time_s, 1);
        assert_int_equal(daily.day, known[i].day);
        assert_int_equal(daily.slot, known[i].slot);
    }
}

/* ---- course ---- */

static double mean_of(const float *at, int end, int count)
{
    double sum = 0;

    for (int i = end - count; i < end; i++)
        sum += at[i];
    return sum / count;
}

/* The distance of the course that ends before sample `n` to the nearest that is kept. */
static double nearest_course(const float *at, int n, const struct vd__course_kind *kind)
{
    double nearest = -1;
    int step = (int)kind->step, age = (int)kind->age, every = (int)kind->every;
    int kept = 0;

    for (int m = n - n % every; m >= age + COURSE_MEANS * step; m -= every) {
        double squares = 0;

        if (kept++ == COURSE_MAX)
            break;
        for (int k = 0; k < COURSE_MEANS; k++) {
            double apart =
                mean_of(at, n - k * step, step) - mean_of(at, m - age - k * step, step);

            squares += apart * apart;
        }
        if (nearest < 0 || sqrt(squares) < nearest)
            nearest = sqrt(squares);
    }
    return nearest;
}

static void course_is_compared_with_all_earlier_ones(void **state)
{
    static const struct vd__course_kind kinds[] = {{3, 12, 1}, {12, 48, 6}, {5, 20, 3}};
    static float at[1700];

    (void)state;
    for (size_t c = 0; c < sizeof kinds / sizeof *kinds; c++) {
        static struct vd__course course;
        struct vd__recent recent = {.n = 0};
        struct vd_rng rng;

        memset(&course, 0, sizeof course);
        vd_rng_init(&rng, 7 + c);
        for (int n = 1; n <= 1700; n++) {
            float found;

            at[n - 1] = (float)vd_rng_normal(&rng);
            vd__recent_add(&recent, at[n - 1]);
            found = vd__course_push(&course, &kinds[c], &recent);
            if (n < 150 || n % 17 == 0 || n > 1690)
                assert_double_equal(found, nearest_course(at, n, &kinds[c]), 1e-5);
        }
    }
}

/* ---- tail ---- */

/* The lowest distance of a bin: eight bins to an octave, in equal steps. */
static double edge_of(const struct vd__tail *tail, int bin)
{
    int raw = bin + tail->base;

    return ldexp(1 + raw % 8 / 8., raw / 8 - 127);
}

/* What must hold after each sample: the sums are those of the counts, and the tail is the
 * top 5 % as near as whole bins allow. */
static void check_tail(const struct vd__tail *tail)
{
    double n = tail->zeros, above = 0, least = 0, most = 0, share = 0.05 * tail->n;

    for (int i = 0; i < TAIL_BINS; i++) {
        n += tail->count[i];
        if (i < tail->start)
            continue;
        above += tail->count[i];
        least += tail->count[i] * edge_of(tail, i);
        most += tail->count[i] * edge_of(tail, i + 1);
    }
    assert_double_equal(tail->n, n, 1e-6 * n);
    assert_double_equal(tail->above, above, 1e-6 * n);
    assert_true(tail->sum_above >= least * (1 - 1e-9) &&
                tail->sum_above <= most * (1 + 1e-9));
    for (int g = 0; g < TAIL_GROUPS; g++) {
        double sum = 0;

        for (int i = 0; i < TAIL_GROUP; i++)
            sum += tail->count[g * TAIL_GROUP + i];
        assert_double_equal(tail->group[g], sum, 1e-6 * n);
    }
    assert_true(tail->start == 0 || above + tail->count[tail->start - 1] > share);
    assert_true(above <= share || above == tail->count[tail->start]);
}

static double surprise_of(const struct vd__tail *tail, float d)
{
    double as_large = 0, edge = edge_of(tail, tail->start);

    if (d >= edge)
        return log10(tail->n / tail->above) +
               (d - edge) / (tail->sum_above / tail->above - edge) / log(10);
    for (int i = 0; i < TAIL_BINS; i++)
        if (d < edge_of(tail, i + 1))
            as_large += tail->count[i];
    return -log10((as_large + 0.5) / (tail->n + 0.5));
}

static void distances_surprise_by_how_many_were_as_large(void **state)
{
    struct vd__tail tail = {.n = 0};
    struct vd_rng rng;
    double least = 0, halved = 0;

    (void)state;
    vd_rng_init(&rng, 8);
    for (int i = 0; i < SAMPLES; i++) {
        double before = tail.n;
        float d = i % 10 == 9 ? 0 : (float)-log(1 - vd_rng_uniform(&rng)) * 0.3F;

        vd__tail_add(&tail, d, 1500);
        if (tail.n < before) {
            assert_double_equal(before + 1, 1500, 0);
            assert_double_equal(tail.n, 750, 0);
            halved++;
        }
        check_tail(&tail);
        if (i % 10 != 0 || i < 200)
            continue;
        for (double x = 0.001; x < 5; x *= 1.17)
            assert_double_equal(vd__tail_surprise(&tail, (float)x, 30),
                                fmin(surprise_of(&tail, (float)x), 30), 1e-5);
        least = fmax(least, vd__tail_surprise(&tail, 5, 4));
    }
    assert_true(halved == 4);
    assert_double_equal(least, 4, 0);
    assert_double_equal(vd__tail_surprise(&tail, 0, 30), 0, 0);
    assert_double_equal(vd__tail_surprise(&tail, -1, 30), 0, 0);
}

static void first_distances_have_no_law_yet(void **state)
{
    struct vd__tail tail = {.n = 0};

    (void)state;
    assert_double_equal(vd__tail_surprise(&tail, 1, 30), 0, 0);
    for (int i = 0; i < 9; i++)
        vd__tail_add(&tail, 0, 1000);
    assert_double_equal(tail.zeros, 9, 0);
    assert_double_equal(vd__tail_surprise(&tail, 1, 30), 1, 1e-12);
    assert_double_equal(vd__tail_surprise(&tail, 1, 0.5), 0.5, 0);
    vd__tail_add(&tail, 1, 1000);
    assert_double_equal(vd__tail_surprise(&tail, 0.5F, 30), -log10(1.5 / 10.5), 1e-12);
    /* 40 octaves are kept, 16 of them below the first distance. */
    assert_double_equal(edge_of(&tail, 0), 0x1p-16, 0);
    assert_double_equal(edge_of(&tail, TAIL_BINS), 0x1p24, 0);
    vd__tail_add(&tail, 0x1p-30F, 1000);
    vd__tail_add(&tail, 0x1p30F, 1000);
    assert_double_equal(tail.count[0], 1, 0);
    assert_double_equal(tail.count[TAIL_BINS - 1], 1, 0);
}

static void bins_stay_within_the_floats(void **state)
{
    static const float first[] = {0x1p-149F, 0x1p-126F, 0x1.fffffep127F, 1};

    (void)state;
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        struct vd__tail tail = {.n = 0};

        for (int k = 0; k < 100; k++)
            vd__tail_add(&tail, first[i], 1e6);
        assert_in_range(tail.base, 1, TAIL_BASE_MAX);
        assert_true(isfinite(tail.sum_above));
        assert_true(isfinite(vd__tail_surprise(&tail, 0x1.fffffep127F, 30)));
        check_tail(&tail);
    }
}

/* ---- odds ---- */

/* The law that the odds must have learnt from these z, by the same definitions, from all
 * of them. */
struct law {
    double start, rate, shape, scale;
};

static int z_bin(double z)
{
    return (int)fmin(z * ODDS_PER_ONE, ODDS_BINS - 1);
}

static struct law law_of(const double *peak, int n_peaks)
{
    double most = fmin(50, fmax(0.2 * n_peaks, 1)), sum = 0, squares = 0, mean, count = 0;
    struct law law;
    int start;

    /* The tail is the largest peaks: a fifth of them, 50 at the most, one bin at least.
     */
    for (start = ODDS_BINS; start > 1; start--) {
        int with = 0;

        for (int i = 0; i < n_peaks; i++)
            with += z_bin(peak[i]) >= start - 1;
        if (count > 0 && with > most)
            break;
        count = with;
    }
    law.start = (double)start / ODDS_PER_ONE;
    for (int i = 0; i < n_peaks; i++)
        if (z_bin(peak[i]) >= start) {
            double excess = (z_bin(peak[i]) + 0.5) / ODDS_PER_ONE - law.start;

            sum += excess;
            squares += excess * excess;
        }
    law.rate = fmax(count, 0.5) / (n_peaks * ODDS_BLOCK);
    /* Ten peaks of 0.35 and fifty of the shape 0.1 are known beforehand. */
    mean = (10 * 0.35 + sum) / (10 + count);
    law.shape = 0.1;
    if (count > 2) {
        double m = sum / count, variance = squares / count - m * m;
        double own = variance > 1e-9 * m * m ? (1 - m * m / variance) / 2 : 0;

        law.shape = fmax((50 * 0.1 + count * own) / (50 + count), 0);
    }
    law.scale = mean * (1 - law.shape);
    return law;
}

static double draw(struct vd_rng *rng, int kind)
{
    double u = 1 - vd_rng_uniform(rng);

    return kind == 0   ? -log(u) * 0.3             /* exponential */
           : kind == 1 ? 1.5 * u                   /* never above a bound */
           : kind == 2 ? 0.01 * (pow(u, -0.8) - 1) /* heavy */
           : kind == 3 ? (u < 0.001 ? 3.0 : 0.5)   /* two values */
                       : 2.0 * (u < 0.01) + u * u; /* a hump far away */
}

static void odds_are_those_of_what_came(void **state)
{
    static double z[9000], peak[9000 / ODDS_BLOCK];
    int bounded = 0, heavy = 0;

    (void)state;
    for (int kind = 0; kind < 5; kind++) {
        static struct vd__odds odds;
        struct vd_rng rng;

        memset(&odds, 0, sizeof odds);
        vd_rng_init(&rng, 20 + (uint64_t)kind);
        for (int n = 1; n <= 9000; n++) {
            struct law law;
            int blocks = n / ODDS_BLOCK;

            z[n - 1] = draw(&rng, kind);
            if (n < ODDS_BLOCK)
                assert_double_equal(vd__odds_surprise(&odds, 3), 0, 0);
            vd__odds_add(&odds, z[n - 1]);
            if (n % ODDS_BLOCK != 0)
                continue;
            peak[blocks - 1] = 0;
            for (int i = n - ODDS_BLOCK; i < n; i++)
                peak[blocks - 1] = fmax(peak[blocks - 1], z[i]);
            if (blocks > 10 && blocks % 10 != 0)
                continue;
            law = law_of(peak, blocks);
            bounded += law.shape == 0;
            heavy += law.shape > 0.101;
            for (double at = 0; at < 9; at += 0.0937) {
                double above = 0, expected;

                for (int i = 0; i < n; i++)
                    above += z_bin(z[i]) >= z_bin(at);
                expected = -log10((above + 0.5) / (n + 0.5));
                if (at >= law.start) {
                    double away = (at - law.start) / law.scale;

                    expected =
                        -log10(law.rate) +
                        (law.shape > 1e-6 ? log1p(law.shape * away) / law.shape : away) /
                            log(10);
                }
                assert_double_equal(vd__odds_surprise(&odds, at), fmax(expected, 0),
                                    1e-5);
            }
        }
    }
    assert_true(bounded > 0 && heavy > 0);
}

static void the_past_fades(void **state)
{
    static struct vd__odds odds;
    double rows = 0, peaks = 0;

    (void)state;
    memset(&odds, 0, sizeof odds);
    for (int i = 0; i < 20 * ODDS_BLOCK; i++)
        vd__odds_add(&odds, i % 100 / 50.);
    vd__odds_fade(&odds); /* 1,200 samples are not too many */
    assert_double_equal(odds.n, 1200, 0);
    for (int i = 0; i < 20 * ODDS_BLOCK; i++)
        vd__odds_add(&odds, i % 100 / 50.);
    assert_double_equal(odds.n_peaks, 40, 0);
    vd__odds_fade(&odds);
    for (int i = 0; i < ODDS_BINS; i++) {
        rows += odds.rows[i];
        peaks += odds.peaks[i];
    }
    assert_double_equal(odds.n, 1200, 1e-9);
    assert_double_equal(rows, 1200, 1e-3);
    assert_double_equal(odds.n_peaks, 20, 1e-9);
    assert_double_equal(peaks, 20, 1e-3);
    /* A million samples are halved. */
    odds.n = 1e6 - ODDS_BLOCK - 1;
    for (int i = 0; i < ODDS_BLOCK; i++)
        vd__odds_add(&odds, 0.5);
    assert_double_equal(odds.n, 1e6 - 1, 0);
    for (int i = 0; i < ODDS_BLOCK; i++)
        vd__odds_add(&odds, 0.5);
    assert_double_equal(odds.n, (1e6 - 1 + ODDS_BLOCK) / 2, 1e-6);
    assert_double_equal(odds.n_peaks, 11, 1e-9);
}

/* ---- the stream ---- */

/* Each alarm adds to two habits, which fade; what z is beyond them decides, and
 * after an alarm there is none for a tenth of the memory. */
static void alarms_are_what_goes_beyond_the_habits(void **state)
{
    const struct vd_stream_params params = {
        .warm_up = 40, .memory = 50, .threshold = 0.15};
    double fast = 0, slow = 0;
    int last = 0, alarms = 0, rests = 0;
    struct vd_rng rng;
    vd_stream *stream;

    (void)state;
    vd_rng_init(&rng, 9);
    assert_int_equal(vd_stream_new(&stream, &params), VD_OK);
    for (int n = 1; n <= 3000; n++) {
        double x = vd_rng_normal(&rng) + (n % 200 >= 150 && n % 200 < 170 ? 9 : 0);
        double sum = 0, left, score;
        struct vd_stream_verdict v;
        int known = 0;
        bool raised;

        vd_stream_push(stream, 1700000000 + n * 60, x, &v);
        for (int i = 0; i < VD_STREAM_PARTS; i++)
            if (!isnan(v.part[i])) {
                sum += sqrt(v.part[i]);
                known++;
            }
        assert_double_equal(v.z, known > 0 ? fmin(sum / known * (sum / known), 8) : 0,
                            1e-12);
        fast *= exp(-1 / 25.);
        slow *= exp(-1 / 500.);
        left = v.z - fast - slow;
        raised = left >= 0.15 && (last == 0 || n - last > 5);
        rests += left >= 0.15 && !raised;
        if (raised) {
            fast += 0.6;
            slow += 0.1;
            last = n;
        }
        assert_int_equal(v.ready, n > 40);
        assert_int_equal(v.alarm, raised && n > 40);
        score = v.alarm ? fmin(0.5 + (left - 0.15) / 16, 1)
                        : fmin(0.5 * fmax(left, 0) / 0.15, 0.499);
        assert_double_equal(v.score, v.ready ? score : 0, 1e-9);
        alarms += v.alarm;
    }
    assert_true(alarms > 10 && rests > 5);
    vd_stream_free(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recent_means_and_spreads_are_those_of_the_last_samples),
        cmocka_unit_test(nearest_is_the_nearest_of_all_older_values),
        cmocka_unit_test(full_set_gets_coarser_and_forgets_no_part),
        cmocka_unit_test(gap_is_widened_no_more_than_is_needed),
        cmocka_unit_test(daily_range_is_that_of_the_nearest_past_day),
        cmocka_unit_test(days_are_forgotten_after_four_weeks_or_a_clock_set_back),
        cmocka_unit_test(times_out_of_range_are_the_first_day),
        cmocka_unit_test(course_is_compared_with_all_earlier_ones),
        cmocka_unit_test(distances_surprise_by_how_many_were_as_large),
        cmocka_unit_test(first_distances_have_no_law_yet),
        cmocka_unit_test(bins_stay_within_the_floats),
        cmocka_unit_test(odds_are_those_of_what_came),
        cmocka_unit_test(the_past_fades),
        cmocka_unit_test(alarms_are_what_goes_beyond_the_habits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
