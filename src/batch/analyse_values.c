/* Makes the values of a row: what the file has, rates of counters, what is derived from
 * them, and what the row itself says of being odd. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "batch/analyse_rows.h"
#include "vedette/detector.h"

static size_t score_column(const struct format_table *t)
{
    size_t c = 0;

    while (c < t->n_columns && strcmp(t->column[c].name, "anomaly_score") != 0)
        c++;
    return c;
}

/* Gives the text of the row's time, cut. */
static void time_text(const struct format_table *t, char text[64])
{
    struct format_csv_field field = t->rows.field[t->time];

    snprintf(text, 64, "%.*s", (int)(field.size < 63 ? field.size : 63), field.at);
}

/* Goes to the next row of a history: of rows of one time, to the last that has a score,
 * else to the last. */
static enum vd_status next_of_history(struct batch_rows *rows, bool *more,
                                      struct vd_error *err)
{
    struct format_table *t = &rows->table[rows->at];
    size_t score = score_column(t), best = 0;
    char first[64], now[64];
    enum vd_status status;
    bool scored = false;
    int64_t time_ns = 0;

    if (rows->after[rows->at] > 0)
        t->at = rows->after[rows->at];
    status = format_table_next(t, more, err);
    if (status != VD_OK || !*more)
        return status;
    time_text(t, first);
    time_ns = t->time_ns;
    do {
        bool has = score < t->rows.n && t->rows.field[score].size > 0;

        if (has || !scored)
            best = t->at;
        scored = scored || has;
        rows->after[rows->at] = t->at;
        status = format_table_next(t, more, err);
        if (status == VD_OK && *more)
            time_text(t, now);
    } while (status == VD_OK && *more && strcmp(first, now) == 0);
    t->at = best - 1;
    if (status == VD_OK)
        status = format_table_next(t, more, err);
    t->time_ns = time_ns;
    return status;
}

static enum vd_status next_row(struct batch_rows *rows, bool *more, struct vd_error *err)
{
    return rows->doubles[rows->at] ? next_of_history(rows, more, err)
                                   : format_table_next(&rows->table[rows->at], more, err);
}

/* Gives how far back the rate of a counter reaches: prmon's clock counts whole seconds,
 * so rows that come faster have no rates of their own. */
static size_t lag_of(const struct batch_rows *rows)
{
    double pace = rows->table[rows->at].order.pace_s;

    if (!rows->is_prmon || !(pace > 0) || pace >= 1)
        return 1;
    return (size_t)fmin(ceil(1 / pace), BATCH_LAG_MAX - 1);
}

/* Gives the growth of a column over the last rows, a second; NaN for the first row and
 * for a counter that was reset. */
static double rate_of(const struct batch_rows *rows, size_t c, bool may_fall)
{
    const struct batch_rows_past *past = &rows->past;
    size_t lag = lag_of(rows), back = past->n < lag ? past->n : lag;
    size_t from = (past->n - back) % BATCH_LAG_MAX;
    double step, seconds;

    if (back == 0)
        return NAN;
    step = rows->now[c] - past->value[from * rows->n_columns + c];
    seconds =
        rows->timed ? (double)(rows->time_ns - past->time_ns[from]) * 1e-9 : (double)back;
    return (step >= 0 || may_fall) && seconds > 0 ? step / seconds : NAN;
}

static double now_of(const struct batch_rows *rows, const char *name)
{
    size_t c = batch_rows_find(rows, name);

    return c == SIZE_MAX ? NAN : rows->now[c];
}

