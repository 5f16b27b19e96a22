/* Has tables analysed on threads of their own, a few at once: libuv's workers belong to
 * the trainings and the questions to the store, and an analysis may take minutes. A
 * thread sees its entry, the folder and the monitor's function, and tells the loop by a
 * signal when it is over. */
#include "show/analyses.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/log.h"

/* ---- on the analysis' thread ---- */

/* Is told how far it is; says whether it is still wanted. */
static bool on_progress(void *context, double done, size_t rows)
{
    struct show_entry *entry = context;

    atomic_store(&entry->done, (unsigned)lround(1000 * fmin(fmax(done, 0), 1)));
    atomic_store(&entry->rows, rows);
    return !atomic_load(&entry->unwanted);
}

static bool is_wanted(void *context)
{
    struct show_entry *entry = context;

    return !atomic_load(&entry->unwanted);
}

static void on_row(void *context, double surprise)
{
    struct show_entry *entry = context;

    show_scores_add(&entry->scores, surprise);
}

/* Writes a whole file. */
static enum vd_status write_file(const struct os_data_dir *folder, const char *name,
                                 const struct show_json *text, struct vd_error *err)
{
    int fd = text->failed
                 ? -1
                 : os_data_dir_file(folder, name, O_WRONLY | O_CREAT | O_TRUNC, err);
    const char *bytes = show_json_text(text);
    size_t done = 0;
    ssize_t n = 1;

    if (text->failed)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the result");
    while (fd >= 0 && done < text->size && n > 0) {
        n = write(fd, bytes + done, text->size - done);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            done += (size_t)n;
    }
    if (fd >= 0 && done < text->size)
        vd_error_set(err, VD_ERR_IO, NULL, "cannot write %s: %s", name, strerror(errno));
    if (fd >= 0)
        close(fd);
    return fd >= 0 && done == text->size ? VD_OK : VD_ERR_IO;
}

/* Begins the line of the list with what is known since the upload. */
static void begin_item(struct show_json *j, const struct show_entry *entry,
                       const char *state)
{
    show_json_raw(j, NULL, show_json_text(&entry->facts), entry->facts.size);
    j->failed |= entry->facts.failed;
    j->comma = true; /* the facts are an object without its end */
    show_json_string(j, "state", state);
}

/* Writes the line of one that is over. `summary` NULL: it failed. */
static void encode_over(struct show_entry *entry, const struct show_json *summary,
                        const struct vd_error *err)
{
    struct show_json *j = &entry->made;

    begin_item(j, entry, summary == NULL ? "failed" : "done");
    show_json_time(j, "finished", os_clock_wall_ns());
    if (summary == NULL) {
        show_json_open(j, "error", '{');
        show_json_string(j, "message", err->text);
        show_json_string(j, "hint", err->hint);
        show_json_close(j, '}');
    } else {
        show_json_raw(j, "summary", show_json_text(summary), summary->size);
    }
    show_json_close(j, '}');
}

/* Analyses, and keeps what was found. */
static enum vd_status analyse(struct show_entry *entry, struct show_json *summary,
                              struct vd_error *err)
{
    const struct show_source *source = &entry->server->source;
    const struct os_data_dir *folder = &entry->server->shelf.folder;
    char table[SHOW_ID_SIZE + 8], csv[SHOW_ID_SIZE + 8], name[SHOW_ID_SIZE + 8];
    char input[PATH_MAX], output[PATH_MAX], report[PATH_MAX];
    struct show_analysis_task task = {.input = input,
                                      .output = output,
                                      .report = report,
                                      .title = entry->title,
                                      .settings = &entry->settings,
                                      .progress = on_progress,
                                      .take_row = on_row,
                                      .context = entry};
    struct show_json result = {0};
    enum vd_status status;

    show_shelf_file(entry->id, "table", table);
    show_shelf_file(entry->id, "csv", csv);
    os_data_dir_path(folder, table, input, sizeof input);
    os_data_dir_path(folder, csv, output, sizeof output);
    os_data_dir_path(folder, show_shelf_file(entry->id, "report", name), report,
                     sizeof report);
    status = show_scores_begin(&entry->scores, folder,
                               show_shelf_file(entry->id, "scores", name), err);
    if (status != VD_OK)
        return status;
    status = source->analyse(source->context, &task, summary, &result, err);
    if (status == VD_OK)
        status = show_scores_end(&entry->scores, folder, csv, is_wanted, entry, err);
    else
        show_scores_end(&entry->scores, folder, NULL, NULL, NULL, NULL);
    if (status == VD_OK)
        status =
            write_file(folder, show_shelf_file(entry->id, "result", name), &result, err);
    show_json_release(&result);
    return status;
}

/* Removes what an analysis that did not come to its end has written. */
static void remove_halves(const struct os_data_dir *folder, const char *id)
{
    static const char *const half[] = {"csv", "scores", "result", "report"};
    char name[SHOW_ID_SIZE + 8];

    for (size_t i = 0; i < sizeof half / sizeof *half; i++)
        unlinkat(folder->fd, show_shelf_file(id, half[i], name), 0);
}

