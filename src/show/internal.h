/* The parts of the server among themselves: server.c owns it and shares out what
 * libwebsockets reports; listen.c accepts; http.c answers requests, api.c and jobs.c know
 * what with; websocket.c feeds the live pages.
 *
 * Everything runs on the loop's thread but what jobs.c does on workers. */
#ifndef VD_SHOW_INTERNAL_H
#define VD_SHOW_INTERNAL_H

#include <libwebsockets.h>
#include <uv.h>

#include "show/encode.h"
#include "show/json.h"
#include "show/query.h"
#include "show/server.h"
#include "show/snapshot.h"

enum {
    SHOW_SPARE_CONNECTIONS = 32, /* beside the WebSocket clients */
    SHOW_JOBS_RUNNING = 2,       /* questions to the store at once */
    SHOW_JOBS_MAX = 32,          /* and with those that wait */
    SHOW_CHUNK = 16384,          /* bytes of a body written at once */
    SHOW_QUEUE = 64,             /* event messages that wait for one client */
    SHOW_GREETING_EVENTS = 20,
    SHOW_GREETING_MS = 3000, /* the store has so long to give them */
    SHOW_BLOCKED_MS = 30000, /* a client that takes nothing for so long is dropped */
    SHOW_STATUS_MS = 5000,   /* between two status messages */
};

/* ---- messages ---- */

/* A text that several clients wait for. */
struct show_message {
    size_t users;
    struct show_json text; /* one frame's text, with room for its header in front */
    int64_t event_id;
    enum record_event_change change;
};

void show_message_drop(struct show_message *message);

/* ---- sessions: one per connection, in memory that libwebsockets owns ---- */

struct show_session;

/* The answer to one request. */
struct show_response {
    unsigned status; /* 0 = not decided yet */
    const char *type;
    const char *etag;  /* NULL = none, and never to be kept by a cache */
    bool gzip;         /* `bytes` are compressed */
    const char *allow; /* of a 405 */
    bool close;        /* hang up afterwards */
    bool without_body; /* HEAD, 304 */
    const char *bytes; /* borrowed from `owned` or static */
    size_t size, sent;
    bool headers_sent;
    struct show_json owned;
};

struct show_request {
    struct show_job *job; /* the question under way, or NULL */
    struct show_response response;
    int64_t feedback_id; /* of a POST whose body is being read; 0 = none */
    char *body;          /* SHOW_BODY_MAX bytes, owned */
    size_t body_size;
    bool body_ended;
};

/* What a client has to be sent, most urgent first. */
enum show_want {
    SHOW_WANT_HELLO = 1,
    SHOW_WANT_METRICS = 2,
    SHOW_WANT_STATUS = 4,
    SHOW_WANT_TICK = 8,
    SHOW_WANT_PROCESSES = 16,
};

struct show_client {
    struct show_session *next, *previous; /* all clients */
    unsigned wants;                       /* of enum show_want */
    bool greeted, processes_on;
    struct show_job *job;                   /* asks for the last events */
    struct show_message *hello;             /* NULL = not made yet */
    struct show_message *queue[SHOW_QUEUE]; /* events, a ring */
    size_t queue_start, queue_size;
    uint64_t waiting_since_ms; /* uv_now when it was first asked to take something; 0 */
    char message[SHOW_BODY_MAX];
    size_t message_size;
};

struct show_session {
    struct lws *wsi;
    struct show_server *server;
    enum { SESSION_IDLE, SESSION_REQUEST, SESSION_LIVE } kind;
    union {
        struct show_request request;
        struct show_client *client; /* owned */
    };
};

/* ---- the server ---- */

