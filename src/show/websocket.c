/* A live page's WebSocket: handshake, frames in and out, pings, the end. What it is told
 * is known to live.c. */
#include "show/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)SHOW_JSON_HEAD >= (int)SHOW_FRAME_HEAD_MAX,
               "a frame's head fits before it");

/* Gives the times in milliseconds after which a silent page is asked, and dropped. */
enum {
    PING_MS = 30000,   /* pages that went to sleep are asked whether they are there */
    SILENT_MS = 90000, /* and dropped when they do not answer */
    CROWDED_MS = 2000, /* when there is no room, who takes nothing for so long goes */
};

/* ---- sending ---- */

/* Sends, and keeps what the socket does not take now. The rest goes first the next time,
 * since the text itself may be another one by then. */
static int send_bytes(struct show_session *session, const char *bytes, size_t size)
{
    struct show_json *rest = &session->client->rest;
    ptrdiff_t sent = show_session_send(session, bytes, size);

    if (sent < 0)
        return -1;
    if ((size_t)sent < size)
        show_json_append(rest, bytes + sent, size - (size_t)sent);
    return rest->failed ? -1 : 0;
}

/* Sends a text as one frame. The head is written into the room that every text keeps in
 * front, so a text that many clients share is never copied. */
int show_live_send(struct show_session *session, struct show_json *j)
{
    unsigned char *text = (unsigned char *)show_json_text(j);
    size_t head;

    if (j->failed) {
        show_json_release(j);
        return -1;
    }
    head = show_frame_head(text, j->size, SHOW_FRAME_TEXT);
    return send_bytes(session, (char *)text - head, head + j->size);
}

/* Sends what was kept. A frame must be finished before another begins. */
static int send_rest(struct show_session *session)
{
    struct show_client *client = session->client;
    struct show_json *rest = &client->rest;
    ptrdiff_t sent = show_session_send(session, show_json_text(rest) + client->rest_sent,
                                       rest->size - client->rest_sent);

    if (sent < 0)
        return -1;
    client->rest_sent += (size_t)sent;
    if (client->rest_sent == rest->size) {
        show_json_clear(rest);
        client->rest_sent = 0;
    }
    return 0;
}

/* Keeps a ping, or the pong to the newest ping, until what was begun has been sent. There
 * is room for one only: a newer one replaces it, which the protocol allows. */
static void queue_control(struct show_session *session, unsigned opcode,
                          const unsigned char *payload, size_t size)
{
    struct show_client *client = session->client;
    unsigned char *at = client->control + SHOW_FRAME_HEAD_MAX;

    if (size > 0)
        memcpy(at, payload, size);
    client->control_size = show_frame_head(at, size, opcode) + size;
    client->control_start = SHOW_FRAME_HEAD_MAX + size - client->control_size;
}

/* Sends the control frame that waits. */
static int send_control(struct show_session *session)
{
    struct show_client *client = session->client;
    size_t size = client->control_size;

    client->control_size = 0;
    return send_bytes(session, (const char *)client->control + client->control_start,
                      size);
}

bool show_live_has_news(const struct show_session *session)
{
    const struct show_client *client = session->client;

    return client->rest.size > 0 || client->control_size > 0 ||
           show_live_has_message(client);
}

/* Sends one thing a turn, so that no client keeps the loop for itself. */
int show_live_writable(struct show_session *session)
{
    struct show_client *client = session->client;

    if (client->rest.size > 0)
        return send_rest(session);
    /* Everything before has left for the kernel. */
    client->waiting_since_ms = 0;
    if (client->control_size > 0)
        return send_control(session);
    if (show_live_has_message(client) && show_live_send_next(session) != 0)
        return -1;
    if (show_live_has_news(session))
        client->waiting_since_ms = uv_now(session->server->loop) + 1;
    return 0;
}

/* ---- receiving ---- */

/* Says why, if that can be said between two frames, and waits for the client to go. */
static int hang_up(struct show_session *session, int code)
{
    unsigned char frame[SHOW_FRAME_HEAD_MAX + 2];
    unsigned char *payload = frame + SHOW_FRAME_HEAD_MAX;
    size_t size = code == SHOW_CLOSE_NO_CODE ? 0 : 2;
    size_t head = show_frame_head(payload, size, SHOW_FRAME_CLOSE);

    payload[0] = (unsigned char)(code >> 8);
    payload[1] = (unsigned char)code;
    if (session->client->rest.size > 0 ||
        show_session_send(session, payload - head, head + size) < 0)
        return -1;
    show_live_end(session);
    show_session_linger(session);
    return 0;
}

