/* What the page asks of the monitor. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "monitor/state.h"
#include "vedette/detector.h"
#include "vedette/stats.h"

/* Finds the times of a detector, or begins them; NULL when there are too many
 * detectors. */
static struct monitor_latency *latency_of(monitor *m, const char *name)
{
    for (size_t i = 0; i < m->n_latencies; i++)
        if (strcmp(m->latency[i].name, name) == 0)
            return &m->latency[i];
    if (m->n_latencies == RECORD_DETECTORS_MAX)
        return NULL;
    m->latency[m->n_latencies].name = name;
    return &m->latency[m->n_latencies++];
}

/* Counts how long each detector took on this tick, in a ring of the last times. */
void monitor_count_latency(monitor *m)
{
    const struct record_verdict *verdict = &host_record(m->host)->verdict;

    for (size_t i = 0; i < verdict->n; i++) {
        const struct record_score *score = &verdict->detector[i];
        struct monitor_latency *latency = latency_of(m, score->name);

        if (latency == NULL)
            continue;
        latency->ready = score->ready;
        if (isnan(score->latency_us))
            continue;
        latency->us[latency->next] = (float)score->latency_us;
        latency->next = (latency->next + 1) % MONITOR_LATENCIES;
        if (latency->n < MONITOR_LATENCIES)
            latency->n++;
        latency->max = fmax(latency->max, score->latency_us);
    }
}

/* Fills in a detector with its times. The maximum is of the whole run, the rest of the
 * last times. */
static void fill_detector(const struct monitor_latency *latency,
                          struct show_detector *out)
{
    const struct vd_detector_info *info = vd_detector_find(latency->name);
    double us[MONITOR_LATENCIES];

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
static const char *state_of(double confidence)
{
    return confidence <= 0 ? "warming" : confidence < 0.5 ? "learning" : "watching";
}

/* Gives the last value of a metric; NaN when it is not there. */
static double metric_value(const monitor *m, const char *name)
{
    const double *value = host_record(m->host)->value;
    size_t i = record_schema_find(&m->schema, name);

    return i == SIZE_MAX || value == NULL ? NAN : value[i];
}

/* Fills in where records go, and adds what they lost to what was dropped. */
static void fill_sinks(monitor *m, struct show_status *out)
{
    struct store_counters counters[STORE_SINKS_MAX];
    size_t n =
        m->store == NULL ? 0 : store_set_counters(m->store, counters, STORE_SINKS_MAX);

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
static void fill_receivers(monitor *m, struct show_status *out)
{
    struct alert_counters counters[8];
    size_t n = alert_channels_counters(m->channels, counters, 8);

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

/* Answers what the dashboard asks, on the loop's thread. */
static void status(void *context, struct show_status *out)
{
    monitor *m = context;
    const struct record_processes *processes = host_record(m->host)->processes;
    struct host_status now;

    host_status(m->host, &now);
    *out = (struct show_status){
        .host = m->host_name,
        .state = state_of(now.confidence),
        .started_ns = m->started_ns,
        .interval_s = m->config.interval_s,
        .confidence = now.confidence,
        .habit_ns = now.habit_ns,
        .points = now.ticks,
        .anomalies = now.events,
        .alerts = now.alerts,
        .budget_per_week = now.budget_per_week,
        .budget_used = now.used_this_week,
        .achieved_per_week = now.achieved_per_week,
        .threshold_surprise = now.threshold,
        .trained_ns = (double)now.trained_ns,
        .next_training_ns = (double)now.next_training_ns,
        .training_rows = now.rows,
        .quarantined_rows = now.quarantined,
        .self_cpu_percent = metric_value(m, "self_cpu_percent"),
        .self_rss_bytes = metric_value(m, "self_memory_mb") * 1048576,
        .dropped = m->schema.dropped + (processes == NULL ? 0 : processes->dropped),
    };
    for (int i = 0; i < MONITOR_STAGES; i++) {
        out->stage_name[i] = monitor_stage_name((enum monitor_stage)i);
        out->stage_us[i] = m->stage_us[i];
    }
    out->n_stages = MONITOR_STAGES;
    for (size_t i = 0; i < m->n_latencies; i++)
        fill_detector(&m->latency[i], &out->detector[i]);
    out->n_detectors = m->n_latencies;
    if (m->config.detect.bundle == NULL) /* else what it lacks never comes */
        fill_waiting(out);
    fill_sinks(m, out);
    fill_receivers(m, out);
    monitor_fill_troubles(m, out);
}

/* Lists the rules with their states, built-in ones first. */
static size_t limits(void *context, struct show_limit out[SHOW_LIMITS_MAX])
{
    const monitor *m = context;
    const struct detect_rules *rules = &m->config.rules;

    static_assert((int)DETECT_RULES_MAX <= (int)SHOW_LIMITS_MAX, "all rules are shown");
    for (size_t i = 0; i < rules->n; i++) {
        out[i] = (struct show_limit){
            .severity = rules->rule[i].severity,
            .builtin = rules->rule[i].builtin,
            .state = host_rule_state(m->host, i),
        };
        detect_rule_text(&rules->rule[i], out[i].rule, sizeof out[i].rule);
    }
    return rules->n;
}

/* Lists the events of the last days whose like is a habit by now. */
static size_t habits(void *context, struct show_habit out[SHOW_HABITS_MAX])
{
    const monitor *m = context;
    struct host_habit habit[SHOW_HABITS_MAX];
    size_t n = host_habits(m->host, habit, SHOW_HABITS_MAX);

    for (size_t i = 0; i < n; i++)
        out[i] =
            (struct show_habit){habit[i].event_id, habit[i].since_ns, habit[i].seen_ns};
    return n;
}

/* Gives the page its functions. The monitor must outlive the server. */
struct show_source monitor_show_source(monitor *m)
{
    return (struct show_source){
        .context = m,
        .status = status,
        .limits = limits,
        .habits = habits,
        .history = m->store == NULL ? NULL : store_set_history(m->store),
        .feedback = monitor_feedback_take,
        .preview = monitor_feedback_ask,
        .analyse = m->config.store_on ? monitor_analyse : NULL,
        .folder = m->config.store_on ? m->config.store.folder : NULL,
    };
}
