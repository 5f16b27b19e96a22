/* Counts, and decides nothing that needs more than one column. */
#include "format/study.h"

#include <math.h>
#include <stdio.h>

#include "format/grid.h"

/* ---- counting ---- */

/* Tells it without a call of the C library where it can. */
static bool is_whole(double value)
{
    return fabs(value) < 0x1p62 ? (double)(int64_t)value == value : value == floor(value);
}

/* Counts one number: its bounds, and whether the column rises, falls, is whole, or counts
 * by one. */
static void count_value(struct format_tally *tally, double value)
{
    if (tally->numbers++ == 0) {
        tally->first = tally->least = tally->most = value;
        tally->is_whole = tally->is_consecutive = true;
    } else {
        tally->rises += value > tally->last;
        tally->falls += value < tally->last;
        tally->is_consecutive = tally->is_consecutive && value == tally->last + 1;
    }
    tally->is_whole = tally->is_whole && is_whole(value);
    tally->least = value < tally->least ? value : tally->least;
    tally->most = value > tally->most ? value : tally->most;
    tally->last = value;
}

/* Tells whether the point at `at` may part thousands, for all that can be seen:
 * "1.234". */
static bool may_part_thousands(struct format_csv_field field, size_t at)
{
    size_t behind = field.size - at - 1;

    return at <= 4 && behind >= 3 &&
           (behind == 3 || (unsigned char)(field.at[at + 4] - '0') > 9);
}

/* Counts a number that reads one way only, as almost every field does, and takes it apart
 * once. False for all others. */
static bool count_plain(struct format_tally *tally, struct format_csv_field field,
                        size_t line)
{
    struct format_scan t = format_scan_of(field.at, field.size);
    size_t point = 0;
    double value;

    if (!format_scan_number(&t, &value) || t.at != t.end)
        return false;
    while (point < field.size && field.at[point] != '.')
        point++;
    if (point < field.size && may_part_thousands(field, point))
        return false;
    if (point < field.size && tally->point++ == 0)
        tally->point_line = line;
    tally->labels += value == 0 || value == 1 || value == -1;
    count_value(tally, value);
    return true;
}

/* A point that three digits follow, and up to three that do not begin with 0 go before,
 * may part thousands: such a number reads with either sign. */
void format_tally_plain(struct format_tally *tally, const struct format_plain *plain,
                        size_t line)
{
    bool either = plain->fraction == 3 && plain->whole >= 1 && plain->whole <= 3 &&
                  plain->first != '0';

    if (plain->point && !either && tally->point++ == 0)
        tally->point_line = line;
    tally->labels += plain->value == 0 || plain->value == 1 || plain->value == -1;
    count_value(tally, plain->value);
}

/* Counts the steps between n numbers on end, of which `last` comes before the first. */
static void count_steps(struct format_tally *tally, const double *value, size_t n,
                        double last)
{
    int64_t rises = value[0] > last, falls = value[0] < last, labels = 0;
    double low[4], high[4];
    size_t i = 0;

    for (size_t k = 1; k < n; k++) {
        rises += value[k] > value[k - 1];
        falls += value[k] < value[k - 1];
    }
    for (size_t k = 0; k < n; k++)
        labels += (fabs(value[k]) == 1) | (value[k] == 0);
    for (size_t k = 0; k < 4; k++)
        low[k] = high[k] = value[0];
    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; k++) {
            low[k] = value[i + k] < low[k] ? value[i + k] : low[k];
            high[k] = value[i + k] > high[k] ? value[i + k] : high[k];
        }
    for (; i < n; i++) {
        low[0] = value[i] < low[0] ? value[i] : low[0];
        high[0] = value[i] > high[0] ? value[i] : high[0];
    }
    for (size_t k = 0; k < 4; k++) {
        tally->least = low[k] < tally->least ? low[k] : tally->least;
        tally->most = high[k] > tally->most ? high[k] : tally->most;
    }
    tally->rises += (size_t)rises;
    tally->falls += (size_t)falls;
    tally->labels += (size_t)labels;
}

