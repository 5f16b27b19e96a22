/* Receives a table: piece by piece from the socket into a buffer, which a worker writes
 * to the disk and hashes while nothing is read. So a slow disk holds up the client and
 * not the loop, and memory is one buffer a table. */
#include "show/analyses.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/options.h"

/* ---- the end of it ---- */

/* Removes the file and frees the upload. */
static void discard(struct show_upload *upload)
{
    struct show_server *server = upload->server;

    if (upload->fd >= 0) {
        close(upload->fd);
        unlinkat(server->shelf.folder.fd, upload->part, 0);
    }
    free(upload->buffer);
    free(upload);
    server->n_uploads--;
}

/* A worker may be at it: then it is discarded when that has ended. */
void show_upload_forget(struct show_upload *upload)
{
    upload->session = NULL;
    if (!upload->writing)
        discard(upload);
}

/* Answers. The time for that begins now, however long the table took. */
static void answer(struct show_session *session)
{
    session->begun_ms = uv_now(session->server->loop);
    show_http_answer(session);
}

/* Ends the request with an error. The rest of the body is not read. */
static void fail(struct show_session *session, unsigned status, const char *code,
                 const char *message)
{
    show_respond_error(&session->request.response, status, code, message, NULL);
    session->request.response.close = true;
    answer(session);
}

/* Hands over a table that is whole. The file is no longer the upload's to remove. */
static void finish(struct show_session *session)
{
    struct show_upload *upload = session->request.upload;
    struct show_upload_query query = upload->query;
    uint64_t size = upload->size;
    char part[sizeof upload->part], sha[OS_SHA256_TEXT];

    memcpy(part, upload->part, sizeof part);
    os_sha256_end(&upload->sha, sha);
    close(upload->fd);
    upload->fd = -1;
    session->request.upload = NULL;
    discard(upload);
    show_analyses_take(session, part, &query, size, sha);
    answer(session);
}

/* ---- pieces ---- */

/* Writes and hashes the piece, on a worker. */
static void write_piece(uv_work_t *work)
{
    struct show_upload *upload = work->data;
    size_t done = 0;

    while (done < upload->filled) {
        ssize_t n = write(upload->fd, upload->buffer + done, upload->filled - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            upload->failed = n == 0 ? EIO : errno;
            return;
        }
        done += (size_t)n;
    }
    os_sha256_add(&upload->sha, upload->buffer, upload->filled);
}

/* Goes on after a piece, on the loop. */
static void on_written(uv_work_t *work, int cancelled)
{
    struct show_upload *upload = work->data;
    struct show_server *server = upload->server;
    struct show_session *session = upload->session;
    char message[128];

    (void)cancelled;
    upload->writing = false;
    server->n_handles--;
    if (session == NULL) {
        discard(upload);
        show_server_left(server);
        return;
    }
    upload->got += upload->filled;
    upload->filled = 0;
    if (upload->failed != 0) {
        snprintf(message, sizeof message, "the table cannot be kept: %s",
                 strerror(upload->failed));
        fail(session, 507, "no_room", message);
    } else if (upload->got == upload->size) {
        finish(session);
    }
    show_session_wait(session);
}

/* Hands the buffer to a worker. */
static int write_on(struct show_session *session)
{
    struct show_upload *upload = session->request.upload;

    upload->work.data = upload;
    if (uv_queue_work(session->server->loop, &upload->work, write_piece, on_written) != 0)
        return -1;
    upload->writing = true;
    session->server->n_handles++;
    return 0;
}

/* Reads until the buffer is full or nothing is there, and has that written. */
int show_upload_received(struct show_session *session)
{
    struct show_upload *upload = session->request.upload;
    uint64_t left = upload->size - upload->got - upload->filled;
    ssize_t n = 1;

    if (upload->writing)
        return 0;
    while (left > 0 && upload->filled < SHOW_PIECE && n > 0) {
        size_t room = SHOW_PIECE - upload->filled;

        n = recv(session->fd, upload->buffer + upload->filled, left < room ? left : room,
                 MSG_DONTWAIT);
        if (n > 0) {
            upload->filled += (size_t)n;
            left -= (size_t)n;
            show_session_moved(session, (size_t)n);
        }
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        return -1;
    return upload->filled > 0 ? write_on(session) : 0;
}

/* ---- the beginning ---- */

/* Accepts the types that a form of another site cannot send. */
static bool is_table(const char *type)
{
    static const char *const known[] = {"application/octet-stream", "text/csv",
                                        "application/gzip", "application/x-gzip"};

    for (size_t i = 0; type != NULL && i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i]);

        if (strncasecmp(type, known[i], n) == 0 &&
            (type[n] == '\0' || type[n] == ';' || type[n] == ' '))
            return true;
    }
    return false;
}

