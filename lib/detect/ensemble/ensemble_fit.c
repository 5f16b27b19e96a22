/* Fits the ensemble by cross-fitting (Wolpert, "Stacked generalization", Neural Networks
 * 5, 1992).
 *
 * Rows are dealt into five folds, class by class. Every member is fitted without a fold
 * and scores it, so that each row has a score from a model that has not seen it. These
 * scores make the calibration (on normal rows), the weights (with labels: ROC areas to a
 * power that is also chosen) and the threshold (best F1, or the contamination). Then
 * every member is fitted on all rows. Where normal rows are given apart, unsupervised
 * members are fitted once, on those: they have seen none of the rows that they score.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/real.h"
#include "detect/ensemble/ensemble.h"

enum { FOLDS = 5, SETTINGS_MAX = 32 };

/* The least ROC area of a member that counts; 0.5 is chance. */
static const double least_area = 0.6;

/* The workspace of one fit. */
struct work {
    const struct vd__fit *fit;
    struct vd__ensemble *e;
    size_t n, d;
    uint8_t *fold;    /* n */
    double *raw;      /* n: of the member at hand, from models that did not see the row */
    double *surprise; /* ENSEMBLE_MEMBERS x n */
    struct vd_matrix state; /* n x (d + unsupervised): the agent's rows */
    struct vd_matrix part;  /* rows for a fit, room for the largest */
    uint8_t *part_labels;
};

/* Tells whether row i counts as normal; without labels every row does. */
static bool is_normal(const struct work *w, size_t i)
{
    return w->fit->labels == NULL || w->fit->labels[i] == 0;
}

/* Deals the rows of each class into folds, one after another. */
static void deal_folds(struct work *w)
{
    size_t seen[2] = {0};

    for (size_t i = 0; i < w->n; i++)
        w->fold[i] = (uint8_t)(seen[is_normal(w, i)]++ % FOLDS);
}

/* Copies the settings called "NAME.setting" as the member's own; returns how many. */
static size_t member_settings(const struct vd__fit *fit, const char *name,
                              struct vd_setting *out)
{
    size_t length = strlen(name), n = 0;

    for (size_t i = 0; i < fit->n_settings && n < SETTINGS_MAX; i++) {
        const struct vd_setting *s = &fit->settings[i];

        if (strncmp(s->name, name, length) == 0 && s->name[length] == '.')
            out[n++] = (struct vd_setting){s->name + length + 1, s->value};
    }
    return n;
}

/* Fits member k on rows of its choice, with its own settings and seed. */
static enum vd_status fit_member(const struct work *w, size_t k,
                                 const struct vd_matrix *x, const uint8_t *labels,
                                 vd_detector **out, struct vd_error *err)
{
    struct vd_setting settings[SETTINGS_MAX];
    struct vd_fit_params params = vd_fit_params_default();

    params.settings = settings;
    params.n_settings = member_settings(w->fit, vd__ensemble_names[k], settings);
    params.contamination = 0;
    params.seed = w->fit->seed + k;
    params.threads = w->fit->threads;
    params.xgboost_library = w->fit->xgboost_library;
    return vd_detector_fit(out, vd__ensemble_names[k], x, labels, &params, err);
}

/* Gathers the rows of `x` outside fold `out` (FOLDS = all rows) into w->part: all of
 * them, or only the normal ones. */
static void choose_rows(struct work *w, const struct vd_matrix *x, size_t out,
                        bool normal)
{
    struct vd_matrix *part = &w->part;

    part->d = x->d;
    part->n = 0;
    for (size_t i = 0; i < w->n; i++) {
        if (w->fold[i] == out || (normal && !is_normal(w, i)))
            continue;
        memcpy(part->at + part->n * x->d, vd_matrix_row(x, i), x->d * sizeof(double));
        w->part_labels[part->n++] = w->fit->labels == NULL ? 0 : w->fit->labels[i];
    }
}

/* Scores the rows of a fold (FOLDS = all rows) into w->raw. */
static void score_fold(struct work *w, const vd_detector *detector,
                       const struct vd_matrix *x, size_t fold)
{
    for (size_t i = 0; i < w->n; i++)
        if (fold == FOLDS || w->fold[i] == fold)
            w->raw[i] = vd_detector_score(detector, vd_matrix_row(x, i));
}

