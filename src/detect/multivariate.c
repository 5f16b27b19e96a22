/* A ring of rows and the model that is in use. Reading asks the model, learning writes
 * the ring; a training copies the ring into a job, which then shares nothing with the
 * loop's thread, and its model is put in the place of the old one at the end. */
#include "detect/multivariate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/baseline.h"
#include "detect/multivariate_model.h"
#include "os/clock.h"
#include "vedette/stats.h"

/* Lists the core metrics, which nearly every machine has. A column that a machine lacks
 * is left out by the training. */
static const char *const default_column[] = {
    "cpu_percent",   "cpu_freq",        "cpu_memory",      "cpu_temp",
    "gpu_percent",   "gpu_memory",      "gpu_temp",        "disk_read_mb",
    "disk_write_mb", "network_sent_mb", "network_recv_mb",
};

struct detect_multivariate_config detect_multivariate_config_default(void)
{
    return (struct detect_multivariate_config){
        .column = default_column,
        .n_columns = sizeof default_column / sizeof *default_column,
        .window = DETECT_MULTIVARIATE_WINDOW,
        .contamination = 0.05,
        .log_rates = true,
    };
}

struct detect_multivariate {
    struct detect_multivariate_config config;
    size_t index[DETECT_MULTIVARIATE_COLUMNS]; /* of the columns in the schema, SIZE_MAX =
                                                  absent */
    bool is_log[DETECT_MULTIVARIATE_COLUMNS];  /* the row has log(1 + x) */
    double floor[DETECT_MULTIVARIATE_COLUMNS]; /* sigma that is no deviation, in the
                                                  metric's unit */
    size_t schema_n;        /* metrics the schema had when they were looked up, */
    uint32_t schema_serial; /* and the newest of them */
    struct detect_multivariate_row
        recent[DETECT_MULTIVARIATE_TICKS]; /* the rows read last, at the end */
    size_t n_recent;
    bool learned;                           /* the row read last is in the window */
    struct detect_multivariate_row *window; /* ring of config.window */
    size_t n, next;
    struct detect_multivariate_model *model; /* NULL = none yet */
};

enum vd_status detect_multivariate_new(detect_multivariate **out,
                                       const struct detect_multivariate_config *config)
{
    detect_multivariate *multivariate = calloc(1, sizeof *multivariate);

    *out = multivariate;
    if (multivariate == NULL)
        return VD_ERR_MEMORY;
    multivariate->config = *config;
    if (multivariate->config.n_columns > DETECT_MULTIVARIATE_COLUMNS)
        multivariate->config.n_columns = DETECT_MULTIVARIATE_COLUMNS;
    multivariate->window =
        calloc(multivariate->config.window, sizeof *multivariate->window);
    if (multivariate->window == NULL) {
        detect_multivariate_free(multivariate);
        *out = NULL;
        return VD_ERR_MEMORY;
    }
    return VD_OK;
}

void detect_multivariate_free(detect_multivariate *multivariate)
{
    if (multivariate == NULL)
        return;
    detect_multivariate_model_free(multivariate->model);
    free(multivariate->window);
    free(multivariate);
}

/* Finds the columns' places in the schema, and looks them up again when the schema
 * changed. */
static void find_columns(detect_multivariate *multivariate,
                         const struct record_schema *schema)
{
    if (schema->n == multivariate->schema_n &&
        schema->serial == multivariate->schema_serial)
        return;
    for (size_t c = 0; c < multivariate->config.n_columns; c++) {
        size_t metric = record_schema_find(schema, multivariate->config.column[c]);

        multivariate->index[c] = metric;
        multivariate->is_log[c] = metric != SIZE_MAX && multivariate->config.log_rates &&
                                  schema->metric[metric].is_byte_rate;
        multivariate->floor[c] =
            metric == SIZE_MAX ? 0 : detect_sigma_floor(&schema->metric[metric], 0);
    }
    multivariate->schema_n = schema->n;
    multivariate->schema_serial = schema->serial;
}

const size_t *detect_multivariate_columns(detect_multivariate *multivariate,
                                          const struct record_schema *schema, size_t *n)
{
    find_columns(multivariate, schema);
    *n = multivariate->config.n_columns;
    return multivariate->index;
}

/* Converts a metric's value to what the row holds. Byte rates become log(1 + x): they
 * reach over many powers of ten, and the large ones would hide all others. */
static float as_column(const detect_multivariate *multivariate, size_t c, double x)
{
    if (multivariate->is_log[c])
        x = log1p(fmax(x, 0));
    return isfinite(x) ? (float)x : NAN;
}

/* Moves the recent rows up and fills in the newest. It notes whether the row before it
 * was learned: only then do two rows of the window follow each other in time. */
