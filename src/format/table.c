/* Opens a table: the heading, then through all rows for the columns (through the first
 * ones where labels alone are read), and through all for times and labels, if any. */
#include "format/table.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "format/choose.h"
#include "format/heading.h"
#include "format/series.h"

/* Sets how many rows of a table are studied whose labels alone are read. */
enum { STUDIED_ROWS = 1000 }; /* of a table whose labels alone are read */

static const int64_t SECOND_NS = 1000000000;

static enum vd_status no_memory(const struct format_table *t, struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to read it", t->path);
}

static bool reads_labels(const struct format_table *t)
{
    return t->options.need_label || t->options.labels_only;
}

/* ---- rows ---- */

/* Refuses a row with more fields than names: they would shift all values behind the one
 * that is too many. Empty fields at the end do no harm. */
static enum vd_status check_length(const struct format_table *t, struct vd_error *err)
{
    const struct format_rows *rows = &t->rows;
    size_t stored = rows->n < FORMAT_FIELDS_MAX ? rows->n : FORMAT_FIELDS_MAX;
    bool is_long = rows->n > FORMAT_FIELDS_MAX;

    for (size_t c = t->n_columns; c < stored; c++)
        is_long = is_long || rows->field[c].size > 0;
    if (!is_long)
        return VD_OK;
    return vd_error_set(err, VD_ERR_DATA,
                        "is one of its signs in a value? Put such values in quotes, or "
                        "give --separator",
                        "%s:%zu: the row has %zu fields, the first line %zu", t->path,
                        rows->line, rows->n, t->n_columns);
}

/* Reads the next line that is a row; rows.n is 0 at the end. */
static enum vd_status next_row(struct format_table *t, struct vd_error *err)
{
    enum vd_status status;

    while ((status = format_rows_next(&t->rows, err)) == VD_OK && t->rows.n > 0 &&
           format_heading_is_skipped(t, t->rows.row))
        t->skipped++;
    if (status != VD_OK || t->rows.n == 0)
        return status;
    if (t->separator == FORMAT_BLANKS && !t->nameless_first)
        format_heading_join_clock(&t->rows, t->n_columns);
    return check_length(t, err);
}

/* ---- the first time through ---- */

/* Goes through the rows and counts what is in each column. It sets t->n to the rows that
 * it saw. */
static enum vd_status tally_rows(struct format_table *t, struct format_tally *tally,
                                 struct vd_error *err)
{
    size_t most = t->options.labels_only ? STUDIED_ROWS : SIZE_MAX;
    enum vd_status status = VD_OK;

    while (t->n < most && (status = next_row(t, err)) == VD_OK && t->rows.n > 0) {
        for (size_t c = 0; c < t->n_columns && c < t->rows.n; c++)
            format_tally_add(&tally[c], t->rows.field[c], t->rows.line);
        t->n++;
    }
    t->studied = t->n;
    if (status == VD_OK && t->n == 0)
        status = vd_error_set(err, VD_ERR_DATA, NULL, "%s: no rows", t->path);
    return status;
}

/* Studies the columns and decides what they are. */
static enum vd_status study(struct format_table *t, struct vd_error *err)
{
    struct format_tally *tally = calloc(t->n_columns + 1, sizeof *tally);
    enum vd_status status = tally == NULL ? no_memory(t, err) : tally_rows(t, tally, err);

    if (status == VD_OK)
        status = format_choose(t, tally, err);
    free(tally);
    return status;
}

/* ---- the second time: times and labels ---- */

/* Reads a time by the user's pattern, or by what it looks like. */
static bool read_stamp(const struct format_table *t, struct format_csv_field field,
                       struct format_stamp *stamp)
{
    const char *format = t->options.time_format;

    if (format != NULL && strchr(format, '%') != NULL)
        return format_stamp_match(field, format, stamp);
    return format_stamp_read(field, stamp);
}

