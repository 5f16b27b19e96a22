/* What happens around the ticks: start with models and back-fill, training and saving on
 * worker threads, the flight recorder's copies, stop. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/log.h"
#include "os/options.h"
#include "pipeline_state.h"

/* Names the models of the monitor in the store. */
static const char *const MODEL_NAME = "monitor";

/* ---- training and saving ---- */

/* Sets the share of a core for a training beside the ticks: at full speed it would be a
 * peak that every monitor on this machine sees. */
static const double TRAINING_SHARE = 0.05;

/* Holds one piece of work on a worker thread and its end on the loop's. */
struct work {
    struct pipeline_work of;
    detect_multivariate_job *job; /* training */
    struct vd_writer w;           /* saving */
    struct vd_error err;
    enum vd_status status;
};

/* Lowers the priority of a worker's thread, which on Linux is the thread's own. Without a
 * loop the work runs on the caller's thread, which is left alone. */
void pipeline_be_nice(const pipeline *p)
{
    if (p->config.loop != NULL)
        setpriority(PRIO_PROCESS, (id_t)gettid(), 10);
}

/* Trains, on a worker's thread. */
static void train(uv_work_t *request)
{
    struct work *work = request->data;

    pipeline_be_nice(work->of.p);
    detect_multivariate_train_run(work->job);
}

/* Puts the new models into use, on the loop's thread. */
static void train_done(uv_work_t *request, int cancelled)
{
    struct work *work = request->data;
    pipeline *p = work->of.p;

    (void)cancelled;
    p->training = NULL;
    if (detect_set_training_end(p->detect, work->job, &work->err) == VD_OK)
        p->trained_ns = p->record.time_ns;
    else
        os_log_warning("training failed, the old model stays: %s", work->err.text);
    free(work);
}

/* Writes the models to the store, on a worker's thread. */
static void save(uv_work_t *request)
{
    struct work *work = request->data;

    pipeline_be_nice(work->of.p);
    work->status = store_set_model_save(work->of.p->store, MODEL_NAME, work->w.at,
                                        work->w.size, &work->err);
}

/* Ends a saving, on the loop's thread. */
static void save_done(uv_work_t *request, int cancelled)
{
    struct work *work = request->data;
    pipeline *p = work->of.p;

    (void)cancelled;
    p->saving = false;
    if (work->status != VD_OK)
        os_log_warning("models not saved: %s", work->err.text);
    vd_writer_release(&work->w);
    free(work);
}

/* Runs the work on a worker, or here and now when there is no loop or no worker takes it.
 * `work` is the caller's until `end` has run. */
void pipeline_run(pipeline *p, struct pipeline_work *work, uv_work_cb begin,
                  uv_after_work_cb end)
{
    work->p = p;
    work->request.data = work;
    if (p->config.loop != NULL &&
        uv_queue_work(p->config.loop, &work->request, begin, end) == 0)
        return;
    begin(&work->request);
    end(&work->request, 0);
}

/* Begins a training that is due. One that is still running when the next is due is told
 * to hurry. */
void pipeline_train_when_due(pipeline *p)
{
    struct work *work;
    detect_multivariate_job *job;

    if (p->record.mono_ns < detect_set_training_due(p->detect))
        return;
    if (p->training != NULL) {
        detect_multivariate_train_hurry(p->training);
        return;
    }
    job = detect_set_training_begin(p->detect, p->record.mono_ns);
    if (job == NULL)
        return;
    work = calloc(1, sizeof *work);
    if (work == NULL) {
        detect_multivariate_job_free(job);
        return;
    }
    work->job = job;
    p->training = job;
    pipeline_run(p, &work->of, train, train_done);
}

/* Writes the saved form in memory, on the loop's thread, so that the worker needs nothing
 * of the models. The order is that of restore_from(). */
static struct work *save_work(pipeline *p)
{
    struct work *work = calloc(1, sizeof *work);

    if (work == NULL)
        return NULL;
    alert_budget_save(&p->events.budget, &work->w);
    detect_set_save(p->detect, &p->schema, &work->w);
    alert_feedback_save(&p->feedback, &work->w);
    detect_set_save_labels(p->detect, &work->w);
    if (work->w.status == VD_OK)
        return work;
    vd_writer_release(&work->w);
    free(work);
    return NULL;
}

