/* Choosing settings by stratified cross-validation; see tune.h. */
#include "cmd/tune.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vedette/evaluate.h"
#include "vedette/rng.h"
#include "vedette/stats.h"

/* More rows than ROWS_MAX of a kind are thinned out: a choice among a few settings does
 * not need them, and all combinations are to be tried in seconds. */
enum { FOLDS = 5, VALUES_MAX = 5, SHARES = 8, ROWS_MAX = 2000 };

/* Values tried for one setting; all combinations of a detector's rows are tried. */
struct axis {
    const char *detector, *setting;
    double value[VALUES_MAX];
    size_t n;
};

/* clang-format off */
static const struct axis axes[] = {
    {"isolation_forest", "max_samples", {256, 512}, 2},
    {"isolation_forest", "extension", {0, 1, 6}, 3},
    {"one_class_svm", "scale", {0, 1}, 2},
    {"one_class_svm", "kernel", {0, 1, 3}, 3},
    {"one_class_svm", "nu", {0.05, 0.2, 0.5}, 3},
    {"one_class_svm", "gamma", {2}, 1},
    {"one_class_svm", "gamma_value", {0.01, 0.1, 0.5}, 3},
    {"lof", "scale", {0, 1}, 2},
    {"lof", "n_neighbors", {5, 10, 20, 50, 100}, 5},
    {"pca", "scale", {0, 1}, 2},
    {"pca", "components", {1, 2, 3, 4}, 4},
    {"mahalanobis", "scale", {0}, 1},
    {"random_forest", "n_trees", {300}, 1},
    {"random_forest", "max_features", {0, 3}, 2},
    {"random_forest", "class_weight", {0, 1}, 2},
    {"xgboost", "max_depth", {3, 6}, 2},
    {"xgboost", "learning_rate", {0.1, 0.3}, 2},
    {"agent", "reward_miss", {-5, -1}, 2},
    {"agent", "reward_silence", {0.1, 1}, 2},
    {"agent", "entropy", {0.05, 0.2}, 2},
};
/* clang-format on */

static const double shares[SHARES] = {0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2};

struct tuning {
    const struct tune_rows *rows;
    const char *name;
    size_t n, repeats;
    uint8_t *fold;        /* repeats x n */
    double *score;        /* n: of the labelled rows */
    double *own;          /* normal rows' own scores, sorted */
    uint8_t *said;        /* SHARES x n: verdicts at each contamination */
    struct vd_matrix fit; /* rows without a fold */
    uint8_t *fit_label;
    double *part; /* n: scores of a fold, with */
    uint8_t *part_said, *part_label;
};

static void tuning_release(struct tuning *t)
{
    free(t->fold);
    free(t->score);
    free(t->own);
    free(t->said);
    free(t->fit_label);
    free(t->part);
    free(t->part_said);
    free(t->part_label);
    vd_matrix_release(&t->fit);
}

static enum vd_status tuning_init(struct tuning *t, const char *name,
                                  const struct tune_rows *rows)
{
    size_t n = rows->x->n;

    /* Fitting again for each fold is what takes time. */
    *t = (struct tuning){.rows = rows, .name = name, .n = n};
    t->repeats = vd_detector_find(name)->needs_labels ? 1 : 5;
    t->fold = calloc(t->repeats * n, 1);
    t->score = calloc(n, sizeof *t->score);
    t->own = calloc(rows->normal->n, sizeof *t->own);
    t->said = calloc(SHARES * n, 1);
    t->fit_label = calloc(n, 1);
    t->part = calloc(n, sizeof *t->part);
    t->part_said = calloc(n, 1);
    t->part_label = calloc(n, 1);
    if (t->fold == NULL || t->score == NULL || t->own == NULL || t->said == NULL ||
        t->fit_label == NULL || t->part == NULL || t->part_said == NULL ||
        t->part_label == NULL || vd_matrix_init(&t->fit, n, rows->x->d) != VD_OK)
        return VD_ERR_MEMORY;
    return VD_OK;
}

/* Deals the rows of each class into folds, in a random order. */
static void deal(struct tuning *t)
{
    struct vd_rng rng;

    vd_rng_init_stream(&rng, t->rows->params->seed, 77);
    for (size_t r = 0; r < t->repeats; r++) {
        size_t dealt[2] = {0};
        uint8_t *fold = t->fold + r * t->n;

        for (size_t i = 0; i < t->n; i++)
            fold[i] = (uint8_t)(dealt[t->rows->label[i]]++ % FOLDS);
        for (size_t i = t->n; i-- > 1;) {
            size_t other = (size_t)vd_rng_below(&rng, i + 1);
            uint8_t swap = fold[i];

            /* Rows of the other class stay where they are. */
            if (t->rows->label[i] != t->rows->label[other])
                continue;
            fold[i] = fold[other];
            fold[other] = swap;
        }
    }
}

