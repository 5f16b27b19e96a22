/* What is in a data directory, for `vedette store`: works beside a running monitor. */
#ifndef VD_STORE_INSPECT_H
#define VD_STORE_INSPECT_H

#include <stdio.h>

#include "store/sinks.h"
#include "store/sqlite.h"

enum { STORE_INSPECT_FILES = 64 };

struct store_file_info {
    char name[128]; /* below the data directory */
    int64_t bytes, changed_ns;
};

struct store_info {
    int owner; /* pid of the vedette that writes, 0 = none */
    bool has_database;
    int64_t database_bytes, log_bytes, unused_bytes;
    struct {
        int64_t rows, first_ns, last_ns; /* times 0 when there are no rows */
    } tier[STORE_TIERS];
    int64_t metrics, events, alerted, feedback, recorders;
    struct store_file_info file[STORE_INSPECT_FILES]; /* all but the database, by name */
    size_t n_files;
};

/* VD_ERR_IO when there is no such directory; a database that cannot be read is the
 * error's, the rest is filled in all the same. */
enum vd_status store_info_read(const char *dir, struct store_info *info,
                               struct vd_error *err);

/* Opens a reader of the database in `dir`, for a process that does not write it; it must
 * not be moved while it is open. */
enum vd_status store_reader_open(struct store_reader *reader, const char *dir,
                                 struct vd_error *err);

void store_reader_close(struct store_reader *reader);

/* Keeps what is said of an event ("" = nothing any more), for a directory that nobody
 * uses: VD_ERR_BUSY when somebody does, who must be told instead. */
enum vd_status store_feedback_keep(const char *dir, int64_t event_id,
                                   const char *feedback, int64_t now_ns,
                                   struct vd_error *err);

struct store_export {
    const char *dir;
    enum store_tier tier;
    int64_t from_ns, to_ns;
    const char *const *metric; /* names or families; NULL = all */
    size_t n_metrics;
    bool no_verdicts; /* what was measured, without scores and their like */
};

/* Writes the rows of a tier as CSV: timestamp (local time) and one column per metric, the
 * mean where the tier has more than one value. `*rows` = how many. */
enum vd_status store_export_csv(const struct store_export *what, FILE *out, int64_t *rows,
                                struct vd_error *err);

/* The rows of a span of one tier: the metrics by the ids of the open database (0 = one
 * that it does not have). */
struct store_rows {
    sqlite3 *db;
    enum store_tier tier;
    int64_t from_ns, to_ns;
    const uint32_t *metric;
    size_t n;
};

/* Takes one row, oldest first; NaN = no value, the mean where the tier has more than one.
 * Everything but VD_OK ends the reading with it. */
typedef enum vd_status store_row_fn(void *context, int64_t time_ns, const double *value,
                                    struct vd_error *err);

enum vd_status store_rows_each(const struct store_rows *rows, store_row_fn *row,
                               void *context, struct vd_error *err);

/* The raw samples of the database in `dir` that are at most last_ns older than its newest
 * one, in the order of `metric`. VD_ERR_IO when there is no database. */
struct store_newest {
    const char *dir;
    const char *const *metric; /* names, "score" among them; unknown ones are NaN */
    size_t n_metrics;
    int64_t last_ns;
};

enum vd_status store_newest_read(const struct store_newest *what, store_row_fn *row,
                                 void *context, struct vd_error *err);

/* Deletes what is past its retention at now_ns, or with `dry_run` counts it. 0 = now, by
 * the clock; where the rows say that it may be ahead, by them, which is said. Needs the
 * directory for itself unless it is a dry run: VD_ERR_BUSY. */
enum vd_status store_clean(const struct store_config *config, bool dry_run,
                           int64_t now_ns, struct store_trim *trim, struct vd_error *err);

#endif