/* Acts on a whole message. Returns 0, or the code to hang up with. What the page sees
 * next is written whole, since it has nothing yet to compare with. */
static int take_message(struct show_session *session)
{
    struct show_client *client = session->client;
    size_t size = client->message_size;
    bool filled = session->server->snapshot.filled;
    struct show_wish wish;

    client->message_size = 0;
    if (!show_is_utf8(client->message, size) ||
        !show_query_message(client->message, size, &wish))
        return SHOW_CLOSE_INVALID;
    if (wish.kind == SHOW_WISH_PROCESSES) {
        client->processes_on = wish.on;
        client->changes_on = wish.changes;
        client->listed = 0;
        client->wants |= wish.on && filled ? SHOW_WANT_PROCESSES : 0;
    } else if (wish.kind == SHOW_WISH_VIEW) {
        bool more = wish.view.detectors && !client->view.detectors;

        client->view = wish.view;
        client->view_on = true;
        client->seen = 0;
        client->wants |= filled ? SHOW_WANT_TICK : 0;
        client->wants |= more ? SHOW_WANT_STATUS : 0;
    }
    return 0;
}

/* Adds a piece to the message. Text that comes in pieces is put together here; only its
 * first piece has an opcode of its own. */
static int take_piece(struct show_session *session, const struct show_frame *frame)
{
    struct show_client *client = session->client;

    if (client->in_message != (frame->opcode == SHOW_FRAME_CONTINUED))
        return SHOW_CLOSE_PROTOCOL;
    if (frame->opcode == SHOW_FRAME_BINARY)
        return SHOW_CLOSE_UNSUPPORTED;
    if (frame->size > sizeof client->message - client->message_size)
        return SHOW_CLOSE_TOO_LARGE;
    memcpy(client->message + client->message_size, frame->payload, frame->size);
    client->message_size += frame->size;
    client->in_message = !frame->final;
    return frame->final ? take_message(session) : 0;
}

/* Acts on one frame. A close is answered with its own code. */
static int take_frame(struct show_session *session, const struct show_frame *frame)
{
    switch (frame->opcode) {
    case SHOW_FRAME_CLOSE:
        return show_frame_close_code(frame->payload, frame->size);
    case SHOW_FRAME_PING:
        queue_control(session, SHOW_FRAME_PONG, frame->payload, frame->size);
        return 0;
    case SHOW_FRAME_PONG:
        return 0;
    default:
        return take_piece(session, frame);
    }
}

/* Takes all whole frames that have come. Any byte counts as a sign of life, so it is
 * noted first. */
int show_live_received(struct show_session *session)
{
    struct show_frame frame;
    size_t used = 0;
    int code = 1;

    session->client->heard_ms = uv_now(session->server->loop);
    while (code == 1) {
        code = show_frame_read(&frame, (unsigned char *)session->input + used,
                               session->input_size - used, SHOW_BODY_MAX);
        if (code != 1)
            break;
        used += frame.used;
        code = take_frame(session, &frame);
        code = code == 0 ? 1 : code;
    }
    if (code != 0)
        return hang_up(session, code);
    show_session_consume(session, used);
    return 0;
}

/* Pings a client that was silent for a while; returns false when it must go: it does not
 * answer, or it has taken nothing for too long. */
bool show_live_check(struct show_session *session, uint64_t now)
{
    struct show_client *client = session->client;
    uint64_t waiting = client->waiting_since_ms;

    if (now >= client->heard_ms + SILENT_MS ||
        (waiting != 0 && now > waiting + SHOW_BLOCKED_MS)) {
        session->server->dropped_clients++;
        return false;
    }
    if (now >= client->heard_ms + PING_MS && now >= client->pinged_ms + PING_MS) {
        client->pinged_ms = now;
        queue_control(session, SHOW_FRAME_PING, NULL, 0);
    }
    show_live_greet_late(session, now);
    return true;
}

/* ---- the beginning and the end ---- */

/* Makes room by dropping the client that has taken nothing for longest; false when all
 * take what they get. */
