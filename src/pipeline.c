/* The main path is pipeline_tick; around it stand what happens beside a tick (training,
 * saving), start and stop. What the dashboard asks is answered in pipeline_show.c. */
#include "pipeline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"
#include "feature/rates.h"
#include "os/clock.h"
#include "os/log.h"
#include "pipeline_state.h"
#include "vedette/calibration.h"

static const char *const stage_name[PIPELINE_STAGES] = {
    "collect", "feature", "detect", "explain and alert", "store", "show"};

/* Sets the defaults: a tick a second, an hour of the store to learn from, and saving
 * every five minutes. */
struct pipeline_config pipeline_config_default(void)
{
    return (struct pipeline_config){
        .interval_s = 1,
        .collect = collect_config_default(),
        .detect = detect_config_default(),
        .alert = alert_config_default(),
        .channels = alert_channels_config_default(),
        .store_on = true,
        .store = store_config_default(),
        .show_on = true,
        .show = show_config_default(),
        .backfill_s = 3600,
        .save_s = 300,
    };
}

/* ---- one tick ---- */

/* Sets after how many samples a name that no metric has is spoken of. */
enum { IDLE_TICKS = 10 };

/* Names rules and features whose metric is not here: a mistyped one would stay silent for
 * ever. It is said once, when the slow sources have had time to come; hardware that is
 * plugged in later still counts. */
static void name_the_absent(const pipeline *p)
{
    static const char hint[] =
        "waits for a metric that is not here; 'vedette probe' shows "
        "those that are";
    const struct detect_multivariate_config *host = &p->config.detect.multivariate;
    const struct detect_rules *rules = &p->config.rules;
    size_t i = 0;

    while ((i = detect_rules_unknown(rules, &p->schema, i)) < rules->n)
        os_log_warning("the rule on \"%s\" %s", rules->rule[i++].metric, hint);
    for (size_t c = 0; c < host->n_asked; c++)
        if (record_schema_find(&p->schema, host->column[c]) == SIZE_MAX)
            os_log_warning("the feature \"%s\" %s", host->column[c], hint);
}

/* Tells whether the tick may be learned as normal. What was flagged is kept out; so is,
 * before there is a model to flag it, what is far out by its own baseline: one burst in
 * the first minute would be normal for good. */
bool pipeline_is_to_learn(const pipeline *p)
{
    if (p->record.verdict.n == 0 && p->record.verdict.far_out)
        return false;
    return !alert_events_anomalous(&p->events);
}

/* Notes how long the stage took and starts the watch for the next. */
static void stop_watch(pipeline *p, enum pipeline_stage stage)
{
    int64_t now = os_clock_mono_ns();

    p->stage_us[stage] = (double)(now - p->watch_ns) * 1e-3;
    p->watch_ns = now;
}

/* Does everything that one sample needs, on the loop's thread and in this order: each
 * stage uses what the one before it made. Nothing here waits for a disk or a network. */
void pipeline_tick(pipeline *p, int64_t time_ns, int64_t mono_ns, int64_t jitter_ns)
{
    struct explain_input in = {.schema = &p->schema};

    p->watch_ns = os_clock_mono_ns();

    p->sample.time_ns = time_ns;
    p->sample.mono_ns = mono_ns;
    p->sample.jitter_ns = jitter_ns;
    collect_set_read(p->collect, &p->sample);
    pipeline_tell_troubles(p);
    pipeline_keep_again(p);
    stop_watch(p, PIPELINE_COLLECT);
    if (collect_set_course(p->collect).ended)
        return;

    p->record.tick = p->ticks++;
    p->record.time_ns = p->sample.time_ns;
    p->record.mono_ns = p->sample.mono_ns;
    p->record.jitter_ns = p->sample.jitter_ns;
    os_believed_at(&p->believed, p->record.time_ns, p->record.mono_ns);
    p->record.processes = p->sample.processes;
    p->record.value = feature_rates_update(p->rates, &p->sample);
    stop_watch(p, PIPELINE_FEATURE);

    detect_set_read(p->detect, &p->schema, p->record.value, p->record.time_ns,
                    p->record.mono_ns, alert_budget_threshold(&p->events.budget),
                    &p->record.verdict);
    pipeline_count_latency(p);
    stop_watch(p, PIPELINE_DETECT);

    in.value = p->record.value;
    in.expected = detect_set_expected(p->detect);
    in.z = detect_set_z(p->detect);
    explain_recorder_add(p->recorder, p->record.time_ns, p->record.mono_ns,
                         p->record.processes);
    pipeline_note_tick(p);
    if (p->ticks == IDLE_TICKS)
        name_the_absent(p);
    pipeline_remember_why(p, &in);
    pipeline_update_anomaly(p, &in);
    alert_events_learn(&p->events, p->habit_ns != 0);
    pipeline_update_limits(p, &in);
    pipeline_update_others(p, &in);
    if (pipeline_is_to_learn(p))
        detect_set_learn(p->detect, p->record.value);
    else
        p->quarantined++;
    pipeline_take_change(p);
    stop_watch(p, PIPELINE_EXPLAIN);

    if (p->store != NULL)
        store_set_push(p->store, &p->record);
    pipeline_moments_keep(p);
    stop_watch(p, PIPELINE_STORE);
    if (p->show != NULL)
        show_server_publish(p->show, &p->record);
    stop_watch(p, PIPELINE_SHOW);

    pipeline_train_when_due(p);
    pipeline_train_supervised_when_due(p);
    pipeline_save_when_due(p);
}

const char *pipeline_stage_name(enum pipeline_stage stage)
{
    return stage_name[stage];
}

bool pipeline_ended(const pipeline *p, double *done)
{
    struct collect_course course = collect_set_course(p->collect);

    *done = course.done;
    return course.ended;
}

int pipeline_port(const pipeline *p)
{
    return p->show == NULL ? 0 : show_server_port(p->show);
}

/* Sums up the run for its last line. */
void pipeline_summary(const pipeline *p, struct pipeline_summary *out)
{
    struct store_counters counters[STORE_SINKS_MAX];
    size_t n =
        p->store == NULL ? 0 : store_set_counters(p->store, counters, STORE_SINKS_MAX);

    *out = (struct pipeline_summary){
        .ticks = p->ticks,
        .events = p->anomalies,
        .alerts = p->alerts,
        .budget_per_week = p->events.budget.per_week,
        .achieved_per_week = alert_budget_achieved(&p->events.budget),
        .threshold = alert_budget_threshold(&p->events.budget),
        .confidence = detect_set_confidence(p->detect),
    };
    for (size_t i = 0; i < n; i++)
        out->lost += counters[i].lost;
}
