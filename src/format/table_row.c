/* What is said of a line is said by the table and the line alone, so that pieces of a
 * file can be gone through at the same time. */
#include "format/table_row.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "format/heading.h"
#include "format/study.h"

static const int64_t SECOND_NS = 1000000000;

/* ---- what is passed over ---- */

void format_fault_note(struct format_fault *fault, size_t line)
{
    if (fault->n < FORMAT_FAULT_LINES)
        fault->line[fault->n] = line;
    fault->n++;
}

static void add_fault(struct format_fault *fault, const struct format_fault *later)
{
    for (size_t i = 0; fault->n + i < FORMAT_FAULT_LINES && i < later->n; i++)
        fault->line[fault->n + i] = later->line[i];
    fault->n += later->n;
}

void format_faults_add(struct format_faults *faults, const struct format_faults *later)
{
    faults->skipped += later->skipped;
    add_fault(&faults->too_long, &later->too_long);
    add_fault(&faults->too_short, &later->too_short);
}

void format_faults_release(struct format_faults *faults)
{
    free(faults->rejected);
    *faults = (struct format_faults){0};
}

/* Keeps the bytes of a row that is left out, for the file of rejected rows. */
static enum vd_status keep_rejected(const struct format_table *t,
                                    const struct format_rows *rows,
                                    struct format_faults *faults, struct vd_error *err)
{
    size_t size = (size_t)(rows->row.end - rows->row.at);
    char *larger;

    if (t->options.rejects == NULL)
        return VD_OK;
    larger = realloc(faults->rejected, faults->rejected_size + size + 1);
    if (larger == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to read it",
                            t->path);
    memcpy(larger + faults->rejected_size, rows->row.at, size);
    faults->rejected = larger;
    faults->rejected_size += size;
    if (size > 0 && larger[faults->rejected_size - 1] != '\n')
        larger[faults->rejected_size++] = '\n';
    return VD_OK;
}

/* ---- the length of a row ---- */

/* Tells whether a row has values behind the last name: they would shift all values behind
 * the one that is too many. Empty fields at the end do no harm. */
static bool is_too_long(const struct format_table *t, const struct format_rows *rows)
{
    size_t stored = rows->n < FORMAT_FIELDS_MAX ? rows->n : FORMAT_FIELDS_MAX;
    bool is_long = rows->n > FORMAT_FIELDS_MAX;

    for (size_t c = t->n_columns; c < stored; c++)
        is_long = is_long || rows->field[c].size > 0;
    return is_long;
}

static enum vd_status wrong_length(const struct format_table *t,
                                   const struct format_rows *rows, struct vd_error *err)
{
    const char *hint = rows->n > t->n_columns
                           ? "is one of its signs in a value? Put such values in quotes, "
                             "or give --separator"
                           : "without --strict what is missing counts as empty";

    return vd_error_set(err, VD_ERR_DATA, hint,
                        "%s:%zu: the row has %zu fields, the first line %zu", t->path,
                        rows->line, rows->n, t->n_columns);
}

/* Decides about a row whose length is not that of the names; *take = false for one that
 * is left out. */
static enum vd_status judge_length(const struct format_table *t, struct format_rows *rows,
                                   struct format_faults *faults, bool *take,
                                   struct vd_error *err)
{
    *take = !(rows->n > t->n_columns && is_too_long(t, rows));
    if (*take && rows->n >= t->n_columns)
        return VD_OK;
    if (t->options.ragged == FORMAT_RAGGED_REFUSED ||
        (!*take && t->options.ragged == FORMAT_LONG_REFUSED))
        return wrong_length(t, rows, err);
    if (faults == NULL)
        return VD_OK;
    format_fault_note(*take ? &faults->too_short : &faults->too_long, rows->line);
    return *take ? VD_OK : keep_rejected(t, rows, faults, err);
}

enum vd_status format_table_row(const struct format_table *t, struct format_rows *rows,
                                struct format_faults *faults, struct vd_error *err)
{
    enum vd_status status;
    bool take = false;

    while (!take) {
        status = format_rows_next(rows, err);
        if (status != VD_OK || rows->n == 0)
            return status;
        if (format_heading_is_skipped(t, rows->row)) {
            if (faults != NULL)
                faults->skipped++;
            continue;
        }
        if (t->separator == FORMAT_BLANKS && !t->nameless_first)
            format_heading_join_clock(rows, t->n_columns);
        if (rows->n == t->n_columns)
            return VD_OK;
        status = judge_length(t, rows, faults, &take, err);
        if (status != VD_OK)
            return status;
    }
    return VD_OK;
}

