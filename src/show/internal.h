/* The parts of the server among themselves: server.c owns it; listen.c accepts;
 * connection.c reads, writes and keeps the deadlines; http.c answers requests, api.c and
 * jobs.c know what with, body.c what many are answered with; websocket.c talks to the
 * live pages and live.c knows what about. head.c, frame.c and compress.c are pure: they
 * see bytes and no sockets.
 *
 * Everything runs on the loop's thread but what jobs.c does on workers. */
#ifndef VD_SHOW_INTERNAL_H
#define VD_SHOW_INTERNAL_H

#include <uv.h>

#include "show/changes.h"
#include "show/encode.h"
#include "show/frame.h"
#include "show/head.h"
#include "show/json.h"
#include "show/query.h"
#include "show/server.h"
#include "show/shelf.h"
#include "show/snapshot.h"

enum {
    SHOW_SPARE_CONNECTIONS = 512, /* beside the WebSocket clients */
    SHOW_JOBS_RUNNING = 2,        /* questions to the store at once */
    SHOW_JOBS_MAX = 32,           /* histories that run or wait, and as many others */
    SHOW_QUEUE = 64,              /* event messages that wait for one client */
    SHOW_GREETING_EVENTS = 20,
    SHOW_GREETING_MS = 3000, /* the store has so long to give them */
    SHOW_BLOCKED_MS = 30000, /* a client that takes nothing for so long is dropped */
    SHOW_STATUS_MS = 5000,   /* between two status messages */
    SHOW_HEADER_SIZE = 2048,
    SHOW_ANSWER_SMALL = 64 << 10,
    SHOW_ANSWERS_MAX = 32 << 20, /* bytes that wait for clients to take them */
    SHOW_INPUT_SIZE = SHOW_HEAD_MAX + SHOW_BODY_MAX,
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

/* ---- sessions: one per connection ---- */

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
    size_t size;
    char header[SHOW_HEADER_SIZE];
    size_t header_size; /* 0 = not written yet */
    size_t sent;        /* of both together */
    struct show_json owned;
    bool has_file; /* `size` bytes of `file`, owned, come in the place of `bytes` */
    int file;
    char download[96];        /* a browser keeps it under this name; "" = it shows it */
    size_t counted;           /* bytes of it in the server's answer_bytes */
    struct show_body *shared; /* held; NULL = the answer has its own bytes */
};

struct show_request {
    struct show_head head; /* points into the session's input */
    struct show_job *job;  /* the question under way, or NULL */
    struct show_response response;
    size_t size;                /* of head and body; 0 = not known yet */
    int64_t feedback_id;        /* of a POST whose body is being read; 0 = none */
    struct show_upload *upload; /* a table that is being received, or NULL */
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
    bool greeted, processes_on, changes_on;
    uint64_t listed; /* the server's `published` when it last got the processes; 0 */
    bool view_on;    /* it said what it shows, and is told of that alone */
    struct show_view view;
    struct show_told told;
    uint64_t seen;              /* `published` when it last got values of this view; 0 */
    struct show_job *job;       /* asks for the last events */
    struct show_message *hello; /* NULL = not made yet */
    struct show_message *queue[SHOW_QUEUE]; /* events, a ring */
    size_t queue_start, queue_size;
    uint64_t waiting_since_ms; /* uv_now when it was first asked to take something; 0 */
    uint64_t heard_ms, pinged_ms;
    struct show_json rest; /* of what was begun to be sent */
    size_t rest_sent;
    unsigned char
        control[SHOW_FRAME_HEAD_MAX + SHOW_CONTROL_MAX]; /* a frame to be sent */
    size_t control_start, control_size;
    char message[SHOW_BODY_MAX];
    size_t message_size;
    bool in_message; /* a text whose last piece has not come */
};

/* What a connection is waiting for. Each has its deadline. */
enum show_phase {
    SHOW_PHASE_HEAD,   /* a request, or the rest of its head */
    SHOW_PHASE_BODY,   /* the rest of its body */
    SHOW_PHASE_UPLOAD, /* the rest of a table, or the disk to take what came of it */
    SHOW_PHASE_JOB,    /* the store */
    SHOW_PHASE_ANSWER, /* the client to take it */
    SHOW_PHASE_LIVE,   /* a WebSocket */
    SHOW_PHASE_LINGER, /* the client to hang up: a reset would take the answer from it */
};

