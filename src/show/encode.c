/* Field by field in the order of docs/api.md. Bytes become MB (2^20 bytes, as in the
 * metrics), nanoseconds seconds. */
#include "show/encode.h"

#include <math.h>
#include <string.h>

#include "os/clock.h"

/* Writes one process. Values that are not known are null. A `key` of NULL writes an item
 * of a list. */
static void encode_process(struct show_json *j, const char *key,
                           const struct record_process *p, double cores)
{
    char state[2] = {p->state, '\0'};

    show_json_open(j, key, '{');
    show_json_integer(j, "pid", p->pid);
    show_json_integer(j, "parent", p->parent);
    show_json_integer(j, "uid", p->uid);
    show_json_string(j, "state", state);
    show_json_string(j, "name", p->comm);
    show_json_string(j, "command", p->command);
    show_json_number(j, "cpu_percent", p->cpu_percent);
    show_json_number(j, "rss_mb", p->rss_bytes / SHOW_MB);
    show_json_number(j, "pss_mb", p->pss_bytes / SHOW_MB);
    show_json_number(j, "swap_mb", p->swap_bytes / SHOW_MB);
    show_json_number(j, "major_faults_s", p->major_faults_s);
    show_json_number(j, "read_mb_s", p->read_bytes_s / SHOW_MB);
    show_json_number(j, "write_mb_s", p->write_bytes_s / SHOW_MB);
    show_json_integer(j, "threads", p->threads);
    show_json_number(j, "gpu_percent", p->gpu_percent);
    show_json_number(j, "gpu_mb", p->gpu_bytes / SHOW_MB);
    show_json_bool(j, "suspicious", show_is_suspicious(p, cores));
    show_json_close(j, '}');
}

/* ---- the program itself ---- */

/* Writes the detectors of this build. The times are in microseconds. */
static void encode_detector_rows(struct show_json *j, const struct show_status *status)
{
    show_json_open(j, "detectors", '[');
    for (size_t i = 0; i < status->n_detectors; i++) {
        const struct show_detector *d = &status->detector[i];

        show_json_open(j, NULL, '{');
        show_json_string(j, "name", d->name);
        show_json_string(j, "title", d->title);
        show_json_string(j, "unavailable", d->unavailable);
        show_json_bool(j, "ready", d->ready);
        show_json_bool(j, "from_labels", d->from_labels);
        show_json_number(j, "average_us", d->average_us);
        show_json_number(j, "p99_us", d->p99_us);
        show_json_number(j, "max_us", d->max_us);
        show_json_close(j, '}');
    }
    show_json_close(j, ']');
}

/* Writes where records go. The counters run since the start of the monitor. */
static void encode_sink_rows(struct show_json *j, const struct show_status *status)
{
    show_json_open(j, "sinks", '[');
    for (size_t i = 0; i < status->n_sinks; i++) {
        const struct show_sink *sink = &status->sink[i];

        show_json_open(j, NULL, '{');
        show_json_string(j, "name", sink->name);
        show_json_string(j, "unavailable", sink->unavailable);
        show_json_integer(j, "sent", (int64_t)sink->sent);
        show_json_integer(j, "retried", (int64_t)sink->retried);
        show_json_integer(j, "lost", (int64_t)sink->lost);
        show_json_close(j, '}');
    }
    show_json_close(j, ']');
}

/* Writes where alerts go. "failing" and "oldest" are ages in seconds. */
static void encode_receiver_rows(struct show_json *j, const struct show_status *status)
{
    show_json_open(j, "receivers", '[');
    for (size_t i = 0; i < status->n_receivers; i++) {
        const struct show_receiver *receiver = &status->receiver[i];

        show_json_open(j, NULL, '{');
        show_json_string(j, "name", receiver->name);
        show_json_string(j, "unavailable", receiver->unavailable);
        show_json_string(j, "state", receiver->state);
        show_json_integer(j, "sent", (int64_t)receiver->sent);
        show_json_integer(j, "retried", (int64_t)receiver->retried);
        show_json_integer(j, "waiting", (int64_t)receiver->waiting);
        show_json_integer(j, "given_up", (int64_t)receiver->given_up);
        show_json_integer(j, "lost", (int64_t)receiver->lost);
        show_json_number(j, "failing", receiver->failing_s);
        show_json_number(j, "oldest", receiver->oldest_s);
        show_json_bool(j, "kept", receiver->kept);
        show_json_string(j, "error", receiver->error[0] == '\0' ? NULL : receiver->error);
        show_json_close(j, '}');
    }
    show_json_close(j, ']');
}

