/* Exports put things before the line of names: the mark of UTF-8, "sep=;", comments, a
 * line of dashes. The names themselves may stand in the last comment ("# time;cpu"). */
#include "format/heading.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "format/number.h"
#include "format/time.h"
#include "os/utf8.h"

/* Sets how much of the beginning is looked at: enough for a heading of thousands of
 * columns and a few rows. */
enum { LOOK_BYTES = 64 << 10 };

/* The beginning of the input while it is looked at. */
struct look {
    char *text; /* owned */
    struct format_scan t;
    size_t line;
};

/* Gives the line that the text is at, without its end. */
static struct format_scan line_at(const struct format_scan *t)
{
    struct format_scan line = *t;
    const char *end = memchr(line.at, '\n', (size_t)(line.end - line.at));

    if (end != NULL)
        line.end = end;
    return line;
}

/* Passes a line and counts it only when it has an end, so that the number of the last
 * line stays right. */
static void next_line(struct look *look)
{
    look->line += memchr(look->t.at, '\n', (size_t)(look->t.end - look->t.at)) != NULL;
    format_scan_next_line(&look->t);
}

static void skip_empty(struct look *look)
{
    while (look->t.at < look->t.end && (*look->t.at == '\n' || *look->t.at == '\r')) {
        look->line += *look->t.at == '\n';
        look->t.at++;
    }
}

/* ---- separator ---- */

/* Takes the separator that the user gave. Signs that numbers and quotes need are
 * refused. */
static enum vd_status asked_separator(struct format_table *t, struct vd_error *err)
{
    const char *text = t->options.separator;

    if (strcasecmp(text, "tab") == 0 || strcmp(text, "\\t") == 0)
        t->separator = '\t';
    else if (strcasecmp(text, "blank") == 0 || strcasecmp(text, "space") == 0)
        t->separator = FORMAT_BLANKS;
    else if (text[0] != '\0' && text[1] == '\0' && strchr("\"\n\r.", text[0]) == NULL)
        t->separator = text[0];
    else
        return vd_error_set(err, VD_ERR_ARGUMENT, "write one sign, or tab or blank",
                            "--separator: \"%.20s\" is none", text);
    return VD_OK;
}

/* Takes "sep=;", as Excel writes and reads it, for the separator. */
static void take_sep_line(struct format_table *t, struct look *look)
{
    struct format_scan line = line_at(&look->t);

    format_scan_skip(&line, "\"");
    if (line.end - line.at < 5 || strncasecmp(line.at, "sep=", 4) != 0)
        return;
    t->separator = line.at[4];
    next_line(look);
}

/* ---- names ---- */

/* Tells whether the field could stand in a row: a number with either sign, or a time. */
static bool is_value(struct format_csv_field field)
{
    struct format_stamp stamp;

    return !isnan(format_number(field, '.')) || !isnan(format_number(field, ',')) ||
           format_stamp_read(field, &stamp);
}

/* Tells what no column is called: a date, a time, a number as large as Unix time. */
static bool is_surely_value(struct format_csv_field field)
{
    struct format_stamp stamp;

    return format_stamp_read(field, &stamp) || fabs(format_number(field, '.')) >= 1e8;
}

/* Tells whether the fields are a row of values and none of them names. A single number
 * may be a column's name ("95"), so one value that is surely none is asked for where not
 * all are values. */
static bool is_values(const struct format_csv_field *field, size_t n)
{
    size_t values = 0, missing = 0, sure = 0;

    for (size_t c = 0; c < n; c++) {
        missing += format_is_missing(field[c]);
        values += is_value(field[c]);
        sure += is_surely_value(field[c]);
    }
    return values > 0 && (values + missing == n || (sure > 0 && 2 * values >= n));
}

/* Tells the same of the first row of a text. */
static bool line_is_values(struct format_scan t, char separator)
{
    struct format_csv_field field[64];
    size_t n;

    if (separator == 0)
        separator = format_csv_separator(t.at, (size_t)(t.end - t.at));
    n = format_csv_row(&t, separator, field, 64);
    return is_values(field, n < 64 ? n : 64);
}

/* Passes comments, unless the last of them holds the names, which shows in the row after
 * it having values. */
