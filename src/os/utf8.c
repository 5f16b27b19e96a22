/* A decoder that takes no character it cannot vouch for, and a writer that shows what
 * could steer a terminal as an escape. */
#include "os/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Also refuses what only looks like UTF-8: longer forms than needed, halves of surrogate
 * pairs (U+D800 to U+DFFF), and what lies beyond U+10FFFF. */
size_t os_utf8_length(const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t n;

    if (size == 0)
        return 0;
    if (at[0] < 0x80)
        return 1;
    n = at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;
    if (n > size)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return n;
}

/* Relies on os_utf8_length, which gave `n`: nothing is checked again. */
unsigned long os_utf8_point(const char *text, size_t n)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned long point = n == 1 ? at[0] : at[0] & (0xffu >> (n + 1));

    for (size_t i = 1; i < n; i++)
        point = point << 6 | (at[i] & 0x3f);
    return point;
}

/* Tells whether the character could steer a terminal or deceive a reader: controls, line
 * and paragraph separators, and what reorders the text around it. */
static bool is_steering(unsigned long point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x061c ||
           (point >= 0x200e && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

/* Ends before the first character that does not fit, so that neither a character nor an
 * escape is cut in the middle. */
char *os_utf8_visible(const char *text, char *out, size_t size)
{
    size_t left = strlen(text), used = 0;

    while (left > 0) {
        size_t n = os_utf8_length(text, left), length;
        unsigned long point = n == 0 ? (unsigned char)*text : os_utf8_point(text, n);
        char shown[24];

        if (n == 0 || (is_steering(point) && point < 0x100))
            snprintf(shown, sizeof shown, "\\x%02lx", point);
        else if (is_steering(point))
            snprintf(shown, sizeof shown, "\\u%04lx", point);
        else
            snprintf(shown, sizeof shown, "%.*s", (int)n, text);
        length = strlen(shown);
        if (used + length >= size)
            break;
        memcpy(out + used, shown, length);
        used += length;
        text += n == 0 ? 1 : n;
        left -= n == 0 ? 1 : n;
    }
    if (size > 0)
        out[used] = '\0';
    return out;
}
