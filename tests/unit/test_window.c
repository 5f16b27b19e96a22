/* lib/feature/window: ticks side by side, and windowed PCA on them. */
#include "unit.h"

#include <math.h>

#include "vedette/detector.h"
#include "vedette/rng.h"
#include "vedette/window.h"

static void live_and_batch_give_the_same_rows(void **state)
{
    struct vd_matrix x, wide;
    struct vd_window w;
    size_t full = 0;

    (void)state;
    assert_int_equal(vd_matrix_init(&x, 7, 2), VD_OK);
    for (size_t i = 0; i < 14; i++)
        x.at[i] = (double)i;
    assert_int_equal(vd_window_rows(&wide, &x, 3), VD_OK);
    assert_int_equal(wide.n, 5);
    assert_int_equal(wide.d, 6);
    assert_int_equal(vd_window_init(&w, 3, 2), VD_OK);
    for (size_t i = 0; i < 7; i++)
        if (vd_window_push(&w, vd_matrix_row(&x, i))) {
            assert_memory_equal(w.at, vd_matrix_row(&wide, full), 6 * sizeof(double));
            full++;
        }
    assert_int_equal(full, 5);
    vd_window_clear(&w);
    assert_false(vd_window_push(&w, x.at));
    vd_window_release(&w);
    vd_matrix_release(&wide);
    assert_int_equal(vd_window_rows(&wide, &x, 8), VD_ERR_DATA);
    assert_int_equal(vd_window_init(&w, 0, 2), VD_ERR_ARGUMENT);
    vd_window_release(NULL);
    vd_matrix_release(&x);
}

/* A wave that stands still: every value is a usual one, only its course is not. Single
 * rows cannot see it, windows do. */
static void a_stuck_wave_shows_in_windows_only(void **state)
{
    const struct vd_setting settings[] = {{"variance", 0.8}};
    struct vd_fit_params params = vd_fit_params_default();
    struct vd_matrix x, wide;
    vd_detector *pca;
    struct vd_window w;
    struct vd_rng rng;
    double moving, stuck, row[2];

    (void)state;
    vd_rng_init(&rng, 1);
    params.settings = settings;
    params.n_settings = 1;
    assert_int_equal(vd_matrix_init(&x, 500, 2), VD_OK);
    for (size_t i = 0; i < 500; i++) {
        vd_matrix_row(&x, i)[0] = sin((double)i / 2) + 0.05 * vd_rng_normal(&rng);
        vd_matrix_row(&x, i)[1] = cos((double)i / 2) + 0.05 * vd_rng_normal(&rng);
    }
    assert_int_equal(vd_window_rows(&wide, &x, 10), VD_OK);
    assert_int_equal(vd_detector_fit(&pca, "pca", &wide, NULL, &params, NULL), VD_OK);
    assert_int_equal(vd_window_init(&w, 10, 2), VD_OK);
    for (size_t i = 0; i < 10; i++) {
        row[0] = sin((double)i / 2 + 0.3);
        row[1] = cos((double)i / 2 + 0.3);
        vd_window_push(&w, row);
    }
    moving = vd_detector_score(pca, w.at);
    for (size_t i = 0; i < 10; i++)
        vd_window_push(&w, row);
    stuck = vd_detector_score(pca, w.at);
    assert_true(moving < vd_detector_threshold(pca));
    assert_true(stuck > 10 * vd_detector_threshold(pca));
    vd_detector_free(pca);
    vd_window_release(&w);
    vd_matrix_release(&wide);
    vd_matrix_release(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(live_and_batch_give_the_same_rows),
        cmocka_unit_test(a_stuck_wave_shows_in_windows_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
