/* Reading events back, and the table of the history reader. Each call opens a read-only
 * connection of its own, so any number of threads may read while the writer writes.
 */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "store/set.h"
#include "store/sqlite.h"
#include "store/sqlite_series.h"

/* Far more than the processes of a recorder take: a size in a damaged file must not take
 * all memory. */
enum { RECORDER_MAX_BYTES = 64 << 20 };

/* So long a reader waits for the writer, in seconds: a page that asks must not hang. */
#define SETTLE_S 0.25

/* One call's look at the database. */
struct view {
    const struct store_reader *reader;
    sqlite3 *db;
    unsigned generation; /* of the database, when it was opened */
};

/* Tells the writer of damage in the database that this view opened. Its generation goes
 * along, since the writer may have begun another database meanwhile. */
static void report(const struct view *view)
{
    if (view->reader->health != NULL)
        atomic_store(&view->reader->health->broken, view->generation);
}

/* Opens a connection for one call. The caller closes the view in any case. */
static enum vd_status open_view(struct view *view, const struct store_reader *reader,
                                struct vd_error *err)
{
    enum vd_status status;

    *view = (struct view){.reader = reader};
    if (reader->off)
        return vd_error_set(err, VD_ERR_UNAVAILABLE, "switch the sqlite store on",
                            "the database is switched off");
    /* So that the newest ticks and what was just said of an event are there; a writer
     * that is stuck is not waited for. */
    if (reader->set != NULL)
        store_set_settle_sink(reader->set, "sqlite", SETTLE_S);
    if (reader->health != NULL)
        view->generation = atomic_load(&reader->health->generation);
    status = store_db_open_readonly(&view->db, reader->dir, err);
    if (status == VD_ERR_FORMAT)
        report(view);
    return status;
}

/* Closes the view, and reports the damage that reading met. Also closes one that was
 * never opened. */
static void close_view(const struct view *view, enum vd_status status)
{
    if (status == VD_ERR_FORMAT)
        report(view);
    sqlite3_close(view->db);
}

/* Gives NaN for NULL, which SQLite itself would give as 0; it stores a NaN as NULL. */
static double real(sqlite3_stmt *s, int column)
{
    return sqlite3_column_type(s, column) == SQLITE_NULL
               ? NAN
               : sqlite3_column_double(s, column);
}

/* Copies a text, cut to the room there is; NULL becomes "". */
static void text(sqlite3_stmt *s, int column, char *out, size_t size)
{
    const unsigned char *found = sqlite3_column_text(s, column);

    snprintf(out, size, "%s", found == NULL ? "" : (const char *)found);
}

/* Takes the columns of prepare_events. A severity or kind that is not known becomes the
 * plainest, as the file may be of another version or damaged. */
static void read_event(sqlite3_stmt *s, struct record_event *event)
{
    int severity = sqlite3_column_int(s, 4);
    char kind[16];

    memset(event, 0, sizeof *event);
    event->id = sqlite3_column_int64(s, 0);
    event->start_ns = sqlite3_column_int64(s, 1);
    event->peak_ns = sqlite3_column_int64(s, 2);
    event->end_ns = sqlite3_column_int64(s, 3);
    event->state = sqlite3_column_type(s, 3) == SQLITE_NULL ? RECORD_EVENT_OPEN
                                                            : RECORD_EVENT_CLOSED;
    if (severity >= RECORD_NORMAL && severity <= RECORD_CRITICAL)
        event->severity = (enum record_severity)severity;
    event->score = real(s, 5);
    event->confidence = real(s, 6);
    event->alerted = sqlite3_column_int(s, 7) != 0;
    text(s, 8, kind, sizeof kind);
    event->kind = record_event_kind_of(kind);
    if (event->kind == RECORD_EVENT_KINDS)
        event->kind = RECORD_ANOMALY;
    text(s, 9, event->pattern, sizeof event->pattern);
    text(s, 10, event->reason, sizeof event->reason);
    text(s, 11, event->feedback, sizeof event->feedback);
    if (event->feedback[0] != '\0')
        event->feedback_ns = sqlite3_column_int64(s, 12);
    text(s, 13, event->note, sizeof event->note);
    text(s, 14, event->limit.rule, sizeof event->limit.rule);
    if (event->limit.rule[0] == '\0')
        return;
    event->limit.above = sqlite3_column_int(s, 15) != 0;
    event->limit.value = real(s, 16);
    event->limit.for_s = real(s, 17);
    event->limit.since_ns = sqlite3_column_int64(s, 18);
}

/* Finds the metric of this run by its name; one that does not exist here keeps the name.
 */
