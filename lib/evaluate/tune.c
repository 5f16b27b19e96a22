/* Chooses settings by stratified cross-validation; tune.h has the rule and its source.
 *
 * Every combination of the values below is tried, one per thread at a time, each with its
 * own workspace. The search does not refine values between those of the list, and it
 * tunes the members of an ensemble one by one, never together.
 */
#include "vedette/tune.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/threads.h"
#include "vedette/evaluate.h"
#include "vedette/rng.h"
#include "vedette/stats.h"

/* Rows beyond these numbers are thinned out: a choice among a few settings does not need
 * more, and all combinations have to be tried in seconds. Labelled rows are fitted again
 * for each fold; more than REPEATED_MAX of them are dealt into folds once, not twice. */
enum { NORMAL_MAX = 2000, LABELLED_MAX = 1000, REPEATED_MAX = 500 };

enum { FOLDS = 5, VALUES_MAX = 5, SHARES = 8 };

/* The values tried for one setting of a detector. */
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

enum { AXES = sizeof axes / sizeof *axes };

static const double shares[SHARES] = {0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2};

/* The task and the workspace of judging one combination. */
struct tuning {
    const struct vd_tune_rows *rows;
    const struct vd_tune_choice *given;
    bool with_contamination;
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
    vd__free(t->fold);
    vd__free(t->score);
    vd__free(t->own);
    vd__free(t->said);
    vd__free(t->fit_label);
    vd__free(t->part);
    vd__free(t->part_said);
    vd__free(t->part_label);
    vd_matrix_release(&t->fit);
}

/* Allocates the workspace; tuning_release frees it, also after a failure. */
static enum vd_status tuning_init(struct tuning *t)
{
    const struct vd_tune_rows *rows = t->rows;
    size_t n = rows->x->n;

    t->n = n;
    t->repeats = 5;
    if (vd_detector_find(t->name)->needs_labels)
        t->repeats = n > REPEATED_MAX ? 1 : 2;
    t->fold = vd__alloc_zero(t->repeats * n, 1);
    t->score = vd__alloc_zero(n, sizeof *t->score);
    t->own = vd__alloc_zero(rows->normal->n, sizeof *t->own);
    t->said = vd__alloc_zero(SHARES * n, 1);
    t->fit_label = vd__alloc_zero(n, 1);
    t->part = vd__alloc_zero(n, sizeof *t->part);
    t->part_said = vd__alloc_zero(n, 1);
    t->part_label = vd__alloc_zero(n, 1);
    if (t->fold == NULL || t->score == NULL || t->own == NULL || t->said == NULL ||
        t->fit_label == NULL || t->part == NULL || t->part_said == NULL ||
        t->part_label == NULL || vd_matrix_init(&t->fit, n, rows->x->d) != VD_OK)
        return VD_ERR_MEMORY;
    return VD_OK;
}

/* Deals the rows of each class into folds, in a random order for each repeat. */
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

/* Copies the scores, verdicts and labels of the rows of a fold (or of all others) into
 * the part arrays; returns how many there are. */
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

/* Finds the contamination with the best F1 on the rows outside fold `except`. */
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

/* Adds F1 and ROC area on fold `which` to the choice's means. */
static enum vd_status add_fold(struct tuning *t, const uint8_t *fold, size_t which,
                               const uint8_t *said, struct vd_tune_choice *c,
                               struct vd_error *err)
{
    size_t k = gather(t, fold, which, false, said);
    double area = NAN;
    enum vd_status status = vd_areas(t->part_label, t->part, k, &area, NULL, err);

    c->f1 += f1_of(t->part_label, t->part_said, k) / (double)(t->repeats * FOLDS);
    c->roc_auc += area / (double)(t->repeats * FOLDS);
    return status;
}

static struct vd_fit_params params_of(const struct tuning *t,
                                      const struct vd_tune_choice *c)
{
    struct vd_fit_params params = *t->rows->params;

    params.contamination = c->contamination;
    params.settings = c->setting;
    params.n_settings = c->n;
    return params;
}

/* Judges a detector that needs no labels: it is fitted once on the normal rows, and the
 * folds choose and judge the contamination. */
static enum vd_status judge_unlabelled(struct tuning *t, struct vd_tune_choice *c,
                                       struct vd_error *err)
{
    struct vd_fit_params params = params_of(t, c);
    const struct vd_matrix *normal = t->rows->normal;
    vd_detector *detector;
    enum vd_status status =
        vd_detector_fit(&detector, t->name, normal, NULL, &params, err);
    double threshold;