/* Scores all rows by models that have not seen them, then fits the final model. */
static enum vd_status cross_fit(struct work *w, size_t k, struct vd_error *err)
{
    const struct vd_matrix *x = k == ENSEMBLE_MEMBERS - 1 ? &w->state : w->fit->x;
    vd_detector **final = &w->e->member[k].detector;
    bool unsupervised = k < ENSEMBLE_UNSUPERVISED;
    enum vd_status status = VD_OK;

    if (unsupervised && w->fit->normal != NULL) {
        status = fit_member(w, k, w->fit->normal, NULL, final, err);
        if (status == VD_OK)
            score_fold(w, *final, x, FOLDS);
        return status;
    }
    for (size_t fold = 0; status == VD_OK && fold < FOLDS; fold++) {
        vd_detector *detector;

        choose_rows(w, x, fold, unsupervised);
        status = fit_member(w, k, &w->part, unsupervised ? NULL : w->part_labels,
                            &detector, err);
        if (status != VD_OK)
            return status;
        score_fold(w, detector, x, fold);
        vd_detector_free(detector);
    }
    choose_rows(w, x, FOLDS, unsupervised);
    return fit_member(w, k, &w->part, unsupervised ? NULL : w->part_labels, final, err);
}

/* Calibrates member k on its scores of normal rows, and turns all scores into surprises.
 */
static enum vd_status calibrate(struct work *w, size_t k, struct vd_error *err)
{
    struct vd__member *member = &w->e->member[k];
    double *normal = w->part.at; /* not needed by now, and large enough */
    double *surprise = w->surprise + k * w->n;
    size_t n = 0;
    enum vd_status status;

    for (size_t i = 0; i < w->n; i++)
        if (is_normal(w, i))
            normal[n++] = w->raw[i];
    status = vd_calibration_fit(&member->calibration, normal, n, err);
    if (status != VD_OK)
        return status;
    for (size_t i = 0; i < w->n; i++)
        surprise[i] = vd_calibration_surprise(&member->calibration, w->raw[i]);
    return VD_OK;
}

/* ---- weights and thresholds ---- */

/* A row's surprise and label. */
struct scored {
    double surprise;
    uint8_t label;
};

static int compare_scored(const void *left, const void *right)
{
    double a = ((const struct scored *)left)->surprise;
    double b = ((const struct scored *)right)->surprise;

    return (a < b) - (a > b);
}

/* Sorts the rows by falling surprise; the caller frees the array. NULL = no memory. */
static struct scored *sorted_scores(const struct work *w, const double *surprise)
{
    struct scored *s = vd__alloc(w->n, sizeof *s);

    if (s == NULL)
        return NULL;
    for (size_t i = 0; i < w->n; i++)
        s[i] = (struct scored){surprise[i], w->fit->labels[i]};
    qsort(s, w->n, sizeof *s, compare_scored);
    return s;
}

/* Computes the area under the ROC curve of sorted rows, ties counting half. */
static double area(const struct scored *s, size_t n)
{
    double hits = 0, alarms = 0, sum = 0;

    for (size_t i = 0; i < n;) {
        double h = 0, f = 0, at = s[i].surprise;

        for (; i < n && s[i].surprise == at; i++) {
            h += s[i].label == 1;
            f += s[i].label == 0;
        }
        sum += f * (hits + h / 2);
        hits += h;
        alarms += f;
    }
    assert(hits > 0 && alarms > 0);
    return sum / (hits * alarms);
}

/* Finds the threshold with the best F1 and puts it halfway to the next lower surprise. */
static double best_threshold(const struct scored *s, size_t n, double *best_f1)
{
    double hits = 0, anomalies = 0, best = -1, threshold = 1;

    for (size_t i = 0; i < n; i++)
        anomalies += s[i].label;
    for (size_t i = 0; i < n; i++) {
        double f1;

        hits += s[i].label;
        if (i + 1 < n && s[i + 1].surprise == s[i].surprise)
            continue;
        f1 = 2 * hits / ((double)(i + 1) + anomalies);
        if (f1 > best) {
            best = f1;
            threshold =
                i + 1 < n ? (s[i].surprise + s[i + 1].surprise) / 2 : s[i].surprise / 2;
        }
    }
    *best_f1 = best;
    return fmax(1e-3, fmin(threshold, VD_SURPRISE_MAX));
}

/* Computes the threshold for the contamination, 1 % when none is given. */
static double given_threshold(const struct vd__fit *fit)
{
    return vd_surprise_of_contamination(fit->contamination > 0 ? fit->contamination
                                                               : 0.01);
}

