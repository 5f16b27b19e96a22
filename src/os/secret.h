/* Secrets: from a file rather than from where everybody looks. */
#ifndef VD_OS_SECRET_H
#define VD_OS_SECRET_H

#include <stdbool.h>

#include "vedette/status.h"

enum { OS_SECRET_MAX = 4096 };

/* The first line of the file at `path`, without its end, in `text`. Refused with the
 * reason: a file that cannot be read or is no regular one, that is empty, has more than
 * one line or too long a one. */
enum vd_status os_secret_read(const char *path, char text[OS_SECRET_MAX],
                              struct vd_error *err);

/* Warns when every user of the machine may read the file at `path`, which holds the
 * secret `name`. */
void os_secret_warn(const char *path, const char *name);

/* Whether a URL holds more than an address that everybody may know: a password, a query,
 * or a path such as chat services give to those who may write. */
bool os_secret_in_url(const char *url);

#endif