static void fill_row(detect_multivariate *multivariate, const double *value,
                     const double live[DETECT_LIVE])
{
    struct detect_multivariate_row *row =
        &multivariate->recent[DETECT_MULTIVARIATE_TICKS - 1];

    assert(multivariate->n_recent <= DETECT_MULTIVARIATE_TICKS);
    assert(multivariate->config.n_columns <= DETECT_MULTIVARIATE_COLUMNS);
    memmove(multivariate->recent, multivariate->recent + 1,
            sizeof multivariate->recent - sizeof *row);
    row->follows = multivariate->n_recent > 0 && multivariate->learned;
    multivariate->learned = false;
    if (multivariate->n_recent < DETECT_MULTIVARIATE_TICKS)
        multivariate->n_recent++;
    for (size_t c = 0; c < DETECT_MULTIVARIATE_COLUMNS; c++) {
        size_t metric =
            c < multivariate->config.n_columns ? multivariate->index[c] : SIZE_MAX;
        double x = metric == SIZE_MAX ? NAN : value[metric];

        row->x[c] = as_column(multivariate, c, x);
    }
    for (size_t k = 0; k < DETECT_LIVE; k++)
        row->live[k] = (float)live[k];
}

/* Reads the verdicts of the model's members, each with the time that it took. Without a
 * model only the row is kept. */
void detect_multivariate_read(detect_multivariate *multivariate,
                              const struct record_schema *schema, const double *value,
                              const double live[DETECT_LIVE],
                              struct record_verdict *verdict)
{
    const struct detect_multivariate_model *model = multivariate->model;
    struct detect_multivariate_view view;

    find_columns(multivariate, schema);
    fill_row(multivariate, value, live);
    if (model == NULL)
        return;
    detect_multivariate_view_make(&view, model, detect_multivariate_row(multivariate),
                                  multivariate->n_recent);
    for (size_t i = 0; i < model->n_members && verdict->n < RECORD_DETECTORS_MAX; i++) {
        struct record_score *score = &verdict->detector[verdict->n++];
        int64_t start = os_clock_mono_ns();

        *score = (struct record_score){.name = model->member[i].name, .score = NAN};
        score->raw = detect_multivariate_member_raw(&model->member[i], &view);
        score->surprise =
            detect_multivariate_member_surprise(&model->member[i], score->raw);
        score->ready = !isnan(score->surprise);
        score->latency_us = (double)(os_clock_mono_ns() - start) * 1e-3;
    }
}

void detect_multivariate_gap(detect_multivariate *multivariate)
{
    multivariate->n_recent = 0;
}

/* Puts the row read last into the ring, over the oldest when it is full. */
void detect_multivariate_learn(detect_multivariate *multivariate)
{
    multivariate->window[multivariate->next] = *detect_multivariate_row(multivariate);
    multivariate->learned = true;
    multivariate->next = (multivariate->next + 1) % multivariate->config.window;
    if (multivariate->n < multivariate->config.window)
        multivariate->n++;
}

/* Finds the median of each column over the rows, NaN where no row has a value. */
enum vd_status detect_multivariate_middle(const struct detect_multivariate_row *row,
                                          size_t n,
                                          double middle[DETECT_MULTIVARIATE_COLUMNS])
{
    double *scratch = malloc((n + 1) * sizeof *scratch);

    if (scratch == NULL)
        return VD_ERR_MEMORY;
    for (size_t c = 0; c < DETECT_MULTIVARIATE_COLUMNS; c++) {
        size_t k = 0;

        for (size_t i = 0; i < n; i++)
            if (!isnan(row[i].x[c]))
                scratch[k++] = (double)row[i].x[c];
        middle[c] = k == 0 ? NAN : vd_median(scratch, k);
    }
    free(scratch);
    return VD_OK;
}

/* Tells whether the row is nearer to `theirs` than to `ours`. Projected onto the line
 * between the two, it lies beyond half of the way. Columns of different units are made
 * alike by their own size. */
bool detect_multivariate_is_nearer(const struct detect_multivariate_row *row,
                                   const double ours[DETECT_MULTIVARIATE_COLUMNS],
                                   const double theirs[DETECT_MULTIVARIATE_COLUMNS])
{
    double way = 0, walked = 0;

    for (size_t c = 0; c < DETECT_MULTIVARIATE_COLUMNS; c++) {
        double whole = theirs[c] - ours[c];
        double unit = fabs(theirs[c]) + fabs(ours[c]);

        if (isnan(whole) || isnan(row->x[c]) || unit <= 0)
            continue;
        way += whole * whole / (unit * unit);
        walked += whole * ((double)row->x[c] - ours[c]) / (unit * unit);
    }
    return way > 0 && walked > 0.5 * way;
}