static void read_deviation(sqlite3_stmt *s, struct record_event *event,
                           struct store_names *names)
{
    size_t i = event->n_top++;
    const unsigned char *metric = sqlite3_column_text(s, 0);

    event->top[i].metric = metric == NULL || names == NULL
                               ? SIZE_MAX
                               : store_names_find(names, (const char *)metric);
    event->top[i].value = real(s, 1);
    event->top[i].expected = real(s, 2);
    event->top[i].z = real(s, 3);
    text(s, 0, event->top[i].name, sizeof event->top[i].name);
    text(s, 4, event->explanation[i], sizeof event->explanation[i]);
    text(s, 5, event->factor[i], sizeof event->factor[i]);
}

/* Reads a suspect. One of a resource that this version does not know is passed over. */
static void read_suspect(sqlite3_stmt *s, struct record_event *event)
{
    struct record_suspect *suspect = &event->suspect[event->n_suspects];
    struct record_process *process = &suspect->process;
    char resource[16];

    text(s, 0, resource, sizeof resource);
    suspect->resource = record_resource_of(resource);
    event->n_suspects += suspect->resource < RECORD_RESOURCES;
    suspect->before = real(s, 1);
    suspect->during = real(s, 2);
    suspect->share = real(s, 3);
    process->pid = sqlite3_column_int(s, 4);
    process->parent = sqlite3_column_int(s, 5);
    process->start_ticks = (uint64_t)sqlite3_column_int64(s, 6);
    process->uid = (uint32_t)sqlite3_column_int64(s, 7);
    process->threads = (uint32_t)sqlite3_column_int64(s, 8);
    process->state = (char)sqlite3_column_int(s, 9);
    text(s, 10, process->comm, sizeof process->comm);
    text(s, 11, process->command, sizeof process->command);
    process->cpu_percent = real(s, 12);
    process->rss_bytes = real(s, 13);
    process->pss_bytes = real(s, 14);
    process->read_bytes_s = real(s, 15);
    process->write_bytes_s = real(s, 16);
    process->gpu_percent = real(s, 17);
    process->gpu_bytes = real(s, 18);
    process->swap_bytes = real(s, 19);
    process->major_faults_s = real(s, 20);
    suspect->of_use = sqlite3_column_int(s, 21) != 0;
}

/* Reads deviations and suspects of one event, by two statements that are used again for
 * each event. */
static enum vd_status read_parts(sqlite3 *db, sqlite3_stmt *top, sqlite3_stmt *suspects,
                                 struct record_event *event, struct store_names *names,
                                 struct vd_error *err)
{
    int code;

    sqlite3_bind_int64(top, 1, event->id);
    while ((code = sqlite3_step(top)) == SQLITE_ROW && event->n_top < RECORD_TOP)
        read_deviation(top, event, names);
    sqlite3_reset(top);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return store_db_failed(db, "read an event", err);
    sqlite3_bind_int64(suspects, 1, event->id);
    while ((code = sqlite3_step(suspects)) == SQLITE_ROW &&
           event->n_suspects < RECORD_SUSPECTS)
        read_suspect(suspects, event);
    sqlite3_reset(suspects);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return store_db_failed(db, "read an event", err);
    return VD_OK;
}

/* Prepares the statement for suspects. Reading does not migrate, so the columns that an
 * older version did not have are asked for as NULL. */
static int prepare_suspects(sqlite3 *db, sqlite3_stmt **s)
{
    int64_t version = store_db_number(db, "PRAGMA user_version", 0);
    char sql[384];

    snprintf(sql, sizeof sql,
             "SELECT resource, before, during, share, pid, parent, start_ticks, uid,"
             " threads, state, comm, command, cpu_percent, rss_bytes, pss_bytes,"
             " read_bytes_s, write_bytes_s, gpu_percent, gpu_bytes, %s, %s"
             " FROM suspect WHERE event=? ORDER BY rank",
             version >= 3 ? "swap_bytes, major_faults_s" : "NULL, NULL",
             version >= 4 ? "of_use" : "0");
    return sqlite3_prepare_v2(db, sql, -1, s, NULL);
}

/* Runs a bound statement over `event` and gives what it finds, at most `limit`. The
 * caller frees *out, also after a failure. */
static enum vd_status read_events(sqlite3 *db, sqlite3_stmt *s, struct store_names *names,
                                  size_t limit, struct record_event **out, size_t *n,
                                  struct vd_error *err)
{
    sqlite3_stmt *top = NULL, *suspects = NULL;
    enum vd_status status = VD_OK;
    size_t capacity = 0;
    int code = SQLITE_DONE;