/* Saves the models. Without memory they are saved the next time. */
static void save_models(pipeline *p)
{
    struct work *work = save_work(p);

    if (work == NULL)
        return;
    p->saving = true;
    pipeline_run(p, &work->of, save, save_done);
}

/* Saves every so often. The first time is one interval after the start, when there is
 * something to save. */
void pipeline_save_when_due(pipeline *p)
{
    if (p->store == NULL || p->saving || p->record.mono_ns < p->save_due_ns)
        return;
    if (p->save_due_ns != 0)
        save_models(p);
    p->save_due_ns = p->record.mono_ns + (int64_t)(p->config.save_s * 1e9);
}

/* ---- start ---- */

/* Tells whether the moment lies within one of the `n` events and that event is an
 * anomaly. */
static bool was_flagged(const struct record_event *event, size_t n, int64_t at_ns)
{
    for (size_t i = 0; i < n; i++)
        if (event[i].start_ns <= at_ns &&
            (event[i].end_ns == 0 || at_ns <= event[i].end_ns) &&
            event[i].kind == RECORD_ANOMALY)
            return true;
    return false;
}

/* Fills in one step of the series as a row; false when nothing was seen then. */
static bool fill_value(const struct history_series *series, size_t k, double *value)
{
    bool seen = false;

    for (size_t m = 0; m < series->n_metrics; m++) {
        value[m] = series->mean[m * series->n + k];
        seen = seen || !isnan(value[m]);
    }
    return seen;
}

/* Learns the steps of the series that were not flagged, oldest first. */
static void learn_series(pipeline *p, const struct history_series *series,
                         const struct record_event *event, size_t n)
{
    double *value = malloc((p->schema.n + 1) * sizeof *value);

    for (size_t k = 0; value != NULL && k < series->n; k++)
        if (fill_value(series, k, value) && !was_flagged(event, n, series->time_ns[k]))
            detect_set_learn_past(p->detect, &p->schema, value, series->time_ns[k]);
    free(value);
}

/* Learns from the recent past in the store. It goes through the same detectors as a live
 * tick does, except for what was flagged then. */
static void backfill(pipeline *p)
{
    const struct history_reader *history = store_set_history(p->store);
    char(*name)[RECORD_NAME_MAX + RECORD_LABEL_MAX] =
        calloc(p->schema.n + 1, sizeof *name);
    const char **names = calloc(p->schema.n + 1, sizeof *names);
    struct history_series series = {0};
    struct record_event *event = NULL;
    struct history_query query = {.to_ns = os_clock_wall_ns(), .points = 10000};
    struct history_event_query event_query = {.limit = 1000};
    size_t n_events = 0;

    if (name == NULL || names == NULL)
        goto out;
    for (size_t i = 0; i < p->schema.n; i++)
        names[i] = record_metric_label(&p->schema.metric[i], name[i], sizeof *name);
    query.metric = names;
    query.n_metrics = p->schema.n;
    query.from_ns = query.to_ns - (int64_t)(p->config.backfill_s * 1e9);
    event_query.from_ns = query.from_ns;
    event_query.to_ns = query.to_ns;
    if (history->series(history->context, &query, &series, NULL) != VD_OK ||
        series.n == 0)
        goto out;
    history->events(history->context, &event_query, &event, &n_events, NULL);
    learn_series(p, &series, event, n_events);
    if (detect_set_rows(p->detect) > 0)
        os_log_info("learned from %zu samples of the last %.0f minutes",
                    detect_set_rows(p->detect), p->config.backfill_s / 60);
out:
    history_series_release(&series);
    free(event);
    free(names);
    free(name);
}

/* Restores budget, models and feedback. What was said is kept also when the models are of
 * another version. An older vedette did not write it. */
static void restore_from(pipeline *p, struct vd_reader *r)
{
    struct vd_error err = {0};

    if (alert_budget_load(&p->events.budget, r, &err) == VD_OK &&
        detect_set_load(p->detect, &p->schema, r, &err) == VD_OK)
        os_log_info("models of the last run restored (%zu samples)",
                    detect_set_rows(p->detect));
    else
        os_log_warning("models of the last run not used: %s", err.text);
    vd_error_clear(&err);
    if (!r->failed && r->left > 0 &&
        (alert_feedback_load(&p->feedback, r, &err) != VD_OK ||
         detect_set_load_labels(p->detect, r, &err) != VD_OK))
        os_log_warning("%s", err.text);
}