/* Does all of one analysis. The line of the list is written last: what has none is not
 * whole, and is removed by the next run. */
static void run(void *argument)
{
    struct show_entry *entry = argument;
    const struct os_data_dir *folder = &entry->server->shelf.folder;
    char name[SHOW_ID_SIZE + 8];
    struct show_json summary = {0};
    struct vd_error err = {0};
    enum vd_status status = analyse(entry, &summary, &err);

    entry->failed = status != VD_OK;
    if (entry->failed)
        remove_halves(folder, entry->id);
    unlinkat(folder->fd, show_shelf_file(entry->id, "table", name), 0);
    if (!atomic_load(&entry->unwanted)) {
        encode_over(entry, entry->failed ? NULL : &summary, &err);
        write_file(folder, show_shelf_file(entry->id, "item", name), &entry->made, NULL);
    }
    show_json_release(&summary);
    atomic_store(&entry->over, true);
    uv_async_send((uv_async_t *)&entry->server->shelf_news);
}

/* ---- on the loop's thread ---- */

/* Starts those that wait, the oldest first, as many as may run. */
static void run_waiting(struct show_server *server)
{
    struct show_entry *next;

    do {
        next = NULL;
        for (struct show_entry *e = server->shelf.newest; e != NULL; e = e->next)
            if (e->state == SHOW_ENTRY_WAITING)
                next = e;
        if (next == NULL || server->n_analysing >= SHOW_ANALYSES_RUNNING ||
            uv_thread_create(&next->thread, run, next) != 0)
            return;
        next->state = SHOW_ENTRY_RUNNING;
        server->n_analysing++;
    } while (true);
}

/* Takes over what a thread has left. */
static void settle(struct show_server *server, struct show_entry *entry)
{
    uv_thread_join(&entry->thread);
    server->n_analysing--;
    entry->state = entry->failed ? SHOW_ENTRY_FAILED : SHOW_ENTRY_DONE;
    entry->item = entry->made;
    entry->made = (struct show_json){0};
    if (entry->deleted || entry->item.size == 0) {
        show_shelf_remove(&server->shelf, entry);
        return;
    }
    show_shelf_weigh(&server->shelf, entry);
    os_log_record(OS_LOG_INFO, "the analysis %s %s", entry->id,
                  entry->failed ? "failed" : "is done");
    show_shelf_make_room(&server->shelf, 0); /* it may be larger than was thought */
}

/* Finds one whose thread has done all; NULL when there is none. */
static struct show_entry *find_over(const struct show_shelf *shelf)
{
    struct show_entry *entry = shelf->newest;

    while (entry != NULL &&
           (entry->state != SHOW_ENTRY_RUNNING || !atomic_load(&entry->over)))
        entry = entry->next;
    return entry;
}

static void on_news(uv_async_t *news)
{
    struct show_server *server = news->data;
    struct show_entry *entry;

    while ((entry = find_over(&server->shelf)) != NULL)
        settle(server, entry);
    run_waiting(server);
}

static void on_news_closed(uv_handle_t *handle)
{
    struct show_server *server = handle->data;

    server->n_handles--;
    show_server_left(server);
}

void show_analyses_open(struct show_server *server)
{
    const struct show_source *source = &server->source;
    struct vd_error err = {0};

    server->shelf.folder = OS_DATA_DIR_CLOSED;
    if (source->analyse == NULL || source->folder == NULL ||
        server->config.upload_max <= 0)
        return;
    if (show_shelf_open(&server->shelf, source->folder,
                        (uint64_t)server->config.uploads_disk, &err) != VD_OK) {
        os_log_warning("no tables are taken: %s", err.text);
        return;
    }
    if (uv_async_init(server->loop, &server->shelf_news, on_news) != 0) {
        show_shelf_close(&server->shelf);
        return;
    }
    server->shelf_news.data = server;
    server->n_handles++;
}

void show_analyses_finish(struct show_server *server)
{
    if (server->shelf.folder.fd < 0)
        return;
    for (struct show_entry *e = server->shelf.newest; e != NULL; e = e->next)
        atomic_store(&e->unwanted, true);
    for (struct show_entry *e = server->shelf.newest; e != NULL; e = e->next)
        if (e->state == SHOW_ENTRY_RUNNING)
            uv_thread_join(&e->thread);
    uv_close((uv_handle_t *)&server->shelf_news, on_news_closed);
}

/* ---- entries ---- */

void show_analyses_encode(struct show_json *j, const struct show_entry *entry)
{
    if (entry->state >= SHOW_ENTRY_DONE) {
        show_json_raw(j, NULL, show_json_text(&entry->item), entry->item.size);
        return;
    }
    begin_item(j, entry, entry->state == SHOW_ENTRY_WAITING ? "waiting" : "running");
    show_json_number(j, "progress", atomic_load(&entry->done) / 1000.0);
    show_json_integer(j, "rows", (int64_t)atomic_load(&entry->rows));
    show_json_close(j, '}');
}