    if (status != VD_OK)
        return status;
    vd_detector_score_many(detector, t->rows->x, t->score, params.threads);
    vd_detector_score_many(detector, normal, t->own, params.threads);
    threshold = vd_detector_threshold(detector);
    vd_detector_free(detector);
    vd_sort(t->own, normal->n);
    for (size_t s = 0; s < SHARES; s++) {
        if (t->with_contamination)
            threshold = vd_quantile_sorted(t->own, normal->n, 1 - shares[s]);
        for (size_t i = 0; i < t->n; i++)
            t->said[s * t->n + i] = t->score[i] > threshold;
    }
    for (size_t r = 0; r < t->repeats; r++)
        for (size_t f = 0; f < FOLDS && status == VD_OK; f++) {
            const uint8_t *fold = t->fold + r * t->n;
            size_t share = best_share(t, fold, f);

            status = add_fold(t, fold, f, t->said + share * t->n, c, err);
        }
    if (t->with_contamination)
        c->contamination = shares[best_share(t, t->fold, FOLDS)];
    return status;
}

/* Fits a detector that needs labels without fold `f` and judges it on that fold. */
static enum vd_status judge_fold(struct tuning *t, const uint8_t *fold, size_t f,
                                 struct vd_tune_choice *c, struct vd_error *err)
{
    struct vd_fit_params params = params_of(t, c);
    const struct vd_matrix *x = t->rows->x;
    vd_detector *detector;
    enum vd_status status;

    t->fit.n = 0;
    for (size_t i = 0; i < t->n; i++)
        if (fold[i] != f) {
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
    return add_fold(t, fold, f, t->said, c, err);
}

static enum vd_status judge_labelled(struct tuning *t, struct vd_tune_choice *c,
                                     struct vd_error *err)
{
    enum vd_status status = VD_OK;

    for (size_t r = 0; r < t->repeats; r++)
        for (size_t f = 0; f < FOLDS && status == VD_OK; f++)
            status = judge_fold(t, t->fold + r * t->n, f, c, err);
    return status;
}

/* Tells whether the choice has a setting of that name. */
static bool is_set(const struct vd_tune_choice *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->name[i], name) == 0)
            return true;
    return false;
}

/* Tells whether the setting belongs to the detector and is not given by the caller. */
static bool is_tried(const struct tuning *t, const struct axis *axis)
{
    return strcmp(axis->detector, t->name) == 0 && !is_set(t->given, axis->setting);
}

static size_t count_combinations(const struct tuning *t)
{
    size_t n = 1;

    for (size_t i = 0; i < AXES; i++)
        n *= is_tried(t, &axes[i]) ? axes[i].n : 1;
    return n;
}

/* Sets combination `number` of the values beside the settings that were given: the values
 * are the digits of the number. */
static void take_combination(const struct tuning *t, size_t number,
                             struct vd_tune_choice *c)
{
    vd_tune_copy(c, t->given);
    c->f1 = c->roc_auc = 0;
    for (size_t i = 0; i < AXES; i++) {
        if (!is_tried(t, &axes[i]))
            continue;
        vd_tune_set(c, "", axes[i].setting, axes[i].value[number % axes[i].n]);
        number /= axes[i].n;
    }
    assert(number == 0);
}

/* The result of one combination. */
struct trial {
    struct vd_tune_choice choice;
    struct vd_error err; /* status VD_OK = judged */
};

struct search {
    const struct tuning *task;
    struct trial *trial; /* one for each combination */
};

/* Judges combination i; runs on any thread. */
static void try_combination(void *context, size_t i)
{
    struct search *s = context;
    struct trial *trial = &s->trial[i];
    struct tuning t = *s->task;
    enum vd_status status = tuning_init(&t);

    if (status != VD_OK) {
        vd_error_set(&trial->err, status, NULL, "no memory to choose settings");
    } else {
        deal(&t);
        take_combination(&t, i, &trial->choice);
        if (vd_detector_find(t.name)->needs_labels)
            judge_labelled(&t, &trial->choice, &trial->err);
        else
            judge_unlabelled(&t, &trial->choice, &trial->err);
    }
    tuning_release(&t);
}

/* Tries all combinations and keeps the best; of equally good ones the first. */
static enum vd_status try_all(const struct tuning *task, unsigned threads,
                              struct vd_tune_choice *best, struct vd_error *err)
{
    size_t n = count_combinations(task);
    struct search s = {task, vd__alloc_zero(n, sizeof *s.trial)};
    double best_sum = -1;
    enum vd_status status = VD_OK;

