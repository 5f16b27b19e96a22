/* Connections: a table of bounded size, what each is waiting for, and for how long. Bytes
 * are read and written here; what they mean is known to http.c and websocket.c.
 *
 * When the table is full the one goes that has kept the server waiting longest, whether
 * it is idle, drips its request or does not take its answer. A client that asks and takes
 * is done within milliseconds, so it never is that one. */
#include "show/internal.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "show/analyses.h"

/* Gives the deadlines in milliseconds. They are long enough for a person with a slow
 * terminal and short enough that connections which say nothing do not fill the table.
 * WATCH_MS is how often they are looked at. */
enum {
    FIRST_MS = 10000, /* a new connection's first request */
    IDLE_MS = 30000,  /* between two requests */
    HEAD_MS = 10000,
    BODY_MS = 10000,
    REQUEST_MS = 30000, /* from the first byte of a request to the last of its answer */
    MOVING_MS = 10000,  /* of a table or a file MOVED_LEAST bytes move in this time */
    MOVED_LEAST = 256 << 10,
    LINGER_MS = 2000,
    GRACE_MS = 100, /* who has just come, or begun, is not pushed out */
    LATE_MS = 2000, /* to take the answer that it was too late */
    WATCH_MS = 250,
};

/* ---- the table ---- */

/* Frees the session once libuv has given its handle back. The last handle may free the
 * server too. */
static void on_session_closed(uv_handle_t *handle)
{
    struct show_session *session = handle->data;
    struct show_server *server = session->server;

    free(session->input);
    free(session);
    server->n_handles--;
    show_server_left(server);
}

/* Closes the session from any phase. It may be called more than once: the memory stays
 * until libuv calls back, so callers up the stack can still look at `closed`. */
void show_session_close(struct show_session *session)
{
    struct show_server *server = session->server;

    if (session->closed)
        return;
    session->closed = true;
    if (session->client != NULL)
        show_live_end(session);
    show_http_end(session);
    if (session->previous != NULL)
        session->previous->next = session->next;
    else
        server->sessions = session->next;
    if (session->next != NULL)
        session->next->previous = session->previous;
    if (--server->n_sessions == 0)
        uv_timer_stop(&server->watch);
    uv_close((uv_handle_t *)&session->poll, on_session_closed);
    close(session->fd);
}

/* Tells whether the session may be closed for a new one. One that waits for the store
 * waits for us; uploads and live pages have their own bounds. */
static bool can_be_evicted(const struct show_session *session)
{
    return session->phase != SHOW_PHASE_JOB && session->phase != SHOW_PHASE_UPLOAD &&
           session->phase != SHOW_PHASE_LIVE;
}

/* Tells whether the session holds a large answer that its client does not take. */
static bool takes_memory(const struct show_session *session)
{
    return session->phase == SHOW_PHASE_ANSWER &&
           show_body_weighs(&session->request.response);
}

/* Closes the session that has waited longest, of those that may go, to make room for a
 * new one. One that has just come is spared, or two clients would push each other out for
 * ever. */
static bool evict(struct show_server *server, bool (*may)(const struct show_session *))
{
    struct show_session *victim = NULL;

    for (struct show_session *s = server->sessions; s != NULL; s = s->next)
        if (may(s) && (victim == NULL || s->since_ms <= victim->since_ms))
            victim = s;
    if (victim == NULL || uv_now(server->loop) < victim->since_ms + GRACE_MS)
        return false;
    server->evicted++;
    show_session_close(victim);
    return true;
}

bool show_is_crowded(const struct show_server *server)
{
    return server->n_sessions >= server->sessions_max;
}

bool show_session_evict(struct show_server *server)
{
    return evict(server, can_be_evicted);
}

bool show_session_evict_taker(struct show_server *server)
{
    return evict(server, takes_memory);
}

/* ---- reading and writing ---- */

void show_session_enter(struct show_session *session, enum show_phase phase)
{
    session->phase = phase;
    session->since_ms = uv_now(session->server->loop);
    session->moved = 0;
}

void show_session_moved(struct show_session *session, size_t bytes)
{
    session->moved += bytes;
    if (session->moved < MOVED_LEAST)
        return;
    session->moved = 0;
    session->since_ms = uv_now(session->server->loop);
}

/* Drops bytes that were understood and moves the rest to the front. */
void show_session_consume(struct show_session *session, size_t size)
{
    assert(size <= session->input_size);
    if (size == 0)
        return;
    session->input_size -= size;
    memmove(session->input, session->input + size, session->input_size);
}

