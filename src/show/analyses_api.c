/* The addresses below /api/v1/analyses. Lists are answered at once, files are sent as
 * they lie, and what has to be read from them is a worker's job. */
#include "show/analyses.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/utf8.h"

static const char ROOT[] = "/api/v1/analyses";

/* ---- parameters ---- */

static enum vd_status bad(struct vd_error *err, const char *name, const char *want)
{
    return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "%s must be %s", name, want);
}

static bool read_number(const char *text, double least, double most, double *value)
{
    char *end;

    *value = strtod(text, &end);
    return *text != '\0' && *end == '\0' && *value >= least && *value <= most;
}

static bool read_whole(const char *text, uint64_t most, uint64_t *value)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 18 || text[digits] != '\0')
        return false;
    *value = strtoull(text, NULL, 10);
    return *value <= most;
}

/* Keeps the last part of a path, as browsers of old sent whole ones; signs that steer a
 * terminal become question marks. */
static void take_title(char title[SHOW_TITLE_SIZE], const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if (*c == '/' || *c == '\\')
            name = c + 1;
    snprintf(title, SHOW_TITLE_SIZE, "%s", *name == '\0' ? "table" : name);
    for (char *c = title; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

/* Takes one parameter of an upload. */
static enum vd_status take_setting(void *context, const char *name, const char *value,
                                   struct vd_error *err)
{
    struct show_upload_query *q = context;
    struct show_analysis_settings *s = &q->settings;

    if (strcmp(name, "name") == 0) {
        take_title(q->title, value);
    } else if (strcmp(name, "contamination") == 0) {
        if (!read_number(value, 0.000001, 0.5, &s->contamination))
            return bad(err, name, "above 0 and 0.5 at most");
    } else if (strcmp(name, "detector") == 0) {
        if (strlen(value) >= sizeof s->detector ||
            value[strspn(value, "abcdefghijklmnopqrstuvwxyz_")] != '\0')
            return bad(err, name, "the name of a detector");
        snprintf(s->detector, sizeof s->detector, "%s", value);
    } else if (strcmp(name, "seed") == 0) {
        if (!read_whole(value, INT64_MAX, &s->seed))
            return bad(err, name, "a whole number");
    } else if (strcmp(name, "counters") == 0) {
        s->raw_counters = strcmp(value, "raw") == 0;
        if (!s->raw_counters && strcmp(value, "rate") != 0)
            return bad(err, name, "rate or raw");
    } else {
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "unknown parameter %.40s", name);
    }
    return VD_OK;
}

bool show_upload_read_query(struct show_session *session, struct show_upload_query *query)
{
    struct vd_error err = {0};

    *query = (struct show_upload_query){.title = "table",
                                        .settings = {.contamination = NAN, .seed = 42}};
    if (show_api_pairs(session->request.head.query, take_setting, query, &err) == VD_OK)
        return true;
    show_respond_failure(&session->request.response, VD_ERR_ARGUMENT, &err);
    return false;
}

/* Takes one parameter of a question about rows or a share. */
static enum vd_status take_row_pair(void *context, const char *name, const char *value,
                                    struct vd_error *err)
{
    struct show_shelf_question *q = context;
    bool of_rows = q->part == SHOW_SHELF_ROWS;
    uint64_t whole;

    if (strcmp(name, "share") == 0 && q->part != SHOW_SHELF_WHOLE) {
        if (!read_number(value, 0, 0.5, &q->rows.share))
            return bad(err, name, "0 to 0.5");
    } else if (of_rows && strcmp(name, "from") == 0) {
        if (!read_whole(value, INT64_MAX, &q->rows.from))
            return bad(err, name, "a whole number");
    } else if (of_rows && strcmp(name, "limit") == 0) {
        if (!read_whole(value, SHOW_ROWS_MAX, &whole) || whole == 0)
            return bad(err, name, "1 to 500");
        q->rows.limit = (size_t)whole;
    } else if (of_rows && strcmp(name, "odd") == 0) {
        q->rows.odd = strcmp(value, "1") == 0;
        if (!q->rows.odd && strcmp(value, "0") != 0)
            return bad(err, name, "0 or 1");
    } else {
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "unknown parameter %.40s", name);
    }
    return VD_OK;
}

/* ---- on a worker ---- */

/* Appends the file to the text. */
static enum vd_status append_file(struct show_json *out, const struct os_data_dir *folder,
                                  const char *name, struct vd_error *err)
{
    char piece[16384];
    int fd = os_data_dir_file(folder, name, O_RDONLY, err);
    ssize_t n;

    if (fd < 0)
        return VD_ERR_DATA;
    while ((n = read(fd, piece, sizeof piece)) > 0)
        show_json_append(out, piece, (size_t)n);
    close(fd);
    return n == 0 ? VD_OK
                  : vd_error_set(err, VD_ERR_IO, NULL, "cannot read %s: %s", name,
                                 strerror(errno));
}

