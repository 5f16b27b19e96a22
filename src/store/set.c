/* The sinks at work: queues filled by the tick, emptied by one writer thread.
 *
 * One lock guards all queues; under it there is only copying. The writer takes a batch of
 * a sink's messages, writes them, flushes, and only then lets them leave the queue: what
 * a failed flush took back is still there. A sink that fails waits 1, 2, 4 .. 30 s.
 */
#include "store/set.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"

enum {
    BATCH_MAX = 256, /* messages between two flushes */
};

/* A sink that fails is tried again after a second, then after twice as long each time. */
static const int64_t PAUSE_FIRST_NS = 1000000000, PAUSE_MAX_NS = 30000000000;

/* Lies between two rounds of deleting what is too old. While there is more to delete the
 * next round comes after a hundredth of it, which leaves room for the queues. */
static const int64_t UPKEEP_NS = 10000000000;

/* ---- the tick's side ---- */

/* Looks up where the columns of a sink stand in the record; they move with the schema
 * alone. */
static void find_columns(struct store_slot *slot, const struct record_schema *schema)
{
    for (size_t c = 0; c < slot->sink->n_columns; c++)
        slot->column[c] = record_schema_find(schema, slot->sink->columns[c].metric);
}

/* Makes the room for messages at least `size` bytes; after the warm-up it is. */
static bool room_for(store_set *set, size_t size)
{
    uint8_t *room;

    if (size <= set->room_size)
        return true;
    room = realloc(set->room, size);
    if (room == NULL)
        return false;
    set->room = room;
    set->room_size = size;
    return true;
}

/* Tells whether the writer should come to this slot: a batch is complete, something is
 * urgent, a failing sink is to be tried again, or a quarter of the queue is in use. Must
 * be called under the lock. */
static bool has_work(const struct store_slot *slot)
{
    uint64_t waiting = slot->queue.next - slot->queue.first;

    assert(slot->queue.first <= slot->queue.next);
    return waiting > 0 && (waiting >= slot->batch || slot->urgent || slot->failing ||
                           slot->queue.used > slot->queue.capacity / 4);
}

/* Puts a message into the queue of one slot; the caller signals. A sink that is off loses
 * it, and the message leaves at once so that what it owns is freed. */
static void enqueue(store_set *set, struct store_slot *slot, const void *message,
                    size_t size, bool urgent)
{
    pthread_mutex_lock(&set->lock);
    if (slot->broken == NULL) {
        os_queue_push(&slot->queue, message, size);
        slot->urgent |= urgent;
        set->work |= has_work(slot);
    } else {
        slot->queue.lost++;
        if (slot->sink->leave != NULL)
            slot->sink->leave(message, size);
    }
    pthread_mutex_unlock(&set->lock);
}

/* Packs the record for one sink and queues it. What does not fit is packed again once
 * there is room; without memory this record is left out. */
static void push_to(store_set *set, struct store_slot *slot, const struct record *record)
{
    struct store_pack pack = {record, slot->column, set->room, set->room_size, false};
    size_t size = slot->sink->pack(&pack);

    assert(slot->wanted);
    if (size > set->room_size) {
        if (!room_for(set, size))
            return;
        pack.room = set->room;
        pack.size = set->room_size;
        size = slot->sink->pack(&pack);
    }
    if (size > 0)
        enqueue(set, slot, set->room, size, pack.urgent);
}

/* Runs on the tick. Columns are looked up only when the schema has changed, and the
 * writer is woken once, when all queues have what they need. */
void store_set_push(store_set *set, const struct record *record)
{
    bool work;

    if (record->schema != NULL && (record->schema->n != set->n_schema ||
                                   record->schema->serial != set->schema_serial)) {
        set->n_schema = record->schema->n;
        set->schema_serial = record->schema->serial;
        store_names_note(&set->names, record->schema);
        for (size_t i = 0; i < set->n; i++)
            find_columns(&set->slot[i], record->schema);
    }
    for (size_t i = 0; i < set->n; i++)
        if (set->slot[i].wanted)
            push_to(set, &set->slot[i], record);
    pthread_mutex_lock(&set->lock);
    work = set->work;
    pthread_mutex_unlock(&set->lock);
    if (work)
        pthread_cond_signal(&set->wake);
}