static double f1_of(const uint8_t *label, const uint8_t *said, size_t n)
{
    struct vd_confusion c = vd_confusion_count(label, said, n);

    return vd_f1(&c);
}

/* The rows of a fold (or all others) with their scores and verdicts, into part. */
static size_t gather(struct tuning *t, const uint8_t *fold, size_t which, bool others,
                     const uint8_t *said)
{
    size_t k = 0;

    for (size_t i = 0; i < t->n; i++) {
        if ((fold[i] == which) == others)
            continue;
        t->part[k] = t->score[i];
        t->part_said[k] = said[i];
        t->part_label[k++] = t->rows->label[i];
    }
    return k;
}

static size_t best_share(struct tuning *t, const uint8_t *fold, size_t except)
{
    size_t best = 0;
    double best_f1 = -1;

    for (size_t s = 0; s < SHARES; s++) {
        size_t k = gather(t, fold, except, true, t->said + s * t->n);
        double f1 = f1_of(t->part_label, t->part_said, k);

        if (f1 > best_f1) {
            best_f1 = f1;
            best = s;
        }
    }
    return best;
}

static void add_fold(struct tuning *t, const uint8_t *fold, size_t which,
                     const uint8_t *said, struct tune_choice *c)
{
    size_t k = gather(t, fold, which, false, said);
    double area = NAN;

    vd_areas(t->part_label, t->part, k, &area, NULL, NULL);
    c->f1 += f1_of(t->part_label, t->part_said, k) / (double)(t->repeats * FOLDS);
    c->roc_auc += area / (double)(t->repeats * FOLDS);
}

static struct vd_fit_params params_of(const struct tuning *t, const struct tune_choice *c)
{
    struct vd_fit_params params = *t->rows->params;

    params.settings = c->setting;
    params.n_settings = c->n;
    return params;
}

/* Fitted once on the normal rows; the folds choose and judge the contamination. */
static enum vd_status judge_unlabelled(struct tuning *t, struct tune_choice *c,
                                       struct vd_error *err)
{
    struct vd_fit_params params = params_of(t, c);
    const struct vd_matrix *normal = t->rows->normal;
    vd_detector *detector;
    enum vd_status status =
        vd_detector_fit(&detector, t->name, normal, NULL, &params, err);

    if (status != VD_OK)
        return status;
    vd_detector_score_many(detector, t->rows->x, t->score, params.threads);
    vd_detector_score_many(detector, normal, t->own, params.threads);
    vd_detector_free(detector);
    vd_sort(t->own, normal->n);
    for (size_t s = 0; s < SHARES; s++) {
        double threshold = vd_quantile_sorted(t->own, normal->n, 1 - shares[s]);

        for (size_t i = 0; i < t->n; i++)
            t->said[s * t->n + i] = t->score[i] > threshold;
    }
    for (size_t r = 0; r < t->repeats; r++)
        for (size_t f = 0; f < FOLDS; f++) {
            const uint8_t *fold = t->fold + r * t->n;
            size_t share = best_share(t, fold, f);

            add_fold(t, fold, f, t->said + share * t->n, c);
        }
    c->contamination = shares[best_share(t, t->fold, FOLDS)];
    return VD_OK;
}

/* Fitted without each fold. */
static enum vd_status judge_labelled(struct tuning *t, struct tune_choice *c,
                                     struct vd_error *err)
{
    struct vd_fit_params params = params_of(t, c);
    const struct vd_matrix *x = t->rows->x;

    for (size_t f = 0; f < FOLDS; f++) {
        vd_detector *detector;
        enum vd_status status;

        t->fit.n = 0;
        for (size_t i = 0; i < t->n; i++)
            if (t->fold[i] != f) {
                t->fit_label[t->fit.n] = t->rows->label[i];
                memcpy(vd_matrix_row(&t->fit, t->fit.n++), vd_matrix_row(x, i),
                       x->d * sizeof *x->at);
            }
        status = vd_detector_fit(&detector, t->name, &t->fit, t->fit_label, &params, err);
        if (status != VD_OK)
            return status;
        for (size_t i = 0; i < t->n; i++) {
            t->score[i] = vd_detector_score(detector, vd_matrix_row(x, i));
            t->said[i] = t->score[i] > vd_detector_threshold(detector);
        }
        vd_detector_free(detector);
        add_fold(t, t->fold, f, t->said, c);
    }
    return VD_OK;
}

