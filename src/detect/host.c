#include "detect/host.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/baseline.h"
#include "detect/host_model.h"
#include "os/clock.h"
#include "vedette/stats.h"

static const char *const default_column[] = {
    "cpu_percent",   "cpu_freq",        "cpu_memory",      "cpu_temp",
    "gpu_percent",   "gpu_memory",      "gpu_temp",        "disk_read_mb",
    "disk_write_mb", "network_sent_mb", "network_recv_mb",
};

struct host_config host_config_default(void)
{
    return (struct host_config){
        .column = default_column,
        .n_columns = sizeof default_column / sizeof *default_column,
        .window = HOST_WINDOW,
        .contamination = 0.05,
        .log_rates = true,
    };
}

struct detect_host {
    struct host_config config;
    size_t index[HOST_COLUMNS]; /* of the columns in the schema, SIZE_MAX = absent */
    bool is_log[HOST_COLUMNS];  /* the row has log(1 + x) */
    double floor[HOST_COLUMNS]; /* sigma that is no deviation, in the metric's unit */
    size_t schema_n;            /* metrics the schema had when they were looked up, */
    uint32_t schema_serial;     /* and the newest of them */
    struct host_row recent[HOST_TICKS]; /* the rows read last, at the end */
    size_t n_recent;
    bool learned;            /* the row read last is in the window */
    struct host_row *window; /* ring of config.window */
    size_t n, next;
    struct host_model *model; /* NULL = none yet */
};

enum vd_status detect_host_new(detect_host **out, const struct host_config *config)
{
    detect_host *host = calloc(1, sizeof *host);

    *out = host;
    if (host == NULL)
        return VD_ERR_MEMORY;
    host->config = *config;
    if (host->config.n_columns > HOST_COLUMNS)
        host->config.n_columns = HOST_COLUMNS;
    host->window = calloc(host->config.window, sizeof *host->window);
    if (host->window == NULL) {
        detect_host_free(host);
        *out = NULL;
        return VD_ERR_MEMORY;
    }
    return VD_OK;
}

void detect_host_free(detect_host *host)
{
    if (host == NULL)
        return;
    host_model_free(host->model);
    free(host->window);
    free(host);
}

/* The columns' places in the schema, looked up again when it changed. */
static void find_columns(detect_host *host, const struct record_schema *schema)
{
    if (schema->n == host->schema_n && schema->serial == host->schema_serial)
        return;
    for (size_t c = 0; c < host->config.n_columns; c++) {
        size_t metric = record_schema_find(schema, host->config.column[c]);

        host->index[c] = metric;
        host->is_log[c] = metric != SIZE_MAX && host->config.log_rates &&
                          strcmp(schema->metric[metric].unit, "MB/s") == 0;
        host->floor[c] =
            metric == SIZE_MAX ? 0 : detect_sigma_floor(&schema->metric[metric], 0);
    }
    host->schema_n = schema->n;
    host->schema_serial = schema->serial;
}

const size_t *detect_host_columns(detect_host *host, const struct record_schema *schema,
                                  size_t *n)
{
    find_columns(host, schema);
    *n = host->config.n_columns;
    return host->index;
}

/* A metric's value as the row has it. */
static float as_column(const detect_host *host, size_t c, double x)
{
    if (host->is_log[c])
        x = log1p(fmax(x, 0));
    return isfinite(x) ? (float)x : NAN;
}

static void fill_row(detect_host *host, const double *value, const double live[HOST_LIVE])
{
    struct host_row *row = &host->recent[HOST_TICKS - 1];

    memmove(host->recent, host->recent + 1, sizeof host->recent - sizeof *row);
    row->follows = host->n_recent > 0 && host->learned;
    host->learned = false;
    if (host->n_recent < HOST_TICKS)
        host->n_recent++;
    for (size_t c = 0; c < HOST_COLUMNS; c++) {
        size_t metric = c < host->config.n_columns ? host->index[c] : SIZE_MAX;
        double x = metric == SIZE_MAX ? NAN : value[metric];

        row->x[c] = as_column(host, c, x);
    }
    for (size_t k = 0; k < HOST_LIVE; k++)
        row->live[k] = (float)live[k];
}

void detect_host_read(detect_host *host, const struct record_schema *schema,
                      const double *value, const double live[HOST_LIVE],
                      struct record_verdict *verdict)
{
    const struct host_model *model = host->model;
    struct host_view view;

