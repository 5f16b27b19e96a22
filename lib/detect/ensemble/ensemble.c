/* The ensemble in use: votes, their combination, save and load. vedette/ensemble.h has
 * the method and its source; fitting is in ensemble_fit.c.
 */
#include "detect/ensemble/ensemble.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"

const char *const vd__ensemble_names[ENSEMBLE_MEMBERS] = {
    "isolation_forest", "one_class_svm", "lof",     "pca",
    "mahalanobis",      "random_forest", "xgboost", "agent",
};

static bool is_agent(size_t k)
{
    return k == ENSEMBLE_MEMBERS - 1;
}

size_t vd__ensemble_columns(size_t d, size_t k)
{
    return is_agent(k) ? d + ENSEMBLE_UNSUPERVISED : d;
}

/* A high weight_power lets the best members lead where all ROC areas are alike. */
static const struct vd_param params[] = {
    {"combine", "Cauchy test, or mean of the surprises; auto: the mean with labels",
     "auto|cauchy|mean", 0, 0, 2},
    {"weight_power",
     "members count by (2 ROC area - 1) to this power (0 = chosen by cross-validation)",
     NULL, 0, 0, 1024},
};

/* Scores the row by all members: raw scores and surprises, NaN where one is not ready.
 * The agent comes last, because the others' surprises are part of its row. */
static void ask(const struct vd__ensemble *e, const double *row, double *raw,
                double *surprise)
{
    double state[VD_COLUMNS_MAX + ENSEMBLE_UNSUPERVISED];
    size_t d = e->base.d;

    for (size_t k = 0; k < ENSEMBLE_MEMBERS; k++) {
        const struct vd__member *member = &e->member[k];
        const double *input = row;

        raw[k] = surprise[k] = NAN;
        if (member->detector == NULL)
            continue;
        if (is_agent(k)) {
            memcpy(state, row, d * sizeof *state);
            for (size_t i = 0; i < ENSEMBLE_UNSUPERVISED; i++)
                state[d + i] = isnan(surprise[i]) ? 0 : surprise[i];
            input = state;
        }
        raw[k] = vd_detector_score(member->detector, input);
        surprise[k] = vd_calibration_surprise(&member->calibration, raw[k]);
    }
}

double vd__ensemble_combine(uint32_t combine, const double *surprise,
                            const double *weight, size_t n)
{
    double sum = 0, total = 0;

    assert(combine <= VD__COMBINE_MEAN && n <= ENSEMBLE_MEMBERS);
    if (combine == VD__COMBINE_CAUCHY)
        return vd_surprise_combine(surprise, weight, n);
    for (size_t k = 0; k < n; k++) {
        sum += weight[k] * fmin(surprise[k], ENSEMBLE_SURPRISE_MAX);
        total += weight[k];
    }
    return n > 0 ? sum / total : NAN;
}

/* Combines the surprises of the members that are ready and have a weight. */
static double combine(const struct vd__ensemble *e, const double *surprise)
{
    double counted[ENSEMBLE_MEMBERS], weight[ENSEMBLE_MEMBERS];
    size_t n = 0;

    for (size_t k = 0; k < ENSEMBLE_MEMBERS; k++)
        if (!isnan(surprise[k]) && e->member[k].weight > 0) {
            counted[n] = surprise[k];
            weight[n++] = e->member[k].weight;
        }
    return vd__ensemble_combine(e->combine, counted, weight, n);
}

static double ensemble_score(const vd_detector *self, const double *row)
{
    const struct vd__ensemble *e = (const struct vd__ensemble *)self;
    double raw[ENSEMBLE_MEMBERS], surprise[ENSEMBLE_MEMBERS];

    ask(e, row, raw, surprise);
    return combine(e, surprise);
}

enum vd_status vd_ensemble_judge(const vd_detector *ensemble, const double *row,
                                 struct vd_ensemble_verdict *verdict)
{
    const struct vd__ensemble *e = (const struct vd__ensemble *)ensemble;
    double raw[ENSEMBLE_MEMBERS], surprise[ENSEMBLE_MEMBERS];
    size_t ready = 0, agree = 0;

    if (ensemble->class != &vd__ensemble)
        return VD_ERR_ARGUMENT;
    for (size_t j = 0; j < ensemble->d; j++)
        if (!isfinite(row[j]))
            return VD_ERR_DATA;
    ask(e, row, raw, surprise);
    *verdict = (struct vd_ensemble_verdict){.n = ENSEMBLE_MEMBERS};
    verdict->surprise = combine(e, surprise);
    verdict->score = vd_score_of_surprise(verdict->surprise, ensemble->threshold);
    for (size_t k = 0; k < ENSEMBLE_MEMBERS; k++) {
        const struct vd__member *member = &e->member[k];
        struct vd_ensemble_vote *vote = &verdict->vote[k];

        vote->name = vd__ensemble_names[k];
        vote->ready = member->detector != NULL;
        vote->raw = raw[k];
        vote->surprise = surprise[k];
        vote->score = vd_score_of_surprise(surprise[k], member->threshold);
        vote->anomaly = surprise[k] > member->threshold;
        vote->weight = vote->ready ? member->weight : NAN;
        ready += vote->ready;
        agree +=
            vote->ready && vote->anomaly == (verdict->surprise > ensemble->threshold);
    }
    verdict->agreement = ready > 0 ? (double)agree / (double)ready : NAN;
    return VD_OK;
}

