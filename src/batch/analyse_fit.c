/* Learns from rows. Rows that are known to be normal are scored by detectors that have
 * not seen them, over blocks of time, so that new rows compare with them. Rows that may
 * hold anomalies are learned from twice: what stood apart, in one value by itself or the
 * first time, is not there the second. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "batch/analyse_score.h"
#include "batch/analyse_tail.h"
#include "os/log.h"

/* Sets the blocks of the cross-fit, and the share of the axes' variance in windows. */
enum { FOLDS = 4, WINDOWS_MIN = 30, ROWS_BELIEVED = 2000 };
static const struct vd_setting windows_settings[] = {{"variance", 0.8}};

/* A row of a table that is this odd, when 0.05 such rows are expected in all of it, is
 * not learned from; of rows in order, one in a thousand, which no detector misses. */
static const double EXPECTED = 0.05, SURPRISE_LEARNED = 3;

/* Holds what one learning works with. */
struct learning {
    struct batch_scorer *scorer;
    struct batch_lesson *lesson;
    bool *odd;               /* x.n, owned */
    double *raw;             /* members x x.n, owned */
    size_t out_from, out_to; /* rows that are kept out of a fit */
    bool normal_only;        /* the member that is fitted learns without labels */
};

/* ---- fitting ---- */

static bool is_in(const struct learning *l, size_t i)
{
    return !l->odd[i] && (i < l->out_from || i >= l->out_to) &&
           !(l->normal_only && l->lesson->label != NULL && l->lesson->label[i] != 0);
}

/* Whether all rows of the window that ends at row i may be learned. */
static bool is_window_in(const struct learning *l, size_t i, size_t w)
{
    for (size_t t = 0; t < w; t++)
        if (!is_in(l, i - t))
            return false;
    return true;
}

/* Chooses the rows, or the windows of w of them, that a member is fitted on, evenly; and
 * their labels. */
static enum vd_status choose_rows(const struct learning *l, size_t w, size_t most,
                                  struct vd_matrix *x, uint8_t *label,
                                  struct vd_error *err)
{
    const struct batch_lesson *lesson = l->lesson;
    size_t n = 0, d = l->scorer->d, step, seen = 0;

    for (size_t i = w - 1; i < lesson->x.n; i++)
        n += w > 1 ? is_window_in(l, i, w) : is_in(l, i);
    step = n / (most + 1) + 1;
    if (vd_matrix_init(x, n / step + 1, w * d) != VD_OK)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory to learn from rows");
    x->n = 0;
    for (size_t i = w - 1; i < lesson->x.n; i++) {
        if (!(w > 1 ? is_window_in(l, i, w) : is_in(l, i)) || seen++ % step != 0)
            continue;
        for (size_t t = 0; t < w; t++)
            batch_scorer_see(l->scorer, vd_matrix_row(&lesson->x, i - (w - 1 - t)),
                             lesson->time_ns[i - (w - 1 - t)],
                             vd_matrix_row(x, x->n) + t * d);
        if (lesson->label != NULL)
            label[x->n] = lesson->label[i];
        x->n++;
    }
    return VD_OK;
}

/* Compares rows with each other: its fit grows with the square of their number. */
static bool is_slow(const char *name)
{
    return strcmp(name, "lof") == 0 || strcmp(name, "one_class_svm") == 0 ||
           strcmp(name, "ensemble") == 0 || strcmp(name, "agent") == 0;
}

/* Gives the number of trees that was asked for, under the name that the member knows. */
static size_t settings_of(const struct batch_scorer *scorer, const char *name,
                          struct vd_setting *setting)
{
    if (scorer->trees == 0)
        return 0;
    setting->value = scorer->trees;
    if (strcmp(name, "isolation_forest") == 0)
        setting->name = "n_trees";
    else if (strcmp(name, "ensemble") == 0)
        setting->name = "isolation_forest.n_trees";
    else
        return 0;
    return 1;
}