struct store_slot *store_set_slot(store_set *set, const char *name)
{
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->slot[i].sink->name, name) == 0)
            return &set->slot[i];
    return NULL;
}

void store_set_post(store_set *set, const char *name, const void *message, size_t size)
{
    struct store_slot *slot = store_set_slot(set, name);

    enqueue(set, slot, message, size, true);
    pthread_cond_signal(&set->wake);
}

int64_t store_set_next_event_id(store_set *set)
{
    return atomic_fetch_add(&set->next_event, 1);
}

/* Leaves out the sinks that are switched off; those that broke are told with the reason.
 */
size_t store_set_counters(const store_set *const_set, struct store_counters *out,
                          size_t max)
{
    store_set *set = (store_set *)const_set; /* only to lock */
    size_t n = 0;

    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < set->n && n < max; i++) {
        const struct store_slot *slot = &set->slot[i];

        if (slot->wanted)
            out[n++] = (struct store_counters){
                slot->sink->name, slot->broken,     slot->sent,
                slot->retried,    slot->queue.lost, slot->queue.next - slot->queue.first,
            };
    }
    pthread_mutex_unlock(&set->lock);
    return n;
}

/* ---- the writer's side ---- */

/* Lets a sink that failed rest, twice as long each time. Only the first failure of a row
 * of them is logged. */
static void pause_slot(store_set *set, struct store_slot *slot,
                       const struct vd_error *err)
{
    slot->pause_ns = slot->pause_ns == 0 ? PAUSE_FIRST_NS : 2 * slot->pause_ns;
    if (slot->pause_ns > PAUSE_MAX_NS)
        slot->pause_ns = PAUSE_MAX_NS;
    slot->retry_ns = os_clock_mono_ns() + slot->pause_ns;
    if (!slot->failing)
        os_log_tell(&set->config.log, OS_LOG_ERROR,
                    "%s: %s; trying again, nothing is lost yet", slot->sink->name,
                    err->text);
    slot->failing = true;
    pthread_mutex_lock(&set->lock);
    slot->retried++;
    pthread_mutex_unlock(&set->lock);
}

/* Ends the pause of a sink that works again, and tells it. */
static void resume_slot(store_set *set, struct store_slot *slot)
{
    slot->pause_ns = 0;
    slot->retry_ns = 0;
    if (slot->failing)
        os_log_tell(&set->config.log, OS_LOG_WARNING, "%s: writes again",
                    slot->sink->name);
    slot->failing = false;
}

/* Gives up all that waits in the queue, and counts it as lost. Must be called under the
 * lock. */
static void lose_waiting(struct store_slot *slot)
{
    struct os_queue *queue = &slot->queue;

    queue->lost += os_queue_done(queue, queue->first, queue->next);
    slot->urgent = false;
}

/* Opens the sink unless it is open; false when it cannot be. What may be cured is tried
 * again after a pause; anything else switches the sink off for this run. */
bool store_set_open_slot(store_set *set, struct store_slot *slot)
{
    const struct store_place place = {&set->config, &set->names, &set->health};
    struct vd_error err = {0};
    enum vd_status status;

    if (slot->state != NULL)
        return true;
    status = slot->sink->create(&slot->state, &place, &err);
    if (status == VD_OK)
        return true;
    slot->state = NULL;
    if (status == VD_ERR_RETRY) {
        pause_slot(set, slot, &err);
        return false;
    }
    os_log_tell(&set->config.log, OS_LOG_ERROR, "%s is off: %s%s%s", slot->sink->name,
                err.text, err.hint[0] == '\0' ? "" : "; ", err.hint);
    pthread_mutex_lock(&set->lock);
    snprintf(slot->reason, sizeof slot->reason, "%.255s", err.text);
    slot->broken = slot->reason;
    lose_waiting(slot);
    pthread_mutex_unlock(&set->lock);
    return false;
}

/* Copies the next message into the writer's buffer and returns its size; 0 says that the
 * batch is over. It also ends where the queue has dropped what would have come next,
 * since a batch must be one piece of the queue to leave it as a whole. */
