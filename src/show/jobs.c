/* Questions to the store. They block on the disk, so libuv's worker threads ask them and
 * write the JSON too: a long answer never makes a tick late. A worker sees nothing of the
 * server but the reader, its own job and the schema, which never changes. Only two are
 * asked at a time: the workers belong to the whole program, and a disk that hangs must
 * not take them all. One of the two at most is a history, which may take long; so a quick
 * question never waits for one, however many are asked. */
#include "show/internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show/analyses.h"
#include "show/compress.h"

/* Holds one question. The loop owns the links, the session and the flags, and writes the
 * question before the job runs. The worker writes the answer, `packed` and `finished`;
 * the loop reads the answer when libuv says that the worker is done. */
struct show_job {
    uv_work_t work;
    struct show_job *next, *previous;
    struct show_server *server;
    struct show_session *session; /* NULL: nobody waits any more */
    struct show_schema *schema;
    enum show_job_kind kind;
    struct show_query query;
    int64_t event_id;
    const char *feedback;
    struct show_shelf_question shelf;
    bool has_newest; /* greeting: the event that may not be in the store yet */
    struct record_event newest;
    bool running, cancelled;
    bool pack, packed; /* the answer is to be, and is, gzip */
    bool finished;     /* under the server's job_lock */
    /* the answer */
    enum vd_status status;
    struct vd_error err;
    struct show_json json;
    struct show_json news; /* feedback was said: the event, for all live pages */
};

/* ---- on the worker thread ---- */

/* Reads a history and encodes it, on a worker. */
static void work_history(struct show_job *job, const struct history_reader *reader)
{
    const char *name[SHOW_QUERY_METRICS];
    struct history_query query = {.metric = name,
                                  .n_metrics = job->query.n_metrics,
                                  .from_ns = job->query.from_ns,
                                  .to_ns = job->query.to_ns,
                                  .points = job->query.points};
    struct history_series series = {0};

    for (size_t i = 0; i < query.n_metrics; i++)
        name[i] = job->query.metric[i];
    job->status = reader->series(reader->context, &query, &series, &job->err);
    if (job->status == VD_OK)
        show_encode_series(&job->json, &job->query, &series);
    history_series_release(&series);
}

/* Writes the list, with the newest event in its place or in front: the store may not have
 * written it yet. */
static void encode_events(struct show_job *job, const struct record_event *event,
                          size_t n)
{
    bool merge = job->has_newest;

    for (size_t i = 0; i < n; i++) {
        if (!job->has_newest || event[i].id != job->newest.id)
            continue;
        merge = false;
        /* What was said of it since it was published is in the store alone. */
        memcpy(job->newest.feedback, event[i].feedback, sizeof job->newest.feedback);
        job->newest.feedback_ns = event[i].feedback_ns;
    }
    show_json_open(&job->json, NULL, '[');
    if (merge)
        show_encode_event(&job->json, NULL, &job->newest, job->schema, NULL, 0);
    for (size_t i = 0; i < n; i++) {
        bool newer = job->has_newest && event[i].id == job->newest.id;

        show_encode_event(&job->json, NULL, newer ? &job->newest : &event[i], job->schema,
                          NULL, 0);
    }
    show_json_close(&job->json, ']');
}

/* Reads a page of events and encodes them, on a worker. */
static void work_events(struct show_job *job, const struct history_reader *reader)
{
    const struct show_query *q = &job->query;
    struct history_event_query query = {.from_ns = q->from_ns,
                                        .to_ns = q->to_ns,
                                        .before_id = q->before,
                                        .alerted_only = q->alerted,
                                        .kind = q->event_kind,
                                        .judged_only = q->judged,
                                        .open_only = q->open,
                                        .limit = q->limit};
    struct record_event *event = NULL;
    size_t n = 0;

    job->status = reader->events(reader->context, &query, &event, &n, &job->err);
    if (job->status == VD_OK)
        encode_events(job, event, n);
    free(event);
}

/* Reads one event with its recorder. Where feedback came with the question, the store may
 * not have it yet, so the event is shown as it will be, and the live clients are told. */