    if (sqlite3_prepare_v2(db,
                           "SELECT metric, value, expected, z, explanation, factor FROM "
                           "deviation WHERE event=? ORDER BY rank",
                           -1, &top, NULL) != SQLITE_OK ||
        prepare_suspects(db, &suspects) != SQLITE_OK)
        status = store_db_failed(db, "read events", err);
    while (status == VD_OK && *n < limit && (code = sqlite3_step(s)) == SQLITE_ROW) {
        if (*n == capacity) {
            size_t more = capacity == 0 ? 8 : capacity * 2;
            struct record_event *grown = realloc(*out, more * sizeof *grown);

            if (grown == NULL) {
                status = vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for events");
                break;
            }
            *out = grown;
            capacity = more;
        }
        read_event(s, &(*out)[*n]);
        status = read_parts(db, top, suspects, &(*out)[(*n)++], names, err);
    }
    if (status == VD_OK && code != SQLITE_ROW && code != SQLITE_DONE)
        status = store_db_failed(db, "read events", err);
    sqlite3_finalize(top);
    sqlite3_finalize(suspects);
    return status;
}

/* Prepares a statement over events, as read_event takes it, with these conditions. */
static int prepare_events(sqlite3 *db, const char *conditions, sqlite3_stmt **s)
{
    bool has_limit = store_db_number(db, "PRAGMA user_version", 0) >= 4;
    char sql[768];

    snprintf(sql, sizeof sql,
             "SELECT id, start, peak, end, severity, score, confidence, alerted, kind,"
             " pattern, reason, feedback, (SELECT max(time) FROM feedback said"
             " WHERE said.event=event.id), %s FROM event %s",
             has_limit ? "note, rule, limit_above, limit_value, limit_for, limit_since"
                       : "'', '', 0, NULL, NULL, 0",
             conditions);
    return sqlite3_prepare_v2(db, sql, -1, s, NULL);
}

/* Gives the newest events that the query means. A parameter of 0 or NULL switches its
 * condition off. An event belongs to a span when it reaches into it, also when it began
 * before or goes on. */
static enum vd_status events(void *context, const struct history_event_query *query,
                             struct record_event **out, size_t *n, struct vd_error *err)
{
    const struct store_reader *reader = context;
    sqlite3_stmt *s = NULL;
    struct view view;
    enum vd_status status;

    *out = NULL;
    *n = 0;
    status = open_view(&view, reader, err);
    if (status != VD_OK)
        return status;
    if (prepare_events(
            view.db,
            "WHERE (?1=0 AND ?2=0 OR start<=?2 AND (end IS NULL OR end>=?1))"
            " AND (?3=0 OR id<?3) AND (?4 IS NULL OR kind=?4) AND (?5=0 OR alerted)"
            " AND (?7=0 OR feedback<>'') AND (?8=0 OR end IS NULL)"
            " ORDER BY id DESC LIMIT ?6",
            &s) != SQLITE_OK) {
        status = store_db_failed(view.db, "read events", err);
    } else {
        size_t limit = query->limit < 1 ? 1 : query->limit > 1000 ? 1000 : query->limit;

        sqlite3_bind_int64(s, 1, query->from_ns);
        sqlite3_bind_int64(s, 2, query->to_ns);
        sqlite3_bind_int64(s, 3, query->before_id);
        if (query->kind != NULL)
            sqlite3_bind_text(s, 4, query->kind, -1, SQLITE_STATIC);
        sqlite3_bind_int(s, 5, query->alerted_only);
        sqlite3_bind_int64(s, 6, (sqlite3_int64)limit);
        sqlite3_bind_int(s, 7, query->judged_only);
        sqlite3_bind_int(s, 8, query->open_only);
        status = read_events(view.db, s, reader->names, limit, out, n, err);
    }
    if (status != VD_OK) {
        free(*out);
        *out = NULL;
        *n = 0;
    }
    sqlite3_finalize(s);
    close_view(&view, status);
    return status;
}

static enum vd_status event(void *context, int64_t id, struct record_event *out,
                            struct vd_error *err)
{
    const struct store_reader *reader = context;
    struct record_event *found = NULL;
    sqlite3_stmt *s = NULL;
    struct view view;
    enum vd_status status;
    size_t n = 0;

