/* printf into a vd_writer, and the three kinds of values that need care: times, numbers
 * that may be NaN, texts that may hold any byte. */
#include "store/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "os/clock.h"
#include "os/utf8.h"

/* Cuts what is longer than 511 bytes; texts of any length go through store_json_text. */
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

void store_print_time(struct vd_writer *w, int64_t time_ns)
{
    char text[OS_CLOCK_TEXT];

    store_print(w, "%s", os_clock_text(time_ns, text));
}

/* Leaves the field empty where the value is unknown. */
void store_print_number(struct vd_writer *w, double value)
{
    if (isfinite(value))
        store_print(w, "%.6g", value);
}

/* JSON has neither NaN nor infinity, so an unknown value is null. */
void store_json_number(struct vd_writer *w, double value)
{
    if (isfinite(value))
        store_print(w, "%.6g", value);
    else
        vd_write_bytes(w, "null", 4);
}

/* Each byte that is no UTF-8 becomes U+FFFD: names of processes may hold anything, and
 * one would make the whole line unreadable. */
void store_json_text(struct vd_writer *w, const char *text)
{
    size_t left = strlen(text);

    vd_write_bytes(w, "\"", 1);
    while (left > 0) {
        unsigned char c = (unsigned char)*text;
        size_t n = os_utf8_length(text, left);

        if (n == 0)
            vd_write_bytes(w, "\xef\xbf\xbd", 3);
        else if (c < 0x20 || c == 0x7f)
            store_print(w, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            store_print(w, "\\%c", c);
        else
            vd_write_bytes(w, text, n);
        text += n == 0 ? 1 : n;
        left -= n == 0 ? 1 : n;
    }
    vd_write_bytes(w, "\"", 1);
}
