/* The table of detectors, and the one way to each of them.
 *
 * What all detectors have in common is done here once: settings are looked up and
 * checked, bad numbers and labels are refused with their row and column, rows with NaN
 * score NaN, and the frame of a saved model (name, version, columns, threshold) is
 * written and read. No method is here.
 *
 * To add one: its file gives a struct vd__detector_class (class.h); name it there and in
 * `classes` below.
 */
#include "vedette/detector.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/threads.h"
#include "detect/class.h"
#include "vedette/stats.h"

enum { PARAMS_MAX = 32, CHUNK = 256 };

/* clang-format off */
static const struct vd__detector_class *const classes[] = {
    &vd__isolation_forest,
    &vd__one_class_svm,
    &vd__lof,
    &vd__pca,
    &vd__mahalanobis,
    &vd__random_forest,
    &vd__xgboost,
    &vd__agent,
    &vd__ensemble,
};
/* clang-format on */

static const size_t n_classes = sizeof classes / sizeof *classes;

const struct vd_detector_info *vd_detector_at(size_t i)
{
    return i < n_classes ? &classes[i]->info : NULL;
}

/* Finds the detector of that name; NULL = there is none. */
static const struct vd__detector_class *find(const char *name)
{
    for (size_t i = 0; name != NULL && i < n_classes; i++)
        if (strcmp(classes[i]->info.name, name) == 0)
            return classes[i];
    return NULL;
}

const struct vd_detector_info *vd_detector_find(const char *name)
{
    const struct vd__detector_class *class = find(name);

    return class == NULL ? NULL : &class->info;
}

struct vd_fit_params vd_fit_params_default(void)
{
    return (struct vd_fit_params){.contamination = 0.05, .threads = 1};
}

/* ---- fit ---- */

/* Refuses the first number that is NaN or beyond VD_VALUE_MAX; `what` names the table. */
static enum vd_status check_numbers(const struct vd_matrix *x, const char *what,
                                    struct vd_error *err)
{
    for (size_t i = 0; i < x->n; i++)
        for (size_t j = 0; j < x->d; j++)
            if (!(fabs(vd_matrix_row(x, i)[j]) <= VD_VALUE_MAX))
                return vd_error_set(
                    err, VD_ERR_DATA, "leave such rows out before fitting",
                    "%s row %zu, column %zu is %g: not a number between -1e100 and 1e100",
                    what, i + 1, j + 1, vd_matrix_row(x, i)[j]);
    return VD_OK;
}

/* Checks the shape and the numbers of the training rows and of the normal rows. */
static enum vd_status check_matrix(const struct vd_matrix *x,
                                   const struct vd_matrix *normal, struct vd_error *err)
{
    enum vd_status status;

    if (x == NULL || x->d == 0 || x->d > VD_COLUMNS_MAX)
        return vd_error_set(err, VD_ERR_ARGUMENT, "choose fewer columns",
                            "training data has %zu columns: 1 to %d are possible",
                            x == NULL ? 0 : x->d, VD_COLUMNS_MAX);
    if (x->n < 2)
        return vd_error_set(err, VD_ERR_DATA, "collect more rows",
                            "training data has %zu rows: at least 2 are needed", x->n);
    if (x->n > UINT32_MAX / 2)
        return vd_error_set(err, VD_ERR_LIMIT, "train on a sample of the rows",
                            "training data has %zu rows: too many", x->n);
    if (normal != NULL && normal->n > 0 && normal->d != x->d)
        return vd_error_set(err, VD_ERR_SCHEMA, "give both the same columns",
                            "the normal rows have %zu columns, the others %zu", normal->d,
                            x->d);
    status = check_numbers(x, "training", err);
    if (status == VD_OK && normal != NULL)
        status = check_numbers(normal, "normal", err);
    return status;
}