/* Writes the collectors that have failed for a while, and since when. */
static void encode_troubles(struct show_json *j, const struct show_status *status)
{
    show_json_open(j, "troubles", '[');
    for (size_t i = 0; i < status->n_troubles; i++) {
        const struct show_trouble *trouble = &status->trouble[i];

        show_json_open(j, NULL, '{');
        show_json_string(j, "collector", trouble->name);
        show_json_time(j, "since", trouble->since_ns);
        show_json_string(j, "reason", trouble->reason);
        show_json_close(j, '}');
    }
    show_json_close(j, ']');
}

/* Writes what the program itself uses, and the time in microseconds that each stage of
 * the last tick took. */
static void encode_self(struct show_json *j, const struct show_status *status)
{
    show_json_open(j, "self", '{');
    show_json_number(j, "cpu_percent", status->self_cpu_percent);
    show_json_number(j, "rss_mb", status->self_rss_bytes / SHOW_MB);
    show_json_integer(j, "dropped", (int64_t)status->dropped);
    show_json_open(j, "stages", '[');
    for (size_t i = 0; i < status->n_stages; i++) {
        show_json_open(j, NULL, '{');
        show_json_string(j, "name", status->stage_name[i]);
        show_json_number(j, "us", status->stage_us[i]);
        show_json_close(j, '}');
    }
    show_json_close(j, ']');
    show_json_close(j, '}');
}

/* Writes the zone of the machine by its name and its offset in seconds. From the name the
 * page also knows summer time on other days. */
static void encode_zone(struct show_json *j, int64_t now_ns)
{
    char name[64];

    show_json_open(j, "zone", '{');
    show_json_string(j, "name", os_clock_zone(name, sizeof name));
    show_json_integer(j, "east", os_clock_local_s(now_ns) - now_ns / 1000000000);
    show_json_close(j, '}');
}

/* Writes the status. Pages that do not show the detectors do without the rows that
 * `whole` adds, which are most of the text. */
void show_encode_status(struct show_json *j, const char *key,
                        const struct show_status *status, const char *version,
                        int64_t now_ns, bool whole)
{
    show_json_open(j, key, '{');
    show_json_string(j, "version", version);
    show_json_string(j, "host", status->host);
    show_json_string(j, "state", status->state);
    show_json_time(j, "started", status->started_ns);
    show_json_time(j, "now", now_ns);
    encode_zone(j, now_ns);
    show_json_number(j, "interval", status->interval_s);
    show_json_number(j, "confidence", status->confidence);
    show_json_time(j, "habit", status->habit_ns);
    show_json_integer(j, "points", (int64_t)status->points);
    show_json_integer(j, "anomalies", (int64_t)status->anomalies);
    show_json_integer(j, "alerts", (int64_t)status->alerts);
    show_json_open(j, "budget", '{');
    show_json_number(j, "per_week", status->budget_per_week);
    show_json_number(j, "used", status->budget_used);
    show_json_number(j, "achieved_per_week", status->achieved_per_week);
    show_json_number(j, "threshold", status->threshold_surprise);
    show_json_close(j, '}');
    show_json_open(j, "training", '{');
    show_json_time(j, "last", (int64_t)status->trained_ns);
    show_json_time(j, "next", (int64_t)status->next_training_ns);
    show_json_integer(j, "rows", (int64_t)status->training_rows);
    show_json_integer(j, "quarantined", (int64_t)status->quarantined_rows);
    show_json_close(j, '}');
    if (whole) {
        encode_self(j, status);
        encode_detector_rows(j, status);
        encode_sink_rows(j, status);
    }
    encode_receiver_rows(j, status);
    encode_troubles(j, status);
    show_json_close(j, '}');
}

/* ---- metrics and ticks ---- */

