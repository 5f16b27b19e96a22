/* Opening and closing the sinks, and the thread that writes them.
 */
#include "store/set.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/lock.h"

/* Enough for SQLite, which the writer calls; the default is far more than is ever used.
 */
enum { STACK_BYTES = 256 * 1024 };

/* Returns how many messages make a batch: the sink's own number, or fewer where ticks
 * come so slowly that rows would wait longer than its batch_s. */
static size_t batch_of(const struct store_sink *sink, double interval_s)
{
    double n = sink->batch_s > 0 && interval_s > 0 ? sink->batch_s / interval_s : 1e9;

    return n < 1 ? 1 : n < (double)sink->batch ? (size_t)n : sink->batch;
}

/* Makes the queues and opens the sinks. One that cannot be opened does not stop the
 * others. */
static enum vd_status open_sinks(store_set *set, struct vd_error *err)
{
    size_t n;
    const struct store_sink *const *table = store_sink_table(&n);

    for (size_t i = 0; i < n && i < STORE_SINKS_MAX; i++) {
        struct store_slot *slot = &set->slot[i];
        enum vd_status status;

        slot->sink = table[i];
        slot->wanted = table[i]->wanted(&set->config);
        slot->broken = table[i]->unavailable;
        slot->batch = batch_of(table[i], set->config.interval_s);
        set->n = i + 1;
        if (!slot->wanted)
            continue;
        status = os_queue_init(&slot->queue, table[i]->queue_bytes, table[i]->leave);
        if (status != VD_OK)
            return vd_error_set(err, status, NULL, "no memory for the queues");
        if (slot->broken == NULL)
            store_set_open_slot(set, slot);
    }
    return VD_OK;
}

static enum vd_status start_writer(store_set *set, struct vd_error *err)
{
    pthread_attr_t attributes;
    int failed;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    failed = pthread_create(&set->thread, &attributes, store_set_writer, set);
    pthread_attr_destroy(&attributes);
    if (failed != 0)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "cannot start the writer: %s",
                            strerror(failed));
    pthread_setname_np(set->thread, "store");
    set->started = true;
    return VD_OK;
}

/* Waits are measured by the monotonic clock, so that a step of the time ends none early.
 */
static void init_locks(store_set *set)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&set->lock, NULL);
    pthread_cond_init(&set->wake, &attributes);
    pthread_cond_init(&set->settled, &attributes);
    pthread_condattr_destroy(&attributes);
    store_names_init(&set->names);
}

/* Takes the folder that the caller opened, or opens it; only our own is closed at the
 * end. */
static enum vd_status open_folder(store_set *set, struct vd_error *err)
{
    enum vd_status status = VD_OK;

    if (set->config.folder == NULL) {
        status = os_data_dir_open(&set->own, set->config.dir, OS_DATA_DIR_WRITE, err);
        set->config.folder = &set->own;
    }
    set->folder = set->config.folder;
    set->config.dir = set->folder->path;
    return status;
}

/* Takes the lock before any file is opened: two writers would ruin each other's lines. */
enum vd_status store_set_new(store_set **out, const struct store_config *config,
                             struct vd_error *err)
{
    enum vd_status status;
    store_set *set;

    *out = NULL;
    set = calloc(1, sizeof *set);
    if (set == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the store");
    set->lock_fd = -1;
    set->own = OS_DATA_DIR_CLOSED;
    atomic_init(&set->health.generation, 1);
    set->config = *config;
    init_locks(set);
    /* Until the database says better: beyond whatever it may hold. */
    atomic_init(&set->next_event, (int64_t)time(NULL));
    status = open_folder(set, err);
    if (status == VD_OK)
        status = store_lock_take(set->folder, &set->lock_fd, err);
    if (status != VD_OK)
        goto out;
    status = open_sinks(set, err);
    if (status != VD_OK)
        goto out;
    store_sqlite_attach(set);
    status = start_writer(set, err);
    if (status != VD_OK)
        goto out;
    *out = set;
    set = NULL;
out:
    store_set_close(set);
    return status;
}

void store_set_announce(store_set *set, const char *address)
{
    store_lock_announce(set->lock_fd, address);
}

/* Only asks the writer to reopen, so that the caller never waits for a disk. */
void store_set_reopen(store_set *set)
{
    atomic_store(&set->reopen, true);
    pthread_mutex_lock(&set->lock);
    set->work = true;
    pthread_cond_signal(&set->wake);
    pthread_mutex_unlock(&set->lock);
}

/* Tells what is still in a queue after the last round: it goes with the program. */
static void say_what_is_lost(store_set *set, const struct store_slot *slot)
{
    uint64_t waiting = slot->queue.next - slot->queue.first;

    if (waiting > 0 && slot->broken == NULL)
        os_log_tell(&set->config.log, OS_LOG_ERROR,
                    "%s: %llu records could not be written", slot->sink->name,
                    (unsigned long long)waiting);
}

/* Closes also what store_set_new could not finish. The lock goes when all sinks are
 * closed, so that the next program finds them whole. */
void store_set_close(store_set *set)
{
    if (set == NULL)
        return;
    if (set->started) {
        pthread_mutex_lock(&set->lock);
        set->stop = true;
        pthread_cond_signal(&set->wake);
        pthread_mutex_unlock(&set->lock);
        pthread_join(set->thread, NULL);
    }
    for (size_t i = 0; i < set->n; i++) {
        say_what_is_lost(set, &set->slot[i]);
        if (set->slot[i].state != NULL)
            set->slot[i].sink->destroy(set->slot[i].state);
        os_queue_release(&set->slot[i].queue);
    }
    store_lock_release(set->lock_fd);
    os_data_dir_close(&set->own);
    store_names_release(&set->names);
    pthread_cond_destroy(&set->wake);
    pthread_cond_destroy(&set->settled);
    pthread_mutex_destroy(&set->lock);
    free(set->room);
    free(set->message);
    free(set);
}