/* Restores the models of the last run; without them it learns from the store's past. */
static void restore(pipeline *p)
{
    struct vd_error err = {0};
    struct vd_reader r;
    void *bytes = NULL;
    size_t size = 0;

    if (store_set_model_load(p->store, MODEL_NAME, &bytes, &size, &err) == VD_OK) {
        vd_reader_init(&r, bytes, size);
        restore_from(p, &r);
    }
    free(bytes);
    if (detect_set_rows(p->detect) == 0 && p->config.backfill_s > 0)
        backfill(p);
}

/* Opens the store, and then the channels, whose notices it keeps. */
static enum vd_status open_sinks(pipeline *p, struct vd_error *err)
{
    enum vd_status status = VD_OK;

    if (p->config.store_on)
        status = store_set_new(&p->store, &p->config.store, err);
    pipeline_keep_alerts(p);
    if (status == VD_OK)
        status = alert_channels_new(&p->channels, &p->config.channels, err);
    return status;
}

/* Writes the dashboard's address into the store's lock, so that `vedette feedback` finds
 * who watches. */
static void announce(const pipeline *p)
{
    const char *host = p->config.show.address;
    bool bracket = strchr(host, ':') != NULL;
    char address[96];

    snprintf(address, sizeof address, "%s%s%s:%d", bracket ? "[" : "", host,
             bracket ? "]" : "", show_server_port(p->show));
    if (p->store != NULL)
        store_set_announce(p->store, address);
}

/* Opens the dashboard. Without a loop nothing could answer, so a replay has none. */
static enum vd_status open_dashboard(pipeline *p, struct vd_error *err)
{
    struct show_source source = pipeline_show_source(p);
    enum vd_status status;

    if (!p->config.show_on || p->config.loop == NULL)
        return VD_OK;
    status = show_server_new(&p->show, p->config.loop, &p->config.show, &source, err);
    if (status == VD_OK)
        announce(p);
    return status;
}

/* Takes over the interval of a recording, which brings its own: whatever counts in
 * samples has to know it. */
static void keep_pace(pipeline *p)
{
    double interval_s = collect_set_course(p->collect).interval_s;

    if (interval_s > 0)
        p->config.interval_s = p->config.detect.interval_s = p->config.alert.interval_s =
            interval_s;
    p->silence.interval_s = p->config.interval_s;
    alert_events_init(&p->events, &p->config.alert);
}

/* Refuses a name that neither is here nor can come later: it is a slip of the pen. */
static enum vd_status check_name(const char *metric, const struct record_schema *schema,
                                 struct vd_error *err)
{
    struct os_nearest nearest = {.word = metric};
    const char *known;
    char hint[160] = "'vedette probe' lists the metrics of this machine";

    if (record_schema_find(schema, metric) != SIZE_MAX || collect_knows(metric, &known))
        return VD_OK;
    if (known != NULL)
        os_nearest_try(&nearest, known);
    for (size_t i = 0; i < schema->n; i++)
        os_nearest_try(&nearest, schema->metric[i].name);
    if (nearest.best != NULL)
        snprintf(hint, sizeof hint, "did you mean '%s'?", nearest.best);
    return vd_error_set(err, VD_ERR_SCHEMA, hint, "there is no metric \"%.60s\"", metric);
}

/* Refuses a model that was taught on metrics which this host does not collect. */
static enum vd_status check_bundle(const vd_model *bundle,
                                   const struct record_schema *schema,
                                   struct vd_error *err)
{
    size_t d = bundle == NULL ? 0 : vd_model_columns(bundle);

    for (size_t i = 0; i < d; i++)
        if (record_schema_find(schema, vd_model_column(bundle, i)) == SIZE_MAX)
            return vd_error_set(err, VD_ERR_SCHEMA,
                                "'vedette probe' lists what there is; train it on that",
                                "the model needs the metric \"%s\", which this host does "
                                "not collect",
                                vd_model_column(bundle, i));
    return VD_OK;
}

/* Checks the names of rules, features and the model. *fault says which option and item is
 * being looked at, so that the error finds its line. */
enum vd_status pipeline_check_names(const struct pipeline_config *config,
                                    const struct record_schema *schema,
                                    struct pipeline_fault *fault, struct vd_error *err)
{
    const struct detect_multivariate_config *host = &config->detect.multivariate;
    enum vd_status status = VD_OK;
    size_t written = 0;

