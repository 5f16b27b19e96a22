/* The host's tick: each stage uses what the one before it made. */
#include "host/host.h"

#include <assert.h>
#include <stdlib.h>

#include "host/state.h"
#include "os/clock.h"
#include "os/log.h"

/* Sets for how many seconds after the start the detectors may have no verdict yet. */
static const double WARM_S = 60;

/* Sets after how many samples a name that no metric has is spoken of. */
enum { IDLE_TICKS = 10 };

enum vd_status host_new(host **out, const struct host_config *config,
                        const struct record_schema *schema, struct vd_error *err)
{
    host *h = calloc(1, sizeof *h);
    enum vd_status status = VD_ERR_MEMORY;

    assert(config->interval_s > 0 && config->rules != NULL &&
           config->next_event_id != NULL && config->group_of != NULL);
    *out = NULL;
    if (h == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for one more host");
    h->config = *config;
    h->config.detect.interval_s = h->config.alert.interval_s = config->interval_s;
    h->schema = h->record.schema = schema;
    h->output.record = &h->record;
    h->silence.interval_s = config->interval_s;
    h->why.kind = RECORD_ANOMALY;
    alert_events_init(&h->events, &h->config.alert);
    alert_feedback_init(&h->feedback, config->group_of);
    alert_habits_init(&h->habits, config->group_of);
    status = feature_rates_new(&h->rates, err);
    if (status == VD_OK)
        status = detect_set_new(&h->detect, &h->config.detect, err);
    if (status == VD_OK)
        status = explain_recorder_new(&h->recorder);
    if (status != VD_OK) {
        host_free(h);
        return status;
    }
    *out = h;
    return VD_OK;
}

void host_free(host *h)
{
    if (h == NULL)
        return;
    assert(h->job == NULL);
    alert_feedback_release(&h->feedback);
    explain_recorder_free(h->recorder);
    detect_set_free(h->detect);
    feature_rates_free(h->rates);
    detect_silence_release(&h->silence);
    detect_rules_state_release(&h->rules);
    alert_habits_release(&h->habits);
    for (size_t i = 0; i < h->n_limits; i++)
        free(h->limit[i]);
    free(h->told.at);
    free(h->waiting.at);
    free(h->moments);
    free(h);
}

/* Names rules and features whose metric is not here: a mistyped one would stay silent for
 * ever. It is said once, when the slow sources have had time to come; hardware that is
 * plugged in later still counts. */
static void name_the_absent(const host *h)
{
    static const char hint[] =
        "waits for a metric that is not here; 'vedette probe' shows "
        "those that are";
    const struct detect_multivariate_config *of = &h->config.detect.multivariate;
    const struct detect_rules *rules = h->config.rules;
    size_t i = 0;

    while ((i = detect_rules_unknown(rules, h->schema, i)) < rules->n)
        os_log_warning("the rule on \"%s\" %s", rules->rule[i++].metric, hint);
    for (size_t c = 0; c < of->n_asked; c++)
        if (record_schema_find(h->schema, of->column[c]) == SIZE_MAX)
            os_log_warning("the feature \"%s\" %s", of->column[c], hint);
}

/* Tells whether the tick may be learned as normal. What was flagged is kept out; so is,
 * before there is a model to flag it, what is far out by its own baseline: one burst in
 * the first minute would be normal for good. */
bool host_is_to_learn(const host *h)
{
    if (h->record.verdict.n == 0 && h->record.verdict.far_out)
        return false;
    return !alert_events_anomalous(&h->events);
}

bool host_may_still_tell(const host *h)
{
    return (double)h->ticks * h->config.interval_s < WARM_S;
}

/* Gives how long the stage took, in microseconds, and starts the watch for the next. */
static double stop_watch(host *h)
{
    int64_t now = os_clock_mono_ns(), began = h->watch_ns;

    h->watch_ns = now;
    return (double)(now - began) * 1e-3;
}

/* Makes the record of this tick out of the sample, with rates in place of counters. */
static void begin_record(host *h, const struct record_sample *sample)
{
    h->sample = sample;
    h->record.tick = h->ticks++;
    h->record.time_ns = sample->time_ns;
    h->record.mono_ns = sample->mono_ns;
    h->record.jitter_ns = sample->jitter_ns;
    h->record.processes = sample->processes;
    os_believed_at(&h->believed, h->record.time_ns, h->record.mono_ns);
    h->record.value = feature_rates_update(h->rates, sample);
}

/* Leads all events through this tick: first what the detectors say, then the limits,
 * which look at what the anomaly told. */
static void update_events(host *h)
{
    struct explain_input in = {
        .schema = h->schema,
        .value = h->record.value,
        .expected = detect_set_expected(h->detect),
        .z = detect_set_z(h->detect),
    };

    explain_recorder_add(h->recorder, h->record.time_ns, h->record.mono_ns,
                         h->record.processes);
    host_note_tick(h);
    if (h->ticks == IDLE_TICKS)
        name_the_absent(h);
    host_remember_why(h, &in);
    host_update_anomaly(h, &in);
    alert_events_learn(&h->events, h->habit_ns != 0);
    host_update_limits(h, &in);
    host_update_others(h, &in);
}

const struct host_output *host_tick(host *h, const struct record_sample *sample)
{
    assert(sample->schema == h->schema);
    h->watch_ns = os_clock_mono_ns();
    h->told.n = h->n_copied = 0;
    h->output.judged_ended = false;
    begin_record(h, sample);
    h->output.feature_us = stop_watch(h);

    detect_set_read(h->detect, h->schema, h->record.value, h->record.time_ns,
                    h->record.mono_ns, alert_budget_threshold(&h->events.budget),
                    &h->record.verdict);
    h->output.detect_us = stop_watch(h);

    update_events(h);
    if (host_is_to_learn(h))
        detect_set_learn(h->detect, h->record.value);
    else
        h->quarantined++;
    host_take_change(h);
    h->output.told = h->told.at;
    h->output.n_told = h->told.n;
    h->output.explain_us = stop_watch(h);
    return &h->output;
}
