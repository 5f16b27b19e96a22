/* The page's files, from memory. They are kept gzipped, since nearly every client takes
 * them so; for the others they are unpacked. Any path that is no file and looks like none
 * is the page itself, which finds out what to show. */
#include "show/internal.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "show/assets.h"

enum { UNPACKED_MAX = 16 * 1024 * 1024 };

static const struct os_asset *find(const char *path)
{
    size_t n = 0;
    const struct os_asset *asset = show_assets(&n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(asset[i].path, path) == 0)
            return &asset[i];
    return NULL;
}

static bool takes_gzip(struct lws *wsi)
{
    char text[256];
    const char *at;

    if (lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_ACCEPT_ENCODING) <= 0)
        return false;
    at = strstr(text, "gzip");
    if (at == NULL)
        return false;
    at += 4 + strspn(at + 4, " ");
    return *at != ';' || strtod(at + 1 + strcspn(at + 1, "=,") + 1, NULL) > 0;
}

static bool has_it_already(struct lws *wsi, const char *etag)
{
    char text[256];

    return lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_IF_NONE_MATCH) > 0 &&
           strstr(text, etag) != NULL;
}

static bool unpack(struct show_json *out, const struct os_asset *asset)
{
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)asset->bytes,
                  .avail_in = (uInt)asset->size};
    unsigned char piece[4096];
    int result;

    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return false;
    do {
        z.next_out = piece;
        z.avail_out = sizeof piece;
        result = inflate(&z, Z_NO_FLUSH);
        show_json_append(out, (const char *)piece, sizeof piece - z.avail_out);
    } while (result == Z_OK && out->size < UNPACKED_MAX);
    inflateEnd(&z);
    return result == Z_STREAM_END && !out->failed;
}

void show_files_respond(struct show_response *r, struct lws *wsi, const char *path)
{
    const struct os_asset *asset = find(strcmp(path, "/") == 0 ? "/index.html" : path);
    const char *name = strrchr(path, '/');

    if (asset == NULL && name != NULL && strchr(name, '.') == NULL)
        asset = find("/index.html");
    if (asset == NULL) {
        show_respond_error(r, 404, "not_found", "there is nothing at this address", NULL);
        return;
    }
    r->status = 200;
    r->type = asset->type;
    r->etag = asset->etag;
    if (has_it_already(wsi, asset->etag)) {
        r->status = 304;
        r->bytes = "";
        return;
    }
    r->gzip = asset->gzip && takes_gzip(wsi);
    if (asset->gzip && !r->gzip) {
        if (!unpack(&r->owned, asset))
            show_respond_error(r, 500, "failed", "the page cannot be unpacked", NULL);
        return;
    }
    r->bytes = (const char *)asset->bytes;
    r->size = asset->size;
}
