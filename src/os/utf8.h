/* UTF-8 in bytes that nobody vouches for: process names, device names, files. */
#ifndef VD_OS_UTF8_H
#define VD_OS_UTF8_H

#include <stddef.h>

/* The length of the character that begins at `at`, looking at `size` bytes at most; 0
 * when none begins there (also for overlong forms, surrogates and beyond U+10FFFF). */
size_t os_utf8_length(const char *at, size_t size);

/* The character of `n` bytes (as os_utf8_length said) as its code point. */
unsigned long os_utf8_point(const char *at, size_t n);

/* `text` as one line that cannot steer a terminal: control characters, bytes that are no
 * UTF-8 and characters that turn the writing direction become "\x1b" and "\u202e". Cut to
 * `size` with its end, never inside a character; returns `out`. */
char *os_utf8_visible(const char *text, char *out, size_t size);

#endif
