/* Fields are views into the file's bytes; nothing is copied. See table.h. */
#include "format/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static size_t line_of(const char *from, const char *to, size_t line)
{
    for (; from < to; from++)
        line += *from == '\n';
    return line;
}

bool table_next(struct table *t)
{
    const char *before = t->row.at;

    while (t->rest.at < t->rest.end && (*t->rest.at == '\n' || *t->rest.at == '\r'))
        t->rest.at++;
    t->row.at = t->rest.at;
    t->line = line_of(before, t->row.at, t->line);
    t->n = format_csv_row(&t->rest, t->separator, t->field, TABLE_COLUMNS_MAX);
    t->row.end = t->rest.at;
    return t->n > 0;
}

bool table_is_word(struct format_csv_field field, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strlen(*words) == field.size &&
            strncasecmp(field.at, *words, field.size) == 0)
            return true;
    return false;
}

static bool is_label(struct format_csv_field field, const char *label)
{
    const char *const usual[] = {"label", "anomaly", "is_anomaly", NULL};
    const char *const given[] = {label, NULL};

    return table_is_word(field, label == NULL ? usual : given);
}

static enum vd_status read_head(struct table *t, const char *label, struct vd_error *err)
{
    size_t numbers = 0;

    if (!table_next(t))
        return vd_error_set(err, VD_ERR_DATA,
                            "the first line names the columns, rows follow",
                            "%s: it is empty", t->path);
    if (memchr(t->row.at, '\0', (size_t)(t->row.end - t->row.at)) != NULL)
        return vd_error_set(err, VD_ERR_DATA, "save it as CSV in UTF-8",
                            "%s: it is no text, or one in UTF-16", t->path);
    if (t->n > TABLE_COLUMNS_MAX)
        return vd_error_set(err, VD_ERR_LIMIT, "leave some out",
                            "%s: it has %zu columns: at most %d can be read", t->path,
                            t->n, TABLE_COLUMNS_MAX);
    t->n_head = t->n;
    memcpy(t->head, t->field, t->n * sizeof *t->head);
    for (size_t c = 0; c < t->n_head; c++) {
        numbers += !isnan(format_csv_number(t->head[c]));
        if (is_label(t->head[c], label))
            t->label = c;
    }
    if (numbers == t->n_head)
        return vd_error_set(err, VD_ERR_DATA, "put a line of names before the rows",
                            "%s: the first line has to name the columns: it holds "
                            "numbers alone",
                            t->path);
    if (label != NULL && t->label == SIZE_MAX)
        return vd_error_set(err, VD_ERR_DATA, NULL, "%s: no column \"%s\"", t->path,
                            label);
    return VD_OK;
}

enum vd_status table_begin(struct table *t, struct collect_text text, const char *path,
                           const char *label, struct vd_error *err)
{
    /* Some programs begin a text with the mark of UTF-8. */
    collect_text_skip(&text, "\xef\xbb\xbf");
    *t = (struct table){
        .path = path,
        .separator = format_csv_separator(text.at, (size_t)(text.end - text.at)),
        .rest = text,
        .row = text,
        .line = 1,
        .field = calloc(TABLE_COLUMNS_MAX, sizeof *t->field),
        .head = calloc(TABLE_COLUMNS_MAX, sizeof *t->head),
        .label = SIZE_MAX,
    };
    return t->field == NULL || t->head == NULL ? VD_ERR_MEMORY : read_head(t, label, err);
}

enum vd_status table_check(const struct table *t, struct vd_error *err)
{
    size_t stored = t->n < TABLE_COLUMNS_MAX ? t->n : TABLE_COLUMNS_MAX;
    struct format_csv_field last = t->field[stored - 1];
    bool long_row = t->n > TABLE_COLUMNS_MAX;

    if (t->rest.at == t->rest.end && last.size > 0 && last.at[0] == '"')
        return vd_error_set(err, VD_ERR_DATA, NULL, "%s:%zu: a quote is not closed",
                            t->path, t->line);
    for (size_t c = t->n_head; c < stored; c++)
        long_row = long_row || t->field[c].size > 0;
    if (long_row)
        return vd_error_set(err, VD_ERR_DATA, NULL,
                            "%s:%zu: the row has %zu fields, the first line %zu", t->path,
                            t->line, t->n, t->n_head);
    return VD_OK;
}

size_t table_lines(const struct table *t)
{
    return line_of(t->rest.at, t->rest.end, 1);
}

void table_end(struct table *t)
{
    free(t->field);
    free(t->head);
}
