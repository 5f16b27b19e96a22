/* Pieces of the file are counted at the same time, and the counts are added in order.
 *
 * Which column is the time can be known only at the end. So it is guessed from the first
 * rows, the times are followed by that guess, and when it was right, as almost always,
 * there is no need to hold a place for each row, or for another pass. */
#include "format/survey.h"

#include <stdlib.h>

#include "format/survey_piece.h"
#include "os/pieces.h"

/* The whole pass. */
struct pass {
    struct format_table *table;
    const struct format_table *reading;
    struct format_survey *survey;
    struct format_cutter cutter;
    struct vd_error cut_error; /* why there is no next piece; status VD_OK = the end */
};

static enum vd_status no_memory(const struct format_table *t, struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to read it", t->path);
}

static void work_on_piece(void *context, void *at)
{
    const struct pass *pass = context;

    format_survey_piece(pass->table, pass->reading, at);
}

/* ---- the pieces in order ---- */

static bool next_piece(void *context, void *at)
{
    struct pass *pass = context;
    struct format_survey_piece *p = at;

    if (format_cut_next(&pass->cutter, &p->cut, &pass->cut_error) != VD_OK ||
        p->cut.size == 0)
        return false;
    for (size_t c = 0; c < pass->table->n_columns; c++)
        p->found.tally[c] = (struct format_tally){0};
    p->found = (struct format_survey){.tally = p->found.tally, .steady = true};
    p->faults = (struct format_faults){0};
    p->n_sampled = 0;
    p->limit = pass->table->sample_limit;
    p->status = VD_OK;
    p->error = (struct vd_error){0};
    return true;
}

/* Adds the rows of a piece to the sample. When it is too large it becomes half of itself,
 * by halving the bound on the hash. */
static enum vd_status add_sampled(struct format_table *t,
                                  const struct format_survey_piece *p)
{
    struct format_sampled *larger;
    size_t n = t->n_sampled + p->n_sampled, kept;

    if (p->n_sampled == 0)
        return VD_OK;
    larger = realloc(t->sampled, n * sizeof *larger);
    if (larger == NULL)
        return VD_ERR_MEMORY;
    t->sampled = larger;
    /* The piece was begun before the bound was halved, perhaps: on how many threads is
     * not to be seen in the sample. */
    for (size_t i = 0; i < p->n_sampled; i++)
        if (format_survey_hash(t, p->sampled[i].offset) <= t->sample_limit)
            t->sampled[t->n_sampled++] = p->sampled[i];
    while (t->n_sampled > t->options.sample) {
        t->sample_limit /= 2;
        kept = 0;
        for (size_t i = 0; i < t->n_sampled; i++)
            if (format_survey_hash(t, t->sampled[i].offset) <= t->sample_limit)
                t->sampled[kept++] = t->sampled[i];
        t->n_sampled = kept;
    }
    return VD_OK;
}

/* Adds what the labels of a later piece are. Labels of 0 and of -1 may lie in two
 * pieces. */
static void add_labels(const struct format_table *t, struct format_survey *survey,
                       const struct format_survey *later)
{
    struct format_labels *seen = &survey->labels;

    for (size_t i = 0; i < 3; i++)
        if (seen->line[i] == 0)
            seen->line[i] = later->labels.line[i];
    seen->words |= later->labels.words;
    if (survey->label_error.status != VD_OK)
        return;
    if (seen->line[0] > 0 && seen->line[2] > 0)
        format_table_two_labels(t, seen, &survey->label_error);
    else
        survey->label_error = later->label_error;
}

static void add_times(struct format_survey *survey, const struct format_survey *later)
{
    size_t untimed = survey->untimed.n;

    survey->steady =
        survey->steady && later->steady &&
        (survey->timed == 0 || later->timed == 0 || later->first_ns > survey->last_ns);
    if (survey->timed == 0)
        survey->first_ns = later->first_ns;
    if (later->timed > 0)
        survey->last_ns = later->last_ns;
    if (untimed == 0)
        survey->untimed = later->untimed;
    else
        survey->untimed.n = untimed + later->untimed.n;
}

static enum vd_status write_rejected(const struct format_table *t,
                                     const struct format_survey_piece *p,
                                     struct vd_error *err)
{
    size_t size = p->faults.rejected_size;

    if (size == 0 || fwrite(p->faults.rejected, 1, size, t->options.rejects) == size)
        return VD_OK;
    return vd_error_set(err, VD_ERR_IO, NULL,
                        "%s: cannot write the rows that are left out", t->path);
}

