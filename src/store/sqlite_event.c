/* Events as rows: one in `event`, its deviations and suspects beside it. */
#include <string.h>

#include "store/sqlite.h"

/* Binds the row of an event. What is not bound is NULL: the end of one that goes on, and
 * the limit of one that no rule found. */
static void bind_event(sqlite3_stmt *s, const struct record_event *event)
{
    sqlite3_bind_int64(s, 1, event->id);
    sqlite3_bind_int64(s, 2, event->start_ns);
    sqlite3_bind_int64(s, 3, event->peak_ns);
    if (event->state == RECORD_EVENT_CLOSED)
        sqlite3_bind_int64(s, 4, event->end_ns);
    sqlite3_bind_int(s, 5, (int)event->severity);
    sqlite3_bind_double(s, 6, event->score);
    sqlite3_bind_double(s, 7, event->confidence);
    sqlite3_bind_int(s, 8, event->alerted);
    sqlite3_bind_text(s, 9, record_event_kind_name(event->kind), -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 10, event->pattern, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 11, event->reason, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 12, event->feedback, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 13, event->note, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 14, event->limit.rule, -1, SQLITE_STATIC);
    if (event->limit.rule[0] == '\0')
        return;
    sqlite3_bind_int(s, 15, event->limit.above);
    sqlite3_bind_double(s, 16, event->limit.value);
    sqlite3_bind_double(s, 17, event->limit.for_s);
    sqlite3_bind_int64(s, 18, event->limit.since_ns);
}

/* Binds a metric of the event by its name: an index means something in this run alone. */
static void bind_deviation(sqlite3_stmt *s, const struct record_event *event, size_t i,
                           struct store_names *names)
{
    const struct record_deviation *top = &event->top[i];
    char name[STORE_NAME_MAX];
    const char *unit;

    sqlite3_bind_int64(s, 1, event->id);
    sqlite3_bind_int(s, 2, (int)i);
    if (top->name[0] != '\0')
        sqlite3_bind_text(s, 3, top->name, -1, SQLITE_STATIC);
    else if (store_names_get(names, top->metric, name, &unit))
        sqlite3_bind_text(s, 3, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_double(s, 4, top->value);
    sqlite3_bind_double(s, 5, top->expected);
    sqlite3_bind_double(s, 6, top->z);
    sqlite3_bind_text(s, 7, event->explanation[i], -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 8, event->factor[i], -1, SQLITE_STATIC);
}

/* Binds a suspect and its process. SQLite stores an unknown number (NaN) as NULL. */
static void bind_suspect(sqlite3_stmt *s, const struct record_event *event, size_t i)
{
    const struct record_suspect *suspect = &event->suspect[i];
    const struct record_process *process = &suspect->process;

    sqlite3_bind_int64(s, 1, event->id);
    sqlite3_bind_int(s, 2, (int)i);
    sqlite3_bind_text(s, 3, record_resource_name(suspect->resource), -1, SQLITE_STATIC);
    sqlite3_bind_double(s, 4, suspect->before);
    sqlite3_bind_double(s, 5, suspect->during);
    sqlite3_bind_double(s, 6, suspect->share);
    sqlite3_bind_int(s, 7, process->pid);
    sqlite3_bind_int(s, 8, process->parent);
    sqlite3_bind_int64(s, 9, (sqlite3_int64)process->start_ticks);
    sqlite3_bind_int64(s, 10, process->uid);
    sqlite3_bind_int64(s, 11, process->threads);
    sqlite3_bind_int(s, 12, process->state);
    sqlite3_bind_text(s, 13, process->comm, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 14, process->command, -1, SQLITE_STATIC);
    sqlite3_bind_double(s, 15, process->cpu_percent);
    sqlite3_bind_double(s, 16, process->rss_bytes);
    sqlite3_bind_double(s, 17, process->pss_bytes);
    sqlite3_bind_double(s, 18, process->read_bytes_s);
    sqlite3_bind_double(s, 19, process->write_bytes_s);
    sqlite3_bind_double(s, 20, process->gpu_percent);
    sqlite3_bind_double(s, 21, process->gpu_bytes);
    sqlite3_bind_double(s, 22, process->swap_bytes);
    sqlite3_bind_double(s, 23, process->major_faults_s);
    sqlite3_bind_int(s, 24, suspect->of_use);
}

/* Runs a statement that gives no rows, and frees it. */
static enum vd_status finish(sqlite3 *db, sqlite3_stmt *s, struct vd_error *err)
{
    enum vd_status status = VD_OK;

