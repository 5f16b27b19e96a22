/* What was understood of a table, in a few lines: rows and span, columns, and a warning
 * for everything that was not as it should be. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format/table.h"
#include "os/clock.h"
#include "os/log.h"

/* Sets how many columns with values that are no numbers are told one by one. */
enum { COLUMNS_TOLD = 5 }; /* with values that are no numbers */

/* A text that is made piece by piece and cut where it is full. */
struct line {
    char text[400];
    size_t used, names, left;
};

static void add(struct line *line, const char *text)
{
    int n = snprintf(line->text + line->used, sizeof line->text - line->used, "%s", text);
    size_t room = sizeof line->text - line->used - 1;

    line->used += (size_t)n < room ? (size_t)n : room;
}

/* Adds a name while there is room for it and for " and 16384 more" behind it; after the
 * first name that is left out, all are. */
static void add_name(struct line *line, const char *name, const char *why)
{
    char one[FORMAT_NAME_MAX + 32];
    int n = snprintf(one, sizeof one, why == NULL ? "%s\"%s\"" : "%s\"%s\" (%s)",
                     line->names > 0 ? ", " : "", name, why);

    line->names++;
    if (line->left == 0 && sizeof line->text - line->used > (size_t)n + 24)
        add(line, one);
    else
        line->left++;
}

/* Says how many names were left out. */
static void end_names(struct line *line)
{
    char more[40];

    if (line->left == 0)
        return;
    snprintf(more, sizeof more, " and %zu more", line->left);
    add(line, more);
}

/* ---- rows ---- */

static void add_time(struct line *line, int64_t ns)
{
    char text[OS_CLOCK_TEXT];

    add(line, os_clock_text(ns, text));
}

/* Says the unit of the times, or that they are times of day. */
static const char *order_text(const struct format_table *t)
{
    if (t->per_s > 0)
        return t->per_s == 1     ? "in seconds"
               : t->per_s == 1e3 ? "in milliseconds"
               : t->per_s == 1e6 ? "in microseconds"
                                 : "in nanoseconds";
    return t->of_day ? "time of day" : "";
}

/* Says how times became UTC. Unix time is UTC by itself. */
static const char *zone_text(const struct format_table *t)
{
    if (t->per_s > 0)
        return "UTC";
    if (t->zoned)
        return "with its zone";
    return t->order.other_zone ? "UTC" : t->zone.name;
}

/* Adds the first and the last time, the pace, and which columns they came from, so that a
 * wrong guess is seen at once. */
static void add_span(struct line *line, const struct format_table *t)
{
    char text[64];

    add(line, ", ");
    add_time(line, t->first_ns);
    add(line, " to ");
    add_time(line, t->last_ns);
    if (!isnan(t->order.pace_s)) {
        snprintf(text, sizeof text, ", a row every %.4g s", t->order.pace_s);
        add(line, text);
    }
    add(line, "; time: ");
    add_name(line, t->column[t->time].name, NULL);
    if (t->clock != SIZE_MAX)
        add_name(line, t->column[t->clock].name, NULL);
    add(line, " (");
    add(line, order_text(t));
    add(line, order_text(t)[0] == '\0' ? "" : ", ");
    add(line, zone_text(t));
    add(line, ")");
}

/* Says the rows and what was found out about their form; what is usual (commas, points)
 * is not said. */
static void say_rows(const struct format_table *t)
{
    struct line line = {.used = 0};
    char text[64], decimal = 0;

    snprintf(text, sizeof text, "%zu rows", t->n);
    add(&line, text);
    if (t->separator != ',') {
        snprintf(text, sizeof text, " parted by %s%.*s%s",
                 t->separator == FORMAT_BLANKS ? "blanks"
                 : t->separator == '\t'        ? "tabs"
                                               : "\"",
                 t->separator == FORMAT_BLANKS || t->separator == '\t' ? 0 : 1,
                 &t->separator,
                 t->separator == FORMAT_BLANKS || t->separator == '\t' ? "" : "\"");
        add(&line, text);
    }
    for (size_t c = 0; c < t->n_columns; c++)
        if (t->column[c].why == NULL && t->column[c].decimal == ',')
            decimal = ',';
    if (decimal != 0)
        add(&line, " with decimal commas");
    if (!format_table_has_time(t))
        add(&line, ", without a time");
    else if (!t->options.labels_only)
        add_span(&line, t);
    os_log_info("%s: %s", t->path, line.text);
}

/* ---- columns ---- */

/* Says which columns are taken and which are left out, with the reason. */
static void say_columns(const struct format_table *t)
{
    struct line taken = {.used = 0}, out = {.used = 0};

    for (size_t c = 0; c < t->n_columns; c++) {
        const struct format_column *column = &t->column[c];

        if (column->role == FORMAT_TIME)
            continue;
        if (column->why == NULL)
            add_name(&taken, column->name,
                     column->role == FORMAT_COUNTER ? "counter" : NULL);
        else
            add_name(&out, column->name, column->why);
    }
    end_names(&taken);
    end_names(&out);
    os_log_info("%s: %zu column%s: %s%s%s", t->path, t->n_metrics,
                t->n_metrics == 1 ? "" : "s", taken.text,
                out.names > 0 ? "; left out: " : "", out.text);
}