bool format_table_grid(const struct format_table *t, struct format_grid *grid,
                       const char *text, size_t size)
{
    if (t->separator == FORMAT_BLANKS || t->n_columns > FORMAT_FIELDS_MAX ||
        !format_grid_find(grid, text, size, t->separator, t->n_columns))
        return false;
    for (size_t row = 0; row < grid->rows; row++)
        if (format_heading_is_skipped(t, format_grid_row(grid, row)))
            return false;
    return true;
}

double format_table_number(const struct format_table *t, const struct format_rows *rows,
                           size_t c)
{
    return c < rows->n ? format_number(rows->field[c], t->column[c].decimal) : NAN;
}

/* ---- time ---- */

/* Reads a time by the user's pattern, or by what it looks like. */
static bool read_stamp(const struct format_table *t, struct format_csv_field field,
                       struct format_stamp *stamp)
{
    const char *format = t->options.time_format;

    if (format != NULL && strchr(format, '%') != NULL)
        return format_stamp_match(field, format, stamp);
    return format_stamp_read(field, stamp);
}

bool format_table_is_by_day(const struct format_table *t)
{
    const char *format = t->options.time_format;

    return t->time != SIZE_MAX && t->per_s == 0 && t->clock == SIZE_MAX && !t->zoned &&
           !t->of_day && (format == NULL || strchr(format, '%') == NULL);
}

bool format_table_time(const struct format_table *t, const struct format_rows *rows,
                       int64_t *ns)
{
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

bool format_table_utc(const struct format_table *t, struct format_zone_memo *memo,
                      const struct format_rows *rows, int64_t *ns, bool *sure)
{
    *sure = true;
    if (!format_table_time(t, rows, ns))
        return false;
    if (t->per_s == 0 && !t->zoned)
        *sure = format_zone_one(&t->zone, memo, *ns, ns);
    return true;
}

void format_table_note_untimed(const struct format_table *t,
                               const struct format_rows *rows,
                               struct format_untimed *untimed)
{
    struct format_csv_field field = {"", 0};

    if (t->time < rows->n)
        field = rows->field[t->time];
    if (untimed->n++ > 0)
        return;
    untimed->line = rows->line;
    snprintf(untimed->text, sizeof untimed->text, "%.*s", (int)field.size, field.at);
}

/* ---- labels ---- */

bool format_table_reads_labels(const struct format_table *t)
{
    return (t->options.need_label || t->options.labels_only) && t->label != SIZE_MAX;
}

static const char label_hint[] = "a label is 0 (normal) or 1 (anomaly); or 1 and -1";

enum vd_status format_table_two_labels(const struct format_table *t,
                                       const struct format_labels *seen,
                                       struct vd_error *err)
{
    bool zero = seen->line[0] > seen->line[2]; /* which one came second */

    return vd_error_set(err, VD_ERR_DATA, label_hint,
                        "%s:%zu: a label of %d, and in line %zu one of %d", t->path,
                        seen->line[zero ? 0 : 2], zero ? 0 : -1, seen->line[zero ? 2 : 0],
                        zero ? -1 : 0);
}

enum vd_status format_table_label(const struct format_table *t,
                                  const struct format_rows *rows,
                                  struct format_labels *seen, int8_t *out,
                                  struct vd_error *err)
{
    int label;

    if (t->label >= rows->n)
        return vd_error_set(err, VD_ERR_DATA, label_hint,
                            "%s:%zu: the row has no label: %zu fields, the first line "
                            "has %zu",
                            t->path, rows->line, rows->n, t->n_columns);
    if (!format_label(rows->field[t->label], &label))
        return vd_error_set(err, VD_ERR_DATA, label_hint, "%s:%zu: this label is none",
                            t->path, rows->line);
    if (seen->line[label < 0 ? 2 : label] == 0)
        seen->line[label < 0 ? 2 : label] = rows->line;
    *out = (int8_t)label;
    /* A word says by itself what it means. */
    seen->words |= isalpha((unsigned char)rows->field[t->label].at[0]) != 0;
    if (seen->line[0] > 0 && seen->line[2] > 0)
        return format_table_two_labels(t, seen, err);
    return VD_OK;
}
