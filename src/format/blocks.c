/* Pieces of the file, or some thousand rows gathered by their places, are taken apart at
 * the same time. */
#include "format/blocks.h"

#include <stdlib.h>

#include "format/cut.h"
#include "format/decimal.h"
#include "format/number.h"
#include "format/table_row.h"
#include "format/time.h"
#include "os/pieces.h"

/* Sets how many rows are gathered for a block, where they do not stand in order. */
enum { GATHERED_ROWS = 4096 };

/* Sets how many numbers of a column are read at once. */
enum { STEP = 256 };

/* A block while it is worked on. */
struct piece {
    struct format_block block; /* its arrays are owned; room for `room` rows */
    size_t room;
    struct format_cut cut;
    struct format_rows rows;
    struct format_grid grid;
    enum vd_status status;
    struct vd_error error;
};

struct format_blocks {
    struct format_table *table;
    struct format_blocks_user user;
    size_t *metric; /* owned: which column each metric is */
    struct format_cutter cutter;
    size_t given;          /* rows that were handed back */
    struct piece *piece;   /* owned */
    size_t slots;          /* of them */
    os_pieces_ring *ring;  /* owned */
    struct vd_error error; /* why there is no next piece; status VD_OK = the end */
};

static enum vd_status no_memory(const struct format_table *t, struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to read it", t->path);
}

/* ---- room ---- */

static bool grow(void *array, size_t size)
{
    void *larger = realloc(*(void **)array, size);

    if (larger != NULL)
        *(void **)array = larger;
    return larger != NULL;
}

/* Makes room for n rows. */
static bool make_room(const struct format_table *t, struct piece *p, size_t n)
{
    struct format_block *b = &p->block;
    size_t room = p->room == 0 ? GATHERED_ROWS : p->room;

    if (n <= p->room)
        return true;
    while (room < n)
        room *= 2;
    if (!grow(&b->value, room * (t->n_metrics + 1) * sizeof *b->value) ||
        !grow(&b->row, room * sizeof *b->row) ||
        !grow(&b->time_ns, room * sizeof *b->time_ns) ||
        !grow(&b->label, room * sizeof *b->label))
        return false;
    p->room = room;
    return true;
}

/* ---- one row ---- */

/* Reads the numbers of the row. */
static void read_values(const struct format_blocks *pass, const struct format_rows *rows,
                        double *value)
{
    const struct format_table *t = pass->table;

    for (size_t k = 0; k < t->n_metrics; k++) {
        size_t c = pass->metric[k];
        struct format_plain plain;

        if (c < rows->n && t->column[c].decimal == '.' &&
            format_plain_read(rows->field[c].at, rows->field[c].size, &plain))
            value[k] = plain.value;
        else
            value[k] = format_table_number(t, rows, c);
    }
}

/* Reads when the row is from and what its label is; *take = false when it has no time. */
static enum vd_status read_rest(const struct format_table *t, struct piece *p,
                                struct format_zone_memo *memo, bool *take)
{
    struct format_block *b = &p->block;
    bool sure;

    *take = true;
    b->time_ns[b->n] = 0;
    b->label[b->n] = 0;
    if (format_table_has_time(t))
        *take = format_table_utc(t, memo, &p->rows, &b->time_ns[b->n], &sure);
    if (!*take || !format_table_reads_labels(t))
        return VD_OK;
    return format_table_label(t, &p->rows, &(struct format_labels){0}, &b->label[b->n],
                              &p->error);
}

/* Takes the rows of the piece apart. Of gathered ones time and label are known. */
static enum vd_status read_rows(const struct format_blocks *pass, struct piece *p)
{
    const struct format_table *t = pass->table;
    struct format_block *b = &p->block;
    struct format_zone_memo memo = {0};
    enum vd_status status;

    format_rows_turn_to(&p->rows, p->cut.text, p->cut.size, p->cut.offset, p->cut.line);
    b->n = 0;
    for (;;) {
        bool take = true;

        status = format_table_row(t, &p->rows, NULL, &p->error);
        if (status != VD_OK || p->rows.n == 0)
            return status;
        if (!make_room(t, p, b->n + 1))
            return no_memory(t, &p->error);
        if (t->place == NULL)
            status = read_rest(t, p, &memo, &take);
        if (status != VD_OK)
            return status;
        if (!take)
            continue;
        read_values(pass, &p->rows, b->value + b->n * t->n_metrics);
        b->row[b->n++] = p->rows.row;
    }
}

/* ---- all rows of a piece ---- */

/* Reads a column of the grid's rows into every n_metrics-th number. */
static void read_column(const struct format_blocks *pass, const struct format_grid *g,
                        size_t c, double *value)
{
    const struct format_table *t = pass->table;

    for (size_t from = 0; from < g->rows; from += STEP) {
        size_t n = g->rows - from < STEP ? g->rows - from : STEP;
        double number[STEP];
        uint8_t shape[STEP];

        format_grid_numbers(g, c, from, n, number, shape);
        for (size_t i = 0; i < n; i++)
            value[(from + i) * t->n_metrics] =
                shape[i] != FORMAT_SHAPE_OTHER && t->column[c].decimal == '.'
                    ? number[i]
                    : format_number(format_grid_field(g, from + i, c),
                                    t->column[c].decimal);
    }
}

