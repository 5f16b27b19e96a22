/* Owns the server: its beginning, the tick that it shows, its end. The end takes a turn
 * of the loop, in which libuv gives the handles back; the last of them frees the server.
 */
#include "show/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "show/analyses.h"

/* Asks the monitor for its status. Without a source it is that of a monitor that has
 * just begun. */
void show_ask_status(struct show_server *server, struct show_status *out)
{
    *out = (struct show_status){.host = "", .state = "warming"};
    if (server->source.status != NULL)
        server->source.status(server->source.context, out);
}

/* Tells whether ticks come. Three intervals without one, and ten seconds at least, are
 * too long. */
bool show_is_alive(struct show_server *server)
{
    struct show_status status;
    double limit_ms;

    if (!server->snapshot.filled)
        return false;
    show_ask_status(server, &status);
    limit_ms = fmax(10000, 3000 * status.interval_s);
    return (double)(uv_now(server->loop) - server->published_ms) <= limit_ms;
}

/* ---- life ---- */

struct show_config show_config_default(void)
{
    return (struct show_config){.address = "127.0.0.1",
                                .port = 5000,
                                .max_clients = 32,
                                .version = "",
                                .upload_max = 1e9,
                                .uploads_disk = 4e9};
}

/* Frees the server. It is called when nothing of it is known to libuv or to a worker any
 * more. */
static void release(struct show_server *server)
{
    show_bodies_expire(server);
    show_snapshot_release(&server->snapshot);
    show_json_release(&server->tick);
    show_json_release(&server->processes);
    show_json_release(&server->changes);
    show_json_release(&server->metrics);
    show_json_release(&server->status);
    show_json_release(&server->brief);
    show_json_release(&server->own);
    show_shelf_close(&server->shelf);
    uv_mutex_destroy(&server->job_lock);
    uv_cond_destroy(&server->job_done);
    free(server->version);
    free(server);
}

/* Makes the server without opening anything. The version is copied; what the source
 * points to must outlive the server. */
static struct show_server *create(uv_loop_t *loop, const struct show_config *config,
                                  const struct show_source *source)
{
    struct show_server *server = calloc(1, sizeof *server);

    if (server == NULL)
        return NULL;
    server->loop = loop;
    server->config = *config;
    server->source = *source;
    server->listen_fd = -1;
    server->shelf.folder = OS_DATA_DIR_CLOSED;
    server->sessions_max = config->max_clients + SHOW_SPARE_CONNECTIONS;
    server->version = strdup(config->version == NULL ? "" : config->version);
    if (server->version == NULL || uv_mutex_init(&server->job_lock) != 0) {
        free(server->version);
        free(server);
        return NULL;
    }
    if (uv_cond_init(&server->job_done) != 0) {
        uv_mutex_destroy(&server->job_lock);
        free(server->version);
        free(server);
        return NULL;
    }
    return server;
}

/* Opens the server. Before the first handle exists it can be freed at once, afterwards
 * only by way of the loop. */
enum vd_status show_server_new(show_server **out, uv_loop_t *loop,
                               const struct show_config *config,
                               const struct show_source *source, struct vd_error *err)
{
    struct show_server *server = create(loop, config, source);
    enum vd_status status;

    *out = NULL;
    if (server == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the server");
    status = show_listen(server, err);
    if (status != VD_OK) {
        release(server);
        return status;
    }
    status = show_watch_start(server, err);
    if (status != VD_OK) {
        show_server_free(server);
        return status;
    }
    show_analyses_open(server);
    *out = server;
    return VD_OK;
}

int show_server_port(const show_server *server)
{
    return server->port;
}

/* Takes the tick over and tells the clients. Without memory the tick is skipped and the
 * page shows the one before. The texts of the last tick are only marked as old. */
void show_server_publish(show_server *server, const struct record *record)
{
    bool grew = false;

    if (show_snapshot_take(&server->snapshot, record, &grew) != VD_OK)
        return;
    server->published_ms = uv_now(server->loop);
    server->published++;
    show_bodies_expire(server);
    server->tick_made = server->processes_made = server->changes_made = false;
    if (grew)
        server->metrics_made = false;
    if (record->event != NULL && record->change == RECORD_EVENT_OPENED &&
        record->event->severity <= RECORD_CRITICAL)
        server->events[record->event->severity]++;
    show_live_publish(server, record, grew);
    show_listen_resume(server);
}

/* Frees the server when the last handle and the last job have left it. */
void show_server_left(struct show_server *server)
{
    if (server->closing && server->n_handles == 0 && server->n_jobs == 0)
        release(server);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct show_server *server = handle->data;

    server->n_handles--;
    show_server_left(server);
}

/* Begins the end: jobs first, since they hold sessions, then the socket, so that nobody
 * new comes, then the sessions. The loop must run once more afterwards. */
void show_server_free(show_server *server)
{
    if (server == NULL || server->closing)
        return;
    server->closing = true;
    show_jobs_finish(server);
    show_analyses_finish(server);
    show_listen_close(server);
    while (server->sessions != NULL)
        show_session_close(server->sessions);
    if (server->watch.data != NULL)
        uv_close((uv_handle_t *)&server->watch, on_watch_closed);
}
