/* XGBoost: T. Chen, C. Guestrin, KDD 2016. libxgboost (xgboost_api.c) trains; its model
 * is read from its own JSON (xgboost_json.c) and laid out flat (trees.c), so scoring does
 * not need the library.
 *
 * The raw score is the predicted probability of an anomaly. It equals XGBoosterPredict's
 * within 1e-6: XGBoost adds floats, this adds doubles. The threshold is 1/2.
 */
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/real.h"
#include "detect/scaler.h"
#include "detect/tree/xgboost_api.h"
#include "detect/tree/xgboost_json.h"
#include "vedette/xgboost.h"

enum param {
    ROUNDS,
    MAX_DEPTH,
    LEARNING_RATE,
    MIN_CHILD_WEIGHT,
    LAMBDA,
    GAMMA,
    SUBSAMPLE,
    COLSAMPLE,
    CLASS_WEIGHT,
    METHOD,
    N_PARAMS
};

static const struct vd_param params[N_PARAMS] = {
    [ROUNDS] = {"n_rounds", "number of trees", NULL, 100, 1, 10000},
    [MAX_DEPTH] = {"max_depth", "levels of a tree", NULL, 6, 1, 32},
    [LEARNING_RATE] = {"learning_rate", "weight of each tree", NULL, 0.3, 1e-4, 1},
    [MIN_CHILD_WEIGHT] = {"min_child_weight", "least weight in a leaf", NULL, 1, 0, 1e6},
    [LAMBDA] = {"lambda", "squared penalty of leaves", NULL, 1, 0, 1e6},
    [GAMMA] = {"gamma", "least gain of a split", NULL, 0, 0, 1e6},
    [SUBSAMPLE] = {"subsample", "share of the rows for each tree", NULL, 1, 0.01, 1},
    [COLSAMPLE] = {"colsample", "share of the columns for each tree", NULL, 1, 0.01, 1},
    [CLASS_WEIGHT] = {"class_weight", "weight of anomalies by their rarity",
                      "equal|balanced", 0, 0, 1},
    [METHOD] = {"tree_method", "how splits are found", "hist|exact", 0, 0, 1},
};

static double xgboost_score(const vd_detector *self, const double *row)
{
    const struct vd__xgboost_model *m = (const struct vd__xgboost_model *)self;
    float x[VD_COLUMNS_MAX];

    for (size_t j = 0; j < self->d; j++)
        x[j] = vd__tree_value(row[j]);
    return vd__sigmoid(m->margin + vd__trees_sum(&m->trees, x));
}

static void xgboost_score_block(const vd_detector *self, const double *rows, size_t n,
                                double *scores)
{
    const struct vd__xgboost_model *m = (const struct vd__xgboost_model *)self;

    vd__trees_sum_many(&m->trees, rows, NULL, n, self->d, scores);
    for (size_t i = 0; i < n; i++)
        scores[i] = vd__sigmoid(m->margin + scores[i]);
}

/* Shares the log-odds among the columns. */
static enum vd_status xgboost_explain(const vd_detector *self, const double *row,
                                      double *share)
{
    float x[VD_COLUMNS_MAX];

    for (size_t j = 0; j < self->d; j++)
        x[j] = vd__tree_value(row[j]);
    return vd__trees_explain(&((const struct vd__xgboost_model *)self)->trees, x, self->d,
                             share);
}

static void xgboost_release(vd_detector *self)
{
    vd__trees_release(&((struct vd__xgboost_model *)self)->trees);
}

/* ---- fit ---- */

/* Writes a setting with a decimal point, whatever the locale. All settings fit whole
 * numbers of 1e-9. */
static void number_text(char *text, size_t size, double value)
{
    uint64_t scaled = (uint64_t)(value * 1e9 + 0.5);

    snprintf(text, size, "%llu.%09llu", (unsigned long long)(scaled / 1000000000),
             (unsigned long long)(scaled % 1000000000));
}

/* Computes the weight of an anomaly beside a normal row. */
static double anomaly_weight(const struct vd__fit *fit)
{
    double anomalies = 0;

    for (size_t i = 0; i < fit->x->n; i++)
        anomalies += fit->labels[i];
    return fit->param[CLASS_WEIGHT] != 0 ? ((double)fit->x->n - anomalies) / anomalies
                                         : 1;
}

/* Hands the settings to the booster; not 0 = one was refused. */
static int set_params(const struct vd__xgb *xgb, vd__xgb_handle booster,
                      const struct vd__fit *fit)
{
    static const char *const numbers[] = {
        [MAX_DEPTH] = "max_depth",
        [LEARNING_RATE] = "eta",
        [LAMBDA] = "lambda",
        [MIN_CHILD_WEIGHT] = "min_child_weight",
        [GAMMA] = "gamma",
        [SUBSAMPLE] = "subsample",
        [COLSAMPLE] = "colsample_bytree",
    };
    char text[64];
    int rc = xgb->XGBoosterSetParam(booster, "objective", "binary:logistic");

    for (size_t p = MAX_DEPTH; p <= COLSAMPLE; p++) {
        if (p == MAX_DEPTH)
            snprintf(text, sizeof text, "%d", (int)fit->param[p]);
        else
            number_text(text, sizeof text, fit->param[p]);
        rc |= xgb->XGBoosterSetParam(booster, numbers[p], text);
    }
    number_text(text, sizeof text, anomaly_weight(fit));
    rc |= xgb->XGBoosterSetParam(booster, "scale_pos_weight", text);
    rc |= xgb->XGBoosterSetParam(booster, "tree_method",
                                 fit->param[METHOD] == 0 ? "hist" : "exact");
    snprintf(text, sizeof text, "%u", (unsigned)(fit->seed & 0x7fffffff));
    rc |= xgb->XGBoosterSetParam(booster, "seed", text);
    snprintf(text, sizeof text, "%u", fit->threads > 1 ? fit->threads : 1);
    rc |= xgb->XGBoosterSetParam(booster, "nthread", text);
    rc |= xgb->XGBoosterSetParam(booster, "verbosity", "0");
    return rc;
}

