/* The database sink: packs ticks, events, feedback and recorders, and writes each batch
 * as one transaction. A row is one BLOB of float32 values in the order of its layout.
 */
#include "store/sqlite.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* TRIM_ROWS: rows deleted in one transaction. EVENT_SECONDS: an event that goes on is
 * written so often even when nothing but its numbers changed. */
enum { TRIM_ROWS = 1024, TRIM_SECONDS = 60, EVENT_SECONDS = 10 };

/* The head of a tick. The floats of its row follow and then, when `has_event` is set, at
 * the next multiple of 8 bytes, a struct record_event. */
struct head {
    uint32_t kind;
    uint32_t n_metrics, n_detectors;
    uint32_t has_event;
    uint32_t serial; /* of the newest metric */
    int64_t time_ns; /* or of the feedback */
    int64_t mono_ns;
    const char *detector[RECORD_DETECTORS_MAX]; /* static names */
};

struct store_db {
    sqlite3 *db;
    const struct store_config *config;
    struct store_names *names;
    struct store_health *health;
    struct store_db_files files; /* behind the open database */
    sqlite3_stmt *insert;
    bool begun; /* a transaction is open */

    /* The layout of the rows now, and what it was made for. */
    struct store_layout layout;
    size_t n_metrics, n_detectors;
    uint32_t serial;
    const char *detector[RECORD_DETECTORS_MAX];

    int64_t last_ns;           /* the newest row written in this run; INT64_MIN = none */
    int64_t committed_ns;      /* the same as of the last commit */
    struct record_event event; /* last one written; id 0 = none */
    int64_t event_ns;
    struct os_believed believed; /* ages are counted by it */
    int64_t trim_ns;             /* monotonic: the last clean-up */
};

static bool wanted(const struct store_config *config)
{
    return config->sqlite;
}

/* ---- on the tick ---- */

static size_t count_values(const struct record *record)
{
    return (record->schema == NULL ? 0 : record->schema->n) + STORE_VERDICTS +
           record->verdict.n;
}

/* Writes the values in the order of a layout: metrics, the verdict, the detectors. A
 * detector that is not ready yet has no score. */
static void pack_values(float *out, const struct record *record)
{
    const struct record_verdict *verdict = &record->verdict;
    size_t n = record->schema == NULL ? 0 : record->schema->n;

    for (size_t i = 0; i < n; i++)
        *out++ = (float)record->value[i];
    *out++ = (float)verdict->score;
    *out++ = (float)verdict->surprise;
    *out++ = (float)verdict->confidence;
    *out++ = (float)verdict->latency_us;
    for (size_t i = 0; i < verdict->n; i++)
        *out++ = verdict->detector[i].ready ? (float)verdict->detector[i].score : NAN;
}

/* Rounds up to 8 bytes, since a struct record_event must stand aligned. */
static size_t event_offset(size_t n_values)
{
    return (sizeof(struct head) + n_values * sizeof(float) + 7) / 8 * 8;
}

/* Packs a tick as one message: head, values, and the event when one changed. Returns the
 * size it needs, whether there was room or not. */
static size_t pack(struct store_pack *pack)
{
    const struct record *record = pack->record;
    bool has_event = record->event != NULL && record->change != RECORD_EVENT_NONE;
    size_t n = count_values(record);
    size_t size = event_offset(n) + (has_event ? sizeof *record->event : 0);
    struct head *head = (struct head *)pack->room;

    if (size > pack->size)
        return size;
    memset(head, 0, sizeof *head);
    head->kind = STORE_DB_TICK;
    head->n_metrics = (uint32_t)(n - STORE_VERDICTS - record->verdict.n);
    head->n_detectors = (uint32_t)record->verdict.n;
    head->has_event = has_event;
    head->serial = record->schema == NULL ? 0 : record->schema->serial;
    pack->urgent = has_event && record->change != RECORD_EVENT_UPDATED;
    head->time_ns = record->time_ns;
    head->mono_ns = record->mono_ns;
    for (size_t i = 0; i < record->verdict.n; i++)
        head->detector[i] = record->verdict.detector[i].name;
    pack_values((float *)(head + 1), record);
    if (has_event)
        memcpy(pack->room + event_offset(n), record->event, sizeof *record->event);
    return size;
}

