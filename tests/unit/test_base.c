/* lib/base: random numbers, statistics, bytes, status, threads. */
#include "unit.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/threads.h"
#include "vedette/bytes.h"
#include "vedette/matrix.h"
#include "vedette/rng.h"
#include "vedette/stats.h"

static void rng_repeats_and_streams_differ(void **state)
{
    struct vd_rng a, b, c;

    (void)state;
    vd_rng_init_stream(&a, 7, 0);
    vd_rng_init_stream(&b, 7, 0);
    vd_rng_init_stream(&c, 7, 1);
    for (int i = 0; i < 100; i++) {
        uint64_t x = vd_rng_next(&a);

        assert_int_equal(x, vd_rng_next(&b));
        assert_int_not_equal(x, vd_rng_next(&c));
    }
}

static void rng_draws_fit_their_distributions(void **state)
{
    enum { N = 100000 };
    struct vd_moments uniform = {0}, normal = {0};
    size_t count[7] = {0};
    struct vd_rng rng;

    (void)state;
    vd_rng_init(&rng, 1);
    for (int i = 0; i < N; i++) {
        double u = vd_rng_uniform(&rng);

        assert_true(u >= 0 && u < 1);
        vd_moments_add(&uniform, u);
        vd_moments_add(&normal, vd_rng_normal(&rng));
        count[vd_rng_below(&rng, 7)]++;
    }
    assert_double_equal(uniform.mean, 0.5, 0.005);
    assert_double_equal(vd_moments_variance(&uniform), 1.0 / 12, 0.002);
    assert_double_equal(normal.mean, 0, 0.015);
    assert_double_equal(vd_moments_variance(&normal), 1, 0.02);
    for (int i = 0; i < 7; i++)
        assert_double_equal((double)count[i] / N, 1.0 / 7, 0.006);
}

static void rng_sample_is_a_permutation(void **state)
{
    size_t index[50];
    bool seen[50] = {false};
    struct vd_rng rng;

    (void)state;
    vd_rng_init(&rng, 3);
    vd_rng_sample(&rng, index, 50, 50);
    for (int i = 0; i < 50; i++) {
        assert_false(seen[index[i]]);
        seen[index[i]] = true;
    }
}

static void stats_match_hand_worked_numbers(void **state)
{
    double x[] = {3, 1, 4, 1, 5, 9, 2, 6};
    struct vd_moments m = {0};

    (void)state;
    for (int i = 0; i < 8; i++)
        vd_moments_add(&m, x[i]);
    assert_double_equal(vd_mean(x, 8), 3.875, 1e-12);
    assert_double_equal(vd_variance(x, 8, 1), 7.5535714285714, 1e-12);
    assert_double_equal(vd_moments_variance(&m), 7.5535714285714, 1e-12);
    assert_double_equal(vd_median(x, 8), 3.5, 0);
    assert_double_equal(vd_quantile_sorted(x, 8, 0.25), 1.75, 1e-12);
    assert_double_equal(vd_mad(x, 8, 3.5), 1.4826 * 2, 1e-12);
    assert_true(isnan(vd_mean(x, 0)) && isnan(vd_variance(x, 1, 1)));
}

/* Sorts so many numbers that it is done by their bits, and few. */
static void sorting_puts_all_numbers_in_order(void **state)
{
    static const double others[] = {INFINITY, -INFINITY, 0.0,   -0.0,   NAN,    -NAN,
                                    1e-310,   -1e-310,   1e308, -1e308, 5e-324, 1};
    enum { MOST = 6000, OTHERS = sizeof others / sizeof *others };
    static double x[MOST];
    struct vd_rng rng;

    (void)state;
    vd_rng_init(&rng, 8);
    for (size_t n = 0; n <= MOST; n = n < 5 ? n + 1 : n < 3000 ? 3 * n : n + 1000) {
        double sum = 0, sorted = 0;
        size_t numbers = 0;

        for (size_t i = 0; i < n; i++) {
            x[i] = i < OTHERS ? others[i]
                              : floor(1000 * vd_rng_normal(&rng)) *
                                    pow(2, (double)vd_rng_below(&rng, 4) - 2);
            sum += isfinite(x[i]) && fabs(x[i]) < 1e300 ? x[i] : 0;
            numbers += !isnan(x[i]);
        }
        vd_sort(x, n);
        for (size_t i = 0; i < n; i++) {
            sorted += isfinite(x[i]) && fabs(x[i]) < 1e300 ? x[i] : 0;
            assert_int_equal(isnan(x[i]), i >= numbers);
            assert_true(i == 0 || i >= numbers || x[i - 1] <= x[i]);
        }
        assert_double_equal(sorted, sum, 1e-6);
    }
}

