#include "format/csv.h"

#include <math.h>
#include <strings.h>

/* Past a quoted piece, over the quote that ends it; `at` stands after the first one. */
static const char *skip_quoted(const char *at, const char *end)
{
    while (at < end) {
        if (*at++ != '"')
            continue;
        if (at == end || *at != '"')
            break;
        at++;
    }
    return at;
}

char format_csv_separator(const char *text, size_t size)
{
    static const char candidates[] = {',', ';', '\t'};
    const char *end = text + size;
    size_t count[3] = {0}, best = 0;
    bool begins = true; /* a field does: only there a quote is one */

    while (text < end && *text != '\n') {
        char byte = *text++;

        if (byte == '"' && begins)
            text = skip_quoted(text, end);
        begins = begins && byte == ' ';
        for (size_t i = 0; i < 3; i++)
            if (byte == candidates[i]) {
                count[i]++;
                begins = true;
            }
    }
    for (size_t i = 1; i < 3; i++)
        if (count[i] > count[best])
            best = i;
    return candidates[best];
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static struct format_csv_field trim(const char *from, const char *to)
{
    while (from < to && is_blank(*from))
        from++;
    while (to > from && is_blank(to[-1]))
        to--;
    if (to - from >= 2 && *from == '"' && to[-1] == '"') {
        from++;
        to--;
    }
    return (struct format_csv_field){from, (size_t)(to - from)};
}

/* One field; leaves the cursor on the separator or the newline after it. A quote inside
 * a field is a character: 19" does not take the rest of the text along. */
static struct format_csv_field take_field(struct collect_text *t, char separator)
{
    const char *start = t->at;

    while (collect_text_skip(t, " "))
        ;
    if (collect_text_skip(t, "\""))
        t->at = skip_quoted(t->at, t->end);
    while (t->at < t->end && *t->at != separator && *t->at != '\n')
        t->at++;
    return trim(start, t->at);
}

static void skip_empty_lines(struct collect_text *t)
{
    while (t->at < t->end && (*t->at == '\n' || *t->at == '\r'))
        t->at++;
}

size_t format_csv_row(struct collect_text *t, char separator,
                      struct format_csv_field *field, size_t max)
{
    size_t n = 0;

    skip_empty_lines(t);
    if (t->at == t->end)
        return 0;
    for (;;) {
        struct format_csv_field one = take_field(t, separator);

        if (n < max)
            field[n] = one;
        n++;
        if (t->at == t->end)
            return n;
        if (*t->at++ == '\n')
            return n;
    }
}

static bool is_word(struct format_csv_field field, const char *word)
{
    return field.size == strlen(word) && strncasecmp(field.at, word, field.size) == 0;
}

double format_csv_number(struct format_csv_field field)
{
    struct collect_text t = collect_text_of(field.at, field.size);
    double value;

    if (collect_text_number(&t, &value))
        return t.at == t.end ? value : NAN;
    if (is_word(field, "true"))
        return 1;
    return is_word(field, "false") ? 0 : NAN;
}

/* ---- time ---- */

/* Days from 1970-01-01 in the Gregorian calendar: years are counted from March, so the
 * leap day comes last; 146097 days in 400 years. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Exactly `digits` digits with a value in min .. max. */
static bool take_digits(struct collect_text *t, int digits, int64_t min, int64_t max,
                        int64_t *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++, t->at++) {
        if (t->at == t->end || *t->at < '0' || *t->at > '9')
            return false;
        *value = *value * 10 + (*t->at - '0');
    }
    return *value >= min && *value <= max;
}

/* ".026039" -> 26039000 ns */
static int64_t take_fraction(struct collect_text *t)
{
    int64_t ns = 0, unit = 100000000;

    if (!collect_text_skip(t, ".") && !collect_text_skip(t, ","))
        return 0;
    for (; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++, unit /= 10)
        ns += (*t->at - '0') * unit;
    return ns;
}

/* "Z", "+02:00", "-0530" or nothing: seconds east of UTC. */
static bool take_zone(struct collect_text *t, int64_t *east)
{
    int64_t hours, minutes = 0;
    bool west;

    *east = 0;
    collect_text_skip_blanks(t);
    if (t->at == t->end || collect_text_skip(t, "Z") || collect_text_skip(t, "UTC"))
        return true;
    west = collect_text_skip(t, "-");
    if (!west && !collect_text_skip(t, "+"))
        return false;
    if (!take_digits(t, 2, 0, 15, &hours))
        return false;
    collect_text_skip(t, ":");
    if (t->at < t->end && !take_digits(t, 2, 0, 59, &minutes))
        return false;
    *east = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

static bool take_date(struct collect_text *t, int64_t *days)
{
    int64_t year, month, day;

    if (!take_digits(t, 4, 1678, 2261, &year))
        return false;
    if (!collect_text_skip(t, "-") && !collect_text_skip(t, "/"))
        return false;
    if (!take_digits(t, 2, 1, 12, &month))
        return false;
    if (!collect_text_skip(t, "-") && !collect_text_skip(t, "/"))
        return false;
    if (!take_digits(t, 2, 1, 31, &day))
        return false;
    *days = days_from_date(year, month, day);
    return true;
}

static bool parse_date(struct collect_text t, int64_t *ns)
{
    int64_t days, hour = 0, minute = 0, second = 0, fraction = 0, east = 0;

    if (!take_date(&t, &days))
        return false;
    if (collect_text_skip(&t, "T") || collect_text_skip(&t, " ")) {
        if (!take_digits(&t, 2, 0, 23, &hour) || !collect_text_skip(&t, ":") ||
            !take_digits(&t, 2, 0, 59, &minute))
            return false;
        if (collect_text_skip(&t, ":")) {
            if (!take_digits(&t, 2, 0, 60, &second))
                return false;
            fraction = take_fraction(&t);
        }
    }
    if (!take_zone(&t, &east) || t.at != t.end)
        return false;
    *ns = (days * 86400 + hour * 3600 + minute * 60 + second - east) * 1000000000 +
          fraction;
    return true;
}

/* 1795170852, 1795170852.25, 1795170852250 (ms) and so on. */
static bool parse_unix(double value, int64_t *ns)
{
    double size = fabs(value);
    double unit = size < 1e11 ? 1e9 : size < 1e14 ? 1e6 : size < 1e17 ? 1e3 : 1;

    if (!(size * unit < 9e18))
        return false;
    *ns = (int64_t)floor(value) * (int64_t)unit + llround((value - floor(value)) * unit);
    return true;
}

bool format_csv_time(struct format_csv_field field, int64_t *ns)
{
    struct collect_text t = collect_text_of(field.at, field.size);
    double value;

    if (parse_date(t, ns))
        return true;
    return collect_text_number(&t, &value) && t.at == t.end && parse_unix(value, ns);
}