static enum vd_status fit_member(struct learning *l, struct batch_member *member,
                                 struct vd_error *err)
{
    struct batch_scorer *scorer = l->scorer;
    bool windows = member->kind == BATCH_MEMBER_WINDOWS;
    uint8_t *label = l->lesson->label == NULL ? NULL : malloc(l->lesson->x.n + 1);
    struct vd_fit_params params = scorer->params;
    struct vd_setting setting;
    const struct vd_detector_info *info = vd_detector_find(member->name);
    struct vd_matrix x = {0};
    enum vd_status status;

    l->normal_only = info == NULL || !(info->needs_labels || info->combines);
    if (l->lesson->label != NULL && label == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the labels");
    params.settings = windows ? windows_settings : &setting;
    params.n_settings = windows ? 1 : settings_of(scorer, member->name, &setting);
    status = choose_rows(l, windows ? scorer->window : 1,
                         windows                 ? BATCH_FIT_WINDOWS
                         : is_slow(member->name) ? BATCH_FIT_ROWS_SLOW
                                                 : BATCH_FIT_ROWS,
                         &x, label, err);
    if (status == VD_OK && windows && x.n < WINDOWS_MIN)
        status = vd_error_set(err, VD_ERR_DATA, NULL, "windows: too few rows on end");
    if (status == VD_OK) {
        vd_detector_free(member->detector);
        member->detector = NULL;
        status = vd_detector_fit(&member->detector, windows ? "pca" : member->name, &x,
                                 l->normal_only ? NULL : label, &params, err);
    }
    if (status == VD_OK && vd_detector_prepare(member->detector) != VD_OK)
        status = vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for a detector");
    vd_matrix_release(&x);
    free(label);
    return status;
}

static bool is_fitted(const struct batch_member *member)
{
    return member->kind == BATCH_MEMBER_LIBRARY || member->kind == BATCH_MEMBER_WINDOWS;
}

/* Fits all members. One that cannot be fitted is left out, when there are others. */
static enum vd_status fit_all(struct learning *l, struct vd_error *err)
{
    struct batch_scorer *scorer = l->scorer;
    size_t m = 0;

    while (m < scorer->n_members) {
        struct batch_member *member = &scorer->member[m];
        struct vd_error why = {0};
        enum vd_status status = is_fitted(member) ? fit_member(l, member, &why) : VD_OK;

        if (status == VD_OK) {
            m++;
            continue;
        }
        if (status == VD_ERR_MEMORY || scorer->n_members == 1)
            return vd_error_set(err, status, why.hint[0] == '\0' ? NULL : why.hint, "%s",
                                why.text);
        os_log_info("without %s: %s", member->name, why.text);
        vd_detector_free(member->detector);
        memmove(member, member + 1, (--scorer->n_members - m) * sizeof *member);
    }
    return VD_OK;
}

/* ---- raw scores ---- */

/* Scores rows from .. to - 1 with the members that are not idle and keeps their raw
 * scores. Windows see the rows before. */
static enum vd_status score_rows(struct learning *l, size_t from, size_t to,
                                 struct vd_error *err)
{
    const struct batch_lesson *lesson = l->lesson;
    struct batch_scorer *scorer = l->scorer;
    size_t before = scorer->window - 1;
    enum vd_status status = VD_OK;