/* Gives the block of a recorder, NULL for all other messages. It belongs to the message
 * in the queue and to the writer that holds a copy of it: it is reference-counted, and
 * freed by the last owner. */
static struct store_db_block *block_of(const void *message, size_t size)
{
    struct store_db_moments moments;

    if (((const struct head *)message)->kind != STORE_DB_MOMENTS || size < sizeof moments)
        return NULL;
    memcpy(&moments, message, sizeof moments);
    return moments.block;
}

/* Is called when the writer copies a message, under the lock of the queues. */
static void hold(const void *message, size_t size)
{
    struct store_db_block *block = block_of(message, size);

    if (block != NULL)
        atomic_fetch_add(&block->owners, 1);
}

/* Is called when a message leaves the queue or the writer is done with its copy. */
static void leave(const void *message, size_t size)
{
    struct store_db_block *block = block_of(message, size);

    if (block != NULL && atomic_fetch_sub(&block->owners, 1) == 1)
        free(block);
}

/* ---- on the writer ---- */

/* Closes the database without a COMMIT, which takes an open transaction back. */
static void close_db(struct store_db *s)
{
    sqlite3_finalize(s->insert);
    sqlite3_close(s->db);
    s->insert = NULL;
    s->db = NULL;
    s->begun = false;
}

static void set_aside(struct store_db *s, const char *why)
{
    close_db(s);
    store_db_set_aside(s->config, why);
}

/* Opens the database and forgets all that was known of an earlier one: what a reader
 * still says of that is no matter any more. */
static enum vd_status open_once(struct store_db *s, struct vd_error *err)
{
    enum vd_status status = store_db_open(&s->db, s->config, err);

    if (status == VD_OK &&
        sqlite3_prepare_v3(s->db, "INSERT OR IGNORE INTO sample VALUES(?,?,?)", -1,
                           SQLITE_PREPARE_PERSISTENT, &s->insert, NULL) != SQLITE_OK)
        status = store_db_failed(s->db, "use the database", err);
    if (status == VD_OK) {
        s->believed = store_believed(s->db);
        atomic_fetch_add(&s->health->generation, 1);
    }
    if (status != VD_OK)
        close_db(s);
    s->n_metrics = SIZE_MAX;
    s->last_ns = s->committed_ns = INT64_MIN;
    s->event.id = 0;
    s->files = (struct store_db_files){0};
    return status;
}

/* Opens the database. Damage that only its first statements meet is damage all the same:
 * the file is set aside, and a second try begins a new one. */
static enum vd_status open_db(struct store_db *s, struct vd_error *err)
{
    struct vd_error first = {0};
    enum vd_status status = open_once(s, &first);

    if (status == VD_ERR_FORMAT) {
        set_aside(s, first.text);
        return open_once(s, err);
    }
    if (status != VD_OK && err != NULL && err->status == VD_OK)
        *err = first;
    return status;
}

/* Sets the database aside and begins a new one at once, between two batches, so that
 * readers do not find nothing until the next row comes. What keeps it from being opened
 * now is told when that row does. */
static void begin_anew(struct store_db *s, const char *why)
{
    set_aside(s, why);
    open_db(s, NULL);
}

/* Takes the transaction back; says what kind of failure it was. A broken database is set
 * aside and the rows go into a new one. */
static enum store_result give_up(struct store_db *s, enum vd_status status,
                                 const struct vd_error *err)
{
    sqlite3_reset(s->insert);
    if (s->begun)
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    s->begun = false;
    s->n_metrics = SIZE_MAX; /* a layout made in this transaction is gone */
    s->last_ns = s->committed_ns;
    s->event.id = 0;
    if (status == VD_ERR_FORMAT)
        set_aside(s, err->text);
    return STORE_RETRY;
}

/* Begins a transaction unless one is open. A database whose files are gone from under it
 * would take rows that nobody ever sees, so that is looked at first. */
