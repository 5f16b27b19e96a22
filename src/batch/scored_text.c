/* Text that grows, and the numbers that are printed into it: by integers, since only few
 * digits are wanted and rows are many. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "batch/scored.h"

/* Adds bytes; without memory the text has failed. */
void batch_text_add(struct batch_text *t, const char *bytes, size_t n)
{
    size_t room = t->size == 0 ? 4096 : t->size;
    char *text = t->at;

    while (room < t->used + n)
        room *= 2;
    if (room > t->size)
        text = realloc(t->at, room);
    t->failed = t->failed || text == NULL;
    if (text == NULL)
        return;
    t->at = text;
    t->size = room;
    memcpy(text + t->used, bytes, n);
    t->used += n;
}

/* Prints a whole number with at least `digits` digits. */
void batch_text_whole(struct batch_text *t, uint64_t value, size_t digits)
{
    char text[24], *at = text + sizeof text;

    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0 || (size_t)(text + sizeof text - at) < digits);
    batch_text_add(t, at, (size_t)(text + sizeof text - at));
}

/* Prints a number as millionths. */
static void batch_text_micro(struct batch_text *t, int64_t micro)
{
    uint64_t size = micro < 0 ? (uint64_t)-micro : (uint64_t)micro;

    if (micro < 0)
        batch_text_add(t, "-", 1);
    batch_text_whole(t, size / 1000000, 1);
    batch_text_add(t, ".", 1);
    batch_text_whole(t, size % 1000000, 6);
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
