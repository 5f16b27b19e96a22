/* The page's files, from memory. They are kept gzipped, since nearly every client takes
 * them so; for the others they are unpacked. Any path that is no file and looks like none
 * is the page itself, which finds out what to show. */
#include "show/internal.h"

#include <string.h>

#include "show/assets.h"
#include "show/compress.h"

/* Finds a file by its exact path. The files are part of the program, so no path can lead
 * out of a folder. */
static const struct os_asset *find(const char *path)
{
    size_t n = 0;
    const struct os_asset *asset = show_assets(&n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(asset[i].path, path) == 0)
            return &asset[i];
    return NULL;
}

/* Tells whether the client has this version. It takes "*" and lists of tags, also weak
 * ones (W/ in front), as browsers and proxies send them. */
static bool has_it_already(const char *tags, const char *etag)
{
    const char *at;

    if (tags == NULL)
        return false;
    at = strstr(tags, etag);
    return strcmp(tags, "*") == 0 ||
           (at != NULL && at > tags && at[-1] == '"' && at[strlen(etag)] == '"');
}

/* Unpacks a file for clients that do not take it packed. */
static void write_unpacked(struct show_server *server, const void *key,
                           struct show_json *j)
{
    const struct os_asset *asset = key;

    (void)server;
    j->failed |= !show_gunzip(j, asset->bytes, asset->size);
}

/* Answers with a file of the page. A path without a dot in its last part is the page
 * itself: it is an address that only the page's own script knows. */
void show_files_respond(struct show_session *session)
{
    struct show_response *r = &session->request.response;
    const struct show_head *head = &session->request.head;
    const char *path = head->path;
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
    r->gzip = asset->gzip && show_takes_gzip(head->field[SHOW_FIELD_ACCEPT_ENCODING]);
    if (has_it_already(head->field[SHOW_FIELD_IF_NONE_MATCH], asset->etag)) {
        r->status = 304;
        r->gzip = false;
        r->bytes = "";
    } else if (asset->gzip && !r->gzip) {
        show_respond_shared(session, asset->type, asset, write_unpacked);
    } else {
        r->bytes = (const char *)asset->bytes;
        r->size = asset->size;
    }
}