static enum vd_status begin(struct store_db *s, struct vd_error *err)
{
    enum vd_status status = VD_OK;

    if (s->db != NULL && !s->begun &&
        !store_db_is_in_place(s->config->folder, &s->files)) {
        os_log_tell(
            &s->config->log, OS_LOG_WARNING,
            "sqlite: the files of the database were removed or replaced; they are "
            "opened again");
        close_db(s);
    }
    if (s->db == NULL)
        status = open_db(s, err);
    if (status == VD_OK && !s->begun) {
        status = store_db_run(s->db, "BEGIN IMMEDIATE", err);
        s->begun = status == VD_OK;
    }
    return status;
}

/* Names the series of a detector as a metric is named: "score.NAME". */
static const char *detector_series(const char *detector, char name[STORE_NAME_MAX])
{
    sqlite3_snprintf(STORE_NAME_MAX, name, "score.%s", detector);
    return name;
}

/* Fills in the ids of the columns: metrics, then the verdict, then the detectors. */
static enum vd_status fill_layout(struct store_db *s, const struct head *head,
                                  struct vd_error *err)
{
    struct store_layout *layout = &s->layout;
    char name[STORE_NAME_MAX];
    const char *unit;

    for (size_t i = 0; i < layout->n; i++) {
        if (i >= head->n_metrics + STORE_VERDICTS) {
            detector_series(head->detector[i - head->n_metrics - STORE_VERDICTS], name);
            unit = "";
        } else if (i >= head->n_metrics) {
            sqlite3_snprintf(sizeof name, name, "%s",
                             store_verdict_name[i - head->n_metrics]);
            unit = "";
        } else if (!store_names_get(s->names, i, name, &unit)) {
            return vd_error_set(err, VD_ERR_RETRY, NULL, "no memory for metric names");
        }
        layout->metric[i] = store_metric_id(s->db, name, unit, err);
        if (layout->metric[i] == 0)
            return store_db_failed(s->db, "write a metric", err);
    }
    return store_layout_save(s->db, layout, err);
}

/* Tells whether rows look as the one before did. Names of detectors are static, so
 * comparing their addresses is enough. */
static bool same_layout(const struct store_db *s, const struct head *head)
{
    return s->n_metrics == head->n_metrics && s->serial == head->serial &&
           s->n_detectors == head->n_detectors &&
           memcmp(s->detector, head->detector, sizeof s->detector) == 0;
}

/* Makes the layout that the rows from here on have, and retires the one before it. */
static enum vd_status make_layout(struct store_db *s, const struct head *head,
                                  struct vd_error *err)
{
    int64_t before = s->layout.id;
    enum vd_status status = VD_OK;

    assert(s->begun);
    store_layout_release(&s->layout);
    s->n_metrics = SIZE_MAX;
    s->layout.n = head->n_metrics + STORE_VERDICTS + head->n_detectors;
    s->layout.metric = malloc(s->layout.n * sizeof *s->layout.metric);
    if (s->layout.metric == NULL)
        return vd_error_set(err, VD_ERR_RETRY, NULL, "no memory");
    /* Before the first row of this run: what a crash left in use was used until now. */
    status = store_layout_retire(s->db, before, head->time_ns, err);
    if (status == VD_OK)
        status = fill_layout(s, head, err);
    if (status != VD_OK)
        return status;
    s->n_metrics = head->n_metrics;
    s->serial = head->serial;
    s->n_detectors = head->n_detectors;
    memcpy(s->detector, head->detector, sizeof s->detector);
    return VD_OK;
}

/* Writes the minutes and hours that ended with the row before this one. The first row of
 * a run lets them catch up with what an earlier run left. */
static enum vd_status roll_up(struct store_db *s, int64_t time_ns, struct vd_error *err)
{
    enum vd_status status = VD_OK;

    if (s->last_ns == INT64_MIN)
        return store_tier_catch_up(s->db, time_ns, err);
    for (int tier = STORE_MINUTE; tier < STORE_TIERS && status == VD_OK; tier++) {
        int64_t before = store_tier_floor((enum store_tier)tier, s->last_ns);

        if (store_tier_floor((enum store_tier)tier, time_ns) != before)
            status = store_tier_roll(s->db, (enum store_tier)tier, before, err);
    }
    return status;
}

