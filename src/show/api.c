/* The addresses below /api/v1: a table of those that are answered at once, and the ones
 * that ask the store, which become jobs. */
#include "show/internal.h"

#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "show/analyses.h"

/* ---- answered from memory ---- */

/* Asks the monitor for the status now: it changes between two ticks, and the answer must
 * be of this moment. */
static void answer_status(struct show_server *server, struct show_json *j)
{
    struct show_status status;

    show_ask_status(server, &status);
    show_encode_status(j, NULL, &status, server->version, os_clock_wall_ns(), true);
}

/* Tells the schema. Before the first tick there is none, and the list is empty. */
static void answer_metrics(struct show_server *server, struct show_json *j)
{
    const struct show_schema *schema = server->snapshot.schema;

    show_encode_metrics(j, NULL, schema == NULL ? NULL : &schema->metrics);
}

static void answer_latest(struct show_server *server, struct show_json *j)
{
    show_encode_tick(j, NULL, &server->snapshot);
}

/* Copies the list that is made once a tick and shared with the live pages: thousands of
 * processes take milliseconds to write and nearly nothing to copy. */
static void answer_processes(struct show_server *server, struct show_json *j)
{
    const struct show_json *made = show_live_processes(server);

    show_json_append(j, show_json_text(made), made->size);
    j->failed |= made->failed;
}

/* Reads the users anew for each tick, since an account may have been added. */
static void answer_users(struct show_server *server, struct show_json *j)
{
    (void)server;
    show_encode_users(j, "/etc/passwd");
}

/* Tells how each limit stands. A monitor that has no limits to tell gives an empty
 * list. */
static void answer_limits(struct show_server *server, struct show_json *j)
{
    struct show_limit limit[SHOW_LIMITS_MAX];
    size_t n = server->source.limits == NULL
                   ? 0
                   : server->source.limits(server->source.context, limit);

    show_encode_limits(j, limit, n);
}

static void answer_habits(struct show_server *server, struct show_json *j)
{
    struct show_habit habit[SHOW_HABITS_MAX];
    size_t n = server->source.habits == NULL
                   ? 0
                   : server->source.habits(server->source.context, habit);

    show_encode_habits(j, habit, n);
}

/* Lists the addresses that are answered at once on the loop's thread. `needs_tick`
 * refuses the question until there was a first tick; `of_now` is answered anew each time,
 * the others once for all who ask during a tick. `write` only appends JSON and may not
 * wait for anything. */
static const struct answer {
    const char *path;
    bool needs_tick, of_now;
    void (*write)(struct show_server *server, struct show_json *j);
} answers[] = {
    {"/api/v1/status", false, true, answer_status},
    {"/api/v1/metrics", false, false, answer_metrics},
    {"/api/v1/latest", true, false, answer_latest},
    {"/api/v1/processes", true, false, answer_processes},
    {"/api/v1/users", false, false, answer_users},
    {"/api/v1/limits", false, false, answer_limits},
    {"/api/v1/habits", false, false, answer_habits},
};

static const struct answer *find_answer(const char *path)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (strcmp(answers[i].path, path) == 0)
            return &answers[i];
    return NULL;
}

static void write_answer(struct show_server *server, const void *key, struct show_json *j)
{
    const struct answer *answer = key;

    answer->write(server, j);
}

/* Answers at once from the snapshot of the last tick, or with 503 before there is one. */
static void respond_from_memory(struct show_session *session, const struct answer *answer)
{
    struct show_response *r = &session->request.response;

    if (answer->needs_tick && !session->server->snapshot.filled) {
        show_respond_error(r, 503, "not_ready", "there was no tick yet", "ask again");
        return;
    }
    if (!answer->of_now) {
        show_respond_shared(session, "application/json", answer, write_answer);
        return;
    }
    answer->write(session->server, &r->owned);
    r->status = 200;
    r->type = "application/json";
}

/* ---- answered by the store ---- */

enum { PAIR_MAX = 2048 }; /* bytes of a parameter, encoded */

/* Decodes one pair in place of its copy. In a query '+' stands for a blank, so it is
 * replaced before the %-escapes, which may hold a real plus. */
static enum vd_status decode_pair(char pair[PAIR_MAX], const char *text, size_t size,
                                  struct vd_error *err)
{
    if (size >= PAIR_MAX)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "a parameter is too long");
    memcpy(pair, text, size);
    pair[size] = '\0';
    for (char *c = pair; *c != '\0'; c++)
        if (*c == '+')
            *c = ' ';
    if (!show_head_unescape(pair))
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                            "a parameter has a broken %%-escape");
    return VD_OK;
}

enum vd_status show_api_pairs(const char *query, show_api_take *take, void *context,
                              struct vd_error *err)
{
    char pair[PAIR_MAX];

