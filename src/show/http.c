/* One request after the other on a connection: read it whole, decide (api.c, files.c),
 * send the header and the body as the socket takes them. */
#include "show/internal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "show/analyses.h"
#include "show/filter.h"

enum { PIECES_A_TURN = 8 }; /* of a file, 64 KiB each */

/* Reads Sec-Fetch-Site, in which the browser says who made it send this. Other programs
 * do not send it. */
static bool comes_from_elsewhere(const struct show_head *head)
{
    const char *site = head->field[SHOW_FIELD_FETCH_SITE];

    return site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

/* Says why the request may not be answered, NULL when it may. A page of another site can
 * make a browser send requests here, and these fields are what it cannot forge. */
const char *show_http_refusal(const struct show_head *head)
{
    const char *host = head->field[SHOW_FIELD_HOST];

    if (!show_host_is_local(host))
        return "the Host header must be localhost, 127.0.0.1 or [::1]";
    if (!show_origin_is_same(head->field[SHOW_FIELD_ORIGIN], host))
        return "requests of other sites are refused";
    /* A link from elsewhere may open the page, but nothing else. */
    if (strncmp(head->path, "/api/", 5) == 0 && comes_from_elsewhere(head))
        return "requests of other sites are refused";
    return NULL;
}

/* ---- answers ---- */

/* Makes the answer an error; what was written before is dropped. */
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

/* Turns an error of the program into a status of HTTP: whose fault it is, and whether
 * asking again may help. */
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

void show_http_answer(struct show_session *session)
{
    show_body_settle(session);
    show_session_enter(session, SHOW_PHASE_ANSWER);
    show_session_wait(session);
}

/* ---- requests ---- */

/* The formats of a scrape. The older one is for scrapers that do not ask for
 * OpenMetrics. */
static const struct scrape {
    const char *type;
    bool openmetrics;
} scrapes[] = {
    {"text/plain; version=0.0.4; charset=utf-8", false},
    {"application/openmetrics-text; version=1.0.0; charset=utf-8", true},
};

static void write_scrape(struct show_server *server, const void *key, struct show_json *j)
{
    const struct scrape *scrape = key;

    show_openmetrics(j, server, scrape->openmetrics);
}

/* Answers a scrape in the format that it accepts. */
static void respond_metrics(struct show_session *session)
{
    const char *accept = session->request.head.field[SHOW_FIELD_ACCEPT];
    bool openmetrics =
        accept != NULL && strstr(accept, "application/openmetrics-text") != NULL;

    show_respond_shared(session, scrapes[openmetrics].type, &scrapes[openmetrics],
                        write_scrape);
}

/* Answers 200 while ticks come and 503 when they have stopped, which is what a supervisor
 * asks. */
static void respond_health(struct show_session *session)
{
    struct show_response *r = &session->request.response;
    bool alive = show_is_alive(session->server);

    r->status = alive ? 200 : 503;
    r->type = "text/plain; charset=utf-8";
    r->bytes = alive ? "ok\n" : "no ticks\n";
    r->size = strlen(r->bytes);
}

/* Refuses a body where none belongs. */
static bool has_body(struct show_session *session)
{
    struct show_request *request = &session->request;

    if (request->head.body_size == 0 &&
        request->head.field[SHOW_FIELD_TRANSFER_ENCODING] == NULL)
        return false;
    show_respond_error(&request->response, 400, "bad_request", "only a POST has a body",
                       NULL);
    request->response.close = true; /* its bytes may look like a request */
    return true;
}

/* Answers a GET or HEAD by its path: a scrape, the health, the API, else a file of the
 * page. */
static void respond_to_get(struct show_session *session)
{
    struct show_request *request = &session->request;
    const char *path = request->head.path;

    request->response.without_body = request->head.method == SHOW_HEAD;
    if (has_body(session))
        return;
    if (strcmp(path, "/metrics") == 0)
        respond_metrics(session);
    else if (strcmp(path, "/healthz") == 0)
        respond_health(session);
    else if (strncmp(path, "/api/", 5) == 0)
        show_api_respond(session);
    else
        show_files_respond(session);
}

/* Accepts the type with or without parameters such as a charset. */
static bool is_json(const char *type)
{
    return type != NULL && strncasecmp(type, "application/json", 16) == 0 &&
           (type[16] == '\0' || type[16] == ';' || type[16] == ' ');
}

/* Begins the POST of feedback. Its body must be small, announced and JSON: a form of
 * another site can send neither that type nor, by the filters, anything at all. */
static void begin_feedback(struct show_session *session)
{
    struct show_request *request = &session->request;
    struct show_response *r = &request->response;
    const struct show_head *head = &request->head;
    const char *expected = head->field[SHOW_FIELD_EXPECT];
    enum show_event_part part = SHOW_EVENT_WHOLE;
    int64_t id = 0;
    struct show_query query;

    if (!show_query_event_path(head->path, &id, &part) || part != SHOW_EVENT_FEEDBACK) {
        show_respond_error(r, 405, "method", "only GET is known here", NULL);
        r->allow = "GET, HEAD";
    } else if (!show_api_read_query(session, &query, SHOW_QUERY_NONE)) {
        return;
    } else if (!is_json(head->field[SHOW_FIELD_TYPE])) {
        show_respond_error(r, 415, "type", "the body must be application/json", NULL);
    } else if (head->body_size == 0) {
        show_respond_error(r, 411, "length", "the body needs a Content-Length", NULL);
    } else if (head->body_size > SHOW_BODY_MAX) {
        show_respond_error(r, 413, "too_large", "the body is too large", NULL);
    } else if (expected != NULL && strcasecmp(expected, "100-continue") != 0) {
        show_respond_error(r, 417, "expectation", "only 100-continue can be expected",
                           NULL);
    } else {
        request->size = head->used + (size_t)head->body_size;
        request->feedback_id = id;
    }
}

static void begin_post(struct show_session *session)
{
    if (!show_analyses_post(session))
        begin_feedback(session);
}

/* Answers a DELETE. It may take no body either. */
static void respond_to_delete(struct show_session *session)
{
    struct show_response *r = &session->request.response;

    if (has_body(session) || show_analyses_delete(session))
        return;
    show_respond_error(r, 405, "method", "only an analysis can be deleted", NULL);
    r->allow = "GET, HEAD";
    r->close = true;
}

/* Answers "Expect: 100-continue": the client sends its body only after a word of ours.
 * When the body is here already the word is not needed. */
static int say_go_on(struct show_session *session)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct show_head *head = &session->request.head;
    size_t size = sizeof go_on - 1;

    if (head->field[SHOW_FIELD_EXPECT] == NULL || head->is_1_0 ||
        session->input_size > head->used)
        return 0;
    return show_session_send(session, go_on, size) == (ptrdiff_t)size ? 0 : -1;
}

