/* The host layer: several detectors on one row of core metrics.
 *
 * A window keeps the last rows that were not flagged. From it a model is made (columns,
 * scaling, one fitted detector and one calibration per member) which is immutable: it is
 * trained on a worker thread and swapped in between two ticks. Besides the detectors of
 * the library there is PCA of the last ten rows side by side, which sees what moves in
 * another way than before, and there are members whose raw score is made live (the robust
 * z-score, the metric layer); they only need a calibration, made from what the window
 * kept of them.
 */
#ifndef VD_DETECT_HOST_H
#define VD_DETECT_HOST_H

#include "record.h"
#include "vedette/bytes.h"

/* Members whose raw score is made live, from the values of all metrics. */
enum { HOST_LIVE_Z, HOST_LIVE_LAYER, HOST_LIVE };

enum {
    HOST_OWN = HOST_LIVE + 1 /* members that are not the library's: PCA of ten rows */
};

extern const char *const host_live_name[HOST_LIVE];
extern const char host_windowed_name[]; /* PCA of ten rows side by side */

/* What people call a member, of the layer or of the library. */
const char *detect_host_title(const char *name);

enum {
    HOST_COLUMNS = 16,    /* metrics in a row */
    HOST_WINDOW = 4096,   /* rows kept to learn from, at most */
    HOST_FIT_ROWS = 1024, /* of them, rows a detector is fitted on */
    HOST_ROWS_MIN = 20,   /* fewer is no model */
};

struct host_config {
    const char *const *column;   /* names of the metrics, those of the schema are used */
    size_t n_columns, n_asked;   /* the first n_asked were asked for by name */
    const char *const *detector; /* names of the library's detectors to fit; "pca"
                                    brings that of ten rows with it */
    size_t n_detectors;
    size_t window; /* rows kept, HOST_ROWS_MIN .. HOST_WINDOW */
    double contamination;
    uint64_t seed;
    bool log_rates; /* MB/s columns enter as log(1 + x): their tails are long */
};

/* Defaults: the seven core features and the disk and network rates; every detector of the
 * library that learns without labels. */
struct host_config host_config_default(void);

typedef struct detect_host detect_host;
struct host_row; /* host_model.h */

enum vd_status detect_host_new(detect_host **out, const struct host_config *config);
void detect_host_free(detect_host *host);

/* Scores the row with every member; appends to verdict->detector. `live` are the raw
 * scores of the live members (robust z, metric layer), NaN = none. */
void detect_host_read(detect_host *host, const struct record_schema *schema,
                      const double *value, const double live[HOST_LIVE],
                      struct record_verdict *verdict);

/* What is read next does not follow in time what was read last. */
void detect_host_gap(detect_host *host);

/* Where the columns stand in the schema: *n indices, SIZE_MAX for one that is absent. */
const size_t *detect_host_columns(detect_host *host, const struct record_schema *schema,
                                  size_t *n);

/* The row read last, and which of its columns are log(1 + x). */
const struct host_row *detect_host_row(const detect_host *host);
const bool *detect_host_is_log(const detect_host *host);

/* Values of config's columns, as people see them, as a row has them. */
void detect_host_convert(detect_host *host, const struct record_schema *schema,
                         const double *value, float x[HOST_COLUMNS]);

/* A copy of the window, oldest first, malloc'ed, with `more` rows spread over it; NULL
 * when there is no memory. */
struct host_row *detect_host_window(const detect_host *host, const struct host_row *more,
                                    size_t n_more, size_t *n);

/* Adds the row read last to the window. */
void detect_host_learn(detect_host *host);

/* The middle of each column of n rows; NaN when none has it. VD_ERR_MEMORY. */
enum vd_status detect_host_middle(const struct host_row *row, size_t n,
                                  double middle[HOST_COLUMNS]);

/* Whether a row is nearer to `theirs` than to `ours`, two middles. */
bool detect_host_is_nearer(const struct host_row *row, const double ours[HOST_COLUMNS],
                           const double theirs[HOST_COLUMNS]);

/* Rows the window holds. */
size_t detect_host_rows(const detect_host *host);

/* How much the verdicts can be trusted, 0 (none yet) .. 1. */
double detect_host_confidence(const detect_host *host);

/* Training in three steps: begin copies the window (NULL when it holds too little), run
 * fits on any thread, end swaps the model in and frees the job. After a failed run the
 * old model stays and `err` says why. */
typedef struct host_job host_job;

/* `more`: rows to learn from besides those of the window, spread over it. */
host_job *detect_host_train_begin(const detect_host *host, const struct host_row *more,
                                  size_t n_more);
void detect_host_job_free(host_job *job); /* a job that will not be run; takes NULL */
void detect_host_train_run(host_job *job);

/* Before run: it rests between two fits, so that it takes this share of a core (above 0,
 * up to 1 = it does not rest): who watches a machine is not to be what is seen on it.
 * During run, from any thread: no more rests, somebody waits. */
void detect_host_train_calmly(host_job *job, double share);
void detect_host_train_hurry(host_job *job);
enum vd_status detect_host_train_end(detect_host *host, host_job *job,
                                     struct vd_error *err);

/* The columns' names as bytes, and whether those that were saved are the same in the same
 * order: else the rows mean something else. */
void detect_host_save_columns(const struct host_config *config, struct vd_writer *w);
bool detect_host_same_columns(const struct host_config *config, struct vd_reader *r);

/* Window and model as bytes. Load trusts nothing; on failure the host stays as it was. */
void detect_host_save(const detect_host *host, struct vd_writer *w);
enum vd_status detect_host_load(detect_host *host, struct vd_reader *r,
                                struct vd_error *err);

#endif
