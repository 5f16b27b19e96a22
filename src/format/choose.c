/* Decimal signs first, since they say what is a number; then the time, the label, and
 * last what the other columns are. */
#include "format/choose.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { SEQUENCE_MIN = 20 }; /* so many rows that count 7, 8, 9 ... are numbered */

/* ---- decimal signs ---- */

/* Counts the values that are numbers when `decimal` is the decimal sign: those that read
 * only with the other sign do not count. */
static size_t numbers_of(const struct format_tally *tally, char decimal)
{
    return tally->numbers - (decimal == '.' ? tally->comma : tally->point);
}

/* Chooses the sign for columns that say nothing themselves, by a vote of all columns.
 * Where commas do not part fields, one in a number is decimal. */
static char common_sign(const struct format_table *t, const struct format_tally *tally)
{
    size_t point = 0, comma = 0, unclear = 0;

    for (size_t c = 0; c < t->n_columns; c++) {
        point += tally[c].point;
        comma += tally[c].comma;
        unclear += tally[c].unclear;
    }
    /* Where commas do not part fields, one in a number is decimal. */
    if (point == 0 && comma == 0 && unclear > 0 && t->separator != ',')
        return ',';
    return comma > point ? ',' : '.';
}

/* Chooses the decimal sign of a column. A column that needs both signs is refused, since
 * one of the two readings would be a thousand times too large; one that is mostly text is
 * no matter. */
static enum vd_status choose_sign(const struct format_table *t, size_t c,
                                  const struct format_tally *tally, char common,
                                  struct vd_error *err)
{
    struct format_column *column = &t->column[c];
    bool both = tally->point > 0 && tally->comma > 0;

    column->decimal = t->options.decimal != 0 ? t->options.decimal
                      : tally->point > 0      ? '.'
                      : tally->comma > 0      ? ','
                                              : common;
    if (!both || t->options.decimal != 0 || tally->texts >= tally->numbers)
        return VD_OK;
    return vd_error_set(err, VD_ERR_DATA, "say which one it is with --decimal",
                        "%s:%zu: column \"%s\" has a decimal comma, and in line %zu a "
                        "decimal point",
                        t->path, tally->comma_line, column->name, tally->point_line);
}

/* ---- time ---- */

/* Tells whether at least half of the values are dates or times. */
static bool is_dates(const struct format_tally *tally)
{
    return tally->stamps > 0 && 2 * tally->stamps >= tally->texts + tally->numbers;
}

/* Tells whether the user gave a pattern of strptime(3), and not a word. */
static bool has_pattern(const struct format_table *t)
{
    return t->options.time_format != NULL && strchr(t->options.time_format, '%') != NULL;
}

/* Ranks how well a column serves as the time; 0 means that it does not. A sure name with
 * values that fit wins over values alone, and values over a name that may be a metric's.
 * With a pattern the values are not judged, since only the pattern can read them. */
static int rank_time(const struct format_table *t, size_t c,
                     const struct format_tally *tally)
{
    struct format_name name = format_name_of(t->column[c].name);
    bool numbers = tally->numbers > tally->texts;
    bool epoch =
        numbers && (format_tally_is_epoch(tally) || format_tally_is_compact_date(tally));
    bool one_way = numbers && format_tally_is_one_way(tally);
    bool dates = is_dates(tally) && tally->dated > 0;

    if (name.role == FORMAT_TIME && name.sure && has_pattern(t))
        return 10;
    if (name.role == FORMAT_TIME && name.sure)
        return dates || epoch ? 9 : numbers ? 6 : is_dates(tally) ? 5 : 0;
    if (name.role == FORMAT_TIME)
        return dates || epoch ? 8 : one_way ? 4 : 0;
    if (name.role == FORMAT_LABEL)
        return dates ? 7 : 0;
    if (name.role == FORMAT_METRIC || name.role == FORMAT_ROW_NUMBER)
        return dates ? 7 : c == 0 && epoch && one_way && tally->is_whole ? 3 : 0;
    return 0;
}

/* Finds the column that the user named. A name wins over a number, so that a column
 * called "2" can be reached. */
static enum vd_status find_named(struct format_table *t, struct vd_error *err)
{
    const char *wanted = t->options.time_column;
    char *end;
    unsigned long number = strtoul(wanted, &end, 10);

    if (strcasecmp(wanted, "none") == 0)
        return VD_OK;
    for (size_t c = 0; c < t->n_columns; c++)
        if (strcmp(t->column[c].name, wanted) == 0) {
            t->time = c;
            return VD_OK;
        }
    if (*end == '\0' && number >= 1 && number <= t->n_columns) {
        t->time = number - 1;
        return VD_OK;
    }
    return vd_error_set(err, VD_ERR_ARGUMENT, "give its name, its number, or none",
                        "--time-column: %s has no column \"%.60s\"", t->path, wanted);
}

