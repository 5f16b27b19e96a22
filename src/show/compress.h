/* Answers as gzip, for those who take it. */
#ifndef VD_SHOW_COMPRESS_H
#define VD_SHOW_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "show/json.h"

enum { SHOW_COMPRESS_FROM = 2048 }; /* bytes: below it is not worth the while */

/* Reads what an Accept-Encoding field says of gzip: wanted, and not less than plain
 * bytes. NULL (not sent) and what cannot be read mean no. */
bool show_takes_gzip(const char *accept_encoding);

/* Appends the gzip of the text to `out`, which is empty; false leaves it so (small text,
 * or no memory). Any thread. */
bool show_gzip(struct show_json *out, const struct show_json *text);
/* Puts the gzip in the place of the text; false leaves that as it was. Any thread. */
bool show_gzip_in_place(struct show_json *text);

/* The reverse, of at most 16 MiB, appended to `out`. */
bool show_gunzip(struct show_json *out, const unsigned char *bytes, size_t size);

#endif
