/* What the live pages are told. Nothing is encoded until a client can take it: a tick
 * only sets a bit for each client and waits until its socket is writable. The text is
 * then made once and shared. A slow client so skips ticks by itself and gets the newest;
 * events wait for it in a short queue, where an update replaces the one before it. A
 * client whose queue is full, or that has taken nothing for half a minute, is dropped. */
#include "show/internal.h"

#include <stdlib.h>
#include <string.h>

#include "os/clock.h"

/* ---- messages ---- */

/* Gives one user's part of the message back; the last one frees it. All users are on the
 * loop's thread, so a plain count is enough. */
void show_message_drop(struct show_message *message)
{
    if (message == NULL || --message->users > 0)
        return;
    show_json_release(&message->text);
    free(message);
}

/* Makes a message that its maker holds until it is in the queues. */
static struct show_message *new_message(void)
{
    struct show_message *message = calloc(1, sizeof *message);

    if (message != NULL)
        message->users = 1;
    return message;
}

/* Gives the word that the API has for a change. */
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

/* Notes what the client is to be told and waits for its socket. The time from which it
 * keeps us waiting is kept with 1 added, since 0 means that nothing waits. */
static void ask(struct show_session *session, unsigned wants)
{
    struct show_client *client = session->client;

    client->wants |= wants;
    if (client->waiting_since_ms == 0)
        client->waiting_since_ms = uv_now(session->server->loop) + 1;
    show_session_wait(session);
}

void show_live_drop(struct show_session *session)
{
    session->server->dropped_clients++;
    show_session_close(session);
}

/* Puts the message into the client's queue; false when it is full. An update takes the
 * place of an older update of the same event, so that a slow client gets the newest state
 * and not all states. */
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

/* Puts one text into the queues of all clients, which share it. It takes over the text.
 * `next` is kept because a full queue drops its client. */
void show_live_tell(struct show_server *server, int64_t event_id,
                    enum record_event_change change, struct show_json *text)
{
    struct show_message *message = new_message();
    struct show_session *next;

    if (message == NULL) {
        show_json_release(text);
        return;
    }
    message->event_id = event_id;
    message->change = change;
    message->text = *text;
    *text = (struct show_json){0};
    for (struct show_session *s = server->clients; s != NULL; s = next) {
        next = s->client->next;
        if (enqueue(s->client, message))
            ask(s, 0);
        else
            show_live_drop(s);
    }
    show_message_drop(message);
}

/* Encodes the event of a tick once and gives it to all clients. */
static void tell_of_record(struct show_server *server, const struct record *record)
{
    struct show_json text = {0};

    show_live_encode_event(&text, record->event, record->change, server->snapshot.schema);
    show_live_tell(server, record->event->id, record->change, &text);
}

/* Greets without events when the store does not answer in time: a page that shows the
 * tick is better than an empty one. */
void show_live_greet_late(struct show_session *session, uint64_t now)
{
    struct show_client *client = session->client;

    if (client->job == NULL || now < client->waiting_since_ms + SHOW_GREETING_MS)
        return;
    show_job_forget(client->job);
    client->job = NULL;
    show_live_greet(session, NULL);
}

/* Notes for each client that there is a new tick. Nothing is encoded here. */
void show_live_publish(struct show_server *server, const struct record *record,
                       bool schema_grew)
{
    uint64_t now = uv_now(server->loop);
    unsigned wants = SHOW_WANT_TICK;
    struct show_session *next;

    if (server->clients == NULL)
        return;
    if (schema_grew)
        wants |= SHOW_WANT_METRICS;
    if (now - server->status_ms >= SHOW_STATUS_MS) {
        server->status_ms = now;
        server->status_made = server->brief_made = false;
        wants |= SHOW_WANT_STATUS;
    }
    for (struct show_session *s = server->clients; s != NULL; s = next) {
        bool with_processes = s->client->processes_on;

        next = s->client->next;
        ask(s, wants | (with_processes ? SHOW_WANT_PROCESSES : 0));
    }
    if (record->event != NULL && record->change != RECORD_EVENT_NONE)
        tell_of_record(server, record);
}

/* ---- texts, made when the first client takes them ---- */

/* Makes the text of the whole tick when the first client takes it. */
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

/* Makes what the page shows of the tick. It is written against the tick before when the
 * client got that one, else whole. The text differs from client to client, so it is not
 * kept. */