struct show_session {
    uv_poll_t poll;
    int fd;
    struct show_server *server;
    struct show_session *next, *previous; /* all connections, the newest first */
    enum show_phase phase;
    bool served;       /* has had an answer */
    bool closed;       /* goes away at the end of this turn of the loop */
    bool half_closed;  /* the client sends no more */
    uint64_t since_ms; /* uv_now when the phase began, or enough of it had moved on */
    size_t moved;      /* bytes of a table or file since then */
    uint64_t begun_ms; /* and the request; 0 = not begun */
    struct show_request request;
    struct show_client *client; /* owned, while live */
    char *input; /* SHOW_INPUT_SIZE bytes, owned; NULL while nothing is in it */
    size_t input_size;
};

/* ---- the server ---- */

struct show_server {
    uv_loop_t *loop;
    struct show_config config;
    char *version;
    struct show_source source;
    /* listen.c */
    uv_poll_t listener;
    int listen_fd, port;
    bool accepting;
    /* connection.c */
    struct show_session *sessions;
    size_t n_sessions, sessions_max;
    uv_timer_t watch; /* the deadlines */
    uint64_t evicted, timed_out;
    /* body.c */
    struct show_body *bodies; /* that are handed out to all who ask */
    size_t answer_bytes;      /* of them, and of large answers that are not sent yet */
    /* the last tick, and the messages made of it when somebody takes them */
    struct show_snapshot snapshot;
    uint64_t published_ms, status_ms; /* uv_now of the last tick and status message */
    uint64_t published;               /* how many ticks */
    struct show_json tick, processes, changes, metrics, status, brief;
    struct show_json own; /* of one client, and sent at once */
    bool tick_made, processes_made, changes_made, metrics_made, status_made, brief_made;
    uint64_t events[RECORD_CRITICAL + 1]; /* opened since the start, by severity */
    uint64_t dropped_clients, requests, refused;
    /* analyses.c and upload.c */
    struct show_shelf shelf; /* its folder is closed where no tables are taken */
    uv_async_t shelf_news;   /* an analysis is over */
    size_t n_uploads, n_analysing;
    uint64_t n_parts; /* numbers the files that are received */
    /* websocket.c */
    struct show_session *clients;
    size_t n_clients;
    /* jobs.c */
    struct show_job *jobs, *last_job;      /* the oldest first */
    size_t n_jobs, n_running, n_histories; /* all, and those that run */
    uv_mutex_t job_lock;
    uv_cond_t job_done;
    bool closing;
    size_t n_handles; /* of libuv, still open */
};

/* Asks the monitor; zero where it does not answer. */
void show_ask_status(struct show_server *server, struct show_status *out);
bool show_is_alive(struct show_server *server);

/* Notes that a handle of libuv was closed or a job is done: the last one frees a server
 * that is closing. */
void show_server_left(struct show_server *server);

/* listen.c */
enum vd_status show_listen(struct show_server *server, struct vd_error *err);
/* Accepts again after there was no room. */
void show_listen_resume(struct show_server *server);
void show_listen_close(struct show_server *server);

/* connection.c */
/* Takes over the descriptor of a new connection. */
void show_session_open(struct show_server *server, int fd);
/* Closes it at once; its memory is valid until the loop's next turn. */
void show_session_close(struct show_session *session);
/* Closes the one that has kept the server waiting longest; false when all have just come
 * or wait for the server themselves. */
bool show_session_evict(struct show_server *server);
/* The same among those who have a large answer to take. */
bool show_session_evict_taker(struct show_server *server);
void show_session_enter(struct show_session *session, enum show_phase phase);
/* Tells whether others can only come in when somebody leaves. */
bool show_is_crowded(const struct show_server *server);
/* So many bytes of a table or a file went over: its deadline moves with them. */
void show_session_moved(struct show_session *session, size_t bytes);
/* Waits for what the phase is about. */
void show_session_wait(struct show_session *session);
/* Says that no more will be sent, and waits for the client to hang up. */
void show_session_linger(struct show_session *session);
/* The first `size` bytes of the input are done with. */
void show_session_consume(struct show_session *session, size_t size);
/* Sends what the socket takes: how many bytes, -1 = the client is gone. */
ptrdiff_t show_session_send(struct show_session *session, const void *bytes, size_t size);
enum vd_status show_watch_start(struct show_server *server, struct vd_error *err);
/* Room is wanted as soon as somebody may be evicted. */
void show_watch_hurry(struct show_server *server);

/* http.c: what came is in the session's input. -1 = close the connection. */
int show_http_received(struct show_session *session);
int show_http_writable(struct show_session *session);
/* Too late: answers if that is still possible. */
int show_http_late(struct show_session *session, const char *what);
void show_http_end(struct show_session *session);
/* The response is decided: send it. */
void show_http_answer(struct show_session *session);
/* Host, Origin and fetch metadata; NULL = fine, else why not. */
const char *show_http_refusal(const struct show_head *head);
/* Fills the response with an error of the API. */
void show_respond_error(struct show_response *r, unsigned status, const char *code,
                        const char *message, const char *hint);
