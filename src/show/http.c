/* One request after the other on a connection: decide (api.c, files.c), send the headers,
 * send the body in pieces as the socket takes them. */
#include "show/internal.h"

#include <stdlib.h>
#include <string.h>

#include "show/filter.h"

enum { HEADER_SIZE = 2048, TIMEOUT_S = 20 };

/* A header's text, NULL when it was not sent. Longer than the buffer: the buffer's "?",
 * which no check lets pass. */
static const char *header(struct lws *wsi, enum lws_token_indexes token, char *text,
                          int size)
{
    int length = lws_hdr_total_length(wsi, token);

    if (length <= 0)
        return NULL;
    if (lws_hdr_copy(wsi, text, size, token) < 0)
        return "?";
    return text;
}

/* Sec-Fetch-Site: what the browser says about who made it send this. Absent from other
 * programs. */
static bool comes_from_elsewhere(struct lws *wsi)
{
    static const char name[] = "sec-fetch-site:";
    char site[32];

    if (lws_hdr_custom_length(wsi, name, sizeof name - 1) <= 0)
        return false;
    if (lws_hdr_custom_copy(wsi, site, sizeof site, name, sizeof name - 1) < 0)
        return true;
    return strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

const char *show_http_refusal(struct lws *wsi, const char *path)
{
    char host_text[128], origin_text[160];
    const char *host = header(wsi, WSI_TOKEN_HOST, host_text, sizeof host_text);
    const char *origin = header(wsi, WSI_TOKEN_ORIGIN, origin_text, sizeof origin_text);

    if (!show_host_is_local(host))
        return "the Host header must be localhost, 127.0.0.1 or [::1]";
    if (!show_origin_is_same(origin, host))
        return "requests of other sites are refused";
    /* A link from elsewhere may open the page, but nothing else. */
    if (strncmp(path, "/api/", 5) == 0 && comes_from_elsewhere(wsi))
        return "requests of other sites are refused";
    return NULL;
}

/* ---- answers ---- */

void show_respond_error(struct show_response *r, unsigned status, const char *code,
                        const char *message, const char *hint)
{
    show_json_clear(&r->owned);
    show_encode_error(&r->owned, code, message, hint);
    r->status = status;
    r->type = "application/json";
    r->etag = NULL;
    r->gzip = false;
}

void show_respond_failure(struct show_response *r, enum vd_status status,
                          const struct vd_error *err)
{
    const char *message = err->text[0] == '\0' ? vd_status_text(status) : err->text;

    switch (status) {
    case VD_ERR_ARGUMENT:
        show_respond_error(r, 400, "bad_request", message, err->hint);
        return;
    case VD_ERR_DATA:
        show_respond_error(r, 404, "not_found", message, err->hint);
        return;
    case VD_ERR_NOT_READY:
    case VD_ERR_RETRY:
    case VD_ERR_BUSY:
    case VD_ERR_UNAVAILABLE:
        show_respond_error(r, 503, "not_ready", message, err->hint);
        return;
    default:
        show_respond_error(r, 500, "failed", message, err->hint);
    }
}

/* Our own bytes are the body unless others were given. */
static void finish_response(struct show_response *r)
{
    if (r->bytes == NULL && r->owned.failed) {
        show_json_release(&r->owned);
        r->status = 503;
    }
    if (r->bytes == NULL) {
        r->bytes = show_json_text(&r->owned);
        r->size = r->owned.size;
    }
}

void show_http_answer(struct show_session *session)
{
    finish_response(&session->request.response);
    lws_callback_on_writable(session->wsi);
}

/* ---- requests ---- */

static bool accepts(struct lws *wsi, const char *type)
{
    char text[512];
    const char *accept = header(wsi, WSI_TOKEN_HTTP_ACCEPT, text, sizeof text);

    return accept != NULL && strstr(accept, type) != NULL;
}

static void respond_metrics(struct show_session *session)
{
    struct show_response *r = &session->request.response;
    bool openmetrics = accepts(session->wsi, "application/openmetrics-text");

    show_openmetrics(&r->owned, session->server, openmetrics);
    r->status = 200;
    r->type = openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                          : "text/plain; version=0.0.4; charset=utf-8";
}

static void respond_health(struct show_session *session)
{
    struct show_response *r = &session->request.response;
    bool alive = show_is_alive(session->server);

    r->status = alive ? 200 : 503;
    r->type = "text/plain; charset=utf-8";
    r->bytes = alive ? "ok\n" : "no ticks\n";
    r->size = strlen(r->bytes);
}

static void respond_to_get(struct show_session *session, const char *path)
{
    if (strcmp(path, "/metrics") == 0)
        respond_metrics(session);
    else if (strcmp(path, "/healthz") == 0)
        respond_health(session);
    else if (strncmp(path, "/api/", 5) == 0)
        show_api_respond(session, path);
    else
        show_files_respond(&session->request.response, session->wsi, path);
}

/* The one POST. Its body must be small, announced and JSON: a form of another site can
 * send neither that type nor, by the filters, anything at all. The connection ends with
 * the answer, since the library takes what follows a body for a part of it. */
static void begin_post(struct show_session *session, const char *path)
{
    struct show_request *request = &session->request;
    struct show_response *r = &request->response;
    struct lws *wsi = session->wsi;
    char text[128];
    const char *type = header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, text, sizeof text);
    enum show_event_part part = SHOW_EVENT_WHOLE;
    int64_t id = 0;
    long size = -1;

    r->close = true;
    if (!show_query_event_path(path, &id, &part) || part != SHOW_EVENT_FEEDBACK) {
        show_respond_error(r, 405, "method", "only GET is known here", NULL);
        r->allow = "GET, HEAD";
        return;
    }
    if (type == NULL || strncasecmp(type, "application/json", 16) != 0 ||
        (type[16] != '\0' && type[16] != ';')) {
        show_respond_error(r, 415, "type", "the body must be application/json", NULL);
        return;
    }
    if (header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, text, sizeof text) != NULL)
        size = strtol(text, NULL, 10);
    if (size <= 0 || lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0) {
        show_respond_error(r, 411, "length", "the body needs a Content-Length", NULL);
        return;
    }
    if (size > SHOW_BODY_MAX) {
        show_respond_error(r, 413, "too_large", "the body is too large", NULL);
        return;
    }
    request->body = malloc(SHOW_BODY_MAX);
    if (request->body == NULL) {
        show_respond_error(r, 503, "memory", "out of memory", NULL);
        return;
    }
    request->feedback_id = id;
}

