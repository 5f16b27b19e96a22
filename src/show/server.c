/* Owns the libwebsockets context and shares its callbacks out.
 *
 * libwebsockets runs on the program's loop through its libuv plug-in ("foreign loop").
 * Taking it down takes a few turns of the loop: the first call closes the connections,
 * whose handles libuv ends on the next turn; then the library closes its own timer, which
 * ends a turn later; only then may it be freed. `undertaker` counts the turns. */
#include "show/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "show/filter.h"

/* ---- what every answer says ---- */

static const struct lws_protocol_vhost_options security_headers[] = {
    {&security_headers[1], NULL, "content-security-policy:",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
     "img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; "
     "form-action 'none'"},
    {&security_headers[2], NULL, "x-content-type-options:", "nosniff"},
    {&security_headers[3], NULL, "x-frame-options:", "DENY"},
    {&security_headers[4], NULL, "referrer-policy:", "no-referrer"},
    {&security_headers[5], NULL, "cross-origin-opener-policy:", "same-origin"},
    {&security_headers[6], NULL, "cross-origin-resource-policy:", "same-origin"},
    {NULL, NULL, "permissions-policy:",
     "camera=(), microphone=(), geolocation=(), payment=(), usb=()"},
};

void show_ask_status(struct show_server *server, struct show_status *out)
{
    *out = (struct show_status){.host = "", .state = "warming"};
    if (server->source.status != NULL)
        server->source.status(server->source.context, out);
}

/* Three intervals without a tick, and ten seconds at least, are too long. */
bool show_is_alive(struct show_server *server)
{
    struct show_status status;
    double limit_ms;

    if (!server->snapshot.filled)
        return false;
    show_ask_status(server, &status);
    limit_ms = fmax(10000, 3000 * status.interval_s);
    return (double)(uv_now(server->loop) - server->published_ms) <= limit_ms;
}

/* ---- callbacks ---- */

static void session_end(struct show_session *session)
{
    if (session == NULL)
        return;
    if (session->kind == SESSION_REQUEST)
        show_http_end(session);
    else if (session->kind == SESSION_LIVE)
        show_live_end(session);
    session->kind = SESSION_IDLE;
}

/* The checks run here, in the filters, for each request and each upgrade. A connection
 * that fails one is answered and closed. */
static int refuse(struct show_server *server, struct lws *wsi, const char *why)
{
    server->refused++;
    lws_return_http_status(wsi, HTTP_STATUS_FORBIDDEN, why);
    return -1;
}

static int filter_upgrade(struct show_server *server, struct lws *wsi, const char *to)
{
    char *path = NULL;
    int size = 0;
    const char *why;

    if (to != NULL && strcasecmp(to, "websocket") != 0)
        return -1; /* HTTP/2 would come by another way than the filters */
    if (lws_http_get_uri_and_method(wsi, &path, &size) != LWSHUMETH_GET || path == NULL ||
        strcmp(path, "/api/v1/live") != 0)
        return refuse(server, wsi, "WebSockets live at /api/v1/live");
    why = show_http_refusal(wsi, path);
    if (why != NULL)
        return refuse(server, wsi, why);
    if (server->n_clients >= server->config.max_clients)
        return refuse(server, wsi, "too many clients");
    return 0;
}

static struct show_session *session_of(struct show_server *server, struct lws *wsi,
                                       void *user, int kind)
{
    struct show_session *session = user;

    if (session != NULL && session->kind == SESSION_IDLE) {
        session->wsi = wsi;
        session->server = server;
        session->kind = kind;
    }
    return session;
}

static int on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                   const char *in, size_t size)
{
    struct show_server *server = lws_context_user(lws_get_context(wsi));
    struct show_session *session;
    const char *why;

    if (reason == LWS_CALLBACK_FILTER_HTTP_CONNECTION) {
        why = show_http_refusal(wsi, in);
        return why == NULL ? 0 : refuse(server, wsi, why);
    }
    session = session_of(server, wsi, user, SESSION_REQUEST);
    if (session == NULL || session->kind != SESSION_REQUEST)
        return -1;
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        server->requests++;
        return show_http_request(session, in);
    case LWS_CALLBACK_HTTP_BODY:
        return show_http_body(session, in, size);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return show_http_body_end(session);
    default:
        return show_http_writable(session);
    }
}

static int on_live(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                   const char *in, size_t size)
{
    struct show_server *server = lws_context_user(lws_get_context(wsi));
    struct show_session *session;

    if (reason == LWS_CALLBACK_ESTABLISHED)
        return show_live_start(session_of(server, wsi, user, SESSION_LIVE));
    session = user;
    if (session == NULL || session->kind != SESSION_LIVE)
        return -1;
    if (reason == LWS_CALLBACK_RECEIVE)
        return show_live_received(session, in, size);
    return show_live_writable(session);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                    void *in, size_t size)
{
    struct show_server *server = lws_context_user(lws_get_context(wsi));

    switch (reason) {
    case LWS_CALLBACK_WSI_CREATE:
        server->connections++;
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        server->connections--;
        show_listen_resume(server);
        return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return filter_upgrade(server, wsi,
                              reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE ? in : NULL);
    case LWS_CALLBACK_FILTER_HTTP_CONNECTION:
    case LWS_CALLBACK_HTTP:
    case LWS_CALLBACK_HTTP_BODY:
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return on_http(wsi, reason, user, in, size);
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return on_live(wsi, reason, user, in, size);
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_CLOSED:
        session_end(user);
        return 0;
    case LWS_CALLBACK_RAW_ADOPT: /* CONNECT turns a connection into a raw one */
    case LWS_CALLBACK_RAW_RX:
    case LWS_CALLBACK_RAW_WRITEABLE:
        return -1;
    default:
        return 0;
    }
}