/* Sets the threshold of member k, and as its weight how far it is above chance: 2 area -
 * 1, or 1 without labels. */
static enum vd_status weigh(struct work *w, size_t k)
{
    struct vd__member *member = &w->e->member[k];
    struct scored *s;
    double gini, f1;

    member->threshold = given_threshold(w->fit);
    member->weight = 1;
    if (w->fit->labels == NULL)
        return VD_OK;
    s = sorted_scores(w, w->surprise + k * w->n);
    if (s == NULL)
        return VD_ERR_MEMORY;
    member->threshold = best_threshold(s, w->n, &f1);
    gini = 2 * area(s, w->n) - 1;
    member->weight = gini > 2 * least_area - 1 ? gini : 0;
    vd__free(s);
    return VD_OK;
}

/* Raises the members' weights to a power and scales them to the sum 1. */
static void weights_of(const struct work *w, double power,
                       double weight[ENSEMBLE_MEMBERS])
{
    double sum = 0;

    for (size_t k = 0; k < ENSEMBLE_MEMBERS; k++) {
        const struct vd__member *member = &w->e->member[k];
        bool counts = member->detector != NULL && member->weight > 0;

        weight[k] = counts ? vd__exp(power * vd__log(member->weight)) : 0;
        sum += weight[k];
    }
    /* When no member is better than chance all count alike. */
    for (size_t k = 0; k < ENSEMBLE_MEMBERS; k++)
        weight[k] = sum > 0 ? weight[k] / sum : 1.0 / ENSEMBLE_MEMBERS;
}

/* Combines the members' surprises of each row and sorts the rows; NULL = no memory. */
static struct scored *combine_rows(struct work *w, const double weight[ENSEMBLE_MEMBERS])
{
    double *combined = w->raw;

    for (size_t i = 0; i < w->n; i++) {
        double surprise[ENSEMBLE_MEMBERS], counted[ENSEMBLE_MEMBERS];
        size_t n = 0;

        for (size_t k = 0; k < ENSEMBLE_MEMBERS; k++) {
            if (w->e->member[k].detector == NULL || weight[k] == 0)
                continue;
            surprise[n] = w->surprise[k * w->n + i];
            counted[n++] = weight[k];
        }
        combined[i] = vd__ensemble_combine(w->e->combine, surprise, counted, n);
    }
    return sorted_scores(w, combined);
}

/* Chooses the power with the best sum of area and F1, on scores from models that have not
 * seen the row, and sets the threshold. Of equal powers the smallest is kept, under which
 * most members count. */
static enum vd_status choose_weights(struct work *w, double chosen[ENSEMBLE_MEMBERS])
{
    double power = w->fit->param[1] > 0 ? w->fit->param[1] : 1;
    double last = w->fit->param[1] > 0 ? power : 256, best = -1;

    for (; power <= last; power *= 2) {
        double weight[ENSEMBLE_MEMBERS], f1, threshold, sum;
        struct scored *s;

        weights_of(w, power, weight);
        s = combine_rows(w, weight);
        if (s == NULL)
            return VD_ERR_MEMORY;
        threshold = best_threshold(s, w->n, &f1);
        sum = f1 + area(s, w->n);
        vd__free(s);
        if (sum > best) {
            best = sum;
            w->e->base.threshold = threshold;
            memcpy(chosen, weight, sizeof weight);
        }
    }
    return VD_OK;
}

/* Sets the members' weights and the ensemble's threshold. */
static enum vd_status set_weights(struct work *w)
{
    double weight[ENSEMBLE_MEMBERS];
    enum vd_status status = VD_OK;

    if (w->fit->labels == NULL) {
        weights_of(w, 1, weight);
        w->e->base.threshold = given_threshold(w->fit);
    } else {
        status = choose_weights(w, weight);
    }
    for (size_t k = 0; status == VD_OK && k < ENSEMBLE_MEMBERS; k++)
        w->e->member[k].weight = weight[k];
    return status;
}

/* ---- the whole ---- */

/* Makes the agent's rows: the row and the surprises of the unsupervised members, 0 where
 * one is not ready. */
static void fill_state(struct work *w)
{
    for (size_t i = 0; i < w->n; i++) {
        double *row = vd_matrix_row(&w->state, i);

        memcpy(row, vd_matrix_row(w->fit->x, i), w->d * sizeof *row);
        for (size_t k = 0; k < ENSEMBLE_UNSUPERVISED; k++)
            row[w->d + k] =
                w->e->member[k].detector == NULL ? 0 : w->surprise[k * w->n + i];
    }
}

