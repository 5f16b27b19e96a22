/* The dashboard's files inside the binary: made at build time from web/dist, see
 * cmake/assets.cmake. Nothing is read from the disk when the program runs. */
#ifndef VD_SHOW_ASSETS_H
#define VD_SHOW_ASSETS_H

#include <stdbool.h>
#include <stddef.h>

struct show_asset {
    const char *path; /* "/index.html", "/app.js": starts with '/' */
    const char *type; /* "text/html; charset=utf-8" */
    const char *etag; /* of the bytes, without quotes: letters and digits */
    const unsigned char *bytes;
    size_t size;
    bool gzip; /* the bytes are one gzip member */
};

/* All files, `*n` of them. */
const struct show_asset *show_assets(size_t *n);

#endif