size_t detect_multivariate_rows(const detect_multivariate *multivariate)
{
    return multivariate->n;
}

double detect_multivariate_confidence(const detect_multivariate *multivariate)
{
    return multivariate->model == NULL ? 0 : multivariate->model->confidence;
}

/* Holds one training. It owns copies of all that it reads, so that the worker shares
 * nothing with the loop but the atomic wish to hurry. */
struct detect_multivariate_job {
    struct detect_multivariate_config config;
    struct detect_multivariate_row *row; /* owned copy of the window, oldest first */
    size_t n;
    double floor[DETECT_MULTIVARIATE_COLUMNS];
    struct detect_multivariate_pace pace;
    struct detect_multivariate_model *model;
    struct vd_error err;
};

const struct detect_multivariate_row *
detect_multivariate_row(const detect_multivariate *multivariate)
{
    return &multivariate->recent[DETECT_MULTIVARIATE_TICKS - 1];
}

const bool *detect_multivariate_is_log(const detect_multivariate *multivariate)
{
    return multivariate->is_log;
}

void detect_multivariate_convert(detect_multivariate *multivariate,
                                 const struct record_schema *schema, const double *value,
                                 float x[DETECT_MULTIVARIATE_COLUMNS])
{
    find_columns(multivariate, schema);
    for (size_t c = 0; c < DETECT_MULTIVARIATE_COLUMNS; c++)
        x[c] = c < multivariate->config.n_columns ? as_column(multivariate, c, value[c])
                                                  : NAN;
}

/* Sets into how many runs rows from elsewhere are put, evenly: so the blocks of a
 * cross-fit have their share each, and few rows of the window lose the one before
 * them. */
enum { RUNS = 8 };

/* Copies the window, oldest row first, and puts the other rows between its runs. The
 * caller frees it; NULL means no memory. */
struct detect_multivariate_row *
detect_multivariate_window(const detect_multivariate *multivariate,
                           const struct detect_multivariate_row *more, size_t n_more,
                           size_t *n)
{
    struct detect_multivariate_row *row =
        malloc((multivariate->n + n_more + 1) * sizeof *row);
    size_t k = 0;

    *n = 0;
    if (row == NULL)
        return NULL;
    for (size_t i = 0; i < multivariate->n; i++) {
        size_t run = i * RUNS / multivariate->n + 1, before = *n;

        while (k < n_more * run / RUNS)
            row[(*n)++] = more[k++];
        row[*n] = multivariate->window[(multivariate->next + multivariate->config.window -
                                        multivariate->n + i) %
                                       multivariate->config.window];
        row[*n].follows &= *n == before;
        ++*n;
    }
    return row;
}

/* Finds the floors as a row has them: log(1 + x) moves by dx / (1 + x), taken at its
 * middle. */
static enum vd_status find_floors(const detect_multivariate *multivariate,
                                  detect_multivariate_job *job)
{
    double middle[DETECT_MULTIVARIATE_COLUMNS];
    enum vd_status status = detect_multivariate_middle(job->row, job->n, middle);

    for (size_t c = 0; status == VD_OK && c < DETECT_MULTIVARIATE_COLUMNS; c++)
        job->floor[c] = multivariate->is_log[c] ? multivariate->floor[c] / exp(middle[c])
                                                : multivariate->floor[c];
    return status;
}

detect_multivariate_job *
detect_multivariate_train_begin(const detect_multivariate *multivariate,
                                const struct detect_multivariate_row *more, size_t n_more)
{
    detect_multivariate_job *job;

    if (multivariate->n < DETECT_MULTIVARIATE_ROWS_MIN)
        return NULL;
    job = calloc(1, sizeof *job);
    if (job == NULL)
        return NULL;
    job->config = multivariate->config;
    job->pace.share = 1;
    job->row = detect_multivariate_window(multivariate, more, n_more, &job->n);
    if (job->row == NULL || find_floors(multivariate, job) != VD_OK) {
        detect_multivariate_job_free(job);
        return NULL;
    }
    return job;
}

/* Trains, on the worker's thread. */
void detect_multivariate_train_run(detect_multivariate_job *job)
{
    job->model = detect_multivariate_model_fit(&job->config, job->row, job->n, job->floor,
                                               &job->pace, &job->err);
}

void detect_multivariate_train_calmly(detect_multivariate_job *job, double share)
{
    job->pace.share = share;
}

void detect_multivariate_train_hurry(detect_multivariate_job *job)
{
    atomic_store(&job->pace.hurry, true);
}

/* Puts the new model in the place of the old one, on the loop's thread. Without a new one
 * the old one stays. */
