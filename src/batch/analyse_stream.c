/* The way through a large table: blocks of rows are scored, and their text is made, on
 * all threads; what was found is gathered and written in order. It holds for detectors
 * that look at each row by itself. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "batch/analyse_quiet.h"
#include "batch/analyse_state.h"
#include "format/blocks.h"

/* A block while it is worked on; a block's own memory. */
struct piece {
    double *x;              /* owned: rows x d, without gaps */
    double *raw;            /* owned: members x rows */
    double *surprise;       /* owned: rows */
    size_t *maybe;          /* owned: the rows that may be odd */
    size_t room;            /* rows there is room for */
    struct batch_text text; /* of quiet rows, without their number */
    size_t *end;            /* owned: where the text of each row ends */
};

/* Holds what one pass works with. */
struct stream {
    struct analysis *a;
    size_t *metric; /* owned: which metric of the table each value is */
    double *value;  /* owned: d, of one row */
    struct batch_quiet quiet;
};

bool batch_analysis_streams(const struct analysis *a)
{
    const struct format_table *t = &a->rows.table[0];

    for (size_t m = 0; m < a->scorer.n_members; m++)
        if (a->scorer.member[m].kind != BATCH_MEMBER_LIBRARY &&
            a->scorer.member[m].kind != BATCH_MEMBER_LEVELS)
            return false;
    return !a->held && a->rows.n_tables == 1 && !a->rows.is_prmon &&
           !a->rows.doubles[0] && a->rows.task[0] == SIZE_MAX &&
           a->rows.phase[0] == SIZE_MAX && t->separator != FORMAT_BLANKS;
}

/* Finds which metric of the table each value of a row is. */
size_t *batch_analysis_metrics(const struct analysis *a)
{
    const struct format_table *t = &a->rows.table[0];
    size_t *metric = calloc(a->rows.d + 1, sizeof *metric);

    for (size_t k = 0; metric != NULL && k < a->rows.d; k++)
        for (size_t c = 0; c < a->rows.used[k]; c++)
            metric[k] += t->column[c].why == NULL;
    return metric;
}

/* ---- on any thread ---- */

static void release_piece(void *own)
{
    struct piece *p = own;

    free(p->x);
    free(p->raw);
    free(p->surprise);
    free(p->maybe);
    free(p->end);
    free(p->text.at);
    *p = (struct piece){0};
}

static bool make_room(struct piece *p, size_t n, const struct batch_scorer *scorer)
{
    if (n <= p->room)
        return true;
    release_piece(p);
    p->x = malloc(n * scorer->d * sizeof *p->x);
    p->raw = malloc(n * scorer->n_members * sizeof *p->raw);
    p->surprise = malloc(n * sizeof *p->surprise);
    p->maybe = malloc(n * sizeof *p->maybe);
    p->end = malloc(n * sizeof *p->end);
    p->room = p->x == NULL || p->raw == NULL || p->surprise == NULL || p->maybe == NULL ||
                      p->end == NULL
                  ? 0
                  : n;
    return p->room >= n;
}

/* Takes the values out of the table's metrics, with something for those that are
 * missing. */
static void fill(const struct stream *s, const struct format_table *t,
                 const struct format_block *b, struct piece *p)
{
    const struct batch_scorer *scorer = &s->a->scorer;
    size_t d = scorer->d;

    for (size_t i = 0; i < b->n; i++)
        for (size_t k = 0; k < d; k++) {
            double value = b->value[i * t->n_metrics + s->metric[k]];

            p->x[i * d + k] = fabs(value) <= VD_VALUE_MAX ? value : scorer->filling[k];
        }
}

static void ask(const struct batch_scorer *scorer, size_t m, const struct vd_matrix *x,
                double *raw)
{
    const struct batch_member *member = &scorer->member[m];

    if (member->kind == BATCH_MEMBER_LEVELS)
        batch_scorer_levels(scorer, x, NULL, raw);
    else
        vd_detector_score_many(member->detector, x, raw, 1);
}

/* Joins what the detectors gave of the first n rows; their results are `stride` apart. */
static void join(const struct batch_scorer *scorer, double *raw, size_t stride, size_t n,
                 double *surprise)
{
    for (size_t m = 0; m < scorer->n_members; m++)
        for (size_t i = 0; scorer->member[m].is_distance && i < n; i++)
            raw[m * stride + i] =
                batch_member_raw(&scorer->member[m], raw[m * stride + i]);
    batch_scorer_combine(scorer, raw, stride, n, surprise);
}

/* Moves the rows that may be odd to the front and notes which they are; returns how many.
 */
static size_t sift(const struct stream *s, struct piece *p, size_t n)
{
    const struct batch_scorer *scorer = &s->a->scorer;
    size_t d = scorer->d, kept = 0;

    for (size_t i = 0; i < n; i++) {
        p->surprise[i] = 0;
        if (batch_quiet_is_sure(&s->quiet, scorer, p->raw + i, n))
            continue;
        p->maybe[kept] = i;
        memmove(p->x + kept * d, p->x + i * d, d * sizeof *p->x);
        for (size_t m = 0; m < scorer->n_members; m++)
            p->raw[m * n + kept] = p->raw[m * n + i];
        kept++;
    }
    return kept;
}