/* Opens a new file for it; false with the response decided. */
static bool open_part(struct show_upload *upload, struct show_response *r)
{
    struct show_server *server = upload->server;
    struct vd_error err = {0};

    snprintf(upload->part, sizeof upload->part, "%llu.part",
             (unsigned long long)++server->n_parts);
    upload->fd = os_data_dir_file(&server->shelf.folder, upload->part,
                                  O_WRONLY | O_CREAT | O_EXCL, &err);
    if (upload->fd < 0)
        show_respond_failure(r, VD_ERR_IO, &err);
    return upload->fd >= 0;
}

/* Takes over what came with the head. */
static void take_first(struct show_session *session)
{
    struct show_upload *upload = session->request.upload;
    size_t here = session->input_size - session->request.head.used;

    if (here > upload->size)
        here = (size_t)upload->size;
    memcpy(upload->buffer, session->input + session->request.head.used, here);
    upload->filled = here;
    session->request.size = session->request.head.used + here;
}

/* Makes the upload; false with the response decided. */
static bool start(struct show_session *session, const struct show_upload_query *query)
{
    struct show_response *r = &session->request.response;
    struct show_upload *upload = calloc(1, sizeof *upload);

    if (upload == NULL || (upload->buffer = malloc(SHOW_PIECE)) == NULL) {
        free(upload);
        show_respond_error(r, 503, "memory", "out of memory", NULL);
        return false;
    }
    upload->server = session->server;
    upload->session = session;
    upload->query = *query;
    upload->size = (uint64_t)session->request.head.body_size;
    session->server->n_uploads++;
    if (!open_part(upload, r)) {
        discard(upload);
        return false;
    }
    os_sha256_begin(&upload->sha);
    session->request.upload = upload;
    take_first(session);
    return true;
}

/* Says how much may be sent. */
static void respond_too_large(struct show_response *r, double most)
{
    char size[32], message[96];

    snprintf(message, sizeof message, "a table may have %s at most",
             os_format_size(most, size, sizeof size));
    show_respond_error(r, 413, "too_large", message, "--upload-max sets it");
}

void show_upload_begin(struct show_session *session)
{
    struct show_server *server = session->server;
    struct show_response *r = &session->request.response;
    const struct show_head *head = &session->request.head;
    struct show_upload_query query;

    if (!show_upload_read_query(session, &query))
        return;
    if (!is_table(head->field[SHOW_FIELD_TYPE]))
        show_respond_error(r, 415, "type", "the body must be application/octet-stream",
                           "or text/csv, or application/gzip");
    else if (head->body_size == 0)
        show_respond_error(r, 411, "length",
                           head->field[SHOW_FIELD_LENGTH] == NULL
                               ? "the body needs a Content-Length"
                               : "the table is empty",
                           NULL);
    else if ((double)head->body_size > server->config.upload_max)
        respond_too_large(r, server->config.upload_max);
    else if (head->field[SHOW_FIELD_EXPECT] != NULL &&
             strcasecmp(head->field[SHOW_FIELD_EXPECT], "100-continue") != 0)
        show_respond_error(r, 417, "expectation", "only 100-continue can be expected",
                           NULL);
    else if (server->n_uploads >= SHOW_UPLOADS_MAX)
        show_respond_error(r, 503, "busy", "three tables are being received already",
                           "send it again when one of them is here");
    else if (!show_shelf_make_room(&server->shelf, 3 * (uint64_t)head->body_size))
        show_respond_error(r, 507, "no_room", "there is no room for the table",
                           "remove analyses, or give more by --uploads-disk");
    else
        start(session, &query);
}
