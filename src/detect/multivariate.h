/* The multivariate layer: several detectors on one row of core metrics.
 *
 * A window keeps the last rows that were not flagged. From it a model is made (columns,
 * scaling, one fitted detector and one calibration per member) which is immutable: it is
 * trained on a worker thread and swapped in between two ticks. Besides the detectors of
 * the library there is PCA of the last ten rows side by side, which sees what moves in
 * another way than before, and there are members whose raw score is made live (the robust
 * z-score, the univariate layer); they only need a calibration, made from what the window
 * kept of them.
 */
#ifndef VD_DETECT_MULTIVARIATE_H
#define VD_DETECT_MULTIVARIATE_H

#include "record.h"
#include "vedette/bytes.h"

/* Members whose raw score is made live, from the values of all metrics. */
enum { DETECT_LIVE_Z, DETECT_LIVE_UNIVARIATE, DETECT_LIVE };

enum {
    DETECT_MULTIVARIATE_OWN =
        DETECT_LIVE + 1 /* members that are not the library's: PCA of ten rows */
};

extern const char *const detect_multivariate_live_name[DETECT_LIVE];
extern const char detect_multivariate_windowed_name[]; /* PCA of ten rows side by side */

/* Returns what people call a member, of the layer or of the library. */
const char *detect_multivariate_title(const char *name);

enum {
    DETECT_MULTIVARIATE_COLUMNS = 16,    /* metrics in a row */
    DETECT_MULTIVARIATE_WINDOW = 4096,   /* rows kept to learn from, at most */
    DETECT_MULTIVARIATE_FIT_ROWS = 1024, /* of them, rows a detector is fitted on */
    DETECT_MULTIVARIATE_ROWS_MIN = 20,   /* fewer is no model */
};

struct detect_multivariate_config {
    const char *const *column;   /* names of the metrics, those of the schema are used */
    size_t n_columns, n_asked;   /* the first n_asked were asked for by name */
    const char *const *detector; /* names of the library's detectors to fit; "pca"
                                    brings that of ten rows with it */
    size_t n_detectors;
    size_t window; /* rows kept, DETECT_MULTIVARIATE_ROWS_MIN ..
                      DETECT_MULTIVARIATE_WINDOW */
    double contamination;
    uint64_t seed;
    bool log_rates; /* MB/s columns enter as log(1 + x): their tails are long */
};

/* Defaults: the seven core features and the disk and network rates; every detector of the
 * library that learns without labels. */
struct detect_multivariate_config detect_multivariate_config_default(void);

typedef struct detect_multivariate detect_multivariate;
struct detect_multivariate_row; /* detect_multivariate_model.h */

enum vd_status detect_multivariate_new(detect_multivariate **out,
                                       const struct detect_multivariate_config *config);
void detect_multivariate_free(detect_multivariate *multivariate);

/* Scores the row with every member; appends to verdict->detector. `live` are the raw
 * scores of the live members (robust z, univariate layer), NaN = none. */
void detect_multivariate_read(detect_multivariate *multivariate,
                              const struct record_schema *schema, const double *value,
                              const double live[DETECT_LIVE],
                              struct record_verdict *verdict);

/* Notes a gap: what is read next does not follow in time what was read last. */
void detect_multivariate_gap(detect_multivariate *multivariate);

/* Where the columns stand in the schema: *n indices, SIZE_MAX for one that is absent. */
const size_t *detect_multivariate_columns(detect_multivariate *multivariate,
                                          const struct record_schema *schema, size_t *n);

/* The row read last, and which of its columns are log(1 + x). */
const struct detect_multivariate_row *
detect_multivariate_row(const detect_multivariate *multivariate);
const bool *detect_multivariate_is_log(const detect_multivariate *multivariate);

/* Values of config's columns, as people see them, as a row has them. */
void detect_multivariate_convert(detect_multivariate *multivariate,
                                 const struct record_schema *schema, const double *value,
                                 float x[DETECT_MULTIVARIATE_COLUMNS]);

/* A copy of the window, oldest first, malloc'ed, with `more` rows spread over it; NULL
 * when there is no memory. */
struct detect_multivariate_row *
detect_multivariate_window(const detect_multivariate *multivariate,
                           const struct detect_multivariate_row *more, size_t n_more,
                           size_t *n);

/* Adds the row read last to the window. */
void detect_multivariate_learn(detect_multivariate *multivariate);

/* The middle of each column of n rows; NaN when none has it. VD_ERR_MEMORY. */
enum vd_status detect_multivariate_middle(const struct detect_multivariate_row *row,
                                          size_t n,
                                          double middle[DETECT_MULTIVARIATE_COLUMNS]);

/* Whether a row is nearer to `theirs` than to `ours`, two middles. */
bool detect_multivariate_is_nearer(const struct detect_multivariate_row *row,
                                   const double ours[DETECT_MULTIVARIATE_COLUMNS],
                                   const double theirs[DETECT_MULTIVARIATE_COLUMNS]);

/* Rows the window holds. */
size_t detect_multivariate_rows(const detect_multivariate *multivariate);

/* How much the verdicts can be trusted, 0 (none yet) .. 1. */
double detect_multivariate_confidence(const detect_multivariate *multivariate);

/* Training in three steps: begin copies the window (NULL when it holds too little), run
 * fits on any thread, end swaps the model in and frees the job. After a failed run the
 * old model stays and `err` says why. */
typedef struct detect_multivariate_job detect_multivariate_job;

/* `more`: rows to learn from besides those of the window, spread over it. */
detect_multivariate_job *
detect_multivariate_train_begin(const detect_multivariate *multivariate,
                                const struct detect_multivariate_row *more,
                                size_t n_more);
void detect_multivariate_job_free(
    detect_multivariate_job *job); /* a job that will not be run; takes NULL */
void detect_multivariate_train_run(detect_multivariate_job *job);

/* Before run: it rests between two fits, so that it takes this share of a core (above 0,
 * up to 1 = it does not rest): who watches a machine is not to be what is seen on it.
 * During run, from any thread: no more rests, somebody waits. */
void detect_multivariate_train_calmly(detect_multivariate_job *job, double share);
void detect_multivariate_train_hurry(detect_multivariate_job *job);
enum vd_status detect_multivariate_train_end(detect_multivariate *multivariate,
                                             detect_multivariate_job *job,
                                             struct vd_error *err);

/* The columns' names as bytes, and whether those that were saved are the same in the same
 * order: else the rows mean something else. */
void detect_multivariate_save_columns(const struct detect_multivariate_config *config,
                                      struct vd_writer *w);
bool detect_multivariate_same_columns(const struct detect_multivariate_config *config,
                                      struct vd_reader *r);

/* Window and model as bytes. Load trusts nothing; on failure the host stays as it was. */
void detect_multivariate_save(const detect_multivariate *multivariate,
                              struct vd_writer *w);
enum vd_status detect_multivariate_load(detect_multivariate *multivariate,
                                        struct vd_reader *r, struct vd_error *err);

#endif