/* Reads time and label of a row of the grid. */
static enum vd_status read_rest_of(const struct format_table *t, struct piece *p,
                                   size_t row, struct format_zone_memo *memo, bool *take)
{
    const size_t column[] = {t->time, t->clock, t->label};

    p->rows.n = p->grid.columns;
    p->rows.line = p->cut.line + row;
    for (size_t i = 0; i < sizeof column / sizeof *column; i++)
        if (column[i] != SIZE_MAX)
            p->rows.field[column[i]] = format_grid_field(&p->grid, row, column[i]);
    return read_rest(t, p, memo, take);
}

/* Takes the rows of the grid apart column by column, then leaves out those without a
 * time. */
static enum vd_status read_grid(const struct format_blocks *pass, struct piece *p)
{
    const struct format_table *t = pass->table;
    struct format_block *b = &p->block;
    bool by_day = format_table_is_by_day(t) && !format_table_reads_labels(t);
    struct format_zone_memo memo = {0};
    struct format_day day = {0};
    size_t d = t->n_metrics;

    if (!make_room(t, p, p->grid.rows))
        return no_memory(t, &p->error);
    for (size_t k = 0; k < d; k++)
        read_column(pass, &p->grid, pass->metric[k], b->value + k);
    b->n = 0;
    for (size_t row = 0; row < p->grid.rows; row++) {
        enum vd_status status = VD_OK;
        bool take = true;
        int64_t ns;

        if (by_day &&
            format_stamp_of_day(format_grid_field(&p->grid, row, t->time), &day, &ns)) {
            format_zone_one(&t->zone, &memo, ns, &b->time_ns[b->n]);
            b->label[b->n] = 0;
        } else {
            status = read_rest_of(t, p, row, &memo, &take);
        }
        if (status != VD_OK)
            return status;
        if (!take)
            continue;
        if (b->n < row)
            memcpy(b->value + b->n * d, b->value + row * d, d * sizeof *b->value);
        b->row[b->n++] = format_grid_row(&p->grid, row);
    }
    return VD_OK;
}

static void work_on_piece(void *context, void *at)
{
    const struct format_blocks *pass = context;
    const struct format_table *t = pass->table;
    struct piece *p = at;

    if (t->place == NULL && format_table_grid(t, &p->grid, p->cut.text, p->cut.size))
        p->status = read_grid(pass, p);
    else
        p->status = read_rows(pass, p);
    if (p->status == VD_OK && pass->user.work != NULL)
        p->status =
            pass->user.work(pass->table, &p->block, pass->user.context, &p->error);
}

/* ---- the pieces in order ---- */

/* Appends the bytes of the next row in order, with a newline, to the piece. */
static enum vd_status gather_row(struct format_blocks *pass, struct piece *p)
{
    struct format_table *t = pass->table;
    struct format_block *b = &p->block;
    enum vd_status status;
    size_t size;
    bool more;

    if (!make_room(t, p, b->n + 1))
        return no_memory(t, &pass->error);
    status = format_table_next(t, &more, &pass->error);
    if (status != VD_OK)
        return status;
    size = (size_t)(t->rows.row.end - t->rows.row.at);
    if (p->cut.size + size + 1 > p->cut.capacity &&
        !format_cut_reserve(&p->cut, 2 * (p->cut.size + size + 1)))
        return no_memory(t, &pass->error);
    memcpy(p->cut.text + p->cut.size, t->rows.row.at, size);
    p->cut.size += size;
    if (p->cut.text[p->cut.size - 1] != '\n')
        p->cut.text[p->cut.size++] = '\n';
    b->time_ns[b->n] = t->time_ns;
    b->label[b->n++] = t->row_label;
    return VD_OK;
}

static bool next_piece(void *context, void *at)
{
    struct format_blocks *pass = context;
    enum vd_status status = VD_OK;
    struct piece *p = at;

    p->cut.size = p->block.n = 0;
    p->error = (struct vd_error){0};
    if (pass->table->place == NULL) {
        status = format_cut_next(&pass->cutter, &p->cut, &pass->error);
    } else {
        p->cut.line = 1;
        while (status == VD_OK && p->block.n < GATHERED_ROWS &&
               pass->table->at < pass->table->n)
            status = gather_row(pass, p);
    }
    return status == VD_OK && p->cut.size > 0;
}

/* ---- the pass ---- */

/* Finds the columns of the metrics. */
static size_t *metrics_of(const struct format_table *t)
{
    size_t *metric = calloc(t->n_metrics + 1, sizeof *metric), k = 0;

    for (size_t c = 0; metric != NULL && c < t->n_columns; c++)
        if (t->column[c].why == NULL)
            metric[k++] = c;
    return metric;
}