/* Reads what the row's clock shows, or UTC when the row says its zone. */
static bool read_time(const struct format_table *t, int64_t *ns)
{
    const struct format_rows *rows = &t->rows;
    struct format_stamp stamp, clock = {0};
    int64_t of_day = 0;

    if (t->time >= rows->n || (t->clock != SIZE_MAX && t->clock >= rows->n))
        return false;
    if (t->per_s > 0)
        return format_epoch_ns(
            format_number(rows->field[t->time], t->column[t->time].decimal), t->per_s,
            ns);
    if (!read_stamp(t, rows->field[t->time], &stamp) ||
        !format_stamp_ns(&stamp, t->day_first, ns))
        return false;
    if (t->clock != SIZE_MAX &&
        (!format_stamp_read(rows->field[t->clock], &clock) || clock.has_date ||
         !format_stamp_ns(&clock, false, &of_day)))
        return false;
    *ns += of_day - (stamp.east_s + clock.east_s) * SECOND_NS;
    /* Reads a row without a zone in a file that has zones elsewhere: the file was begun
     * before its times had them. */
    if (t->zoned && !stamp.has_zone && !clock.has_zone) {
        int64_t utc_ns[2];

        if (format_zone_utc(&t->zone, *ns, utc_ns) == 0)
            return false;
        *ns = utc_ns[0];
    }
    return true;
}

/* Reads the label of a row. Labels of 0 and of -1 in one file are refused, since it would
 * not be known which of them 1 is beside. */
static enum vd_status read_label(struct format_table *t, int8_t *out,
                                 struct vd_error *err)
{
    const char *hint = "a label is 0 (normal) or 1 (anomaly); or 1 and -1";
    int label;

    if (t->label >= t->rows.n)
        return vd_error_set(err, VD_ERR_DATA, hint,
                            "%s:%zu: the row has no label: %zu fields, the first line "
                            "has %zu",
                            t->path, t->rows.line, t->rows.n, t->n_columns);
    if (!format_label(t->rows.field[t->label], &label))
        return vd_error_set(err, VD_ERR_DATA, hint, "%s:%zu: this label is none", t->path,
                            t->rows.line);
    if (t->label_line[label < 0 ? 2 : label] == 0)
        t->label_line[label < 0 ? 2 : label] = t->rows.line;
    *out = (int8_t)label;
    /* A word says by itself what it means. */
    t->label_is_flag |= isalpha((unsigned char)t->rows.field[t->label].at[0]) != 0;
    if (t->label_line[0] > 0 && t->label_line[2] > 0)
        return vd_error_set(
            err, VD_ERR_DATA, hint, "%s:%zu: a label of %d, and in line %zu one of %d",
            t->path, t->rows.line, label, t->label_line[label == 0 ? 2 : 0], -1 - label);
    return VD_OK;
}

/* Notes a row without a time, and the text of the first, for a warning. */
static void note_untimed(struct format_table *t)
{
    struct format_csv_field field = {"", 0};

    if (t->time < t->rows.n)
        field = t->rows.field[t->time];
    if (t->untimed++ > 0)
        return;
    t->untimed_line = t->rows.line;
    snprintf(t->untimed_text, sizeof t->untimed_text, "%.*s", (int)field.size, field.at);
}

static enum vd_status too_many(const struct format_table *t, struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_LIMIT, "take a part of it",
                        "%s: it has more than %d rows, which is what can be put in order",
                        t->path, FORMAT_ROWS_MAX);
}

/* Doubles the room for rows of a table that has been studied in part; of others it is
 * known how many there are, so more of them means that the file changed. */
static enum vd_status make_room(struct format_table *t, size_t n, struct vd_error *err)
{
    size_t room = 2 * n < FORMAT_ROWS_MAX ? 2 * n : FORMAT_ROWS_MAX;
    struct format_place *place;

    if (n < t->n)
        return VD_OK;
    if (!t->options.labels_only)
        return vd_error_set(err, VD_ERR_IO, NULL, "%s: it changed meanwhile", t->path);
    if (n == FORMAT_ROWS_MAX)
        return too_many(t, err);
    place = realloc(t->place, room * sizeof *place);
    if (place == NULL)
        return no_memory(t, err);
    t->place = place;
    t->n = room;
    return VD_OK;
}

/* Reads the whole seconds since the row before; *last is the value of their column
 * there. */
static uint16_t read_since(const struct format_table *t, double *last)
{
    double now = t->elapsed == SIZE_MAX ? NAN : format_table_value(t, t->elapsed);
    double since = now - *last;

    *last = now;
    return since >= 0 && since < FORMAT_SINCE_UNKNOWN - 1 ? (uint16_t)(since + 0.5)
                                                          : FORMAT_SINCE_UNKNOWN;
}

/* Notes for each row where it stands, its time and its label. Rows without a time are
 * left out. */
