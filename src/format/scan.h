/* A cursor over text (of a /proc or /sys file, of a table), and the few things that are
 * read from it. Never runs past the end; bytes may be anything. Nothing here knows a
 * locale.
 *
 * The number readers skip blanks (space and tab) first. When there is no number, or it
 * does not fit, they return false and leave the cursor where it was.
 */
#ifndef VD_FORMAT_SCAN_H
#define VD_FORMAT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct format_scan {
    const char *at, *end;
};

static inline struct format_scan format_scan_of(const char *text, size_t size)
{
    return (struct format_scan){text, text + size};
}

static inline void format_scan_skip_blanks(struct format_scan *t)
{
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\t'))
        t->at++;
}

static inline bool format_scan_u64(struct format_scan *t, uint64_t *value)
{
    struct format_scan from = *t;
    uint64_t sum = 0;
    const char *digits;

    format_scan_skip_blanks(t);
    digits = t->at;
    for (; t->at < t->end && (unsigned char)(*t->at - '0') <= 9; t->at++) {
        uint64_t digit = (uint64_t)(*t->at - '0');

        if (sum > (UINT64_MAX - digit) / 10) {
            *t = from;
            return false;
        }
        sum = sum * 10 + digit;
    }
    if (t->at == digits) {
        *t = from;
        return false;
    }
    *value = sum;
    return true;
}

/* Past the next word (what stands between blanks, on this line); false at its end. */
static inline bool format_scan_skip_word(struct format_scan *t)
{
    const char *start;

    format_scan_skip_blanks(t);
    start = t->at;
    while (t->at < t->end && *t->at != ' ' && *t->at != '\t' && *t->at != '\n')
        t->at++;
    return t->at > start;
}

/* To the first byte of the next line; false when there is none. */
static inline bool format_scan_next_line(struct format_scan *t)
{
    const char *newline = memchr(t->at, '\n', (size_t)(t->end - t->at));

    t->at = newline == NULL ? t->end : newline + 1;
    return t->at < t->end;
}

/* Past `word` when the text goes on with it. */
static inline bool format_scan_skip(struct format_scan *t, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(t->end - t->at) < length || memcmp(t->at, word, length) != 0)
        return false;
    t->at += length;
    return true;
}

/* How many newlines there are. */
size_t format_count_lines(const char *from, const char *to);

/* The next word into `word` (cut to fit, always terminated); false at the line's end. */
bool format_scan_word(struct format_scan *t, char *word, size_t size);

/* Reads a whole number with an optional sign. */
bool format_scan_i64(struct format_scan *t, int64_t *value);

/* Reads a decimal number with optional sign, fraction and exponent. */
bool format_scan_number(struct format_scan *t, double *value);

/* Reads a counter: the next word of the line, NaN when it is none (negative, too large,
 * text). False when the line has no more words. */
bool format_scan_counter(struct format_scan *t, double *value);

/* The one number that a file holds, a newline after it or not; NaN when it holds anything
 * else. */
double format_scan_only_number(const char *text, size_t size);

/* Reads a list of CPUs as the kernel writes it, "0-3,8,10-11", into set[n] (true =
 * listed; larger numbers are left out). Returns how many were set; 0 when it does not
 * parse. */
size_t format_scan_cpu_list(const char *text, size_t size, bool *set, size_t n);

#endif