int show_http_request(struct show_session *session, const char *path)
{
    struct show_response *r = &session->request.response;
    char *uri = NULL;
    int size = 0;
    int method = lws_http_get_uri_and_method(session->wsi, &uri, &size);

    if (method == LWSHUMETH_POST) {
        begin_post(session, path);
    } else if (method == LWSHUMETH_GET || method == LWSHUMETH_HEAD) {
        r->without_body = method == LWSHUMETH_HEAD;
        /* A body that nobody asked for would be taken for the next request. */
        if (lws_hdr_total_length(session->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0 ||
            lws_hdr_total_length(session->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0) {
            show_respond_error(r, 400, "bad_request", "a GET has no body", NULL);
            r->close = true;
        } else
            respond_to_get(session, path);
    } else {
        show_respond_error(r, 405, "method", "only GET, HEAD and one POST are known",
                           NULL);
        r->allow = "GET, HEAD";
        r->close = true;
    }
    if (r->status != 0)
        show_http_answer(session);
    return 0;
}

int show_http_body(struct show_session *session, const char *bytes, size_t size)
{
    struct show_request *request = &session->request;

    if (request->body == NULL || request->body_ended)
        return 0; /* refused already, or more than was announced */
    if (size > SHOW_BODY_MAX - request->body_size)
        return -1;
    if (size > 0)
        memcpy(request->body + request->body_size, bytes, size);
    request->body_size += size;
    return 0;
}

int show_http_body_end(struct show_session *session)
{
    /* The library says so again for whatever follows the body, for ever. */
    if (session->request.body_ended)
        return -1;
    session->request.body_ended = true;
    if (session->request.body == NULL)
        return 0;
    show_api_feedback(session);
    if (session->request.response.status != 0)
        show_http_answer(session);
    return 0;
}

/* ---- sending ---- */

static int add_header(struct lws *wsi, const char *name, const char *value,
                      unsigned char **at, unsigned char *end)
{
    return lws_add_http_header_by_name(wsi, (const unsigned char *)name,
                                       (const unsigned char *)value, (int)strlen(value),
                                       at, end);
}

static int add_cache_headers(struct lws *wsi, const struct show_response *r,
                             unsigned char **at, unsigned char *end)
{
    char tag[80];

    if (r->etag == NULL)
        return add_header(wsi, "cache-control:", "no-store", at, end);
    lws_snprintf(tag, sizeof tag, "\"%s\"", r->etag);
    return add_header(wsi, "cache-control:", "no-cache", at, end) ||
           add_header(wsi, "etag:", tag, at, end) ||
           add_header(wsi, "vary:", "accept-encoding", at, end);
}

static int send_headers(struct lws *wsi, const struct show_response *r)
{
    unsigned char block[LWS_PRE + HEADER_SIZE];
    unsigned char *at = block + LWS_PRE, *end = block + sizeof block;

    if (lws_add_http_header_status(wsi, r->status, &at, end) ||
        add_cache_headers(wsi, r, &at, end) ||
        (r->status != 304 &&
         (add_header(wsi, "content-type:", r->type, &at, end) ||
          lws_add_http_header_content_length(wsi, r->size, &at, end))))
        return -1;
    if ((r->gzip && add_header(wsi, "content-encoding:", "gzip", &at, end)) ||
        (r->allow != NULL && add_header(wsi, "allow:", r->allow, &at, end)) ||
        (r->close && add_header(wsi, "connection:", "close", &at, end)))
        return -1;
    return lws_finalize_write_http_header(wsi, block + LWS_PRE, &at, end);
}

static int complete(struct show_session *session)
{
    struct lws *wsi = session->wsi;
    bool hang_up = session->request.response.close;

    show_http_end(session);
    session->kind = SESSION_IDLE;
    return hang_up || lws_http_transaction_completed(wsi) ? -1 : 0;
}

int show_http_writable(struct show_session *session)
{
    struct show_response *r = &session->request.response;
    struct lws *wsi = session->wsi;
    size_t left, piece;

    if (r->status == 0)
        return 0; /* a job is still at work */
    if (!r->headers_sent) {
        r->headers_sent = true;
        if (send_headers(wsi, r) != 0)
            return -1;
        if (r->without_body || r->status == 304 || r->size == 0)
            return complete(session);
        lws_callback_on_writable(wsi);
        return 0;
    }
    left = r->size - r->sent;
    piece = left < SHOW_CHUNK ? left : SHOW_CHUNK;
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, TIMEOUT_S);
    /* HTTP/1 bodies are written as they are: the library does not touch the bytes. */
    if (lws_write(wsi, (unsigned char *)(uintptr_t)r->bytes + r->sent, piece,
                  piece == left ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < (int)piece)
        return -1;
    r->sent += piece;
    if (piece == left)
        return complete(session);
    lws_callback_on_writable(wsi);
    return 0;
}

void show_http_end(struct show_session *session)
{
    struct show_request *request = &session->request;

    if (request->job != NULL)
        show_job_forget(request->job);
    show_json_release(&request->response.owned);
    free(request->body);
    *request = (struct show_request){0};
}
