/* Making a generation: fits, the calibrations on quiet rows, what the agent hears. */
#include "detect/supervised_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vedette/agent.h"
#include "vedette/stats.h"

enum {
    FOLDS = 2,        /* of the cross-fit: each costs a fit of everything */
    QUIET_ROWS = 512, /* of the window, that a detector is fitted on */
    ANOMALIES_MIN = 5,
    AGENT_ROWS = 32, /* of one event, that the agent goes on with */
};

/* Columns need to be there in this share of the quiet rows. */
static const double PRESENT = 0.9;

/* Takes the columns that the quiet rows have. `scratch` has room for n. */
static void choose_columns(struct detect_supervised_generation *g,
                           const detect_supervised_job *job, double *scratch)
{
    for (size_t c = 0; c < job->config.n_columns && c < DETECT_MULTIVARIATE_COLUMNS;
         c++) {
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

/* Takes the bundle's own columns, in its order. An absent value leaves its detectors
 * without a verdict: nobody knows what would stand for it. */
static void use_bundle_columns(detect_supervised_job *job)
{
    struct detect_supervised_generation *g = job->next;

    g->raw = true;
    g->n_columns = vd_model_columns(job->bundle);
    for (size_t i = 0; i < g->n_columns; i++) {
        g->column[i] = job->bundle_column[i];
        g->center[i] = NAN;
    }
}

/* Holds rows for a fit: the quiet ones outside of the block `fold` (FOLDS = all), at most
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

/* Adds one row as the generation sees it. */
static void lesson_add(struct lesson *lesson, const detect_supervised_job *job,
                       const struct detect_multivariate_row *row, bool anomaly)
{
    double x[DETECT_MULTIVARIATE_COLUMNS];

    detect_supervised_view(job->next, row, job->is_log, x);
    memcpy(vd_matrix_row(&lesson->x, lesson->x.n), x, lesson->x.d * sizeof *x);
    lesson->label[lesson->x.n++] = anomaly;
}

/* Makes the rows of a fit. After a failure it must still be released. */
static enum vd_status lesson_make(struct lesson *lesson, const detect_supervised_job *job,
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

/* Fits on everything but the block; NULL when it cannot be fitted or the job was
 * stopped. */
static vd_detector *fit_without(const detect_supervised_job *job, const char *name,
                                size_t fold)
{
    /* The ensemble fits six agents; each is one voice of eight there. */
    static const struct vd_setting settings[] = {{"agent.updates", 300}};
    struct vd_fit_params params = vd_fit_params_default();
    vd_detector *detector = NULL;
    struct lesson lesson;

    if (strcmp(name, detect_supervised_name[DETECT_SUPERVISED_ENSEMBLE]) == 0) {
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

/* Appends the raw scores of the quiet rows of the block `fold` (FOLDS = of all) and
 * returns how many there are. */
static size_t score_quiet(const detect_supervised_job *job, const vd_detector *detector,
                          size_t fold, double *raw, size_t k)
{
    for (size_t i = 0; i < job->n; i++) {
        double x[DETECT_MULTIVARIATE_COLUMNS];

        if (fold != FOLDS && i * FOLDS / job->n != fold)
            continue;
        detect_supervised_view(job->next, &job->quiet[i], job->is_log, x);
        raw[k] = vd_detector_score(detector, x);
        k += !isnan(raw[k]);
    }
    return k;
}

/* Takes the detector with the calibration of k raw scores, or lets it go. A borrowed one
 * belongs to the bundle and is never freed here. */
static void take_member(struct detect_supervised_member *m, vd_detector *detector,
                        bool borrowed, const double *raw, size_t k)
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

/* Tells the fits that take a second. They are made once, without the first block of quiet
 * rows, which calibrates them; the others are made again for each block and then on all
 * rows. */
static bool is_costly(size_t k)
{
    return k == DETECT_SUPERVISED_AGENT || k == DETECT_SUPERVISED_ENSEMBLE;
}

/* Fits and calibrates one member. */
static void fit_member(const detect_supervised_job *job, size_t k, double *raw)
{
    size_t n = 0;

    if (is_costly(k)) {
        vd_detector *detector = fit_without(job, detect_supervised_name[k], 0);

        if (detector != NULL)
            n = score_quiet(job, detector, 0, raw, 0);
        take_member(&job->next->member[k], detector, false, raw, n);
        return;
    }
    for (size_t fold = 0; fold < FOLDS; fold++) {
        vd_detector *part = fit_without(job, detect_supervised_name[k], fold);

        if (part != NULL)
            n = score_quiet(job, part, fold, raw, n);
        vd_detector_free(part);
    }
    take_member(&job->next->member[k], fit_without(job, detect_supervised_name[k], FOLDS),
                false, raw, n);
}

static bool was_heard(const struct detect_supervised_generation *before, int64_t event_id)
{
    for (size_t i = 0; before != NULL && i < before->n_events; i++)
        if (before->event_id[i] == event_id)
            return true;
    return false;
}

/* The agent as it was, with what has been said since: AGENT_ROWS of each event. It is
 * calibrated on all quiet rows, though some of them it was once fitted on: the bound on
 * its surprise holds all the same. */
static void teach_agent(const detect_supervised_job *job, const vd_detector *from,
                        double *raw)
{
    vd_detector *agent = vd_agent_copy(from);
    const struct detect_labels *labels = &job->labels;
    size_t first = 0;

    for (size_t i = 0; agent != NULL && i < labels->n; i++) {
        double x[DETECT_MULTIVARIATE_COLUMNS];
        size_t last = i + 1;

        if (i > 0 && labels->at[i].event_id != labels->at[i - 1].event_id)
            first = i;
        while (last < labels->n && labels->at[last].event_id == labels->at[i].event_id)
            last++;
        if (was_heard(job->before, labels->at[i].event_id) ||
            (i - first) % ((last - first + AGENT_ROWS - 1) / AGENT_ROWS) != 0)
            continue;
        detect_supervised_view(job->next, &labels->at[i].row, job->is_log, x);
        vd_agent_learn(agent, x, labels->at[i].label == DETECT_LABEL_ANOMALY);
    }
    take_member(&job->next->member[DETECT_SUPERVISED_AGENT], agent, false, raw,
                agent == NULL ? 0 : score_quiet(job, agent, FOLDS, raw, 0));
}

/* Takes the members of the bundle as they are, calibrated on this machine's quiet rows.
 * Its agent goes on learning when there are labels. */
static void take_bundle(const detect_supervised_job *job, double *raw)
{
    for (size_t k = 0; k < DETECT_SUPERVISED_MEMBERS; k++) {
        const struct vd_model_entry *entry =
            vd_model_find(job->bundle, detect_supervised_name[k]);

        if (entry == NULL)
            continue;
        if (k == DETECT_SUPERVISED_AGENT && job->labels.n > 0)
            teach_agent(job, entry->detector, raw);
        else
            take_member(&job->next->member[k], entry->detector, true, raw,
                        score_quiet(job, entry->detector, FOLDS, raw, 0));
    }
}

/* Tells whether two generations see the same columns, without which the agent cannot go
 * on. */
static bool same_view(const struct detect_supervised_generation *a,
                      const struct detect_supervised_generation *b)
{
    return a->n_columns == b->n_columns &&
           memcmp(a->column, b->column, a->n_columns * sizeof *a->column) == 0;
}

/* Fits all members on the labels. The agent of the generation before goes on learning
 * where it can, since its past is worth more than a fresh start. */
static void learn_labels(const detect_supervised_job *job, double *raw)
{
    const struct detect_supervised_generation *before = job->before;

    /* Both classes, or there is nothing to part. */
    if (detect_labels_count(&job->labels, true) < ANOMALIES_MIN)
        return;
    for (size_t k = 0; k < DETECT_SUPERVISED_MEMBERS; k++) {
        if (k == DETECT_SUPERVISED_AGENT && before != NULL &&
            before->member[DETECT_SUPERVISED_AGENT].detector != NULL &&
            same_view(job->next, before))
            teach_agent(job, before->member[DETECT_SUPERVISED_AGENT].detector, raw);
        else
            fit_member(job, k, raw);
    }
}

/* Notes the events whose labels this generation has heard, so that the next one hears
 * only new ones. Without memory it hears all again. */
static void note_heard(const detect_supervised_job *job)
{
    struct detect_supervised_generation *g = job->next;

    g->event_id = malloc((job->labels.n + 1) * sizeof *g->event_id);
    for (size_t i = 0; g->event_id != NULL && i < job->labels.n; i++)
        g->event_id[g->n_events++] = job->labels.at[i].event_id;
}

/* Makes the next generation, on a worker's thread. A job that was stopped leaves nothing
 * behind. */
void detect_supervised_run(detect_supervised_job *job)
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
        detect_supervised_generation_free(job->next);
        job->next = NULL;
    }
}
