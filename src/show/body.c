/* What an answer's bytes are: its own, or a text that is shared. What is the same for all
 * who ask during a tick is made when the first asks, packed when the first wants it
 * packed, and held by everybody who is still being sent it. So a thousand questions for a
 * large table cost little more than one, in time and in memory. */
#include "show/internal.h"

#include <assert.h>
#include <stdlib.h>

#include "show/compress.h"

/* Bounds the age of what is handed out again, in milliseconds: a monitor with a minute
 * between its ticks still tells its counters as they are. */
enum { FRESH_MS = 1000 };

/* ---- shared texts ---- */

/* Holds one of them. The server is a user while it hands it out, each response is one
 * until it is sent. */
struct show_body {
    struct show_body *next; /* of those that are handed out */
    const void *key;
    size_t users;
    uint64_t made_ms;
    bool current;     /* the server hands it out */
    bool cannot_pack; /* it was tried: too small, or no memory */
    size_t counted;   /* bytes of it in the server's answer_bytes */
    struct show_json text, packed;
};

static void drop(struct show_server *server, struct show_body *body)
{
    assert(body->users > 0);
    if (--body->users > 0)
        return;
    assert(server->answer_bytes >= body->counted);
    server->answer_bytes -= body->counted;
    show_json_release(&body->text);
    show_json_release(&body->packed);
    free(body);
}

/* Counts what the body holds by now. */
static void count_body(struct show_server *server, struct show_body *body)
{
    size_t size = body->text.capacity + body->packed.capacity;

    server->answer_bytes += size - body->counted;
    body->counted = size;
}

/* Stops handing out what was made of the last tick; who is being sent it keeps it. */
void show_bodies_expire(struct show_server *server)
{
    struct show_body *next;

    for (struct show_body *b = server->bodies; b != NULL; b = next) {
        next = b->next;
        b->current = false;
        drop(server, b);
    }
    server->bodies = NULL;
}

/* Finds the text of this key while it is fresh. There are as many keys as rows in the
 * tables of addresses and files, so a list will do. */
static struct show_body *find(struct show_server *server, const void *key)
{
    struct show_body **at = &server->bodies;

    while (*at != NULL && (*at)->key != key)
        at = &(*at)->next;
    if (*at != NULL && uv_now(server->loop) >= (*at)->made_ms + FRESH_MS) {
        struct show_body *old = *at;

        *at = old->next;
        old->current = false;
        drop(server, old);
        return NULL;
    }
    return *at;
}

/* Makes the text and hands it out from now on. Returns NULL without memory. */
static struct show_body *make(struct show_server *server, const void *key,
                              show_body_write *write)
{
    struct show_body *body = calloc(1, sizeof *body);

    if (body == NULL)
        return NULL;
    write(server, key, &body->text);
    if (body->text.failed) {
        show_json_release(&body->text);
        free(body);
        return NULL;
    }
    body->key = key;
    body->users = 1;
    body->made_ms = uv_now(server->loop);
    body->current = true;
    body->next = server->bodies;
    server->bodies = body;
    count_body(server, body);
    return body;
}

void show_respond_shared(struct show_session *session, const char *type, const void *key,
                         show_body_write *write)
{
    struct show_response *r = &session->request.response;
    struct show_body *body = find(session->server, key);

    if (body == NULL)
        body = make(session->server, key, write);
    if (body == NULL) {
        show_respond_error(r, 503, "memory", "out of memory", NULL);
        return;
    }
    assert(r->shared == NULL);
    body->users++;
    r->shared = body;
    r->status = 200;
    r->type = type;
}

/* ---- the bytes of one answer ---- */

/* Gives the packed form of a shared text, made when it is first wanted. NULL where
 * packing does not pay. */
static const struct show_json *packed_form(struct show_server *server,
                                           struct show_body *body)
{
    if (body->packed.size == 0 && !body->cannot_pack) {
        body->cannot_pack = !show_gzip(&body->packed, &body->text);
        count_body(server, body);
    }
    return body->cannot_pack ? NULL : &body->packed;
}

/* Points the answer at the form of the shared text that its client takes. */
static void use_shared(struct show_session *session, bool packs)
{
    struct show_response *r = &session->request.response;
    const struct show_json *form = packs ? packed_form(session->server, r->shared) : NULL;

    r->gzip = form != NULL;
    if (form == NULL)
        form = &r->shared->text;
    r->bytes = show_json_text(form);
    r->size = form->size;
}

/* Bounds the memory of large answers that nobody takes: the one that has waited longest
 * goes; false when none may. Small answers are bounded by the number of connections. */
static bool make_room(struct show_server *server, size_t size)
{
    while (server->answer_bytes + size > SHOW_ANSWERS_MAX)
        if (!show_session_evict_taker(server))
            return false;
    return true;
}

/* Counts a large answer that is this client's alone, or refuses it for want of room. */
static void count_own(struct show_session *session)
{
    struct show_server *server = session->server;
    struct show_response *r = &session->request.response;

    if (r->owned.capacity <= SHOW_ANSWER_SMALL)
        return;
    if (!make_room(server, r->owned.capacity)) {
        show_json_release(&r->owned);
        show_respond_error(r, 503, "busy", "too many large answers wait", "ask again");
        return;
    }
    r->counted = r->owned.capacity;
    server->answer_bytes += r->counted;
}

/* Takes the answer's own bytes for its body. When memory ran out, the body is empty and
 * the status says so. */
static void use_own(struct show_session *session, bool packs)
{
    struct show_response *r = &session->request.response;

    if (!r->gzip && packs)
        r->gzip = show_gzip_in_place(&r->owned);
    count_own(session);
    if (r->owned.failed) {
        show_json_release(&r->owned);
        r->status = 503;
    }
    r->bytes = show_json_text(&r->owned);
    r->size = r->owned.size;
}

/* Decides the bytes of the answer: static ones are there already; what is made is packed
 * for those who take that, unless a worker has done it. */
void show_body_settle(struct show_session *session)
{
    struct show_response *r = &session->request.response;
    bool packs = show_takes_gzip(session->request.head.field[SHOW_FIELD_ACCEPT_ENCODING]);

    if (r->shared != NULL) {
        make_room(session->server, 0);
        use_shared(session, packs);
    } else if (r->bytes == NULL) {
        use_own(session, packs);
    }
}

/* Tells whether sending this answer keeps memory from others. What is handed out stays
 * whether it is sent or not. */
bool show_body_weighs(const struct show_response *r)
{
    return r->counted > 0 || (r->shared != NULL && !r->shared->current);
}

/* Gives back what the answer holds. */
void show_body_release(struct show_server *server, struct show_response *r)
{
    assert(server->answer_bytes >= r->counted);
    server->answer_bytes -= r->counted;
    show_json_release(&r->owned);
    if (r->shared != NULL)
        drop(server, r->shared);
}