/* Answers with what a function returned as its failure. */
void show_respond_failure(struct show_response *r, enum vd_status status,
                          const struct vd_error *err);

/* body.c */
/* Appends the text of `key`; a lack of memory stays in j->failed. */
typedef void show_body_write(struct show_server *server, const void *key,
                             struct show_json *j);
/* Answers with the text of `key`, a row of a constant table. It is made when the first
 * asks, and handed out to all others until the next tick, for a second at most. `type` is
 * static. */
void show_respond_shared(struct show_session *session, const char *type, const void *key,
                         show_body_write *write);
/* Decides which bytes the answer has, packed or not. */
void show_body_settle(struct show_session *session);
/* Tells whether others could have the memory that this answer takes. */
bool show_body_weighs(const struct show_response *r);
/* Gives back what the answer holds. */
void show_body_release(struct show_server *server, struct show_response *r);
/* There is a new tick. */
void show_bodies_expire(struct show_server *server);

/* files.c */
void show_files_respond(struct show_session *session);

/* api.c: decides the response, or starts a job. */
void show_api_respond(struct show_session *session);
void show_api_feedback(struct show_session *session, const char *body, size_t size);
/* Gives each "name=value" of a query, decoded, to `take`, until that fails. */
typedef enum vd_status show_api_take(void *context, const char *name, const char *value,
                                     struct vd_error *err);
enum vd_status show_api_pairs(const char *query, show_api_take *take, void *context,
                              struct vd_error *err);
/* false: the query has something that `kind` does not take, and the response says so. */
bool show_api_read_query(struct show_session *session, struct show_query *query,
                         enum show_query_kind kind);

/* jobs.c */
enum show_job_kind {
    SHOW_JOB_HISTORY,
    SHOW_JOB_EVENTS,
    SHOW_JOB_EVENT,
    SHOW_JOB_PREVIEW,
    SHOW_JOB_SHELF,
    SHOW_JOB_GREETING
};

struct show_shelf_question;

struct show_job_request {
    enum show_job_kind kind;
    const struct show_query *query; /* history, events, preview; copied */
    int64_t event_id;               /* event, preview */
    const char *feedback;           /* replaces the one of the store; static, or NULL */
    const struct show_shelf_question *shelf; /* copied, and what it owns taken over */
};

/* Asks the store on a worker thread; the answer goes to the session's response, or to
 * show_live_greet. false when too many questions are under way. */
bool show_job_start(struct show_session *session, const struct show_job_request *request);
/* The session goes away: its answer is dropped. */
void show_job_forget(struct show_job *job);
/* Stops what has not begun and waits for what has: after it no worker uses the store. */
void show_jobs_finish(struct show_server *server);

/* websocket.c: -1 = close the connection. */
/* Answers a handshake: with a refusal, or from then on with the live feed. */
int show_live_start(struct show_session *session);
void show_live_end(struct show_session *session);
int show_live_received(struct show_session *session);
int show_live_writable(struct show_session *session);
/* Is there anything to send? */
bool show_live_has_news(const struct show_session *session);
/* Pings who is silent. false = it has been silent or blocked for too long. */
bool show_live_check(struct show_session *session, uint64_t now);
/* Sends a text as one message; what the socket does not take is kept. */
int show_live_send(struct show_session *session, struct show_json *text);

/* live.c */
bool show_live_has_message(const struct show_client *client);
/* Sends the most urgent one. */
int show_live_send_next(struct show_session *session);
/* Too slow: closes it and counts. */
void show_live_drop(struct show_session *session);
/* A disk that hangs is when a live page is wanted most: it then comes without the past
 * events. */
void show_live_greet_late(struct show_session *session, uint64_t now);
/* {"type": "processes", ...} of the last tick, made once. */
const struct show_json *show_live_processes(struct show_server *server);
/* The last events are there, as JSON (an array); NULL = the store gave none. */
void show_live_greet(struct show_session *session, const struct show_json *events);
/* Encodes an event as the live pages take it. Any thread. */
void show_live_encode_event(struct show_json *j, const struct record_event *event,
                            enum record_event_change change,
                            const struct show_schema *schema);
/* Sends that text to all of them, and takes it over. */
void show_live_tell(struct show_server *server, int64_t event_id,
                    enum record_event_change change, struct show_json *text);
/* Tells the live pages that a tick was taken into the snapshot. */
void show_live_publish(struct show_server *server, const struct record *record,
                       bool schema_grew);

/* users.c: {"users": {"0": "root", ...}} of a file like /etc/passwd; empty without it. */
void show_encode_users(struct show_json *j, const char *path);

/* openmetrics.c */
void show_openmetrics(struct show_json *out, struct show_server *server,
                      bool openmetrics);

#endif
