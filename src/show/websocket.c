/* The live pages. Nothing is encoded until a client can take it: a tick only sets a bit
 * for each client and asks the library to say when its socket is writable. The text is
 * then made once and shared. A slow client so skips ticks by itself and gets the newest;
 * events wait for it in a short queue, where an update replaces the one before it. A
 * client whose queue is full, or that has taken nothing for half a minute, is dropped. */
#include "show/internal.h"

#include <stdlib.h>
#include <string.h>

#include "os/clock.h"

_Static_assert(SHOW_JSON_HEAD >= LWS_PRE, "a frame's header fits in front of the text");

/* ---- messages ---- */

void show_message_drop(struct show_message *message)
{
    if (message == NULL || --message->users > 0)
        return;
    show_json_release(&message->text);
    free(message);
}

static struct show_message *new_message(void)
{
    struct show_message *message = calloc(1, sizeof *message);

    if (message != NULL)
        message->users = 1;
    return message;
}

static const char *change_name(enum record_event_change change)
{
    switch (change) {
    case RECORD_EVENT_OPENED:
        return "opened";
    case RECORD_EVENT_ENDED:
        return "ended";
    default:
        return "updated";
    }
}

void show_live_encode_event(struct show_json *j, const struct record_event *event,
                            enum record_event_change change,
                            const struct show_schema *schema)
{
    show_json_open(j, NULL, '{');
    show_json_string(j, "type", "event");
    show_json_string(j, "change", change_name(change));
    show_encode_event(j, "event", event, schema, NULL, 0);
    show_json_close(j, '}');
}

static void ask(struct show_session *session, unsigned wants)
{
    struct show_client *client = session->client;

    client->wants |= wants;
    if (client->waiting_since_ms == 0)
        client->waiting_since_ms = uv_now(session->server->loop) + 1;
    if (client->greeted || client->hello != NULL)
        lws_callback_on_writable(session->wsi);
}