/* Adds what was counted in the next piece. */
static enum vd_status add_piece(struct pass *pass, struct format_survey_piece *p,
                                struct vd_error *err)
{
    struct format_survey *survey = pass->survey;
    enum vd_status status = p->status;

    if (p->error.status != VD_OK)
        vd_error_set(err, status, p->error.hint, "%s", p->error.text);
    if (status == VD_OK)
        status = write_rejected(pass->table, p, err);
    if (status == VD_OK)
        status = add_sampled(pass->table, p);
    if (status == VD_ERR_MEMORY)
        no_memory(pass->table, err);
    for (size_t c = 0; c < pass->table->n_columns; c++)
        format_tally_merge(&survey->tally[c], &p->found.tally[c]);
    add_labels(pass->reading, survey, &p->found);
    add_times(survey, &p->found);
    survey->n += p->found.n;
    survey->timed += p->found.timed;
    format_faults_add(&pass->table->faults, &p->faults);
    format_faults_release(&p->faults);
    return status;
}

/* ---- the pass ---- */

static enum vd_status begin(struct format_survey *survey, const struct format_table *t,
                            struct vd_error *err)
{
    *survey = (struct format_survey){.steady = true};
    survey->tally = calloc(t->n_columns + 1, sizeof *survey->tally);
    if (survey->tally != NULL)
        return VD_OK;
    return no_memory(t, err);
}

static enum vd_status begin_piece(struct format_survey_piece *p,
                                  const struct format_table *t, struct vd_error *err)
{
    p->found.tally = calloc(t->n_columns + 1, sizeof *p->found.tally);
    if (p->found.tally == NULL)
        return no_memory(t, err);
    return format_rows_over(&p->rows, &t->input, t->separator, err);
}

static void release_piece(struct format_survey_piece *p)
{
    format_cut_release(&p->cut);
    format_rows_release(&p->rows);
    format_faults_release(&p->faults);
    format_grid_release(&p->grid);
    free(p->found.tally);
    free(p->sampled);
}

/* Goes through the pieces, whose array is the caller's. */
static enum vd_status go_through(struct pass *pass, struct format_survey_piece *piece,
                                 size_t slots, struct vd_error *err)
{
    const struct os_pieces pieces = {.next = next_piece,
                                     .work = work_on_piece,
                                     .context = pass,
                                     .piece = piece,
                                     .size = sizeof *piece,
                                     .slots = slots};
    os_pieces_ring *ring = os_pieces_begin(&pieces, pass->table->options.threads);
    enum vd_status status = VD_OK;
    struct format_survey_piece *one;

    if (ring == NULL)
        return no_memory(pass->table, err);
    while (status == VD_OK && (one = os_pieces_take(ring)) != NULL)
        status = add_piece(pass, one, err);
    os_pieces_end(ring);
    if (status == VD_OK && pass->cut_error.status != VD_OK)
        status = vd_error_set(err, pass->cut_error.status, pass->cut_error.hint, "%s",
                              pass->cut_error.text);
    return status;
}

enum vd_status format_survey_rows(struct format_survey *survey, struct format_table *t,
                                  const struct format_table *reading,
                                  struct vd_error *err)
{
    size_t slots = os_pieces_slots(t->options.threads);
    struct format_survey_piece *piece = calloc(slots, sizeof *piece);
    struct pass pass = {.table = t,
                        .reading = reading,
                        .survey = survey,
                        .cutter = {.in = &t->input,
                                   .separator = t->separator,
                                   .offset = t->first_offset,
                                   .line = t->first_line}};
    enum vd_status status = begin(survey, t, err);

    if (piece == NULL)
        status = no_memory(t, err);
    format_faults_release(&t->faults);
    t->n_sampled = 0;
    t->sample_limit = UINT64_MAX;
    for (size_t i = 0; status == VD_OK && i < slots; i++)
        status = begin_piece(&piece[i], t, err);
    if (status == VD_OK)
        status = go_through(&pass, piece, slots, err);
    for (size_t i = 0; piece != NULL && i < slots; i++)
        release_piece(&piece[i]);
    free(piece);
    return status;
}

enum vd_status format_survey_head(struct format_survey *survey, struct format_table *t,
                                  size_t most, struct vd_error *err)
{
    enum vd_status status = begin(survey, t, err);

    format_rows_seek(&t->rows, t->first_offset, t->first_line);
    while (status == VD_OK && survey->n < most) {
        status = format_table_row(t, &t->rows, NULL, err);
        if (status != VD_OK || t->rows.n == 0)
            break;
        format_survey_count(t, &t->rows, survey->tally);
        survey->n++;
    }
    return status;
}

void format_survey_release(struct format_survey *survey)
{
    free(survey->tally);
    survey->tally = NULL;
}
