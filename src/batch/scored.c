/* Writes scored rows as CSV, JSON or JSON lines. The bytes of the input are copied as
 * they are; of numbers only index, time and score are printed, by integers, since
 * everything else was written by somebody else already. */
#include "batch/scored.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/number.h"
#include "os/utf8.h"

/* Names the columns before and behind the input's own. */
static const char *const before[] = {"index", "timestamp", "is_anomaly", "anomaly_score",
                                     "reason"};
static const char *const behind[] = {"severity", "severity_factors", "top_features"};

/* What is said of a row that is not odd. */
static const struct batch_reason no_reason;

/* So many bytes are kept back before they are written. */
enum { KEPT_BACK = 1 << 18 };

enum { BEFORE = sizeof before / sizeof *before, BEHIND = sizeof behind / sizeof *behind };

/* ---- bytes ---- */

static void put_bytes(struct batch_scored *s, const char *bytes, size_t n)
{
    batch_text_add(&s->text, bytes, n);
}

static void put(struct batch_scored *s, const char *text)
{
    put_bytes(s, text, strlen(text));
}

static void put_char(struct batch_scored *s, char byte)
{
    put_bytes(s, &byte, 1);
}

/* ---- CSV ---- */

/* Puts a text of ours into quotes where it has a sign of the table, and a quote before
 * what a spreadsheet would take for a formula. */
static void put_field(struct batch_scored *s, const char *text, size_t size)
{
    bool formula = size > 0 && memchr("=+-@\t\r", text[0], 6) != NULL;
    bool quoted = memchr(text, s->separator, size) != NULL ||
                  memchr(text, '"', size) != NULL || memchr(text, '\n', size) != NULL ||
                  memchr(text, '\r', size) != NULL || memchr(text, ',', size) != NULL;

    if (quoted)
        put_char(s, '"');
    if (formula)
        put_char(s, '\'');
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"')
            put_char(s, '"');
        put_char(s, text[i]);
    }
    if (quoted)
        put_char(s, '"');
}

static bool is_ours(const char *name)
{
    for (size_t i = 0; i < BEFORE; i++)
        if (strcmp(before[i], name) == 0)
            return true;
    for (size_t i = 0; i < BEHIND; i++)
        if (strcmp(behind[i], name) == 0)
            return true;
    return false;
}

/* Writes the line of names. A column of the input that is called like one of ours becomes
 * "input_timestamp". */
static void put_names(struct batch_scored *s, const struct format_table *t)
{
    for (size_t i = 0; i < BEFORE; i++) {
        put(s, before[i]);
        put_char(s, s->separator);
    }
    if (t->nameless_first) {
        put(s, "row");
        put_char(s, s->separator);
    }
    for (size_t c = 0; c < t->n_columns; c++) {
        char name[FORMAT_NAME_MAX + 8];

        snprintf(name, sizeof name, "%s%s", is_ours(t->column[c].name) ? "input_" : "",
                 t->column[c].name);
        put_field(s, name, strlen(name));
        put_char(s, s->separator);
    }
    for (size_t i = 0; i < BEHIND; i++) {
        put(s, behind[i]);
        put_char(s, i + 1 < BEHIND ? s->separator : '\n');
    }
}

/* Joins texts by `between` into one field. */
static void put_joined(struct batch_scored *s, const char *between, size_t n,
                       const char *first, size_t stride)
{
    char text[BATCH_FACTORS * 128];
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
                                 i == 0 ? "" : between, first + i * stride);
    put_field(s, text, strlen(text));
}

/* Gives the bytes of row k of those taken. */
static struct format_scan taken(const struct batch_scored *s, size_t k)
{
    size_t from = k == 0 ? 0 : s->end[k - 1];

    return format_scan_of(s->input.at + from, s->end[k] - from);
}

static void put_csv(struct batch_scored *s, size_t k, const struct batch_row *row,
                    bool odd)
{
    const struct batch_reason *why = odd ? &row->why : &no_reason;
    struct format_scan input = taken(s, k);

    batch_text_whole(&s->text, row->row, 1);
    put_char(s, s->separator);
    if (s->timed)
        batch_text_time(&s->text, row->time_ns);
    put_char(s, s->separator);
    put(s, odd ? "True" : "False");
    put_char(s, s->separator);
    batch_text_score(&s->text, row->score);
    put_char(s, s->separator);
    put_field(s, why->reason, strlen(why->reason));
    put_char(s, s->separator);
    put_bytes(s, input.at, (size_t)(input.end - input.at));
    put_char(s, s->separator);
    put(s, record_severity_name(row->severity));
    put_char(s, s->separator);
    put_joined(s, ", ", why->n_factors, why->factor[0], sizeof why->factor[0]);
    put_char(s, s->separator);
    put_joined(s, "; ", why->n_top, why->explanation[0], sizeof why->explanation[0]);
    put_char(s, '\n');
}

