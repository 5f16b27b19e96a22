/* What receivers of alerts are still owed: a row per receiver, event and change, written
 * with the event in one transaction and deleted when it was told or given up. */
#include <stdlib.h>
#include <string.h>

#include "store/row.h"
#include "store/set.h"
#include "store/sqlite.h"

/* ---- on the caller's thread ---- */

/* Adds a line to events.jsonl for what happens to an event between two ticks, which no
 * record of a tick would bring there. */
static void tell_events_file(store_set *set, const struct record_event *event,
                             enum record_event_change change)
{
    struct store_slot *slot = store_set_slot(set, store_sink_events.name);
    struct store_event_row row = store_event_row_bare(event, change);

    if (slot->wanted)
        store_set_post(set, slot->sink->name, &row, sizeof row);
}

/* Posts the event and what a receiver is owed as one message, so that both stand in one
 * transaction: after a crash nobody is told of an event that does not exist. */
void store_set_event(store_set *set, const struct record_event *event,
                     enum record_event_change change, const char *receiver,
                     int64_t queued_ns)
{
    struct store_db_event message;

    if (receiver == NULL)
        tell_events_file(set, event, change);
    if (!store_set_keeps_events(set))
        return;
    memset(&message, 0, sizeof message);
    message.kind = STORE_DB_EVENT;
    message.change = (uint32_t)change;
    message.queued_ns = queued_ns;
    message.event = *event;
    sqlite3_snprintf(sizeof message.receiver, message.receiver, "%s",
                     receiver == NULL ? "" : receiver);
    store_set_post(set, "sqlite", &message, sizeof message);
}

void store_set_told(store_set *set, const char *receiver, int64_t event_id,
                    enum record_event_change change)
{
    struct store_db_told message;

    if (!store_set_keeps_events(set))
        return;
    memset(&message, 0, sizeof message);
    message.kind = STORE_DB_TOLD;
    message.change = (uint32_t)change;
    message.event_id = event_id;
    sqlite3_snprintf(sizeof message.receiver, message.receiver, "%s", receiver);
    store_set_post(set, "sqlite", &message, sizeof message);
}

unsigned store_set_generation(const store_set *set)
{
    return atomic_load(&set->health.generation);
}

/* ---- on the writer ---- */

/* Runs a statement that gives no rows, and frees it. */
static enum vd_status run_bound(sqlite3 *db, sqlite3_stmt *s, struct vd_error *err)
{
    enum vd_status status = VD_OK;

    if (sqlite3_step(s) != SQLITE_DONE)
        status = store_db_failed(db, "write the outbox", err);
    sqlite3_finalize(s);
    return status;
}

/* Replaces a row that is there: a change that is posted twice is owed once. */
enum vd_status store_outbox_add(sqlite3 *db, const struct store_db_event *message,
                                struct vd_error *err)
{
    sqlite3_stmt *s = NULL;

    if (sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO outbox VALUES(?,?,?,?)", -1, &s,
                           NULL) != SQLITE_OK)
        return store_db_failed(db, "write the outbox", err);
    sqlite3_bind_text(s, 1, message->receiver, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, message->event.id);
    sqlite3_bind_int(s, 3, (int)message->change);
    sqlite3_bind_int64(s, 4, message->queued_ns);
    return run_bound(db, s, err);
}

enum vd_status store_outbox_remove(sqlite3 *db, const struct store_db_told *message,
                                   struct vd_error *err)
{
    sqlite3_stmt *s = NULL;

    if (sqlite3_prepare_v2(db,
                           "DELETE FROM outbox WHERE receiver=? AND event=? AND change=?",
                           -1, &s, NULL) != SQLITE_OK)
        return store_db_failed(db, "write the outbox", err);
    sqlite3_bind_text(s, 1, message->receiver, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, message->event_id);
    sqlite3_bind_int(s, 3, (int)message->change);
    return run_bound(db, s, err);
}

/* ---- reading ---- */

/* Takes one row. A change that is not known is told as the opening of the event, rather
 * than not at all. */
static void read_row(sqlite3_stmt *s, struct history_notice *out)
{
    const unsigned char *receiver = sqlite3_column_text(s, 0);

    *out = (struct history_notice){
        .event_id = sqlite3_column_int64(s, 1),
        .change = sqlite3_column_int(s, 2) == RECORD_EVENT_ENDED ? RECORD_EVENT_ENDED
                                                                 : RECORD_EVENT_OPENED,
        .queued_ns = sqlite3_column_int64(s, 3),
    };
    sqlite3_snprintf(sizeof out->receiver, out->receiver, "%s",
                     receiver == NULL ? (const unsigned char *)"" : receiver);
}

/* Gives the oldest HISTORY_NOTICES_MAX of them, which are those that wait longest. */
enum vd_status store_outbox_read(sqlite3 *db, struct history_notice **out, size_t *n,
                                 struct vd_error *err)
{
    int64_t rows =
        store_db_number(db, "SELECT count(*) FROM outbox", 0); /* or no table */
    enum vd_status status = VD_OK;
    sqlite3_stmt *s = NULL;

    *n = 0;
    *out = NULL;
    if (rows <= 0)
        return VD_OK;
    if (rows > HISTORY_NOTICES_MAX)
        rows = HISTORY_NOTICES_MAX;
    *out = calloc((size_t)rows, sizeof **out);
    if (*out == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the outbox");
    if (sqlite3_prepare_v2(db,
                           "SELECT receiver, event, change, queued FROM outbox"
                           " ORDER BY queued, event, change",
                           -1, &s, NULL) != SQLITE_OK)
        status = store_db_failed(db, "read the outbox", err);
    while (status == VD_OK && *n < (size_t)rows && sqlite3_step(s) == SQLITE_ROW)
        read_row(s, &(*out)[(*n)++]);
    sqlite3_finalize(s);
    return status;
}