/* Divides; of nothing there is no share. */
static double share(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

static double derive(const struct batch_rows *rows, enum batch_derived what)
{
    switch (what) {
    case BATCH_PSS_RATE:
        return rate_of(rows, batch_rows_find(rows, "pss"), true);
    case BATCH_PSS_PER_PROCESS:
        return share(now_of(rows, "pss"), now_of(rows, "nprocs"));
    case BATCH_CPU_EFFICIENCY:
        return share(now_of(rows, "utime") + now_of(rows, "stime"),
                     now_of(rows, "wtime"));
    case BATCH_IO_RATE:
        return rate_of(rows, batch_rows_find(rows, "rchar"), false) +
               rate_of(rows, batch_rows_find(rows, "wchar"), false);
    default:
        assert(false);
        return NAN;
    }
}

/* Reads all columns of the row as they stand, when a rate needs the row before; else
 * those that are values. */
static void read_now(struct batch_rows *rows)
{
    const struct format_table *t = &rows->table[rows->at];
    const size_t *place = rows->place + rows->at * rows->n_columns;

    if (!rows->is_prmon) {
        for (size_t k = 0; k < rows->d; k++) {
            size_t from = place[rows->used[k]];

            rows->now[rows->used[k]] =
                from == SIZE_MAX ? NAN : format_table_value(t, from);
        }
        return;
    }
    for (size_t c = 0; c < rows->n_columns; c++)
        rows->now[c] = place[c] == SIZE_MAX ? NAN : format_table_value(t, place[c]);
}

/* Keeps the row for the rates of those behind it. */
static void remember(struct batch_rows *rows)
{
    struct batch_rows_past *past = &rows->past;
    size_t at = past->n % BATCH_LAG_MAX;

    if (!rows->is_prmon)
        return;
    memcpy(past->value + at * rows->n_columns, rows->now,
           rows->n_columns * sizeof *rows->now);
    past->time_ns[at] = rows->time_ns;
    past->n++;
}

static struct format_csv_field field_of(const struct batch_rows *rows, size_t column)
{
    const struct format_rows *r = &rows->table[rows->at].rows;

    return column < r->n ? r->field[column] : (struct format_csv_field){"", 0};
}

int batch_rows_label(const struct batch_rows *rows, int label)
{
    const struct format_table *t = &rows->table[rows->at];
    bool minus = t->label_line[2] > 0 || (t->own_labels && t->label_line[0] == 0) ||
                 rows->options->anomaly_label < 0;

    return minus ? label < 0 : label == 1;
}

/* Reads what the row itself says of being odd: its label, or its phase. */
static int label_of(const struct batch_rows *rows)
{
    const struct format_table *t = &rows->table[rows->at];
    const char *title;

    if (t->label != SIZE_MAX)
        return batch_rows_label(rows, t->row_label);
    if (rows->phase[rows->at] != SIZE_MAX) {
        struct format_csv_field phase = field_of(rows, rows->phase[rows->at]);

        return phase.size == 0 ? -1 : !batch_phase_is_quiet(phase.at, phase.size);
    }
    title = batch_rows_title(rows, rows->at);
    return rows->labelled ? !batch_phase_is_quiet(title, strlen(title)) : -1;
}

/* Notes a task that failed: it is odd whatever the numbers say. */
static void read_task(struct batch_rows *rows)
{
    static const char *const failed[] = {"failed", "failure", "timeout",
                                         "error",  "crashed", NULL};
    struct format_csv_field field;

    rows->task_text[0] = '\0';
    if (rows->task[rows->at] == SIZE_MAX)
        return;
    field = field_of(rows, rows->task[rows->at]);
    if (format_csv_is_word(field, failed))
        snprintf(rows->task_text, sizeof rows->task_text, "%.*s", (int)field.size,
                 field.at);
}

static void read_values(struct batch_rows *rows, double *value)
{
    for (size_t k = 0; k < rows->d; k++) {
        size_t c = rows->used[k];
        const struct batch_rows_column *column = &rows->column[c];

        value[k] = column->derived != BATCH_AS_IT_IS ? derive(rows, column->derived)
                   : column->counts                  ? rate_of(rows, c, false)
                                                     : rows->now[c];
        if (!(fabs(value[k]) <= VD_VALUE_MAX))
            value[k] = NAN;
    }
}

enum vd_status batch_rows_skip(struct batch_rows *rows, bool *more, struct vd_error *err)
{
    enum vd_status status = next_row(rows, more, err);

    while (status == VD_OK && !*more && rows->at + 1 < rows->n_tables) {
        rows->past.n = 0;
        rows->at++;
        status = next_row(rows, more, err);
    }
    rows->row += status == VD_OK && *more;
    return status;
}

enum vd_status batch_rows_next(struct batch_rows *rows, double *value, bool *more,
                               struct vd_error *err)
{
    enum vd_status status = batch_rows_skip(rows, more, err);

    if (status != VD_OK || !*more)
        return status;
    rows->time_ns = rows->timed ? rows->table[rows->at].time_ns : 0;
    read_now(rows);
    read_values(rows, value);
    remember(rows);
    rows->label = label_of(rows);
    read_task(rows);
    return VD_OK;
}

const struct format_table *batch_rows_table(const struct batch_rows *rows)
{
    return &rows->table[rows->at];
}
