/* What a sink is, for those who write one; everyone else includes sinks.h.
 *
 * A record takes two steps. `pack` runs on the tick: it copies what this sink needs into
 * one flat message. All the other functions run on the writer thread, one at a time, and
 * may block.
 */
#ifndef VD_STORE_SINK_H
#define VD_STORE_SINK_H

#include "store/names.h"
#include "store/sinks.h"

enum store_result {
    STORE_OK,    /* taken */
    STORE_RETRY, /* not now (the disk is full): everything since the last flush is
                    written again after a pause */
    STORE_DROP,  /* this message can never be written: it is counted as lost */
};

enum { STORE_COLUMNS_MAX = 8 };

/* A value that a text file has a column for, and the metric that it is. */
struct store_column {
    const char *title, *metric;
};

/* The database as its readers see it: one that meets a broken page says in which of the
 * databases that this run has had, and the writer sets that one aside. */
struct store_health {
    _Atomic unsigned generation; /* of the one that is written now */
    _Atomic unsigned broken;     /* 0 = none */
};

/* What a sink is created with; all of it outlives the sink. */
struct store_place {
    const struct store_config *config;
    struct store_names *names; /* the schema of this run */
    struct store_health *health;
};

/* What one sink packs for one tick. */
struct store_pack {
    const struct record *record;
    const size_t *column; /* index in the schema per column, SIZE_MAX = not there */
    uint8_t *room;        /* the message goes here */
    size_t size;
    bool urgent; /* set by `pack`: this one is not to wait for others */
};

struct store_sink {
    const char *name;        /* as in the configuration */
    const char *file;        /* what it writes, below the data directory */
    const char *unavailable; /* why this build does not have it; NULL = it does */
    size_t queue_bytes;
    /* The writer comes when so many wait (1 = at once), or as many as come in batch_s
     * seconds where that is less (0 = no such limit); at once for an urgent one. */
    size_t batch;
    double batch_s;
    const struct store_column *columns;
    size_t n_columns;
    bool (*wanted)(const struct store_config *config);

    /* How many bytes of room the message takes, 0 = nothing to keep of this tick, more
     * than `size` = there is not room enough: called again with so many. */
    size_t (*pack)(struct store_pack *pack);

    /* Opens. VD_ERR_RETRY = try again later; any other failure is for good. */
    enum vd_status (*create)(void **sink, const struct store_place *place,
                             struct vd_error *err);
    enum store_result (*write)(void *sink, const void *message, size_t size,
                               struct vd_error *err);
    /* Makes durable what was written since the last flush; STORE_RETRY = nothing of it
     * was kept. Called after each batch. */
    enum store_result (*flush)(void *sink, struct vd_error *err);
    /* Closes the file; the next write opens it again by its name. NULL = has none. */
    void (*reopen)(void *sink);
    /* One slice of work that is not urgent, some milliseconds at most; true = there is
     * more. NULL = none. Called about once a second. */
    bool (*upkeep)(void *sink, int64_t now_ns);
    /* For messages that point to something; NULL = they do not. The writer has made a
     * copy of a message (called under the lock) ... */
    void (*hold)(const void *message, size_t size);
    /* ... and a copy is gone, the queue's or the writer's. */
    void (*leave)(const void *message, size_t size);
    /* Closes; what was flushed is safe. */
    void (*destroy)(void *sink);
};

/* All sinks, in order. */
const struct store_sink *const *store_sink_table(size_t *n);

extern const struct store_sink store_sink_sqlite;
extern const struct store_sink store_sink_performance_log;
extern const struct store_sink store_sink_metrics_history;
extern const struct store_sink store_sink_alerts;
extern const struct store_sink store_sink_events;
extern const struct store_sink store_sink_anomalies;

#endif