void show_analyses_remove(struct show_server *server, struct show_entry *entry)
{
    if (entry->state == SHOW_ENTRY_RUNNING) {
        entry->deleted = true;
        atomic_store(&entry->unwanted, true);
    } else {
        show_shelf_remove(&server->shelf, entry);
    }
}

/* Names the analysis by the table and the settings. */
static void make_id(char id[SHOW_ID_SIZE], const char *sha,
                    const struct show_analysis_settings *s)
{
    char text[OS_SHA256_TEXT], settings[256];
    struct os_sha256 key;
    int n = snprintf(settings, sizeof settings, "\n%a %s %llu %d", s->contamination,
                     s->detector, (unsigned long long)s->seed, s->raw_counters);

    os_sha256_begin(&key);
    os_sha256_add(&key, sha, strlen(sha));
    os_sha256_add(&key, settings, (size_t)n);
    snprintf(id, SHOW_ID_SIZE, "%s", os_sha256_end(&key, text));
}

/* Writes down what is known before the analysis. */
static void encode_facts(struct show_entry *entry, uint64_t size, const char *sha)
{
    const struct show_analysis_settings *s = &entry->settings;
    struct show_json *j = &entry->facts;

    show_json_open(j, NULL, '{');
    show_json_string(j, "id", entry->id);
    show_json_string(j, "name", entry->title);
    show_json_integer(j, "size", (int64_t)size);
    show_json_string(j, "sha256", sha);
    show_json_time(j, "uploaded", entry->time_ns);
    show_json_open(j, "settings", '{');
    show_json_number(j, "contamination", s->contamination);
    show_json_string(j, "detector", s->detector[0] == '\0' ? NULL : s->detector);
    show_json_integer(j, "seed", (int64_t)s->seed);
    show_json_string(j, "counters", s->raw_counters ? "raw" : "rate");
    show_json_close(j, '}');
}

/* Adds the analysis of a table that is here as `part`; NULL when that failed. */
static struct show_entry *add(struct show_server *server, const char *id,
                              const char *part, const struct show_upload_query *query,
                              uint64_t size, const char *sha)
{
    struct show_shelf *shelf = &server->shelf;
    struct show_entry *entry = show_shelf_add(shelf, id, os_clock_wall_ns());
    char name[SHOW_ID_SIZE + 8];

    if (entry == NULL)
        return NULL;
    entry->server = server;
    memcpy(entry->title, query->title, sizeof entry->title);
    entry->settings = query->settings;
    encode_facts(entry, size, sha);
    if (renameat(shelf->folder.fd, part, shelf->folder.fd,
                 show_shelf_file(id, "table", name)) != 0) {
        show_shelf_remove(shelf, entry);
        return NULL;
    }
    show_shelf_weigh(shelf, entry);
    return entry;
}

static size_t count_waiting(const struct show_shelf *shelf)
{
    size_t n = 0;

    for (const struct show_entry *e = shelf->newest; e != NULL; e = e->next)
        n += e->state == SHOW_ENTRY_WAITING;
    return n;
}

/* Finds the analysis that there is already. One that failed is tried again; one that is
 * being cancelled is not to be had. */
static struct show_entry *find_same(struct show_server *server, const char *id,
                                    struct show_response *r)
{
    struct show_entry *entry = show_shelf_find(&server->shelf, id);

    if (entry != NULL && entry->deleted) {
        show_respond_error(r, 503, "busy", "the same analysis is being cancelled",
                           "send it again");
        return entry;
    }
    if (entry != NULL && entry->state == SHOW_ENTRY_FAILED) {
        show_shelf_remove(&server->shelf, entry);
        entry = NULL;
    }
    return entry;
}

void show_analyses_take(struct show_session *session, const char *part,
                        const struct show_upload_query *query, uint64_t size,
                        const char *sha)
{
    struct show_server *server = session->server;
    struct show_response *r = &session->request.response;
    char id[SHOW_ID_SIZE];
    struct show_entry *entry;

    make_id(id, sha, &query->settings);
    entry = find_same(server, id, r);
    if (entry == NULL && count_waiting(&server->shelf) >= SHOW_ANALYSES_WAITING) {
        show_respond_error(r, 503, "busy", "too many tables wait to be analysed",
                           "send it again later");
    } else if (entry == NULL) {
        entry = add(server, id, part, query, size, sha);
        if (entry == NULL)
            show_respond_error(r, 500, "failed", "the table cannot be kept", NULL);
        else
            r->status = 201;
    } else if (r->status == 0) {
        r->status = 200;
    }
    unlinkat(server->shelf.folder.fd, part, 0); /* it has its own name by now, or goes */
    if (r->status > 201)
        return;
    r->type = "application/json";
    show_analyses_encode(&r->owned, entry);
    run_waiting(server);
}
