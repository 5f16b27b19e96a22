/* Shortens and unifies names by their parts: ids of containers to twelve digits, numbers
 * and other ids of instances to a star, so that what is started anew each time keeps one
 * name. */
#include "collect/unit_name.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Digits of a container's id, in full and as container managers show it. */
enum { CONTAINER_ID = 64, SHORT_ID = 12 };

/* Fills the label up with zeros, so that it can be copied as a whole. Of a name that is
 * too long the beginning and the end stay, as names of units often differ in either. */
const char *collect_unit_label(const char *name, char label[RECORD_LABEL_MAX])
{
    const size_t half = (RECORD_LABEL_MAX - 4) / 2;
    size_t length = strlen(name);

    memset(label, 0, RECORD_LABEL_MAX);
    if (length < RECORD_LABEL_MAX)
        memcpy(label, name, length);
    else
        snprintf(label, RECORD_LABEL_MAX, "%.*s...%s", (int)half, name,
                 name + length - half);
    return label;
}

static size_t hex_length(const char *at)
{
    return strspn(at, "0123456789abcdef");
}

/* Tells whether a part of a name, between two marks, is a number or an id: digits alone,
 * or eight and more hexadecimal digits of which some are decimal, perhaps behind an r.
 * Behind another id (in a UUID), four will do. */
static bool is_id(const char *part, size_t length, bool behind_id)
{
    size_t digits = 0;

    if (length > 8 && *part == 'r')
        part++, length--;
    for (size_t i = 0; i < length; i++)
        digits += isdigit((unsigned char)part[i]) != 0;
    if (length > 0 && digits == length)
        return true;
    return hex_length(part) >= length &&
           (behind_id ? length >= 4 : length >= 8 && digits > 0);
}

const char *collect_unit_kind(const char *name, char label[RECORD_LABEL_MAX])
{
    char kind[512];
    size_t n = 0;

    while (*name != '\0' && n < sizeof kind - CONTAINER_ID - 1) {
        size_t length = strcspn(name, "-_.:@");
        bool begins = n > 0 && (kind[n - 1] == '-' || kind[n - 1] == '_');
        bool behind_id = n > 1 && kind[n - 2] == '*';

        if (length == CONTAINER_ID && hex_length(name) >= CONTAINER_ID) {
            memcpy(kind + n, name, SHORT_ID);
            n += SHORT_ID;
        } else if (begins && is_id(name, length, behind_id)) {
            /* Several in a row are one. */
            if (behind_id)
                n--;
            else
                kind[n++] = '*';
        } else {
            size_t kept = length < CONTAINER_ID ? length : CONTAINER_ID;

            memcpy(kind + n, name, kept);
            n += kept;
        }
        name += length;
        if (*name != '\0')
            kind[n++] = *name++;
    }
    kind[n] = '\0';
    return collect_unit_label(kind, label);
}
