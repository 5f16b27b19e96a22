/* Columns that were absent or did not move while the window was filled are left out. The
 * others are standardised. A detector is calibrated on rows that it has not seen: the
 * window is cut into contiguous blocks, each block is scored by a detector fitted on the
 * others, and the pooled scores make the calibration of the one fitted on all. Rows next
 * to each other in time are alike, so a split that takes every other row would calibrate
 * on near copies of what was learned, and the tail would come out far too short. */
#include "detect/host_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vedette/stats.h"

const char *const host_live_name[HOST_LIVE] = {
    [HOST_LIVE_Z] = "robust_z", [HOST_LIVE_LAYER] = "metric_layer"};

/* Columns need to be there in this share of the rows. */
static const double PRESENT = 0.9;

/* Blocks of the cross-fit. */
enum { FOLDS = 4 };

/* The surprise at which the calibration passes from counts to an exponential tail (95 %):
 * what lies above depends on the slope of few samples and is trusted accordingly. */
static const double TAIL_SURPRISE = 1.3010299956639813;

void host_model_free(struct host_model *model)
{
    if (model == NULL)
        return;
    for (size_t i = 0; i < model->n_members; i++)
        vd_detector_free(model->member[i].detector);
    free(model);
}

/* Takes column `c` into the model when it says anything. `scratch` has room for n. */
static void add_column(struct host_model *model, const struct host_row *row, size_t n,
                       size_t c, double *scratch)
{
    size_t k = 0, at = model->n_columns;
    double sigma;

    for (size_t i = 0; i < n; i++)
        if (!isnan(row[i].x[c]))
            scratch[k++] = (double)row[i].x[c];
    if ((double)k < PRESENT * (double)n)
        return;
    sigma = sqrt(vd_variance(scratch, k, 1));
    if (!(sigma > 1e-9))
        return;
    model->column[at] = c;
    model->mean[at] = vd_mean(scratch, k);
    model->sigma[at] = sigma;
    model->center[at] = vd_median(scratch, k);
    model->n_columns++;
}

void host_model_scale(const struct host_model *model, const struct host_row *row,
                      double x[HOST_COLUMNS])
{
    for (size_t i = 0; i < model->n_columns; i++) {
        double value = (double)row->x[model->column[i]];

        if (isnan(value))
            value = model->center[i];
        x[i] = (value - model->mean[i]) / model->sigma[i];
    }
}

double host_member_raw(const struct host_member *member, const struct host_row *row,
                       const double *x)
{
    if (member->detector == NULL)
        return (double)row->live[member->live];
    return vd_detector_score(member->detector, x);
}

double host_member_surprise(const struct host_member *member, double raw)
{
    double s = vd_calibration_surprise(&member->calibration, raw);

    if (s > TAIL_SURPRISE)
        s = TAIL_SURPRISE + (s - TAIL_SURPRISE) * member->trust;
    return s;
}

/* A mean of k exponential excesses is off by 1/sqrt(k): divide the slope by what it may
 * be too small. */
static double trust_of(double n)
{
    double tail = fmax(0.05 * n, 1);

    return 1 / (1 + 2 / sqrt(tail));
}

/* The rows of a fit, scaled: at most HOST_FIT_ROWS of those outside the block `fold`
 * (FOLDS = no block is left out). */
static enum vd_status fit_rows(const struct host_model *model, const struct host_row *row,
                               size_t n, size_t fold, struct vd_matrix *x)
{
    size_t step = (n + HOST_FIT_ROWS - 1) / HOST_FIT_ROWS, k = 0;
    enum vd_status status = vd_matrix_init(x, (n + step - 1) / step, model->n_columns);

    for (size_t i = 0; status == VD_OK && i < n; i += step) {
        double scaled[HOST_COLUMNS];

        if (i * FOLDS / n == fold)
            continue;
        host_model_scale(model, &row[i], scaled);
        memcpy(vd_matrix_row(x, k++), scaled, x->d * sizeof *scaled);
    }
    x->n = k;
    return status;
}

/* Appends the raw scores of rows [from, to) to `raw`; returns the new count. */
static size_t score_rows(const struct host_model *model, const struct host_member *member,
                         const struct host_row *row, size_t from, size_t to, double *raw,
                         size_t k)
{
    for (size_t i = from; i < to; i++) {
        double x[HOST_COLUMNS];

        host_model_scale(model, &row[i], x);
        raw[k] = host_member_raw(member, &row[i], x);
        if (!isnan(raw[k]))
            k++;
    }
    return k;
}

/* One training: what fits and scores need. */
struct training {
    struct host_model *model;
    const struct host_row *row;
    size_t n;
    struct vd_fit_params params;
    double *raw; /* room for n */
};

/* Fits on everything but the block. NULL when it cannot be fitted. */
static vd_detector *fit_without(const struct training *t, const char *name, size_t fold)
{
    vd_detector *detector = NULL;
    struct vd_matrix x;

    if (fit_rows(t->model, t->row, t->n, fold, &x) == VD_OK)
        vd_detector_fit(&detector, name, &x, NULL, &t->params, NULL);
    vd_matrix_release(&x);
    return detector;
}

/* Calibrates on k raw scores and takes the member into the model; without a calibration
 * it is left out. */
static void add_member(struct training *t, struct host_member *member, size_t k)
{
    struct host_model *model = t->model;

    member->trust = trust_of((double)k);
    if (model->n_members < RECORD_DETECTORS_MAX &&
        vd_calibration_fit(&member->calibration, t->raw, k, NULL) == VD_OK)
        model->member[model->n_members++] = *member;
    else
        vd_detector_free(member->detector);
}

