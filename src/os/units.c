/* Numbers with units, as people write them in options and files.
 *
 * A duration is one or more numbers with units, added up ("1h30min"); a bare number is
 * seconds, and no part is negative. A size has one number; units with an i are powers of
 * 1024, the others powers of 1000. Numbers are read in the C locale whatever the
 * program's locale is: a file must mean the same on every machine. */
#include "os/options.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    double factor;
};

static const struct unit durations[] = {
    {"ms", 1e-3}, {"s", 1},       {"sec", 1},       {"m", 60},         {"min", 60},
    {"h", 3600},  {"hour", 3600}, {"d", 86400},     {"day", 86400},    {"days", 86400},
    {"us", 1e-6}, {"w", 604800},  {"week", 604800}, {"weeks", 604800}, {NULL, 0},
};

static const struct unit sizes[] = {
    {"B", 1},         {"kB", 1e3},         {"MB", 1e6},
    {"GB", 1e9},      {"TB", 1e12},        {"KiB", 1024},
    {"MiB", 1048576}, {"GiB", 1073741824}, {"TiB", 1099511627776.0},
    {NULL, 0},
};

/* Reads a decimal number at `*at`, which moves behind it. strtod alone would also take
 * hexadecimal, "inf" and "nan", which nobody means in an option. */
static bool read_number(const char **at, double *number)
{
    const char *p = *at;
    locale_t c;
    char *end;

    if (*p == '-' || *p == '+')
        p++;
    if (!isdigit((unsigned char)*p) && *p != '.')
        return false;
    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
        return false;
    c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c == (locale_t)0)
        return false;
    *number = strtod_l(*at, &end, c);
    freelocale(c);
    if (end == *at || !isfinite(*number))
        return false;
    *at = end;
    return true;
}

/* Finds the unit whose name are the letters at `*at`, which moves behind it; NULL, and
 * `*at` stays, when they are none. */
static const struct unit *read_unit(const struct unit *units, const char **at)
{
    size_t length = 0;

    while (isalpha((unsigned char)(*at)[length]))
        length++;
    for (; units->name != NULL; units++) {
        if (strlen(units->name) == length && strncasecmp(units->name, *at, length) == 0) {
            *at += length;
            return units;
        }
    }
    return NULL;
}

bool os_parse_number(const char *text, double *number)
{
    double value;

    if (!read_number(&text, &value) || *text != '\0')
        return false;
    *number = value;
    return true;
}

bool os_parse_duration(const char *text, double *seconds)
{
    const struct unit *unit;
    double sum = 0, value;

    if (os_parse_number(text, &value) && value >= 0) {
        *seconds = value;
        return true;
    }
    do {
        if (!read_number(&text, &value) || value < 0)
            return false;
        while (*text == ' ')
            text++;
        unit = read_unit(durations, &text);
        if (unit == NULL)
            return false;
        sum += value * unit->factor;
        while (*text == ' ')
            text++;
    } while (*text != '\0');
    if (!isfinite(sum))
        return false;
    *seconds = sum;
    return true;
}

/* Takes a negative size, too: the bounds of the option refuse it with a better message.
 */
bool os_parse_size(const char *text, double *bytes)
{
    const struct unit *unit;
    double value;

    if (!read_number(&text, &value))
        return false;
    while (*text == ' ')
        text++;
    if (*text == '\0') {
        *bytes = value;
        return true;
    }
    unit = read_unit(sizes, &text);
    if (unit == NULL || *text != '\0')
        return false;
    value *= unit->factor;
    if (!isfinite(value))
        return false;
    *bytes = value;
    return true;
}

/* Writes `value` in the largest of the units at `names` that gives a whole number, in the
 * last one when none does. */
static char *format(double value, const struct unit *units, const char *const *names,
                    char *text, size_t size)
{
    if (!isfinite(value) || value == 0) {
        snprintf(text, size, "%g", value);
        return text;
    }
    for (; *names != NULL; names++) {
        const struct unit *unit = units;
        double count;

        while (strcmp(unit->name, *names) != 0)
            unit++;
        count = value / unit->factor;
        if (names[1] == NULL || (fabs(count) >= 1 && fabs(count - round(count)) < 1e-9)) {
            snprintf(text, size, "%.15g%s", count, unit->name);
            return text;
        }
    }
    return text;
}

/* Leaves what is more than a second and not whole in seconds: "1.5s", not "1500ms". */
char *os_format_duration(double seconds, char *text, size_t size)
{
    static const char *const names[] = {"w", "d", "h", "min", "s", "ms", "us", NULL};

    if (fabs(seconds) > 1 && seconds != round(seconds)) {
        snprintf(text, size, "%.15gs", seconds);
        return text;
    }
    return format(seconds, durations, names, text, size);
}

char *os_format_size(double bytes, char *text, size_t size)
{
    static const char *const names[] = {"TiB", "TB",  "GiB", "GB", "MiB",
                                        "MB",  "KiB", "kB",  "B",  NULL};

    return format(bytes, sizes, names, text, size);
}

/* Writes a span in one unit: "8 s", "27 min", "3.5 h", "2.1 days". */
const char *os_span_text(double seconds, char *text, size_t size)
{
    if (seconds < 119.5)
        snprintf(text, size, "%.0f s", seconds);
    else if (seconds < 7200)
        snprintf(text, size, "%.0f min", seconds / 60);
    else if (seconds < 2 * 86400)
        snprintf(text, size, "%.1f h", seconds / 3600);
    else
        snprintf(text, size, "%.1f days", seconds / 86400);
    return text;
}