static enum vd_status place_rows(struct format_table *t, struct format_series *series,
                                 struct vd_error *err)
{
    bool labels = reads_labels(t) && t->label != SIZE_MAX;
    bool timed = t->time != SIZE_MAX && !t->options.labels_only;
    enum vd_status status;
    double elapsed = NAN;
    size_t n = 0;

    while ((status = next_row(t, err)) == VD_OK && t->rows.n > 0) {
        struct format_place place = {.offset = t->rows.offset,
                                     .line = (uint32_t)t->rows.line};

        if ((status = make_room(t, n, err)) != VD_OK)
            return status;
        if (timed && !read_time(t, &place.time_ns)) {
            note_untimed(t);
            continue;
        }
        place.since_s = read_since(t, &elapsed);
        if (labels)
            status = read_label(t, &place.label, err);
        if (status != VD_OK)
            return status;
        if (timed)
            format_series_see(series, &t->rows, place.time_ns);
        t->place[n++] = place;
    }
    t->n = n;
    return status;
}

/* Puts the rows in order. When no row has a time, the column is no time at all, and that
 * is an error. */
static enum vd_status order_rows(struct format_table *t, struct vd_error *err)
{
    struct format_clock clock = {.zone = t->per_s > 0 || t->zoned ? NULL : &t->zone,
                                 .guessed = t->options.time_zone == NULL,
                                 .of_day = t->of_day};

    if (t->n == 0)
        return vd_error_set(err, VD_ERR_DATA, "give --time-column or --time-format",
                            "%s:%zu: column \"%s\": \"%s\" is no time, nor is any other",
                            t->path, t->untimed_line, t->column[t->time].name,
                            t->untimed_text);
    format_order_make(t->place, t->n, &clock, &t->order);
    return VD_OK;
}

/* Goes through the table for the second time. The rows stay in the file; only their
 * places are kept, 24 bytes for each. */
static enum vd_status place_and_order(struct format_table *t, struct vd_error *err)
{
    struct format_series series = {0};
    enum vd_status status;

    if (t->n > FORMAT_ROWS_MAX)
        return too_many(t, err);
    t->place = malloc(t->n * sizeof *t->place);
    if (t->place == NULL)
        return no_memory(t, err);
    format_series_begin(&series, t);
    format_rows_seek(&t->rows, t->first_offset, t->first_line);
    t->skipped = 0;
    status = place_rows(t, &series, err);
    if (status == VD_OK && t->time != SIZE_MAX && !t->options.labels_only) {
        status = format_series_check(&series, t, err);
        if (status == VD_OK)
            status = order_rows(t, err);
    }
    return status;
}

/* ---- opening ---- */

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

/* Opens a table in two passes. The second is left out where neither a time nor a label is
 * needed. */
static enum vd_status open_table(struct format_table *t, struct vd_error *err)
{
    enum vd_status status = format_heading_read(t, err);

    if (status == VD_OK)
        status = study(t, err);
    if (status == VD_OK && t->n_metrics == 0 && !t->options.labels_only)
        status = no_metrics(t, err);
    if (status == VD_OK && (t->time != SIZE_MAX || t->options.labels_only ||
                            (reads_labels(t) && t->label != SIZE_MAX)))
        status = place_and_order(t, err);
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
    status = format_input_open(&t->input, path, err);
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

/* Reads the next row in the order of time. A file that changed since it was opened may
 * have no row at its place. */
enum vd_status format_table_next(struct format_table *t, bool *more, struct vd_error *err)
{
    const struct format_place *place = t->place == NULL ? NULL : &t->place[t->at];
    enum vd_status status;

    *more = t->at < t->n;
    if (!*more)
        return VD_OK;
    if (place != NULL)
        format_rows_seek(&t->rows, place->offset, place->line);
    status = t->options.labels_only ? format_rows_skim(&t->rows, err) : next_row(t, err);
    if (status == VD_OK && t->rows.row.at == t->rows.row.end)
        status = vd_error_set(err, VD_ERR_IO, NULL, "%s: it changed meanwhile", t->path);
    t->at++;
    t->time_ns = place == NULL ? 0 : place->time_ns;
    t->row_label = place == NULL ? 0 : place->label;
    return status;
}

double format_table_value(const struct format_table *t, size_t c)
{
    assert(c < t->n_columns);
    return c < t->rows.n ? format_number(t->rows.field[c], t->column[c].decimal) : NAN;
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
    t->head = (struct format_scan){NULL, NULL};
    t->column = NULL;
    t->place = NULL;
}