/* Fits all members. One that cannot be fitted here is left out, and `why` keeps the last
 * reason; only lack of memory or a wrong setting ends the fit. */
static enum vd_status fit_members(struct work *w, struct vd_error *why)
{
    for (size_t k = 0; k < ENSEMBLE_MEMBERS; k++) {
        struct vd__member *member = &w->e->member[k];
        enum vd_status status;

        if (k >= ENSEMBLE_UNSUPERVISED && w->fit->labels == NULL)
            continue;
        if (k == ENSEMBLE_MEMBERS - 1)
            fill_state(w);
        vd_error_clear(why);
        status = cross_fit(w, k, why);
        if (status == VD_OK)
            status = calibrate(w, k, why);
        if (status == VD_OK)
            status = weigh(w, k);
        if (status == VD_ERR_MEMORY || status == VD_ERR_ARGUMENT)
            return status;
        if (status != VD_OK) {
            vd_detector_free(member->detector);
            *member = (struct vd__member){0};
        } else {
            w->e->base.size += member->detector->size;
        }
    }
    return VD_OK;
}

/* Allocates the workspace and the ensemble. */
static enum vd_status allocate(struct work *w)
{
    size_t wide = w->d + ENSEMBLE_UNSUPERVISED;

    w->fold = vd__alloc(w->n, 1);
    w->raw = vd__alloc(w->n, sizeof *w->raw);
    w->surprise = vd__alloc(w->n * ENSEMBLE_MEMBERS, sizeof *w->surprise);
    w->part_labels = vd__alloc(w->n, 1);
    if (w->fold == NULL || w->raw == NULL || w->surprise == NULL ||
        w->part_labels == NULL || vd_matrix_init(&w->state, w->n, wide) != VD_OK ||
        vd_matrix_init(&w->part, w->n, wide) != VD_OK)
        return VD_ERR_MEMORY;
    w->e = (struct vd__ensemble *)vd__detector_new(&vd__ensemble, w->d, sizeof *w->e);
    return w->e == NULL ? VD_ERR_MEMORY : VD_OK;
}

/* Tells whether at least one member was fitted. */
static bool anyone_ready(const struct vd__ensemble *e)
{
    bool ready = false;

    for (size_t k = 0; k < ENSEMBLE_MEMBERS; k++)
        ready |= e->member[k].detector != NULL;
    return ready;
}

/* Chooses how members are combined. Without labels the threshold is a tail probability,
 * so the combined surprise must be one too: the Cauchy test. With labels the threshold is
 * learned, and the mean, which no single member can rule, did better
 * (bench/python/accuracy.py). */
static uint32_t choose_combine(const struct vd__fit *fit)
{
    if (fit->param[0] == 0)
        return fit->labels == NULL ? VD__COMBINE_CAUCHY : VD__COMBINE_MEAN;
    return fit->param[0] == 1 ? VD__COMBINE_CAUCHY : VD__COMBINE_MEAN;
}

enum vd_status vd__ensemble_fit(vd_detector **out, const struct vd__fit *fit,
                                struct vd_error *err)
{
    struct work w = {.fit = fit, .n = fit->x->n, .d = fit->x->d};
    struct vd_error why = {0};
    enum vd_status status = allocate(&w);

    if (status == VD_OK) {
        w.e->combine = choose_combine(fit);
        deal_folds(&w);
        status = fit_members(&w, &why);
    }
    if (status == VD_OK && !anyone_ready(w.e))
        status = why.status != VD_OK ? why.status : VD_ERR_DATA;
    if (status == VD_OK)
        status = set_weights(&w);
    if (status == VD_OK)
        *out = &w.e->base;
    else if (w.e != NULL)
        vd_detector_free(&w.e->base);
    vd__free(w.fold);
    vd__free(w.raw);
    vd__free(w.surprise);
    vd__free(w.part_labels);
    vd_matrix_release(&w.state);
    vd_matrix_release(&w.part);
    if (status == VD_OK)
        return VD_OK;
    return vd_error_set(
        err, status, why.hint[0] != '\0' ? why.hint : "collect more normal rows",
        "ensemble: %.300s", why.text[0] != '\0' ? why.text : vd_status_text(status));
}