/* Checks that labels are 0 or 1 and that both occur. */
static enum vd_status check_labels(const struct vd_detector_info *info,
                                   const uint8_t *labels, size_t n, struct vd_error *err)
{
    size_t count[2] = {0};

    if (labels == NULL)
        return vd_error_set(err, VD_ERR_DATA,
                            "give a label column of 0 (normal) and 1 (anomaly)",
                            "%s learns from labels and there are none", info->name);
    for (size_t i = 0; i < n; i++) {
        if (labels[i] > 1)
            return vd_error_set(err, VD_ERR_DATA, "use 0 for normal and 1 for anomaly",
                                "row %zu has the label %u", i + 1, (unsigned)labels[i]);
        count[labels[i]]++;
    }
    if (count[0] == 0 || count[1] == 0)
        return vd_error_set(err, VD_ERR_DATA, "collect rows of both kinds",
                            "%s needs rows of both classes; all %zu are %s", info->name,
                            n, count[0] == 0 ? "anomalies" : "normal");
    return VD_OK;
}

/* Finds a setting by name; n_params = there is none. */
static size_t find_param(const struct vd_detector_info *info, const char *name)
{
    size_t i = 0;

    while (i < info->n_params && strcmp(info->params[i].name, name) != 0)
        i++;
    return i;
}

/* Fills `value` with the defaults and puts the caller's checked settings over them. */
static enum vd_status resolve_settings(const struct vd_detector_info *info,
                                       const struct vd_fit_params *params,
                                       double value[PARAMS_MAX], struct vd_error *err)
{
    assert(info->n_params <= PARAMS_MAX);
    for (size_t i = 0; i < info->n_params; i++)
        value[i] = info->params[i].value;
    for (size_t i = 0; i < params->n_settings; i++) {
        const struct vd_setting *setting = &params->settings[i];
        size_t p = find_param(info, setting->name);

        /* A setting like "lof.n_neighbors" goes to that member, which checks it. */
        if (info == &vd__ensemble.info && strchr(setting->name, '.') != NULL)
            continue;
        if (p == info->n_params)
            return vd_error_set(err, VD_ERR_ARGUMENT, "see the list of its settings",
                                "%s has no setting '%s'", info->name, setting->name);
        if (!(setting->value >= info->params[p].min &&
              setting->value <= info->params[p].max))
            return vd_error_set(err, VD_ERR_ARGUMENT, info->params[p].help,
                                "%s: %s = %g is outside %g .. %g", info->name,
                                setting->name, setting->value, info->params[p].min,
                                info->params[p].max);
        value[p] = setting->value;
    }
    if (!(params->contamination >= 0 && params->contamination <= 0.5))
        return vd_error_set(err, VD_ERR_ARGUMENT,
                            "give the share of anomalies, 0 to leave it to the method",
                            "contamination %g is outside 0 .. 0.5",
                            params->contamination);
    return VD_OK;
}

enum vd_status vd_detector_fit(vd_detector **out, const char *name,
                               const struct vd_matrix *x, const uint8_t *labels,
                               const struct vd_fit_params *params, struct vd_error *err)
{
    const struct vd__detector_class *class = find(name);
    struct vd_fit_params given = params == NULL ? vd_fit_params_default() : *params;
    double value[PARAMS_MAX];
    struct vd__fit fit = {.x = x,
                          .param = value,
                          .contamination = given.contamination,
                          .seed = given.seed,
                          .threads = given.threads};
    enum vd_status status;

    *out = NULL;
    if (class == NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, "see the list of detectors",
                            "there is no detector '%s'", name == NULL ? "" : name);
    if (class->info.unavailable != NULL)
        return vd_error_set(err, VD_ERR_UNAVAILABLE, NULL, "%s: %s", class->info.name,
                            class->info.unavailable);
    status = resolve_settings(&class->info, &given, value, err);
    if (status == VD_OK)
        status = check_matrix(x, given.normal, err);
    if (status == VD_OK && (labels != NULL || class->info.needs_labels))
        status = check_labels(&class->info, labels, x->n, err);
    if (status != VD_OK)
        return status;
    fit.labels = labels;
    fit.settings = given.settings;
    fit.n_settings = given.n_settings;
    fit.xgboost_library = given.xgboost_library;
    fit.normal = given.normal != NULL && given.normal->n > 0 ? given.normal : NULL;
    return class->fit(out, &fit, err);
}