static void bytes_come_back_and_short_input_fails(void **state)
{
    struct vd_writer w = {0};
    struct vd_reader r;
    char text[8];

    (void)state;
    vd_write_u8(&w, 200);
    vd_write_u32(&w, 0xdeadbeef);
    vd_write_f64(&w, -1.5);
    vd_write_text(&w, "abc");
    assert_int_equal(w.status, VD_OK);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(vd_read_u8(&r), 200);
    assert_int_equal(vd_read_u32(&r), 0xdeadbeef);
    assert_true(vd_read_f64(&r) == -1.5);
    vd_read_text(&r, text, sizeof text);
    assert_string_equal(text, "abc");
    assert_false(r.failed);
    assert_int_equal(vd_read_u64(&r), 0);
    assert_true(r.failed);
    vd_reader_init(&r, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    assert_int_equal(vd_read_count(&r, 8), 0);
    assert_true(r.failed);
    vd_reader_init(&r, "\3\0\0\0a\0c", 7);
    vd_read_text(&r, text, sizeof text);
    assert_string_equal(text, "");
    assert_true(r.failed);
    vd_writer_release(&w);
}

static void crc_matches_the_published_check_value(void **state)
{
    (void)state;
    assert_int_equal(vd_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(vd_crc32c(vd_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

static void first_error_wins(void **state)
{
    struct vd_error err = {0};

    (void)state;
    assert_int_equal(vd_error_set(&err, VD_ERR_DATA, "do this", "row %d", 3),
                     VD_ERR_DATA);
    assert_int_equal(vd_error_set(&err, VD_ERR_IO, NULL, "later"), VD_ERR_IO);
    assert_string_equal(err.text, "row 3");
    assert_string_equal(err.hint, "do this");
    assert_int_equal(err.status, VD_ERR_DATA);
    assert_int_equal(vd_error_set(NULL, VD_ERR_IO, NULL, "nobody reads"), VD_ERR_IO);
    assert_string_equal(vd_status_text(VD_ERR_SCHEMA), "made for other columns");
}

static void too_large_is_no_memory(void **state)
{
    struct vd_matrix m;

    (void)state;
    assert_null(vd__alloc(SIZE_MAX / 2, 8));
    assert_int_equal(vd_matrix_init(&m, SIZE_MAX / 4, 8), VD_ERR_MEMORY);
    assert_int_equal(vd_matrix_init(&m, 3, 2), VD_OK);
    vd_matrix_row(&m, 2)[1] = 5;
    assert_true(m.at[5] == 5);
    vd_matrix_release(&m);
    vd_matrix_release(NULL);
}

static void count_item(void *context, size_t i)
{
    atomic_int *count = context;

    atomic_fetch_add(&count[i], 1);
}

static void parallel_for_does_each_item_once(void **state)
{
    for (unsigned threads = 0; threads < 5; threads++) {
        atomic_int count[100] = {0};

        vd__parallel_for(100, threads, count_item, count);
        for (int i = 0; i < 100; i++)
            assert_int_equal(count[i], 1);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorting_puts_all_numbers_in_order),
        cmocka_unit_test(rng_repeats_and_streams_differ),
        cmocka_unit_test(rng_draws_fit_their_distributions),
        cmocka_unit_test(rng_sample_is_a_permutation),
        cmocka_unit_test(stats_match_hand_worked_numbers),
        cmocka_unit_test(bytes_come_back_and_short_input_fails),
        cmocka_unit_test(crc_matches_the_published_check_value),
        cmocka_unit_test(first_error_wins),
        cmocka_unit_test(too_large_is_no_memory),
        cmocka_unit_test(parallel_for_does_each_item_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