/* ---- JSON ---- */

/* Writes a text as JSON has it. Bytes that are no UTF-8 become U+FFFD. */
static void put_text(struct batch_scored *s, const char *text, size_t size)
{
    put_char(s, '"');
    while (size > 0) {
        size_t n = os_utf8_length(text, size);
        char code[8];

        if (n == 0) {
            put(s, "\xef\xbf\xbd");
            n = 1;
        } else if ((unsigned char)*text < 0x20) {
            snprintf(code, sizeof code, "\\u%04x", (unsigned)(unsigned char)*text);
            put(s, code);
        } else {
            if (*text == '"' || *text == '\\')
                put_char(s, '\\');
            put_bytes(s, text, n);
        }
        text += n;
        size -= n;
    }
    put_char(s, '"');
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Tells whether a field is a number as JSON writes it, so that it can be copied. */
static bool is_json_number(struct format_csv_field f)
{
    size_t i = 0, from;

    i += i < f.size && f.at[i] == '-';
    from = i;
    while (i < f.size && is_digit(f.at[i]))
        i++;
    if (i == from || (f.at[from] == '0' && i > from + 1))
        return false;
    if (i < f.size && f.at[i] == '.') {
        from = ++i;
        while (i < f.size && is_digit(f.at[i]))
            i++;
        if (i == from)
            return false;
    }
    if (i < f.size && (f.at[i] == 'e' || f.at[i] == 'E')) {
        i++;
        i += i < f.size && (f.at[i] == '-' || f.at[i] == '+');
        from = i;
        while (i < f.size && is_digit(f.at[i]))
            i++;
        if (i == from)
            return false;
    }
    return i == f.size;
}

static void put_metrics(struct batch_scored *s, size_t k)
{
    const struct format_table *t = &s->rows->table[0];
    struct format_scan input = taken(s, k);
    size_t shift = t->nameless_first, n;

    n = format_csv_row(&input, s->separator, s->field, s->n_fields);
    put(s, "\"metrics\":{");
    for (size_t c = 0; c < t->n_columns; c++) {
        struct format_csv_field field = {"", 0};

        if (c + shift < n)
            field = s->field[c + shift];
        if (c > 0)
            put_char(s, ',');
        put_text(s, t->column[c].name, strlen(t->column[c].name));
        put_char(s, ':');
        if (format_is_missing(field))
            put(s, "null");
        else if (is_json_number(field))
            put_bytes(s, field.at, field.size);
        else
            put_text(s, field.at, field.size);
    }
    put_char(s, '}');
}

static void put_number(struct batch_scored *s, double value)
{
    char text[32];

    snprintf(text, sizeof text, "%.9g", value);
    put(s, isfinite(value) ? text : "null");
}

static void put_top(struct batch_scored *s, const struct batch_reason *why)
{
    put(s, "\"top_features\":[");
    for (size_t i = 0; i < why->n_top; i++) {
        const struct record_deviation *top = &why->top[i];

        put(s, i == 0 ? "{\"name\":" : ",{\"name\":");
        put_text(s, top->name, strlen(top->name));
        put(s, ",\"value\":");
        put_number(s, top->value);
        put(s, ",\"expected\":");
        put_number(s, top->expected);
        put(s, ",\"z\":");
        put_number(s, top->z);
        put_char(s, '}');
    }
    put(s, "],");
}

static void put_json(struct batch_scored *s, size_t k, const struct batch_row *row,
                     bool odd)
{
    const struct batch_reason *why = odd ? &row->why : &no_reason;

    put(s, "{\"index\":");
    batch_text_whole(&s->text, row->row, 1);
    put(s, ",\"timestamp\":");
    if (s->timed)
        batch_text_time(&s->text, row->time_ns);
    else
        put(s, "null");
    put(s, odd ? ",\"is_anomaly\":true" : ",\"is_anomaly\":false");
    put(s, ",\"anomaly_score\":");
    batch_text_score(&s->text, row->score);
    put(s, ",\"reason\":");
    put_text(s, why->reason, strlen(why->reason));
    put(s, ",\"severity\":");
    put_text(s, record_severity_name(row->severity),
             strlen(record_severity_name(row->severity)));
    put(s, ",\"severity_factors\":[");
    for (size_t i = 0; i < why->n_factors; i++) {
        if (i > 0)
            put_char(s, ',');
        put_text(s, why->factor[i], strlen(why->factor[i]));
    }
    put(s, "],");
    put_top(s, why);
    put_metrics(s, k);
    put_char(s, '}');
}

/* ---- rows as they stand in the input ---- */

/* Appends a field in quotes where the separator makes them needed; doubled quotes in it
 * are doubled still. */
static void append_field(struct batch_scored *s, struct format_csv_field field)
{
    bool quoted = memchr(field.at, s->separator, field.size) != NULL ||
                  memchr(field.at, '"', field.size) != NULL ||
                  memchr(field.at, '\n', field.size) != NULL;

    if (quoted)
        batch_text_add(&s->input, "\"", 1);
    batch_text_add(&s->input, field.at, field.size);
    if (quoted)
        batch_text_add(&s->input, "\"", 1);
}

static bool has_same_columns(const struct format_table *a, const struct format_table *b)
{
    bool same = a->separator == b->separator && a->n_columns == b->n_columns &&
                a->nameless_first == b->nameless_first;

    for (size_t c = 0; same && a != b && c < a->n_columns; c++)
        same = strcmp(a->column[c].name, b->column[c].name) == 0;
    return same;
}

/* Writes the fields of a row of another table in the order of the first one, and those of
 * a table that is parted by blanks with commas. */
static void append_fields(struct batch_scored *s, const struct format_table *t)
{
    const struct format_table *first = &s->rows->table[0];

    for (size_t c = 0; c < first->n_columns; c++) {
        size_t from = t == first ? c : 0;

        while (t != first && from < t->n_columns &&
               strcmp(t->column[from].name, first->column[c].name) != 0)
            from++;
        if (c > 0)
            batch_text_add(&s->input, &s->separator, 1);
        if (from < t->rows.n)
            append_field(s, t->rows.field[from]);
    }
}

/* Copies a row of n fields as it is, and adds the fields that it lacks. */
static void append_bytes(const struct batch_scored *s, struct batch_text *to,
                         struct format_scan bytes, size_t n)
{
    const struct format_table *t = &s->rows->table[0];

    while (bytes.end > bytes.at && (bytes.end[-1] == '\n' || bytes.end[-1] == '\r'))
        bytes.end--;
    batch_text_add(to, bytes.at, (size_t)(bytes.end - bytes.at));
    for (size_t c = n; c < t->n_columns + t->nameless_first; c++)
        batch_text_add(to, &s->separator, 1);
}

/* Counts the fields of a row of the first table; only one of a table that has short rows
 * has to be looked at. */
static size_t count_fields(const struct batch_scored *s, struct format_scan bytes)
{
    const struct format_table *t = &s->rows->table[0];
    size_t all = t->n_columns + t->nameless_first, n = 1;
    bool quoted = false;

    if (t->faults.too_short.n == 0)
        return all;
    for (; bytes.at < bytes.end; bytes.at++) {
        quoted = quoted != (*bytes.at == '"');
        n += !quoted && *bytes.at == s->separator;
    }
    return n;
}

/* Makes room for the end of one more row. */
static enum vd_status make_room(struct batch_scored *s, struct vd_error *err)
{
    if (s->n == s->room) {
        size_t room = s->room == 0 ? 1024 : 2 * s->room;
        size_t *end = realloc(s->end, room * sizeof *end);

        s->input.failed = s->input.failed || end == NULL;
        if (end == NULL)
            return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the rows");
        s->end = end;
        s->room = room;
    }
    return VD_OK;
}

/* Ends the row that was appended. */
static enum vd_status end_row(struct batch_scored *s, struct vd_error *err)
{
    s->end[s->n++] = s->input.used;
    return s->input.failed
               ? vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the rows")
               : VD_OK;
}

enum vd_status batch_scored_take(struct batch_scored *s, struct vd_error *err)
{
    const struct format_table *t = batch_rows_table(s->rows);

    if (s->out == NULL)
        return VD_OK;
    if (make_room(s, err) != VD_OK)
        return VD_ERR_MEMORY;
    if (t->separator == s->separator && has_same_columns(t, &s->rows->table[0]))
        append_bytes(s, &s->input, format_table_bytes(t), t->rows.n);
    else
        append_fields(s, t);
    return end_row(s, err);
}

enum vd_status batch_scored_take_bytes(struct batch_scored *s, struct format_scan bytes,
                                       struct vd_error *err)
{
    if (s->out == NULL)
        return VD_OK;
    if (make_room(s, err) != VD_OK)
        return VD_ERR_MEMORY;
    append_bytes(s, &s->input, bytes, count_fields(s, bytes));
    return end_row(s, err);
}

void batch_scored_clear(struct batch_scored *s)
{
    s->n = s->input.used = 0;
}

/* ---- quiet rows of large tables ---- */

/* Hands the text over to the file. */
static enum vd_status flush(struct batch_scored *s, struct vd_error *err)
{
    size_t n = s->text.used;

    s->text.used = 0;
    if (s->text.failed)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for a row");
    if (n == 0)
        return VD_OK;
    if (fwrite_unlocked(s->text.at, 1, n, s->out) == n)
        return VD_OK;
    return vd_error_set(err, VD_ERR_IO, NULL, "%s: %s",
                        s->out == stdout ? "standard output" : s->file.path,
                        strerror(errno));
}

bool batch_scored_is_quick(const struct batch_scored *s)
{
    return s->out != NULL && s->format == BATCH_CSV;
}

void batch_scored_quiet(const struct batch_scored *s, struct format_scan bytes,
                        int64_t time_ns, double score, struct batch_text *to)
{
    const char verdict[] = {s->separator, 'F', 'a', 'l', 's', 'e', s->separator};
    const char between[] = {s->separator, s->separator};
    const char quiet[] = {s->separator, 'n', 'o',          'r',          'm',
                          'a',          'l', s->separator, s->separator, '\n'};

    batch_text_add(to, &s->separator, 1);
    if (s->timed)
        batch_text_time(to, time_ns);
    batch_text_add(to, verdict, sizeof verdict);
    batch_text_score(to, score);
    batch_text_add(to, between, sizeof between);
    append_bytes(s, to, bytes, count_fields(s, bytes));
    batch_text_add(to, quiet, sizeof quiet);
}

enum vd_status batch_scored_numbered(struct batch_scored *s, uint64_t number,
                                     const char *text, size_t size, struct vd_error *err)
{
    batch_text_whole(&s->text, number, 1);
    batch_text_add(&s->text, text, size);
    return s->text.used < KEPT_BACK ? VD_OK : flush(s, err);
}

/* ---- the file ---- */

enum vd_status batch_scored_open(struct batch_scored *s, const struct batch_rows *rows,
                                 struct vd_error *err)
{
    const struct batch_analyse_options *o = rows->options;
    char separator = rows->table[0].separator;
    enum vd_status status = VD_OK;

    *s = (struct batch_scored){.format = o->format,
                               .separator = separator == FORMAT_BLANKS ? ',' : separator,
                               .timed = rows->timed,
                               .rows = rows,
                               .first = true};
    if (o->output == NULL)
        return VD_OK;
    s->n_fields = rows->table[0].n_columns + 1;
    s->field = calloc(s->n_fields, sizeof *s->field);
    if (s->field == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the columns");
    if (strcmp(o->output, "-") == 0)
        s->out = stdout;
    else if ((status = os_output_open(&s->file, o->output, err)) == VD_OK)
        s->out = s->file.file;
    if (status != VD_OK || s->format == BATCH_JSON_LINES)
        return status;
    if (s->format == BATCH_JSON)
        put(s, "[\n");
    else
        put_names(s, &rows->table[0]);
    return flush(s, err);
}

enum vd_status batch_scored_write(struct batch_scored *s, size_t k,
                                  const struct batch_row *row, bool odd,
                                  struct vd_error *err)
{
    if (s->out == NULL)
        return VD_OK;
    if (s->format == BATCH_CSV) {
        put_csv(s, k, row, odd);
        return s->text.used < KEPT_BACK ? VD_OK : flush(s, err);
    }
    if (s->format == BATCH_JSON && !s->first)
        put(s, ",\n");
    s->first = false;
    put_json(s, k, row, odd);
    if (s->format == BATCH_JSON_LINES)
        put_char(s, '\n');
    return s->text.used < KEPT_BACK ? VD_OK : flush(s, err);
}

enum vd_status batch_scored_close(struct batch_scored *s, struct vd_error *err)
{
    enum vd_status status = VD_OK;

    if (s->out != NULL && s->format == BATCH_JSON)
        put(s, "\n]\n");
    if (s->out != NULL)
        status = flush(s, err);
    if (status == VD_OK && s->out == stdout && fflush(stdout) != 0)
        status =
            vd_error_set(err, VD_ERR_IO, NULL, "standard output: %s", strerror(errno));
    if (status == VD_OK && s->file.file != NULL)
        status = os_output_close(&s->file, err);
    s->out = NULL;
    return status;
}

void batch_scored_drop(struct batch_scored *s)
{
    os_output_drop(&s->file);
    free(s->text.at);
    free(s->input.at);
    free(s->end);
    free(s->field);
    *s = (struct batch_scored){0};
}