    batch_scorer_restart(scorer);
    for (size_t i = from > before ? from - before : 0; status == VD_OK && i < to;) {
        size_t n = to - i < BATCH_BLOCK ? to - i : BATCH_BLOCK;
        struct vd_matrix x = {n, lesson->x.d, vd_matrix_row(&lesson->x, i)};

        status = batch_scorer_raw(scorer, &x, lesson->time_ns + i, err);
        for (size_t m = 0; status == VD_OK && m < scorer->n_members; m++)
            for (size_t k = 0; !scorer->member[m].idle && k < n; k++)
                if (i + k >= from)
                    l->raw[m * lesson->x.n + i + k] = scorer->raw[m * BATCH_BLOCK + k];
        i += n;
    }
    return status;
}

/* Tells whether the member's scores of rows that it has seen are too good: that of one
 * that learned from labels is the label's probability, not how rare a row is. */
static bool is_crossed(const struct batch_member *member)
{
    const struct vd_detector_info *info = vd_detector_find(member->name);

    return is_fitted(member) && (info == NULL || !info->needs_labels);
}

/* Scores each block of the rows by members that were fitted on the others. */
static enum vd_status score_unseen(struct learning *l, struct vd_error *err)
{
    struct batch_scorer *scorer = l->scorer;
    size_t n = l->lesson->x.n;
    enum vd_status status = VD_OK;

    for (size_t m = 0; m < scorer->n_members; m++)
        scorer->member[m].idle = !is_crossed(&scorer->member[m]);
    for (size_t fold = 0; status == VD_OK && fold < FOLDS; fold++) {
        l->out_from = fold * n / FOLDS;
        l->out_to = (fold + 1) * n / FOLDS;
        for (size_t m = 0; status == VD_OK && m < scorer->n_members; m++)
            if (!scorer->member[m].idle)
                status = fit_member(l, &scorer->member[m], err);
        if (status == VD_OK)
            status = score_rows(l, l->out_from, l->out_to, err);
    }
    l->out_from = l->out_to = 0;
    for (size_t m = 0; m < scorer->n_members; m++)
        scorer->member[m].idle = !scorer->member[m].idle;
    return status;
}

/* ---- what scores mean ---- */

/* Gives the scores of normal rows only, where some are labelled otherwise. */
static size_t normal_scores(const struct learning *l, const double *score, double *out)
{
    size_t n = 0;

    for (size_t i = 0; i < l->lesson->x.n; i++)
        if (l->lesson->label == NULL || l->lesson->label[i] == 0)
            out[n++] = score[i];
    return n;
}

/* Tells whether what members say together is taken as it is. Where faults last, it has a
 * tail of them, while those of members are known well enough when there are many rows. */
static bool is_believed(const struct batch_lesson *lesson)
{
    return !lesson->clean && lesson->ordered && lesson->x.n >= ROWS_BELIEVED;
}

/* Calibrates the members and what they say together, and gives the rows their
 * surprise. */
static enum vd_status calibrate(struct learning *l, struct vd_error *err)
{
    struct batch_scorer *scorer = l->scorer;
    struct batch_lesson *lesson = l->lesson;
    size_t rows = lesson->x.n, n;
    double *score = malloc((rows + 1) * sizeof *score);
    enum vd_status status = VD_OK;

    if (score == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the scores");
    for (size_t m = 0; status == VD_OK && m < scorer->n_members; m++) {
        n = normal_scores(l, l->raw + m * rows, score);
        status = batch_tail_fit(&scorer->member[m].calibration, score, n, lesson->clean,
                                lesson->ordered, err);
        if (status == VD_ERR_DATA && scorer->n_members > 1) {
            /* A stream that is not warm yet says nothing. */
            vd_calibration_believe(&scorer->member[m].calibration, 1);
            vd_error_clear(err);
            status = VD_OK;
        }
    }
    scorer->has_whole = false;
    if (status == VD_OK)
        batch_scorer_combine(scorer, l->raw, rows, rows, lesson->surprise);
    if (status == VD_OK && scorer->n_members > 1 && !is_believed(lesson)) {
        n = normal_scores(l, lesson->surprise, score);
        status =
            batch_tail_fit(&scorer->whole, score, n, lesson->clean, lesson->ordered, err);
        scorer->has_whole = true;
        vd_calibration_surprises(&scorer->whole, lesson->surprise, lesson->surprise,
                                 rows);
    }
    free(score);
    return status;
}

/* ---- learning ---- */

/* Gives the times of rows whose hour counts; NULL = it does not. */
static const int64_t *times_of(const struct batch_lesson *lesson)
{
    return lesson->ordered ? lesson->time_ns : NULL;
}

static enum vd_status learn_once(struct learning *l, struct batch_words *words,
                                 struct vd_error *err)
{
    enum vd_status status =
        batch_words_learn(words, &l->lesson->x, times_of(l->lesson), l->odd, err);

