/* lib/model: bundles in and out, and every way they can be wrong. */
#include "unit.h"

#include <string.h>

#include "vedette/model.h"
#include "vedette/rng.h"

enum { N = 200, D = 3 };

static const char *const columns[D] = {"cpu_percent", "cpu_memory", "disk_busy{sda}"};

static void make_rows(struct vd_matrix *x)
{
    struct vd_rng rng;

    vd_rng_init(&rng, 4);
    assert_int_equal(vd_matrix_init(x, N, D), VD_OK);
    for (size_t i = 0; i < N * D; i++)
        x->at[i] = vd_rng_normal(&rng);
}

static void add(vd_model *model, const struct vd_matrix *x, const char *name)
{
    struct vd_setting small[] = {{"n_trees", 10}};
    struct vd_fit_params params = vd_fit_params_default();
    struct vd_calibration calibration;
    double scores[N];
    vd_detector *detector;

    params.settings = small;
    params.n_settings = strcmp(name, "isolation_forest") == 0;
    assert_int_equal(vd_detector_fit(&detector, name, x, NULL, &params, NULL), VD_OK);
    vd_detector_score_many(detector, x, scores, 1);
    assert_int_equal(vd_calibration_fit(&calibration, scores, N, NULL), VD_OK);
    assert_int_equal(vd_model_take(model, detector, &calibration, 2.5, NULL), VD_OK);
}

static vd_model *make_model(const struct vd_matrix *x)
{
    vd_model *model;

    assert_int_equal(vd_model_new(&model, columns, D, NULL), VD_OK);
    vd_model_set_time(model, -5);
    add(model, x, "isolation_forest");
    add(model, x, "pca");
    return model;
}

static void a_bundle_comes_back_whole(void **state)
{
    struct vd_writer w = {0};
    struct vd_matrix x;
    vd_model *model, *loaded;

    (void)state;
    make_rows(&x);
    model = make_model(&x);
    vd_model_save(model, &w);
    assert_int_equal(w.status, VD_OK);
    assert_int_equal(vd_model_load(&loaded, w.at, w.size, NULL), VD_OK);
    assert_true(vd_model_time(loaded) == -5);
    assert_int_equal(vd_model_columns(loaded), D);
    assert_string_equal(vd_model_column(loaded, 2), "disk_busy{sda}");
    assert_null(vd_model_column(loaded, D));
    for (size_t k = 0; k < 2; k++) {
        const struct vd_model_entry *a = vd_model_at(model, k),
                                    *b = vd_model_at(loaded, k);

        assert_ptr_equal(vd_detector_describe(a->detector),
                         vd_detector_describe(b->detector));
        assert_true(a->threshold == b->threshold);
        for (size_t i = 0; i < N; i++) {
            double raw = vd_detector_score(a->detector, vd_matrix_row(&x, i));

            assert_true(raw == vd_detector_score(b->detector, vd_matrix_row(&x, i)));
            assert_true(vd_calibration_surprise(&a->calibration, raw) ==
                        vd_calibration_surprise(&b->calibration, raw));
        }
    }
    assert_null(vd_model_at(loaded, 2));
    assert_non_null(vd_model_find(loaded, "pca"));
    assert_null(vd_model_find(loaded, "lof"));
    vd_model_free(model);
    vd_model_free(loaded);
    vd_writer_release(&w);
    vd_matrix_release(&x);
}

static void a_second_of_a_name_replaces_the_first(void **state)
{
    struct vd_matrix x;
    vd_model *model;

    (void)state;
    make_rows(&x);
    model = make_model(&x);
    add(model, &x, "pca");
    assert_non_null(vd_model_at(model, 1));
    assert_null(vd_model_at(model, 2));
    vd_model_free(model);
    vd_matrix_release(&x);
}

static void columns_are_found_or_named(void **state)
{
    const char *const here[] = {"disk_busy{sda}", "load", "cpu_percent", "cpu_memory"};
    struct vd_error err = {0};
    struct vd_matrix x;
    size_t index[D];
    vd_model *model;

    (void)state;
    make_rows(&x);
    model = make_model(&x);
    assert_int_equal(vd_model_map(model, here, 4, index, &err), VD_OK);
    assert_int_equal(index[0], 2);
    assert_int_equal(index[1], 3);
    assert_int_equal(index[2], 0);
    assert_int_equal(vd_model_map(model, here, 2, index, &err), VD_ERR_SCHEMA);
    assert_non_null(strstr(err.text, "cpu_percent, cpu_memory"));
    assert_true(err.hint[0] != '\0');
    vd_model_free(model);
    vd_matrix_release(&x);
}