static size_t take(store_set *set, struct store_slot *slot, struct os_cursor *cursor,
                   uint64_t n)
{
    size_t size = 0;

    pthread_mutex_lock(&set->lock);
    if (n == 0 || cursor->seq >= slot->queue.first)
        size = os_queue_peek(&slot->queue, cursor);
    if (size > set->message_size) {
        free(set->message);
        set->message = malloc(size);
        set->message_size = set->message == NULL ? 0 : size;
    }
    if (size > 0)
        size = os_queue_read(&slot->queue, cursor, set->message, set->message_size);
    if (size > 0 && slot->sink->hold != NULL)
        slot->sink->hold(set->message, size);
    pthread_mutex_unlock(&set->lock);
    return size;
}

/* Writes up to BATCH_MAX messages and flushes. False when there was nothing, or a
 * failure that calls for a pause. */
static bool write_batch(store_set *set, struct store_slot *slot)
{
    enum store_result result = STORE_OK;
    struct os_cursor cursor = {0};
    struct vd_error err = {0};
    uint64_t from = 0, n = 0, dropped = 0;
    size_t size;

    while (n < BATCH_MAX && (size = take(set, slot, &cursor, n)) > 0) {
        if (n++ == 0)
            from = cursor.seq - 1;
        result = slot->sink->write(slot->state, set->message, size, &err);
        if (slot->sink->leave != NULL)
            slot->sink->leave(set->message, size);
        if (result == STORE_RETRY)
            break;
        if (result == STORE_DROP) {
            os_log_tell(&set->config.log, OS_LOG_WARNING, "%s: one record is lost: %s",
                        slot->sink->name, err.text);
            vd_error_clear(&err);
            dropped++;
        }
    }
    if (n > 0 && result != STORE_RETRY)
        result = slot->sink->flush(slot->state, &err);
    if (result == STORE_RETRY) {
        pause_slot(set, slot, &err);
        return false;
    }
    if (n == 0)
        return false;
    resume_slot(set, slot);
    pthread_mutex_lock(&set->lock);
    slot->sent += os_queue_done(&slot->queue, from, cursor.seq) - dropped;
    slot->queue.lost += dropped;
    pthread_mutex_unlock(&set->lock);
    return true;
}

/* Tells whether the slot has work. At the end of the program everything that waits is
 * work. */
static bool is_due(store_set *set, struct store_slot *slot)
{
    bool due;

    pthread_mutex_lock(&set->lock);
    due = has_work(slot) || (set->stop && slot->queue.first != slot->queue.next);
    if (slot->queue.first == slot->queue.next)
        slot->urgent = false;
    pthread_mutex_unlock(&set->lock);
    return due;
}

/* Goes once over all sinks; tells whether another round should follow at once. In the
 * last round of the program pauses do not count: there is no later. */
static bool write_all(store_set *set, bool last)
{
    bool again = false;

    for (size_t i = 0; i < set->n; i++) {
        struct store_slot *slot = &set->slot[i];

        if (!slot->wanted || slot->broken != NULL || !is_due(set, slot))
            continue;
        if (!last && slot->retry_ns > os_clock_mono_ns())
            continue;
        if (store_set_open_slot(set, slot))
            again |= write_batch(set, slot);
    }
    return again;
}

/* Tells whether the directory is still where it was, and logs when that changes. When it
 * is not, what is written would be kept where nobody looks for it, so what waits is lost
 * then, and counted. */
static bool is_there(store_set *set)
{
    struct vd_error err = {0};
    bool there = os_data_dir_is_there(set->folder, &err) == VD_OK;

    if (!there && !set->away)
        os_log_tell(&set->config.log, OS_LOG_ERROR, "%s: nothing is kept any more; %s",
                    err.text, err.hint);
    if (there && set->away)
        os_log_tell(&set->config.log, OS_LOG_WARNING,
                    "%s is back: what comes now is kept", set->folder->path);
    set->away = !there;
    return there;
}

static void lose_all(store_set *set)
{
    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < set->n; i++)
        if (set->slot[i].wanted)
            lose_waiting(&set->slot[i]);
    pthread_mutex_unlock(&set->lock);
}

/* Writes everything that waits in the queues, as far as the sinks can. */
static void empty_queues(store_set *set, bool last)
{
    if (!is_there(set)) {
        lose_all(set);
        return;
    }
    while (write_all(set, last))
        ;
}

/* Does what other threads have asked for. Sinks belong to the writer, so nobody else may
 * reopen them. */