/* Inserts the row of a tick. Time is the key, so where a row of that nanosecond exists
 * this one moves on by as many as it takes. */
static enum vd_status insert_sample(struct store_db *s, const struct head *head,
                                    struct vd_error *err)
{
    const float *value = (const float *)(head + 1);
    int64_t time_ns = head->time_ns;
    enum vd_status status = VD_OK;

    do {
        sqlite3_bind_int64(s->insert, 1, time_ns++);
        sqlite3_bind_int64(s->insert, 2, s->layout.id);
        sqlite3_bind_blob(s->insert, 3, value, (int)(s->layout.n * sizeof *value),
                          SQLITE_STATIC);
        if (sqlite3_step(s->insert) != SQLITE_DONE)
            status = store_db_failed(s->db, "write a row", err);
        sqlite3_reset(s->insert);
    } while (status == VD_OK && sqlite3_changes(s->db) == 0);
    sqlite3_clear_bindings(s->insert);
    return status;
}

/* Tells whether an event has news. One that goes on comes with each tick, and writing it
 * each time would wear the disk. */
static bool is_news(const struct store_db *s, const struct record_event *event,
                    int64_t time_ns)
{
    const struct record_event *last = &s->event;

    return last->id != event->id || last->state != event->state ||
           last->severity != event->severity || last->alerted != event->alerted ||
           last->n_suspects != event->n_suspects ||
           time_ns - s->event_ns >= EVENT_SECONDS * INT64_C(1000000000) ||
           time_ns < s->event_ns;
}

/* Writes the row of a tick, before it the coarser rows that it completes, and behind it
 * the news of an event. */
static enum vd_status write_tick(struct store_db *s, const struct head *head, size_t size,
                                 struct vd_error *err)
{
    size_t n = head->n_metrics + STORE_VERDICTS + head->n_detectors;
    const struct record_event *event;
    enum vd_status status = VD_OK;

    if (size < event_offset(n) + (head->has_event ? sizeof *event : 0))
        return vd_error_set(err, VD_ERR_DATA, NULL, "a message is too short");
    if (!same_layout(s, head))
        status = make_layout(s, head, err);
    if (status == VD_OK)
        status = roll_up(s, head->time_ns, err);
    if (status == VD_OK)
        status = insert_sample(s, head, err);
    if (status != VD_OK)
        return status;
    s->last_ns = head->time_ns;
    os_believed_at(&s->believed, head->time_ns, head->mono_ns);
    event = (const struct record_event *)((const uint8_t *)head + event_offset(n));
    if (!head->has_event || !is_news(s, event, head->time_ns))
        return VD_OK;
    status = store_event_write(s->db, event, s->names, err);
    s->event = *event;
    s->event_ns = head->time_ns;
    return status;
}

/* Writes one message by its kind; all of them begin with it. */
static enum vd_status write_one(struct store_db *s, const void *message, size_t size,
                                struct vd_error *err)
{
    const struct head *head = message;
    const struct store_db_feedback *feedback = message;
    const struct store_db_moments *moments = message;
    const struct store_db_event *event = message;
    enum vd_status status;

    assert(s->db != NULL && s->begun);
    switch (head->kind) {
    case STORE_DB_EVENT:
        status = store_event_write(s->db, &event->event, s->names, err);
        return status != VD_OK || event->receiver[0] == '\0'
                   ? status
                   : store_outbox_add(s->db, event, err);
    case STORE_DB_TOLD:
        return store_outbox_remove(s->db, message, err);
    case STORE_DB_FEEDBACK:
        return store_feedback_write(s->db, feedback->event_id, feedback->time_ns,
                                    feedback->text, err);
    case STORE_DB_MOMENTS:
        return store_moments_write(s->db, moments->event_id, moments->block->bytes,
                                   moments->block->size, err);
    default:
        return write_tick(s, head, size, err);
    }
}

/* Writes a message into the transaction. What can never be written is dropped; every
 * other failure undoes the transaction, whose messages then come again. */
