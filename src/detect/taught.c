#include "detect/taught.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "vedette/agent.h"
#include "vedette/stats.h"

enum { FOREST, XGBOOST, AGENT, ENSEMBLE, MEMBERS };

static const char *const taught_name[MEMBERS] = {[FOREST] = "random_forest",
                                                 [XGBOOST] = "xgboost",
                                                 [AGENT] = "agent",
                                                 [ENSEMBLE] = "ensemble"};

enum {
    FOLDS = 2,        /* of the cross-fit: each costs a fit of everything */
    QUIET_MIN = 40,   /* half of them make a calibration */
    QUIET_ROWS = 512, /* of the window, that a detector is fitted on */
    ANOMALIES_MIN = 5,
    AGENT_ROWS = 32, /* of one event, that the agent goes on with */
};

static const int64_t HOUR_NS = INT64_C(3600000000000);

/* Columns need to be there in this share of the quiet rows. */
static const double PRESENT = 0.9;

/* -log10 of one in twenty. */
static const double COMMON = 1.3010299956639813;

struct member {
    vd_detector *detector; /* NULL = not ready */
    bool borrowed;         /* of the bundle */
    struct vd_calibration calibration;
    double threshold; /* the detector's own, on the raw score */
    double most;      /* the largest surprise that its quiet rows allow */
};

struct generation {
    size_t column[HOST_COLUMNS]; /* of the row; what the detectors see */
    size_t n_columns;
    double center[HOST_COLUMNS]; /* in place of what is absent; NaN = nothing may be */
    bool raw;                    /* detectors want values as measured, not their logs */
    struct member member[MEMBERS];
    size_t quiet_rows;
    int64_t *heard; /* owned: the event of each label that the agent has learned */
    size_t n_heard;
};

struct detect_taught {
    struct host_config config;
    const vd_model *bundle;
    size_t bundle_column[HOST_COLUMNS];
    bool wanted[MEMBERS];   /* those of the bundle, or all */
    struct generation *now; /* NULL = none yet */
    bool changed, undone;
    bool has_labels;
    int64_t made_ns; /* monotonic */
};

struct taught_job {
    struct host_config config;
    const vd_model *bundle;
    size_t bundle_column[HOST_COLUMNS];
    const struct generation *before; /* its agent is gone on with; NULL = anew */
    struct host_row *quiet;          /* owned */
    size_t n;
    bool is_log[HOST_COLUMNS];
    struct detect_labels labels; /* owned copy */
    struct generation *next;
    atomic_bool stop;
};

static void generation_free(struct generation *g)
{
    if (g == NULL)
        return;
    for (size_t k = 0; k < MEMBERS; k++)
        if (!g->member[k].borrowed)
            vd_detector_free(g->member[k].detector);
    free(g->heard);
    free(g);
}

/* ---- columns ---- */

static enum vd_status map_bundle(detect_taught *t, struct vd_error *err)
{
    size_t d = vd_model_columns(t->bundle);
    bool any = false;

    for (size_t k = 0; k < MEMBERS; k++) {
        t->wanted[k] = vd_model_find(t->bundle, taught_name[k]) != NULL;
        any |= t->wanted[k];
    }
    if (!any)
        return vd_error_set(err, VD_ERR_ARGUMENT,
                            "train one with 'vedette train' on rows with labels",
                            "nothing in the model learned from labels");
    if (d > HOST_COLUMNS)
        return vd_error_set(err, VD_ERR_SCHEMA, "train it on fewer",
                            "the model has %zu columns, at most %d are possible", d,
                            HOST_COLUMNS);
    return vd_model_map(t->bundle, t->config.column, t->config.n_columns,
                        t->bundle_column, err);
}

enum vd_status detect_taught_new(detect_taught **out, const struct host_config *config,
                                 const vd_model *bundle, struct vd_error *err)
{
    detect_taught *t = calloc(1, sizeof *t);
    enum vd_status status = VD_OK;

    *out = NULL;
    if (t == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "out of memory");
    t->config = *config;
    t->bundle = bundle;
    t->changed = bundle != NULL;
    for (size_t k = 0; k < MEMBERS; k++)
        t->wanted[k] = vd_detector_find(taught_name[k])->unavailable == NULL;
    if (bundle != NULL)
        status = map_bundle(t, err);
    if (status != VD_OK) {
        detect_taught_free(t);
        return status;
    }
    *out = t;
    return VD_OK;
}