/* Gives room for "name{label}" with its end. */
enum { NAME_SIZE = RECORD_NAME_MAX + RECORD_LABEL_MAX + 4 };

void show_encode_metrics(struct show_json *j, const char *key,
                         const struct record_schema *schema)
{
    char name[NAME_SIZE];

    show_json_open(j, key, '[');
    for (size_t i = 0; schema != NULL && i < schema->n; i++) {
        const struct record_metric *m = &schema->metric[i];

        show_json_open(j, NULL, '{');
        show_json_string(j, "name", record_metric_label(m, name, sizeof name));
        show_json_string(j, "family", m->name);
        show_json_string(j, "label_key", m->label_key);
        show_json_string(j, "label", m->label[0] == '\0' ? NULL : m->label);
        show_json_string(j, "unit", m->unit);
        show_json_string(j, "help", m->help);
        show_json_string(j, "group", record_group_name(m->group));
        show_json_bool(j, "core", m->core);
        show_json_close(j, '}');
    }
    show_json_close(j, ']');
}

/* Writes what each detector said of the last tick. A detector that is not ready has null
 * for all numbers, so that nobody takes a leftover for a score. */
void show_encode_detectors(struct show_json *j, const struct record_verdict *verdict)
{
    show_json_number(j, "latency_us", verdict->latency_us);
    show_json_bool(j, "drift", verdict->drift);
    show_json_open(j, "detectors", '[');
    for (size_t i = 0; i < verdict->n; i++) {
        const struct record_score *d = &verdict->detector[i];

        show_json_open(j, NULL, '{');
        show_json_string(j, "name", d->name);
        show_json_bool(j, "ready", d->ready);
        show_json_number(j, "score", d->ready ? d->score : NAN);
        show_json_number(j, "raw", d->ready ? d->raw : NAN);
        show_json_number(j, "surprise", d->ready ? d->surprise : NAN);
        show_json_number(j, "latency_us", d->ready ? d->latency_us : NAN);
        show_json_close(j, '}');
    }
    show_json_close(j, ']');
}

/* Writes the few processes that use most of one resource. */
static void encode_top(struct show_json *j, const char *key,
                       const struct show_snapshot *s, enum show_rank rank)
{
    size_t top[SHOW_TOP];
    size_t n = show_snapshot_top(s, rank, top);

    show_json_open(j, key, '[');
    for (size_t i = 0; i < n; i++)
        encode_process(j, NULL, &s->process[top[i]], s->schema->cores);
    show_json_close(j, ']');
}

/* Writes the whole last tick, null when there was none. Values stand in the order of the
 * schema, whose size comes along so that a page notices that it grew. */
void show_encode_tick(struct show_json *j, const char *key, const struct show_snapshot *s)
{
    if (!s->filled) {
        show_json_raw(j, key, "null", 4);
        return;
    }
    show_json_open(j, key, '{');
    show_json_string(j, "type", "tick");
    show_json_time(j, "t", s->time_ns);
    show_json_integer(j, "tick", (int64_t)s->tick);
    show_json_number(j, "jitter_ms", (double)s->jitter_ns / 1e6);
    show_json_integer(j, "n_metrics", (int64_t)s->schema->metrics.n);
    show_json_open(j, "v", '[');
    for (size_t i = 0; i < s->schema->metrics.n; i++)
        show_json_number(j, NULL, s->value[i]);
    show_json_close(j, ']');
    show_json_number(j, "score", s->verdict.score);
    show_json_number(j, "confidence", s->verdict.confidence);
    show_encode_detectors(j, &s->verdict);
    encode_top(j, "top_cpu", s, SHOW_RANK_CPU);
    encode_top(j, "top_memory", s, SHOW_RANK_MEMORY);
    encode_top(j, "top_io", s, SHOW_RANK_IO);
    show_json_number(j, "n_processes", s->has_processes ? (double)s->n_processes : NAN);
    show_json_number(j, "n_threads", s->has_processes ? (double)s->n_threads : NAN);
    show_json_close(j, '}');
}