/* ---- save and load ---- */

static enum vd_status ensemble_prepare(vd_detector *self)
{
    struct vd__ensemble *e = (struct vd__ensemble *)self;
    enum vd_status status = VD_OK;

    for (size_t k = 0; k < ENSEMBLE_MEMBERS && status == VD_OK; k++)
        if (e->member[k].detector != NULL)
            status = vd_detector_prepare(e->member[k].detector);
    return status;
}

static void ensemble_release(vd_detector *self)
{
    struct vd__ensemble *e = (struct vd__ensemble *)self;

    for (size_t k = 0; k < ENSEMBLE_MEMBERS; k++)
        vd_detector_free(e->member[k].detector);
}

/* Writes a bit for each member that is ready, then the calibration, threshold, weight and
 * model of each. */
static void ensemble_save(const vd_detector *self, struct vd_writer *w)
{
    const struct vd__ensemble *e = (const struct vd__ensemble *)self;
    uint32_t ready = 0;

    for (size_t k = 0; k < ENSEMBLE_MEMBERS; k++)
        ready |= (uint32_t)(e->member[k].detector != NULL) << k;
    vd_write_u32(w, ready);
    vd_write_u32(w, e->combine);
    for (size_t k = 0; k < ENSEMBLE_MEMBERS; k++) {
        const struct vd__member *member = &e->member[k];

        if (member->detector == NULL)
            continue;
        vd_calibration_save(&member->calibration, w);
        vd_write_f64(w, member->threshold);
        vd_write_f64(w, member->weight);
        vd_detector_save(member->detector, w);
    }
}

/* Reads member k. It must be the detector of that place: an ensemble inside an ensemble
 * could nest without end. */
static enum vd_status load_member(struct vd__ensemble *e, size_t k, struct vd_reader *r,
                                  struct vd_error *err)
{
    struct vd__member *member = &e->member[k];
    enum vd_status status = vd_calibration_load(&member->calibration, r, err);
    struct vd_reader peek;
    char name[64];

    if (status != VD_OK)
        return status;
    member->threshold = vd_read_f64(r);
    member->weight = vd_read_f64(r);
    peek = *r;
    vd_read_text(&peek, name, sizeof name);
    if (peek.failed || strcmp(name, vd__ensemble_names[k]) != 0 ||
        !(member->threshold > 0 && member->threshold <= VD_SURPRISE_MAX) ||
        !(member->weight >= 0 && member->weight <= 1))
        return vd__load_failed(&peek, vd__ensemble.info.name, err);
    status = vd_detector_load(&member->detector, r, err);
    if (status != VD_OK)
        return status;
    if (member->detector->d != vd__ensemble_columns(e->base.d, k))
        return vd__load_failed(r, vd__ensemble.info.name, err);
    e->base.size += member->detector->size;
    return VD_OK;
}

static enum vd_status ensemble_load(vd_detector **out, size_t d, struct vd_reader *r,
                                    struct vd_error *err)
{
    struct vd__ensemble *e =
        (struct vd__ensemble *)vd__detector_new(&vd__ensemble, d, sizeof *e);
    uint32_t ready = vd_read_u32(r), combine = vd_read_u32(r);
    enum vd_status status = VD_OK;

    if (e == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "ensemble: no memory");
    e->combine = combine;
    if (r->failed || ready == 0 || ready >> ENSEMBLE_MEMBERS != 0 ||
        combine > VD__COMBINE_MEAN)
        status = vd__load_failed(r, vd__ensemble.info.name, err);
    for (size_t k = 0; status == VD_OK && k < ENSEMBLE_MEMBERS; k++)
        if ((ready >> k & 1) != 0)
            status = load_member(e, k, r, err);
    if (status != VD_OK)
        vd_detector_free(&e->base);
    else
        *out = &e->base;
    return status;
}

const struct vd__detector_class vd__ensemble = {
    .info = {.name = "ensemble",
             .title = "Ensemble",
             .source = "Liu, Xie, JASA 2020",
             .combines = true,
             .params = params,
             .n_params = 2},
    .fit = vd__ensemble_fit,
    .score = ensemble_score,
    .save = ensemble_save,
    .load = ensemble_load,
    .prepare = ensemble_prepare,
    .release = ensemble_release,
};