enum vd_status detect_multivariate_train_end(detect_multivariate *multivariate,
                                             detect_multivariate_job *job,
                                             struct vd_error *err)
{
    enum vd_status status = VD_OK;

    if (job->model != NULL) {
        detect_multivariate_model_free(multivariate->model);
        multivariate->model = job->model;
    } else {
        status = vd_error_set(err, job->err.status, job->err.hint, "%s", job->err.text);
    }
    job->model = NULL;
    detect_multivariate_job_free(job);
    return status;
}

void detect_multivariate_job_free(detect_multivariate_job *job)
{
    if (job == NULL)
        return;
    detect_multivariate_model_free(job->model);
    free(job->row);
    free(job);
}

/* ---- saved form ---- */

/* Numbers the saved form; it changes whenever a field does. */
enum { SAVED_VERSION = 2 };

void detect_multivariate_save_columns(const struct detect_multivariate_config *config,
                                      struct vd_writer *w)
{
    vd_write_u32(w, (uint32_t)config->n_columns);
    for (size_t c = 0; c < config->n_columns; c++)
        vd_write_text(w, config->column[c]);
}

/* Tells whether the saved columns are those of now, in the same order. A count that
 * differs leaves the rest unread. */
bool detect_multivariate_same_columns(const struct detect_multivariate_config *config,
                                      struct vd_reader *r)
{
    bool same = vd_read_u32(r) == config->n_columns;

    for (size_t c = 0; same && c < config->n_columns; c++) {
        char name[RECORD_NAME_MAX + RECORD_LABEL_MAX];

        vd_read_text(r, name, sizeof name);
        same = strcmp(name, config->column[c]) == 0;
    }
    return same && !r->failed;
}

void detect_multivariate_save(const detect_multivariate *multivariate,
                              struct vd_writer *w)
{
    vd_write_u32(w, SAVED_VERSION);
    detect_multivariate_save_columns(&multivariate->config, w);
    vd_write_u64(w, multivariate->n);
    for (size_t i = 0; i < multivariate->n; i++) {
        size_t at =
            (multivariate->next + multivariate->config.window - multivariate->n + i) %
            multivariate->config.window;

        for (size_t c = 0; c < DETECT_MULTIVARIATE_COLUMNS; c++)
            vd_write_f32(w, multivariate->window[at].x[c]);
        for (size_t k = 0; k < DETECT_LIVE; k++)
            vd_write_f32(w, multivariate->window[at].live[k]);
        vd_write_u8(w, multivariate->window[at].follows);
    }
    vd_write_u8(w, multivariate->model != NULL);
    if (multivariate->model != NULL)
        detect_multivariate_model_save(multivariate->model, w);
}

/* Loads the window and the model whole or not at all. */
enum vd_status detect_multivariate_load(detect_multivariate *multivariate,
                                        struct vd_reader *r, struct vd_error *err)
{
    const size_t row_size =
        (DETECT_MULTIVARIATE_COLUMNS + DETECT_LIVE) * sizeof(float) + 1;
    struct detect_multivariate_model *model = NULL;
    struct detect_multivariate_row *window = NULL;
    enum vd_status status = VD_ERR_FORMAT;
    size_t n;

    if (vd_read_u32(r) != SAVED_VERSION)
        return vd_error_set(err, VD_ERR_VERSION, "it is learnt anew",
                            "the saved host model is of another version");
    if (!detect_multivariate_same_columns(&multivariate->config, r))
        return vd_error_set(err, VD_ERR_SCHEMA, "it is learnt anew",
                            "the saved host model has other columns");
    n = vd_read_count(r, row_size);
    if (n > multivariate->config.window)
        goto out;
    window = calloc(multivariate->config.window, sizeof *window);
    status = window == NULL ? VD_ERR_MEMORY : VD_ERR_FORMAT;
    for (size_t i = 0; window != NULL && i < n; i++) {
        for (size_t c = 0; c < DETECT_MULTIVARIATE_COLUMNS; c++)
            window[i].x[c] = vd_read_f32(r);
        for (size_t k = 0; k < DETECT_LIVE; k++)
            window[i].live[k] = vd_read_f32(r);
        window[i].follows = vd_read_u8(r) != 0;
    }
    if (window == NULL || r->failed)
        goto out;
    if (vd_read_u8(r) != 0 && (model = detect_multivariate_model_load(r, err)) == NULL)
        goto out;
    free(multivariate->window);
    detect_multivariate_model_free(multivariate->model);
    multivariate->window = window;
    multivariate->model = model;
    multivariate->n = n;
    multivariate->next = n % multivariate->config.window;
    return VD_OK;
out:
    free(window);
    return vd_error_set(err, status, "it is learnt anew",
                        "the saved host model is damaged");
}