/* Writes the line of the list with the result behind it. */
static enum vd_status answer_whole(const struct os_data_dir *folder,
                                   const struct show_shelf_question *q,
                                   const char *result, struct show_json *out,
                                   struct vd_error *err)
{
    enum vd_status status;

    show_json_append(out, show_json_text(&q->item), q->item.size - 1);
    show_json_append(out, ",\"result\":", 10);
    status = append_file(out, folder, result, err);
    show_json_append(out, "}", 1);
    return status;
}

enum vd_status show_shelf_answer(const struct show_shelf *shelf,
                                 const struct show_shelf_question *q,
                                 struct show_json *out, struct vd_error *err)
{
    char csv[SHOW_ID_SIZE + 8], scores[SHOW_ID_SIZE + 8], result[SHOW_ID_SIZE + 8];

    show_shelf_file(q->id, "csv", csv);
    show_shelf_file(q->id, "scores", scores);
    show_shelf_file(q->id, "result", result);
    switch (q->part) {
    case SHOW_SHELF_ROWS:
        return show_scores_rows(&shelf->folder, csv, scores, &q->rows, out, err);
    case SHOW_SHELF_SHARE:
        return show_scores_share(&shelf->folder, scores, q->rows.share, out, err);
    default:
        return answer_whole(&shelf->folder, q, result, out, err);
    }
}

/* ---- answers ---- */

/* Lists all analyses, newest first, and how much may be sent. */
static void respond_list(struct show_session *session)
{
    struct show_server *server = session->server;
    struct show_response *r = &session->request.response;
    struct show_json *j = &r->owned;
    bool open = server->shelf.folder.fd >= 0;

    show_json_open(j, NULL, '{');
    show_json_integer(j, "upload_max", open ? (int64_t)server->config.upload_max : 0);
    show_json_open(j, "disk", '{');
    show_json_integer(j, "used", (int64_t)server->shelf.bytes);
    show_json_integer(j, "max", open ? (int64_t)server->config.uploads_disk : 0);
    show_json_close(j, '}');
    show_json_open(j, "analyses", '[');
    for (const struct show_entry *e = server->shelf.newest; e != NULL; e = e->next)
        if (!e->deleted)
            show_analyses_encode(j, e);
    show_json_close(j, ']');
    show_json_close(j, '}');
    r->status = 200;
    r->type = "application/json";
}

/* Gives the name under which a browser keeps the file: of the table's own name only what
 * no shell or header minds. */
static void name_download(struct show_response *r, const struct show_entry *entry,
                          const char *ending)
{
    char name[64];
    size_t n = 0;

    for (const char *c = entry->title; *c != '\0' && n + 1 < sizeof name; c++) {
        if (strcmp(c, ".csv") == 0 || strcmp(c, ".csv.gz") == 0)
            break;
        name[n++] = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                           "0123456789-",
                           *c) != NULL
                        ? *c
                        : '_';
    }
    name[n] = '\0';
    snprintf(r->download, sizeof r->download, "%s%s", n == 0 ? "table" : name, ending);
}

/* Sends a file of the analysis as it lies. */
static void respond_file(struct show_session *session, const struct show_entry *entry,
                         const char *ending, const char *type, const char *name)
{
    struct show_response *r = &session->request.response;
    char file[SHOW_ID_SIZE + 8];
    struct vd_error err = {0};
    struct stat info;
    int fd = os_data_dir_file(&session->server->shelf.folder,
                              show_shelf_file(entry->id, ending, file), O_RDONLY, &err);

    if (fd < 0 || fstat(fd, &info) != 0) {
        show_respond_failure(r, VD_ERR_DATA, &err);
        if (fd >= 0)
            close(fd);
        return;
    }
    r->status = 200;
    r->type = type;
    r->bytes = "";
    r->size = (size_t)info.st_size;
    r->has_file = true;
    r->file = fd;
    name_download(r, entry, name);
}

/* Leaves the answer to a worker. */
static void ask(struct show_session *session, const struct show_entry *entry,
                struct show_shelf_question *q)
{
    struct show_response *r = &session->request.response;
    struct show_job_request job = {.kind = SHOW_JOB_SHELF, .shelf = q};
    struct vd_error err = {0};

    memcpy(q->id, entry->id, sizeof q->id);
    if (show_api_pairs(session->request.head.query, take_row_pair, q, &err) != VD_OK) {
        show_respond_failure(r, VD_ERR_ARGUMENT, &err);
        return;
    }
    if (q->part == SHOW_SHELF_WHOLE)
        show_json_append(&q->item, show_json_text(&entry->item), entry->item.size);
    if (!show_job_start(session, &job)) {
        show_json_release(&q->item);
        show_respond_error(r, 503, "busy", "too many questions at once", "ask again");
    }
}