    find_columns(host, schema);
    fill_row(host, value, live);
    if (model == NULL)
        return;
    host_view_make(&view, model, detect_host_row(host), host->n_recent);
    for (size_t i = 0; i < model->n_members && verdict->n < RECORD_DETECTORS_MAX; i++) {
        struct record_score *score = &verdict->detector[verdict->n++];
        int64_t start = os_clock_mono_ns();

        *score = (struct record_score){.name = model->member[i].name, .score = NAN};
        score->raw = host_member_raw(&model->member[i], &view);
        score->surprise = host_member_surprise(&model->member[i], score->raw);
        score->ready = !isnan(score->surprise);
        score->latency_us = (double)(os_clock_mono_ns() - start) * 1e-3;
    }
}

void detect_host_gap(detect_host *host)
{
    host->n_recent = 0;
}

void detect_host_learn(detect_host *host)
{
    host->window[host->next] = *detect_host_row(host);
    host->learned = true;
    host->next = (host->next + 1) % host->config.window;
    if (host->n < host->config.window)
        host->n++;
}

enum vd_status detect_host_middle(const struct host_row *row, size_t n,
                                  double middle[HOST_COLUMNS])
{
    double *scratch = malloc((n + 1) * sizeof *scratch);

    if (scratch == NULL)
        return VD_ERR_MEMORY;
    for (size_t c = 0; c < HOST_COLUMNS; c++) {
        size_t k = 0;

        for (size_t i = 0; i < n; i++)
            if (!isnan(row[i].x[c]))
                scratch[k++] = (double)row[i].x[c];
        middle[c] = k == 0 ? NAN : vd_median(scratch, k);
    }
    free(scratch);
    return VD_OK;
}

/* Projected onto the line between the two, the row lies beyond half of the way. Columns
 * of other units are made alike by their own size. */
bool detect_host_is_nearer(const struct host_row *row, const double ours[HOST_COLUMNS],
                           const double theirs[HOST_COLUMNS])
{
    double way = 0, walked = 0;

    for (size_t c = 0; c < HOST_COLUMNS; c++) {
        double whole = theirs[c] - ours[c];
        double unit = fabs(theirs[c]) + fabs(ours[c]);

        if (isnan(whole) || isnan(row->x[c]) || unit <= 0)
            continue;
        way += whole * whole / (unit * unit);
        walked += whole * ((double)row->x[c] - ours[c]) / (unit * unit);
    }
    return way > 0 && walked > 0.5 * way;
}

size_t detect_host_rows(const detect_host *host)
{
    return host->n;
}

double detect_host_confidence(const detect_host *host)
{
    return host->model == NULL ? 0 : host->model->confidence;
}

struct host_job {
    struct host_config config;
    struct host_row *row; /* owned copy of the window, oldest first */
    size_t n;
    double floor[HOST_COLUMNS];
    struct host_pace pace;
    struct host_model *model;
    struct vd_error err;
};

const struct host_row *detect_host_row(const detect_host *host)
{
    return &host->recent[HOST_TICKS - 1];
}

const bool *detect_host_is_log(const detect_host *host)
{
    return host->is_log;
}

void detect_host_convert(detect_host *host, const struct record_schema *schema,
                         const double *value, float x[HOST_COLUMNS])
{
    find_columns(host, schema);
    for (size_t c = 0; c < HOST_COLUMNS; c++)
        x[c] = c < host->config.n_columns ? as_column(host, c, value[c]) : NAN;
}

/* Rows from elsewhere come in so many runs, spread evenly: the blocks of a cross-fit have
 * their share each, and few rows of the window lose the one before them. */
enum { RUNS = 8 };

struct host_row *detect_host_window(const detect_host *host, const struct host_row *more,
                                    size_t n_more, size_t *n)
{
    struct host_row *row = malloc((host->n + n_more + 1) * sizeof *row);
    size_t k = 0;

    *n = 0;
    if (row == NULL)
        return NULL;
    for (size_t i = 0; i < host->n; i++) {
        size_t run = i * RUNS / host->n + 1, before = *n;

        while (k < n_more * run / RUNS)
            row[(*n)++] = more[k++];
        row[*n] = host->window[(host->next + host->config.window - host->n + i) %
                               host->config.window];
        row[*n].follows &= *n == before;
        ++*n;
    }
    return row;
}

/* The floors as a row has them: log(1 + x) moves by dx / (1 + x), at its middle. */
static enum vd_status find_floors(const detect_host *host, host_job *job)
{
    double middle[HOST_COLUMNS];
    enum vd_status status = detect_host_middle(job->row, job->n, middle);

    for (size_t c = 0; status == VD_OK && c < HOST_COLUMNS; c++)
        job->floor[c] =
            host->is_log[c] ? host->floor[c] / exp(middle[c]) : host->floor[c];
    return status;
}