/* Tells whether the column has days without a time of day. As a number such a day has
 * eight digits, so it stays below 1e8. */
static bool is_date_only(const struct format_tally *tally)
{
    return (is_dates(tally) && tally->clocked == 0) ||
           (tally->texts == 0 && format_tally_is_compact_date(tally) &&
            tally->most < 1e8);
}

/* Tells whether the column has times of day without a date. */
static bool is_clock_only(const struct format_tally *tally)
{
    return is_dates(tally) && tally->dated == 0;
}

/* Finds the other half of the time: a date and a time of day in two columns belong
 * together, whichever was found first. */
static void find_clock(struct format_table *t, const struct format_tally *tally)
{
    bool date = is_date_only(&tally[t->time]), clock = is_clock_only(&tally[t->time]);

    for (size_t c = 0; c < t->n_columns && t->clock == SIZE_MAX; c++) {
        if (date && is_clock_only(&tally[c])) {
            t->clock = c;
        } else if (clock && is_date_only(&tally[c])) {
            t->clock = t->time;
            t->time = c;
        }
    }
}

/* Chooses how the time is read. Numbers get a unit: from the name where it says one that
 * can be true, else by their size. Texts without marks of a pattern are read by it,
 * whatever they look like. */
static enum vd_status choose_format(struct format_table *t,
                                    const struct format_tally *tally,
                                    struct vd_error *err)
{
    static const struct {
        const char *name;
        double per_s;
    } units[] = {{"s", 1}, {"ms", 1e3}, {"us", 1e6}, {"ns", 1e9}};
    const char *format = t->options.time_format;
    const struct format_tally *of = &tally[t->time];
    struct format_name name = format_name_of(t->column[t->time].name);

    if (of->numbers > of->texts && !format_tally_is_compact_date(of))
        t->per_s = name.per_s != 0 && !(name.per_s == 1 && of->most > 1e11)
                       ? name.per_s
                       : format_epoch_unit(fmax(fabs(of->most), fabs(of->least)));
    if (format == NULL || strcasecmp(format, "auto") == 0)
        return VD_OK;
    if (has_pattern(t)) {
        t->per_s = 0;
        return VD_OK;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcasecmp(format, units[i].name) == 0) {
            t->per_s = units[i].per_s;
            return VD_OK;
        }
    if (strcasecmp(format, "iso") == 0 || strcasecmp(format, "dmy") == 0 ||
        strcasecmp(format, "mdy") == 0)
        return VD_OK;
    return vd_error_set(err, VD_ERR_ARGUMENT,
                        "write auto, iso, dmy, mdy, s, ms, us, ns or a pattern like "
                        "\"%d.%m.%Y %H:%M\"",
                        "--time-format: \"%.40s\" is none", format);
}

/* Guesses whether the day comes first when neither days nor months go beyond 12. A
 * recording is rather short than long; points part days from months; AM and PM are
 * written where the month comes first. */
static bool guess_day_first(const struct format_tally *tally)
{
    int64_t month_first = tally->high_ns[0] - tally->low_ns[0];
    int64_t day_first = tally->high_ns[1] - tally->low_ns[1];

    if (tally->halves > 0)
        return false;
    if (tally->mark == '.')
        return true;
    if (day_first != month_first)
        return day_first < month_first;
    return tally->mark == '-';
}

/* Chooses between day first and month first. What the user says wins, then what the
 * numbers prove, then a guess, which is told. Dates that prove both are refused. */
static enum vd_status choose_date_order(struct format_table *t,
                                        const struct format_tally *tally,
                                        struct vd_error *err)
{
    const char *format = t->options.time_format;
    char order = format_tally_date_order(tally);

    if (format != NULL && strcasecmp(format, "dmy") == 0)
        order = 'd';
    if (format != NULL && strcasecmp(format, "mdy") == 0)
        order = 'm';
    if (tally->open == 0)
        return VD_OK;
    if (order == '!')
        return vd_error_set(err, VD_ERR_DATA, "say it with --time-format dmy or mdy",
                            "%s: column \"%s\" holds dates that have the day first and "
                            "others that have the month first",
                            t->path, t->column[t->time].name);
    t->order_guessed = order == '?';
    t->day_first = order == '?' ? guess_day_first(tally) : order == 'd';
    return VD_OK;
}

/* Reads the zone from the name that Windows' performance monitor writes, "(PDH-CSV 4.0)
 * (W. Europe Standard Time)(-60)": the minutes that UTC is ahead. */