/* Makes the answer an error after which the connection closes: what follows a request
 * that was not understood cannot be trusted. */
static void refuse(struct show_session *session, unsigned status, const char *code,
                   const char *why)
{
    show_respond_error(&session->request.response, status, code, why, NULL);
    session->request.response.close = true;
}

/* Decides what the head alone decides: most answers, and what a body is for. */
static void decide(struct show_session *session)
{
    struct show_request *request = &session->request;
    const char *why;

    if (request->head.method == SHOW_OTHER_METHOD) {
        refuse(session, 405, "method", "only GET, HEAD, POST and DELETE are known");
        request->response.allow = "GET, HEAD";
        return;
    }
    why = show_http_refusal(&request->head);
    if (why != NULL) {
        session->server->refused++;
        refuse(session, 403, "forbidden", why);
    } else if (request->head.method == SHOW_POST) {
        begin_post(session);
        /* A body that is not wanted is not read either. */
        request->response.close = request->response.status != 0;
    } else if (request->head.method == SHOW_DELETE) {
        respond_to_delete(session);
    } else {
        respond_to_get(session);
    }
}

/* Goes on with a table, of which some may have come with the head. */
static int start_upload(struct show_session *session)
{
    show_session_enter(session, SHOW_PHASE_UPLOAD);
    return say_go_on(session) != 0 ? -1 : show_upload_received(session);
}

/* Begins the request whose head has been read: an upgrade goes to the live feed, a body
 * is waited for, a job answers later, and all else is answered at once. In a crowd each
 * client gets one answer and makes room: who waits outside comes before who asks again.
 */