    if (sqlite3_step(s) != SQLITE_DONE)
        status = store_db_failed(db, "write an event", err);
    sqlite3_finalize(s);
    return status;
}

static enum vd_status prepare(sqlite3 *db, const char *sql, sqlite3_stmt **s,
                              struct vd_error *err)
{
    *s = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, s, NULL) != SQLITE_OK)
        return store_db_failed(db, "write an event", err);
    return VD_OK;
}

/* Removes the ranks that an earlier state of the event had and this one has not. */
static enum vd_status cut_ranks(sqlite3 *db, const struct record_event *event,
                                struct vd_error *err)
{
    char sql[160];

    sqlite3_snprintf(sizeof sql, sql,
                     "DELETE FROM deviation WHERE event=%lld AND rank>=%d;"
                     "DELETE FROM suspect WHERE event=%lld AND rank>=%d",
                     (long long)event->id, (int)event->n_top, (long long)event->id,
                     (int)event->n_suspects);
    return store_db_run(db, sql, err);
}

/* Writes the event as it is now over what it was; the caller's transaction holds the
 * three tables together. */
enum vd_status store_event_write(sqlite3 *db, const struct record_event *event,
                                 struct store_names *names, struct vd_error *err)
{
    sqlite3_stmt *s;
    enum vd_status status;

    /* What the operator said stays: it has its own way in. */
    status = prepare(db,
                     "INSERT INTO event VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
                     " ON CONFLICT(id) DO UPDATE SET start=excluded.start,"
                     " peak=excluded.peak, end=excluded.end, severity=excluded.severity,"
                     " score=excluded.score, confidence=excluded.confidence,"
                     " alerted=excluded.alerted, kind=excluded.kind,"
                     " pattern=excluded.pattern, reason=excluded.reason,"
                     " note=excluded.note, rule=excluded.rule,"
                     " limit_above=excluded.limit_above,"
                     " limit_value=excluded.limit_value, limit_for=excluded.limit_for,"
                     " limit_since=excluded.limit_since",
                     &s, err);
    if (status == VD_OK) {
        bind_event(s, event);
        status = finish(db, s, err);
    }
    for (size_t i = 0; status == VD_OK && i < event->n_top; i++) {
        status = prepare(db, "INSERT OR REPLACE INTO deviation VALUES(?,?,?,?,?,?,?,?)",
                         &s, err);
        if (status == VD_OK) {
            bind_deviation(s, event, i, names);
            status = finish(db, s, err);
        }
    }
    for (size_t i = 0; status == VD_OK && i < event->n_suspects; i++) {
        status = prepare(db,
                         "INSERT OR REPLACE INTO suspect "
                         "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                         &s, err);
        if (status == VD_OK) {
            bind_suspect(s, event, i);
            status = finish(db, s, err);
        }
    }
    return status == VD_OK ? cut_ranks(db, event, err) : status;
}

/* Keeps every judgement as a row of its own, and the last one in the event. */
enum vd_status store_feedback_write(sqlite3 *db, int64_t event_id, int64_t time_ns,
                                    const char *feedback, struct vd_error *err)
{
    enum vd_status status;
    sqlite3_stmt *s;

    status =
        prepare(db, "INSERT INTO feedback(time, event, feedback) VALUES(?,?,?)", &s, err);
    if (status != VD_OK)
        return status;
    sqlite3_bind_int64(s, 1, time_ns);
    sqlite3_bind_int64(s, 2, event_id);
    sqlite3_bind_text(s, 3, feedback, -1, SQLITE_STATIC);
    status = finish(db, s, err);
    if (status == VD_OK)
        status = prepare(db, "UPDATE event SET feedback=? WHERE id=?", &s, err);
    if (status != VD_OK)
        return status;
    sqlite3_bind_text(s, 1, feedback, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, event_id);
    return finish(db, s, err);
}
