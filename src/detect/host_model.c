/* Columns that were absent or did not move while the window was filled are left out. The
 * others are standardised. Detectors are fitted on every k-th row (at most HOST_FIT_ROWS)
 * and calibrated on the rows between, which they have not seen: scores of rows that a
 * detector learned by heart would make the tail too short. */
#include "detect/host_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vedette/stats.h"

static const char *const live_name[HOST_LIVE] = {"robust_z", "metric_layer"};

/* Columns need to be there in this share of the rows. */
static const double PRESENT = 0.9;

/* Below this many rows all of them serve both fit and calibration. */
enum { SPLIT_MIN = 200 };

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

/* Raw scores of the rows that were not fitted on (every row when `step` is 0). */
static enum vd_status calibrate(struct host_model *model, struct host_member *member,
                                const struct host_row *row, size_t n, size_t step,
                                double *scratch, struct vd_error *err)
{
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        double x[HOST_COLUMNS], raw;

        if (step > 1 && member->detector != NULL && i % step == 0)
            continue;
        host_model_scale(model, &row[i], x);
        raw = host_member_raw(member, &row[i], x);
        if (!isnan(raw))
            scratch[k++] = raw;
    }
    member->trust = trust_of((double)k);
    return vd_calibration_fit(&member->calibration, scratch, k, err);
}

/* Every step-th row, scaled, as a matrix to fit on. */
static enum vd_status fit_rows(const struct host_model *model, const struct host_row *row,
                               size_t n, size_t step, struct vd_matrix *x)
{
    enum vd_status status = vd_matrix_init(x, (n + step - 1) / step, model->n_columns);

    for (size_t i = 0; status == VD_OK && i < x->n; i++) {
        double scaled[HOST_COLUMNS];

        host_model_scale(model, &row[i * step], scaled);
        memcpy(vd_matrix_row(x, i), scaled, x->d * sizeof *scaled);
    }
    return status;
}

static void add_member(struct host_model *model, struct host_member *member,
                       const struct host_row *row, size_t n, size_t step, double *scratch)
{
    if (model->n_members < RECORD_DETECTORS_MAX &&
        calibrate(model, member, row, n, step, scratch, NULL) == VD_OK)
        model->member[model->n_members++] = *member;
    else
        vd_detector_free(member->detector);
}

static void fit_members(struct host_model *model, const struct host_config *config,
                        const struct vd_matrix *x, const struct host_row *row, size_t n,
                        size_t step, double *scratch)
{
    struct vd_fit_params params = vd_fit_params_default();

    params.contamination = config->contamination;
    params.seed = config->seed;
    for (size_t i = 0; i < config->n_detectors; i++) {
        struct host_member member = {0};

        if (vd_detector_fit(&member.detector, config->detector[i], x, NULL, &params,
                            NULL) != VD_OK)
            continue;
        member.name = vd_detector_describe(member.detector)->name;
        add_member(model, &member, row, n, step, scratch);
    }
}

struct host_model *host_model_fit(const struct host_config *config,
                                  const struct host_row *row, size_t n,
                                  struct vd_error *err)
{
    size_t step = n < SPLIT_MIN ? 1 : (n + HOST_FIT_ROWS - 1) / HOST_FIT_ROWS;
    struct host_model *model = calloc(1, sizeof *model);
    double *scratch = malloc((n + 1) * sizeof *scratch);
    struct vd_matrix x = {0};

    if (step < 2 && n >= SPLIT_MIN)
        step = 2;
    if (model == NULL || scratch == NULL) {
        vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory to train the host model");
        goto fail;
    }
    for (size_t c = 0; c < HOST_COLUMNS; c++)
        add_column(model, row, n, c, scratch);
    model->rows = n;
    model->confidence = trust_of((double)n);
    if (model->n_columns > 0) {
        if (fit_rows(model, row, n, step, &x) != VD_OK) {
            vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory to train the host model");
            goto fail;
        }
        fit_members(model, config, &x, row, n, step, scratch);
    }
    for (size_t k = 0; k < HOST_LIVE; k++) {
        struct host_member member = {.name = live_name[k], .live = k};

        add_member(model, &member, row, n, 1, scratch);
    }
    vd_matrix_release(&x);
    free(scratch);
    return model;
fail:
    vd_matrix_release(&x);
    free(scratch);
    host_model_free(model);
    return NULL;
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
    member->name = live_name[member->live];
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