void format_tally_numbers(struct format_tally *tally, const double *value,
                          const uint8_t *shape, size_t n, size_t line)
{
    double last = tally->last;

    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        if (shape[i] == FORMAT_SHAPE_POINT && tally->point == 0)
            tally->point_line = line + i;
        tally->point += shape[i] == FORMAT_SHAPE_POINT;
    }
    if (tally->numbers == 0) {
        tally->first = tally->least = tally->most = last = value[0];
        tally->is_whole = true;
        tally->is_consecutive = true;
    } else {
        tally->is_consecutive = tally->is_consecutive && value[0] == last + 1;
    }
    for (size_t i = 0; tally->is_whole && i < n; i++)
        tally->is_whole = is_whole(value[i]);
    for (size_t i = 1; tally->is_consecutive && i < n; i++)
        tally->is_consecutive = value[i] == value[i - 1] + 1;
    count_steps(tally, value, n, last);
    tally->numbers += n;
    tally->last = value[n - 1];
}

/* Counts a number that reads with one decimal sign or with both; false when it reads with
 * neither. */
static bool count_number(struct format_tally *tally, struct format_csv_field field,
                         size_t line)
{
    bool marked = memchr(field.at, ',', field.size) != NULL ||
                  memchr(field.at, '.', field.size) != NULL;
    double value = format_number(field, '.');
    double other = marked ? format_number(field, ',') : value;

    if (isnan(value) && isnan(other))
        return false;
    if (isnan(other) && tally->point++ == 0)
        tally->point_line = line;
    if (isnan(value) && tally->comma++ == 0)
        tally->comma_line = line;
    tally->unclear += marked && !isnan(value) && !isnan(other) &&
                      memchr(field.at, ',', field.size) != NULL;
    count_value(tally, isnan(value) ? other : value);
    return true;
}

static void widen_days(struct format_tally *tally, int day_first, int64_t ns)
{
    if (tally->low_ns[day_first] == 0 || ns < tally->low_ns[day_first])
        tally->low_ns[day_first] = ns;
    if (tally->high_ns[day_first] == 0 || ns > tally->high_ns[day_first])
        tally->high_ns[day_first] = ns;
}

/* Keeps the first and the last day for both readings of a date, as the shorter span is
 * the likelier one. A date that reads one way counts for both. */
static void count_days(struct format_tally *tally, const struct format_stamp *stamp)
{
    bool fits = false;
    int64_t ns = 0;

    for (int day_first = 0; day_first < 2; day_first++) {
        if (day_first == 0 || stamp->is_open)
            fits = format_stamp_ns(stamp, day_first, &ns);
        if (fits)
            widen_days(tally, day_first, ns);
    }
}

/* Counts a date or a time and what it has. The largest first and second numbers tell
 * later which of them is the month. */
static void count_stamp(struct format_tally *tally, const struct format_stamp *stamp)
{
    tally->stamps++;
    tally->dated += stamp->has_date;
    tally->clocked += stamp->has_clock;
    tally->zoned += stamp->has_zone;
    tally->halves += stamp->has_half;
    if (stamp->is_open) {
        tally->open++;
        tally->mark = stamp->mark;
        if (stamp->first > tally->most_first)
            tally->most_first = stamp->first;
        if (stamp->second > tally->most_second)
            tally->most_second = stamp->second;
    }
    if (stamp->has_date)
        count_days(tally, stamp);
}

static void count_text(struct format_tally *tally, struct format_csv_field field,
                       size_t line)
{
    if (tally->texts++ > 0)
        return;
    tally->text_line = line;
    snprintf(tally->text, sizeof tally->text, "%.*s", (int)field.size, field.at);
}

/* Counts one field, the cheapest and most common kind first. */
void format_tally_add(struct format_tally *tally, struct format_csv_field field,
                      size_t line)
{
    struct format_stamp stamp;
    int label;

    if (format_stamp_is_iso(field, &stamp)) {
        count_text(tally, field, line);
        count_stamp(tally, &stamp);
        return;
    }
    if (count_plain(tally, field, line))
        return;
    if (format_is_missing(field)) {
        tally->missing++;
        return;
    }
    tally->labels += format_label(field, &label);
    if (count_number(tally, field, line))
        return;
    count_text(tally, field, line);
    if (format_stamp_read(field, &stamp))
        count_stamp(tally, &stamp);
}

void format_tally_time(struct format_tally *tally, struct format_csv_field field,
                       int64_t ns, size_t line)
{
    count_text(tally, field, line);
    tally->stamps++;
    tally->dated++;
    tally->clocked++;
    for (int day_first = 0; day_first < 2; day_first++)
        widen_days(tally, day_first, ns);
}

/* ---- adding up ---- */

/* Adds a count and the line of its first. */
static void add_first(size_t *n, size_t *line, size_t later, size_t later_line)
{
    if (*n == 0)
        *line = later_line;
    *n += later;
}

/* Adds what was counted of numbers: the step from the last one before to the first one
 * behind belongs to neither. */
