/* Holds the generation in use and the members of the bundle; their verdicts are entries
 * among those of the other detectors. Fitting is supervised_fit.c, on a worker. */
#include "detect/supervised.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/supervised_state.h"
#include "os/clock.h"

const char *const detect_supervised_name[DETECT_SUPERVISED_MEMBERS] = {
    [DETECT_SUPERVISED_FOREST] = "random_forest",
    [DETECT_SUPERVISED_XGBOOST] = "xgboost",
    [DETECT_SUPERVISED_AGENT] = "agent",
    [DETECT_SUPERVISED_ENSEMBLE] = "ensemble"};

/* Sets how many quiet rows are needed before anything is fitted. */
enum { QUIET_MIN = 40 /* half of them make a calibration */ };

/* Sets after how long the detectors are fitted again although no label changed: what is
 * quiet changes too. */
static const int64_t HOUR_NS = INT64_C(3600000000000);

/* Is -log10 of one in twenty, the most that a row below the detector's own threshold may
 * surprise. */
static const double COMMON = 1.3010299956639813;

/* Holds the generation in use. All of it belongs to the loop's thread; a job has
 * copies. */
struct detect_supervised {
    struct detect_multivariate_config config;
    const vd_model *bundle;
    size_t bundle_column[DETECT_MULTIVARIATE_COLUMNS];
    bool wanted[DETECT_SUPERVISED_MEMBERS];   /* those of the bundle, or all */
    struct detect_supervised_generation *now; /* NULL = none yet */
    bool changed, undone;
    bool has_labels;
    int64_t made_ns; /* monotonic */
};

void detect_supervised_generation_free(struct detect_supervised_generation *g)
{
    if (g == NULL)
        return;
    for (size_t k = 0; k < DETECT_SUPERVISED_MEMBERS; k++)
        if (!g->member[k].borrowed)
            vd_detector_free(g->member[k].detector);
    free(g->event_id);
    free(g);
}

/* ---- columns ---- */

/* Finds what in the bundle learned from labels, and where its columns are among ours. */
static enum vd_status map_bundle(detect_supervised *t, struct vd_error *err)
{
    size_t d = vd_model_columns(t->bundle);
    bool any = false;

    for (size_t k = 0; k < DETECT_SUPERVISED_MEMBERS; k++) {
        t->wanted[k] = vd_model_find(t->bundle, detect_supervised_name[k]) != NULL;
        any |= t->wanted[k];
    }
    if (!any)
        return vd_error_set(err, VD_ERR_ARGUMENT,
                            "train one with 'vedette train' on rows with labels",
                            "nothing in the model learned from labels");
    if (d > DETECT_MULTIVARIATE_COLUMNS)
        return vd_error_set(err, VD_ERR_SCHEMA, "train it on fewer",
                            "the model has %zu columns, at most %d are possible", d,
                            DETECT_MULTIVARIATE_COLUMNS);
    return vd_model_map(t->bundle, t->config.column, t->config.n_columns,
                        t->bundle_column, err);
}

/* Makes the host. The bundle is borrowed and must outlive it. */
enum vd_status detect_supervised_new(detect_supervised **out,
                                     const struct detect_multivariate_config *config,
                                     const vd_model *bundle, struct vd_error *err)
{
    detect_supervised *t = calloc(1, sizeof *t);
    enum vd_status status = VD_OK;

    *out = NULL;
    if (t == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "out of memory");
    t->config = *config;
    t->bundle = bundle;
    t->changed = bundle != NULL;
    for (size_t k = 0; k < DETECT_SUPERVISED_MEMBERS; k++)
        t->wanted[k] = vd_detector_find(detect_supervised_name[k])->unavailable == NULL;
    if (bundle != NULL)
        status = map_bundle(t, err);
    if (status != VD_OK) {
        detect_supervised_free(t);
        return status;
    }
    *out = t;
    return VD_OK;
}

void detect_supervised_free(detect_supervised *t)
{
    if (t == NULL)
        return;
    detect_supervised_generation_free(t->now);
    free(t);
}

/* Makes the row as the generation wants it. A bundle was trained on plain values, so
 * logarithms are undone for it. */
void detect_supervised_view(const struct detect_supervised_generation *g,
                            const struct detect_multivariate_row *row,
                            const bool is_log[DETECT_MULTIVARIATE_COLUMNS],
                            double x[DETECT_MULTIVARIATE_COLUMNS])
{
    for (size_t i = 0; i < g->n_columns; i++) {
        double value = (double)row->x[g->column[i]];

        if (g->raw && is_log[g->column[i]])
            value = expm1(value);
        x[i] = isnan(value) ? g->center[i] : value;
    }
}

/* ---- verdicts ---- */

/* Bounds the surprise by what the few calibration rows can tell. A row that the detector
 * itself calls normal is never more than common. */
static double surprise_of(const struct detect_supervised_member *m, double raw)
{
    double s = vd_calibration_surprise(&m->calibration, raw);

    return fmin(s, raw <= m->threshold ? fmin(COMMON, m->most) : m->most);
}