static enum vd_status begin_piece(struct piece *p, const struct format_blocks *pass,
                                  struct vd_error *err)
{
    const struct format_table *t = pass->table;

    p->block.own = calloc(1, pass->user.own_size + 1);
    if (p->block.own == NULL)
        return no_memory(t, err);
    return format_rows_over(&p->rows, &t->input, t->separator, err);
}

static void release_piece(struct piece *p, const struct format_blocks_user *user)
{
    if (p->block.own != NULL && user->release != NULL)
        user->release(p->block.own);
    free(p->block.own);
    free(p->block.value);
    free(p->block.row);
    free(p->block.time_ns);
    free(p->block.label);
    format_cut_release(&p->cut);
    format_grid_release(&p->grid);
    format_rows_release(&p->rows);
}

/* Makes what a pass needs; false without memory. */
static bool begin(struct format_blocks *b, unsigned threads, struct vd_error *err)
{
    struct os_pieces pieces = {.next = next_piece,
                               .work = work_on_piece,
                               .context = b,
                               .size = sizeof *b->piece};

    pieces.slots = os_pieces_slots(threads);
    b->metric = metrics_of(b->table);
    pieces.piece = b->piece = calloc(pieces.slots, sizeof *b->piece);
    if (b->piece == NULL || b->metric == NULL)
        return false;
    b->slots = pieces.slots;
    for (size_t i = 0; i < b->slots; i++)
        if (begin_piece(&b->piece[i], b, err) != VD_OK)
            return false;
    b->ring = os_pieces_begin(&pieces, threads);
    return b->ring != NULL;
}

static void end_blocks(struct format_blocks *b)
{
    if (b == NULL)
        return;
    os_pieces_end(b->ring);
    for (size_t i = 0; i < b->slots; i++)
        release_piece(&b->piece[i], &b->user);
    free(b->piece);
    free(b->metric);
    free(b);
}

static struct format_blocks *begin_blocks(struct format_table *t, unsigned threads,
                                          const struct format_blocks_user *user,
                                          struct vd_error *err)
{
    struct format_blocks *b = calloc(1, sizeof *b);

    if (b == NULL) {
        no_memory(t, err);
        return NULL;
    }
    *b = (struct format_blocks){.table = t,
                                .user = *user,
                                .cutter = {.in = &t->input,
                                           .separator = t->separator,
                                           .offset = t->first_offset,
                                           .line = t->first_line}};
    format_table_rewind(t);
    if (begin(b, threads, err))
        return b;
    no_memory(t, err);
    end_blocks(b);
    return NULL;
}

static enum vd_status take_block(struct format_blocks *b, struct format_block **block,
                                 struct vd_error *err)
{
    const struct format_table *t = b->table;
    struct piece *p;

    *block = NULL;
    do {
        p = os_pieces_take(b->ring);
    } while (p != NULL && p->status == VD_OK && p->block.n == 0);
    if (p != NULL && p->status != VD_OK)
        return vd_error_set(err, p->status, p->error.hint, "%s", p->error.text);
    if (p == NULL && b->error.status != VD_OK)
        return vd_error_set(err, b->error.status, b->error.hint, "%s", b->error.text);
    if (p == NULL ? b->given < t->n : b->given + p->block.n > t->n)
        return vd_error_set(err, VD_ERR_IO, NULL, "%s: it changed meanwhile", t->path);
    if (p == NULL)
        return VD_OK;
    b->given += p->block.n;
    *block = &p->block;
    return VD_OK;
}

enum vd_status format_blocks_each(struct format_table *t, unsigned threads,
                                  const struct format_blocks_user *user,
                                  struct vd_error *err)
{
    struct format_blocks *b = begin_blocks(t, threads, user, err);
    enum vd_status status = b == NULL ? VD_ERR_MEMORY : VD_OK;

    while (status == VD_OK) {
        struct format_block *block;

        status = take_block(b, &block, err);
        if (status != VD_OK || block == NULL)
            break;
        if (user->done != NULL)
            status = user->done(t, block, b->given - block->n, user->context, err);
    }
    end_blocks(b);
    return status;
}

enum vd_status format_blocks_sample(struct format_table *t, double **value, size_t *n,
                                    struct vd_error *err)
{
    struct format_blocks pass = {.table = t, .metric = metrics_of(t)};
    enum vd_status status = VD_OK;

    *n = 0;
    *value = calloc(t->n_sampled + 1, (t->n_metrics + 1) * sizeof **value);
    if (*value == NULL || pass.metric == NULL)
        status = no_memory(t, err);
    for (size_t i = 0; status == VD_OK && i < t->n_sampled; i++) {
        format_rows_seek(&t->rows, t->sampled[i].offset, t->sampled[i].line);
        status = format_table_row(t, &t->rows, NULL, err);
        if (status == VD_OK && t->rows.n > 0)
            read_values(&pass, &t->rows, *value + (*n)++ * t->n_metrics);
    }
    free(pass.metric);
    if (status != VD_OK) {
        free(*value);
        *value = NULL;
    }
    format_table_rewind(t);
    return status;
}
