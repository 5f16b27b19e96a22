/* Which rows are learned from, which columns say something, and which detectors look at
 * them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch/analyse_state.h"
#include "format/blocks.h"
#include "os/log.h"

/* The detectors that look at rows in order of time: what is odd at once, against the last
 * rows, and for each metric by itself. */
static const char *const ordered_members[] = {"isolation_forest", "mahalanobis",
                                              "windows", "levels", "streams"};

/* Those that compare rows with each other, each in another way. */
static const char *const ensemble_members[] = {
    "isolation_forest", "one_class_svm", "lof", "pca", "mahalanobis", "levels"};

/* Those that look at a row by itself in less than a microsecond. */
static const char *const quick_members[] = {"isolation_forest", "mahalanobis", "levels"};

/* Sets from which share of missing values on a column is left out. */
static const double MISSING = 0.9;

/* Sets up to how many rows the ensemble is asked by itself. */
enum { ENSEMBLE_ROWS = 200000 };

/* ---- the way ---- */

static void say_way(struct analysis *a, const char *way, const char *why)
{
    a->out->way = way;
    snprintf(a->out->why, sizeof a->out->why, "%s", why);
}

static bool is_ordered(const struct batch_analyse_options *o)
{
    return o->n_detectors == 1 && strcmp(o->detector[0], "ordered") == 0;
}

/* Takes the detectors that were asked for, or those that suit the rows. */
static void choose_way(struct analysis *a)
{
    const struct batch_analyse_options *o = a->options;
    const struct batch_rows *rows = &a->rows;
    char why[256];

    if (o->model != NULL)
        say_way(a, "model", "a model was given");
    else if (is_ordered(o))
        say_way(a, "ordered", "it was asked for");
    else if (o->n_detectors > 0)
        say_way(
            a, o->n_detectors == 1 ? vd_detector_find(o->detector[0])->name : "detectors",
            "asked for by name");
    else if (o->trees > 0 || (!isnan(o->contamination) && o->n_train == 0))
        say_way(a, "isolation_forest",
                o->trees > 0 ? "a number of trees was given"
                             : "a share of the rows was given: they are ranked");
    else if (rows->n > (rows->timed ? BATCH_ORDERED_ROWS : ENSEMBLE_ROWS)) {
        snprintf(why, sizeof why,
                 "%llu rows are many: --detector %s looks closer and takes longer",
                 (unsigned long long)rows->n, rows->timed ? "ordered" : "ensemble");
        say_way(a, "quick", why);
    } else if (rows->timed)
        say_way(a, "ordered",
                "the rows have times: each metric is followed, and all together");
    else
        say_way(a, "ensemble", "the rows have no times: no order is looked at");
    a->ordered = strcmp(a->out->way, "ordered") == 0;
}

enum vd_status batch_analysis_choose(struct analysis *a, struct vd_error *err)
{
    const struct batch_analyse_options *o = a->options;

    for (size_t i = 0; i < o->n_detectors && !is_ordered(o); i++)
        if (vd_detector_find(o->detector[i]) == NULL)
            return vd_error_set(err, VD_ERR_ARGUMENT,
                                "'vedette model settings' lists them, and there is "
                                "ordered",
                                "there is no detector \"%.40s\"", o->detector[i]);
    choose_way(a);
    return VD_OK;
}

static bool is_here(const char *name)
{
    const struct vd_detector_info *info = vd_detector_find(name);

    return info == NULL || info->unavailable == NULL;
}

/* Adds the members of a way, those that were built in. */
static enum vd_status add_all(struct analysis *a, const char *const *name, size_t n,
                              struct vd_error *err)
{
    enum vd_status status = VD_OK;

    for (size_t i = 0; status == VD_OK && i < n; i++)
        if (is_here(name[i]))
            status = batch_scorer_add(&a->scorer, name[i], err);
    return status;
}

static enum vd_status add_members(struct analysis *a, struct vd_error *err)
{
    const struct batch_analyse_options *o = a->options;
    const struct {
        const char *way;
        const char *const *name;
        size_t n;
    } ways[] = {
        {"ordered", ordered_members, sizeof ordered_members / sizeof *ordered_members},
        {"ensemble", ensemble_members,
         sizeof ensemble_members / sizeof *ensemble_members},
        {"quick", quick_members, sizeof quick_members / sizeof *quick_members},
    };

    if (a->model != NULL)
        return batch_scorer_take(&a->scorer, a->model, err);
    if (o->n_detectors > 0 && !a->ordered)
        return add_all(a, o->detector, o->n_detectors, err);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(a->out->way, ways[i].way) == 0)
            return add_all(a, ways[i].name, ways[i].n, err);
    return batch_scorer_add(&a->scorer, a->out->way, err);
}