static struct show_json *tick_for(struct show_server *server, struct show_client *client)
{
    struct show_json *j = &server->own;
    bool follows = client->seen != 0 && client->seen + 1 == server->published;

    if (!client->view_on)
        return tick_text(server);
    client->seen = server->published;
    show_json_clear(j);
    show_encode_changes(j, &server->snapshot, &client->view, &client->told, !follows);
    return j;
}

/* Makes the list of processes when the first client takes it. */
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

/* Gives the changes to a client that has the list of the tick before and asked for
 * changes, else the whole list. */
static struct show_json *process_list_for(struct show_server *server,
                                          struct show_client *client)
{
    struct show_json *j = &server->changes;
    bool follows = client->changes_on && client->listed != 0 &&
                   client->listed + 1 == server->published;

    client->listed = server->published;
    if (!follows)
        return processes_text(server);
    if (!server->changes_made) {
        show_json_clear(j);
        show_encode_process_changes(j, &server->snapshot);
    }
    server->changes_made = true;
    return j;
}

const struct show_json *show_live_processes(struct show_server *server)
{
    return processes_text(server);
}

/* Asks for the status at the moment it is sent. */
static void encode_status(struct show_server *server, struct show_json *j, bool whole)
{
    struct show_status status;

    show_ask_status(server, &status);
    show_encode_status(j, "status", &status, server->version, os_clock_wall_ns(), whole);
}

/* Gives the status. Pages that do not show the detectors get a shorter one. */
static struct show_json *status_for(struct show_server *server,
                                    const struct show_client *client)
{
    bool whole = !client->view_on || client->view.detectors;
    struct show_json *j = whole ? &server->status : &server->brief;
    bool *made = whole ? &server->status_made : &server->brief_made;

    if (!*made) {
        show_json_clear(j);
        show_json_open(j, NULL, '{');
        show_json_string(j, "type", "status");
        encode_status(server, j, whole);
        show_json_close(j, '}');
    }
    *made = true;
    return j;
}

static void encode_metrics(const struct show_server *server, struct show_json *j)
{
    const struct show_schema *schema = server->snapshot.schema;

    show_encode_metrics(j, "metrics", schema == NULL ? NULL : &schema->metrics);
}

/* Makes the list of metrics, which is sent again when the schema has grown. */
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

/* Makes the first message of a client: all that the page needs to draw itself. `events`
 * is the answer of the store, NULL when there is none. */
void show_live_greet(struct show_session *session, const struct show_json *events)
{
    struct show_server *server = session->server;
    struct show_message *hello = new_message();
    struct show_json *j;

    if (hello == NULL) {
        show_live_drop(session);
        return;
    }
    j = &hello->text;
    show_json_open(j, NULL, '{');
    show_json_string(j, "type", "hello");
    encode_status(server, j, true);
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

/* ---- the next of them ---- */

/* Sends a message of the queue and gives it back; bytes that the socket did not take were
 * copied. */
static int send_message(struct show_session *session, struct show_message *message)
{
    int result = show_live_send(session, &message->text);

    show_message_drop(message);
    return result;
}

/* Sends the one thing that matters most: the greeting, then the metrics (which later
 * indices refer to), then events, and ticks last, since a newer tick replaces them. */
int show_live_send_next(struct show_session *session)
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
        return show_live_send(session, metrics_text(server));
    }
    if (client->queue_size > 0) {
        message = client->queue[client->queue_start];
        client->queue_start = (client->queue_start + 1) % SHOW_QUEUE;
        client->queue_size--;
        return send_message(session, message);
    }
    if (wants & SHOW_WANT_TICK) {
        client->wants &= ~(unsigned)SHOW_WANT_TICK;
        return show_live_send(session, tick_for(server, client));
    }
    if (wants & SHOW_WANT_STATUS) {
        client->wants &= ~(unsigned)SHOW_WANT_STATUS;
        return show_live_send(session, status_for(server, client));
    }
    if (wants & SHOW_WANT_PROCESSES) {
        client->wants &= ~(unsigned)SHOW_WANT_PROCESSES;
        return show_live_send(session, process_list_for(server, client));
    }
    return 0;
}

/* Tells whether there is something to send. Before the greeting nothing else may go
 * out. */
bool show_live_has_message(const struct show_client *client)
{
    return client->greeted ? client->wants != 0 || client->queue_size > 0
                           : client->hello != NULL;
}