static int start_request(struct show_session *session)
{
    struct show_request *request = &session->request;

    request->size = request->head.used;
    request->response.close = request->head.close;
    session->server->requests++;
    if (request->head.upgrade && request->head.field[SHOW_FIELD_UPGRADE] != NULL &&
        request->head.method == SHOW_GET)
        return show_live_start(session);
    decide(session);
    request->response.close |= request->head.close || show_is_crowded(session->server);
    if (request->feedback_id != 0 && request->response.status == 0) {
        show_session_enter(session, SHOW_PHASE_BODY);
        if (say_go_on(session) != 0)
            return -1;
    }
    if (request->upload != NULL)
        return start_upload(session);
    if (request->response.status != 0)
        show_http_answer(session);
    else if (request->job != NULL)
        show_session_enter(session, SHOW_PHASE_JOB);
    return 0;
}

/* Reads as much of the head as is there. The clock of a slow client starts with its first
 * byte, not with its connection. */
static int read_head(struct show_session *session)
{
    struct show_request *request = &session->request;

    if (session->input_size == 0)
        return 0;
    if (session->begun_ms == 0) {
        show_session_enter(session, SHOW_PHASE_HEAD);
        session->begun_ms = session->since_ms;
    }
    switch (show_head_read(&request->head, session->input, session->input_size)) {
    case SHOW_HEAD_DONE:
        return start_request(session);
    case SHOW_HEAD_REFUSED:
        session->server->refused++;
        refuse(session, request->head.status, "bad_request", request->head.why);
        show_http_answer(session);
        return 0;
    default:
        return 0;
    }
}

/* Acts on a body that is whole: only feedback has one. */
static void end_body(struct show_session *session)
{
    struct show_request *request = &session->request;
    size_t head = request->head.used;

    show_api_feedback(session, session->input + head, request->size - head);
    if (request->response.status != 0)
        show_http_answer(session);
    else
        show_session_enter(session, SHOW_PHASE_JOB);
}

int show_http_received(struct show_session *session)
{
    if (session->phase == SHOW_PHASE_HEAD && read_head(session) != 0)
        return -1;
    if (session->phase == SHOW_PHASE_BODY && session->input_size >= session->request.size)
        end_body(session);
    return 0;
}

/* Answers a request that took too long. It is our fault (503) while a job runs, else the
 * client's (408). */
int show_http_late(struct show_session *session, const char *what)
{
    struct show_request *request = &session->request;
    char message[80];
    bool ours = session->phase == SHOW_PHASE_JOB;

    snprintf(message, sizeof message, "%s took too long", what);
    if (request->job != NULL)
        show_job_forget(request->job);
    request->job = NULL;
    refuse(session, ours ? 503 : 408, ours ? "not_ready" : "timeout", message);
    show_http_answer(session);
    return 0;
}

/* ---- sending ---- */

static const char *reason_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } known[] = {
        {200, "OK"},
        {201, "Created"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {426, "Upgrade Required"},
        {431, "Request Header Fields Too Large"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {507, "Insufficient Storage"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].status == status)
            return known[i].reason;
    return "Internal Server Error";
}

/* Goes with every answer. The page may load only its own files, may not be framed, and
 * may send nothing to other sites, so that a hostile name of a process that found a way
 * into the page could still do nothing. */
static const char security_headers[] =
    "server: vedette\r\n"
    "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'\r\n"
    "x-content-type-options: nosniff\r\n"
    "x-frame-options: DENY\r\n"
    "referrer-policy: no-referrer\r\n"
    "cross-origin-opener-policy: same-origin\r\n"
    "cross-origin-embedder-policy: require-corp\r\n"
    "cross-origin-resource-policy: same-origin\r\n"
    "origin-agent-cluster: ?1\r\n"
    "x-permitted-cross-domain-policies: none\r\n"
    "permissions-policy: camera=(), microphone=(), geolocation=(), payment=(), usb=()\r\n"
    "vary: accept-encoding\r\n";

/* Appends to the head of the answer, whose room is made for the longest there is. */
static void add(struct show_response *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct show_response *r, const char *format, ...)
{
    size_t room = sizeof r->header - r->header_size;
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(r->header + r->header_size, room, format, arguments);
    va_end(arguments);
    assert(n >= 0 && (size_t)n < room); /* nothing in it comes from outside */
    r->header_size += (size_t)n;
}

/* Adds the date, which HTTP asks of every server that has a clock. */
static void add_date(struct show_response *r)
{
    time_t now = time(NULL);
    struct tm utc;
    char text[40];

    if (gmtime_r(&now, &utc) != NULL &&
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc) > 0)
        add(r, "date: %s\r\n", text);
}

