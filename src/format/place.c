/* The second pass, of tables whose rows do not stand as they are wanted. */
#include "format/place.h"

#include <math.h>
#include <stdlib.h>

#include "format/series.h"
#include "format/table_row.h"

static enum vd_status no_memory(const struct format_table *t, struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to read it", t->path);
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
    double now =
        t->elapsed == SIZE_MAX ? NAN : format_table_number(t, &t->rows, t->elapsed);
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
    struct format_labels seen = {.words = t->label_is_flag};
    bool labels = format_table_reads_labels(t);
    bool timed = t->time != SIZE_MAX && !t->options.labels_only;
    enum vd_status status;
    /* A study of all rows has counted what is wrong in them; of the head alone it has
     * not. */
    struct format_faults *faults = t->options.labels_only ? &t->faults : NULL;
    double elapsed = NAN;
    size_t n = 0;

    while ((status = format_table_row(t, &t->rows, faults, err)) == VD_OK &&
           t->rows.n > 0) {
        struct format_place place = {.offset = t->rows.offset,
                                     .line = (uint32_t)t->rows.line};

        if ((status = make_room(t, n, err)) != VD_OK)
            return status;
        if (timed && !format_table_time(t, &t->rows, &place.time_ns)) {
            format_table_note_untimed(t, &t->rows, &t->untimed);
            continue;
        }
        place.since_s = read_since(t, &elapsed);
        if (labels)
            status = format_table_label(t, &t->rows, &seen, &place.label, err);
        if (status != VD_OK)
            return status;
        if (timed)
            format_series_see(series, &t->rows, place.time_ns);
        t->place[n++] = place;
    }
    t->n = n;
    if (labels)
        format_place_set_labels(t, &seen);
    return status;
}

void format_place_set_labels(struct format_table *t, const struct format_labels *seen)
{
    memcpy(t->label_line, seen->line, sizeof t->label_line);
    t->label_is_flag |= seen->words;
}

enum vd_status format_place_no_times(const struct format_table *t, struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_DATA, "give --time-column or --time-format",
                        "%s:%zu: column \"%s\": \"%s\" is no time, nor is any other",
                        t->path, t->untimed.line, t->column[t->time].name,
                        t->untimed.text);
}

/* Puts the rows in order. When no row has a time, the column is no time at all, and that
 * is an error. */
static enum vd_status order_rows(struct format_table *t, struct vd_error *err)
{
    struct format_clock clock = {.zone = t->per_s > 0 || t->zoned ? NULL : &t->zone,
                                 .guessed = t->options.time_zone == NULL,
                                 .of_day = t->of_day};

    if (t->n == 0)
        return format_place_no_times(t, err);
    format_order_make(t->place, t->n, &clock, &t->order);
    t->first_ns = t->place[0].time_ns;
    t->last_ns = t->place[t->n - 1].time_ns;
    return VD_OK;
}

enum vd_status format_place_rows(struct format_table *t, struct vd_error *err)
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
    t->untimed = (struct format_untimed){0};
    status = place_rows(t, &series, err);
    if (status == VD_OK && t->time != SIZE_MAX && !t->options.labels_only) {
        status = format_series_check(&series, t, err);
        if (status == VD_OK)
            status = order_rows(t, err);
    }
    return status;
}