/* ---- life ---- */

static const struct lws_protocols protocols[] = {
    {.name = "vedette",
     .callback = on_event,
     .per_session_data_size = sizeof(struct show_session),
     .rx_buffer_size = SHOW_BODY_MAX},
    {.name = NULL},
};

/* Pages that went to sleep are asked after 30 s whether they are there, and dropped 60 s
 * later. */
static const lws_retry_bo_t keep_alive = {
    .secs_since_valid_ping = 30,
    .secs_since_valid_hangup = 90,
};

struct show_config show_config_default(void)
{
    return (struct show_config){
        .address = "127.0.0.1", .port = 5000, .max_clients = 32, .version = ""};
}

static enum vd_status start_context(struct show_server *server, struct vd_error *err)
{
    void *loops[1] = {server->loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .headers = security_headers,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DISABLE_IPV6 |
                   LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN,
        .foreign_loops = loops,
        .user = server,
        .gid = -1,
        .uid = -1,
        .server_string = "vedette",
        .vhost_name = "vedette",
        .alpn = "http/1.1",
        .keepalive_timeout = 30,
        .timeout_secs = 15,
        .max_http_header_data =
            16384, /* other programs' cookies for localhost come along */
        .retry_and_idle_policy = &keep_alive,
    };

    info.fd_limit_per_thread = (unsigned)server->connections_max + 8;
    lws_set_log_level(0, NULL);
    server->context = lws_create_context(&info);
    if (server->context == NULL)
        return vd_error_set(err, VD_ERR_UNAVAILABLE,
                            "install the package libwebsockets-evlib-uv",
                            "libwebsockets does not start with its libuv part");
    server->vhost = lws_get_vhost_by_name(server->context, "vedette");
    return VD_OK;
}

static void release(struct show_server *server)
{
    show_snapshot_release(&server->snapshot);
    show_json_release(&server->tick);
    show_json_release(&server->processes);
    show_json_release(&server->metrics);
    show_json_release(&server->status);
    uv_mutex_destroy(&server->job_lock);
    uv_cond_destroy(&server->job_done);
    free(server->version);
    free(server);
}

static struct show_server *create(uv_loop_t *loop, const struct show_config *config,
                                  const struct show_source *source)
{
    struct show_server *server = calloc(1, sizeof *server);

    if (server == NULL)
        return NULL;
    server->loop = loop;
    server->config = *config;
    server->source = *source;
    server->listen_fd = -1;
    server->connections_max = config->max_clients + SHOW_SPARE_CONNECTIONS;
    server->version = strdup(config->version == NULL ? "" : config->version);
    if (server->version == NULL || uv_mutex_init(&server->job_lock) != 0) {
        free(server->version);
        free(server);
        return NULL;
    }
    if (uv_cond_init(&server->job_done) != 0) {
        uv_mutex_destroy(&server->job_lock);
        free(server->version);
        free(server);
        return NULL;
    }
    return server;
}

enum vd_status show_server_new(show_server **out, uv_loop_t *loop,
                               const struct show_config *config,
                               const struct show_source *source, struct vd_error *err)
{
    struct show_server *server = create(loop, config, source);
    enum vd_status status;

    *out = NULL;
    if (server == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the server");
    status = show_listen(server, err);
    if (server->listen_fd < 0) {
        release(server);
        return status;
    }
    status = start_context(server, err);
    if (status != VD_OK) {
        show_server_free(server);
        return status;
    }
    *out = server;
    return VD_OK;
}

int show_server_port(const show_server *server)
{
    return server->port;
}

void show_server_publish(show_server *server, const struct record *record)
{
    bool grew = false;

    if (show_snapshot_take(&server->snapshot, record, &grew) != VD_OK)
        return;
    server->published_ms = uv_now(server->loop);
    server->tick_made = server->processes_made = false;
    if (grew)
        server->metrics_made = false;
    if (record->event != NULL && record->change == RECORD_EVENT_OPENED &&
        record->event->severity <= RECORD_CRITICAL)
        server->events[record->event->severity]++;
    show_live_publish(server, record, grew);
    show_listen_resume(server);
}

static void on_buried(uv_handle_t *handle)
{
    release(handle->data);
}

static void on_turn(uv_idle_t *idle)
{
    struct show_server *server = idle->data;

    if (++server->turns < 4 || server->n_jobs > 0 || !server->listener_closed)
        return;
    if (server->context != NULL)
        lws_context_destroy(server->context);
    server->context = NULL;
    uv_close((uv_handle_t *)idle, on_buried);
}

void show_server_free(show_server *server)
{
    if (server == NULL || server->closing)
        return;
    server->closing = true;
    show_jobs_finish(server);
    show_listen_close(server);
    if (server->context != NULL)
        lws_context_destroy(server->context);
    uv_idle_init(server->loop, &server->undertaker);
    server->undertaker.data = server;
    uv_idle_start(&server->undertaker, on_turn);
}