static bool make_room(struct show_server *server)
{
    struct show_session *worst = NULL;
    uint64_t now = uv_now(server->loop);

    if (server->n_clients < server->config.max_clients)
        return true;
    for (struct show_session *s = server->clients; s != NULL; s = s->client->next)
        if (s->client->waiting_since_ms != 0 &&
            (worst == NULL ||
             s->client->waiting_since_ms < worst->client->waiting_since_ms))
            worst = s;
    if (worst == NULL || now < worst->client->waiting_since_ms + CROWDED_MS)
        return false;
    show_live_drop(worst);
    return true;
}

/* Returns 0, or the status with which the handshake is refused; *why says why. */
static unsigned check_handshake(struct show_session *session, char *accept,
                                const char **why)
{
    const struct show_head *head = &session->request.head;
    const char *version = head->field[SHOW_FIELD_SOCKET_VERSION];
    const char *key = head->field[SHOW_FIELD_SOCKET_KEY];

    *why = show_http_refusal(head);
    if (*why != NULL)
        return 403;
    *why = "only WebSockets can be upgraded to";
    if (!show_head_lists(head->field[SHOW_FIELD_UPGRADE], "websocket"))
        return 400;
    *why = "WebSockets live at /api/v1/live";
    if (strcmp(head->path, "/api/v1/live") != 0)
        return 404;
    *why = "the WebSocket's version must be 13";
    if (version == NULL || strcmp(version, "13") != 0)
        return 426;
    *why = "the WebSocket needs HTTP/1.1, a key, and no body";
    if (head->is_1_0 || key == NULL || !show_frame_accept(key, accept) ||
        head->body_size > 0 || head->field[SHOW_FIELD_TRANSFER_ENCODING] != NULL)
        return 400;
    *why = "there are as many live pages as are served";
    return make_room(session->server) ? 0 : 503;
}

/* Adds the session to the live clients. The time from which it keeps us waiting starts
 * now: it has to take the handshake. */
static bool add_client(struct show_session *session)
{
    struct show_server *server = session->server;
    struct show_client *client = calloc(1, sizeof *client);

    if (client == NULL)
        return false;
    session->client = client;
    client->heard_ms = uv_now(server->loop);
    client->waiting_since_ms = uv_now(server->loop) + 1;
    client->next = server->clients;
    if (server->clients != NULL)
        server->clients->client->previous = session;
    server->clients = session;
    server->n_clients++;
    return true;
}

/* Makes the session a live one. The greeting is a job, since it has the newest events;
 * without a store it is made here. Frames may have come with the handshake already, and
 * they are read at the end. */
int show_live_start(struct show_session *session)
{
    struct show_job_request greeting = {.kind = SHOW_JOB_GREETING};
    struct show_server *server = session->server;
    struct show_response *r = &session->request.response;
    char accept[SHOW_ACCEPT_SIZE], answer[160];
    const char *why;
    unsigned status = check_handshake(session, accept, &why);
    size_t used = session->request.size;
    int size;

    if (status != 0) {
        server->refused += status == 403;
        show_respond_error(r, status, "no_upgrade", why, NULL);
        r->close = true;
        show_http_answer(session);
        return 0;
    }
    if (!add_client(session))
        return -1;
    show_http_end(session);
    show_session_consume(session, used);
    session->begun_ms = 0;
    show_session_enter(session, SHOW_PHASE_LIVE);
    size = snprintf(answer, sizeof answer,
                    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n"
                    "connection: Upgrade\r\nsec-websocket-accept: %s\r\n\r\n",
                    accept);
    if (send_bytes(session, answer, (size_t)size) != 0)
        return -1;
    if (server->source.history == NULL || !show_job_start(session, &greeting))
        show_live_greet(session, NULL);
    return session->closed ? 0 : show_live_received(session);
}

/* Takes the session out of the live clients and gives back all that waits for it. */
void show_live_end(struct show_session *session)
{
    struct show_server *server = session->server;
    struct show_client *client = session->client;

    if (client->job != NULL)
        show_job_forget(client->job);
    if (client->previous != NULL)
        client->previous->client->next = client->next;
    else
        server->clients = client->next;
    if (client->next != NULL)
        client->next->client->previous = client->previous;
    server->n_clients--;
    show_message_drop(client->hello);
    show_json_release(&client->rest);
    for (size_t i = 0; i < client->queue_size; i++)
        show_message_drop(client->queue[(client->queue_start + i) % SHOW_QUEUE]);
    free(client);
    session->client = NULL;
}