static void pass_comments(struct format_table *t, struct look *look)
{
    struct look last = {0};
    bool any = false;

    while (look->t.at < look->t.end && *look->t.at == '#') {
        any = true;
        last = *look;
        next_line(look);
        skip_empty(look);
    }
    if (any && line_is_values(look->t, t->separator)) {
        *look = last;
        while (look->t.at < look->t.end && (*look->t.at == '#' || *look->t.at == ' '))
            look->t.at++;
    }
}

/* "procs -----------memory----------": vmstat's headings of groups. */
/* Tells the line of dashes that vmstat writes as headings of groups, "procs
 * -----------memory----------". */
static bool is_rule(struct format_scan line)
{
    return memmem(line.at, (size_t)(line.end - line.at), "---", 3) != NULL;
}

/* Makes a name that can be printed: doubled quotes become one, and signs that steer a
 * terminal become visible. */
static void clean_name(char *name, struct format_csv_field field)
{
    char text[FORMAT_NAME_MAX];
    size_t n = 0;

    for (size_t i = 0; i < field.size && n + 1 < sizeof text; i++)
        if (field.at[i] != '"' || i + 1 == field.size || field.at[i + 1] != '"')
            text[n++] = field.at[i];
    text[n] = '\0';
    os_utf8_visible(text, name, FORMAT_NAME_MAX);
}

static enum vd_status no_names(const struct format_table *t, struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_DATA, "put a line of names before the rows",
                        "%s:%zu: the first line has to name the columns: it holds "
                        "values",
                        t->path, t->rows.line);
}

/* Keeps the names and the line itself, which may be repeated further down and is then
 * passed over. */
static enum vd_status keep_names(struct format_table *t, struct vd_error *err)
{
    struct format_rows *rows = &t->rows;
    size_t size = (size_t)(rows->row.end - rows->row.at);
    char *head = malloc(size + 1);

    t->head = format_scan_of(head, size);
    t->column = calloc(rows->n + 1, sizeof *t->column);
    if (head == NULL || t->column == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to read it",
                            t->path);
    memcpy(head, rows->row.at, size);
    for (size_t c = 0; c < rows->n; c++)
        clean_name(t->column[c].name, rows->field[c]);
    t->n_columns = rows->n;
    return VD_OK;
}

/* Joins "2026-03-10 08:00:01", which is two fields in a text that is parted by blanks:
 * such a row has one field more than there are names. */
void format_heading_join_clock(struct format_rows *rows, size_t n_columns)
{
    struct format_stamp stamp;

    for (size_t c = 0; c < n_columns; c++) {
        struct format_csv_field *one = &rows->field[c];

        if (rows->n != n_columns + 1 || rows->n > FORMAT_FIELDS_MAX)
            return;
        if (!format_stamp_read(one[0], &stamp) || stamp.has_clock ||
            !format_stamp_read(one[1], &stamp) || stamp.has_date)
            continue;
        one->size = (size_t)(one[1].at + one[1].size - one[0].at);
        memmove(&one[1], &one[2], (n_columns - c - 1) * sizeof *one);
        rows->n--;
    }
}

/* Finds out whether the rows have one field more than the names: R gives the first
 * column, the rows' own names, no name. Some rows are read ahead, and then reading goes
 * back to the first. */
static enum vd_status look_for_nameless(struct format_table *t, struct vd_error *err)
{
    struct format_rows *rows = &t->rows;
    size_t seen = 0, wider = 0, n = t->n_columns;
    enum vd_status status = VD_OK;

    t->first_offset = rows->base + rows->at;
    t->first_line = rows->next_line;
    for (; seen < 20; seen++) {
        status = format_rows_next(rows, err);
        if (status != VD_OK || rows->n == 0)
            break;
        if (t->separator == FORMAT_BLANKS)
            format_heading_join_clock(rows, n);
        wider += rows->n == n + 1 && rows->field[n].size > 0;
    }
    format_rows_seek(rows, t->first_offset, t->first_line);
    t->nameless_first = seen >= 2 && wider == seen && n < FORMAT_FIELDS_MAX;
    if (!t->nameless_first)
        return VD_OK;
    memmove(t->column + 1, t->column, n * sizeof *t->column);
    t->column[0] = (struct format_column){.name = ""};
    t->n_columns++;
    return VD_OK;
}

