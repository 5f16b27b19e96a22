/* The database, as the files of src/store share it. DIR/vedette.db,
 * docs/formats/store.md.
 *
 * One connection writes and checkpoints (struct store_db, the writer thread's); every
 * reader opens its own read-only one for the time of one call.
 */
#ifndef VD_STORE_SQLITE_H
#define VD_STORE_SQLITE_H

#include <sqlite3.h>
#include <sys/stat.h>

#include "os/believed.h"
#include "os/data_dir.h"
#include "store/names.h"
#include "store/sink.h"
#include "vedette/bytes.h"

#define STORE_DB_FILE "vedette.db"

enum { STORE_DB_VERSION = 4 };

enum store_tier { STORE_RAW, STORE_MINUTE, STORE_HOUR, STORE_TIERS };

extern const char *const store_tier_table[STORE_TIERS]; /* "sample", "minute", "hour" */

/* Seconds of a row of the tier; 0 for raw. */
int64_t store_tier_seconds(enum store_tier tier);

/* ---- messages of the sink's queue; each begins with its kind ---- */

enum {
    STORE_DB_TICK,
    STORE_DB_FEEDBACK,
    STORE_DB_MOMENTS,
    STORE_DB_EVENT,
    STORE_DB_TOLD
};

struct store_db_feedback {
    uint32_t kind;
    int64_t event_id, time_ns;
    char text[24];
};

/* Too large for the queue: beside it, freed by its last owner. */
struct store_db_block {
    _Atomic int owners;
    size_t size;
    uint8_t bytes[];
};

struct store_db_moments {
    uint32_t kind;
    int64_t event_id;
    struct store_db_block *block;
};

struct store_db_event {
    uint32_t kind, change;
    int64_t queued_ns;
    char receiver[16]; /* "" = nobody is owed anything */
    struct record_event event;
};

struct store_db_told {
    uint32_t kind, change;
    int64_t event_id;
    char receiver[16];
};

/* Gives a new set its reader and its next event id. */
void store_sqlite_attach(store_set *set);

/* ---- opening: sqlite_open.c ---- */

/* Opens vedette.db in config->folder for writing: creates it, looks at it before anything
 * in it is believed, and brings an older one up to date. What is damaged, belongs to
 * another program, or has tables that no vedette made is set aside under another name,
 * and a new one begins. VD_ERR_VERSION when a newer vedette wrote it. */
enum vd_status store_db_open(sqlite3 **db, const struct store_config *config,
                             struct vd_error *err);

/* For reading, also what an older vedette wrote: it may lack tables of newer formats.
 * VD_ERR_UNAVAILABLE when there is none, or one that has no tables yet. */
enum vd_status store_db_open_readonly(sqlite3 **db, const struct os_data_dir *dir,
                                      struct vd_error *err);

/* Whether the files behind an open database are still those of these names; one that was
 * removed or replaced takes no row that anybody would find. `mark` is all zero at first.
 */
struct store_db_files {
    struct stat file[2]; /* the database and its log, when they were seen first */
};

bool store_db_is_in_place(const struct os_data_dir *dir, struct store_db_files *mark);

/* VD_ERR_RETRY for a full disk and its kind, VD_ERR_FORMAT for a broken database,
 * VD_ERR_DATA for a row that can never be written, VD_ERR_IO for the rest; the message
 * names what was tried. */
enum vd_status store_db_failed(sqlite3 *db, const char *what, struct vd_error *err);

/* Makes the tables of a new database, or brings those of `version` to `until`. */
enum vd_status store_db_migrate(sqlite3 *db, int64_t version, int64_t until,
                                struct vd_error *err);

/* Runs statements that give no rows. */
enum vd_status store_db_run(sqlite3 *db, const char *sql, struct vd_error *err);

/* The first column of the first row, `fallback` when there is none or it is NULL. */
int64_t store_db_number(sqlite3 *db, const char *sql, int64_t fallback);

/* ---- what was set aside: sqlite_aside.c ---- */

/* Renames the database and what belongs to it; `why` is said. The last three are kept,
 * and what is removed for that is said. */
void store_db_set_aside(const struct store_config *config, const char *why);

/* Whether the directory has traces of events of a database before this one: one that was
 * set aside, or lines in alerts.jsonl, events.jsonl or what became of them. */
bool store_db_had_another(const struct os_data_dir *dir);

/* ---- what may be believed of a file: sqlite_check.c ---- */

/* How SQLite reaches the files: by the name it is given, which goes through the
 * descriptor of the directory (os_data_dir_path) and is not to be resolved. */
const char *store_db_access(void);

/* Makes it a connection that a hostile file can do little with: nothing in the file runs
 * (no trigger, no view, no function in the schema), nothing is attached, sizes are
 * bounded. */
void store_db_harden(sqlite3 *db);

/* Refuses links, pipes, second names ... among the files of the database. */
enum vd_status store_db_check_files(const struct os_data_dir *dir, struct vd_error *err);

/* Whether the tables are exactly those of a vedette. `*version` = of the layout, 0 = the
 * database is empty. VD_ERR_VERSION for one of a newer vedette, VD_ERR_FORMAT for
 * anything else. */
enum vd_status store_db_check_schema(sqlite3 *db, int64_t *version, struct vd_error *err);

/* The database's own check of itself, for at most `seconds` (0 = until it is done).
 * VD_ERR_FORMAT with what it complains of. */