    while (*query != '\0') {
        size_t size = strcspn(query, "&");
        char *value;
        enum vd_status status = decode_pair(pair, query, size, err);

        if (status != VD_OK)
            return status;
        value = strchr(pair, '=');
        if (value != NULL)
            *value++ = '\0';
        status = take(context, pair, value == NULL ? "" : value, err);
        if (status != VD_OK)
            return status;
        query += size + (query[size] == '&');
    }
    return VD_OK;
}

/* Takes the whole query, whose pairs are parted by "&", and then looks at the pairs
 * together. */
static enum vd_status read_pairs(struct show_query *query, const char *text,
                                 struct vd_error *err)
{
    char pair[PAIR_MAX];

    while (*text != '\0') {
        size_t size = strcspn(text, "&");

        if (decode_pair(pair, text, size, err) != VD_OK ||
            show_query_add(query, pair, strlen(pair), err) != VD_OK)
            return VD_ERR_ARGUMENT;
        text += size + (text[size] == '&');
    }
    return show_query_finish(query, os_clock_wall_ns(), err);
}

bool show_api_read_query(struct show_session *session, struct show_query *query,
                         enum show_query_kind kind)
{
    struct vd_error err = {0};

    show_query_init(query, kind);
    if (read_pairs(query, session->request.head.query, &err) == VD_OK)
        return true;
    show_respond_failure(&session->request.response, VD_ERR_ARGUMENT, &err);
    return false;
}

/* Leaves the answer to a job, or says why there can be none. A full list of jobs is
 * answered with 503 and not with waiting, so that a slow disk does not tie up
 * connections. */
static void ask_store(struct show_session *session,
                      const struct show_job_request *request)
{
    struct show_response *r = &session->request.response;

    if (session->server->source.history == NULL)
        show_respond_error(r, 503, "not_ready", "there is no store", NULL);
    else if (!show_job_start(session, request))
        show_respond_error(r, 503, "busy", "too many questions at once", "ask again");
}

static enum show_job_kind job_of(enum show_query_kind kind)
{
    switch (kind) {
    case SHOW_QUERY_HISTORY:
        return SHOW_JOB_HISTORY;
    case SHOW_QUERY_EVENTS:
        return SHOW_JOB_EVENTS;
    case SHOW_QUERY_PREVIEW:
        return SHOW_JOB_PREVIEW;
    default:
        return SHOW_JOB_EVENT;
    }
}

/* Finds what the path is about, reads the query as that address takes it, and only then
 * answers. The query is large, so it is on the heap. */
void show_api_respond(struct show_session *session)
{
    const char *path = session->request.head.path;
    struct show_response *r = &session->request.response;
    const struct answer *answer = find_answer(path);
    struct show_job_request request = {.kind = SHOW_JOB_EVENT};
    struct show_query *query;
    enum show_event_part part = SHOW_EVENT_WHOLE;
    bool is_event = show_query_event_path(path, &request.event_id, &part);
    enum show_query_kind kind = SHOW_QUERY_NONE;

    if (show_analyses_get(session))
        return;
    if (strcmp(path, "/api/v1/history") == 0)
        kind = SHOW_QUERY_HISTORY;
    else if (strcmp(path, "/api/v1/events") == 0)
        kind = SHOW_QUERY_EVENTS;
    else if (is_event && part == SHOW_EVENT_PREVIEW)
        kind = SHOW_QUERY_PREVIEW;
    else if (is_event && part == SHOW_EVENT_FEEDBACK) {
        show_respond_error(r, 405, "method", "send feedback by POST", NULL);
        r->allow = "POST";
        return;
    } else if (answer == NULL && !is_event) {
        show_respond_error(r, 404, "not_found", "there is nothing at this address",
                           "the addresses are in docs/api.md");
        return;
    }
    query = malloc(sizeof *query);
    if (query == NULL) {
        show_respond_error(r, 503, "memory", "out of memory", NULL);
        return;
    }
    request.query = query;
    request.kind = job_of(kind);
    if (show_api_read_query(session, query, kind)) {
        if (answer != NULL)
            respond_from_memory(session, answer);
        else
            ask_store(session, &request);
    }
    free(query);
}

/* Acts on feedback at once and then asks the store for the event, so that the answer
 * shows what is known of it now. */
void show_api_feedback(struct show_session *session, const char *body, size_t size)
{
    const struct show_source *source = &session->server->source;
    struct show_request *request = &session->request;
    struct show_job_request job = {.kind = SHOW_JOB_EVENT,
                                   .event_id = request->feedback_id};
    struct vd_error err = {0};
    enum vd_status status = show_query_feedback(body, size, &job.feedback, &err);

    if (status == VD_OK && source->feedback == NULL)
        status = vd_error_set(&err, VD_ERR_UNAVAILABLE, NULL, "nobody takes feedback");
    if (status == VD_OK)
        status =
            source->feedback(source->context, request->feedback_id, job.feedback, &err);
    if (status != VD_OK)
        show_respond_failure(&request->response, status, &err);
    else
        ask_store(session, &job);
}