void detect_taught_free(detect_taught *t)
{
    if (t == NULL)
        return;
    generation_free(t->now);
    free(t);
}

/* The row as the generation's detectors see it. */
static void view(const struct generation *g, const struct host_row *row,
                 const bool is_log[HOST_COLUMNS], double x[HOST_COLUMNS])
{
    for (size_t i = 0; i < g->n_columns; i++) {
        double value = (double)row->x[g->column[i]];

        if (g->raw && is_log[g->column[i]])
            value = expm1(value);
        x[i] = isnan(value) ? g->center[i] : value;
    }
}

/* Takes the columns that the quiet rows have. `scratch` has room for n. */
static void choose_columns(struct generation *g, const taught_job *job, double *scratch)
{
    for (size_t c = 0; c < job->config.n_columns && c < HOST_COLUMNS; c++) {
        size_t k = 0;

        for (size_t i = 0; i < job->n; i++)
            if (!isnan(job->quiet[i].x[c]))
                scratch[k++] = (double)job->quiet[i].x[c];
        if (k == 0 || (double)k < PRESENT * (double)job->n)
            continue;
        g->column[g->n_columns] = c;
        g->center[g->n_columns++] = vd_median(scratch, k);
    }
}

/* The bundle's own, in its order. An absent value leaves its detectors without a verdict:
 * nobody knows what would stand for it. */
static void use_bundle_columns(taught_job *job)
{
    struct generation *g = job->next;

    g->raw = true;
    g->n_columns = vd_model_columns(job->bundle);
    for (size_t i = 0; i < g->n_columns; i++) {
        g->column[i] = job->bundle_column[i];
        g->center[i] = NAN;
    }
}

/* ---- verdicts ---- */

static double surprise_of(const struct member *m, double raw)
{
    double s = vd_calibration_surprise(&m->calibration, raw);

    return fmin(s, raw <= m->threshold ? fmin(COMMON, m->most) : m->most);
}

/* The verdict's entry of that name, a new one when there is none; NULL = no room. */
static struct record_score *entry(struct record_verdict *verdict, const char *name)
{
    for (size_t i = 0; i < verdict->n; i++)
        if (strcmp(verdict->detector[i].name, name) == 0)
            return &verdict->detector[i];
    return verdict->n < RECORD_DETECTORS_MAX ? &verdict->detector[verdict->n++] : NULL;
}

static void read_member(const struct member *m, const char *name, const double *x,
                        struct record_verdict *verdict)
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

void detect_taught_read(const detect_taught *t, const struct host_row *row,
                        const bool is_log[HOST_COLUMNS], struct record_verdict *verdict)
{
    double x[HOST_COLUMNS] = {0};

    if (t->bundle == NULL && !t->has_labels)
        return;
    if (t->now != NULL)
        view(t->now, row, is_log, x);
    for (size_t k = 0; k < MEMBERS; k++)
        if (t->wanted[k])
            read_member(t->now == NULL ? NULL : &t->now->member[k], taught_name[k], x,
                        verdict);
}

size_t detect_taught_ready(const detect_taught *t)
{
    size_t n = 0;

    for (size_t k = 0; t->now != NULL && k < MEMBERS; k++)
        n += t->now->member[k].detector != NULL;
    return n;
}

/* ---- when ---- */

void detect_taught_changed(detect_taught *t, bool undone)
{
    t->changed = true;
    t->undone |= undone;
}

bool detect_taught_due(const detect_taught *t, const struct detect_labels *labels,
                       size_t quiet_rows, int64_t mono_ns)
{
    if (quiet_rows < QUIET_MIN || (t->bundle == NULL && labels->n == 0 && !t->changed))
        return false;
    return t->changed || t->now == NULL || quiet_rows >= 2 * t->now->quiet_rows ||
           mono_ns - t->made_ns >= HOUR_NS;
}