/* Reads the line of names. A first line of values is refused: the columns would have to
 * be told apart by numbers, and the first row would be lost. */
static enum vd_status read_names(struct format_table *t, struct look *look,
                                 uint64_t offset, struct vd_error *err)
{
    enum vd_status status =
        format_rows_begin(&t->rows, &t->input, t->separator, offset, look->line, err);

    if (status == VD_OK)
        status = format_rows_next(&t->rows, err);
    if (status != VD_OK)
        return status;
    if (t->rows.n == 0)
        return vd_error_set(err, VD_ERR_DATA,
                            "the first line names the columns, rows follow",
                            "%s: it is empty", t->path);
    if (t->rows.n > FORMAT_FIELDS_MAX)
        return vd_error_set(err, VD_ERR_LIMIT, "leave some out",
                            "%s: it has %zu columns: at most %d can be read", t->path,
                            t->rows.n, FORMAT_FIELDS_MAX);
    if (is_values(t->rows.field, t->rows.n))
        return no_names(t, err);
    status = keep_names(t, err);
    return status == VD_OK ? look_for_nameless(t, err) : status;
}

/* Passes what stands before the line of names, in the order in which programs write it:
 * the mark of UTF-8, the separator, comments, dashes. */
static enum vd_status look_at(struct format_table *t, struct look *look,
                              struct vd_error *err)
{
    struct format_scan rest;

    format_scan_skip(&look->t, "\xef\xbb\xbf");
    skip_empty(look);
    take_sep_line(t, look);
    skip_empty(look);
    if (t->options.separator != NULL && asked_separator(t, err) != VD_OK)
        return VD_ERR_ARGUMENT;
    pass_comments(t, look);
    rest = look->t;
    if (is_rule(line_at(&rest))) {
        format_scan_next_line(&rest);
        if (format_csv_separator(rest.at, (size_t)(rest.end - rest.at)) == FORMAT_BLANKS)
            next_line(look);
    }
    if (t->separator == 0)
        t->separator =
            format_csv_separator(look->t.at, (size_t)(look->t.end - look->t.at));
    return VD_OK;
}

enum vd_status format_heading_read(struct format_table *t, struct vd_error *err)
{
    struct look look = {.text = malloc(LOOK_BYTES), .line = 1};
    enum vd_status status = VD_ERR_MEMORY;
    size_t got = 0;

    if (look.text != NULL)
        status = format_input_read(&t->input, 0, look.text, LOOK_BYTES, &got, err);
    look.t = format_scan_of(look.text, got);
    if (status == VD_OK)
        status = look_at(t, &look, err);
    if (status == VD_OK)
        status = read_names(t, &look, (uint64_t)(look.t.at - look.text), err);
    free(look.text);
    return status;
}

/* Takes the marks of a comment and blanks off, so that a repeated heading is found in
 * either form. */
static struct format_scan trim(struct format_scan t)
{
    while (t.at < t.end && (*t.at == '#' || *t.at == ' '))
        t.at++;
    while (t.end > t.at && isspace((unsigned char)t.end[-1]))
        t.end--;
    return t;
}

/* Tells whether a line is no row: a repeated heading, as programs write it after they
 * were started anew, or a comment. A '#' is no comment where the names themselves begin
 * with one. */
bool format_heading_is_skipped(const struct format_table *t, struct format_scan row)
{
    const char *sign = row.at;
    struct format_scan head, line;
    size_t size;

    /* Almost every row begins otherwise than all that is passed over. */
    if (sign < row.end && *sign != '#' && *sign != ' ' && t->separator != FORMAT_BLANKS &&
        t->head.at < t->head.end && *t->head.at != '#' && *t->head.at != ' ' &&
        *t->head.at != *sign)
        return false;
    head = trim(t->head);
    line = trim(row);
    size = (size_t)(line.end - line.at);
    if (size > 0 && size == (size_t)(head.end - head.at) &&
        memcmp(line.at, head.at, size) == 0)
        return true;
    if (row.at < row.end && row.at[0] == '#' &&
        (t->head.at == t->head.end || t->head.at[0] != '#'))
        return true;
    return t->separator == FORMAT_BLANKS && is_rule(row);
}