static void choose_zone_of_name(struct format_table *t, const char *name)
{
    const char *last = strrchr(name, '(');

    if (strncmp(name, "(PDH-CSV", 8) != 0 || last == NULL || t->options.time_zone != NULL)
        return;
    t->zone = (struct format_zone){.first_east_s = -60 * atoi(last + 1)};
    t->zone_of_header = true;
    snprintf(t->zone.name, sizeof t->zone.name, "the zone of its header");
}

/* Chooses the column of the time and how it is read. The first of the best ones wins. */
static enum vd_status choose_time(struct format_table *t,
                                  const struct format_tally *tally, struct vd_error *err)
{
    enum vd_status status = VD_OK;
    int best = 0;

    for (size_t c = 0; t->options.time_column == NULL && c < t->n_columns; c++) {
        int rank = rank_time(t, c, &tally[c]);

        if (rank > best) {
            best = rank;
            t->time = c;
        }
    }
    if (t->options.time_column != NULL)
        status = find_named(t, err);
    if (status != VD_OK || t->time == SIZE_MAX)
        return status;
    find_clock(t, tally);
    /* It costs more than the rest, so a zone that the first rows asked for is kept. */
    if (t->zone.name[0] == '\0' || t->zone_of_header)
        status = format_zone_load(&t->zone, t->options.time_zone, err);
    t->zone_of_header = false;
    if (status == VD_OK)
        status = choose_format(t, tally, err);
    if (status == VD_OK)
        status = choose_date_order(t, &tally[t->time], err);
    t->of_day = t->clock == SIZE_MAX && t->per_s == 0 && is_clock_only(&tally[t->time]);
    t->zoned = tally[t->clock == SIZE_MAX ? t->time : t->clock].zoned > 0;
    choose_zone_of_name(t, t->column[t->time].name);
    return status;
}

/* ---- label ---- */

/* Tells whether the column may be the label: by the name that was asked for, else by a
 * usual name. */
static bool is_asked_label(const struct format_table *t, size_t c)
{
    const char *wanted = t->options.label, *name = t->column[c].name;

    return wanted != NULL ? strcasecmp(name, wanted) == 0
                          : format_name_of(name).role == FORMAT_LABEL;
}

/* Tells the three usual names, which mean a label whatever is in it, so that a wrong one
 * is told. Columns of other names may be something else. */
static bool is_usual(const char *name)
{
    return strcasecmp(name, "label") == 0 || strcasecmp(name, "anomaly") == 0 ||
           strcasecmp(name, "is_anomaly") == 0;
}

/* Chooses the label. A column called is_... is a flag, so its 1 is the anomaly unless it
 * has a -1. A file of this program's own log is known by a column that no other has. */
static enum vd_status choose_label(struct format_table *t,
                                   const struct format_tally *tally, struct vd_error *err)
{
    for (size_t c = 0; c < t->n_columns && t->label == SIZE_MAX; c++)
        if (c != t->time && is_asked_label(t, c) &&
            (t->options.label != NULL || is_usual(t->column[c].name) ||
             2 * tally[c].labels > tally[c].texts + tally[c].numbers))
            t->label = c;
    if (t->label == SIZE_MAX && t->options.label != NULL)
        return vd_error_set(err, VD_ERR_DATA, NULL, "%s: no column \"%.60s\"", t->path,
                            t->options.label);
    t->label_is_flag = t->label != SIZE_MAX &&
                       strncasecmp(t->column[t->label].name, "is_", 3) == 0 &&
                       !(tally[t->label].least < 0);
    for (size_t c = 0; t->label != SIZE_MAX && c < t->n_columns; c++)
        t->own_labels |= strcmp(t->column[c].name, "inference_latency_ms") == 0 &&
                         strcmp(t->column[t->label].name, "anomaly") == 0;
    return VD_OK;
}

/* ---- everything else ---- */

/* Leaves a column out and says why. `why` is static and told to the user. */
static void leave_out(struct format_column *column, enum format_role role,
                      const char *why)
{
    column->role = role;
    column->why = why;
}

/* Tells whether the column counts the rows. Under a usual name it must only rise; under
 * another one it must be the first, count by one, and do so for long enough to be no
 * chance. */
static bool is_row_number(const struct format_table *t, size_t c,
                          const struct format_tally *tally, struct format_name name)
{
    bool rising = tally->is_whole && tally->rises > 0 && tally->falls == 0 &&
                  tally->rises + 1 == tally->numbers;

    if (tally->numbers <= tally->texts)
        return false;
    if (name.role == FORMAT_ROW_NUMBER && (rising || tally->is_consecutive))
        return true;
    return c == 0 && tally->is_consecutive && t->n >= SEQUENCE_MIN;
}