/* ---- warnings ---- */

/* Warns of values that are no numbers, with the line of the first, and of lines that were
 * passed over. */
static void warn_values(const struct format_table *t)
{
    char among[48] = "";
    size_t n = 0;

    if (t->studied < t->n)
        snprintf(among, sizeof among, " in the first %zu rows", t->studied);

    for (size_t c = 0; c < t->n_columns; c++) {
        const struct format_column *column = &t->column[c];

        if (column->why == NULL && column->odd > 0 && n++ < COLUMNS_TOLD)
            os_log_warning("%s:%zu: column \"%s\": %zu value%s no number%s, the first "
                           "\"%s\"",
                           t->path, column->odd_line, column->name, column->odd,
                           column->odd == 1 ? " is" : "s are", among, column->odd_text);
    }
    if (n > COLUMNS_TOLD)
        os_log_warning("%s: values that are no numbers are in %zu more columns", t->path,
                       n - COLUMNS_TOLD);
    if (t->faults.skipped > 0)
        os_log_warning("%s: %zu lines that begin with # or repeat the names are passed "
                       "over",
                       t->path, t->faults.skipped);
}

/* Warns of one kind of rows, with the first lines. */
static void warn_rows(const struct format_table *t, const struct format_fault *fault,
                      const char *what)
{
    char lines[80] = "";
    size_t used = 0, told = fault->n < FORMAT_FAULT_LINES ? fault->n : FORMAT_FAULT_LINES;

    for (size_t i = 0; i < told; i++)
        used += (size_t)snprintf(lines + used, sizeof lines - used, "%s%zu",
                                 i == 0 ? "" : ", ", fault->line[i]);
    if (told > 0)
        os_log_warning("%s:%zu: %zu row%s %s: line%s %s%s", t->path, fault->line[0],
                       fault->n, fault->n == 1 ? " has" : "s have", what,
                       told == 1 ? "" : "s", lines, fault->n > told ? " ..." : "");
}

/* Warns of rows of another length than the line of names. */
static void warn_lengths(const struct format_table *t)
{
    warn_rows(t, &t->faults.too_long, "more fields than the first line and are left out");
    warn_rows(t, &t->faults.too_short,
              "fewer fields than the first line: the rest counts as empty");
}

/* Warns of times that could not be read or had to be guessed, with the option that says
 * otherwise. */
static void warn_times(const struct format_table *t)
{
    const struct format_order *order = &t->order;

    if (t->untimed.n > 0)
        os_log_warning("%s:%zu: %zu rows without a time are left out, the first has "
                       "\"%s\"",
                       t->path, t->untimed.line, t->untimed.n, t->untimed.text);
    if (t->order_guessed)
        os_log_warning("%s: days and months of \"%s\" could be either way round: read as "
                       "%s (--time-format %s for the other)",
                       t->path, t->column[t->time].name,
                       t->day_first ? "day, month" : "month, day",
                       t->day_first ? "mdy" : "dmy");
    if (order->other_zone)
        os_log_warning("%s: its times do not fit the changes of this machine's zone: "
                       "read as UTC (--time-zone says another)",
                       t->path);
    if (order->hours_back > 0)
        os_log_warning("%s:%zu: the clock goes back by an hour: read as the end of "
                       "summer time, all later times are an hour later",
                       t->path, order->hour_line);
}

/* Warns of rows that were not in order, and of what was made of them. */
static void warn_order(const struct format_table *t)
{
    const struct format_order *order = &t->order;

    if (order->reversed)
        os_log_warning("%s: the newest row comes first: turned round", t->path);
    if (order->set_back > 0)
        os_log_warning(
            "%s:%zu: the clock goes back by %.4g s%s: rows keep their order, and "
            "those before are read as so much earlier",
            t->path, order->set_line, order->set_s,
            order->set_back == 1 ? "" : " here, and again later");
    if (order->back > 0)
        os_log_warning("%s:%zu: time goes back here%s: the rows are sorted by time",
                       t->path, order->back_line, order->back == 1 ? "" : " and later");
    if (t->unsorted)
        os_log_warning("%s: time goes back or stands still in places: with more than %zu "
                       "rows they stay in the order of the file",
                       t->path, t->options.sort_max);
    if (t->n > 1 && isnan(order->pace_s) && format_table_has_time(t))
        os_log_warning("%s: all rows have the same time", t->path);
}

void format_table_say(const struct format_table *t)
{
    say_rows(t);
    say_columns(t);
    warn_values(t);
    warn_lengths(t);
    if (!format_table_has_time(t) || t->options.labels_only)
        return;
    warn_times(t);
    warn_order(t);
}