/* ---- the fitted detector ---- */

vd_detector *vd__detector_new(const struct vd__detector_class *class, size_t d,
                              size_t size)
{
    vd_detector *self = vd__alloc_aligned(size, 1);

    assert(size >= sizeof *self && d > 0 && d <= VD_COLUMNS_MAX);
    if (self == NULL)
        return NULL;
    memset(self, 0, size);
    self->class = class;
    self->d = d;
    self->size = size;
    return self;
}

enum vd_status vd_detector_prepare(vd_detector *detector)
{
    if (detector->class->prepare == NULL)
        return VD_OK;
    return detector->class->prepare(detector);
}

void vd_detector_free(vd_detector *detector)
{
    if (detector == NULL)
        return;
    if (detector->class->release != NULL)
        detector->class->release(detector);
    vd__free(detector);
}

const struct vd_detector_info *vd_detector_describe(const vd_detector *detector)
{
    return &detector->class->info;
}

size_t vd_detector_columns(const vd_detector *detector)
{
    return detector->d;
}

size_t vd_detector_size(const vd_detector *detector)
{
    return detector->size;
}

double vd_detector_threshold(const vd_detector *detector)
{
    return detector->threshold;
}

double vd__threshold_of(double *scores, size_t n, double contamination)
{
    assert(n > 0 && contamination >= 0 && contamination <= 1);
    vd_sort(scores, n);
    return vd_quantile_sorted(scores, n, 1 - contamination);
}

/* ---- score ---- */

/* Good rows go to the detector as they are, large ones have a number beyond VD_VALUE_MAX,
 * bad ones a NaN or an infinity. */
enum row_kind { ROW_GOOD, ROW_LARGE, ROW_BAD };

/* Sorts a row into its kind; the first loop has no branch, since nearly all rows are
 * good.
 */
static enum row_kind row_kind(const double *row, size_t d)
{
    bool within = true;

    for (size_t j = 0; j < d; j++)
        within &= fabs(row[j]) <= VD_VALUE_MAX;
    if (within)
        return ROW_GOOD;
    for (size_t j = 0; j < d; j++)
        if (!isfinite(row[j]))
            return ROW_BAD;
    return ROW_LARGE;
}

/* Scores a row with its numbers cut to the limit. A function of its own, so that usual
 * rows do not pay for its stack. */
__attribute__((noinline)) static double score_large(const vd_detector *detector,
                                                    const double *row)
{
    double cut[VD_COLUMNS_MAX];

    for (size_t j = 0; j < detector->d; j++)
        cut[j] = fmax(-VD_VALUE_MAX, fmin(VD_VALUE_MAX, row[j]));
    return detector->class->score(detector, cut);
}

/* Keeps a score finite: numbers far beyond the training range may overflow inside a
 * method and are then as anomalous as a number can say. */
static double bounded(double score)
{
    return fabs(score) <= DBL_MAX ? score : score < 0 ? -DBL_MAX : DBL_MAX;
}

double vd_detector_score(const vd_detector *detector, const double *row)
{
    switch (row_kind(row, detector->d)) {
    case ROW_GOOD:
        return bounded(detector->class->score(detector, row));
    case ROW_LARGE:
        return bounded(score_large(detector, row));
    case ROW_BAD:
        break;
    }
    return NAN;
}

/* The state that the threads share while they score a table. */
struct many {
    const vd_detector *detector;
    const struct vd_matrix *x;
    double *scores;
};

