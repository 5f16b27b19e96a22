/* Splits text into rows and rows into fields; nothing is copied. */
#include "format/csv.h"

#include <strings.h>

#include "format/marks.h"

/* Sets how many rows are looked at to find the separator. */
enum { SAMPLE_ROWS = 20 };

/* Passes a quoted piece and the quote that ends it; `at` stands after the first one. A
 * doubled quote stands for itself and goes on. */
static const char *skip_quoted(const char *at, const char *end)
{
    while (at < end) {
        if (*at++ != '"')
            continue;
        if (at == end || *at != '"')
            break;
        at++;
    }
    return at;
}

static inline bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* Takes blanks and one pair of quotes off. A carriage return counts as a blank, so files
 * of Windows need no care. */
static inline struct format_csv_field trim(const char *from, const char *to)
{
    if (from < to && (unsigned char)*from > '"' && (unsigned char)to[-1] > ' ')
        return (struct format_csv_field){from, (size_t)(to - from)};
    while (from < to && is_blank(*from))
        from++;
    while (to > from && is_blank(to[-1]))
        to--;
    if (to - from >= 2 && *from == '"' && to[-1] == '"') {
        from++;
        to--;
    }
    return (struct format_csv_field){from, (size_t)(to - from)};
}

struct format_csv_field format_csv_trim(const char *from, const char *to)
{
    return trim(from, to);
}

/* Takes one field and leaves the text at the separator or newline after it. A quote
 * within a field is a character: 19" does not take the rest of the text along. */
static inline struct format_csv_field take_field(struct format_scan *t, char separator)
{
    const char *start = t->at, *at = start, *end = t->end;

    while (at < end && *at == ' ')
        at++;
    if (at < end && *at == '"')
        at = skip_quoted(at + 1, end);
    while (at < end && *at != separator && *at != '\n')
        at++;
    t->at = at;
    return trim(start, at);
}

/* Takes one field of a text that is parted by blanks, and passes the blanks behind it:
 * several of them are one separator. */
static struct format_csv_field take_word(struct format_scan *t)
{
    const char *start = t->at;
    struct format_csv_field field;

    if (format_scan_skip(t, "\""))
        t->at = skip_quoted(t->at, t->end);
    while (t->at < t->end && !is_blank(*t->at) && *t->at != '\n')
        t->at++;
    field = trim(start, t->at);
    while (t->at < t->end && is_blank(*t->at))
        t->at++;
    return field;
}

#ifdef __SSE2__
/* Looks at 64 bytes at a time. */
size_t format_csv_plain_row(struct format_scan *t, char separator,
                            struct format_csv_field *field, size_t max)
{
    const char *start = t->at;
    size_t n = 0;

    for (const char *at = start; t->end - at >= 64; at += 64) {
        const __m128i *from = (const __m128i *)(const void *)at;
        __m128i part[4] = {_mm_loadu_si128(from), _mm_loadu_si128(from + 1),
                           _mm_loadu_si128(from + 2), _mm_loadu_si128(from + 3)};
        uint64_t lines = format_marks(part, '\n'), last = lines & -lines;
        uint64_t within = last == 0 ? UINT64_MAX : last | (last - 1);
        uint64_t ends = (format_marks(part, separator) | last) & within;

        if ((format_marks(part, '"') | format_marks(part, '\0')) & within)
            return 0;
        for (; ends != 0; ends &= ends - 1, n++) {
            const char *end = at + __builtin_ctzll(ends);

            if (n < max)
                field[n] = trim(start, end);
            start = end + 1;
        }
        if (last != 0) {
            t->at = start;
            return n;
        }
    }
    return 0;
}
#else
size_t format_csv_plain_row(struct format_scan *t, char separator,
                            struct format_csv_field *field, size_t max)
{
    (void)t, (void)separator, (void)field, (void)max;
    return 0;
}
#endif

static void skip_empty_lines(struct format_scan *t)
{
    while (t->at < t->end && (*t->at == '\n' || *t->at == '\r'))
        t->at++;
}

/* Takes a row and returns how many fields it has, which may be more than `max`; those
 * beyond are counted and not kept. Returns 0 at the end. */
size_t format_csv_row(struct format_scan *t, char separator,
                      struct format_csv_field *field, size_t max)
{
    size_t n = 0;

    skip_empty_lines(t);
    while (separator == FORMAT_BLANKS && t->at < t->end && is_blank(*t->at))
        t->at++;
    if (t->at == t->end)
        return 0;
    for (;;) {
        struct format_csv_field one =
            separator == FORMAT_BLANKS ? take_word(t) : take_field(t, separator);

        if (n < max)
            field[n] = one;
        n++;
        if (t->at == t->end)
            return n;
        if (*t->at == '\n') {
            t->at++;
            return n;
        }
        t->at += separator != FORMAT_BLANKS;
    }
}

/* Lists the separators that are tried; at equal merit the first one wins. */
static const char candidates[] = {',', ';', '\t', '|'};
enum { CANDIDATES = 4 };

/* Counts how often each candidate stands in the first line, outside of quotes. */
static void count_signs(const char *text, size_t size, size_t count[CANDIDATES])
{
    const char *end = text + size;
    bool begins = true; /* a field does: only there a quote is one */

    while (text < end && *text != '\n') {
        char byte = *text++;

        if (byte == '"' && begins)
            text = skip_quoted(text, end);
        begins = begins && byte == ' ';
        for (size_t i = 0; i < CANDIDATES; i++)
            if (byte == candidates[i]) {
                count[i]++;
                begins = true;
            }
    }
}

/* Counts how many of the first rows have as many fields as the first one, when that has
 * more than one. */
static size_t count_alike(const char *text, size_t size, char separator)
{
    struct format_scan t = format_scan_of(text, size);
    size_t alike = 0, fields = 0, rows = 0, n;
    struct format_csv_field none;

    while (rows < SAMPLE_ROWS && (n = format_csv_row(&t, separator, &none, 1)) > 0) {
        if (rows++ == 0)
            fields = n;
        /* R has no name for a row's own; a date and its time are parted by a blank. */
        alike += n == fields || (separator == FORMAT_BLANKS && n == fields + 1);
    }
    return fields > 1 ? alike : 0;
}

/* Chooses the separator under which most rows are alike. Blanks are tried last, since
 * nearly every text has some. */
char format_csv_separator(const char *text, size_t size)
{
    size_t count[CANDIDATES] = {0}, best_alike = 0, best = 0, alike;

    count_signs(text, size, count);
    for (size_t i = 0; i < CANDIDATES; i++) {
        alike = count[i] == 0 ? 0 : count_alike(text, size, candidates[i]);
        if (alike > best_alike || (alike == best_alike && count[i] > count[best])) {
            best = i;
            best_alike = alike;
        }
    }
    if (best_alike > 0)
        return candidates[best];
    return count_alike(text, size, FORMAT_BLANKS) > 1 ? FORMAT_BLANKS : ',';
}

bool format_csv_is_word(struct format_csv_field field, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strlen(*words) == field.size &&
            strncasecmp(field.at, *words, field.size) == 0)
            return true;
    return false;
}
