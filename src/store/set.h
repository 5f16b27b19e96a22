/* The inside of a store_set, shared by the files of src/store alone. */
#ifndef VD_STORE_SET_H
#define VD_STORE_SET_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "os/data_dir.h"
#include "os/queue.h"
#include "store/names.h"
#include "store/sink.h"
#include "store/sinks.h"
#include "store/sqlite.h"

/* One sink of this set. The queue, `urgent`, `sent` and `retried` are guarded by the
 * set's lock; the columns belong to the tick, the rest to the writer. */
struct store_slot {
    const struct store_sink *sink;
    bool wanted;
    size_t batch;                 /* the writer comes when so many wait, */
    bool urgent;                  /* or when one of them is */
    _Atomic(const char *) broken; /* why it takes nothing; NULL = it works */
    char reason[256];
    struct os_queue queue;
    uint64_t sent, retried;
    size_t column[STORE_COLUMNS_MAX];
    void *state;                /* what `create` gave; NULL = not open */
    bool failing;               /* the listener has been told */
    int64_t pause_ns, retry_ns; /* monotonic */
};

struct store_set {
    struct store_config config;
    struct os_data_dir own; /* where nobody opened it before */
    const struct os_data_dir *folder;
    int lock_fd;
    _Atomic bool reopen;        /* asked for: the writer does it */
    struct store_health health; /* of the database */
    bool away; /* the directory is gone: rows are lost, and that was said */
    struct store_slot slot[STORE_SINKS_MAX];
    size_t n;

    /* the tick's */
    size_t n_schema;
    uint32_t schema_serial; /* of the newest metric seen */
    uint8_t *room;          /* a message being packed */
    size_t room_size;

    struct store_names names;
    _Atomic int64_t next_event;
    struct store_reader context; /* of the reader */
    struct history_reader reader;

    /* guards the queues and the flags; `wake` tells the writer, `settled` who waits */
    pthread_mutex_t lock;
    pthread_cond_t wake, settled;
    bool work, stop;

    /* the writer's */
    pthread_t thread;
    bool started;
    uint8_t *message; /* one message being written */
    size_t message_size;
};

/* The slot of the sink called so, NULL when the table has none. */
struct store_slot *store_set_slot(store_set *set, const char *name);

/* The sink is there, or it is opened now; false = it cannot be, which was said. */
bool store_set_open_slot(store_set *set, struct store_slot *slot);

/* The writer thread, until set->stop; `context` is the set. */
void *store_set_writer(void *context);

/* As store_set_settle, for one sink. */
bool store_set_settle_sink(store_set *set, const char *only, double seconds);

/* Puts a message of its own into the queue of one sink, which must be wanted. */
void store_set_post(store_set *set, const char *name, const void *message, size_t size);

/* Checks head and checksum of a model file's bytes and moves the model to their front. */
bool store_model_verify(uint8_t *bytes, size_t *size);

#endif