    batch_scorer_fill_with_expected(l->scorer);
    if (status == VD_OK)
        status = fit_all(l, err);
    if (status == VD_OK && l->lesson->clean) {
        status = score_unseen(l, err);
        if (status == VD_OK)
            status = fit_all(l, err);
    }
    if (status == VD_OK)
        status = score_rows(l, 0, l->lesson->x.n, err);
    for (size_t m = 0; m < l->scorer->n_members; m++)
        l->scorer->member[m].idle = false;
    return status == VD_OK ? calibrate(l, err) : status;
}

/* Marks the rows that are so odd that they are not learned from; at most a tenth. */
static size_t mark_odd(struct learning *l)
{
    size_t n = l->lesson->x.n, odd = 0;
    double least = -log10(EXPECTED / (double)n);

    if (l->lesson->ordered)
        least = fmin(least, SURPRISE_LEARNED);
    for (size_t i = 0; i < n; i++) {
        l->odd[i] = l->lesson->surprise[i] > least;
        odd += l->odd[i];
    }
    if (odd <= n / 10)
        return odd;
    memset(l->odd, 0, n * sizeof *l->odd);
    return 0;
}

/* Marks the rows in which some value by itself stands apart: detectors that look at all
 * values at once take what they are fitted on for normal. */
static enum vd_status mark_levels(struct learning *l, struct batch_words *words,
                                  struct vd_error *err)
{
    struct batch_lesson *lesson = l->lesson;
    struct vd_calibration levels;
    double *score = lesson->surprise;
    enum vd_status status =
        batch_words_learn(words, &lesson->x, times_of(lesson), NULL, err);

    if (status != VD_OK)
        return status;
    batch_scorer_levels(l->scorer, &lesson->x, lesson->time_ns, score);
    for (size_t i = 0; i < lesson->x.n; i++)
        score[i] = log1p(score[i]);
    status = batch_tail_fit(&levels, score, lesson->x.n, false, lesson->ordered, err);
    if (status != VD_OK)
        return status;
    for (size_t i = 0; i < lesson->x.n; i++)
        score[i] = vd_calibration_surprise(&levels, score[i]);
    mark_odd(l);
    return VD_OK;
}

enum vd_status batch_scorer_learn(struct batch_scorer *scorer, struct batch_words *words,
                                  struct batch_lesson *lesson, struct vd_error *err)
{
    size_t n = lesson->x.n;
    struct learning l = {.scorer = scorer, .lesson = lesson};
    enum vd_status status;
    bool again;

    if (n < VD_CALIBRATION_MIN)
        return vd_error_set(err, VD_ERR_DATA, "give more rows",
                            "%zu rows are too few to learn from: %d are needed", n,
                            VD_CALIBRATION_MIN);
    l.odd = calloc(n, sizeof *l.odd);
    l.raw = malloc(n * scorer->n_members * sizeof *l.raw);
    if (l.odd == NULL || l.raw == NULL) {
        free(l.odd);
        free(l.raw);
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory to learn from rows");
    }
    again = !lesson->clean && !lesson->rank;
    status = again && lesson->ordered ? mark_levels(&l, words, err) : VD_OK;
    if (status == VD_OK)
        status = learn_once(&l, words, err);
    if (status == VD_OK && again && mark_odd(&l) > 0)
        status = learn_once(&l, words, err);
    if (lesson->clean)
        scorer->n_recent = 0; /* other rows follow */
    free(l.odd);
    free(l.raw);
    return status;
}
