/* Text that grows, and the numbers that are printed into it: by integers, since only few
 * digits are wanted and rows are many. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "batch/scored.h"

/* Makes room for n bytes more and returns where they begin; NULL without memory. */
static char *reserve(struct batch_text *t, size_t n)
{
    size_t room = t->size == 0 ? 4096 : t->size;
    char *text;

    if (t->used + n <= t->size)
        return t->at + t->used;
    while (room < t->used + n)
        room *= 2;
    text = realloc(t->at, room);
    t->failed = t->failed || text == NULL;
    if (text == NULL)
        return NULL;
    t->at = text;
    t->size = room;
    return text + t->used;
}

/* Adds bytes; without memory the text has failed. */
void batch_text_add(struct batch_text *t, const char *bytes, size_t n)
{
    char *to = reserve(t, n);

    if (to == NULL)
        return;
    memcpy(to, bytes, n);
    t->used += n;
}

enum { WHOLE_MAX = 20 }; /* digits of a whole number of 64 bits */

/* Writes a whole number with at least `digits` digits, two at a time, before `end`;
 * returns where it begins. */
static char *put_before(char *end, uint64_t value, size_t digits)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char *at = end;

    for (; value >= 10; value /= 100)
        memcpy(at -= 2, pairs + 2 * (value % 100), 2);
    if (value > 0)
        *--at = (char)('0' + value);
    while ((size_t)(end - at) < digits)
        *--at = '0';
    return at;
}

void batch_text_whole(struct batch_text *t, uint64_t value, size_t digits)
{
    char text[WHOLE_MAX + 4], *end = text + sizeof text;
    char *at = put_before(end, value, digits);

    batch_text_add(t, at, (size_t)(end - at));
}

/* Prints a number as millionths. */
static void batch_text_micro(struct batch_text *t, int64_t micro)
{
    uint64_t size = micro < 0 ? -(uint64_t)micro : (uint64_t)micro;
    char text[WHOLE_MAX + 12], *end = text + sizeof text;
    char *at = put_before(end, size % 1000000, 6);

    *--at = '.';
    at = put_before(at, size / 1000000, 1);
    if (micro < 0)
        *--at = '-';
    batch_text_add(t, at, (size_t)(end - at));
}

void batch_text_score(struct batch_text *t, double score)
{
    batch_text_micro(t, llround(score * 1e6));
}

/* Prints Unix time; times before 1970 are negative. */
void batch_text_time(struct batch_text *t, int64_t time_ns)
{
    batch_text_micro(t, time_ns / 1000 - (time_ns % 1000 < 0));
}