struct show_server {
    uv_loop_t *loop;
    struct show_config config;
    char *version;
    struct show_source source;
    struct lws_context *context;
    struct lws_vhost *vhost;
    /* listen.c */
    uv_poll_t listener;
    int listen_fd, port;
    bool accepting;
    size_t connections, connections_max;
    /* the last tick, and the messages made of it when somebody takes them */
    struct show_snapshot snapshot;
    uint64_t published_ms, status_ms; /* uv_now of the last tick and status message */
    struct show_json tick, processes, metrics, status;
    bool tick_made, processes_made, metrics_made, status_made;
    uint64_t events[RECORD_CRITICAL + 1]; /* opened since the start, by severity */
    uint64_t dropped_clients, requests, refused;
    /* websocket.c */
    struct show_session *clients;
    size_t n_clients;
    /* jobs.c */
    struct show_job *jobs, *last_job; /* the oldest first */
    size_t n_jobs, n_running;
    uv_mutex_t job_lock;
    uv_cond_t job_done;
    /* the end */
    uv_idle_t undertaker;
    unsigned turns;
    bool closing, listener_closed;
};

/* Asks the pipeline; zero where it does not answer. */
void show_ask_status(struct show_server *server, struct show_status *out);
bool show_is_alive(struct show_server *server);

/* listen.c */
enum vd_status show_listen(struct show_server *server, struct vd_error *err);
/* Accepts again when there is room. */
void show_listen_resume(struct show_server *server);
void show_listen_close(struct show_server *server);

/* http.c: a non-zero return closes the connection, as libwebsockets wants it */
int show_http_request(struct show_session *session, const char *path);
int show_http_body(struct show_session *session, const char *bytes, size_t size);
int show_http_body_end(struct show_session *session);
int show_http_writable(struct show_session *session);
void show_http_end(struct show_session *session);
/* The job's answer is in session->request.response: send it. */
void show_http_answer(struct show_session *session);
/* Host, Origin and fetch metadata; NULL = fine, else why not. `upgrade`: of a WebSocket.
 */
const char *show_http_refusal(struct lws *wsi, const char *path);
/* Fills the response with an error of the API. */
void show_respond_error(struct show_response *r, unsigned status, const char *code,
                        const char *message, const char *hint);
/* The same for what a function returned. */
void show_respond_failure(struct show_response *r, enum vd_status status,
                          const struct vd_error *err);

/* files.c */
void show_files_respond(struct show_response *r, struct lws *wsi, const char *path);

/* api.c: decides the response, or starts a job. */
void show_api_respond(struct show_session *session, const char *path);
void show_api_feedback(struct show_session *session);

/* jobs.c */
enum show_job_kind {
    SHOW_JOB_HISTORY,
    SHOW_JOB_EVENTS,
    SHOW_JOB_EVENT,
    SHOW_JOB_PREVIEW,
    SHOW_JOB_GREETING
};

struct show_job_request {
    enum show_job_kind kind;
    const struct show_query *query; /* history, events, preview; copied */
    int64_t event_id;               /* event, preview */
    const char *feedback;           /* replaces the one of the store; static, or NULL */
};

/* Asks the store on a worker thread; the answer goes to the session's response, or to
 * show_live_greet. false when too many questions are under way. */
bool show_job_start(struct show_session *session, const struct show_job_request *request);
/* The session goes away: its answer is dropped. */
void show_job_forget(struct show_job *job);
/* Stops what has not begun and waits for what has: after it no worker uses the store. */
void show_jobs_finish(struct show_server *server);

/* websocket.c */
int show_live_start(struct show_session *session);
void show_live_end(struct show_session *session);
int show_live_writable(struct show_session *session);
int show_live_received(struct show_session *session, const char *bytes, size_t size);
/* The last events are there, as JSON (an array); NULL = the store gave none. */
void show_live_greet(struct show_session *session, const struct show_json *events);
/* An event as the live pages take it. Any thread. */
void show_live_encode_event(struct show_json *j, const struct record_event *event,
                            enum record_event_change change,
                            const struct show_schema *schema);
/* Sends that text to all of them, and takes it over. */
void show_live_tell(struct show_server *server, int64_t event_id,
                    enum record_event_change change, struct show_json *text);
/* A tick was taken into the snapshot. */
void show_live_publish(struct show_server *server, const struct record *record,
                       bool schema_grew);

/* openmetrics.c */
void show_openmetrics(struct show_json *out, struct show_server *server,
                      bool openmetrics);

#endif