/* Finds the verdict's entry of that name, or makes one; NULL when there is no room. */
static struct record_score *entry(struct record_verdict *verdict, const char *name)
{
    for (size_t i = 0; i < verdict->n; i++)
        if (strcmp(verdict->detector[i].name, name) == 0)
            return &verdict->detector[i];
    return verdict->n < RECORD_DETECTORS_MAX ? &verdict->detector[verdict->n++] : NULL;
}

/* Reads one member into the verdict. A member that is not there yet still has an entry,
 * so that people see that it waits. */
static void read_member(const struct detect_supervised_member *m, const char *name,
                        const double *x, struct record_verdict *verdict)
{
    struct record_score score = {
        .name = name, .raw = NAN, .surprise = NAN, .score = NAN, .latency_us = NAN};
    struct record_score *to;
    int64_t start = os_clock_mono_ns();

    if (m != NULL && m->detector != NULL) {
        score.raw = vd_detector_score(m->detector, x);
        score.surprise = surprise_of(m, score.raw);
        score.ready = !isnan(score.surprise);
        score.latency_us = (double)(os_clock_mono_ns() - start) * 1e-3;
    }
    to = entry(verdict, name);
    /* The ensemble without labels stays where there is none with them. */
    if (to != NULL && (score.ready || to->name == NULL || !to->ready))
        *to = score;
}

const char *detect_supervised_at(size_t index)
{
    return index < DETECT_SUPERVISED_MEMBERS ? detect_supervised_name[index] : NULL;
}

void detect_supervised_read(const detect_supervised *t,
                            const struct detect_multivariate_row *row,
                            const bool is_log[DETECT_MULTIVARIATE_COLUMNS],
                            struct record_verdict *verdict)
{
    double x[DETECT_MULTIVARIATE_COLUMNS] = {0};

    if (t->bundle == NULL && !t->has_labels)
        return;
    if (t->now != NULL)
        detect_supervised_view(t->now, row, is_log, x);
    for (size_t k = 0; k < DETECT_SUPERVISED_MEMBERS; k++)
        if (t->wanted[k])
            read_member(t->now == NULL ? NULL : &t->now->member[k],
                        detect_supervised_name[k], x, verdict);
}

size_t detect_supervised_ready(const detect_supervised *t)
{
    size_t n = 0;

    for (size_t k = 0; t->now != NULL && k < DETECT_SUPERVISED_MEMBERS; k++)
        n += t->now->member[k].detector != NULL;
    return n;
}

/* ---- when ---- */

void detect_supervised_changed(detect_supervised *t, bool undone)
{
    t->changed = true;
    t->undone |= undone;
}

/* Tells whether a new generation is due: something was said, there are twice as many
 * quiet rows, or an hour has passed. */
bool detect_supervised_due(const detect_supervised *t, const struct detect_labels *labels,
                           size_t quiet_rows, int64_t mono_ns)
{
    if (quiet_rows < QUIET_MIN || (t->bundle == NULL && labels->n == 0 && !t->changed))
        return false;
    return t->changed || t->now == NULL || quiet_rows >= 2 * t->now->quiet_rows ||
           mono_ns - t->made_ns >= HOUR_NS;
}

/* Makes the job. It takes over `quiet`, also when it fails, and copies the labels. */
detect_supervised_job *
detect_supervised_begin(detect_supervised *t, struct detect_multivariate_row *quiet,
                        size_t n, const bool is_log[DETECT_MULTIVARIATE_COLUMNS],
                        const struct detect_labels *labels, int64_t mono_ns)
{
    detect_supervised_job *job = calloc(1, sizeof *job);
    struct detect_labelled *copy = malloc((labels->n + 1) * sizeof *copy);

    if (job == NULL || copy == NULL) {
        free(quiet);
        free(copy);
        free(job);
        return NULL;
    }
    if (labels->n > 0)
        memcpy(copy, labels->at, labels->n * sizeof *copy);
    job->config = t->config;
    job->bundle = t->bundle;
    memcpy(job->bundle_column, t->bundle_column, sizeof job->bundle_column);
    /* The bundle's agent hears everything from the start again, which is exact and takes
     * milliseconds; one that was fitted here is gone on with while labels only come. */
    job->before = t->bundle == NULL && t->changed && !t->undone ? t->now : NULL;
    job->quiet = quiet;
    job->n = n;
    memcpy(job->is_log, is_log, sizeof job->is_log);
    job->labels = (struct detect_labels){.at = copy, .n = labels->n};
    t->has_labels = labels->n > 0;
    t->changed = t->undone = false;
    t->made_ns = mono_ns;
    return job;
}

/* Puts the new generation in the place of the old one. A job that was stopped has none,
 * and the old one stays. */
void detect_supervised_end(detect_supervised *t, detect_supervised_job *job)
{
    if (job->next != NULL) {
        detect_supervised_generation_free(t->now);
        t->now = job->next;
    }
    detect_labels_release(&job->labels);
    free(job->quiet);
    free(job);
}

void detect_supervised_stop(detect_supervised_job *job)
{
    atomic_store(&job->stop, true);
}