static void work_event(struct show_job *job, const struct history_reader *reader)
{
    static const struct history_moment none;
    struct record_event *event = calloc(1, sizeof *event);
    struct history_moment *moment = NULL;
    size_t n = 0;

    job->status = event == NULL
                      ? VD_ERR_MEMORY
                      : reader->event(reader->context, job->event_id, event, &job->err);
    if (job->status == VD_OK)
        job->status =
            reader->moments(reader->context, job->event_id, &moment, &n, &job->err);
    if (job->status == VD_OK) {
        if (job->feedback != NULL) {
            snprintf(event->feedback, sizeof event->feedback, "%s", job->feedback);
            show_live_encode_event(&job->news, event, RECORD_EVENT_UPDATED, job->schema);
        }
        show_encode_event(&job->json, NULL, event, job->schema, n == 0 ? &none : moment,
                          n);
    }
    history_moments_free(moment, n);
    free(event);
}

/* Asks what feedback would change, and changes nothing. */
static void work_preview(struct show_job *job)
{
    const struct show_source *source = &job->server->source;
    struct record_preview preview = {0};

    if (source->preview == NULL)
        job->status =
            vd_error_set(&job->err, VD_ERR_UNAVAILABLE, NULL, "nobody takes feedback");
    else
        job->status = source->preview(source->context, job->event_id, job->query.word,
                                      &preview, &job->err);
    if (job->status != VD_OK)
        return;
    show_json_open(&job->json, NULL, '{');
    show_json_integer(&job->json, "event", job->event_id);
    show_json_string(&job->json, "feedback", job->query.word);
    show_json_string(&job->json, "preview", preview.text);
    show_json_open(&job->json, "changed", '[');
    for (size_t i = 0; i < preview.n_changed; i++)
        show_json_integer(&job->json, NULL, preview.changed[i]);
    show_json_close(&job->json, ']');
    show_json_close(&job->json, '}');
}

/* Does the job on a worker and says that it is finished, for show_jobs_finish, which may
 * wait for it without the loop. */
static void work_on(uv_work_t *work)
{
    struct show_job *job = work->data;
    struct show_server *server = job->server;
    const struct history_reader *reader = server->source.history;

    switch (job->kind) {
    case SHOW_JOB_HISTORY:
        work_history(job, reader);
        break;
    case SHOW_JOB_EVENTS:
    case SHOW_JOB_GREETING:
        work_events(job, reader);
        break;
    case SHOW_JOB_EVENT:
        work_event(job, reader);
        break;
    case SHOW_JOB_PREVIEW:
        work_preview(job);
        break;
    case SHOW_JOB_SHELF:
        job->status =
            show_shelf_answer(&server->shelf, &job->shelf, &job->json, &job->err);
        break;
    }
    if (job->pack && job->status == VD_OK)
        job->packed = show_gzip_in_place(&job->json);
    uv_mutex_lock(&server->job_lock);
    job->finished = true;
    uv_cond_broadcast(&server->job_done);
    uv_mutex_unlock(&server->job_lock);
}

/* ---- on the loop's thread ---- */

/* Gives the job's answer to the request that waits for it. The text is handed over and
 * not copied. */
static void answer_request(struct show_job *job)
{
    struct show_response *r = &job->session->request.response;

    job->session->request.job = NULL;
    if (job->status != VD_OK) {
        show_respond_failure(r, job->status, &job->err);
    } else {
        r->status = 200;
        r->type = "application/json";
        r->owned = job->json;
        r->gzip = job->packed;
        job->json = (struct show_json){0};
    }
    show_http_answer(job->session);
}

static bool is_history(const struct show_job *job)
{
    return job->kind == SHOW_JOB_HISTORY;
}

/* Takes a job out of the list and frees it: on the loop, after its worker has left it. */
static void bury(struct show_job *job)
{
    struct show_server *server = job->server;

    assert(server->n_jobs > 0);
    if (job->previous != NULL)
        job->previous->next = job->next;
    else
        server->jobs = job->next;
    if (job->next != NULL)
        job->next->previous = job->previous;
    else
        server->last_job = job->previous;
    server->n_jobs--;
    server->n_running -= job->running;
    server->n_histories -= job->running && is_history(job);
    show_schema_drop(job->schema);
    show_json_release(&job->json);
    show_json_release(&job->news);
    show_json_release(&job->shelf.item);
    free(job);
}

/* Runs on the loop when a worker is done. The client may have left meanwhile: then the
 * session is NULL, and only the news that others want remain. */
static void on_job_done(uv_work_t *work, int cancelled);

/* Finds the job to be run next: a history while none runs, else the oldest of the others;
 * NULL when none may run. */
static struct show_job *next_job(const struct show_server *server)
{
    struct show_job *quick = NULL;

    for (struct show_job *job = server->jobs; job != NULL; job = job->next) {
        if (job->running)
            continue;
        if (is_history(job) && server->n_histories == 0)
            return job;
        if (!is_history(job) && quick == NULL)
            quick = job;
    }
    return quick;
}

