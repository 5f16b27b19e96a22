/* Opens a table: the heading, then through all rows for what the columns are, and through
 * them once more where they have to be put in order. Reads its rows one by one. */
#include "format/table.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "format/choose.h"
#include "format/heading.h"
#include "format/place.h"
#include "format/survey.h"

/* Sets how many rows the time and the label are guessed from, and how many are studied
 * where labels alone are read. */
enum { STUDIED_ROWS = 1000 };

/* ---- the first pass ---- */

/* Names the columns and why each is none, since that is what the user can change. */
static enum vd_status no_metrics(const struct format_table *t, struct vd_error *err)
{
    char names[200] = "";
    size_t used = 0;

    for (size_t c = 0; c < t->n_columns && used + 60 < sizeof names; c++)
        used +=
            (size_t)snprintf(names + used, sizeof names - used, "%s\"%.30s\" (%s)",
                             c == 0 ? ": " : ", ", t->column[c].name, t->column[c].why);
    return vd_error_set(err, VD_ERR_DATA, "the first line names the columns, rows follow",
                        "%s: no rows with numeric columns%s", t->path, names);
}

/* Guesses the time and the label by the first rows. Where they cannot even be chosen the
 * table is one without: all rows decide. The guess owns its columns and nothing else. */
static enum vd_status make_guess(struct format_table *guess, struct format_table *t,
                                 struct vd_error *err)
{
    size_t size = t->n_columns * sizeof *t->column;
    struct format_survey head;
    enum vd_status status = format_survey_head(&head, t, STUDIED_ROWS, err);

    *guess = *t;
    guess->n = head.n;
    guess->column = malloc(size);
    if (status == VD_OK && guess->column == NULL)
        status =
            vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to read it", t->path);
    if (status == VD_OK) {
        struct vd_error none = {0};
        enum vd_status chosen;

        memcpy(guess->column, t->column, size);
        chosen = format_choose(guess, head.tally, &none);
        if (chosen == VD_ERR_MEMORY)
            status = vd_error_set(err, chosen, NULL, "%s", none.text);
        else if (chosen != VD_OK)
            guess->time = guess->label = SIZE_MAX;
    }
    format_survey_release(&head);
    return status;
}

/* Tells whether the guess reads times and labels as the whole table says. */
static bool was_right(const struct format_table *guess, const struct format_table *t)
{
    bool labels = format_table_reads_labels(t);

    if (guess->time != t->time || format_table_reads_labels(guess) != labels ||
        (labels && guess->label != t->label))
        return false;
    return t->time == SIZE_MAX ||
           (guess->clock == t->clock && guess->per_s == t->per_s &&
            guess->day_first == t->day_first && guess->of_day == t->of_day &&
            guess->zoned == t->zoned &&
            guess->column[t->time].decimal == t->column[t->time].decimal);
}

/* ---- order ---- */

/* Finds the pace by the first rows. */
static enum vd_status find_pace(struct format_table *t, struct vd_error *err)
{
    struct format_place *place = calloc(FORMAT_PACE_ROWS, sizeof *place);
    enum vd_status status = VD_OK;
    bool more = true;
    size_t n = 0;

    if (place == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to read it",
                            t->path);
    format_table_rewind(t);
    while (status == VD_OK && more && n < FORMAT_PACE_ROWS) {
        status = format_table_next(t, &more, err);
        if (status == VD_OK && more)
            place[n++].time_ns = t->time_ns;
    }
    t->order.pace_s = format_order_pace(place, n);
    free(place);
    return status;
}

/* Decides how rows are read: as they stand when that is the order of time, or when they
 * are too many to be sorted; else by their places. */
static enum vd_status settle_order(struct format_table *t,
                                   const struct format_survey *survey,
                                   struct vd_error *err)
{
    bool timed = t->time != SIZE_MAX;
    bool steady = survey->steady && !t->of_day;

    if (survey->label_error.status != VD_OK)
        return vd_error_set(err, survey->label_error.status, survey->label_error.hint,
                            "%s", survey->label_error.text);
    t->untimed = survey->untimed;
    if (timed && survey->timed == 0)
        return format_place_no_times(t, err);
    t->unsorted = timed && !steady && t->options.sort_max > 0 &&
                  survey->timed > t->options.sort_max;
    if (timed && !steady && !t->unsorted)
        return format_place_rows(t, err);
    format_place_set_labels(t, &survey->labels);
    t->n = survey->timed;
    t->first_ns = survey->first_ns;
    t->last_ns = survey->last_ns;
    return timed ? find_pace(t, err) : VD_OK;
}

/* Refuses to leave out most rows: then it is the line of names or the separator that is
 * wrong. */
static enum vd_status mostly_too_long(const struct format_table *t, struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_DATA,
                        "is one of its signs in a value? Put such values in quotes, or "
                        "give --separator",
                        "%s:%zu: %zu of %zu rows have more fields than the first line, "
                        "%zu",
                        t->path, t->faults.too_long.line[0], t->faults.too_long.n,
                        t->faults.too_long.n + t->n, t->n_columns);
}

/* Studies all rows and decides by them what the columns are. When the guess was wrong the
 * times are followed once more. */
static enum vd_status study(struct format_table *t, struct vd_error *err)
{
    struct format_table guess;
    struct format_survey survey = {0};
    enum vd_status status = make_guess(&guess, t, err);

