/* JSON text into a buffer that keeps its memory: after the first few ticks writing a tick
 * allocates nothing.
 *
 * The writer sets the commas. `key` is NULL inside an array. Text that is not valid UTF-8
 * is repaired (each bad byte becomes U+FFFD), numbers that are not finite become null.
 * A lack of memory is remembered in `failed`, so a long run of calls needs one check.
 */
#ifndef VD_SHOW_JSON_H
#define VD_SHOW_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Free room in front of the text: a WebSocket frame's header is written there in place.
 */
enum { SHOW_JSON_HEAD = 32 };

/* Zero-initialise; release with show_json_release. */
struct show_json {
    char *block; /* owned: SHOW_JSON_HEAD bytes, then the text */
    size_t size; /* of the text */
    size_t capacity;
    bool comma; /* the next item in this object or array needs one */
    bool failed;
};

void show_json_release(struct show_json *j);
/* Empties it, keeps the memory. */
void show_json_clear(struct show_json *j);
/* The text: not terminated, NULL before anything was written. */
char *show_json_text(const struct show_json *j);

/* '{' or '[', with its key; then its end. */
void show_json_open(struct show_json *j, const char *key, char bracket);
void show_json_close(struct show_json *j, char bracket);

/* About seven significant digits, the shortest text for them. */
void show_json_number(struct show_json *j, const char *key, double value);
/* Four significant digits: more than a chart can show. */
void show_json_coarse(struct show_json *j, const char *key, double value);
/* Nanoseconds since 1970 as seconds with milliseconds; 0 gives null. */
void show_json_time(struct show_json *j, const char *key, int64_t ns);
void show_json_integer(struct show_json *j, const char *key, int64_t value);
void show_json_bool(struct show_json *j, const char *key, bool value);
/* NULL gives null. */
void show_json_string(struct show_json *j, const char *key, const char *text);
/* JSON that is already written. */
void show_json_raw(struct show_json *j, const char *key, const char *text, size_t size);

/* Bytes as they are, for other formats than JSON. */
void show_json_append(struct show_json *j, const char *bytes, size_t size);

/* The text of `value` as show_json_number writes it, into text[32]; its length. */
size_t show_number_text(char text[32], double value);
/* Whether show_json_coarse writes the same of both. */
bool show_is_coarsely_equal(double a, double b);

#endif