static void other_columns_and_thresholds_are_refused(void **state)
{
    const char *const twice[] = {"a", "b", "a"}, *const empty[] = {"a", ""};
    struct vd_calibration calibration = {0};
    struct vd_error err = {0};
    struct vd_matrix x, narrow;
    vd_detector *detector;
    vd_model *model, *bad;

    (void)state;
    make_rows(&x);
    model = make_model(&x);
    narrow = (struct vd_matrix){.n = N, .d = D - 1, .at = x.at};
    assert_int_equal(vd_detector_fit(&detector, "pca", &narrow, NULL, NULL, NULL), VD_OK);
    assert_int_equal(vd_model_take(model, detector, &calibration, 1, &err),
                     VD_ERR_SCHEMA);
    assert_non_null(strstr(err.text, "2 columns, the model has 3"));
    assert_int_equal(vd_detector_fit(&detector, "pca", &x, NULL, NULL, NULL), VD_OK);
    assert_int_equal(vd_model_take(model, detector, &calibration, 0, NULL),
                     VD_ERR_ARGUMENT);
    assert_int_equal(vd_model_new(&bad, twice, 3, NULL), VD_ERR_SCHEMA);
    assert_int_equal(vd_model_new(&bad, empty, 2, NULL), VD_ERR_SCHEMA);
    assert_int_equal(vd_model_new(&bad, twice, 0, NULL), VD_ERR_ARGUMENT);
    vd_model_free(model);
    vd_matrix_release(&x);
}

static void refused(const uint8_t *bytes, size_t size, enum vd_status status,
                    const char *text)
{
    struct vd_error err = {0};
    vd_model *model;

    assert_int_equal(vd_model_load(&model, bytes, size, &err), status);
    assert_null(model);
    assert_non_null(strstr(err.text, text));
    assert_true(err.hint[0] != '\0');
}

/* Every bit of the file is under the magic, the version, the length or the checksum. */
static void no_damage_goes_unnoticed(void **state)
{
    struct vd_writer w = {0};
    struct vd_matrix x;
    vd_model *model;

    (void)state;
    make_rows(&x);
    model = make_model(&x);
    vd_model_save(model, &w);
    for (size_t at = 0; at < w.size; at += at < 64 ? 1 : 97) {
        struct vd_error err = {0};
        vd_model *loaded;

        w.at[at] ^= (uint8_t)(1 << at % 8);
        assert_int_not_equal(vd_model_load(&loaded, w.at, w.size, &err), VD_OK);
        assert_true(err.text[0] != '\0');
        w.at[at] ^= (uint8_t)(1 << at % 8);
    }
    for (size_t size = 0; size < w.size; size += 1 + size / 16)
        assert_int_not_equal(vd_model_load(&(vd_model *){NULL}, w.at, size, NULL), VD_OK);
    refused((const uint8_t *)"{\"model\": 1}", 12, VD_ERR_FORMAT, "not a model");
    refused(w.at, 15, VD_ERR_FORMAT, "ends in its header");
    refused(w.at, w.size - 1, VD_ERR_FORMAT, "cut short");
    w.at[w.size / 2] ^= 1;
    refused(w.at, w.size, VD_ERR_FORMAT, "checksum");
    w.at[w.size / 2] ^= 1;
    w.at[8] = 9;
    refused(w.at, w.size, VD_ERR_VERSION, "version 9");
    vd_model_free(model);
    vd_writer_release(&w);
    vd_matrix_release(&x);
}

/* With the checksum made right, the loaders behind it are on their own. */
static void forged_bundles_do_no_harm(void **state)
{
    struct vd_writer w = {0};
    struct vd_matrix x;
    struct vd_rng rng;
    vd_model *model;

    (void)state;
    make_rows(&x);
    model = make_model(&x);
    vd_model_save(model, &w);
    vd_rng_init(&rng, 8);
    for (size_t trial = 0; trial < 1000; trial++) {
        size_t at = 24 + (size_t)vd_rng_below(&rng, trial % 2 == 0 ? 1500 : w.size - 24);
        uint8_t keep = w.at[at];
        uint32_t crc;
        vd_model *loaded;

        w.at[at] = (uint8_t)vd_rng_next(&rng);
        crc = vd_crc32c(0, w.at + 24, w.size - 24);
        for (size_t i = 0; i < 4; i++)
            w.at[20 + i] = (uint8_t)(crc >> (8 * i));
        if (vd_model_load(&loaded, w.at, w.size, NULL) == VD_OK) {
            const struct vd_model_entry *entry;

            for (size_t i = 0; (entry = vd_model_at(loaded, i)) != NULL; i++)
                vd_detector_score(entry->detector, x.at);
            vd_model_free(loaded);
        }
        w.at[at] = keep;
    }
    vd_model_free(model);
    vd_writer_release(&w);
    vd_matrix_release(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_comes_back_whole),
        cmocka_unit_test(a_second_of_a_name_replaces_the_first),
        cmocka_unit_test(columns_are_found_or_named),
        cmocka_unit_test(other_columns_and_thresholds_are_refused),
        cmocka_unit_test(no_damage_goes_unnoticed),
        cmocka_unit_test(forged_bundles_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