/* Writes the head of the answer. A file has a tag and may be kept as long as it is asked
 * for again; everything else is of this moment. */
static void write_header(struct show_response *r)
{
    add(r, "HTTP/1.1 %u %s\r\n%s", r->status, reason_of(r->status), security_headers);
    add_date(r);
    if (r->etag != NULL)
        add(r, "cache-control: no-cache\r\netag: \"%s\"\r\n", r->etag);
    else
        add(r, "cache-control: no-store\r\n");
    if (r->status != 304)
        add(r, "content-type: %s\r\ncontent-length: %zu\r\n", r->type, r->size);
    if (r->gzip && r->status != 304)
        add(r, "content-encoding: gzip\r\n");
    if (r->download[0] != '\0')
        add(r, "content-disposition: attachment; filename=\"%s\"\r\n", r->download);
    if (r->allow != NULL)
        add(r, "allow: %s\r\n", r->allow);
    if (r->status == 426)
        add(r, "upgrade: websocket\r\nsec-websocket-version: 13\r\n");
    add(r, r->close ? "connection: close\r\n\r\n" : "\r\n");
}

/* Ends an answer that was sent: the connection waits for the next request, or is closed
 * once the client has read all. */
static int complete(struct show_session *session)
{
    struct show_request *request = &session->request;
    bool close = request->response.close;
    size_t used = request->size;

    show_http_end(session);
    session->begun_ms = 0;
    session->served = true;
    if (close) {
        show_session_linger(session);
        return 0;
    }
    show_session_consume(session, used);
    show_session_enter(session, SHOW_PHASE_HEAD);
    return 0;
}

/* Sends a piece of a file. It is small: the loop waits for the disk meanwhile. */
static ptrdiff_t send_of_file(struct show_session *session, size_t from)
{
    const struct show_response *r = &session->request.response;
    char piece[64 << 10];
    size_t size = r->size - from < sizeof piece ? r->size - from : sizeof piece;
    ssize_t n = pread(r->file, piece, size, (off_t)from);
    ptrdiff_t sent = n <= 0 ? -1 : show_session_send(session, piece, (size_t)n);

    if (sent > 0)
        show_session_moved(session, (size_t)sent);
    return sent;
}

/* Sends what the socket takes of the head, then of the body. */
static ptrdiff_t send_piece(struct show_session *session)
{
    struct show_response *r = &session->request.response;
    size_t of_body;

    if (r->sent < r->header_size)
        return show_session_send(session, r->header + r->sent, r->header_size - r->sent);
    of_body = r->sent - r->header_size;
    if (r->has_file)
        return send_of_file(session, of_body);
    return show_session_send(session, r->bytes + of_body, r->size - of_body);
}

/* Sends until all is sent, the socket is full, or others are to have their turn. A HEAD
 * and a 304 end with the header. */
int show_http_writable(struct show_session *session)
{
    struct show_response *r = &session->request.response;
    size_t total, pieces = 0;
    ptrdiff_t sent = 1;

    if (r->header_size == 0)
        write_header(r);
    total = r->header_size + (r->without_body || r->status == 304 ? 0 : r->size);
    while (r->sent < total && sent > 0 && pieces++ < PIECES_A_TURN) {
        sent = send_piece(session);
        if (sent < 0)
            return -1;
        r->sent += (size_t)sent;
    }
    return r->sent == total ? complete(session) : 0;
}

/* Releases what the request holds. The job is only told that nobody waits; a worker may
 * still be at it. */
void show_http_end(struct show_session *session)
{
    struct show_request *request = &session->request;

    if (request->job != NULL)
        show_job_forget(request->job);
    if (request->upload != NULL)
        show_upload_forget(request->upload);
    if (request->response.has_file)
        close(request->response.file);
    show_body_release(session->server, &request->response);
    *request = (struct show_request){0};
}