taught_job *detect_taught_begin(detect_taught *t, struct host_row *quiet, size_t n,
                                const bool is_log[HOST_COLUMNS],
                                const struct detect_labels *labels, int64_t mono_ns)
{
    taught_job *job = calloc(1, sizeof *job);
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

void detect_taught_end(detect_taught *t, taught_job *job)
{
    if (job->next != NULL) {
        generation_free(t->now);
        t->now = job->next;
    }
    detect_labels_release(&job->labels);
    free(job->quiet);
    free(job);
}

/* ---- making a generation, on a worker thread ---- */

/* Rows for a fit: the quiet ones outside of the block `fold` (FOLDS = all), at most
 * QUIET_ROWS of them, and everything with a label. */
struct lesson {
    struct vd_matrix x;
    uint8_t *label;
};

static void lesson_release(struct lesson *lesson)
{
    vd_matrix_release(&lesson->x);
    free(lesson->label);
}

static void lesson_add(struct lesson *lesson, const taught_job *job,
                       const struct host_row *row, bool anomaly)
{
    double x[HOST_COLUMNS];

    view(job->next, row, job->is_log, x);
    memcpy(vd_matrix_row(&lesson->x, lesson->x.n), x, lesson->x.d * sizeof *x);
    lesson->label[lesson->x.n++] = anomaly;
}

static enum vd_status lesson_make(struct lesson *lesson, const taught_job *job,
                                  size_t fold)
{
    size_t step = (job->n + QUIET_ROWS - 1) / QUIET_ROWS;
    size_t n = job->n / step + 1 + job->labels.n;

    *lesson = (struct lesson){.label = malloc(n)};
    if (lesson->label == NULL ||
        vd_matrix_init(&lesson->x, n, job->next->n_columns) != VD_OK)
        return VD_ERR_MEMORY;
    lesson->x.n = 0;
    for (size_t i = 0; i < job->n; i += step)
        if (i * FOLDS / job->n != fold)
            lesson_add(lesson, job, &job->quiet[i], false);
    for (size_t i = 0; i < job->labels.n; i++)
        lesson_add(lesson, job, &job->labels.at[i].row,
                   job->labels.at[i].label == DETECT_LABEL_ANOMALY);
    return VD_OK;
}

/* NULL when it cannot be fitted. */
static vd_detector *fit_without(const taught_job *job, const char *name, size_t fold)
{
    /* The ensemble fits six agents; each is one voice of eight there. */
    static const struct vd_setting settings[] = {{"agent.updates", 300}};
    struct vd_fit_params params = vd_fit_params_default();
    vd_detector *detector = NULL;
    struct lesson lesson;

    if (strcmp(name, taught_name[ENSEMBLE]) == 0) {
        params.settings = settings;
        params.n_settings = 1;
    }
    params.seed = job->config.seed;
    params.contamination = job->config.contamination;
    if (lesson_make(&lesson, job, fold) == VD_OK && !atomic_load(&job->stop))
        vd_detector_fit(&detector, name, &lesson.x, lesson.label, &params, NULL);
    lesson_release(&lesson);
    return detector;
}

/* Appends the raw scores of the quiet rows of the block `fold` (FOLDS = of all). */
static size_t score_quiet(const taught_job *job, const vd_detector *detector, size_t fold,
                          double *raw, size_t k)
{
    for (size_t i = 0; i < job->n; i++) {
        double x[HOST_COLUMNS];

        if (fold != FOLDS && i * FOLDS / job->n != fold)
            continue;
        view(job->next, &job->quiet[i], job->is_log, x);
        raw[k] = vd_detector_score(detector, x);
        k += !isnan(raw[k]);
    }
    return k;
}

/* Takes the detector with the calibration of k raw scores, or lets it go. */
static void take_member(struct member *m, vd_detector *detector, bool borrowed,
                        const double *raw, size_t k)
{
    if (detector != NULL && vd_calibration_fit(&m->calibration, raw, k, NULL) == VD_OK) {
        m->detector = detector;
        m->borrowed = borrowed;
        m->threshold = vd_detector_threshold(detector);
        m->most = log10((double)k + 1) + 1;
    } else if (!borrowed) {
        vd_detector_free(detector);
    }
}

/* A fit that takes a second is made once, without the first block of quiet rows, which
 * calibrates it; the others are made again for each block and then on all rows. */
static bool is_costly(size_t k)
{
    return k == AGENT || k == ENSEMBLE;
}

static void fit_member(const taught_job *job, size_t k, double *raw)
{
    size_t n = 0;

    if (is_costly(k)) {
        vd_detector *detector = fit_without(job, taught_name[k], 0);

        if (detector != NULL)
            n = score_quiet(job, detector, 0, raw, 0);
        take_member(&job->next->member[k], detector, false, raw, n);
        return;
    }
    for (size_t fold = 0; fold < FOLDS; fold++) {
        vd_detector *part = fit_without(job, taught_name[k], fold);

        if (part != NULL)
            n = score_quiet(job, part, fold, raw, n);
        vd_detector_free(part);
    }
    take_member(&job->next->member[k], fit_without(job, taught_name[k], FOLDS), false,
                raw, n);
}

static bool was_heard(const struct generation *before, int64_t event_id)
{
    for (size_t i = 0; before != NULL && i < before->n_heard; i++)
        if (before->heard[i] == event_id)
            return true;
    return false;
}

/* The agent as it was, with what has been said since: AGENT_ROWS of each event. It is
 * calibrated on all quiet rows, though some of them it was once fitted on: the bound on
 * its surprise holds all the same. */
static void teach_agent(const taught_job *job, const vd_detector *from, double *raw)
{
    vd_detector *agent = vd_agent_copy(from);
    const struct detect_labels *labels = &job->labels;
    size_t first = 0;

    for (size_t i = 0; agent != NULL && i < labels->n; i++) {
        double x[HOST_COLUMNS];
        size_t last = i + 1;

        if (i > 0 && labels->at[i].event_id != labels->at[i - 1].event_id)
            first = i;
        while (last < labels->n && labels->at[last].event_id == labels->at[i].event_id)
            last++;
        if (was_heard(job->before, labels->at[i].event_id) ||
            (i - first) % ((last - first + AGENT_ROWS - 1) / AGENT_ROWS) != 0)
            continue;
        view(job->next, &labels->at[i].row, job->is_log, x);
        vd_agent_learn(agent, x, labels->at[i].label == DETECT_LABEL_ANOMALY);
    }
    take_member(&job->next->member[AGENT], agent, false, raw,
                agent == NULL ? 0 : score_quiet(job, agent, FOLDS, raw, 0));
}

static void take_bundle(const taught_job *job, double *raw)
{
    for (size_t k = 0; k < MEMBERS; k++) {
        const struct vd_model_entry *entry = vd_model_find(job->bundle, taught_name[k]);

        if (entry == NULL)
            continue;
        if (k == AGENT && job->labels.n > 0)
            teach_agent(job, entry->detector, raw);
        else
            take_member(&job->next->member[k], entry->detector, true, raw,
                        score_quiet(job, entry->detector, FOLDS, raw, 0));
    }
}

static bool same_view(const struct generation *a, const struct generation *b)
{
    return a->n_columns == b->n_columns &&
           memcmp(a->column, b->column, a->n_columns * sizeof *a->column) == 0;
}

static void learn_labels(const taught_job *job, double *raw)
{
    const struct generation *before = job->before;

    /* Both classes, or there is nothing to part. */
    if (detect_labels_count(&job->labels, true) < ANOMALIES_MIN)
        return;
    for (size_t k = 0; k < MEMBERS; k++) {
        if (k == AGENT && before != NULL && before->member[AGENT].detector != NULL &&
            same_view(job->next, before))
            teach_agent(job, before->member[AGENT].detector, raw);
        else
            fit_member(job, k, raw);
    }
}

static void note_heard(const taught_job *job)
{
    struct generation *g = job->next;

    g->heard = malloc((job->labels.n + 1) * sizeof *g->heard);
    for (size_t i = 0; g->heard != NULL && i < job->labels.n; i++)
        g->heard[g->n_heard++] = job->labels.at[i].event_id;
}

void detect_taught_run(taught_job *job)
{
    double *raw = malloc((job->n + 1) * sizeof *raw);

    job->next = calloc(1, sizeof *job->next);
    if (raw == NULL || job->next == NULL) {
        free(raw);
        free(job->next);
        job->next = NULL;
        return;
    }
    job->next->quiet_rows = job->n;
    note_heard(job);
    if (job->bundle != NULL) {
        use_bundle_columns(job);
        take_bundle(job, raw);
    } else {
        choose_columns(job->next, job, raw);
        if (job->next->n_columns > 0)
            learn_labels(job, raw);
    }
    free(raw);
    if (atomic_load(&job->stop)) {
        generation_free(job->next);
        job->next = NULL;
    }
}

void detect_taught_stop(taught_job *job)
{
    atomic_store(&job->stop, true);
}