/* Writes the whole table of processes. */
void show_encode_processes(struct show_json *j, const struct show_snapshot *s)
{
    show_json_open(j, NULL, '{');
    show_json_string(j, "type", "processes");
    show_json_time(j, "t", s->time_ns);
    show_json_open(j, "processes", '[');
    for (size_t i = 0; i < s->n_processes; i++)
        encode_process(j, NULL, &s->process[i], s->schema->cores);
    show_json_close(j, ']');
    show_json_close(j, '}');
}

/* Writes the number only when it changed. NaN is not equal to itself, so two of them are
 * compared apart. */
static void change_number(struct show_json *j, const char *key, double now, double before)
{
    if (now != before && !(isnan(now) && isnan(before)))
        show_json_number(j, key, now);
}

static void change_integer(struct show_json *j, const char *key, int64_t now,
                           int64_t before)
{
    if (now != before)
        show_json_integer(j, key, now);
}

/* Writes the pid and the fields that differ; nothing at all when none does. What was
 * begun is taken back by setting the size and the comma back. */
static void encode_process_change(struct show_json *j, const struct record_process *now,
                                  const struct record_process *before, double cores)
{
    char state[2] = {now->state, '\0'};
    bool suspicious = show_is_suspicious(now, cores);
    size_t empty, start = j->size;
    bool comma = j->comma;

    show_json_open(j, NULL, '{');
    show_json_integer(j, "pid", now->pid);
    empty = j->size;
    change_integer(j, "parent", now->parent, before->parent);
    change_integer(j, "uid", now->uid, before->uid);
    if (now->state != before->state)
        show_json_string(j, "state", state);
    if (strcmp(now->comm, before->comm) != 0)
        show_json_string(j, "name", now->comm);
    if (strcmp(now->command, before->command) != 0)
        show_json_string(j, "command", now->command);
    change_number(j, "cpu_percent", now->cpu_percent, before->cpu_percent);
    change_number(j, "rss_mb", now->rss_bytes / SHOW_MB, before->rss_bytes / SHOW_MB);
    change_number(j, "pss_mb", now->pss_bytes / SHOW_MB, before->pss_bytes / SHOW_MB);
    change_number(j, "swap_mb", now->swap_bytes / SHOW_MB, before->swap_bytes / SHOW_MB);
    change_number(j, "major_faults_s", now->major_faults_s, before->major_faults_s);
    change_number(j, "read_mb_s", now->read_bytes_s / SHOW_MB,
                  before->read_bytes_s / SHOW_MB);
    change_number(j, "write_mb_s", now->write_bytes_s / SHOW_MB,
                  before->write_bytes_s / SHOW_MB);
    change_integer(j, "threads", now->threads, before->threads);
    change_number(j, "gpu_percent", now->gpu_percent, before->gpu_percent);
    change_number(j, "gpu_mb", now->gpu_bytes / SHOW_MB, before->gpu_bytes / SHOW_MB);
    if (suspicious != show_is_suspicious(before, cores))
        show_json_bool(j, "suspicious", suspicious);
    if (j->size > empty) {
        show_json_close(j, '}');
    } else {
        j->size = start;
        j->comma = comma;
    }
}

/* Writes the processes that changed. Both tables are sorted by pid and walked side by
 * side. A pid that was given to another process comes whole, like a new one. */
static void encode_changed(struct show_json *j, const struct show_snapshot *s)
{
    size_t k = 0;

    show_json_open(j, "changed", '[');
    for (size_t i = 0; i < s->n_processes; i++) {
        const struct record_process *p = &s->process[i];

        while (k < s->n_previous && s->previous[k].pid < p->pid)
            k++;
        if (k < s->n_previous && s->previous[k].pid == p->pid &&
            s->previous[k].start_ticks == p->start_ticks)
            encode_process_change(j, p, &s->previous[k], s->schema->cores);
        else
            encode_process(j, NULL, p, s->schema->cores);
    }
    show_json_close(j, ']');
}

/* Writes the pids that have left the table since the tick before. */
static void encode_gone(struct show_json *j, const struct show_snapshot *s)
{
    size_t i = 0;

    show_json_open(j, "gone", '[');
    for (size_t k = 0; k < s->n_previous; k++) {
        while (i < s->n_processes && s->process[i].pid < s->previous[k].pid)
            i++;
        if (i == s->n_processes || s->process[i].pid != s->previous[k].pid)
            show_json_integer(j, NULL, s->previous[k].pid);
    }
    show_json_close(j, ']');
}

