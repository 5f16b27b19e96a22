/* A generation of the host model in use, and its saved form; detect_multivariate_fit.c
 * makes it. */
#include "detect/multivariate_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const detect_multivariate_live_name[DETECT_LIVE] = {
    [DETECT_LIVE_Z] = "robust_z", [DETECT_LIVE_UNIVARIATE] = "metric_layer"};
const char detect_multivariate_windowed_name[] = "windowed_pca";

const char *detect_multivariate_title(const char *name)
{
    const struct vd_detector_info *info = vd_detector_find(name);

    if (info != NULL)
        return info->title;
    return strcmp(name, detect_multivariate_windowed_name) == 0 ? "PCA of ten ticks"
           : strcmp(name, detect_multivariate_live_name[DETECT_LIVE_Z]) == 0
               ? "Robust z-score"
               : "Metric layer (streaming)";
}

/* The surprise at which the calibration passes from counts to an exponential tail (95 %):
 * what lies above depends on the slope of few samples and is trusted accordingly. */
static const double TAIL_SURPRISE = 1.3010299956639813;

void detect_multivariate_model_free(struct detect_multivariate_model *model)
{
    if (model == NULL)
        return;
    for (size_t i = 0; i < model->n_members; i++)
        vd_detector_free(model->member[i].detector);
    free(model);
}

/* Standardises the row and those before it. An absent value becomes the column's middle,
 * which says nothing for or against. */
void detect_multivariate_view_make(struct detect_multivariate_view *view,
                                   const struct detect_multivariate_model *model,
                                   const struct detect_multivariate_row *row,
                                   size_t ticks)
{
    const struct detect_multivariate_row *first = row - (ticks - 1);
    size_t d = model->n_columns;

    view->row = row;
    view->ticks = ticks;
    view->d = d;
    for (size_t i = 0; i < ticks * d; i++) {
        size_t c = i % d;
        double value = (double)first[i / d].x[model->column[c]];

        if (isnan(value))
            value = model->center[c];
        view->x[i] = (value - model->mean[c]) / model->sigma[c];
    }
}

/* Scores the newest rows of the view; NaN when there are fewer than the member looks
 * at. */
double detect_multivariate_member_raw(const struct detect_multivariate_member *member,
                                      const struct detect_multivariate_view *view)
{
    if (member->detector == NULL)
        return (double)view->row->live[member->live];
    if (member->ticks > view->ticks)
        return NAN;
    return vd_detector_score(member->detector,
                             view->x + (view->ticks - member->ticks) * view->d);
}

/* Turns a raw score into a surprise. What lies in the tail counts less when few samples
 * made it. */
double
detect_multivariate_member_surprise(const struct detect_multivariate_member *member,
                                    double raw)
{
    double s = vd_calibration_surprise(&member->calibration, raw);

    if (s > TAIL_SURPRISE)
        s = TAIL_SURPRISE + (s - TAIL_SURPRISE) * member->trust;
    return s;
}

/* ---- saved form ---- */

void detect_multivariate_model_save(const struct detect_multivariate_model *model,
                                    struct vd_writer *w)
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
        const struct detect_multivariate_member *member = &model->member[i];

        vd_write_u8(w, member->detector != NULL);
        vd_write_u32(w, (uint32_t)member->live);
        vd_write_u32(w, (uint32_t)member->ticks);
        vd_write_f64(w, member->trust);
        vd_calibration_save(&member->calibration, w);
        if (member->detector != NULL)
            vd_detector_save(member->detector, w);
    }
}

/* Loads the columns. What is used as an index or a divisor is checked here, since the
 * file may be damaged. */
static bool load_columns(struct detect_multivariate_model *model, struct vd_reader *r)
{
    model->n_columns = vd_read_u32(r);
    if (model->n_columns > DETECT_MULTIVARIATE_COLUMNS)
        return false;
    for (size_t i = 0; i < model->n_columns; i++) {
        model->column[i] = vd_read_u32(r);
        model->center[i] = vd_read_f64(r);
        model->mean[i] = vd_read_f64(r);
        model->sigma[i] = vd_read_f64(r);
        if (model->column[i] >= DETECT_MULTIVARIATE_COLUMNS || !(model->sigma[i] > 0))
            return false;
    }
    return !r->failed;
}

/* Loads one member. On failure it must not count as a member, or it would be freed
 * twice. */
static bool load_member(struct detect_multivariate_model *model, struct vd_reader *r,
                        struct vd_error *err)
{
    struct detect_multivariate_member *member = &model->member[model->n_members];
    bool fitted = vd_read_u8(r) != 0;

    *member = (struct detect_multivariate_member){.live = vd_read_u32(r)};
    member->ticks = vd_read_u32(r);
    member->trust = vd_read_f64(r);
    if (member->live >= DETECT_LIVE || member->ticks > DETECT_MULTIVARIATE_TICKS ||
        !(member->trust > 0 && member->trust <= 1))
        return false;
    if (vd_calibration_load(&member->calibration, r, err) != VD_OK)
        return false;
    member->name = detect_multivariate_live_name[member->live];
    if (fitted) {
        if (vd_detector_load(&member->detector, r, err) != VD_OK)
            return false;
        member->name = member->ticks > 1 ? detect_multivariate_windowed_name
                                         : vd_detector_describe(member->detector)->name;
        if (vd_detector_columns(member->detector) != member->ticks * model->n_columns) {
            vd_detector_free(member->detector);
            return false;
        }
    }
    model->n_members++;
    return true;
}

struct detect_multivariate_model *detect_multivariate_model_load(struct vd_reader *r,
                                                                 struct vd_error *err)
{
    struct detect_multivariate_model *model = calloc(1, sizeof *model);
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
    detect_multivariate_model_free(model);
    return NULL;
}