static void merge_numbers(struct format_tally *tally, const struct format_tally *later)
{
    if (later->numbers == 0)
        return;
    if (tally->numbers == 0) {
        tally->first = later->first;
        tally->least = later->least;
        tally->most = later->most;
        tally->is_whole = later->is_whole;
        tally->is_consecutive = later->is_consecutive;
    } else {
        tally->rises += later->first > tally->last;
        tally->falls += later->first < tally->last;
        tally->is_consecutive = tally->is_consecutive && later->is_consecutive &&
                                later->first == tally->last + 1;
        tally->is_whole = tally->is_whole && later->is_whole;
        tally->least = fmin(tally->least, later->least);
        tally->most = fmax(tally->most, later->most);
    }
    tally->rises += later->rises;
    tally->falls += later->falls;
    tally->last = later->last;
    tally->numbers += later->numbers;
}

static void merge_stamps(struct format_tally *tally, const struct format_tally *later)
{
    tally->stamps += later->stamps;
    tally->dated += later->dated;
    tally->clocked += later->clocked;
    tally->zoned += later->zoned;
    tally->halves += later->halves;
    tally->open += later->open;
    if (later->open > 0)
        tally->mark = later->mark;
    if (later->most_first > tally->most_first)
        tally->most_first = later->most_first;
    if (later->most_second > tally->most_second)
        tally->most_second = later->most_second;
    for (int i = 0; i < 2; i++) {
        if (later->low_ns[i] != 0 &&
            (tally->low_ns[i] == 0 || later->low_ns[i] < tally->low_ns[i]))
            tally->low_ns[i] = later->low_ns[i];
        if (later->high_ns[i] != 0 &&
            (tally->high_ns[i] == 0 || later->high_ns[i] > tally->high_ns[i]))
            tally->high_ns[i] = later->high_ns[i];
    }
}

void format_tally_merge(struct format_tally *tally, const struct format_tally *later)
{
    if (tally->texts == 0)
        memcpy(tally->text, later->text, sizeof tally->text);
    add_first(&tally->texts, &tally->text_line, later->texts, later->text_line);
    add_first(&tally->point, &tally->point_line, later->point, later->point_line);
    add_first(&tally->comma, &tally->comma_line, later->comma, later->comma_line);
    tally->missing += later->missing;
    tally->unclear += later->unclear;
    tally->labels += later->labels;
    merge_numbers(tally, later);
    merge_stamps(tally, later);
}

/* ---- deciding ---- */

/* Reads a label: 0, 1, -1, or a word for normal or anomalous. *label is 0, 1 or -1. */
bool format_label(struct format_csv_field field, int *label)
{
    static const char *const good[] = {"normal", "ok",      "inlier", "benign",
                                       "no",     "normal.", NULL};
    static const char *const bad[] = {"anomaly", "anomalous", "abnormal", "outlier",
                                      "attack",  "yes",       NULL};
    double value;

    if (field.size > 12)
        return false;
    value = format_number(field, '.');
    *label = value == 0 ? 0 : value == 1 ? 1 : -1;
    if (value == 0 || value == 1 || value == -1)
        return true;
    *label = format_csv_is_word(field, bad);
    return *label == 1 || format_csv_is_word(field, good);
}

/* Tells whether the numbers are Unix time in some unit, by lying between 1995 and
 * 2065. */
bool format_tally_is_epoch(const struct format_tally *tally)
{
    double per_s = format_epoch_unit(tally->most);

    /* 1995 to 2065 */
    return tally->numbers > 0 && tally->least >= 8e8 * per_s &&
           tally->most <= 3e9 * per_s;
}

bool format_tally_is_one_way(const struct format_tally *tally)
{
    return (tally->rises > 0) != (tally->falls > 0);
}

/* Tells whether the numbers are dates such as 20260310 or 20260310080000. */
bool format_tally_is_compact_date(const struct format_tally *tally)
{
    return tally->numbers > 0 && tally->is_whole &&
           ((tally->least >= 19700101 && tally->most <= 22001231) ||
            (tally->least >= 19700101000000 && tally->most <= 22001231235959));
}

/* Says what the numbers prove: 'd' that the day comes first, 'm' that the month does, '?'
 * neither, '!' both. */
char format_tally_date_order(const struct format_tally *tally)
{
    bool month_fits = tally->most_first <= 12, day_fits = tally->most_second <= 12;

    if (month_fits != day_fits)
        return month_fits ? 'm' : 'd';
    return month_fits ? '?' : '!';
}
