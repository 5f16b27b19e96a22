/* Pieces of the file are counted at the same time, and the counts are added in order.
 *
 * Which column is the time can be known only at the end. So it is guessed from the first
 * rows, the times are followed by that guess, and when it was right, as almost always,
 * there is no need to hold a place for each row, or for another pass. */
#include "format/survey.h"

#include <stdlib.h>

#include "format/cut.h"
#include "os/pieces.h"

/* A piece while it is worked on. */
struct piece {
    struct format_cut cut;
    struct format_rows rows;
    struct format_survey found;
    struct format_faults faults;
    struct format_sampled *sampled; /* owned: rows that may be of the sample */
    size_t n_sampled, room;
    uint64_t limit; /* on the hash of such rows */
    enum vd_status status;
    struct vd_error error;
};

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

/* ---- one piece ---- */

/* Counts what is in each field of the row. */
static void count_fields(const struct format_table *t, struct piece *p)
{
    const struct format_csv_field *field = p->rows.field;
    size_t n = p->rows.n < t->n_columns ? p->rows.n : t->n_columns;
    struct format_plain plain;

    for (size_t c = 0; c < n; c++) {
        if (format_plain_read(field[c].at, field[c].size, &plain))
            format_tally_plain(&p->found.tally[c], &plain, p->rows.line);
        else
            format_tally_add(&p->found.tally[c], field[c], p->rows.line);
    }
}

/* Follows the time; false when the row has none. */
static bool follow_time(const struct format_table *t, struct piece *p,
                        struct format_zone_memo *memo)
{
    struct format_survey *found = &p->found;
    int64_t ns;
    bool sure;

    if (!format_table_utc(t, memo, &p->rows, &ns, &sure)) {
        format_table_note_untimed(t, &p->rows, &found->untimed);
        return false;
    }
    found->steady = found->steady && sure && (found->timed == 0 || ns > found->last_ns);
    if (found->timed == 0)
        found->first_ns = ns;
    found->last_ns = ns;
    return true;
}

static void follow_label(const struct format_table *t, struct piece *p)
{
    struct format_survey *found = &p->found;
    int8_t label;

    if (found->label_error.status == VD_OK)
        format_table_label(t, &p->rows, &found->labels, &label, &found->label_error);
}

/* Mixes the bits of a place in the file (S. Vigna's splitmix64), so that a bound on the
 * result draws rows by chance. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t hash_of(const struct format_table *t, uint64_t offset)
{
    return mix(offset ^ mix(t->options.seed));
}

/* Keeps the place of a row that may be of the sample. */
static void sample_row(const struct format_table *t, struct piece *p)
{
    if (t->options.sample == 0 || hash_of(t, p->rows.offset) > p->limit)
        return;
    if (p->n_sampled == p->room) {
        size_t room = p->room == 0 ? 256 : 2 * p->room;
        struct format_sampled *larger = realloc(p->sampled, room * sizeof *larger);

        if (larger == NULL) {
            p->status = VD_ERR_MEMORY;
            return;
        }
        p->sampled = larger;
        p->room = room;
    }
    p->sampled[p->n_sampled++] =
        (struct format_sampled){.offset = p->rows.offset, .line = p->rows.line};
}

static void work_on_piece(void *context, void *at)
{
    const struct pass *pass = context;
    const struct format_table *t = pass->table, *reading = pass->reading;
    bool timed = reading->time != SIZE_MAX, labelled = format_table_reads_labels(reading);
    struct format_zone_memo memo = {0};
    struct piece *p = at;

    if (p->status != VD_OK)
        return;
    format_rows_turn_to(&p->rows, p->cut.text, p->cut.size, p->cut.offset, p->cut.line);
    while (p->status == VD_OK) {
        p->status = format_table_row(t, &p->rows, &p->faults, &p->error);
        if (p->status != VD_OK || p->rows.n == 0)
            break;
        count_fields(t, p);
        p->found.n++;
        if (timed && !follow_time(reading, p, &memo))
            continue;
        p->found.timed++;
        if (labelled)
            follow_label(reading, p);
        sample_row(t, p);
    }
}

/* ---- the pieces in order ---- */

static bool next_piece(void *context, void *at)
{
    struct pass *pass = context;
    struct piece *p = at;

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
static enum vd_status add_sampled(struct format_table *t, const struct piece *p)
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
        if (hash_of(t, p->sampled[i].offset) <= t->sample_limit)
            t->sampled[t->n_sampled++] = p->sampled[i];
    while (t->n_sampled > t->options.sample) {
        t->sample_limit /= 2;
        kept = 0;
        for (size_t i = 0; i < t->n_sampled; i++)
            if (hash_of(t, t->sampled[i].offset) <= t->sample_limit)
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

static enum vd_status write_rejected(const struct format_table *t, const struct piece *p,
                                     struct vd_error *err)
{
    size_t size = p->faults.rejected_size;

    if (size == 0 || fwrite(p->faults.rejected, 1, size, t->options.rejects) == size)
        return VD_OK;
    return vd_error_set(err, VD_ERR_IO, NULL,
                        "%s: cannot write the rows that are left out", t->path);
}

/* Adds what was counted in the next piece. */
static enum vd_status add_piece(struct pass *pass, struct piece *p, struct vd_error *err)
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

static enum vd_status begin_piece(struct piece *p, const struct format_table *t,
                                  struct vd_error *err)
{
    p->found.tally = calloc(t->n_columns + 1, sizeof *p->found.tally);
    if (p->found.tally == NULL)
        return no_memory(t, err);
    return format_rows_over(&p->rows, &t->input, t->separator, err);
}

static void release_piece(struct piece *p)
{
    format_cut_release(&p->cut);
    format_rows_release(&p->rows);
    format_faults_release(&p->faults);
    free(p->found.tally);
    free(p->sampled);
}

/* Goes through the pieces, whose array is the caller's. */
static enum vd_status go_through(struct pass *pass, struct piece *piece, size_t slots,
                                 struct vd_error *err)
{
    const struct os_pieces pieces = {.next = next_piece,
                                     .work = work_on_piece,
                                     .context = pass,
                                     .piece = piece,
                                     .size = sizeof *piece,
                                     .slots = slots};
    os_pieces_ring *ring = os_pieces_begin(&pieces, pass->table->options.threads);
    enum vd_status status = VD_OK;
    struct piece *one;

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
    struct piece *piece = calloc(slots, sizeof *piece);
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
    struct piece p = {.rows = t->rows};
    enum vd_status status = begin(survey, t, err);

    p.found.tally = survey->tally;
    format_rows_seek(&p.rows, t->first_offset, t->first_line);
    while (status == VD_OK && p.found.n < most) {
        status = format_table_row(t, &p.rows, NULL, err);
        if (status != VD_OK || p.rows.n == 0)
            break;
        count_fields(t, &p);
        p.found.n++;
    }
    survey->n = p.found.n;
    t->rows = p.rows;
    return status;
}

void format_survey_release(struct format_survey *survey)
{
    free(survey->tally);
    survey->tally = NULL;
}
