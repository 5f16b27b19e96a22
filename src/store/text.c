#include "store/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void store_print(struct vd_writer *w, const char *format, ...)
{
    char text[512];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0)
        vd_write_bytes(w, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

void store_print_time(struct vd_writer *w, int64_t time_ns, char separator)
{
    int64_t part = time_ns % 1000000000;
    time_t seconds;
    struct tm tm;

    if (part < 0)
        part += 1000000000;
    seconds = (time_t)((time_ns - part) / 1000000000);
    if (localtime_r(&seconds, &tm) == NULL)
        tm = (struct tm){.tm_mday = 1, .tm_year = 70};
    store_print(w, "%04d-%02d-%02d%c%02d:%02d:%02d.%06d", tm.tm_year + 1900,
                tm.tm_mon + 1, tm.tm_mday, separator, tm.tm_hour, tm.tm_min, tm.tm_sec,
                (int)(part / 1000));
}

void store_print_number(struct vd_writer *w, double value)
{
    if (isfinite(value))
        store_print(w, "%.6g", value);
}

void store_json_number(struct vd_writer *w, double value)
{
    if (isfinite(value))
        store_print(w, "%.6g", value);
    else
        vd_write_bytes(w, "null", 4);
}

/* The length of the UTF-8 character at `at`, 0 when it is none (also for overlong forms,
 * surrogates and what lies beyond U+10FFFF). */
static size_t utf8_length(const unsigned char *at)
{
    size_t n = at[0] < 0xc2   ? 0
               : at[0] < 0xe0 ? 2
               : at[0] < 0xf0 ? 3
               : at[0] < 0xf5 ? 4
                              : 0;

    if (at[0] < 0x80)
        return 1;
    for (size_t i = 1; i < n; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return n;
}

void store_json_text(struct vd_writer *w, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    vd_write_bytes(w, "\"", 1);
    while (*at != '\0') {
        size_t n = utf8_length(at);

        if (n == 0)
            vd_write_bytes(w, "\xef\xbf\xbd", 3);
        else if (*at < 0x20 || *at == 0x7f)
            store_print(w, "\\u%04x", *at);
        else if (*at == '"' || *at == '\\')
            store_print(w, "\\%c", *at);
        else
            vd_write_bytes(w, at, n);
        at += n == 0 ? 1 : n;
    }
    vd_write_bytes(w, "\"", 1);
}
