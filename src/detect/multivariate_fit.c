/* Making a generation of the host model.
 *
 * Columns that were absent or did not move while the window was filled are left out. The
 * others are standardised. A detector is calibrated on rows that it has not seen: the
 * window is cut into contiguous blocks, each block is scored by a detector fitted on the
 * others, and the pooled scores make the calibration of the one fitted on all. Rows next
 * to each other in time are alike, so a split that takes every other row would calibrate
 * on near copies of what was learned, and the tail would come out far too short.
 *
 * The rows of the window are blurred: to each value normal noise is added whose sigma is
 * what nobody would call a deviation. Where a temperature hangs on the load, or memory
 * did not move for a minute, the detectors would otherwise find directions in which next
 * to nothing is far, and a runaway processor would drown among such finds when they are
 * calibrated. Training with noise is a penalty on such directions (Bishop, Neural
 * Computation 7, 1995). Calibrated on rows without it, a quiet machine's would all lie in
 * the middle of what was learned, with scores so alike that the next best differs from
 * them by more than their whole spread. The rows that come to be judged are left as they
 * are.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "detect/multivariate_model.h"
#include "os/clock.h"
#include "vedette/rng.h"
#include "vedette/stats.h"

/* Columns need to be there in this share of the rows. */
static const double PRESENT = 0.9;

/* Blocks of the cross-fit. */
enum { FOLDS = 4 };

/* Of windowed PCA: the share of the variance that its axes explain. */
static const struct vd_setting windowed_settings[] = {{"variance", 0.8}};

/* Says how far a tail of few samples is trusted. A mean of k exponential excesses is off
 * by 1/sqrt(k), so the slope is divided by what it may be too small. */
static double trust_of(double n)
{
    double tail = fmax(0.05 * n, 1);

    return 1 / (1 + 2 / sqrt(tail));
}

/* One training: what fits and scores need. */
struct training {
    struct detect_multivariate_model *model;
    const struct detect_multivariate_row *row;
    size_t n;
    double blur[DETECT_MULTIVARIATE_COLUMNS]; /* sigma of what is added to the used
                                                 columns, scaled */
    struct vd_fit_params params;
    double *raw; /* room for n */
    const struct detect_multivariate_pace *pace;
    int64_t rested_ns; /* CPU time of the thread at the end of the last rest */
};

/* Pauses for as long as the work since the last rest asks for, at most until somebody is
 * in a hurry. */
static void rest(struct training *t)
{
    static const double NAP_S = 0.02;
    double worked_s = (double)(os_clock_thread_ns() - t->rested_ns) * 1e-9;
    double left_s = worked_s * (1 / t->pace->share - 1);

    for (; left_s > 0 && !atomic_load(&t->pace->hurry); left_s -= NAP_S)
        nanosleep(&(struct timespec){.tv_nsec = (long)(fmin(left_s, NAP_S) * 1e9)}, NULL);
    t->rested_ns = os_clock_thread_ns();
}

/* Takes column `c` into the model when enough rows have it and it moves. A column that
 * does not move has no sigma to divide by. */
static void add_column(struct training *t, size_t c, double floor)
{
    struct detect_multivariate_model *model = t->model;
    const struct detect_multivariate_row *row = t->row;
    size_t n = t->n, k = 0, at = model->n_columns;
    double *scratch = t->raw, sigma;

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
    t->blur[at] = floor / sigma;
    model->n_columns++;
}

/* Gives the block of the i-th row. Blocks are contiguous in time. */
static size_t fold_of(const struct training *t, size_t i)
{
    return i * FOLDS / t->n;
}

/* Counts how many rows up to the i-th follow each other in its block, at most
 * DETECT_MULTIVARIATE_TICKS. What looks at several rows is thereby calibrated on none
 * that it has seen, either. */
static size_t ticks_to(const struct training *t, size_t i)
{
    size_t ticks = 1;

    while (ticks < DETECT_MULTIVARIATE_TICKS && ticks <= i &&
           t->row[i + 1 - ticks].follows && fold_of(t, i - ticks) == fold_of(t, i))
        ticks++;
    return ticks;
}

/* Makes the view of the i-th row and those before it, blurred. The noise is drawn by the
 * number of the row, so each row is the same wherever it appears. */
static void view_blurred(struct detect_multivariate_view *view, const struct training *t,
                         size_t i, size_t ticks)
{
    detect_multivariate_view_make(view, t->model, &t->row[i], ticks);
    for (size_t k = 0; k < ticks; k++) {
        double *x = view->x + k * view->d;
        struct vd_rng rng;

        vd_rng_init_stream(&rng, t->params.seed, i + 1 + k - ticks);
        for (size_t c = 0; c < view->d; c++)
            x[c] += t->blur[c] * vd_rng_normal(&rng);
    }
}

/* Fills x with the rows of a fit, `ticks` of them side by side: at most
 * DETECT_MULTIVARIATE_FIT_ROWS of those outside the block `fold` (FOLDS = no block is
 * left out). */
static enum vd_status fit_rows(const struct training *t, size_t ticks, size_t fold,
                               struct vd_matrix *x)
{
    size_t step =
               (t->n + DETECT_MULTIVARIATE_FIT_ROWS - 1) / DETECT_MULTIVARIATE_FIT_ROWS,
           k = 0;
    enum vd_status status =
        vd_matrix_init(x, (t->n + step - 1) / step, ticks * t->model->n_columns);