static void do_requests(store_set *set)
{
    bool reopen = atomic_exchange(&set->reopen, false);

    for (size_t i = 0; reopen && i < set->n; i++)
        if (set->slot[i].state != NULL && set->slot[i].sink->reopen != NULL)
            set->slot[i].sink->reopen(set->slot[i].state);
}

/* Lets each sink do its upkeep; true when one of them has more to do soon. */
static bool keep_up(store_set *set)
{
    int64_t now_ns = os_clock_mono_ns();
    bool again = false;

    if (!is_there(set)) {
        lose_all(set);
        return false;
    }
    for (size_t i = 0; i < set->n; i++) {
        struct store_slot *slot = &set->slot[i];

        if (slot->state != NULL && !slot->failing && slot->sink->upkeep != NULL)
            again |= slot->sink->upkeep(slot->state, now_ns);
    }
    return again;
}

/* Sleeps until there is work, or until a paused sink or the upkeep is due. */
static void wait_for_work(store_set *set, int64_t until_ns)
{
    struct timespec until;

    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < set->n; i++) {
        const struct store_slot *slot = &set->slot[i];

        if (slot->failing && slot->queue.first != slot->queue.next &&
            slot->retry_ns < until_ns)
            until_ns = slot->retry_ns;
    }
    until = os_clock_timespec(until_ns);
    if (!set->work && !set->stop)
        pthread_cond_timedwait(&set->wake, &set->lock, &until);
    set->work = false;
    pthread_mutex_unlock(&set->lock);
}

/* Wakes the threads that wait in store_set_settle, so that they look again. */
static void report_settled(store_set *set)
{
    pthread_mutex_lock(&set->lock);
    pthread_cond_broadcast(&set->settled);
    pthread_mutex_unlock(&set->lock);
}

/* Tells whether the writer is to end when its queues are empty. */
static bool stopping(store_set *set)
{
    bool stop;

    pthread_mutex_lock(&set->lock);
    stop = set->stop;
    pthread_mutex_unlock(&set->lock);
    return stop;
}

/* Does the first upkeep a second after the start, so that short runs do some as well. */
void *store_set_writer(void *context)
{
    int64_t upkeep_ns = os_clock_mono_ns() + UPKEEP_NS / 10;
    store_set *set = context;

    while (!stopping(set)) {
        wait_for_work(set, upkeep_ns);
        do_requests(set);
        empty_queues(set, false);
        report_settled(set);
        if (os_clock_mono_ns() >= upkeep_ns) {
            bool more = keep_up(set);

            upkeep_ns = os_clock_mono_ns() + (more ? UPKEEP_NS / 100 : UPKEEP_NS);
        }
    }
    empty_queues(set, true);
    return NULL;
}

/* Tells whether all messages before `goal` are written of the sink `only`, or with NULL
 * of every sink; what is not written yet becomes urgent. Must be called under the lock.
 */
static bool is_settled(store_set *set, const char *only, const uint64_t *goal)
{
    bool settled = true;

    for (size_t i = 0; i < set->n; i++) {
        struct store_slot *slot = &set->slot[i];

        if (!slot->wanted || slot->broken != NULL || slot->queue.first >= goal[i] ||
            (only != NULL && strcmp(slot->sink->name, only) != 0))
            continue;
        slot->urgent = true;
        set->work = true;
        settled = false;
    }
    return settled;
}

/* Notes the ends of the queues first and waits for those: with what comes meanwhile a
 * busy program would never settle. */
bool store_set_settle_sink(store_set *set, const char *only, double seconds)
{
    int64_t until_ns = os_clock_mono_ns() + (int64_t)(seconds * 1e9);
    struct timespec until = os_clock_timespec(until_ns);
    uint64_t goal[STORE_SINKS_MAX];
    bool settled;

    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < set->n; i++)
        goal[i] = set->slot[i].queue.next;
    for (;;) {
        settled = is_settled(set, only, goal);
        if (settled || os_clock_mono_ns() >= until_ns)
            break;
        pthread_cond_signal(&set->wake);
        pthread_cond_timedwait(&set->settled, &set->lock, &until);
    }
    pthread_mutex_unlock(&set->lock);
    return settled;
}

bool store_set_settle(store_set *set, double seconds)
{
    return store_set_settle_sink(set, NULL, seconds);
}