/* Sends without waiting and returns how many bytes the kernel took, 0 when its buffer is
 * full, -1 when the connection is broken. A client that is gone must not raise
 * SIGPIPE. */
ptrdiff_t show_session_send(struct show_session *session, const void *bytes, size_t size)
{
    ssize_t n;

    do
        n = send(session->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? 0 : -1;
}

/* Reads what has come. Returns -1 when nothing more will come. The buffer is made with
 * the first bytes and freed when it is empty, so idle connections cost little. */
static int receive(struct show_session *session)
{
    size_t room = SHOW_INPUT_SIZE - session->input_size;
    ssize_t n;

    if (room == 0)
        return 0;
    if (session->input == NULL && (session->input = malloc(SHOW_INPUT_SIZE)) == NULL)
        return -1;
    do
        n = recv(session->fd, session->input + session->input_size, room, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        session->input_size += (size_t)n;
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) ? 0 : -1;
}

/* Gives what came to the code of the session's phase. A connection that only lingers has
 * its bytes read and dropped. */
static int on_readable(struct show_session *session)
{
    if (session->phase == SHOW_PHASE_UPLOAD)
        return show_upload_received(session);
    if (receive(session) != 0)
        return -1;
    switch (session->phase) {
    case SHOW_PHASE_HEAD:
    case SHOW_PHASE_BODY:
        return show_http_received(session);
    case SHOW_PHASE_LIVE:
        return show_live_received(session);
    case SHOW_PHASE_LINGER:
        session->input_size = 0;
        return 0;
    default:
        return 0;
    }
}

/* Continues the session's phase. Only one request is begun a turn, so that a client that
 * sends many at once leaves room for others. */
static int on_writable(struct show_session *session)
{
    switch (session->phase) {
    case SHOW_PHASE_ANSWER:
        return show_http_writable(session);
    case SHOW_PHASE_HEAD:
        return show_http_received(session);
    case SHOW_PHASE_LIVE:
        return show_live_writable(session);
    default:
        return 0;
    }
}

/* Handles the end of what the client of a request sends. The client may only have closed
 * its own direction and still wait for the answer; poll() tells whether it is gone. */
static int on_disconnect(struct show_session *session)
{
    struct pollfd now = {.fd = session->fd, .events = POLLOUT};

    session->half_closed = true;
    return poll(&now, 1, 0) > 0 && (now.revents & (POLLERR | POLLHUP)) != 0 ? -1 : 0;
}

/* Handles what the poll reports. A failure closes the session; otherwise it waits for
 * what its new phase needs. A session may close itself on the way, so each step looks
 * again. */
static void on_io(uv_poll_t *poll, int status, int events)
{
    struct show_session *session = poll->data;
    int result = status < 0 ? -1 : 0;

    if (result == 0 && (events & UV_READABLE) != 0)
        result = on_readable(session);
    if (result == 0 && !session->closed && (events & UV_WRITABLE) != 0)
        result = on_writable(session);
    if (result == 0 && !session->closed && (events & UV_DISCONNECT) != 0)
        result = on_disconnect(session);
    if (result != 0)
        show_session_close(session);
    else
        show_session_wait(session);
}

/* Returns what the session waits for in its phase. */
static int wanted_events(const struct show_session *session)
{
    switch (session->phase) {
    case SHOW_PHASE_HEAD:
        /* What is left of the input may be the next request. */
        return session->input_size > session->request.head.scanned ? UV_WRITABLE
                                                                   : UV_READABLE;
    case SHOW_PHASE_JOB:
        return session->half_closed ? 0 : UV_DISCONNECT;
    case SHOW_PHASE_UPLOAD:
        return session->request.upload->writing ? 0 : UV_READABLE;
    case SHOW_PHASE_ANSWER:
        return UV_WRITABLE;
    case SHOW_PHASE_LIVE:
        return UV_READABLE | (show_live_has_news(session) ? UV_WRITABLE : 0);
    default:
        return UV_READABLE;
    }
}

/* Sets the events that the session waits for. With none of them the poll stops, or a
 * hang-up would wake the loop again and again. */
void show_session_wait(struct show_session *session)
{
    int events;

    if (session->closed)
        return;
    if (session->input_size == 0) {
        free(session->input);
        session->input = NULL;
    }
    events = wanted_events(session);
    if (events == 0)
        uv_poll_stop(&session->poll);
    else if (uv_poll_start(&session->poll, events, on_io) != 0)
        show_session_close(session);
}

/* Ends our direction and waits for the client to close. Closing at once, with bytes
 * unread, would make the kernel reset the connection and lose the end of the answer. */
void show_session_linger(struct show_session *session)
{
    shutdown(session->fd, SHUT_WR);
    session->input_size = 0;
    show_session_enter(session, SHOW_PHASE_LINGER);
}

/* ---- deadlines ---- */

static bool has_passed(uint64_t now, uint64_t since, uint64_t limit)
{
    return now >= since + limit;
}

/* Tells whether a table or a file goes over, whose size says nothing of how long that
 * takes. */
static bool is_moving(const struct show_session *session)
{
    return session->phase == SHOW_PHASE_UPLOAD ||
           (session->phase == SHOW_PHASE_ANSWER && session->request.response.has_file);
}

/* Tells whether it is our disk that is waited for. */
static bool is_held_up(const struct show_session *session)
{
    return session->phase == SHOW_PHASE_UPLOAD && session->request.upload->writing;
}

/* Checks the deadlines of a request under way. One that is late gets an answer and
 * LATE_MS to take it; one that does not take its answer is closed. */
static int check_request(struct show_session *session, uint64_t now)
{
    bool in_answer = session->phase == SHOW_PHASE_ANSWER;

    if (is_moving(session)) {
        if (is_held_up(session) || !has_passed(now, session->since_ms, MOVING_MS))
            return 0;
        session->begun_ms = now - REQUEST_MS + LATE_MS;
        return in_answer ? -1 : show_http_late(session, "the table");
    }
    if (has_passed(now, session->begun_ms, REQUEST_MS)) {
        session->begun_ms = now - REQUEST_MS + LATE_MS;
        return in_answer ? -1 : show_http_late(session, "the answer");
    }
    if (session->phase == SHOW_PHASE_HEAD && has_passed(now, session->since_ms, HEAD_MS))
        return show_http_late(session, "the head of the request");
    if (session->phase == SHOW_PHASE_BODY && has_passed(now, session->since_ms, BODY_MS))
        return show_http_late(session, "the body of the request");
    return 0;
}

/* Returns 0 while the session may stay, -1 when its time is over. */
static int check_session(struct show_session *session, uint64_t now)
{
    if (session->phase == SHOW_PHASE_LIVE)
        return show_live_check(session, now) ? 0 : -1;
    if (session->phase == SHOW_PHASE_LINGER)
        return has_passed(now, session->since_ms, LINGER_MS) ? -1 : 0;
    if (session->begun_ms != 0)
        return check_request(session, now);
    return has_passed(now, session->since_ms, session->served ? IDLE_MS : FIRST_MS) ? -1
                                                                                    : 0;
}

/* Looks at all deadlines. One timer for all sessions is cheaper than one each, and a
 * quarter of a second is exact enough. `next` is kept because a session may leave the
 * list. */
static void on_watch(uv_timer_t *timer)
{
    struct show_server *server = timer->data;
    uint64_t now = uv_now(server->loop);
    struct show_session *next;

    for (struct show_session *s = server->sessions; s != NULL; s = next) {
        next = s->next;
        if (check_session(s, now) == 0) {
            show_session_wait(s);
            continue;
        }
        server->timed_out++;
        show_session_close(s);
    }
    show_listen_resume(server);
}

/* Makes the timer look soon: a client waits in the kernel's queue until one that is
 * spared now may go. */
void show_watch_hurry(struct show_server *server)
{
    uv_timer_start(&server->watch, on_watch, GRACE_MS, WATCH_MS);
}

/* ---- the beginning ---- */

/* Takes over the descriptor, also when it fails, and puts the session at the front of the
 * list. */
void show_session_open(struct show_server *server, int fd)
{
    struct show_session *session = calloc(1, sizeof *session);

    if (session == NULL || uv_poll_init(server->loop, &session->poll, fd) != 0) {
        free(session);
        close(fd);
        return;
    }
    server->n_handles++;
    session->poll.data = session;
    session->fd = fd;
    session->server = server;
    session->next = server->sessions;
    if (server->sessions != NULL)
        server->sessions->previous = session;
    server->sessions = session;
    if (++server->n_sessions == 1)
        uv_timer_start(&server->watch, on_watch, WATCH_MS, WATCH_MS);
    show_session_enter(session, SHOW_PHASE_HEAD);
    show_session_wait(session);
}

enum vd_status show_watch_start(struct show_server *server, struct vd_error *err)
{
    if (uv_timer_init(server->loop, &server->watch) != 0)
        return vd_error_set(err, VD_ERR_IO, NULL, "cannot start a timer");
    server->n_handles++;
    server->watch.data = server;
    return VD_OK;
}