    for (size_t i = (ticks - 1) / step * step; status == VD_OK && i < t->n; i += step) {
        struct detect_multivariate_view view;

        if (ticks_to(t, i) < ticks || fold_of(t, i) == fold)
            continue;
        view_blurred(&view, t, i, ticks);
        memcpy(vd_matrix_row(x, k++), view.x, ticks * view.d * sizeof *view.x);
    }
    x->n = k;
    return status;
}

/* Appends the raw scores of the rows of the block `fold` (FOLDS = all) to t->raw, which
 * has k of them. Returns the new count. */
static size_t score_rows(const struct training *t,
                         const struct detect_multivariate_member *member, size_t fold,
                         size_t k)
{
    for (size_t i = 0; i < t->n; i++) {
        struct detect_multivariate_view view;

        if (fold != FOLDS && fold_of(t, i) != fold)
            continue;
        view_blurred(&view, t, i, member->ticks > 1 ? ticks_to(t, i) : 1);
        t->raw[k] = detect_multivariate_member_raw(member, &view);
        if (!isnan(t->raw[k]))
            k++;
    }
    return k;
}

/* Fits on everything but the block, and rests afterwards. NULL when it cannot be
 * fitted. */
static vd_detector *fit_without(struct training *t,
                                const struct detect_multivariate_member *of, size_t fold)
{
    bool windowed = of->ticks > 1;
    struct vd_fit_params params = t->params;
    vd_detector *detector = NULL;
    struct vd_matrix x;

    if (windowed) {
        params.settings = windowed_settings;
        params.n_settings = sizeof windowed_settings / sizeof *windowed_settings;
    }
    if (fit_rows(t, of->ticks, fold, &x) == VD_OK)
        vd_detector_fit(&detector, windowed ? "pca" : of->name, &x, NULL, &params, NULL);
    vd_matrix_release(&x);
    rest(t);
    return detector;
}

/* Calibrates on k raw scores and takes the member into the model. Without a calibration
 * it is left out and freed. */
static void add_member(struct training *t, struct detect_multivariate_member *member,
                       size_t k)
{
    struct detect_multivariate_model *model = t->model;

    member->trust = trust_of((double)k);
    if (model->n_members < RECORD_DETECTORS_MAX &&
        vd_calibration_fit(&member->calibration, t->raw, k, NULL) == VD_OK)
        model->member[model->n_members++] = *member;
    else
        vd_detector_free(member->detector);
}

/* Trains one detector: once on all rows for use, and once without each block for the
 * scores that calibrate it. */
static void train_member(struct training *t, const char *name, size_t ticks)
{
    const struct vd_detector_info *info = vd_detector_find(name);
    struct detect_multivariate_member member = {
        .name = info != NULL ? info->name : detect_multivariate_windowed_name,
        .ticks = ticks};
    size_t k = 0;

    member.detector = fit_without(t, &member, FOLDS);
    if (member.detector == NULL)
        return;
    for (size_t fold = 0; fold < FOLDS; fold++) {
        struct detect_multivariate_member part = member;

        part.detector = fit_without(t, &member, fold);
        if (part.detector != NULL)
            k = score_rows(t, &part, fold, k);
        vd_detector_free(part.detector);
    }
    add_member(t, &member, k);
}

/* Trains all detectors. Where PCA looks at rows, it looks at ten of them side by side,
 * too. */
static void train_members(struct training *t,
                          const struct detect_multivariate_config *config)
{
    for (size_t i = 0; i < config->n_detectors; i++) {
        train_member(t, config->detector[i], 1);
        if (strcmp(config->detector[i], "pca") == 0)
            train_member(t, detect_multivariate_windowed_name, DETECT_MULTIVARIATE_TICKS);
    }
}

/* Adds a live member, which has nothing to fit. Robust z speaks after thirty rows, so the
 * first model has too few of them to calibrate it on. Until there are enough, its sigmas
 * are believed to have an exponential tail of mean one: far heavier than a normal one,
 * and enough for what is far out. */
static void add_live(struct training *t, size_t live)
{
    struct detect_multivariate_member member = {
        .name = detect_multivariate_live_name[live], .live = live};
    size_t k = score_rows(t, &member, FOLDS, 0);
    size_t before = t->model->n_members;

    add_member(t, &member, k);
    if (live != DETECT_LIVE_Z || t->model->n_members > before ||
        t->model->n_members == RECORD_DETECTORS_MAX)
        return;
    vd_calibration_believe(&member.calibration, 1);
    member.trust = 1;
    t->model->member[t->model->n_members++] = member;
}

struct detect_multivariate_model *
detect_multivariate_model_fit(const struct detect_multivariate_config *config,
                              const struct detect_multivariate_row *row, size_t n,
                              const double floor[DETECT_MULTIVARIATE_COLUMNS],
                              const struct detect_multivariate_pace *pace,
                              struct vd_error *err)
{
    struct detect_multivariate_model *model = calloc(1, sizeof *model);
    struct training t = {
        .model = model,
        .row = row,
        .n = n,
        .params = vd_fit_params_default(),
        .raw = malloc((n + 1) * sizeof *t.raw),
        .pace = pace,
        .rested_ns = os_clock_thread_ns(),
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
    for (size_t c = 0; c < DETECT_MULTIVARIATE_COLUMNS; c++)
        add_column(&t, c, floor[c]);
    if (model->n_columns > 0)
        train_members(&t, config);
    for (size_t k = 0; k < DETECT_LIVE; k++)
        add_live(&t, k);
    free(t.raw);
    return model;
}
