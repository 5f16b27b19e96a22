/* A field is almost always a plain number: what else it can be is tried after that, on a
 * copy without the signs that part thousands. */
#include "format/number.h"

#include <math.h>

/* Bounds the length of a number in any way of writing. */
enum { DIGITS_MAX = 64 };

/* Holds a number on its way from the way it is written to the plain one. */
struct plain {
    char text[DIGITS_MAX];
    size_t n;
};

static bool is_digit(const struct format_scan *t)
{
    return t->at < t->end && *t->at >= '0' && *t->at <= '9';
}

/* Adds a byte; false when the number is too long to be one. */
static bool put(struct plain *plain, char byte)
{
    if (plain->n == DIGITS_MAX)
        return false;
    plain->text[plain->n++] = byte;
    return true;
}

/* Copies a run of digits and returns how many there were. */
static size_t put_digits(struct plain *plain, struct format_scan *t)
{
    size_t n = 0;

    for (; is_digit(t) && put(plain, *t->at); t->at++)
        n++;
    return n;
}

/* Finds the sign that parts thousands where the text stands, "" when none does. A blank
 * may be one that does not break, and the apostrophe may be the typographic one. */
static const char *group_sign(const struct format_scan *t, char decimal)
{
    static const char *const signs[] = {
        ".", ",", "'", " ", "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x99"};

    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        struct format_scan ahead = *t;

        if (signs[i][0] != decimal && format_scan_skip(&ahead, signs[i]))
            return signs[i];
    }
    return "";
}

/* Copies "1.234.567" without its signs: a first group of one to three digits that does
 * not begin with 0, then groups of three, all parted by the same sign. Anything else may
 * be two numbers or a date. */
static bool put_groups(struct plain *plain, struct format_scan *t, char decimal)
{
    bool zero = t->at < t->end && *t->at == '0';
    size_t first = put_digits(plain, t);
    const char *sign = group_sign(t, decimal);
    struct format_scan ahead = *t;

    while (*sign != '\0' && format_scan_skip(&ahead, sign) && is_digit(&ahead)) {
        if (zero || first == 0 || first > 3 || put_digits(plain, &ahead) != 3)
            return false;
        *t = ahead;
    }
    return true;
}

/* Copies an exponent when one stands there; false when it has no digits. */
static bool put_exponent(struct plain *plain, struct format_scan *t)
{
    if (t->at == t->end || (*t->at != 'e' && *t->at != 'E'))
        return true;
    put(plain, *t->at++);
    if (t->at < t->end && (*t->at == '-' || *t->at == '+'))
        put(plain, *t->at++);
    return put_digits(plain, t) > 0;
}

/* Writes a number the plain way. A percent sign behind it is passed over, and the
 * typographic minus counts as one. */
static bool make_plain(struct plain *plain, struct format_scan t, char decimal)
{
    if (format_scan_skip(&t, "-") || format_scan_skip(&t, "\xe2\x88\x92"))
        put(plain, '-');
    else
        format_scan_skip(&t, "+");
    if (!put_groups(plain, &t, decimal))
        return false;
    if (t.at < t.end && *t.at == decimal) {
        t.at++;
        put(plain, '.');
        put_digits(plain, &t);
    }
    if (!put_exponent(plain, &t))
        return false;
    format_scan_skip_blanks(&t);
    format_scan_skip(&t, "%");
    return t.at == t.end;
}

/* Reads a plain number that fills the text; NaN when it does not. */
static double only_number(const char *text, size_t size)
{
    struct format_scan t = format_scan_of(text, size);
    double value;

    return format_scan_number(&t, &value) && t.at == t.end ? value : NAN;
}

/* Reads a number with the given decimal sign. "true" and "false" are 1 and 0, as exports
 * write flags. */
double format_number(struct format_csv_field field, char decimal)
{
    static const char *const yes[] = {"true", NULL}, *const no[] = {"false", NULL};
    struct plain plain = {.n = 0};
    double value = NAN;

    if (decimal == '.' || memchr(field.at, '.', field.size) == NULL)
        value = only_number(field.at, field.size);
    if (!isnan(value) || field.size == 0 || field.size > DIGITS_MAX)
        return value;
    if (make_plain(&plain, format_scan_of(field.at, field.size), decimal))
        return only_number(plain.text, plain.n);
    if (format_csv_is_word(field, yes))
        return 1;
    return format_csv_is_word(field, no) ? 0 : NAN;
}

/* Tells the words that stand for a value that is not there. The size and the first digit
 * are looked at first, since almost every field is a number and none of the words is. */
bool format_is_missing(struct format_csv_field field)
{
    static const char *const words[] = {"",     "nan",  "inf", "-inf", "+inf", "n/a",
                                        "na",   "null", "nil", "none", "-",    "--",
                                        "#n/a", "\\n",  "?",   NULL};

    /* Almost every field is a number, and none of the words is. */
    if (field.size > 4 || (field.size > 0 && field.at[0] >= '0' && field.at[0] <= '9'))
        return false;
    return format_csv_is_word(field, words);
}