enum vd_status store_db_check_pages(sqlite3 *db, double seconds, struct vd_error *err);

/* ---- layouts: which metric is where in a row; sqlite_layout.c ---- */

/* The value series besides the metrics: the verdict's. */
enum { STORE_VERDICTS = 4 };
extern const char *const store_verdict_name[STORE_VERDICTS];

/* A set of metrics in a fixed order, known in the database by a number. */
struct store_layout {
    int64_t id;
    size_t n;
    uint32_t *metric; /* owned: the database's metric ids */
};

void store_layout_release(struct store_layout *layout);

/* Loads layout `id`; n = 0 when it is not there. */
enum vd_status store_layout_load(sqlite3 *db, int64_t id, struct store_layout *layout,
                                 struct vd_error *err);

/* Finds or makes the layout of these metric ids, and marks it as in use. */
enum vd_status store_layout_save(sqlite3 *db, struct store_layout *layout,
                                 struct vd_error *err);

/* The id of a metric, made when it is new; 0 = failed. */
uint32_t store_metric_id(sqlite3 *db, const char *name, const char *unit,
                         struct vd_error *err);

/* Layout `id` (0 = every one that is marked as in use) has its last row at `time_ns`. */
enum vd_status store_layout_retire(sqlite3 *db, int64_t id, int64_t time_ns,
                                   struct vd_error *err);

/* Forgets retired layouts that are older than every row. */
enum vd_status store_layout_sweep(sqlite3 *db, struct vd_error *err);

/* ---- the tiers: sqlite_tier.c ---- */

/* What a row of the minute and hour tables says of one metric: 16 bytes, little-endian.
 */
struct store_cell {
    uint32_t count;
    float mean, min, max;
};

enum { STORE_CELL_BYTES = 16 };

/* Cell `i` of a row's blob; count 0 where the blob is too short. Of a raw row the value
 * itself with count 1, or 0 for NaN. */
struct store_cell store_cell_read(enum store_tier tier, const void *blob, size_t size,
                                  size_t i);

/* (Re)makes the row of `tier` that begins at `time_ns` from the finer tier. */
enum vd_status store_tier_roll(sqlite3 *db, enum store_tier tier, int64_t time_ns,
                               struct vd_error *err);

/* Makes all rows that a crash left out: those after the tier's last one and before
 * `until_ns`. */
enum vd_status store_tier_catch_up(sqlite3 *db, int64_t until_ns, struct vd_error *err);

/* The beginning of the minute or hour of a time. */
int64_t store_tier_floor(enum store_tier tier, int64_t time_ns);

/* ---- what time it is by what the store holds: sqlite_time.c ---- */

/* Asks the rows; nothing seen when there are none. */
struct os_believed store_believed(sqlite3 *db);

/* ---- room: sqlite_trim.c ---- */

/* What a clean-up would do, or did. */
struct store_trim {
    int64_t rows[STORE_TIERS], events;
};

/* Deletes at most `slice` rows that are past their retention, or, when the file is larger
 * than max_bytes, the oldest raw rows (then minutes, then hours), and gives freed pages
 * back. `*more` = call again. */
enum vd_status store_trim_slice(sqlite3 *db, const struct store_config *config,
                                int64_t now_ns, int slice, struct store_trim *trim,
                                bool *more, struct vd_error *err);

/* How many rows are past their retention. */
void store_trim_count(sqlite3 *db, const struct store_config *config, int64_t now_ns,
                      struct store_trim *trim);

/* ---- events: sqlite_event.c ---- */

enum vd_status store_event_write(sqlite3 *db, const struct record_event *event,
                                 struct store_names *names, struct vd_error *err);
enum vd_status store_feedback_write(sqlite3 *db, int64_t event_id, int64_t time_ns,
                                    const char *feedback, struct vd_error *err);

/* ---- what receivers of alerts are owed: sqlite_outbox.c ---- */

enum vd_status store_outbox_add(sqlite3 *db, const struct store_db_event *message,
                                struct vd_error *err);
enum vd_status store_outbox_remove(sqlite3 *db, const struct store_db_told *message,
                                   struct vd_error *err);
/* None where the format has no outbox yet. */
enum vd_status store_outbox_read(sqlite3 *db, struct history_notice **out, size_t *n,
                                 struct vd_error *err);

/* ---- the flight recorder as bytes: moments.c ---- */

enum vd_status store_moments_encode(struct vd_writer *out,
                                    const struct history_moment *moment, size_t n);
/* VD_ERR_FORMAT for bytes that no encode gave. */
enum vd_status store_moments_decode(const void *bytes, size_t size,
                                    struct history_moment **moment, size_t *n);
enum vd_status store_moments_write(sqlite3 *db, int64_t event_id, const void *bytes,
                                   size_t size, struct vd_error *err);

/* ---- reading: sqlite_read.c ---- */

struct store_reader {
    const struct os_data_dir *dir; /* borrowed; `own` for one that opened it itself */
    struct os_data_dir own;
    bool off;                    /* the database is switched off: every call says so */
    struct store_health *health; /* told of damage; NULL = nobody is */
    store_set *set; /* what it has not written yet is waited for; NULL = nothing is */
    struct store_names *names; /* of this run; NULL = none */
    double interval_s;
};

/* Returns a history_reader on a database file; `reader` is the context and must outlive
 * it. */
struct history_reader store_reader_history(struct store_reader *reader);

#endif