static void train_member(struct training *t, const char *name)
{
    struct host_member member = {.detector = fit_without(t, name, FOLDS)};
    size_t k = 0;

    if (member.detector == NULL)
        return;
    member.name = vd_detector_describe(member.detector)->name;
    for (size_t fold = 0; fold < FOLDS; fold++) {
        struct host_member part = {.detector = fit_without(t, name, fold)};

        if (part.detector == NULL)
            continue;
        k = score_rows(t->model, &part, t->row, (fold * t->n + FOLDS - 1) / FOLDS,
                       ((fold + 1) * t->n + FOLDS - 1) / FOLDS, t->raw, k);
        vd_detector_free(part.detector);
    }
    add_member(t, &member, k);
}

/* Robust z speaks after thirty rows, so the first model has too few to calibrate it on.
 * Until there are enough, its sigmas are believed to have an exponential tail of mean
 * one: far heavier than a normal one, and enough for what is far out. */
static void add_live(struct training *t, size_t live)
{
    struct host_member member = {.name = host_live_name[live], .live = live};
    size_t k = score_rows(t->model, &member, t->row, 0, t->n, t->raw, 0);
    size_t before = t->model->n_members;

    add_member(t, &member, k);
    if (live != HOST_LIVE_Z || t->model->n_members > before ||
        t->model->n_members == RECORD_DETECTORS_MAX)
        return;
    vd_calibration_believe(&member.calibration, 1);
    member.trust = 1;
    t->model->member[t->model->n_members++] = member;
}

struct host_model *host_model_fit(const struct host_config *config,
                                  const struct host_row *row, size_t n,
                                  struct vd_error *err)
{
    struct host_model *model = calloc(1, sizeof *model);
    struct training t = {
        .model = model,
        .row = row,
        .n = n,
        .params = vd_fit_params_default(),
        .raw = malloc((n + 1) * sizeof *t.raw),
    };

    if (model == NULL || t.raw == NULL) {
        vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory to train the host model");
        free(t.raw);
        free(model);
        return NULL;
    }
    t.params.contamination = config->contamination;
    t.params.seed = config->seed;
    model->rows = n;
    model->confidence = trust_of((double)n);
    for (size_t c = 0; c < HOST_COLUMNS; c++)
        add_column(model, row, n, c, t.raw);
    for (size_t i = 0; model->n_columns > 0 && i < config->n_detectors; i++)
        train_member(&t, config->detector[i]);
    for (size_t k = 0; k < HOST_LIVE; k++)
        add_live(&t, k);
    free(t.raw);
    return model;
}

/* ---- saved form ---- */

void host_model_save(const struct host_model *model, struct vd_writer *w)
{
    vd_write_u32(w, (uint32_t)model->n_columns);
    for (size_t i = 0; i < model->n_columns; i++) {
        vd_write_u32(w, (uint32_t)model->column[i]);
        vd_write_f64(w, model->center[i]);
        vd_write_f64(w, model->mean[i]);
        vd_write_f64(w, model->sigma[i]);
    }
    vd_write_f64(w, model->confidence);
    vd_write_u64(w, model->rows);
    vd_write_u32(w, (uint32_t)model->n_members);
    for (size_t i = 0; i < model->n_members; i++) {
        const struct host_member *member = &model->member[i];

        vd_write_u8(w, member->detector != NULL);
        vd_write_u32(w, (uint32_t)member->live);
        vd_write_f64(w, member->trust);
        vd_calibration_save(&member->calibration, w);
        if (member->detector != NULL)
            vd_detector_save(member->detector, w);
    }
}

static bool load_columns(struct host_model *model, struct vd_reader *r)
{
    model->n_columns = vd_read_u32(r);
    if (model->n_columns > HOST_COLUMNS)
        return false;
    for (size_t i = 0; i < model->n_columns; i++) {
        model->column[i] = vd_read_u32(r);
        model->center[i] = vd_read_f64(r);
        model->mean[i] = vd_read_f64(r);
        model->sigma[i] = vd_read_f64(r);
        if (model->column[i] >= HOST_COLUMNS || !(model->sigma[i] > 0))
            return false;
    }
    return !r->failed;
}

static bool load_member(struct host_model *model, struct vd_reader *r,
                        struct vd_error *err)
{
    struct host_member *member = &model->member[model->n_members];
    bool fitted = vd_read_u8(r) != 0;

    *member = (struct host_member){.live = vd_read_u32(r)};
    member->trust = vd_read_f64(r);
    if (member->live >= HOST_LIVE || !(member->trust > 0 && member->trust <= 1))
        return false;
    if (vd_calibration_load(&member->calibration, r, err) != VD_OK)
        return false;
    member->name = host_live_name[member->live];
    if (fitted) {
        if (vd_detector_load(&member->detector, r, err) != VD_OK)
            return false;
        member->name = vd_detector_describe(member->detector)->name;
        if (vd_detector_columns(member->detector) != model->n_columns) {
            vd_detector_free(member->detector);
            return false;
        }
    }
    model->n_members++;
    return true;
}

struct host_model *host_model_load(struct vd_reader *r, struct vd_error *err)
{
    struct host_model *model = calloc(1, sizeof *model);
    bool good = model != NULL && load_columns(model, r);
    size_t n = 0;

    if (good) {
        model->confidence = vd_read_f64(r);
        model->rows = (size_t)vd_read_u64(r);
        n = vd_read_u32(r);
        good =
            n <= RECORD_DETECTORS_MAX && model->confidence >= 0 && model->confidence <= 1;
    }
    for (size_t i = 0; good && i < n; i++)
        good = load_member(model, r, err);
    if (good && !r->failed)
        return model;
    vd_error_set(err, VD_ERR_FORMAT, "it is learnt anew", "the saved model is damaged");
    host_model_free(model);
    return NULL;
}