void show_encode_process_changes(struct show_json *j, const struct show_snapshot *s)
{
    show_json_open(j, NULL, '{');
    show_json_string(j, "type", "process_changes");
    show_json_time(j, "t", s->time_ns);
    encode_gone(j, s);
    encode_changed(j, s);
    show_json_close(j, '}');
}

void show_encode_limits(struct show_json *j, const struct show_limit *limit, size_t n)
{
    show_json_open(j, NULL, '[');
    for (size_t i = 0; i < n; i++) {
        show_json_open(j, NULL, '{');
        show_json_string(j, "rule", limit[i].rule);
        show_json_string(j, "severity", record_severity_name(limit[i].severity));
        show_json_bool(j, "builtin", limit[i].builtin);
        show_json_string(j, "state", limit[i].state);
        show_json_close(j, '}');
    }
    show_json_close(j, ']');
}

/* Writes the events that belong to habits, by their ids. */
void show_encode_habits(struct show_json *j, const struct show_habit *habit, size_t n)
{
    show_json_open(j, NULL, '[');
    for (size_t i = 0; i < n; i++) {
        show_json_open(j, NULL, '{');
        show_json_integer(j, "event", habit[i].event_id);
        show_json_time(j, "since", habit[i].since_ns);
        show_json_time(j, "seen", habit[i].seen_ns);
        show_json_close(j, '}');
    }
    show_json_close(j, ']');
}

/* ---- events ---- */

/* Writes the metrics that deviated. A stored event has their names; one of this run may
 * have only the index, which the schema then names. */
static void encode_deviations(struct show_json *j, const struct record_event *event,
                              const struct record_schema *schema)
{
    char name[NAME_SIZE];

    show_json_open(j, "explanation", '[');
    for (size_t i = 0; i < RECORD_TOP && event->explanation[i][0] != '\0'; i++)
        show_json_string(j, NULL, event->explanation[i]);
    show_json_close(j, ']');
    show_json_open(j, "top", '[');
    for (size_t i = 0; i < event->n_top && i < RECORD_TOP; i++) {
        const struct record_deviation *d = &event->top[i];
        bool known = schema != NULL && d->metric < schema->n;

        show_json_open(j, NULL, '{');
        show_json_string(
            j, "metric",
            d->name[0] != '\0' ? d->name
            : known ? record_metric_label(&schema->metric[d->metric], name, sizeof name)
                    : NULL);
        show_json_number(j, "value", d->value);
        show_json_number(j, "expected", d->expected);
        show_json_number(j, "z", d->z);
        show_json_close(j, '}');
    }
    show_json_close(j, ']');
    show_json_open(j, "factors", '[');
    for (size_t i = 0; i < RECORD_TOP && event->factor[i][0] != '\0'; i++)
        show_json_string(j, NULL, event->factor[i]);
    show_json_close(j, ']');
}

/* Writes the limit that an event of a rule is about. "since" is when it was first
 * exceeded. */
static void encode_limit(struct show_json *j, const struct record_limit *limit)
{
    show_json_open(j, "limit", '{');
    show_json_string(j, "rule", limit->rule);
    show_json_bool(j, "above", limit->above);
    show_json_number(j, "value", limit->value);
    show_json_number(j, "for_s", limit->for_s);
    show_json_time(j, "since", limit->since_ns);
    show_json_close(j, '}');
}

/* Writes the suspects with their use before and during the event. */
static void encode_suspects(struct show_json *j, const struct record_event *event,
                            double cores)
{
    show_json_open(j, "suspects", '[');
    for (size_t i = 0; i < event->n_suspects && i < RECORD_SUSPECTS; i++) {
        const struct record_suspect *s = &event->suspect[i];
        /* Memory and disk come as bytes, CPU as percent of a core. */
        double unit = s->resource == RECORD_CPU ? 1 : SHOW_MB;

        show_json_open(j, NULL, '{');
        encode_process(j, "process", &s->process, cores);
        show_json_string(j, "resource", record_resource_name(s->resource));
        show_json_number(j, "before", s->before / unit);
        show_json_number(j, "during", s->during / unit);
        show_json_number(j, "share", s->share);
        show_json_string(j, "of", s->of_use ? "use" : "excess");
        show_json_close(j, '}');
    }
    show_json_close(j, ']');
}