/* ---- rows to learn from ---- */

static enum vd_status make_lesson(struct batch_lesson *lesson, size_t n, size_t d,
                                  bool labelled, struct vd_error *err)
{
    enum vd_status status = vd_matrix_init(&lesson->x, n, d);

    lesson->time_ns = calloc(n + 1, sizeof *lesson->time_ns);
    lesson->surprise = calloc(n + 1, sizeof *lesson->surprise);
    if (labelled)
        lesson->label = calloc(n + 1, sizeof *lesson->label);
    if (status != VD_OK || lesson->time_ns == NULL || lesson->surprise == NULL ||
        (labelled && lesson->label == NULL))
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the rows");
    lesson->x.n = 0;
    return VD_OK;
}

/* Reads every step-th row of the first `most` x step ones into the lesson. */
static enum vd_status read_lesson(struct analysis *a, struct batch_rows *rows,
                                  size_t step, size_t most, struct vd_error *err)
{
    struct batch_lesson *lesson = &a->lesson;
    enum vd_status status = VD_OK;
    bool more = true;

    for (uint64_t i = 0; status == VD_OK && more && lesson->x.n < most; i++) {
        bool wanted = i % step == 0;

        status = wanted || rows->is_prmon
                     ? batch_rows_next(rows, vd_matrix_row(&lesson->x, lesson->x.n),
                                       &more, err)
                     : batch_rows_skip(rows, &more, err);
        if (status == VD_OK)
            status = batch_analysis_step(a, err);
        if (status != VD_OK || !more || !wanted)
            continue;
        lesson->time_ns[lesson->x.n] = rows->time_ns;
        if (lesson->label != NULL)
            lesson->label[lesson->x.n] = rows->label == 1;
        lesson->x.n++;
    }
    return status;
}

/* Keeps the labels only where they part the rows: of one kind nothing is learned. */
static void settle_labels(struct batch_lesson *lesson)
{
    size_t ones = 0;

    for (size_t i = 0; lesson->label != NULL && i < lesson->x.n; i++)
        ones += lesson->label[i];
    if (lesson->label != NULL && (ones == 0 || ones == lesson->x.n)) {
        free(lesson->label);
        lesson->label = NULL;
    }
}

/* Gives how many rows may be held. */
static size_t room_for(size_t d)
{
    size_t n = BATCH_HELD_CELLS / (d + 1);

    return n > 2 * BATCH_ORDERED_ROWS ? 2 * BATCH_ORDERED_ROWS : n;
}

/* Takes the rows that were drawn when the table was opened. */
static enum vd_status take_sample(struct analysis *a, struct vd_error *err)
{
    struct format_table *t = &a->rows.table[0];
    size_t *metric = batch_analysis_metrics(a), n = 0, d = a->rows.d;
    double *value = NULL;
    enum vd_status status = metric == NULL ? VD_ERR_MEMORY : VD_OK;

    if (status == VD_OK)
        status = format_blocks_sample(t, &value, &n, err);
    if (status == VD_OK)
        status = make_lesson(&a->lesson, n + 1, d, false, err);
    for (size_t i = 0; status == VD_OK && i < n; i++)
        for (size_t k = 0; k < d; k++) {
            double x = value[i * t->n_metrics + metric[k]];

            vd_matrix_row(&a->lesson.x, i)[k] = fabs(x) <= VD_VALUE_MAX ? x : NAN;
        }
    a->lesson.x.n = n;
    a->to_do = a->rows.n;
    free(metric);
    free(value);
    return status;
}

/* Reads the rows of the tables, or every k-th of them; of rows that are looked at in
 * their order, the first ones. */
static enum vd_status read_own(struct analysis *a, struct vd_error *err)
{
    struct batch_rows *rows = &a->rows;
    size_t room = room_for(rows->d), most, step = 1;

    a->held = rows->n <= room;
    most = a->held                 ? (size_t)rows->n
           : a->ordered            ? room
           : room < BATCH_FIT_ROWS ? room
                                   : BATCH_FIT_ROWS;
    if (!a->held && !a->ordered)
        step = (size_t)(rows->n / most + 1);
    a->to_do = rows->n + (a->ordered && !a->held ? most : rows->n);
    if (!a->held && !a->ordered && batch_analysis_streams(a) &&
        rows->table[0].n_metrics <= BATCH_HELD_CELLS / BATCH_SAMPLED)
        return take_sample(a, err);
    if (make_lesson(&a->lesson, most + 1, rows->d, false, err) != VD_OK)
        return VD_ERR_MEMORY;
    return read_lesson(a, rows, step, most, err);
}

