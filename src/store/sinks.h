/* The store: what the program keeps of its ticks, and the table of sinks.
 *
 * A sink is one place that records go to: the SQLite database, a CSV file. The tick
 * copies a record into one bounded queue per sink and goes on; a single writer thread
 * empties the queues, some ticks at a time: a crash of the machine or of the program
 * costs at most the last five seconds of samples. A sink that cannot write (the disk is
 * full) is tried again with growing pauses while its queue holds what it can; when the
 * queue is full the oldest record leaves and is counted as lost.
 *
 * To add one: write src/store/NAME.c with a `const struct store_sink store_sink_NAME`
 * (sink.h says what the functions promise), declare it in sink.h, add its row in sinks.c
 * and its switch in `struct store_config` below. docs/adding-a-sink.md walks through one.
 */
#ifndef VD_STORE_SINKS_H
#define VD_STORE_SINKS_H

#include "history.h"
#include "os/log.h"
#include "record.h"

struct os_data_dir;

typedef struct store_set store_set;

enum { STORE_SINKS_MAX = 12 }; /* rows of the table of sinks, at most */

struct store_config {
    const char *dir; /* data directory, created with mode 0700 when it is not there */
    /* The same, opened by OS_DATA_DIR_WRITE; borrowed. NULL = the store opens `dir`. */
    const struct os_data_dir *folder;
    bool sqlite, performance_log, metrics_history, alerts, events, anomalies;
    /* How long a row stays in the database: as sampled, per minute, per hour; seconds. */
    double retention_raw_s, retention_minute_s, retention_hour_s;
    double max_bytes;  /* of the database with its log; the oldest raw rows leave first */
    double interval_s; /* of the ticks: the step of the raw tier */
    /* Told when a sink starts to fail, recovers, sets a broken file aside. From any of
     * the store's threads; a listener must not call back into the store. */
    struct os_log_to log;
};

/* Everything on; raw 24 h, minutes 14 days, hours 400 days, 500 MB, 1 s. `dir` is NULL.
 */
struct store_config store_config_default(void);

/* What became of the records of one sink. */
struct store_counters {
    const char *name;        /* "sqlite"; static */
    const char *unavailable; /* why it takes nothing; NULL = works. Valid until close */
    uint64_t sent;           /* durable, or handed to the kernel for the text files */
    uint64_t retried;        /* writes that failed and were tried again */
    uint64_t lost;           /* left the queue unwritten, or came when it was off */
    uint64_t waiting;        /* in the queue now */
};

/* Opens the directory and everything in it, and starts the writer. VD_ERR_BUSY when
 * another instance has the directory (flock on DIR/vedette.lock; the error names its
 * pid). A sink that cannot be opened does not stop the others: it is said, shown in the
 * counters and, where waiting may help, tried again. */
enum vd_status store_set_new(store_set **out, const struct store_config *config,
                             struct vd_error *err);

/* Puts one tick into the queues. Copies what is needed, never waits for a disk, allocates
 * only when the schema grew. From one thread only (the loop's). */
void store_set_push(store_set *set, const struct record *record);

/* The flight recorder of an event, oldest first, copied; replaces what was kept for that
 * event. From the thread of store_set_push. */
void store_set_moments(store_set *set, int64_t event_id,
                       const struct history_moment *moment, size_t n);

/* Takes what the operator said of an event: "normal", "real", "expected", "" = undone.
 * Queued; a reader sees it when the writer has come to it. VD_ERR_DATA when there is no
 * such event, VD_ERR_ARGUMENT for other words. From the thread of store_set_push. */
enum vd_status store_set_feedback(store_set *set, int64_t event_id, const char *feedback,
                                  struct vd_error *err);

/* Whether events and what receivers are owed of them are kept: the database is on, and
 * works. Any thread. */
bool store_set_keeps_events(store_set *set);

/* Another number when another database is written than before, or the same one was opened
 * again: what an earlier one held of receivers may not be in it. Any thread. */
unsigned store_set_generation(const store_set *set);

/* Writes an event at once, beside those that come with ticks. With a `receiver` (not
 * NULL) it is owed this change from `queued_ns` (wall clock) on, until store_set_told.
 * Both queued; any thread. */
void store_set_event(store_set *set, const struct record_event *event,
                     enum record_event_change change, const char *receiver,
                     int64_t queued_ns);
void store_set_told(store_set *set, const char *receiver, int64_t event_id,
                    enum record_event_change change);

/* Waits until the database has what was queued before the call, or for `seconds`. */
bool store_set_settle_events(store_set *set, double seconds);

/* Returns a fresh id for an event: growing, also over restarts. Any thread. */
int64_t store_set_next_event_id(store_set *set);

/* Saves a model, crash-safe: written to a temporary file in DIR/models, synced, renamed;
 * the newest three generations of a name are kept. Blocks on the disk; any thread, but
 * one save of a name at a time. Names are [a-z0-9_-]. */
enum vd_status store_set_model_save(store_set *set, const char *name, const void *bytes,
                                    size_t size, struct vd_error *err);

/* The newest generation whose checksum is right, malloc'ed. VD_ERR_DATA when there is
 * none. Any thread. */
enum vd_status store_set_model_load(store_set *set, const char *name, void **bytes,
                                    size_t *size, struct vd_error *err);

/* Every file is closed and opened again by its name before the next row goes there, for a
 * logrotate that moved it away. Any thread. */
void store_set_reopen(store_set *set);

/* Writes into the directory's lock where this program can be asked: "127.0.0.1:5000". */
void store_set_announce(store_set *set, const char *address);

/* Fills one row per sink of the table, at most `max`; returns how many. Any thread. */
size_t store_set_counters(const store_set *set, struct store_counters *out, size_t max);

/* Reads the database on connections of its own; valid until close. The `metric` of a
 * deviation read back is the index in the schema of this run, SIZE_MAX when the metric is
 * not there now. Without the database every call gives VD_ERR_UNAVAILABLE. */
const struct history_reader *store_set_history(store_set *set);

/* Waits until what was pushed before the call is written, or for `seconds`. False when
 * something still waits. Any thread but the store's own. */
bool store_set_settle(store_set *set, double seconds);

/* Writes what waits, closes every file, stops the writer, gives the lock back. NULL is
 * allowed. No call may be under way. */
void store_set_close(store_set *set);

#endif