/* Keeps how many values of the column are no numbers, and the first of them, for a
 * warning. */
static void keep_odd(struct format_column *column, const struct format_tally *tally)
{
    bool comma = column->decimal == '.' && tally->comma > 0;
    bool point = column->decimal == ',' && tally->point > 0;

    column->odd = tally->texts + (comma ? tally->comma : point ? tally->point : 0);
    column->odd_line = tally->texts > 0 ? tally->text_line
                       : comma          ? tally->comma_line
                                        : tally->point_line;
    snprintf(column->odd_text, sizeof column->odd_text, "%s", tally->text);
}

/* Leaves out a column of elapsed time. In this program's own file it is known by which
 * clock, and since when, so it helps to tell a clock that was set. */
static void take_elapsed(struct format_table *t, size_t c)
{
    leave_out(&t->column[c], FORMAT_ELAPSED, "time, too");
    if (t->own_labels && strcmp(t->column[c].name, "elapsed_s") == 0)
        t->elapsed = c;
}

/* Decides what a column is, from what it surely is to what it may be. The time and the
 * label are chosen already. A column that is mostly numbers is a metric. */
static void choose_role(struct format_table *t, size_t c,
                        const struct format_tally *tally, bool prmon)
{
    struct format_column *column = &t->column[c];
    struct format_name name = format_name_of(column->name);
    size_t numbers = numbers_of(tally, column->decimal);
    size_t texts = tally->texts + tally->numbers - numbers;
    bool plausible = name.sure || format_tally_is_epoch(tally) ||
                     format_tally_is_one_way(tally) || is_dates(tally);

    if (c == t->time || c == t->clock)
        leave_out(column, FORMAT_TIME, "time");
    else if (c == t->label)
        leave_out(column, FORMAT_LABEL, "label");
    else if (column->name[0] == '\0')
        leave_out(column, FORMAT_TEXT, "no name");
    else if (name.role == FORMAT_VERDICT || name.role == FORMAT_LABEL)
        leave_out(column, FORMAT_VERDICT, "a verdict");
    else if ((name.role == FORMAT_TIME || name.role == FORMAT_ELAPSED) && plausible)
        take_elapsed(t, c);
    else if (is_row_number(t, c, tally, name))
        leave_out(column, FORMAT_ROW_NUMBER, "row number");
    else if (numbers == 0 || numbers < texts)
        leave_out(column, FORMAT_TEXT, texts > 0 ? "text" : "empty");
    else
        column->role = prmon && format_is_prmon_counter(column->name) ? FORMAT_COUNTER
                                                                      : FORMAT_METRIC;
    if (column->why == NULL) {
        keep_odd(column, tally);
        t->n_metrics++;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Refuses two metrics of one name, since columns of two tables are told by their
 * names. */
static enum vd_status check_names(const struct format_table *t, struct vd_error *err)
{
    const char **sorted = calloc(t->n_metrics + 1, sizeof *sorted);
    enum vd_status status = VD_OK;
    size_t n = 0;

    if (sorted == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to read it",
                            t->path);
    for (size_t c = 0; c < t->n_columns; c++)
        if (t->column[c].why == NULL)
            sorted[n++] = t->column[c].name;
    qsort(sorted, n, sizeof *sorted, by_name);
    for (size_t k = 1; status == VD_OK && k < n; k++)
        if (strcmp(sorted[k - 1], sorted[k]) == 0)
            status =
                vd_error_set(err, VD_ERR_DATA, "give every column its own name",
                             "%s: two columns are called \"%s\"", t->path, sorted[k]);
    free(sorted);
    return status;
}

enum vd_status format_choose(struct format_table *t, const struct format_tally *tally,
                             struct vd_error *err)
{
    char common = common_sign(t, tally);
    bool prmon = t->n_columns > 1 && format_is_prmon(t->separator, t->column[1].name);
    enum vd_status status = VD_OK;

    t->time = t->clock = t->elapsed = t->label = SIZE_MAX;
    for (size_t c = 0; status == VD_OK && c < t->n_columns; c++)
        status = choose_sign(t, c, &tally[c], common, err);
    if (status == VD_OK)
        status = choose_time(t, tally, err);
    if (status == VD_OK)
        status = choose_label(t, tally, err);
    if (status != VD_OK)
        return status;
    for (size_t c = 0; c < t->n_columns; c++)
        choose_role(t, c, &tally[c], prmon);
    return t->options.labels_only ? VD_OK : check_names(t, err);
}
