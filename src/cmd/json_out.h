/* What --json writes: docs/json.md has the forms. */
#ifndef VD_CMD_JSON_OUT_H
#define VD_CMD_JSON_OUT_H

#include <jansson.h>
#include <stdint.h>

/* The row of the option that every command which lists has. */
#define CMD_JSON_OPTION(OFFSET)                                                          \
    {                                                                                    \
        .name = "json", .letter = 'j', .type = OS_OPTION_FLAG, .offset = OFFSET,         \
        .help = "Write JSON"                                                             \
    }

/* A number; null when it is none. */
json_t *cmd_json_number(double value);

/* Text from outside: bytes that are no UTF-8 become U+FFFD. NULL gives null. */
json_t *cmd_json_text(const char *text);

/* "auto|always|never" as a list; NULL gives null. */
json_t *cmd_json_words(const char *words);

/* A time as the program writes them, null for 0. */
json_t *cmd_json_time(int64_t time_ns);

/* Turns the times of an object of the API, seconds since 1970, into texts like those. */
void cmd_json_name_times(json_t *root);

/* Writes the value and a line break to standard output, over many lines or in one; takes
 * the reference. Returns an enum cmd_exit. */
int cmd_json_print(json_t *root);
int cmd_json_print_line(json_t *root);

#endif
