/* A writer without a tree: each call appends its text. Numbers are formatted by hand,
 * since a tick holds hundreds of them and printf takes ten times as long. */
#include "show/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/utf8.h"

void show_json_release(struct show_json *j)
{
    free(j->block);
    *j = (struct show_json){0};
}

void show_json_clear(struct show_json *j)
{
    j->size = 0;
    j->comma = false;
    j->failed = false;
}

char *show_json_text(const struct show_json *j)
{
    return j->block == NULL ? NULL : j->block + SHOW_JSON_HEAD;
}

/* Where `size` more bytes may be written; NULL without memory. */
static char *room(struct show_json *j, size_t size)
{
    if (j->failed)
        return NULL;
    if (j->block == NULL || j->capacity - j->size < size) {
        size_t capacity = j->capacity == 0 ? 1024 : j->capacity;
        char *block;

        while (capacity - j->size < size) {
            if (capacity > SIZE_MAX / 4) {
                j->failed = true;
                return NULL;
            }
            capacity *= 2;
        }
        block = realloc(j->block, SHOW_JSON_HEAD + capacity);
        if (block == NULL) {
            j->failed = true;
            return NULL;
        }
        j->block = block;
        j->capacity = capacity;
    }
    return j->block + SHOW_JSON_HEAD + j->size;
}

void show_json_append(struct show_json *j, const char *bytes, size_t size)
{
    char *at = room(j, size);

    if (at == NULL || size == 0)
        return;
    memcpy(at, bytes, size);
    j->size += size;
}

/* A quote, a backslash or a control character. */
static void append_escaped(struct show_json *j, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char pairs[] = "\"\"\\\\\nn\rr\tt"; /* a character, then its letter */
    char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    const char *found = strchr(pairs, c);

    if (found == NULL) {
        show_json_append(j, text, 6);
        return;
    }
    text[1] = found[1];
    show_json_append(j, text, 2);
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void append_string(struct show_json *j, const char *text)
{
    size_t left = strlen(text), plain = 0;

    show_json_append(j, "\"", 1);
    while (plain < left) {
        unsigned char c = (unsigned char)text[plain];
        size_t length = is_plain(c) ? 1 : os_utf8_length(text + plain, left - plain);

        if (length > 1 || is_plain(c)) {
            plain += length;
            continue;
        }
        show_json_append(j, text, plain);
        if (length == 0)
            show_json_append(j, "\xef\xbf\xbd", 3);
        else
            append_escaped(j, c);
        text += plain + 1;
        left -= plain + 1;
        plain = 0;
    }
    show_json_append(j, text, plain);
    show_json_append(j, "\"", 1);
}

/* The comma and the key that go before a value. */
static void begin(struct show_json *j, const char *key)
{
    if (j->comma)
        show_json_append(j, ",", 1);
    j->comma = true;
    if (key != NULL) {
        append_string(j, key);
        show_json_append(j, ":", 1);
    }
}

void show_json_open(struct show_json *j, const char *key, char bracket)
{
    begin(j, key);
    show_json_append(j, &bracket, 1);
    j->comma = false;
}

void show_json_close(struct show_json *j, char bracket)
{
    show_json_append(j, &bracket, 1);
    j->comma = true;
}

/* The digits of `value` with a point before the last `decimals`, without zeros at the
 * end. */
static size_t fixed_text(char *text, uint64_t value, unsigned decimals)
{
    char digit[24];
    size_t n = 0, size = 0;

    while (decimals > 0 && value % 10 == 0) {
        value /= 10;
        decimals--;
    }
    while (value > 0 || n <= decimals) {
        digit[n++] = (char)('0' + value % 10);
        value /= 10;
    }
    while (n > 0) {
        if (n == decimals)
            text[size++] = '.';
        text[size++] = digit[--n];
    }
    return size;
}

size_t show_number_text(char text[32], double value)
{
    static const double power[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    double size = fabs(value);
    unsigned decimals = 0;
    size_t sign = value < 0;

    if (size == 0) {
        text[0] = '0';
        return 1;
    }
    if (size >= 1e15 || size < 1e-3)
        return (size_t)snprintf(text, 32, "%.7g", value);
    while (decimals < 9 && size * power[decimals] < 1e6)
        decimals++;
    if (sign)
        text[0] = '-';
    return sign +
           fixed_text(text + sign, (uint64_t)llround(size * power[decimals]), decimals);
}

void show_json_number(struct show_json *j, const char *key, double value)
{
    char *at;

    begin(j, key);
    if (!isfinite(value)) {
        show_json_append(j, "null", 4);
        return;
    }
    at = room(j, 32);
    if (at != NULL)
        j->size += show_number_text(at, value);
}

static double coarse(double value)
{
    double unit;

    if (value == 0 || !isfinite(value))
        return value;
    unit = pow(10, floor(log10(fabs(value))) - 3);
    return unit > 0 ? round(value / unit) * unit : value;
}

void show_json_coarse(struct show_json *j, const char *key, double value)
{
    show_json_number(j, key, coarse(value));
}

bool show_is_coarsely_equal(double a, double b)
{
    double x = coarse(a), y = coarse(b);

    /* A number that is not finite is null, whichever it is. */
    return isfinite(x) && isfinite(y) ? x == y : isfinite(x) == isfinite(y);
}

void show_json_time(struct show_json *j, const char *key, int64_t ns)
{
    int64_t ms = ns / 1000000;
    char *at;

    begin(j, key);
    at = room(j, 32);
    if (at == NULL)
        return;
    if (ms <= 0) {
        show_json_append(j, "null", 4);
        return;
    }
    j->size += fixed_text(at, (uint64_t)ms, 3);
}

void show_json_integer(struct show_json *j, const char *key, int64_t value)
{
    char *at;

    begin(j, key);
    at = room(j, 32);
    if (at != NULL)
        j->size += (size_t)snprintf(at, 32, "%" PRId64, value);
}

void show_json_bool(struct show_json *j, const char *key, bool value)
{
    begin(j, key);
    show_json_append(j, value ? "true" : "false", value ? 4 : 5);
}

void show_json_string(struct show_json *j, const char *key, const char *text)
{
    begin(j, key);
    if (text == NULL)
        show_json_append(j, "null", 4);
    else
        append_string(j, text);
}

void show_json_raw(struct show_json *j, const char *key, const char *text, size_t size)
{
    begin(j, key);
    show_json_append(j, text, size);
}
