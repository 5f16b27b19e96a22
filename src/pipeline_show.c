/* What the dashboard asks of the pipeline. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pipeline_state.h"
#include "vedette/detector.h"
#include "vedette/stats.h"

/* Finds the times of a detector, or begins them; NULL when there are too many
 * detectors. */
static struct pipeline_latency *latency_of(pipeline *p, const char *name)
{
    for (size_t i = 0; i < p->n_latencies; i++)
        if (strcmp(p->latency[i].name, name) == 0)
            return &p->latency[i];
    if (p->n_latencies == RECORD_DETECTORS_MAX)
        return NULL;
    p->latency[p->n_latencies].name = name;
    return &p->latency[p->n_latencies++];
}

/* Counts how long each detector took on this tick, in a ring of the last times. */
void pipeline_count_latency(pipeline *p)
{
    for (size_t i = 0; i < p->record.verdict.n; i++) {
        const struct record_score *score = &p->record.verdict.detector[i];
        struct pipeline_latency *latency = latency_of(p, score->name);

        if (latency == NULL)
            continue;
        latency->ready = score->ready;
        if (isnan(score->latency_us))
            continue;
        latency->us[latency->next] = (float)score->latency_us;
        latency->next = (latency->next + 1) % PIPELINE_LATENCIES;
        if (latency->n < PIPELINE_LATENCIES)
            latency->n++;
        latency->max = fmax(latency->max, score->latency_us);
    }
}

/* Fills in a detector with its times. The maximum is of the whole run, the rest of the
 * last times. */
static void fill_detector(const struct pipeline_latency *latency,
                          struct show_detector *out)
{
    const struct vd_detector_info *info = vd_detector_find(latency->name);
    double us[PIPELINE_LATENCIES];

    for (size_t i = 0; i < latency->n; i++)
        us[i] = (double)latency->us[i];
    vd_sort(us, latency->n);
    *out = (struct show_detector){
        .name = latency->name,
        .title = detect_multivariate_title(latency->name),
        .unavailable = info == NULL ? NULL : info->unavailable,
        .ready = latency->ready,
        .from_labels = info != NULL && info->needs_labels,
        .average_us = vd_mean(us, latency->n),
        .p99_us = vd_quantile_sorted(us, latency->n, 0.99),
        .max_us = latency->max,
    };
}

/* Tells whether the status has the detector already. */
static bool is_listed(const struct show_status *status, const char *name)
{
    for (size_t i = 0; i < status->n_detectors; i++)
        if (strcmp(status->detector[i].name, name) == 0)
            return true;
    return false;
}

/* Adds the detectors that wait for labels. They have no verdict yet, and people should
 * know that they may give them one. */
static void fill_waiting(struct show_status *out)
{
    const char *name;

    for (size_t k = 0; (name = detect_supervised_at(k)) != NULL; k++) {
        if (out->n_detectors == RECORD_DETECTORS_MAX || is_listed(out, name) ||
            vd_detector_find(name)->unavailable != NULL)
            continue;
        out->detector[out->n_detectors++] = (struct show_detector){
            .name = name,
            .title = detect_multivariate_title(name),
            .from_labels = true,
            .average_us = NAN,
            .p99_us = NAN,
            .max_us = NAN,
        };
    }
}

/* Names the state of the monitor by how sure it is. */
static const char *state_of(const pipeline *p)
{
    double confidence = detect_set_confidence(p->detect);

    return confidence <= 0 ? "warming" : confidence < 0.5 ? "learning" : "watching";
}

/* Gives the last value of a metric; NaN when it is not there. */
static double metric_value(const pipeline *p, const char *name)
{
    size_t i = record_schema_find(&p->schema, name);

    return i == SIZE_MAX || p->record.value == NULL ? NAN : p->record.value[i];
}

/* Fills in where records go, and adds what they lost to what was dropped. */
static void fill_sinks(pipeline *p, struct show_status *out)
{
    struct store_counters counters[STORE_SINKS_MAX];
    size_t n =
        p->store == NULL ? 0 : store_set_counters(p->store, counters, STORE_SINKS_MAX);

    static_assert((int)SHOW_SINKS_MAX >= (int)STORE_SINKS_MAX, "the page shows them all");
    out->n_sinks = n;
    for (size_t i = 0; i < out->n_sinks; i++) {
        out->sink[i].name = counters[i].name;
        out->sink[i].unavailable = counters[i].unavailable;
        out->sink[i].sent = counters[i].sent;
        out->sink[i].retried = counters[i].retried;
        out->sink[i].lost = counters[i].lost;
        out->dropped += counters[i].lost;
    }
}

/* Fills in where alerts go. */
static void fill_receivers(pipeline *p, struct show_status *out)
{
    struct alert_counters counters[8];
    size_t n = alert_channels_counters(p->channels, counters, 8);

    for (size_t i = 0; i < n; i++) {
        struct show_receiver *to = &out->receiver[i];

        *to = (struct show_receiver){
            .name = counters[i].name,
            .unavailable = counters[i].unavailable,
            .state = counters[i].state,
            .sent = counters[i].sent,
            .retried = counters[i].retried,
            .waiting = counters[i].waiting,
            .given_up = counters[i].given_up,
            .lost = counters[i].lost,
            .failing_s = counters[i].failing_s,
            .oldest_s = counters[i].oldest_s,
            .kept = counters[i].kept,
        };
        snprintf(to->error, sizeof to->error, "%s", counters[i].error);
    }
    out->n_receivers = n;
}