static enum store_result write_message(void *sink, const void *message, size_t size,
                                       struct vd_error *err)
{
    struct store_db *s = sink;
    enum vd_status status = begin(s, err);

    if (status == VD_OK)
        status = write_one(s, message, size, err);
    /* A statement that failed by its own fault took back only itself. */
    if (status == VD_ERR_DATA)
        return STORE_DROP;
    return status == VD_OK ? STORE_OK : give_up(s, status, err);
}

/* Commits the transaction: from here on its messages are durable. */
static enum store_result flush(void *sink, struct vd_error *err)
{
    struct store_db *s = sink;
    enum vd_status status;

    if (!s->begun)
        return STORE_OK;
    status = store_db_run(s->db, "COMMIT", err);
    if (status != VD_OK)
        return give_up(s, status, err);
    s->begun = false;
    s->committed_ns = s->last_ns;
    return STORE_OK;
}

/* Tells whether a reader met damage, in the database that is open now and not in one that
 * was set aside meanwhile. */
static bool is_reported(struct store_db *s)
{
    unsigned broken = atomic_exchange(&s->health->broken, 0);

    return broken != 0 && broken == atomic_load(&s->health->generation);
}

/* Deletes what is too old, in slices that hold no reader up; true while there is more. */
static bool upkeep(void *sink, int64_t now_ns)
{
    struct store_db *s = sink;
    struct store_trim trim = {0};
    struct vd_error err = {0};
    bool more = false;

    if (s->db != NULL && !s->begun && is_reported(s)) {
        begin_anew(s, "a reader met a damaged page");
        return false;
    }
    if (s->db == NULL || s->begun || s->last_ns == INT64_MIN ||
        now_ns - s->trim_ns < TRIM_SECONDS * INT64_C(1000000000))
        return false;
    /* Ages are taken from the rows, not from the clock: a recording of last year that is
     * played back stays, and so does everything when the clock is ahead for a while. */
    if (store_trim_slice(s->db, s->config, s->believed.time_ns, TRIM_ROWS, &trim, &more,
                         &err) == VD_ERR_FORMAT) {
        begin_anew(s, err.text);
        return false;
    }
    if (err.status != VD_OK)
        os_log_tell(&s->config->log, OS_LOG_WARNING, "sqlite: clean-up: %s", err.text);
    if (err.status != VD_OK)
        more = false;
    if (!more) {
        s->trim_ns = now_ns;
        if (store_layout_sweep(s->db, &err) == VD_ERR_FORMAT)
            begin_anew(s, err.text);
    }
    return more;
}

static enum vd_status create(void **out, const struct store_place *place,
                             struct vd_error *err)
{
    struct store_db *s = calloc(1, sizeof *s);
    enum vd_status status;

    if (s == NULL)
        return vd_error_set(err, VD_ERR_RETRY, NULL, "no memory");
    s->config = place->config;
    s->names = place->names;
    s->health = place->health;
    status = open_db(s, err);
    if (status != VD_OK) {
        free(s);
        return status;
    }
    *out = s;
    return VD_OK;
}

static void reopen(void *sink)
{
    struct store_db *s = sink;

    if (!s->begun)
        close_db(s);
}

/* Retires the layout in use, so that it can be deleted once its rows are; a crash leaves
 * that to the next run. */
static void destroy(void *sink)
{
    struct store_db *s = sink;

    if (s->db != NULL && s->last_ns != INT64_MIN)
        store_layout_retire(s->db, 0, s->last_ns, NULL);
    close_db(s);
    store_layout_release(&s->layout);
    free(s);
}

const struct store_sink store_sink_sqlite = {
    .name = "sqlite",
    .file = STORE_DB_FILE,
    .queue_bytes = 1024 * 1024,
    .batch = 100,
    .batch_s = 5,
    .wanted = wanted,
    .pack = pack,
    .create = create,
    .write = write_message,
    .flush = flush,
    .upkeep = upkeep,
    .hold = hold,
    .leave = leave,
    .reopen = reopen,
    .destroy = destroy,
};
