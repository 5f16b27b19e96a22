/* A column names series when its value changes wherever time stands still or steps back.
 * A state or a note changes whenever it likes: only usual names are looked at. */
#include "format/series.h"

#include <stdio.h>
#include <strings.h>

/* Chooses the columns to watch by their names. */
void format_series_begin(struct format_series *series, const struct format_table *t)
{
    static const char *const names[] = {
        "_field",    "_measurement", "series",  "metric",    "metric_name", "metricname",
        "field",     "key",          "item",    "itemid",    "item_id",     "host",
        "hostname",  "instance",     "device",  "dev",       "cpu",         "iface",
        "interface", "disk",         "sensor",  "sensor_id", "host_id",     "node",
        "pid",       "command",      "label",   "name",      "tags",        "server",
        "__name__",  "job",          "machine", "core",      "mountpoint",  NULL};

    for (size_t c = 0; c < t->n_columns && series->n < FORMAT_SERIES_COLUMNS; c++)
        for (size_t i = 0; names[i] != NULL; i++)
            if (c != t->time && c != t->label &&
                strcasecmp(t->column[c].name, names[i]) == 0) {
                series->of[series->n++].column = c;
                break;
            }
}

/* Looks at one row. A row at which time does not go on is a stop; a column whose value
 * changes at most stops names the series. */
void format_series_see(struct format_series *series, const struct format_rows *rows,
                       int64_t time_ns)
{
    bool stop = series->rows++ > 0 && time_ns <= series->before_ns;

    series->stops += stop;
    series->before_ns = time_ns;
    for (size_t i = 0; i < series->n; i++) {
        struct format_csv_field field = {"", 0};
        char now[sizeof series->of->before];

        if (series->of[i].column < rows->n)
            field = rows->field[series->of[i].column];
        snprintf(now, sizeof now, "%.*s", (int)field.size, field.at);
        if (stop && strcmp(now, series->of[i].before) != 0 &&
            series->of[i].changes++ == 0)
            series->of[i].line = rows->line;
        memcpy(series->of[i].before, now, sizeof now);
    }
}

/* Refuses a table in long form: its numbers would be those of several metrics in turn. */
enum vd_status format_series_check(const struct format_series *series,
                                   const struct format_table *t, struct vd_error *err)
{
    for (size_t i = 0; i < series->n; i++)
        if (series->stops > 0 && 2 * series->of[i].changes > series->stops)
            return vd_error_set(
                err, VD_ERR_DATA,
                "write a column for each series, or the rows of one alone",
                "%s:%zu: a row for each series and time: column \"%s\" says which, and "
                "their numbers share a column",
                t->path, series->of[i].line, t->column[series->of[i].column].name);
    return VD_OK;
}