    for (size_t i = 0; i < config->rules.n && status == VD_OK; i++) {
        if (config->rules.rule[i].builtin)
            continue;
        *fault = (struct pipeline_fault){"rule", written++};
        status = check_name(config->rules.rule[i].metric, schema, err);
    }
    for (size_t i = 0; i < host->n_asked && status == VD_OK; i++) {
        *fault = (struct pipeline_fault){"feature", i};
        status = check_name(host->column[i], schema, err);
    }
    if (status != VD_OK)
        return status;
    *fault = (struct pipeline_fault){.option = "model"};
    return check_bundle(config->detect.bundle, schema, err);
}

/* Makes the pipeline in the order in which the parts need each other: the schema comes
 * with the collectors, the models need the schema, and the alerts of the last run come
 * last, when events can go on. */
enum vd_status pipeline_new(pipeline **out, const struct pipeline_config *config,
                            struct vd_error *err)
{
    pipeline *p = calloc(1, sizeof *p);
    enum vd_status status = VD_ERR_MEMORY;
    struct pipeline_fault fault;

    *out = NULL;
    if (p == NULL)
        goto out;
    p->config = *config;
    p->started_ns = os_clock_wall_ns();
    p->sample.schema = &p->schema;
    p->record.schema = &p->schema;
    gethostname(p->host_name, sizeof p->host_name - 1);
    p->config.channels.host = p->host_name;
    alert_feedback_init(&p->feedback, pipeline_group_of);
    alert_habits_init(&p->habits, pipeline_group_of);
    p->why.kind = RECORD_ANOMALY;
    status = open_sinks(p, err);
    if (status == VD_OK)
        status = collect_set_new(&p->collect, &config->collect, NULL, &p->schema, err);
    if (status == VD_OK) {
        keep_pace(p);
        status = feature_rates_new(&p->rates, err);
    }
    if (p->config.loop != NULL)
        p->config.detect.training_share = TRAINING_SHARE;
    if (status == VD_OK)
        status = detect_set_new(&p->detect, &p->config.detect, err);
    if (status == VD_OK)
        status = pipeline_check_names(&p->config, &p->schema, &fault, err);
    if (status == VD_OK)
        status = explain_recorder_new(&p->recorder);
    if (status == VD_OK)
        status = open_dashboard(p, err);
    if (status == VD_OK && p->store != NULL) {
        restore(p);
        pipeline_feedback_restore(p);
        pipeline_habits_restore(p);
    }
    if (status == VD_OK)
        pipeline_alerts_restore(p);
out:
    if (status != VD_OK) {
        vd_error_set(err, status, NULL, "the monitor cannot start: %s",
                     vd_status_text(status));
        pipeline_free(p);
        return status;
    }
    *out = p;
    return VD_OK;
}

void pipeline_reopen_files(pipeline *p)
{
    if (p->store != NULL)
        store_set_reopen(p->store);
}

/* Tells whether a worker still uses the pipeline. */
static bool busy(const pipeline *p)
{
    return p->training != NULL || p->saving || p->reading_feedback ||
           p->supervised_job != NULL;
}

/* Ends the pipeline. Workers are waited for first, then the rest is saved on this thread,
 * and the channels go before the store, which keeps what they could not deliver. */
void pipeline_free(pipeline *p)
{
    if (p == NULL)
        return;
    if (p->supervised_job != NULL)
        detect_supervised_stop(p->supervised_job);
    if (p->training != NULL)
        detect_multivariate_train_hurry(p->training);
    while (p->config.loop != NULL && busy(p))
        uv_run(p->config.loop, UV_RUN_ONCE);
    show_server_free(p->show);
    p->config.loop = NULL; /* what is still to be done is done here */
    if (p->store != NULL && p->detect != NULL && p->ticks > 0) {
        pipeline_moments_finish(p);
        save_models(p);
    }
    alert_channels_free(p->channels);
    alert_feedback_release(&p->feedback);
    store_set_close(p->store);
    explain_recorder_free(p->recorder);
    detect_set_free(p->detect);
    feature_rates_free(p->rates);
    collect_set_free(p->collect);
    collect_sample_release(&p->sample);
    detect_silence_release(&p->silence);
    record_schema_release(&p->schema);
    for (size_t i = 0; i < p->n_limits; i++)
        free(p->limit[i]);
    free(p->change);
    free(p);
}
