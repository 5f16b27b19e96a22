/* What goes to the database besides ticks, and what a set knows from it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "store/set.h"
#include "store/sqlite.h"

/* Tells whether there is a database for events; one that broke during the run is none. */
bool store_set_keeps_events(store_set *set)
{
    struct store_slot *slot = store_set_slot(set, "sqlite");

    return slot != NULL && slot->wanted && slot->broken == NULL;
}

/* Hands the recorder over in a block beside the queue, which it would fill. Without
 * memory the event stands without its recorder. */
void store_set_moments(store_set *set, int64_t event_id,
                       const struct history_moment *moment, size_t n)
{
    struct store_db_moments message = {.kind = STORE_DB_MOMENTS, .event_id = event_id};
    struct vd_writer bytes = {0};

    if (!store_set_keeps_events(set) || store_moments_encode(&bytes, moment, n) != VD_OK)
        goto out;
    message.block = malloc(sizeof *message.block + bytes.size);
    if (message.block == NULL)
        goto out;
    atomic_init(&message.block->owners, 1);
    message.block->size = bytes.size;
    memcpy(message.block->bytes, bytes.at, bytes.size);
    store_set_post(set, "sqlite", &message, sizeof message);
out:
    vd_writer_release(&bytes);
}

/* Waits for nothing where no events are kept. */
bool store_set_settle_events(store_set *set, double seconds)
{
    return !store_set_keeps_events(set) || store_set_settle_sink(set, "sqlite", seconds);
}

/* Compares the id with those that were given out and not with the database: the event may
 * still wait in the queue. */
enum vd_status store_set_feedback(store_set *set, int64_t event_id, const char *feedback,
                                  struct vd_error *err)
{
    struct store_db_feedback message = {.kind = STORE_DB_FEEDBACK, .event_id = event_id};
    enum record_feedback said;

    if (!record_feedback_of(feedback, &said))
        return vd_error_set(err, VD_ERR_ARGUMENT, "say normal, real, expected or nothing",
                            "unknown feedback \"%.24s\"", feedback);
    if (!store_set_keeps_events(set))
        return vd_error_set(err, VD_ERR_UNAVAILABLE, NULL, "there is no database");
    if (event_id <= 0 || event_id >= atomic_load(&set->next_event))
        return vd_error_set(err, VD_ERR_DATA, NULL, "there is no event %lld",
                            (long long)event_id);
    message.time_ns = os_clock_wall_ns();
    snprintf(message.text, sizeof message.text, "%s", feedback);
    store_set_post(set, "sqlite", &message, sizeof message);
    return VD_OK;
}

void store_sqlite_attach(store_set *set)
{
    struct store_slot *slot = store_set_slot(set, "sqlite");
    sqlite3 *db = NULL;
    int64_t last;

    set->context.dir = set->folder;
    set->context.names = &set->names;
    set->context.health = &set->health;
    set->context.interval_s = set->config.interval_s;
    set->context.off = !slot->wanted;
    set->context.set = set;
    set->reader = store_reader_history(&set->context);
    if (slot->state == NULL || store_db_open_readonly(&db, set->folder, NULL) != VD_OK)
        return;
    /* Where that cannot be read, or was another database, ids beyond any that it may
     * hold: receivers take one that they know for an event that they know. */
    last = store_db_number(db, "SELECT ifnull(max(id), 0) FROM event", -1);
    if (last > 0 || (last == 0 && !store_db_had_another(set->folder)))
        atomic_store(&set->next_event, last + 1);
    sqlite3_close(db);
}

const struct history_reader *store_set_history(store_set *set)
{
    return &set->reader;
}
