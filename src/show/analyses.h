/* Uploaded tables and their analyses, as parts of the server: upload.c receives a table,
 * analyses.c has it analysed, analyses_api.c answers what is asked about it. Internal. */
#ifndef VD_SHOW_ANALYSES_H
#define VD_SHOW_ANALYSES_H

#include "os/sha256.h"
#include "show/internal.h"
#include "show/scores.h"

enum {
    SHOW_UPLOADS_MAX = 3,       /* tables that are received at once */
    SHOW_ANALYSES_RUNNING = 3,  /* that are analysed at once */
    SHOW_ANALYSES_WAITING = 16, /* and that wait */
    SHOW_PIECE = 256 << 10,     /* bytes that are written at once */
};

/* What a POST asks for. */
struct show_upload_query {
    char title[SHOW_TITLE_SIZE];
    struct show_analysis_settings settings;
};

/* A table that is being received. The loop fills the buffer, a worker of libuv's writes
 * and hashes it; never both at once. */
struct show_upload {
    uv_work_t work;
    struct show_server *server;
    struct show_session *session; /* NULL: it has gone */
    struct show_upload_query query;
    char part[32]; /* the file's name */
    int fd;
    uint64_t size, got; /* bytes that were announced, and those that are written */
    struct os_sha256 sha;
    char *buffer; /* SHOW_PIECE bytes, owned */
    size_t filled;
    bool writing;
    int failed; /* errno of a write; 0 = none */
};

/* A question about an analysis that a worker answers. */
enum show_shelf_part { SHOW_SHELF_ROWS, SHOW_SHELF_SHARE, SHOW_SHELF_WHOLE };

struct show_shelf_question {
    enum show_shelf_part part;
    char id[SHOW_ID_SIZE];
    struct show_rows_query rows;
    struct show_json item; /* of the whole: its line in the list, owned */
};

/* upload.c */

/* Reads what a POST asks for; false with the response decided. */
bool show_upload_read_query(struct show_session *session,
                            struct show_upload_query *query);
/* Begins to receive a table, or decides the response: what is too large is refused before
 * its first byte. */
void show_upload_begin(struct show_session *session);
/* Takes what has come. -1 = close the connection. */
int show_upload_received(struct show_session *session);
/* The session goes away: nothing is left of the table. */
void show_upload_forget(struct show_upload *upload);

/* analyses.c */

/* Opens the shelf where the monitor takes tables; without it the rest says so. */
void show_analyses_open(struct show_server *server);
/* Cancels what runs and waits for it. */
void show_analyses_finish(struct show_server *server);

/* The table is whole, as `part`: it gets its analysis, or the one that there is. Answers
 * the session. */
void show_analyses_take(struct show_session *session, const char *part,
                        const struct show_upload_query *query, uint64_t size,
                        const char *sha);

/* Writes the line of the list, as it stands now. */
void show_analyses_encode(struct show_json *j, const struct show_entry *entry);

/* Cancels and removes it: now, or when its thread has ended. */
void show_analyses_remove(struct show_server *server, struct show_entry *entry);

/* analyses_api.c */

/* false = the path is about no analyses. */
bool show_analyses_get(struct show_session *session);
bool show_analyses_delete(struct show_session *session);
bool show_analyses_post(struct show_session *session);

/* Answers on a worker. */
enum vd_status show_shelf_answer(const struct show_shelf *shelf,
                                 const struct show_shelf_question *question,
                                 struct show_json *out, struct vd_error *err);

#endif
