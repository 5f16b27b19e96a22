/* Pieces of text lines: times, numbers, JSON strings. All append to a vd_writer, which
 * remembers a lack of memory until it is looked at.
 */
#ifndef VD_STORE_TEXT_H
#define VD_STORE_TEXT_H

#include <stdint.h>

#include "vedette/bytes.h"

void store_print(struct vd_writer *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A time as os_clock_text writes it: 2026-11-21T03:10:29.123+01:00 */
void store_print_time(struct vd_writer *w, int64_t time_ns);

/* Six significant digits; nothing for NaN and infinities (an empty CSV field). */
void store_print_number(struct vd_writer *w, double value);

/* Writes a number, `null` for what JSON has no number for. */
void store_json_number(struct vd_writer *w, double value);

/* Writes a quoted JSON string. Control characters are escaped and bytes that are not
 * UTF-8 become U+FFFD: the text may be a process name that somebody chose. */
void store_json_text(struct vd_writer *w, const char *text);

#endif