/* Gives the next training on the wall clock; 0 when there is nothing new to learn
 * from. */
static double next_training_ns(const pipeline *p)
{
    int64_t due_ns = detect_set_training_due(p->detect);

    if (p->ticks == 0 || due_ns == INT64_MAX)
        return 0;
    return (double)(p->record.time_ns + (due_ns - p->record.mono_ns));
}

/* Answers what the dashboard asks, on the loop's thread. */
static void status(void *context, struct show_status *out)
{
    pipeline *p = context;

    *out = (struct show_status){
        .host = p->host_name,
        .state = state_of(p),
        .started_ns = p->started_ns,
        .interval_s = p->config.interval_s,
        .confidence = detect_set_confidence(p->detect),
        .habit_ns = p->habit_ns,
        .points = p->ticks,
        .anomalies = p->anomalies,
        .alerts = p->alerts,
        .budget_per_week = p->events.budget.per_week,
        .budget_used = alert_week_count(&p->week, &p->feedback, p->believed.time_ns),
        .achieved_per_week = alert_budget_achieved(&p->events.budget),
        .threshold_surprise = alert_budget_threshold(&p->events.budget),
        .trained_ns = (double)p->trained_ns,
        .next_training_ns = next_training_ns(p),
        .training_rows = detect_set_rows(p->detect),
        .quarantined_rows = p->quarantined,
        .self_cpu_percent = metric_value(p, "self_cpu_percent"),
        .self_rss_bytes = metric_value(p, "self_memory_mb") * 1048576,
        .dropped = p->schema.dropped +
                   (p->record.processes == NULL ? 0 : p->record.processes->dropped),
    };
    for (int i = 0; i < PIPELINE_STAGES; i++) {
        out->stage_name[i] = pipeline_stage_name((enum pipeline_stage)i);
        out->stage_us[i] = p->stage_us[i];
    }
    out->n_stages = PIPELINE_STAGES;
    for (size_t i = 0; i < p->n_latencies; i++)
        fill_detector(&p->latency[i], &out->detector[i]);
    out->n_detectors = p->n_latencies;
    if (p->config.detect.bundle == NULL) /* else what it lacks never comes */
        fill_waiting(out);
    fill_sinks(p, out);
    fill_receivers(p, out);
    pipeline_fill_troubles(p, out);
}

/* Says how the rule stands: whether it is off, one of its metrics exceeds it, or it has
 * none here. */
static const char *state_of_rule(const pipeline *p, size_t rule)
{
    if (p->config.rules.rule[rule].off)
        return "off";
    for (size_t i = 0; i < p->n_limits; i++)
        if (p->limit[i]->course.open && p->limit[i]->metric != SIZE_MAX &&
            p->limit[i]->rule == rule)
            return "exceeded";
    for (size_t k = 0; k < p->schema.n; k++)
        if (detect_rule_speaks_of(&p->config.rules.rule[rule], &p->schema.metric[k]))
            return "kept";
    return "no metric";
}

/* Lists the rules with their states, built-in ones first. */
static size_t limits(void *context, struct show_limit out[SHOW_LIMITS_MAX])
{
    const pipeline *p = context;

    _Static_assert((int)DETECT_RULES_MAX <= (int)SHOW_LIMITS_MAX, "all rules are shown");
    for (size_t i = 0; i < p->config.rules.n; i++) {
        const struct detect_rule *rule = &p->config.rules.rule[i];

        out[i] = (struct show_limit){
            .severity = rule->severity,
            .builtin = rule->builtin,
            .state = state_of_rule(p, i),
        };
        detect_rule_text(rule, out[i].rule, sizeof out[i].rule);
    }
    return p->config.rules.n;
}

/* Lists the events of the last days whose like is a habit by now. */
static size_t habits(void *context, struct show_habit out[SHOW_HABITS_MAX])
{
    const pipeline *p = context;
    size_t n = 0;

    _Static_assert((int)ALERT_HABITS_MAX <= (int)SHOW_HABITS_MAX, "all are shown");
    for (size_t i = 0; i < p->habits.n; i++) {
        const struct alert_past *past = &p->habits.past[i];

        if (alert_habits_has(past, p->believed.time_ns))
            out[n++] = (struct show_habit){past->event_id, past->habit_ns, past->seen_ns};
    }
    return n;
}

/* Gives the dashboard its functions. The pipeline must outlive the server. */
struct show_source pipeline_show_source(pipeline *p)
{
    return (struct show_source){
        .context = p,
        .status = status,
        .limits = limits,
        .habits = habits,
        .history = p->store == NULL ? NULL : store_set_history(p->store),
        .feedback = pipeline_feedback_take,
        .preview = pipeline_feedback_ask,
        .analyse = p->config.store_on ? pipeline_analyse : NULL,
        .folder = p->config.store_on ? p->config.store.folder : NULL,
    };
}