/* Scores one chunk of rows, in one go when all of them are good. */
static void score_chunk(void *context, size_t chunk)
{
    struct many *many = context;
    const vd_detector *detector = many->detector;
    size_t from = chunk * CHUNK;
    size_t n = many->x->n - from < CHUNK ? many->x->n - from : CHUNK;
    const double *rows = vd_matrix_row(many->x, from);
    bool good = detector->class->score_block != NULL;

    for (size_t i = 0; good && i < n; i++)
        good = row_kind(rows + i * detector->d, detector->d) == ROW_GOOD;
    if (good) {
        detector->class->score_block(detector, rows, n, many->scores + from);
        for (size_t i = 0; i < n; i++)
            many->scores[from + i] = bounded(many->scores[from + i]);
        return;
    }
    for (size_t i = 0; i < n; i++)
        many->scores[from + i] = vd_detector_score(detector, rows + i * detector->d);
}

void vd_detector_score_many(const vd_detector *detector, const struct vd_matrix *x,
                            double *scores, unsigned threads)
{
    struct many many = {.detector = detector, .x = x, .scores = scores};

    vd__parallel_for((x->n + CHUNK - 1) / CHUNK, threads, score_chunk, &many);
}

enum vd_status vd_detector_explain(const vd_detector *detector, const double *row,
                                   double *share)
{
    if (detector->class->explain == NULL)
        return VD_ERR_UNAVAILABLE;
    if (row_kind(row, detector->d) != ROW_GOOD)
        return VD_ERR_DATA;
    return detector->class->explain(detector, row, share);
}

/* ---- save and load ---- */

/* Returns the version of the detector's saved form. */
static uint32_t version_of(const struct vd__detector_class *class)
{
    return class->version > 0 ? class->version : 1;
}

/* Writes name, version, columns, threshold, the size of the body, and the body. */
void vd_detector_save(const vd_detector *detector, struct vd_writer *w)
{
    struct vd_writer body = {0};

    detector->class->save(detector, &body);
    vd_write_text(w, detector->class->info.name);
    vd_write_u32(w, version_of(detector->class));
    vd_write_u64(w, detector->d);
    vd_write_f64(w, detector->threshold);
    vd_write_u64(w, body.size);
    vd_write_bytes(w, body.at, body.size);
    if (w->status == VD_OK)
        w->status = body.status;
    vd_writer_release(&body);
}

enum vd_status vd__load_failed(const struct vd_reader *r, const char *what,
                               struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_FORMAT, "train the model again, or restore a copy",
                        r->failed ? "the model of %s is cut short"
                                  : "the model of %s holds numbers that cannot be",
                        what);
}

enum vd_status vd_detector_load(vd_detector **out, struct vd_reader *r,
                                struct vd_error *err)
{
    const struct vd__detector_class *class;
    struct vd_reader body;
    uint32_t version;
    uint64_t d;
    double threshold;
    size_t size;
    char name[64];
    enum vd_status status;

    *out = NULL;
    vd_read_text(r, name, sizeof name);
    version = vd_read_u32(r);
    d = vd_read_u64(r);
    threshold = vd_read_f64(r);
    size = vd_read_count(r, 1);
    if (r->failed || d == 0 || d > VD_COLUMNS_MAX || !isfinite(threshold))
        return vd__load_failed(r, "a detector", err);
    class = find(name);
    if (class == NULL)
        return vd_error_set(err, VD_ERR_FORMAT, "use a newer version of vedette",
                            "the model holds an unknown detector");
    if (version != version_of(class))
        return vd_error_set(err, VD_ERR_VERSION, "train the model again",
                            "the model of %s has version %u, this program reads %u", name,
                            (unsigned)version, (unsigned)version_of(class));
    if (class->info.unavailable != NULL && class->load == NULL)
        return vd_error_set(err, VD_ERR_UNAVAILABLE, NULL, "%s: %s", name,
                            class->info.unavailable);
    vd_reader_init(&body, r->at, size);
    r->at += size;
    r->left -= size;
    status = class->load(out, (size_t)d, &body, err);
    if (status == VD_OK && body.left != 0) {
        vd_detector_free(*out);
        *out = NULL;
        status = vd__load_failed(&body, name, err);
    }
    if (status == VD_OK)
        (*out)->threshold = threshold;
    return status;
}