/* Asks all members of each row, or the late one only of rows that may be odd. */
static void score(const struct stream *s, struct piece *p, size_t n)
{
    const struct batch_scorer *scorer = &s->a->scorer;
    size_t late = s->quiet.late;
    struct vd_matrix x = {n, scorer->d, p->x};

    for (size_t m = 0; m < scorer->n_members; m++)
        if (m != late)
            ask(scorer, m, &x, p->raw + m * n);
    if (late == SIZE_MAX) {
        join(scorer, p->raw, n, n, p->surprise);
        return;
    }
    x.n = sift(s, p, n);
    ask(scorer, late, &x, p->raw + late * n);
    join(scorer, p->raw, n, x.n, p->raw);
    for (size_t k = 0; k < x.n; k++)
        p->surprise[p->maybe[k]] = p->raw[k];
}

/* Makes the text of the rows that are not odd; nothing is to be said of them. */
static void write_quiet(const struct analysis *a, const struct format_block *b,
                        struct piece *p)
{
    double threshold = a->out->threshold;

    p->text.used = 0;
    for (size_t i = 0; i < b->n; i++) {
        if (!(p->surprise[i] > threshold))
            batch_scored_quiet(&a->scored, b->row[i], b->time_ns[i],
                               fmax(vd_score_of_surprise(p->surprise[i], threshold), 0),
                               &p->text);
        p->end[i] = p->text.used;
    }
}

static enum vd_status work(const struct format_table *t, struct format_block *b,
                           void *context, struct vd_error *err)
{
    const struct stream *s = context;
    struct piece *p = b->own;

    if (!make_room(p, b->n, &s->a->scorer))
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for a block of rows");
    fill(s, t, b, p);
    score(s, p, b->n);
    if (batch_scored_is_quick(&s->a->scored))
        write_quiet(s->a, b, p);
    return p->text.failed
               ? vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for a block of rows")
               : VD_OK;
}

/* ---- in order ---- */

static int label_of(const struct stream *s, int8_t label)
{
    return s->a->rows.labelled ? batch_rows_label(&s->a->rows, label) : -1;
}

static enum vd_status finish_row(struct stream *s, const struct format_table *t,
                                 struct format_block *b, size_t i, uint64_t number,
                                 struct vd_error *err)
{
    struct analysis *a = s->a;
    struct piece *p = b->own;
    struct batch_row row;
    enum vd_status status;
    bool odd;

    for (size_t k = 0; k < a->rows.d; k++)
        s->value[k] = b->value[i * t->n_metrics + s->metric[k]];
    odd = batch_analysis_judge(a, number, b->time_ns[i], p->surprise[i], "", &row);
    status = batch_gather_add(&a->gather, &row, odd, s->value, label_of(s, b->label[i]),
                              "", err);
    if (status != VD_OK)
        return status;
    if (a->options->take_row != NULL)
        a->options->take_row(a->options->context, &row);
    if (!odd && batch_scored_is_quick(&a->scored)) {
        size_t from = i == 0 ? 0 : p->end[i - 1];

        return batch_scored_numbered(&a->scored, number, p->text.at + from,
                                     p->end[i] - from, err);
    }
    status = batch_scored_take_bytes(&a->scored, b->row[i], err);
    if (status == VD_OK)
        status = batch_scored_write(&a->scored, 0, &row, odd, err);
    batch_scored_clear(&a->scored);
    return status;
}

static enum vd_status done(const struct format_table *t, struct format_block *b,
                           size_t first, void *context, struct vd_error *err)
{
    struct stream *s = context;
    enum vd_status status = VD_OK;

    for (size_t i = 0; status == VD_OK && i < b->n; i++)
        status = finish_row(s, t, b, i, first + i, err);
    return status == VD_OK ? batch_analysis_steps(s->a, b->n, err) : status;
}

enum vd_status batch_analysis_stream(struct analysis *a, struct vd_error *err)
{
    struct stream s = {.a = a, .metric = batch_analysis_metrics(a)};
    const struct format_blocks_user user = {.work = work,
                                            .done = done,
                                            .release = release_piece,
                                            .own_size = sizeof(struct piece),
                                            .context = &s};
    enum vd_status status = VD_ERR_MEMORY;

    s.quiet.late = SIZE_MAX;
    if (a->options->only_odd && !a->rows.labelled)
        batch_quiet_find(&s.quiet, &a->scorer, a->out->threshold);
    s.value = calloc(a->rows.d + 1, sizeof *s.value);
    if (s.metric != NULL && s.value != NULL)
        status = format_blocks_each(&a->rows.table[0], a->options->threads, &user, err);
    else
        vd_error_set(err, status, NULL, "no memory for a row");
    free(s.metric);
    free(s.value);
    return status;
}