/* Hands the jobs that wait to the workers, as many as may run at a time. */
static void run_next(struct show_server *server)
{
    struct show_job *job;

    while (server->n_running < SHOW_JOBS_RUNNING && (job = next_job(server)) != NULL) {
        if (uv_queue_work(server->loop, &job->work, work_on, on_job_done) != 0)
            return;
        job->running = true;
        server->n_running++;
        server->n_histories += is_history(job);
    }
    assert(server->n_histories <= 1 && server->n_running <= SHOW_JOBS_RUNNING);
}

/* Counts the histories, or the other questions, that are under way. */
static size_t count_jobs(const struct show_server *server, bool histories)
{
    size_t n = 0;

    for (const struct show_job *job = server->jobs; job != NULL; job = job->next)
        n += is_history(job) == histories;
    return n;
}

static void on_job_done(uv_work_t *work, int cancelled)
{
    struct show_job *job = work->data;
    struct show_server *server = job->server;

    if (job->session != NULL && cancelled == 0) {
        if (job->kind == SHOW_JOB_GREETING) {
            job->session->client->job = NULL;
            show_live_greet(job->session, job->status == VD_OK ? &job->json : NULL);
        } else {
            answer_request(job);
        }
    }
    if (job->news.size > 0 && !server->closing)
        show_live_tell(server, job->event_id, RECORD_EVENT_UPDATED, &job->news);
    bury(job);
    if (server->closing)
        show_server_left(server);
    else
        run_next(server);
}

/* Adds the job to the end of the list, where the oldest is first. */
static void append(struct show_server *server, struct show_job *job)
{
    job->previous = server->last_job;
    if (job->previous != NULL)
        job->previous->next = job;
    else
        server->jobs = job;
    server->last_job = job;
    server->n_jobs++;
}

bool show_job_start(struct show_session *session, const struct show_job_request *request)
{
    struct show_server *server = session->server;
    struct show_job *job = NULL;

    /* Greetings have their own bound: there is one for each client at most. A session
     * asks one question at a time: it could forget only one of two when it ends. */
    if (request->kind != SHOW_JOB_GREETING &&
        (session->request.job != NULL ||
         count_jobs(server, request->kind == SHOW_JOB_HISTORY) >= SHOW_JOBS_MAX))
        return false;
    job = calloc(1, sizeof *job);
    if (job == NULL)
        return false;
    job->work.data = job;
    job->server = server;
    job->session = session;
    job->kind = request->kind;
    job->event_id = request->event_id;
    job->feedback = request->feedback;
    if (request->query != NULL)
        job->query = *request->query;
    if (request->shelf != NULL)
        job->shelf = *request->shelf;
    job->schema = show_schema_hold(server->snapshot.schema);
    if (request->kind == SHOW_JOB_GREETING) {
        job->has_newest = server->snapshot.has_event;
        job->newest = server->snapshot.event;
        job->query.limit = SHOW_GREETING_EVENTS;
        session->client->job = job;
    } else {
        session->request.job = job;
        job->pack =
            show_takes_gzip(session->request.head.field[SHOW_FIELD_ACCEPT_ENCODING]);
    }
    append(server, job);
    run_next(server);
    return true;
}

/* Says that nobody waits for the job any more. One that has not begun is freed here; one
 * that runs is freed when it ends. */
void show_job_forget(struct show_job *job)
{
    job->session = NULL;
    if (!job->running)
        bury(job);
    else if (!job->cancelled) /* fails when a worker has begun: then it ends by itself */
        job->cancelled = uv_cancel((uv_req_t *)&job->work) == 0;
}

/* Ends all jobs before the reader goes away: those that wait are freed, those that run
 * are waited for. The loop may not run any more, so the workers tell it by a
 * condition. */
void show_jobs_finish(struct show_server *server)
{
    struct show_job *next;

    for (struct show_job *job = server->jobs; job != NULL; job = next) {
        struct show_session *session = job->session;

        next = job->next;
        if (!job->running && session != NULL) {
            if (job->kind == SHOW_JOB_GREETING)
                session->client->job = NULL;
            else
                session->request.job = NULL;
        }
        show_job_forget(job);
    }
    uv_mutex_lock(&server->job_lock);
    for (struct show_job *job = server->jobs; job != NULL; job = job->next)
        while (!job->cancelled && !job->finished)
            uv_cond_wait(&server->job_done, &server->job_lock);
    uv_mutex_unlock(&server->job_lock);
}
