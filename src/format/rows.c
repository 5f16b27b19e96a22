/* The window slides over the input and grows for a row that does not fit. */
#include "format/rows.h"

#include <assert.h>
#include <stdlib.h>

#include "format/decimal.h"

/* Sets the size of the window in bytes, enough for many rows at a read. */
enum { WINDOW = 256 << 10 };

/* Begins at an offset, which is that of line `line`. After a failure the rows must still
 * be released. */
enum vd_status format_rows_begin(struct format_rows *rows, const struct format_input *in,
                                 char separator, uint64_t offset, size_t line,
                                 struct vd_error *err)
{
    *rows = (struct format_rows){.in = in, .separator = separator, .capacity = WINDOW};
    if (in->size < WINDOW)
        rows->capacity = (size_t)in->size + 1;
    rows->window = malloc(rows->capacity + FORMAT_SLACK);
    rows->field = malloc(FORMAT_FIELDS_MAX * sizeof *rows->field);
    format_rows_seek(rows, offset, line);
    if (rows->window == NULL || rows->field == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to read it",
                            in->path);
    return VD_OK;
}

/* Moves to a row that was seen before. Within the window nothing is read anew. */
void format_rows_seek(struct format_rows *rows, uint64_t offset, size_t line)
{
    rows->next_line = line;
    if (offset >= rows->base && offset <= rows->base + rows->filled) {
        rows->at = (size_t)(offset - rows->base);
        return;
    }
    rows->base = offset;
    rows->at = rows->filled = 0;
}

enum vd_status format_rows_over(struct format_rows *rows, const struct format_input *in,
                                char separator, struct vd_error *err)
{
    *rows = (struct format_rows){.in = in, .separator = separator, .borrowed = true};
    rows->field = malloc(FORMAT_FIELDS_MAX * sizeof *rows->field);
    if (rows->field != NULL)
        return VD_OK;
    return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to read it", in->path);
}

void format_rows_turn_to(struct format_rows *rows, char *text, size_t size,
                         uint64_t offset, size_t line)
{
    assert(rows->borrowed);
    rows->window = text;
    rows->capacity = rows->filled = size;
    rows->at = 0;
    rows->base = offset;
    rows->next_line = line;
}

static bool is_at_end(const struct format_rows *rows)
{
    return rows->borrowed || rows->base + rows->filled >= rows->in->size;
}

/* Drops what was read, and takes more in. A row that fills the window makes it grow. */
static enum vd_status fill(struct format_rows *rows, struct vd_error *err)
{
    enum vd_status status;
    size_t got;

    memmove(rows->window, rows->window + rows->at, rows->filled - rows->at);
    rows->base += rows->at;
    rows->filled -= rows->at;
    rows->at = 0;
    if (rows->filled == rows->capacity) {
        char *larger = realloc(rows->window, 2 * rows->capacity + FORMAT_SLACK);

        if (larger == NULL)
            return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to read it",
                                rows->in->path);
        rows->window = larger;
        rows->capacity *= 2;
    }
    status = format_input_read(rows->in, rows->base + rows->filled,
                               rows->window + rows->filled, rows->capacity - rows->filled,
                               &got, err);
    rows->filled += got;
    return status;
}

static enum vd_status fail(const struct format_rows *rows, const char *what,
                           const char *hint, struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_DATA, hint, "%s:%zu: %s", rows->in->path, rows->line,
                        what);
}

/* Goes to the row that begins at `at`, over the empty lines before it, and notes where it
 * stands. */
static struct format_scan begin_row(struct format_rows *rows)
{
    struct format_scan t =
        format_scan_of(rows->window + rows->at, rows->filled - rows->at);
    const char *from = t.at;

    while (t.at < t.end && (*t.at == '\n' || *t.at == '\r'))
        t.at++;
    rows->row.at = t.at;
    rows->line = rows->next_line + format_count_lines(from, t.at);
    rows->offset = rows->base + (uint64_t)(t.at - rows->window);
    return t;
}

