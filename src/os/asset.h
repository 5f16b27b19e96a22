/* Files inside the binary: made into C tables at build time (cmake/embed.cmake), so that
 * nothing is read from the disk when the program runs. */
#ifndef VD_OS_ASSET_H
#define VD_OS_ASSET_H

#include <stdbool.h>
#include <stddef.h>

struct os_asset {
    const char *path; /* "/index.html", "/bars.gp": starts with '/' */
    const char *type; /* "text/html; charset=utf-8" */
    const char *etag; /* of the bytes, without quotes: letters and digits */
    const unsigned char *bytes;
    size_t size;
    bool gzip; /* the bytes are one gzip member */
};

#endif