    if (s.trial == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory to choose settings");
    vd__parallel_for(n, threads, try_combination, &s);
    for (size_t i = 0; i < n && status == VD_OK; i++) {
        const struct vd_tune_choice *c = &s.trial[i].choice;

        status = s.trial[i].err.status;
        if (status != VD_OK) {
            *err = s.trial[i].err;
        } else if (c->f1 + c->roc_auc > best_sum) {
            best_sum = c->f1 + c->roc_auc;
            vd_tune_copy(best, c);
        }
    }
    vd__free(s.trial);
    return status;
}

/* Copies every k-th row of `all`, so that at most `max` remain, and its label where there
 * are labels. */
static enum vd_status thin(struct vd_matrix *out, uint8_t *label,
                           const struct vd_matrix *all, const uint8_t *labels, size_t max)
{
    size_t step = all->n > max ? (all->n + max - 1) / max : 1, n = 0;

    if (vd_matrix_init(out, all->n / step + 1, all->d) != VD_OK)
        return VD_ERR_MEMORY;
    for (size_t i = 0; i < all->n; i += step) {
        memcpy(vd_matrix_row(out, n), vd_matrix_row(all, i), all->d * sizeof *all->at);
        if (labels != NULL)
            label[n] = labels[i];
        n++;
    }
    assert(n <= out->n && n <= max);
    out->n = n;
    return VD_OK;
}

enum vd_status vd_tune_check(const struct vd_tune_rows *rows, struct vd_error *err)
{
    size_t count[2] = {0};

    for (size_t i = 0; i < rows->x->n; i++)
        count[rows->label[i]]++;
    if (count[0] < FOLDS || count[1] < FOLDS)
        return vd_error_set(err, VD_ERR_DATA, "collect more labelled rows",
                            "settings are chosen on %d folds and there are %zu normal "
                            "and %zu anomalous rows",
                            FOLDS, count[0], count[1]);
    return VD_OK;
}

enum vd_status vd_tune_detector(struct vd_tune_choice *choice, const char *name,
                                const struct vd_tune_rows *rows,
                                const struct vd_tune_choice *given,
                                bool with_contamination, struct vd_error *err)
{
    struct vd_fit_params params = *rows->params;
    struct vd_matrix x = {0}, normal = {0};
    uint8_t *label = vd__alloc_zero(LABELLED_MAX + 1, 1);
    struct vd_tune_rows few = {&x, label, &normal, &params};
    struct tuning t = {.rows = &few,
                       .given = given,
                       .with_contamination = with_contamination,
                       .name = name};
    enum vd_status status = VD_ERR_MEMORY;

    vd_tune_copy(choice, given);
    choice->f1 = choice->roc_auc = NAN;
    if (label != NULL && thin(&x, label, rows->x, rows->label, LABELLED_MAX) == VD_OK &&
        thin(&normal, NULL, rows->normal, NULL, NORMAL_MAX) == VD_OK) {
        params.normal = &normal;
        params.threads = 1;
        status = vd_tune_check(&few, err);
        if (status == VD_OK)
            status = try_all(&t, rows->params->threads, choice, err);
    } else {
        vd_error_set(err, status, NULL, "no memory to choose settings");
    }
    vd_matrix_release(&x);
    vd_matrix_release(&normal);
    vd__free(label);
    return status;
}

void vd_tune_set(struct vd_tune_choice *choice, const char *prefix, const char *name,
                 double value)
{
    char *key = choice->name[choice->n];
    size_t i = 0;

    if (choice->n == VD_TUNE_SETTINGS_MAX)
        return;
    snprintf(key, VD_TUNE_NAME_MAX, "%s%s%s", prefix, prefix[0] ? "." : "", name);
    /* The key stands behind the last name, so the search ends there at the latest. */
    while (strcmp(choice->name[i], key) != 0)
        i++;
    choice->setting[i] = (struct vd_setting){choice->name[i], value};
    if (i == choice->n)
        choice->n++;
}

void vd_tune_add_member(struct vd_tune_choice *ensemble, const char *member,
                        const struct vd_tune_choice *choice)
{
    for (size_t i = 0; i < choice->n; i++)
        vd_tune_set(ensemble, member, choice->setting[i].name, choice->setting[i].value);
}

void vd_tune_copy(struct vd_tune_choice *to, const struct vd_tune_choice *from)
{
    *to = *from;
    for (size_t i = 0; i < to->n; i++)
        to->setting[i].name = to->name[i];
}
