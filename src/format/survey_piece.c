/* Takes a piece row by row, or, where all of its rows are plain, column by column: the
 * numbers of some hundred rows are read and counted at once. Both ways find the same. */
#include "format/survey_piece.h"

#include <stdlib.h>

#include "format/heading.h"

/* Rows whose columns are counted one after the other. */
enum { STEP = 256 };

static void count_field(struct format_tally *tally, struct format_csv_field field,
                        size_t line)
{
    struct format_plain plain;

    if (format_plain_read(field.at, field.size, &plain))
        format_tally_plain(tally, &plain, line);
    else
        format_tally_add(tally, field, line);
}

void format_survey_count(const struct format_table *t, const struct format_rows *rows,
                         struct format_tally *tally)
{
    size_t n = rows->n < t->n_columns ? rows->n : t->n_columns;

    for (size_t c = 0; c < n; c++)
        count_field(&tally[c], rows->field[c], rows->line);
}

/* ---- one row ---- */

/* Adds a time; `sure`: it is one moment. */
static void add_time(struct format_survey *found, int64_t ns, bool sure)
{
    found->steady = found->steady && sure && (found->timed == 0 || ns > found->last_ns);
    if (found->timed == 0)
        found->first_ns = ns;
    found->last_ns = ns;
}

/* Follows the time; false when the row has none. */
static bool follow_time(const struct format_table *t, struct format_survey_piece *p,
                        struct format_zone_memo *memo)
{
    int64_t ns;
    bool sure;

    if (!format_table_utc(t, memo, &p->rows, &ns, &sure)) {
        format_table_note_untimed(t, &p->rows, &p->found.untimed);
        return false;
    }
    add_time(&p->found, ns, sure);
    return true;
}

static void follow_label(const struct format_table *t, struct format_survey_piece *p)
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

uint64_t format_survey_hash(const struct format_table *t, uint64_t offset)
{
    return mix(offset ^ mix(t->options.seed));
}

/* Keeps the place of a row that may be of the sample. */
static void sample_row(const struct format_table *t, struct format_survey_piece *p,
                       uint64_t offset, size_t line)
{
    if (t->options.sample == 0 || format_survey_hash(t, offset) > p->limit)
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
    p->sampled[p->n_sampled++] = (struct format_sampled){.offset = offset, .line = line};
}

static void go_by_rows(const struct format_table *t, const struct format_table *reading,
                       struct format_survey_piece *p)
{
    bool timed = reading->time != SIZE_MAX, labelled = format_table_reads_labels(reading);
    struct format_zone_memo memo = {0};

    while (p->status == VD_OK) {
        p->status = format_table_row(t, &p->rows, &p->faults, &p->error);
        if (p->status != VD_OK || p->rows.n == 0)
            break;
        format_survey_count(t, &p->rows, p->found.tally);
        p->found.n++;
        if (timed && !follow_time(reading, p, &memo))
            continue;
        p->found.timed++;
        if (labelled)
            follow_label(reading, p);
        sample_row(t, p, p->rows.offset, p->rows.line);
    }
}

/* ---- all rows of a grid ---- */

/* A step of rows, and what is known of their times. */
struct step {
    size_t first, n;
    bool has_clock[STEP];
    int64_t wall_ns[STEP]; /* where has_clock */
};

/* Counts the times of a column of texts. */
static void count_times(struct format_survey_piece *p, size_t c, struct step *step,
                        struct format_day *day)
{
    struct format_tally *tally = &p->found.tally[c];

    for (size_t i = 0; i < step->n; i++) {
        size_t row = step->first + i, line = p->cut.line + row;
        struct format_csv_field field = format_grid_field(&p->grid, row, c);

        step->has_clock[i] = format_stamp_of_day(field, day, &step->wall_ns[i]);
        if (step->has_clock[i])
            format_tally_time(tally, field, step->wall_ns[i], line);
        else
            count_field(tally, field, line);
    }
}

/* Counts a column: plain numbers in runs, all else one by one. */
static void count_column(struct format_survey_piece *p, size_t c, const struct step *step)
{
    struct format_tally *tally = &p->found.tally[c];
    double value[STEP];
    uint8_t shape[STEP];

    format_grid_numbers(&p->grid, c, step->first, step->n, value, shape);
    for (size_t i = 0, end; i < step->n; i = end) {
        size_t row = step->first + i, line = p->cut.line + row;

        for (end = i; end < step->n && shape[end] != FORMAT_SHAPE_OTHER;)
            end++;
        format_tally_numbers(tally, value + i, shape + i, end - i, line);
        if (end == i)
            count_field(tally, format_grid_field(&p->grid, row, c),
                        p->cut.line + step->first + end++);
    }
}

/* Goes to a row for those who look at the fields of time and label. */
static void turn_to(struct format_survey_piece *p, const struct format_table *reading,
                    size_t row)
{
    const size_t column[] = {reading->time, reading->clock, reading->label};

    p->rows.n = p->grid.columns;
    p->rows.line = p->cut.line + row;
    for (size_t i = 0; i < sizeof column / sizeof *column; i++)
        if (column[i] != SIZE_MAX)
            p->rows.field[column[i]] = format_grid_field(&p->grid, row, column[i]);
}

/* Follows the times and the labels of a step, and draws rows. */
static void follow(const struct format_table *t, const struct format_table *reading,
                   struct format_survey_piece *p, const struct step *step,
                   struct format_zone_memo *memo)
{
    bool labelled = format_table_reads_labels(reading);

    for (size_t i = 0; i < step->n && p->status == VD_OK; i++) {
        size_t row = step->first + i;

        if (labelled || !step->has_clock[i])
            turn_to(p, reading, row);
        if (step->has_clock[i]) {
            int64_t ns;
            bool sure = format_zone_one(&reading->zone, memo, step->wall_ns[i], &ns);

            add_time(&p->found, ns, sure);
        } else if (reading->time != SIZE_MAX && !follow_time(reading, p, memo)) {
            continue;
        }
        p->found.timed++;
        if (labelled)
            follow_label(reading, p);
        sample_row(t, p,
                   p->cut.offset +
                       (uint64_t)(format_grid_row(&p->grid, row).at - p->cut.text),
                   p->cut.line + row);
    }
}

static void go_by_columns(const struct format_table *t,
                          const struct format_table *reading,
                          struct format_survey_piece *p)
{
    bool by_day = format_table_is_by_day(reading);
    struct format_zone_memo memo = {0};
    struct format_day day = {0};
    struct step step = {0};

    for (; step.first < p->grid.rows && p->status == VD_OK; step.first += step.n) {
        step.n = p->grid.rows - step.first < STEP ? p->grid.rows - step.first : STEP;
        for (size_t c = 0; c < p->grid.columns; c++)
            if (by_day && c == reading->time)
                count_times(p, c, &step, &day);
            else
                count_column(p, c, &step);
        p->found.n += step.n;
        follow(t, reading, p, &step, &memo);
    }
}

void format_survey_piece(const struct format_table *t, const struct format_table *reading,
                         struct format_survey_piece *p)
{
    if (p->status != VD_OK)
        return;
    format_rows_turn_to(&p->rows, p->cut.text, p->cut.size, p->cut.offset, p->cut.line);
    if (format_table_grid(t, &p->grid, p->cut.text, p->cut.size))
        go_by_columns(t, reading, p);
    else
        go_by_rows(t, reading, p);
}
