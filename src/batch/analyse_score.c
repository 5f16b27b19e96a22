/* Scores rows block by block: each member's raw scores of a block, then row by row the
 * surprises and their combination. */
#include "batch/analyse_score.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/combine.h"

/* Sets how many metrics get a streaming detector, as in the monitor. */
enum { STREAMS_MAX = 160, WINDOWS_AT_ONCE = BATCH_BLOCK / 8 };

/* Sets how many rows are combined at once. */
enum { STEP = 256 };

/* Sets from how many sigmas on a value needs no second voice, as in the monitor. */
static const double FAR_OUT = 15;

enum vd_status batch_scorer_init(struct batch_scorer *scorer,
                                 const struct batch_words *words, size_t d,
                                 const struct batch_analyse_options *options,
                                 double interval_s, struct vd_error *err)
{
    size_t window = options->window == 0 ? BATCH_WINDOW_ROWS : options->window;

    if (window * d > BATCH_WINDOW_NUMBERS)
        window = BATCH_WINDOW_NUMBERS / d;
    *scorer = (struct batch_scorer){.words = words, .d = d, .interval_s = interval_s};
    scorer->window = window;
    scorer->trees = options->trees;
    scorer->params = vd_fit_params_default();
    scorer->params.seed = options->seed;
    scorer->params.threads = options->threads;
    scorer->params.contamination = isnan(options->contamination)
                                       ? scorer->params.contamination
                                       : options->contamination;
    scorer->raw = calloc((size_t)BATCH_MEMBERS_MAX * BATCH_BLOCK, sizeof *scorer->raw);
    scorer->block = calloc(BATCH_BLOCK * d, sizeof *scorer->block);
    scorer->windows = calloc(WINDOWS_AT_ONCE * (window * d + 1), sizeof *scorer->windows);
    scorer->recent = calloc((window + 1) * d, sizeof *scorer->recent);
    scorer->filling = calloc(d, sizeof *scorer->filling);
    if (scorer->raw == NULL || scorer->block == NULL || scorer->windows == NULL ||
        scorer->recent == NULL || scorer->filling == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the rows");
    return VD_OK;
}

void batch_scorer_fill_with_expected(struct batch_scorer *scorer)
{
    for (size_t k = 0; k < scorer->d; k++) {
        double expected = scorer->words->expected[k] / scorer->words->scale[k];

        scorer->filling[k] = isnan(expected) ? 0 : expected;
    }
}

/* ---- members ---- */

static struct batch_member *new_member(struct batch_scorer *scorer, const char *name,
                                       enum batch_member_kind kind)
{
    struct batch_member *member = &scorer->member[scorer->n_members++];
    const struct vd_detector_info *info = vd_detector_find(name);

    assert(scorer->n_members <= BATCH_MEMBERS_MAX);
    *member = (struct batch_member){.name = name, .kind = kind};
    member->is_distance = kind == BATCH_MEMBER_WINDOWS || kind == BATCH_MEMBER_LEVELS ||
                          strcmp(name, "mahalanobis") == 0 || strcmp(name, "pca") == 0 ||
                          strcmp(name, "lof") == 0;
    member->repeats = info != NULL && info->combines;
    return member;
}

enum vd_status batch_scorer_add(struct batch_scorer *scorer, const char *name,
                                struct vd_error *err)
{
    const struct vd_detector_info *info = vd_detector_find(name);

    if (scorer->n_members == BATCH_MEMBERS_MAX)
        return vd_error_set(err, VD_ERR_LIMIT, NULL, "more than %d detectors",
                            BATCH_MEMBERS_MAX);
    if (strcmp(name, "windows") == 0) {
        if (scorer->window >= 2) /* so many columns leave no room for a window */
            new_member(scorer, "windows", BATCH_MEMBER_WINDOWS);
    } else if (strcmp(name, "levels") == 0) {
        new_member(scorer, "levels", BATCH_MEMBER_LEVELS);
    } else if (strcmp(name, "streams") == 0) {
        new_member(scorer, "streams", BATCH_MEMBER_STREAMS);
    } else if (info == NULL || info->unavailable != NULL) {
        return vd_error_set(
            err, VD_ERR_UNAVAILABLE, "'vedette model settings' lists them", "%s: %s",
            name, info == NULL ? "there is no such detector" : info->unavailable);
    } else {
        new_member(scorer, info->name, BATCH_MEMBER_LIBRARY);
    }
    return VD_OK;
}

enum vd_status batch_scorer_take(struct batch_scorer *scorer, const vd_model *model,
                                 struct vd_error *err)
{
    const struct vd_model_entry *entry = vd_model_find(model, "ensemble");

    if (vd_model_columns(model) != scorer->d)
        return vd_error_set(err, VD_ERR_SCHEMA, NULL, "the model has other columns");
    for (size_t i = 0; scorer->n_members < BATCH_MEMBERS_MAX; i++) {
        const struct vd_model_entry *one = entry != NULL ? entry : vd_model_at(model, i);
        struct batch_member *member;

        if (one == NULL || (entry != NULL && i > 0))
            break;
        member = new_member(scorer, vd_detector_describe(one->detector)->name,
                            BATCH_MEMBER_LIBRARY);
        member->detector = one->detector;
        member->borrowed = true;
        member->is_distance = false; /* the bundle's calibration is of raw scores */
        member->calibration = one->calibration;
    }
    return VD_OK;
}

/* ---- one block ---- */

/* A value that is missing says nothing. */
void batch_scorer_see(const struct batch_scorer *scorer, const double *row,
                      int64_t time_ns, double *out)
{
    const struct batch_season *season = &scorer->words->season;
    long slot = batch_season_slot(season, time_ns);

    for (size_t k = 0; k < scorer->d; k++) {
        const struct batch_season_level *level = batch_season_at(season, slot, k);
        double expected = level == NULL ? scorer->filling[k] : (double)level->middle;

        out[k] = isnan(row[k]) ? expected : row[k];
        if (level != NULL)
            out[k] = (out[k] - expected) / (double)fmaxf(level->up, level->down);
        else if (slot != BATCH_NO_SLOT)
            out[k] = batch_words_z(scorer->words, BATCH_NO_SLOT, k, out[k]);
    }
}

/* Copies the rows as the detectors see them. */
static struct vd_matrix fill(struct batch_scorer *scorer, const struct vd_matrix *x,
                             const int64_t *time_ns)
{
    for (size_t i = 0; i < x->n; i++)
        batch_scorer_see(scorer, vd_matrix_row(x, i), time_ns[i],
                         scorer->block + i * scorer->d);
    return (struct vd_matrix){x->n, scorer->d, scorer->block};
}

/* Gives row i of the block; before its first one come the rows of the block before. */
static const double *row_at(const struct batch_scorer *scorer, const struct vd_matrix *x,
                            size_t i, size_t back)
{
    return i >= back ? vd_matrix_row(x, i - back)
                     : scorer->recent + (scorer->n_recent + i - back) * scorer->d;
}

static void score_windows(struct batch_scorer *scorer, const struct batch_member *member,
                          const struct vd_matrix *x, double *raw)
{
    size_t w = scorer->window, d = scorer->d, first;

    first = scorer->n_recent >= w - 1 ? 0 : w - 1 - scorer->n_recent;
    for (size_t i = 0; i < x->n && i < first; i++)
        raw[i] = NAN;
    for (size_t from = first; from < x->n; from += WINDOWS_AT_ONCE) {
        size_t n = x->n - from < WINDOWS_AT_ONCE ? x->n - from : WINDOWS_AT_ONCE;
        struct vd_matrix view = {n, w * d, scorer->windows};

        for (size_t i = 0; i < n; i++)
            for (size_t t = 0; t < w; t++)
                memcpy(vd_matrix_row(&view, i) + t * d,
                       row_at(scorer, x, from + i, w - 1 - t), d * sizeof *view.at);
        vd_detector_score_many(member->detector, &view, raw + from,
                               scorer->params.threads);
    }
}

/* Keeps the last rows for the windows of the next block. */
static void keep_recent(struct batch_scorer *scorer, const struct vd_matrix *x)
{
    size_t room = scorer->window - 1, d = scorer->d;
    size_t total = scorer->n_recent + x->n, keep = total < room ? total : room;
    size_t of_new = x->n < keep ? x->n : keep, of_old = keep - of_new;

    memmove(scorer->recent, scorer->recent + (scorer->n_recent - of_old) * d,
            of_old * d * sizeof *scorer->recent);
    memcpy(scorer->recent + of_old * d, x->at + (x->n - of_new) * d,
           of_new * d * sizeof *scorer->recent);
    scorer->n_recent = keep;
}

void batch_scorer_levels(const struct batch_scorer *scorer, const struct vd_matrix *x,
                         const int64_t *time_ns, double *raw)
{
    for (size_t i = 0; i < x->n; i++) {
        double largest = 0;
        long slot = batch_words_slot(scorer->words, time_ns == NULL ? 0 : time_ns[i]);

        for (size_t k = 0; k < scorer->d; k++) {
            double z =
                fabs(batch_words_z(scorer->words, slot, k, vd_matrix_row(x, i)[k]));

            largest = z > largest ? z : largest;
        }
        raw[i] = largest;
    }
}

/* Each metric by itself. Rows without a time count as a second apart. */
static enum vd_status score_streams(struct batch_scorer *scorer,
                                    const struct vd_matrix *x, const int64_t *time_ns,
                                    double *raw, struct vd_error *err)
{
    const struct batch_words *words = scorer->words;
    enum vd_status status = VD_OK;

    if (scorer->streams == NULL)
        status = detect_univariate_new(&scorer->streams, STREAMS_MAX, scorer->interval_s);
    if (status != VD_OK)
        return vd_error_set(err, status, NULL, "no memory for the streams");
    for (size_t i = 0; i < x->n; i++) {
        int64_t time =
            time_ns[i] != 0 ? time_ns[i] : (int64_t)(scorer->seen + i) * 1000000000;
        long slot = batch_words_slot(words, time_ns[i]);

        for (size_t k = 0; k < scorer->d; k++) {
            words->value[k] = vd_matrix_row(x, i)[k] * words->scale[k];
            words->z[k] = batch_words_z(words, slot, k, vd_matrix_row(x, i)[k]);
        }
        raw[i] = detect_univariate_read(scorer->streams, &words->schema, words->value,
                                        words->z, time);
    }
    return VD_OK;
}

/* Distances of bursts have long tails, about even on a logarithmic scale. */
double batch_member_raw(const struct batch_member *member, double raw)
{
    return member->is_distance ? log1p(fmax(raw, 0)) : raw;
}

/* Levels and streams look at x as it came, with its gaps. */
enum vd_status batch_scorer_raw(struct batch_scorer *scorer, const struct vd_matrix *x,
                                const int64_t *time_ns, struct vd_error *err)
{
    struct vd_matrix full = fill(scorer, x, time_ns);
    enum vd_status status = VD_OK;

    for (size_t m = 0; status == VD_OK && m < scorer->n_members; m++) {
        struct batch_member *member = &scorer->member[m];
        double *raw = scorer->raw + m * BATCH_BLOCK;

        if (member->idle)
            continue;
        if (member->kind == BATCH_MEMBER_LEVELS)
            batch_scorer_levels(scorer, x, time_ns, raw);
        else if (member->kind == BATCH_MEMBER_STREAMS)
            status = score_streams(scorer, x, time_ns, raw, err);
        else if (member->kind == BATCH_MEMBER_WINDOWS)
            score_windows(scorer, member, &full, raw);
        else
            vd_detector_score_many(member->detector, &full, raw, scorer->params.threads);
        for (size_t i = 0; member->is_distance && i < x->n; i++)
            raw[i] = isnan(raw[i]) ? NAN : batch_member_raw(member, raw[i]);
    }
    keep_recent(scorer, &full);
    scorer->seen += x->n;
    return status;
}

/* Joins the raw scores of STEP rows at most. */
static void combine(const struct batch_scorer *scorer, const double *raw, size_t stride,
                    size_t n, double *surprise)
{
    struct detect_voices voices[BATCH_MEMBERS_MAX];
    double said[BATCH_MEMBERS_MAX][STEP];
    bool alone[STEP];

    for (size_t m = 0; m < scorer->n_members; m++) {
        const struct batch_member *member = &scorer->member[m];
        const double *of_member = raw + m * stride;
        bool levels = member->kind == BATCH_MEMBER_LEVELS;

        vd_calibration_surprises(&member->calibration, of_member, said[m], n);
        for (size_t i = 0; levels && i < n; i++)
            alone[i] = of_member[i] >= log1p(FAR_OUT);
        voices[m] = (struct detect_voices){.surprise = said[m],
                                           .repeats = member->repeats,
                                           .may_be_alone = levels ? alone : NULL};
    }
    if (scorer->n_members == 1)
        memcpy(surprise, said[0], n * sizeof *surprise);
    else
        detect_combine_rows(voices, scorer->n_members, n, surprise);
    if (scorer->has_whole)
        vd_calibration_surprises(&scorer->whole, surprise, surprise, n);
}

void batch_scorer_combine(const struct batch_scorer *scorer, const double *raw,
                          size_t stride, size_t n, double *surprise)
{
    for (size_t i = 0; i < n; i += STEP)
        combine(scorer, raw + i, stride, n - i < STEP ? n - i : STEP, surprise + i);
}

enum vd_status batch_scorer_score(struct batch_scorer *scorer, const struct vd_matrix *x,
                                  const int64_t *time_ns, double *surprise,
                                  struct vd_error *err)
{
    enum vd_status status;

    assert(x->n <= BATCH_BLOCK && x->d == scorer->d);
    status = batch_scorer_raw(scorer, x, time_ns, err);
    if (status == VD_OK)
        batch_scorer_combine(scorer, scorer->raw, BATCH_BLOCK, x->n, surprise);
    return status;
}

void batch_scorer_restart(struct batch_scorer *scorer)
{
    detect_univariate_free(scorer->streams);
    scorer->streams = NULL;
    scorer->n_recent = 0;
    scorer->seen = 0;
}

void batch_scorer_release(struct batch_scorer *scorer)
{
    for (size_t m = 0; m < scorer->n_members; m++)
        if (!scorer->member[m].borrowed)
            vd_detector_free(scorer->member[m].detector);
    detect_univariate_free(scorer->streams);
    free(scorer->recent);
    free(scorer->raw);
    free(scorer->block);
    free(scorer->windows);
    free(scorer->filling);
    *scorer = (struct batch_scorer){0};
}