static enum vd_status read_train(struct analysis *a, struct vd_error *err)
{
    const struct batch_analyse_options *o = a->options;
    enum vd_status status = batch_rows_open(&a->train, o, o->train, o->n_train, err);
    size_t room, step;

    if (status == VD_OK)
        status = batch_rows_align(&a->train, &a->rows, err);
    if (status != VD_OK)
        return status;
    room = room_for(a->train.d);
    step = (size_t)(a->train.n / room + 1);
    a->to_do = a->train.n + a->rows.n;
    status = make_lesson(&a->lesson, (size_t)(a->train.n / step + 2), a->train.d,
                         a->train.labelled, err);
    a->lesson.clean = true;
    if (status == VD_OK)
        status = read_lesson(a, &a->train, step, SIZE_MAX, err);
    settle_labels(&a->lesson);
    return status;
}

/* ---- columns that say nothing ---- */

static void drop_column(struct batch_lesson *lesson, size_t k)
{
    size_t d = lesson->x.d;

    for (size_t i = 0, to = 0; i < lesson->x.n; i++)
        for (size_t c = 0; c < d; c++)
            if (c != k)
                lesson->x.at[to++] = lesson->x.at[i * d + c];
    lesson->x.d--;
}

/* Says why column k of the lesson is of no use; NULL = it is. A column that never moves
 * in rows to train on may move in those to come. */
static const char *useless(const struct analysis *a, size_t k)
{
    const struct batch_lesson *lesson = &a->lesson;
    double first = NAN;
    size_t missing = 0;
    bool moves = false;

    for (size_t i = 0; i < lesson->x.n; i++) {
        double value = vd_matrix_row(&lesson->x, i)[k];

        if (isnan(value))
            missing++;
        else if (isnan(first))
            first = value;
        else
            moves = moves || value != first;
    }
    if (missing == lesson->x.n)
        return "no values";
    if ((double)missing > MISSING * (double)lesson->x.n)
        return "mostly empty";
    return moves || lesson->clean ? NULL : "constant";
}

static enum vd_status leave_out(struct analysis *a, struct vd_error *err)
{
    for (size_t k = a->lesson.x.d; k-- > 0 && a->model == NULL;) {
        const char *why = useless(a, k);

        if (why == NULL)
            continue;
        batch_rows_leave_out(&a->rows, k, why);
        drop_column(&a->lesson, k);
    }
    if (a->rows.d > 0)
        return VD_OK;
    return vd_error_set(err, VD_ERR_DATA, "at least one column has to move",
                        "%s: every column is constant or empty", a->rows.table[0].path);
}

/* ---- learning ---- */

/* Takes the columns of the bundle, in its order. */
static enum vd_status choose_by_model(struct analysis *a, struct vd_error *err)
{
    size_t n = vd_model_columns(a->model);
    const char **name = calloc(n + 1, sizeof *name);
    enum vd_status status = VD_OK;

    if (name == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the columns");
    for (size_t k = 0; k < n; k++)
        name[k] = vd_model_column(a->model, k);
    status = batch_rows_use(&a->rows, name, n, err);
    free(name);
    return status;
}

enum vd_status batch_analysis_learn(struct analysis *a, struct vd_error *err)
{
    const struct batch_analyse_options *o = a->options;
    enum vd_status status =
        a->model != NULL ? choose_by_model(a, err) : batch_rows_choose(&a->rows, err);

    if (status == VD_OK)
        status =
            o->n_train > 0 && a->model == NULL ? read_train(a, err) : read_own(a, err);
    if (status == VD_OK)
        status = leave_out(a, err);
    if (status == VD_OK)
        status = batch_words_init(&a->words, &a->rows, err);
    while (status == VD_OK && a->lesson.x.d > a->rows.d) /* too many for the words */
        drop_column(&a->lesson, a->lesson.x.d - 1);
    if (status == VD_OK) {
        batch_words_find_shares(&a->words, &a->lesson.x);
        status = batch_scorer_init(&a->scorer, &a->words, a->rows.d, o,
                                   a->rows.pace_s > 0 ? a->rows.pace_s : 1, err);
    }
    if (status == VD_OK)
        status = add_members(a, err);
    if (status != VD_OK)
        return status;
    a->lesson.ordered = a->ordered;
    a->lesson.rank = !isnan(o->contamination) && o->n_train == 0;
    a->out->learned_rows = a->lesson.x.n;
    if (a->model == NULL)
        return batch_scorer_learn(&a->scorer, &a->words, &a->lesson, err);
    a->held = false; /* the lesson has no surprises: it only says what is expected */
    status = batch_words_learn(&a->words, &a->lesson.x, NULL, NULL, err);
    batch_scorer_fill_with_expected(&a->scorer);
    return status;
}