    status = open_view(&view, reader, err);
    if (status != VD_OK)
        return status;
    if (prepare_events(view.db, "WHERE id=?", &s) != SQLITE_OK) {
        status = store_db_failed(view.db, "read an event", err);
    } else {
        sqlite3_bind_int64(s, 1, id);
        status = read_events(view.db, s, reader->names, 1, &found, &n, err);
    }
    if (status == VD_OK && n == 0)
        status =
            vd_error_set(err, VD_ERR_DATA, NULL, "there is no event %lld", (long long)id);
    if (status == VD_OK)
        *out = found[0];
    free(found);
    sqlite3_finalize(s);
    close_view(&view, status);
    return status;
}

/* Unpacks a row of `moments`. Nothing of the file is trusted: the size is limited, and
 * the bytes are checked as they are read. */
static enum vd_status unpack(sqlite3_stmt *s, struct history_moment **out, size_t *n,
                             struct vd_error *err)
{
    sqlite3_int64 want = sqlite3_column_int64(s, 0);
    const void *packed = sqlite3_column_blob(s, 1);
    int packed_size = sqlite3_column_bytes(s, 1);
    enum vd_status status = VD_ERR_FORMAT;
    uint8_t *bytes = NULL;
    uLongf size;

    if (want < 0 || want > RECORDER_MAX_BYTES || packed == NULL)
        goto out;
    size = (uLongf)want;
    bytes = malloc(size + 1);
    if (bytes == NULL)
        status = VD_ERR_MEMORY;
    else if (uncompress(bytes, &size, packed, (uLong)packed_size) == Z_OK)
        status = store_moments_decode(bytes, size, out, n);
out:
    free(bytes);
    if (status != VD_OK)
        vd_error_set(err, status, NULL, "the flight recorder of the event: %s",
                     vd_status_text(status));
    return status;
}

/* Gives a recorder. What is wrong within its bytes is kept apart from the database's own
 * damage, which would have the database set aside. */
static enum vd_status moments(void *context, int64_t event_id,
                              struct history_moment **out, size_t *n,
                              struct vd_error *err)
{
    const struct store_reader *reader = context;
    sqlite3_stmt *s = NULL;
    struct view view;
    enum vd_status status, found = VD_OK;
    int code;

    *out = NULL;
    *n = 0;
    status = open_view(&view, reader, err);
    if (status != VD_OK)
        return status;
    if (sqlite3_prepare_v2(view.db, "SELECT size, bytes FROM moments WHERE event=?", -1,
                           &s, NULL) != SQLITE_OK) {
        status = store_db_failed(view.db, "read a recorder", err);
    } else {
        sqlite3_bind_int64(s, 1, event_id);
        code = sqlite3_step(s);
        if (code == SQLITE_ROW)
            found = unpack(s, out, n, err);
        else if (code != SQLITE_DONE)
            status = store_db_failed(view.db, "read a recorder", err);
    }
    sqlite3_finalize(s);
    close_view(&view, status);
    return status == VD_OK ? found : status;
}

/* Gives a span of series; after a failure *out is empty. */
static enum vd_status series(void *context, const struct history_query *query,
                             struct history_series *out, struct vd_error *err)
{
    const struct store_reader *reader = context;
    struct view view;
    enum vd_status status;

    *out = (struct history_series){0};
    status = open_view(&view, reader, err);
    if (status != VD_OK)
        return status;
    status = store_series_read(view.db, reader->interval_s, query, out, err);
    if (status != VD_OK)
        history_series_release(out);
    close_view(&view, status);
    return status;
}

/* Gives what receivers are still owed, for the start of a run. */
static enum vd_status notices(void *context, struct history_notice **out, size_t *n,
                              struct vd_error *err)
{
    struct view view;
    enum vd_status status;

    *out = NULL;
    *n = 0;
    status = open_view(&view, context, err);
    if (status == VD_OK)
        status = store_outbox_read(view.db, out, n, err);
    close_view(&view, status);
    return status;
}

/* Gives the time of the newest row, but for those of the future that a clock left which
 * was ahead. */
static enum vd_status last(void *context, int64_t *time_ns, struct vd_error *err)
{
    struct view view;
    enum vd_status status = open_view(&view, context, err);

    char sql[80];

    *time_ns = 0;
    if (status == VD_OK) {
        snprintf(sql, sizeof sql, "SELECT max(time) FROM sample WHERE time <= %lld",
                 (long long)store_believed(view.db).time_ns);
        *time_ns = store_db_number(view.db, sql, 0);
    }
    close_view(&view, status);
    return status;
}

/* Gives the reader as other parts of the program know it, without any word of SQLite. */
struct history_reader store_reader_history(struct store_reader *reader)
{
    return (struct history_reader){
        .context = reader,
        .series = series,
        .events = events,
        .event = event,
        .moments = moments,
        .notices = notices,
        .last = last,
    };
}
