/* Model bundles. The first byte chooses: the rest as a whole file, or the rest as a list
 * of changes (place: 3 bytes, new value: 1 byte) to a good bundle of small detectors,
 * whose checksum is then made right, so that the loaders behind it are reached. What
 * loads must score a row without harm. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "vedette/ensemble.h"
#include "vedette/model.h"
#include "vedette/rng.h"
#include "vedette/xgboost.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { N = 40, D = 3, HEADER = 24 };

static const char tree[] =
    "{\"learner\":{\"gradient_booster\":{\"name\":\"gbtree\",\"model\":{\"trees\":[{"
    "\"left_children\":[1,-1,-1],\"right_children\":[2,-1,-1],\"split_indices\":[0,0,0],"
    "\"split_conditions\":[0.5,-0.5,0.4],\"sum_hessian\":[9,4,5]}]}},\"learner_model_"
    "param\":{\"base_score\":"
    "\"5E-1\",\"num_feature\":\"3\"},\"objective\":{\"name\":\"binary:logistic\"}}}";

static void add(vd_model *model, vd_detector *detector)
{
    struct vd_calibration calibration;
    double scores[N];

    for (size_t i = 0; i < N; i++)
        scores[i] = (double)i;
    assert(vd_calibration_fit(&calibration, scores, N, NULL) == VD_OK);
    assert(vd_model_take(model, detector, &calibration, 2, NULL) == VD_OK);
}

/* A detector that is small: what a change hits should matter. */
struct small {
    const char *name;
    struct vd_setting setting[5];
    size_t n;
};

static const struct small smalls[] = {
    {"isolation_forest", {{"n_trees", 3}, {"max_samples", 16}}, 2},
    {"one_class_svm", {{0}}, 0},
    {"lof", {{0}}, 0},
    {"pca", {{0}}, 0},
    {"mahalanobis", {{0}}, 0},
    {"random_forest", {{"n_trees", 3}}, 1},
    {"agent", {{"updates", 10}}, 1},
    {"ensemble",
     {{"isolation_forest.n_trees", 3},
      {"isolation_forest.max_samples", 16},
      {"random_forest.n_trees", 3},
      {"agent.updates", 10},
      {"xgboost.n_rounds", 3}},
     5},
};

static void fit_and_add(vd_model *model, const struct small *small,
                        const struct vd_matrix *x, const uint8_t *labels)
{
    struct vd_fit_params params = vd_fit_params_default();
    vd_detector *detector;

    if (vd_detector_find(small->name)->unavailable != NULL)
        return;
    params.settings = small->setting;
    params.n_settings = small->n;
    assert(vd_detector_fit(&detector, small->name, x, labels, &params, NULL) == VD_OK);
    add(model, detector);
}

/* Made once; the fuzzer's process keeps it. */
static const struct vd_writer *good_bundle(void)
{
    static const char *const columns[D] = {"a", "b", "c"};
    static struct vd_writer bundle;
    uint8_t labels[N];
    struct vd_matrix x;
    struct vd_rng rng;
    vd_detector *xgboost;
    vd_model *model;

    if (bundle.size > 0)
        return &bundle;
    vd_rng_init(&rng, 1);
    assert(vd_matrix_init(&x, N, D) == VD_OK);
    for (size_t i = 0; i < N * D; i++)
        x.at[i] = vd_rng_normal(&rng);
    for (size_t i = 0; i < N; i++)
        labels[i] = i % 4 == 0;
    assert(vd_model_new(&model, columns, D, NULL) == VD_OK);
    for (size_t i = 0; i < sizeof smalls / sizeof *smalls; i++)
        fit_and_add(model, &smalls[i], &x, labels);
    assert(vd_xgboost_from_json(&xgboost, tree, sizeof tree - 1, NULL) == VD_OK);
    add(model, xgboost);
    vd_model_save(model, &bundle);
    assert(bundle.status == VD_OK);
    vd_model_free(model);
    vd_matrix_release(&x);
    return &bundle;
}

static void try_bundle(const uint8_t *bytes, size_t size)
{
    const double zeros[64] = {0};
    const struct vd_model_entry *entry;
    struct vd_error err = {0};
    vd_model *model;

    if (vd_model_load(&model, bytes, size, &err) != VD_OK) {
        assert(model == NULL && err.text[0] != '\0');
        return;
    }
    for (size_t i = 0; (entry = vd_model_at(model, i)) != NULL; i++)
        if (vd_model_columns(model) <= 64) {
            double raw = vd_detector_score(entry->detector, zeros), share[64];

            assert(isfinite(raw));
            (void)vd_detector_explain(entry->detector, zeros, share);
            assert(!isnan(vd_calibration_surprise(&entry->calibration, raw)));
        }
    vd_model_free(model);
}

static void try_changed(const uint8_t *data, size_t size)
{
    const struct vd_writer *good = good_bundle();
    struct vd_writer w = {0};
    uint32_t crc;

    vd_write_bytes(&w, good->at, good->size);
    assert(w.status == VD_OK);
    for (; size >= 4; data += 4, size -= 4) {
        size_t at =
            ((size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2]) % (w.size - HEADER);

        w.at[HEADER + at] = data[3];
    }
    crc = vd_crc32c(0, w.at + HEADER, w.size - HEADER);
    for (size_t i = 0; i < 4; i++)
        w.at[HEADER - 4 + i] = (uint8_t)(crc >> (8 * i));
    try_bundle(w.at, w.size);
    vd_writer_release(&w);
}

static void try_json(const uint8_t *data, size_t size)
{
    const double zeros[64] = {0};
    double share[64];
    vd_detector *detector;

    if (vd_xgboost_from_json(&detector, (const char *)data, size, NULL) != VD_OK)
        return;
    if (vd_detector_columns(detector) <= 64) {
        assert(isfinite(vd_detector_score(detector, zeros)));
        (void)vd_detector_explain(detector, zeros, share);
    }
    vd_detector_free(detector);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 'j')
        try_json(data + 1, size - 1);
    else if (data[0] == 'c')
        try_changed(data + 1, size - 1);
    else
        try_bundle(data + 1, size - 1);
    return 0;
}