static void drop(struct show_session *session)
{
    session->server->dropped_clients++;
    lws_set_timeout(session->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

/* false = the queue is full. */
static bool enqueue(struct show_client *client, struct show_message *message)
{
    size_t end;

    for (size_t i = 0; message->change == RECORD_EVENT_UPDATED && i < client->queue_size;
         i++) {
        struct show_message **slot =
            &client->queue[(client->queue_start + i) % SHOW_QUEUE];

        if ((*slot)->event_id == message->event_id &&
            (*slot)->change == RECORD_EVENT_UPDATED) {
            show_message_drop(*slot);
            *slot = message;
            message->users++;
            return true;
        }
    }
    if (client->queue_size == SHOW_QUEUE)
        return false;
    end = (client->queue_start + client->queue_size++) % SHOW_QUEUE;
    client->queue[end] = message;
    message->users++;
    return true;
}

void show_live_tell(struct show_server *server, int64_t event_id,
                    enum record_event_change change, struct show_json *text)
{
    struct show_message *message = new_message();

    if (message == NULL) {
        show_json_release(text);
        return;
    }
    message->event_id = event_id;
    message->change = change;
    message->text = *text;
    *text = (struct show_json){0};
    for (struct show_session *s = server->clients; s != NULL; s = s->client->next) {
        if (enqueue(s->client, message))
            ask(s, 0);
        else
            drop(s);
    }
    show_message_drop(message);
}

static void tell_of_record(struct show_server *server, const struct record *record)
{
    struct show_json text = {0};

    show_live_encode_event(&text, record->event, record->change, server->snapshot.schema);
    show_live_tell(server, record->event->id, record->change, &text);
}

/* A disk that hangs is when a live page is wanted most: it then comes without the past
 * events. */
static void greet_without_the_store(struct show_session *session, uint64_t now)
{
    struct show_client *client = session->client;

    if (client->job == NULL || now < client->waiting_since_ms + SHOW_GREETING_MS)
        return;
    show_job_forget(client->job);
    client->job = NULL;
    show_live_greet(session, NULL);
}

void show_live_publish(struct show_server *server, const struct record *record,
                       bool schema_grew)
{
    uint64_t now = uv_now(server->loop);
    unsigned wants = SHOW_WANT_TICK;

    if (server->clients == NULL)
        return;
    if (schema_grew)
        wants |= SHOW_WANT_METRICS;
    if (now - server->status_ms >= SHOW_STATUS_MS) {
        server->status_ms = now;
        server->status_made = false;
        wants |= SHOW_WANT_STATUS;
    }
    for (struct show_session *s = server->clients; s != NULL; s = s->client->next) {
        struct show_client *client = s->client;

        if (client->waiting_since_ms != 0 &&
            now > client->waiting_since_ms + SHOW_BLOCKED_MS) {
            drop(s);
            continue;
        }
        greet_without_the_store(s, now);
        ask(s, wants | (client->processes_on ? SHOW_WANT_PROCESSES : 0));
    }
    if (record->event != NULL && record->change != RECORD_EVENT_NONE)
        tell_of_record(server, record);
}

/* ---- texts, made when the first client takes them ---- */

static struct show_json *tick_text(struct show_server *server)
{
    struct show_json *j = &server->tick;

    if (!server->tick_made) {
        show_json_clear(j);
        show_encode_tick(j, NULL, &server->snapshot);
    }
    server->tick_made = true;
    return j;
}

static struct show_json *processes_text(struct show_server *server)
{
    struct show_json *j = &server->processes;

    if (!server->processes_made) {
        show_json_clear(j);
        show_encode_processes(j, &server->snapshot);
    }
    server->processes_made = true;
    return j;
}

static void encode_status(struct show_server *server, struct show_json *j)
{
    struct show_status status;

    show_ask_status(server, &status);
    show_encode_status(j, "status", &status, server->version, os_clock_wall_ns());
}

static struct show_json *status_text(struct show_server *server)
{
    struct show_json *j = &server->status;

    if (!server->status_made) {
        show_json_clear(j);
        show_json_open(j, NULL, '{');
        show_json_string(j, "type", "status");
        encode_status(server, j);
        show_json_close(j, '}');
    }
    server->status_made = true;
    return j;
}

static void encode_metrics(const struct show_server *server, struct show_json *j)
{
    const struct show_schema *schema = server->snapshot.schema;

    show_encode_metrics(j, "metrics", schema == NULL ? NULL : &schema->metrics);
}

static struct show_json *metrics_text(struct show_server *server)
{
    struct show_json *j = &server->metrics;

    if (!server->metrics_made) {
        show_json_clear(j);
        show_json_open(j, NULL, '{');
        show_json_string(j, "type", "metrics");
        encode_metrics(server, j);
        show_json_close(j, '}');
    }
    server->metrics_made = true;
    return j;
}

void show_live_greet(struct show_session *session, const struct show_json *events)
{
    struct show_server *server = session->server;
    struct show_message *hello = new_message();
    struct show_json *j;

    if (hello == NULL) {
        drop(session);
        return;
    }
    j = &hello->text;
    show_json_open(j, NULL, '{');
    show_json_string(j, "type", "hello");
    encode_status(server, j);
    encode_metrics(server, j);
    show_encode_tick(j, "latest", &server->snapshot);
    if (events == NULL || events->failed || events->size == 0)
        show_json_raw(j, "events", "[]", 2);
    else
        show_json_raw(j, "events", show_json_text(events), events->size);
    show_json_close(j, '}');
    session->client->hello = hello;
    /* All of this is in the greeting. */
    session->client->wants = 0;
    ask(session, SHOW_WANT_HELLO);
}

/* ---- one client ---- */

static int send_text(struct show_session *session, struct show_json *j)
{
    if (j->failed) {
        show_json_release(j);
        return -1;
    }
    return lws_write(session->wsi, (unsigned char *)show_json_text(j), j->size,
                     LWS_WRITE_TEXT) < 0
               ? -1
               : 0;
}

static int send_message(struct show_session *session, struct show_message *message)
{
    int result = send_text(session, &message->text);

    show_message_drop(message);
    return result;
}

static int send_next(struct show_session *session)
{
    struct show_server *server = session->server;
    struct show_client *client = session->client;
    struct show_message *message = client->hello;
    unsigned wants = client->wants;

    if (!client->greeted) {
        client->greeted = true;
        client->hello = NULL;
        client->wants &= ~(unsigned)SHOW_WANT_HELLO;
        return send_message(session, message);
    }
    if (wants & SHOW_WANT_METRICS) {
        client->wants &= ~(unsigned)SHOW_WANT_METRICS;
        return send_text(session, metrics_text(server));
    }
    if (client->queue_size > 0) {
        message = client->queue[client->queue_start];
        client->queue_start = (client->queue_start + 1) % SHOW_QUEUE;
        client->queue_size--;
        return send_message(session, message);
    }
    if (wants & SHOW_WANT_TICK) {
        client->wants &= ~(unsigned)SHOW_WANT_TICK;
        return send_text(session, tick_text(server));
    }
    if (wants & SHOW_WANT_STATUS) {
        client->wants &= ~(unsigned)SHOW_WANT_STATUS;
        return send_text(session, status_text(server));
    }
    if (wants & SHOW_WANT_PROCESSES) {
        client->wants &= ~(unsigned)SHOW_WANT_PROCESSES;
        return send_text(session, processes_text(server));
    }
    return 0;
}

int show_live_writable(struct show_session *session)
{
    struct show_client *client = session->client;

    if (!client->greeted && client->hello == NULL)
        return 0;
    /* Writable: everything before has left for the kernel. */
    client->waiting_since_ms = 0;
    if (send_next(session) != 0)
        return -1;
    if (client->wants != 0 || client->queue_size > 0)
        ask(session, 0);
    return 0;
}

int show_live_received(struct show_session *session, const char *bytes, size_t size)
{
    struct show_client *client = session->client;
    bool known = false, on = false;

    if (lws_frame_is_binary(session->wsi) ||
        size > sizeof client->message - client->message_size) {
        lws_close_reason(session->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
        return -1;
    }
    memcpy(client->message + client->message_size, bytes, size);
    client->message_size += size;
    if (!lws_is_final_fragment(session->wsi) ||
        lws_remaining_packet_payload(session->wsi))
        return 0;
    if (!show_query_message(client->message, client->message_size, &known, &on)) {
        lws_close_reason(session->wsi, LWS_CLOSE_STATUS_INVALID_PAYLOAD, NULL, 0);
        return -1;
    }
    client->message_size = 0;
    if (!known)
        return 0;
    client->processes_on = on;
    if (on && session->server->snapshot.filled)
        ask(session, SHOW_WANT_PROCESSES);
    return 0;
}

int show_live_start(struct show_session *session)
{
    struct show_job_request greeting = {.kind = SHOW_JOB_GREETING};
    struct show_server *server;

    if (session == NULL)
        return -1;
    server = session->server;
    session->client = calloc(1, sizeof *session->client);
    if (session->client == NULL) {
        session->kind = SESSION_IDLE;
        return -1;
    }
    session->client->next = server->clients;
    if (server->clients != NULL)
        server->clients->client->previous = session;
    server->clients = session;
    server->n_clients++;
    session->client->waiting_since_ms = uv_now(server->loop) + 1;
    if (server->source.history == NULL || !show_job_start(session, &greeting))
        show_live_greet(session, NULL);
    return 0;
}

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
    for (size_t i = 0; i < client->queue_size; i++)
        show_message_drop(client->queue[(client->queue_start + i) % SHOW_QUEUE]);
    free(client);
    session->client = NULL;
}