/* Trains on x (n x d floats) and reads the model back. The first failure skips the rest;
 * its reason is in *status and err. */
static int train(const struct vd__xgb *xgb, const struct vd__fit *fit, const float *x,
                 const float *labels, vd_detector **out, enum vd_status *status,
                 struct vd_error *err)
{
    vd__xgb_handle data = NULL, booster = NULL;
    const char *json = NULL;
    uint64_t size = 0;
    int rc = xgb->XGDMatrixCreateFromMat(x, fit->x->n, fit->x->d, NAN, &data);

    rc = rc != 0 ? rc : xgb->XGDMatrixSetFloatInfo(data, "label", labels, fit->x->n);
    rc = rc != 0 ? rc : xgb->XGBoosterCreate(&data, 1, &booster);
    rc = rc != 0 ? rc : set_params(xgb, booster, fit);
    for (int i = 0; rc == 0 && i < (int)fit->param[ROUNDS]; i++)
        rc = xgb->XGBoosterUpdateOneIter(booster, i, data);
    rc = rc != 0 ? rc
                 : xgb->XGBoosterSaveModelToBuffer(booster, "{\"format\":\"json\"}",
                                                   &size, &json);
    if (rc == 0)
        *status = vd__xgboost_read_json(out, &vd__xgboost, json, size, err);
    else
        *status = vd_error_set(err, VD_ERR_DATA, "see the message of XGBoost",
                               "xgboost: %.300s", xgb->XGBGetLastError());
    if (booster != NULL)
        xgb->XGBoosterFree(booster);
    if (data != NULL)
        xgb->XGDMatrixFree(data);
    return rc;
}

static enum vd_status xgboost_fit(vd_detector **out, const struct vd__fit *fit,
                                  struct vd_error *err)
{
    size_t n = fit->x->n, d = fit->x->d;
    float *x, *labels;
    struct vd__xgb xgb;
    enum vd_status status = vd__xgb_open(&xgb, fit->xgboost_library, err);

    if (status != VD_OK)
        return status;
    x = vd__alloc(n * d, sizeof *x);
    labels = vd__alloc(n, sizeof *labels);
    if (x != NULL && labels != NULL) {
        for (size_t i = 0; i < n * d; i++)
            x[i] = vd__tree_value(fit->x->at[i]);
        for (size_t i = 0; i < n; i++)
            labels[i] = fit->labels[i];
        train(&xgb, fit, x, labels, out, &status, err);
    } else {
        status = vd_error_set(err, VD_ERR_MEMORY, NULL, "xgboost: no memory");
    }
    vd__free(x);
    vd__free(labels);
    return status;
}

/* ---- save and load ---- */

static void xgboost_save(const vd_detector *self, struct vd_writer *w)
{
    const struct vd__xgboost_model *m = (const struct vd__xgboost_model *)self;

    vd_write_u64(w, m->trees.n_nodes);
    vd_write_u64(w, m->trees.n_trees);
    vd_write_f64(w, m->margin);
    vd__trees_save(&m->trees, w);
}

static enum vd_status xgboost_load(vd_detector **out, size_t d, struct vd_reader *r,
                                   struct vd_error *err)
{
    size_t n_nodes = vd_read_count(r, 20), n_trees = vd_read_count(r, 4);
    struct vd__xgboost_model *m;
    enum vd_status status;

    if (r->failed || n_trees == 0 || n_nodes >= UINT32_MAX)
        return vd__load_failed(r, vd__xgboost.info.name, err);
    m = vd__xgboost_new(&vd__xgboost, d, n_trees, n_nodes);
    if (m == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "xgboost: no memory");
    status = !vd__load_numbers(r, &m->margin, 1) ? VD_ERR_FORMAT
                                                 : vd__trees_load(&m->trees, r, &m->base);
    if (status != VD_OK) {
        vd_detector_free(&m->base);
        return status == VD_ERR_MEMORY
                   ? vd_error_set(err, status, NULL, "xgboost: no memory")
                   : vd__load_failed(r, vd__xgboost.info.name, err);
    }
    *out = &m->base;
    return VD_OK;
}

/* ---- XGBoost's own models ---- */

enum vd_status vd_xgboost_from_json(vd_detector **out, const char *json, size_t size,
                                    struct vd_error *err)
{
    return vd__xgboost_read_json(out, &vd__xgboost, json, size, err);
}

enum vd_status vd_xgboost_to_json(const vd_detector *detector, struct vd_writer *w)
{
    if (detector->class != &vd__xgboost)
        return VD_ERR_ARGUMENT;
    return vd__xgboost_write_json((const struct vd__xgboost_model *)detector, w);
}

const struct vd__detector_class vd__xgboost = {
    .info = {.name = "xgboost",
             .title = "XGBoost",
             .source = "Chen, Guestrin, KDD 2016",
             .needs_labels = true,
             .params = params,
             .n_params = N_PARAMS},
    .version = 2,
    .fit = xgboost_fit,
    .score = xgboost_score,
    .score_block = xgboost_score_block,
    .explain = xgboost_explain,
    .save = xgboost_save,
    .load = xgboost_load,
    .release = xgboost_release,
};