    t->zone = guess.zone;
    t->zone_of_header = guess.zone_of_header;
    if (status == VD_OK)
        status = format_survey_rows(&survey, t, &guess, err);
    t->n = t->studied = survey.n;
    if (status == VD_OK && t->faults.too_long.n > t->n)
        status = mostly_too_long(t, err);
    if (status == VD_OK && t->n == 0)
        status = vd_error_set(err, VD_ERR_DATA, NULL, "%s: no rows", t->path);
    if (status == VD_OK)
        status = format_choose(t, survey.tally, err);
    if (status == VD_OK && t->n_metrics == 0)
        status = no_metrics(t, err);
    if (status == VD_OK && !was_right(&guess, t)) {
        format_survey_release(&survey);
        t->options.rejects = NULL; /* it has them */
        status = format_survey_rows(&survey, t, t, err);
    }
    if (status == VD_OK)
        status = settle_order(t, &survey, err);
    format_survey_release(&survey);
    free(guess.column);
    return status;
}

/* Studies the first rows of a table whose labels alone are read. */
static enum vd_status study_head(struct format_table *t, struct vd_error *err)
{
    struct format_survey head;
    enum vd_status status = format_survey_head(&head, t, STUDIED_ROWS, err);

    t->n = t->studied = head.n;
    if (status == VD_OK && t->n == 0)
        status = vd_error_set(err, VD_ERR_DATA, NULL, "%s: no rows", t->path);
    if (status == VD_OK)
        status = format_choose(t, head.tally, err);
    format_survey_release(&head);
    return status == VD_OK ? format_place_rows(t, err) : status;
}

/* ---- opening ---- */

static enum vd_status open_table(struct format_table *t, struct vd_error *err)
{
    enum vd_status status = format_heading_read(t, err);

    if (status == VD_OK)
        status = t->options.labels_only ? study_head(t, err) : study(t, err);
    if (status == VD_OK)
        format_table_rewind(t);
    return status;
}

/* Fills in "none" for what has not been found; SIZE_MAX stands for no column. */
static void init(struct format_table *t, const struct format_options *options)
{
    *t = (struct format_table){.time = SIZE_MAX,
                               .clock = SIZE_MAX,
                               .elapsed = SIZE_MAX,
                               .label = SIZE_MAX,
                               .input = {.fd = -1},
                               .order = {.pace_s = NAN}};
    if (options != NULL)
        t->options = *options;
}

enum vd_status format_table_open(struct format_table *t, const char *path,
                                 const struct format_options *options,
                                 struct vd_error *err)
{
    enum vd_status status;

    init(t, options);
    status = format_input_open(&t->input, path, t->options.title, err);
    t->path = t->input.path;
    return status == VD_OK ? open_table(t, err) : status;
}

enum vd_status format_table_of(struct format_table *t, const char *text, size_t size,
                               const char *name, const struct format_options *options,
                               struct vd_error *err)
{
    enum vd_status status;

    init(t, options);
    status = format_input_of(&t->input, text, size, name, err);
    t->path = name;
    return status == VD_OK ? open_table(t, err) : status;
}

/* ---- reading ---- */

bool format_table_has_time(const struct format_table *t)
{
    return t->time != SIZE_MAX;
}

void format_table_rewind(struct format_table *t)
{
    t->at = 0;
    format_rows_seek(&t->rows, t->first_offset, t->first_line);
}

/* Reads the next row as it stands; those without a time were left out of t->n, too. */
static enum vd_status next_standing(struct format_table *t, struct vd_error *err)
{
    enum vd_status status;
    bool sure;

    do {
        status = format_table_row(t, &t->rows, NULL, err);
    } while (status == VD_OK && t->rows.n > 0 && t->time != SIZE_MAX &&
             !format_table_utc(t, &t->memo, &t->rows, &t->time_ns, &sure));
    if (status != VD_OK || t->rows.n == 0 || !format_table_reads_labels(t))
        return status;
    return format_table_label(t, &t->rows, &(struct format_labels){0}, &t->row_label,
                              err);
}

/* Reads the row at a place. */
static enum vd_status next_placed(struct format_table *t,
                                  const struct format_place *place, struct vd_error *err)
{
    format_rows_seek(&t->rows, place->offset, place->line);
    t->time_ns = place->time_ns;
    t->row_label = place->label;
    return t->options.labels_only ? format_rows_skim(&t->rows, err)
                                  : format_table_row(t, &t->rows, NULL, err);
}

/* Reads the next row in the order of time. A file that changed since it was opened may
 * have no row at its place. */
enum vd_status format_table_next(struct format_table *t, bool *more, struct vd_error *err)
{
    enum vd_status status;

    *more = t->at < t->n;
    if (!*more)
        return VD_OK;
    status =
        t->place == NULL ? next_standing(t, err) : next_placed(t, &t->place[t->at], err);
    if (status == VD_OK && t->rows.row.at == t->rows.row.end)
        status = vd_error_set(err, VD_ERR_IO, NULL, "%s: it changed meanwhile", t->path);
    t->at++;
    return status;
}

double format_table_value(const struct format_table *t, size_t c)
{
    assert(c < t->n_columns);
    return format_table_number(t, &t->rows, c);
}

struct format_scan format_table_bytes(const struct format_table *t)
{
    return t->rows.row;
}

void format_table_close(struct format_table *t)
{
    format_rows_release(&t->rows);
    format_input_release(&t->input);
    free((char *)t->head.at);
    free(t->column);
    free(t->place);
    free(t->sampled);
    t->head = (struct format_scan){NULL, NULL};
    t->column = NULL;
    t->place = NULL;
    t->sampled = NULL;
}