static void set(struct tune_choice *c, const char *prefix, const char *name, double value)
{
    if (c->n == TUNE_SETTINGS_MAX)
        return;
    snprintf(c->name[c->n], TUNE_NAME_MAX, "%s%s%s", prefix, prefix[0] ? "." : "", name);
    c->setting[c->n] = (struct vd_setting){c->name[c->n], value};
    c->n++;
}

/* Combination `number` of the detector's values; false when there are no more. */
static bool take_combination(const struct tuning *t, size_t number, struct tune_choice *c)
{
    *c = (struct tune_choice){.contamination = t->rows->params->contamination};
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) {
        if (strcmp(axes[i].detector, t->name) != 0)
            continue;
        set(c, "", axes[i].setting, axes[i].value[number % axes[i].n]);
        number /= axes[i].n;
    }
    return number == 0 && c->n > 0;
}

/* The names point into the choice itself. */
static void copy(struct tune_choice *to, const struct tune_choice *from)
{
    *to = *from;
    for (size_t i = 0; i < to->n; i++)
        to->setting[i].name = to->name[i];
}

static enum vd_status try_all(struct tuning *t, struct tune_choice *best,
                              struct vd_error *err)
{
    bool labelled = vd_detector_find(t->name)->needs_labels;
    struct tune_choice c;

    for (size_t k = 0; take_combination(t, k, &c); k++) {
        enum vd_status status =
            labelled ? judge_labelled(t, &c, err) : judge_unlabelled(t, &c, err);

        if (status != VD_OK)
            return status;
        if (!(c.f1 + c.roc_auc <= best->f1 + best->roc_auc))
            copy(best, &c);
    }
    return VD_OK;
}

/* Every k-th row of `all`, and its label where there are labels. */
static enum vd_status thin(struct vd_matrix *out, uint8_t *label,
                           const struct vd_matrix *all, const uint8_t *labels)
{
    size_t step = (all->n + ROWS_MAX - 1) / ROWS_MAX, n = 0;

    if (vd_matrix_init(out, all->n / step + 1, all->d) != VD_OK)
        return VD_ERR_MEMORY;
    for (size_t i = 0; i < all->n; i += step) {
        memcpy(vd_matrix_row(out, n), vd_matrix_row(all, i), all->d * sizeof *all->at);
        if (labels != NULL)
            label[n] = labels[i];
        n++;
    }
    out->n = n;
    return VD_OK;
}

static enum vd_status tune_thinned(struct tune_choice *choice, const char *name,
                                   const struct tune_rows *rows, struct vd_error *err)
{
    struct tuning t;
    size_t count[2] = {0};
    enum vd_status status = tuning_init(&t, name, rows);

    for (size_t i = 0; i < rows->x->n; i++)
        count[rows->label[i]]++;
    if (status != VD_OK)
        status = vd_error_set(err, status, NULL, "no memory to choose settings");
    else if (count[0] < FOLDS || count[1] < FOLDS)
        status = vd_error_set(err, VD_ERR_DATA, "collect more labelled rows",
                              "settings are chosen on %d folds and there are %zu normal "
                              "and %zu anomalous rows",
                              FOLDS, count[0], count[1]);
    if (status == VD_OK) {
        deal(&t);
        status = try_all(&t, choice, err);
    }
    tuning_release(&t);
    return status;
}

enum vd_status tune_detector(struct tune_choice *choice, const char *name,
                             const struct tune_rows *rows, struct vd_error *err)
{
    struct vd_fit_params params = *rows->params;
    struct vd_matrix x = {0}, normal = {0};
    uint8_t *label = calloc(ROWS_MAX + 1, 1);
    struct tune_rows few = {&x, label, &normal, &params};
    enum vd_status status = VD_ERR_MEMORY;

    *choice = (struct tune_choice){
        .contamination = rows->params->contamination, .f1 = NAN, .roc_auc = NAN};
    if (label != NULL && thin(&x, label, rows->x, rows->label) == VD_OK &&
        thin(&normal, NULL, rows->normal, NULL) == VD_OK) {
        params.normal = &normal;
        status = tune_thinned(choice, name, &few, err);
    } else {
        vd_error_set(err, status, NULL, "no memory to choose settings");
    }
    vd_matrix_release(&x);
    vd_matrix_release(&normal);
    free(label);
    return status;
}

void tune_add_member(struct tune_choice *ensemble, const char *member,
                     const struct tune_choice *choice)
{
    for (size_t i = 0; i < choice->n; i++)
        set(ensemble, member, choice->setting[i].name, choice->setting[i].value);
}