/* Answers with the line of the list: of one that is not done there is no more. */
static void respond_item(struct show_session *session, const struct show_entry *entry)
{
    struct show_response *r = &session->request.response;

    show_analyses_encode(&r->owned, entry);
    r->status = 200;
    r->type = "application/json";
}

/* Answers a GET about one analysis. `part` is what stands behind its id. */
static void respond_part(struct show_session *session, const struct show_entry *entry,
                         const char *part)
{
    struct show_response *r = &session->request.response;
    struct show_shelf_question q = {.rows = {.limit = 100, .share = NAN},
                                    .part = SHOW_SHELF_WHOLE};

    if (*part == '\0' && entry->state != SHOW_ENTRY_DONE) {
        respond_item(session, entry);
    } else if (*part != '\0' && entry->state != SHOW_ENTRY_DONE) {
        show_respond_error(r, 404, "not_found", "the analysis has no result", NULL);
    } else if (strcmp(part, "/scored.csv") == 0) {
        respond_file(session, entry, "csv", "text/csv; charset=utf-8", "-scored.csv");
    } else if (strcmp(part, "/result.json") == 0) {
        respond_file(session, entry, "result", "application/json", "-result.json");
    } else if (strcmp(part, "/report.html") == 0) {
        respond_file(session, entry, "report", "text/html; charset=utf-8",
                     "-report.html");
    } else if (*part == '\0') {
        ask(session, entry, &q);
    } else if (strcmp(part, "/rows") == 0 || strcmp(part, "/share") == 0) {
        q.part = part[1] == 'r' ? SHOW_SHELF_ROWS : SHOW_SHELF_SHARE;
        ask(session, entry, &q);
    } else {
        show_respond_error(r, 404, "not_found", "there is nothing at this address",
                           "the addresses are in docs/api.md");
    }
}

/* Finds the analysis that the path names, and what stands behind its id. NULL with the
 * response decided when there is none. */
static struct show_entry *entry_of(struct show_session *session, const char **part)
{
    struct show_response *r = &session->request.response;
    const char *at = session->request.head.path + sizeof ROOT;
    char id[SHOW_ID_SIZE];
    struct show_entry *entry;

    snprintf(id, sizeof id, "%s", at);
    entry = show_shelf_find(&session->server->shelf, id);
    *part = strlen(id) == SHOW_ID_SIZE - 1 ? at + SHOW_ID_SIZE - 1 : "";
    if (entry != NULL && !entry->deleted)
        return entry;
    show_respond_error(r, 404, "not_found", "there is no such analysis", NULL);
    return NULL;
}

/* Tells whether the path is the list (1) or one analysis (2); 0 = neither. */
static int kind_of(const char *path)
{
    if (strncmp(path, ROOT, sizeof ROOT - 1) != 0)
        return 0;
    path += sizeof ROOT - 1;
    return *path == '\0' ? 1 : *path == '/' ? 2 : 0;
}

/* Refuses all where no tables are taken. */
static bool is_closed(struct show_session *session)
{
    if (session->server->shelf.folder.fd >= 0)
        return false;
    show_respond_error(&session->request.response, 503, "not_ready",
                       "this monitor takes no tables",
                       "it keeps nothing, or --upload-max is 0");
    return true;
}

bool show_analyses_get(struct show_session *session)
{
    int kind = kind_of(session->request.head.path);
    struct show_entry *entry;
    const char *part;

    if (kind == 1)
        respond_list(session);
    else if (kind == 2 && !is_closed(session) &&
             (entry = entry_of(session, &part)) != NULL)
        respond_part(session, entry, part);
    return kind != 0;
}

bool show_analyses_post(struct show_session *session)
{
    if (kind_of(session->request.head.path) != 1)
        return false;
    if (!is_closed(session))
        show_upload_begin(session);
    return true;
}

bool show_analyses_delete(struct show_session *session)
{
    struct show_response *r = &session->request.response;
    struct show_entry *entry;
    const char *part;

    if (kind_of(session->request.head.path) != 2)
        return false;
    if (is_closed(session) || (entry = entry_of(session, &part)) == NULL)
        return true;
    if (*part != '\0' || *session->request.head.query != '\0') {
        show_respond_error(r, 400, "bad_request", "only a whole analysis can be deleted",
                           NULL);
        return true;
    }
    show_analyses_remove(session->server, entry);
    show_json_open(&r->owned, NULL, '{');
    show_json_bool(&r->owned, "deleted", true);
    show_json_close(&r->owned, '}');
    r->status = 200;
    r->type = "application/json";
    return true;
}
