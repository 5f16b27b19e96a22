/* JSON on standard output. */
#include "cmd/json_out.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/commands.h"
#include "os/clock.h"
#include "os/utf8.h"

/* Writes null for what is not known: JSON has no NaN. */
json_t *cmd_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* Replaces each byte that is no UTF-8 by U+FFFD, which takes three bytes. Names of
 * processes and files may be any bytes, and the JSON library refuses them. */
json_t *cmd_json_text(const char *text)
{
    size_t left = text == NULL ? 0 : strlen(text), used = 0;
    char *clean = malloc(3 * left + 1);
    json_t *out;

    if (text == NULL || clean == NULL) {
        free(clean);
        return json_null();
    }
    while (left > 0) {
        size_t n = os_utf8_length(text, left), take = n == 0 ? 1 : n;

        memcpy(clean + used, n == 0 ? "\xef\xbf\xbd" : text, n == 0 ? 3 : n);
        used += n == 0 ? 3 : n;
        text += take;
        left -= take;
    }
    out = json_stringn(clean, used);
    free(clean);
    return out;
}

json_t *cmd_json_words(const char *words)
{
    json_t *list = words == NULL ? json_null() : json_array();

    while (words != NULL && *words != '\0') {
        size_t n = strcspn(words, "|");

        json_array_append_new(list, json_stringn(words, n));
        words += n + (words[n] == '|');
    }
    return list;
}

json_t *cmd_json_time(int64_t time_ns)
{
    char text[OS_CLOCK_TEXT];

    return time_ns == 0 ? json_null() : json_string(os_clock_text(time_ns, text));
}

/* Knows the keys of the API that hold a time. The API has seconds since 1970; commands
 * print the time by name, as people read it. */
static int is_time(const char *key)
{
    static const char *const name[] = {"started", "now",          "start", "peak",
                                       "end",     "since",        "last",  "next",
                                       "t",       "feedback_time"};

    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        if (strcmp(key, name[i]) == 0)
            return 1;
    return 0;
}

/* Rounds to microseconds, since a double of today's seconds has no more than that. Times
 * too far off for a clock are null. */
static json_t *time_of(double seconds)
{
    return fabs(seconds) < 9e9 ? cmd_json_time(llround(seconds * 1e6) * 1000)
                               : json_null();
}

/* Replaces the seconds of all times by names, in place and at any depth, so that a list
 * of events and a status are treated alike. */
void cmd_json_name_times(json_t *root)
{
    const char *key;
    json_t *value;
    void *next;
    size_t i;

    json_array_foreach(root, i, value) cmd_json_name_times(value);
    json_object_foreach_safe(root, next, key, value)
    {
        if (json_is_number(value) && is_time(key))
            json_object_set_new(root, key, time_of(json_number_value(value)));
        else
            cmd_json_name_times(value);
    }
}

/* Prints the value and releases it. NULL (no memory) is a failure and prints an empty
 * line; a full disk shows when the stream is flushed. */
static int print(json_t *root, size_t flags)
{
    int code = root == NULL ? -1 : json_dumpf(root, stdout, flags);

    json_decref(root);
    putchar('\n');
    return code == 0 && fflush(stdout) == 0 ? CMD_OK : CMD_FAILED;
}

int cmd_json_print(json_t *root)
{
    return print(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
}

/* Prints the value on one line, as a stream of values is read line by line. */
int cmd_json_print_line(json_t *root)
{
    return print(root, JSON_COMPACT | JSON_REAL_PRECISION(9));
}