host_job *detect_host_train_begin(const detect_host *host, const struct host_row *more,
                                  size_t n_more)
{
    host_job *job;

    if (host->n < HOST_ROWS_MIN)
        return NULL;
    job = calloc(1, sizeof *job);
    if (job == NULL)
        return NULL;
    job->config = host->config;
    job->pace.share = 1;
    job->row = detect_host_window(host, more, n_more, &job->n);
    if (job->row == NULL || find_floors(host, job) != VD_OK) {
        detect_host_job_free(job);
        return NULL;
    }
    return job;
}

void detect_host_train_run(host_job *job)
{
    job->model =
        host_model_fit(&job->config, job->row, job->n, job->floor, &job->pace, &job->err);
}

void detect_host_train_calmly(host_job *job, double share)
{
    job->pace.share = share;
}

void detect_host_train_hurry(host_job *job)
{
    atomic_store(&job->pace.hurry, true);
}

enum vd_status detect_host_train_end(detect_host *host, host_job *job,
                                     struct vd_error *err)
{
    enum vd_status status = VD_OK;

    if (job->model != NULL) {
        host_model_free(host->model);
        host->model = job->model;
    } else {
        status = vd_error_set(err, job->err.status, job->err.hint, "%s", job->err.text);
    }
    job->model = NULL;
    detect_host_job_free(job);
    return status;
}

void detect_host_job_free(host_job *job)
{
    if (job == NULL)
        return;
    host_model_free(job->model);
    free(job->row);
    free(job);
}

/* ---- saved form ---- */

enum { SAVED_VERSION = 2 };

void detect_host_save_columns(const struct host_config *config, struct vd_writer *w)
{
    vd_write_u32(w, (uint32_t)config->n_columns);
    for (size_t c = 0; c < config->n_columns; c++)
        vd_write_text(w, config->column[c]);
}

bool detect_host_same_columns(const struct host_config *config, struct vd_reader *r)
{
    bool same = vd_read_u32(r) == config->n_columns;

    for (size_t c = 0; same && c < config->n_columns; c++) {
        char name[RECORD_NAME_MAX + RECORD_LABEL_MAX];

        vd_read_text(r, name, sizeof name);
        same = strcmp(name, config->column[c]) == 0;
    }
    return same && !r->failed;
}

void detect_host_save(const detect_host *host, struct vd_writer *w)
{
    vd_write_u32(w, SAVED_VERSION);
    detect_host_save_columns(&host->config, w);
    vd_write_u64(w, host->n);
    for (size_t i = 0; i < host->n; i++) {
        size_t at =
            (host->next + host->config.window - host->n + i) % host->config.window;

        for (size_t c = 0; c < HOST_COLUMNS; c++)
            vd_write_f32(w, host->window[at].x[c]);
        for (size_t k = 0; k < HOST_LIVE; k++)
            vd_write_f32(w, host->window[at].live[k]);
        vd_write_u8(w, host->window[at].follows);
    }
    vd_write_u8(w, host->model != NULL);
    if (host->model != NULL)
        host_model_save(host->model, w);
}

enum vd_status detect_host_load(detect_host *host, struct vd_reader *r,
                                struct vd_error *err)
{
    const size_t row_size = (HOST_COLUMNS + HOST_LIVE) * sizeof(float) + 1;
    struct host_model *model = NULL;
    struct host_row *window = NULL;
    enum vd_status status = VD_ERR_FORMAT;
    size_t n;

    if (vd_read_u32(r) != SAVED_VERSION)
        return vd_error_set(err, VD_ERR_VERSION, "it is learnt anew",
                            "the saved host model is of another version");
    if (!detect_host_same_columns(&host->config, r))
        return vd_error_set(err, VD_ERR_SCHEMA, "it is learnt anew",
                            "the saved host model has other columns");
    n = vd_read_count(r, row_size);
    if (n > host->config.window)
        goto out;
    window = calloc(host->config.window, sizeof *window);
    status = window == NULL ? VD_ERR_MEMORY : VD_ERR_FORMAT;
    for (size_t i = 0; window != NULL && i < n; i++) {
        for (size_t c = 0; c < HOST_COLUMNS; c++)
            window[i].x[c] = vd_read_f32(r);
        for (size_t k = 0; k < HOST_LIVE; k++)
            window[i].live[k] = vd_read_f32(r);
        window[i].follows = vd_read_u8(r) != 0;
    }
    if (window == NULL || r->failed)
        goto out;
    if (vd_read_u8(r) != 0 && (model = host_model_load(r, err)) == NULL)
        goto out;
    free(host->window);
    host_model_free(host->model);
    host->window = window;
    host->model = model;
    host->n = n;
    host->next = n % host->config.window;
    return VD_OK;
out:
    free(window);
    return vd_error_set(err, status, "it is learnt anew",
                        "the saved host model is damaged");
}