/* Takes that row apart; false when the window does not hold all of it and more of the
 * input may. */
static bool take(struct format_rows *rows)
{
    struct format_scan t = begin_row(rows);

    rows->n =
        rows->separator == FORMAT_BLANKS
            ? 0
            : format_csv_plain_row(&t, rows->separator, rows->field, FORMAT_FIELDS_MAX);
    rows->is_plain = rows->n > 0;
    if (!rows->is_plain)
        rows->n = format_csv_row(&t, rows->separator, rows->field, FORMAT_FIELDS_MAX);
    rows->row.end = t.at;
    return rows->is_plain || t.at < t.end || is_at_end(rows);
}

/* Takes that row without its fields, which is much faster. They are needed only where a
 * quote may hide the end of a line. */
static bool skim(struct format_rows *rows)
{
    struct format_scan t = begin_row(rows);

    rows->n = 0;
    rows->is_plain = false;
    format_scan_next_line(&t);
    rows->row.end = t.at;
    if (memchr(rows->row.at, '"', (size_t)(t.at - rows->row.at)) != NULL)
        return take(rows);
    return t.at < t.end || is_at_end(rows);
}

/* Refuses a row with a NUL byte, or with a quote that is open at the end of the file: the
 * quote has swallowed all rows behind it. */
static enum vd_status check(const struct format_rows *rows, struct vd_error *err)
{
    size_t last = rows->n < FORMAT_FIELDS_MAX ? rows->n : FORMAT_FIELDS_MAX;
    size_t size = (size_t)(rows->row.end - rows->row.at);

    if (memchr(rows->row.at, '\0', size) != NULL)
        return fail(rows, "a NUL byte: it is no text, or one in UTF-16",
                    "save it as CSV in UTF-8", err);
    if (rows->field[last - 1].size > 0 && rows->field[last - 1].at[0] == '"' &&
        rows->offset + size >= rows->in->size)
        return fail(rows, "a quote is not closed", NULL, err);
    return VD_OK;
}

/* Refuses a row beyond the bound: a quote that is not closed, or no text at all. */
static enum vd_status too_long(const struct format_rows *rows, struct vd_error *err)
{
    if (memchr(rows->window + rows->at, '\0', rows->filled - rows->at) != NULL)
        return fail(rows, "a NUL byte: it is no text, or one in UTF-16",
                    "save it as CSV in UTF-8", err);
    return fail(rows, "a row of more than 16 MiB: is a quote not closed?", NULL, err);
}

/* Goes to the next row as `take_one` sees it, and reads more of the input for as long as
 * the row is not whole. The bound keeps an open quote from taking the whole file into
 * memory. */
static enum vd_status advance(struct format_rows *rows,
                              bool (*take_one)(struct format_rows *),
                              struct vd_error *err)
{
    while (!take_one(rows)) {
        enum vd_status status;

        if (rows->filled - rows->at > FORMAT_ROW_MAX)
            return too_long(rows, err);
        status = fill(rows, err);
        if (status != VD_OK)
            return status;
    }
    if (rows->row.end - rows->row.at > FORMAT_ROW_MAX)
        return too_long(rows, err);
    rows->next_line =
        rows->line +
        (rows->is_plain ? 1 : format_count_lines(rows->row.at, rows->row.end));
    rows->at = (size_t)(rows->row.end - rows->window);
    return VD_OK;
}

enum vd_status format_rows_next(struct format_rows *rows, struct vd_error *err)
{
    enum vd_status status = advance(rows, take, err);

    return status != VD_OK || rows->n == 0 || rows->is_plain ? status : check(rows, err);
}

enum vd_status format_rows_skim(struct format_rows *rows, struct vd_error *err)
{
    return advance(rows, skim, err);
}

void format_rows_release(struct format_rows *rows)
{
    if (!rows->borrowed)
        free(rows->window);
    free(rows->field);
    rows->window = NULL;
    rows->field = NULL;
}