/* Writes the flight recorder: the busiest processes of each moment. */
static void encode_recorder(struct show_json *j, const struct history_moment *moments,
                            size_t n, double cores)
{
    show_json_open(j, "recorder", '[');
    for (size_t i = 0; i < n; i++) {
        show_json_open(j, NULL, '{');
        show_json_time(j, "t", moments[i].time_ns);
        show_json_open(j, "processes", '[');
        for (size_t k = 0; k < moments[i].n; k++)
            encode_process(j, NULL, &moments[i].process[k], cores);
        show_json_close(j, ']');
        show_json_close(j, '}');
    }
    show_json_close(j, ']');
}

void show_encode_event(struct show_json *j, const char *key,
                       const struct record_event *event, const struct show_schema *schema,
                       const struct history_moment *moments, size_t n_moments)
{
    double cores = schema == NULL ? NAN : schema->cores;

    show_json_open(j, key, '{');
    show_json_integer(j, "id", event->id);
    show_json_time(j, "start", event->start_ns);
    show_json_time(j, "peak", event->peak_ns);
    show_json_time(j, "end", event->state == RECORD_EVENT_OPEN ? 0 : event->end_ns);
    show_json_string(j, "severity", record_severity_name(event->severity));
    show_json_number(j, "score", event->score);
    show_json_number(j, "confidence", event->confidence);
    show_json_bool(j, "alerted", event->alerted);
    show_json_string(j, "kind", record_event_kind_name(event->kind));
    show_json_string(j, "pattern", event->pattern);
    show_json_string(j, "reason", event->reason);
    show_json_string(j, "note", event->note);
    if (event->limit.rule[0] != '\0')
        encode_limit(j, &event->limit);
    encode_deviations(j, event, schema == NULL ? NULL : &schema->metrics);
    encode_suspects(j, event, cores);
    show_json_string(j, "feedback", event->feedback);
    show_json_time(j, "feedback_time", event->feedback_ns);
    if (moments != NULL)
        encode_recorder(j, moments, n_moments, cores);
    show_json_close(j, '}');
}

/* ---- history, errors ---- */

/* Writes one row of numbers as a list. */
static void encode_row(struct show_json *j, const char *key, const double *row, size_t n)
{
    show_json_open(j, key, '[');
    for (size_t i = 0; i < n; i++)
        show_json_number(j, NULL, row[i]);
    show_json_close(j, ']');
}

/* Writes the history: the times once, and three rows for each metric. The rows of one
 * metric lie one after another in the arrays of `series`. */
void show_encode_series(struct show_json *j, const struct show_query *query,
                        const struct history_series *series)
{
    show_json_open(j, NULL, '{');
    show_json_time(j, "from", query->from_ns);
    show_json_time(j, "to", query->to_ns);
    show_json_number(j, "step", series->step_s);
    show_json_open(j, "t", '[');
    for (size_t i = 0; i < series->n; i++)
        show_json_time(j, NULL, series->time_ns[i]);
    show_json_close(j, ']');
    show_json_open(j, "series", '{');
    for (size_t k = 0; k < series->n_metrics && k < query->n_metrics; k++) {
        show_json_open(j, query->metric[k], '{');
        encode_row(j, "mean", series->mean + k * series->n, series->n);
        encode_row(j, "min", series->min + k * series->n, series->n);
        encode_row(j, "max", series->max + k * series->n, series->n);
        show_json_close(j, '}');
    }
    show_json_close(j, '}');
    show_json_close(j, '}');
}

/* Writes an error as every address of the API does. An empty hint is left out. */
void show_encode_error(struct show_json *j, const char *code, const char *message,
                       const char *hint)
{
    show_json_open(j, NULL, '{');
    show_json_open(j, "error", '{');
    show_json_string(j, "code", code);
    show_json_string(j, "message", message);
    if (hint != NULL && hint[0] != '\0')
        show_json_string(j, "hint", hint);
    show_json_close(j, '}');
    show_json_close(j, '}');
}
