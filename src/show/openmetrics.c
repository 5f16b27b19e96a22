/* The state as a scrape sees it: OpenMetrics 1.0, or the older text format (0.0.4) for
 * those who do not ask for it. One family after the other, its samples together; what is
 * not available is left out. */
#include "show/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "metrics.h"
#include "os/utf8.h"

/* Holds the text under way and which of the two formats it is in. */
struct page {
    struct show_json *out;
    bool openmetrics;
};

static void put(struct page *p, const char *text)
{
    show_json_append(p->out, text, strlen(text));
}

/* Writes all digits: a counter of bytes must not stand still between two scrapes. */
static void put_number(struct page *p, double value)
{
    char text[40];

    /* All digits: a counter of bytes must not stand still between two scrapes. */
    snprintf(text, sizeof text, "%.15g", value);
    put(p, text);
}

/* Escapes backslash, line feed and (but in help texts of the older format) quote, and
 * replaces bytes that are not UTF-8. A scraper refuses the whole page for one wrong
 * byte. */
static void put_escaped(struct page *p, const char *text, bool quotes)
{
    size_t left = strlen(text);

    while (left > 0) {
        size_t length = os_utf8_length(text, left);

        if (length == 0)
            put(p, "\xef\xbf\xbd");
        else if (*text == '\n')
            put(p, "\\n");
        else if ((*text == '"' && quotes) || *text == '\\') {
            show_json_append(p->out, "\\", 1);
            show_json_append(p->out, text, 1);
        } else
            show_json_append(p->out, text, length);
        length += length == 0;
        text += length;
        left -= length;
    }
}

/* Writes the lines of a family. In OpenMetrics a counter's family has no "_total" and its
 * samples do; in the older format both have it. */
static void family(struct page *p, const char *name, const char *type, const char *help)
{
    bool total = strcmp(type, "counter") == 0 && !p->openmetrics;

    put(p, "# TYPE ");
    put(p, name);
    put(p, total ? "_total " : " ");
    /* The older format has no info type. */
    put(p, strcmp(type, "info") == 0 && !p->openmetrics ? "gauge" : type);
    put(p, "\n# HELP ");
    put(p, name);
    put(p, total ? "_total " : " ");
    put_escaped(p, help, p->openmetrics);
    put(p, "\n");
}

/* Writes one sample, with a label where `key` is not NULL. A value that is not known has
 * no line. */
static void sample(struct page *p, const char *name, const char *suffix, const char *key,
                   const char *label, double value)
{
    if (isnan(value))
        return;
    put(p, name);
    put(p, suffix);
    if (key != NULL) {
        put(p, "{");
        put(p, key);
        put(p, "=\"");
        put_escaped(p, label, true);
        put(p, "\"}");
    }
    put(p, " ");
    put_number(p, value);
    put(p, "\n");
}

static void gauge(struct page *p, const char *name, const char *help, double value)
{
    if (isnan(value))
        return;
    family(p, name, "gauge", help);
    sample(p, name, "", NULL, NULL, value);
}

static void counter(struct page *p, const char *name, const char *help, double value)
{
    family(p, name, "counter", help);
    sample(p, name, "_total", NULL, NULL, value);
}

/* ---- the machine ---- */

/* Turns units into those of Prometheus: bytes, seconds and hertz. A name that ends in
 * ours gets theirs. */
static const struct rebase {
    const char *unit, *ours, *theirs;
    double factor;
} rebases[] = {
    {"MB/s", "_mb", "_bytes_per_second", SHOW_MB},
    {"MB", "_mb", "_bytes", SHOW_MB},
    {"GB", "_gb", "_bytes", SHOW_MB * 1024},
    {"ms", "_ms", "_seconds", 1e-3},
    {"MHz", "", "_hertz", 1e6},
    {"C", "", "_celsius", 1},
};

enum { SCRAPE_NAME = RECORD_NAME_MAX + 48 };

/* Makes the name of a metric's family in a scrape and returns the factor to its unit
 * there. Where node_exporter has the metric, its name is used, so that its dashboards
 * fit. */
static double scrape_name(const struct record_metric *m, bool whole, char *name)
{
    double factor;
    const char *node = metrics_node_name(m->name, &factor);
    const char *unit = m->unit == NULL ? "" : m->unit;
    size_t length = strlen(m->name);

    if (node != NULL) {
        snprintf(name, SCRAPE_NAME, "%s", node);
        return factor;
    }
    for (size_t i = 0; i < sizeof rebases / sizeof *rebases; i++) {
        const struct rebase *r = &rebases[i];
        size_t end = strlen(r->ours);

        if (strcmp(unit, r->unit) != 0 || length <= end ||
            strcmp(m->name + length - end, r->ours) != 0)
            continue;
        snprintf(name, SCRAPE_NAME, "vedette_%s%.*s%s", whole ? "machine_" : "",
                 (int)(length - end), m->name, r->theirs);
        return r->factor;
    }
    snprintf(name, SCRAPE_NAME, "vedette_%s%s", whole ? "machine_" : "", m->name);
    return 1;
}

/* Writes one line per metric of the family: of those with a label, or of the one without.
 * `next` links the metrics of one family; 0 ends, since the first of a family is never
 * the next of another. */
static void machine_samples(struct page *p, const struct show_snapshot *s, size_t first,
                            const char *name, double factor, bool labelled)
{
    const struct record_metric *metric = s->schema->metrics.metric;
    size_t i = first;

    do {
        const struct record_metric *m = &metric[i];
        const char *key = m->label_key != NULL ? m->label_key : "label";

        if ((m->label[0] != '\0') == labelled)
            sample(p, name, "", labelled ? key : NULL, m->label, s->value[i] * factor);
        i = s->schema->next[i];
    } while (i != 0);
}

/* Tells whether the family has a value now, as a family without samples should not be
 * named. */
static bool has_sample(const struct show_snapshot *s, size_t first, bool labelled)
{
    size_t i = first;

    do {
        if ((s->schema->metrics.metric[i].label[0] != '\0') == labelled &&
            !isnan(s->value[i]))
            return true;
        i = s->schema->next[i];
    } while (i != 0);
    return false;
}

/* Writes a family. One that is known for each device and for the machine as a whole
 * becomes two, so that a sum over it counts nothing twice. */
static void machine_family(struct page *p, const struct show_snapshot *s, size_t first)
{
    const struct record_metric *m = &s->schema->metrics.metric[first];
    bool devices = has_sample(s, first, true), whole = has_sample(s, first, false);
    const char *help = m->help == NULL ? "" : m->help;
    char name[SCRAPE_NAME];
    double factor;

    if (devices) {
        factor = scrape_name(m, false, name);
        family(p, name, "gauge", help);
        machine_samples(p, s, first, name, factor, true);
    }
    if (whole) {
        factor = scrape_name(m, devices, name);
        family(p, name, "gauge", help);
        machine_samples(p, s, first, name, factor, false);
    }
}

/* Writes the metrics of the machine, family by family: the formats want the samples of
 * one family together. */
static void machine(struct page *p, const struct show_snapshot *s)
{
    if (!s->filled)
        return;
    for (size_t i = 0; i < s->schema->n_families; i++) {
        size_t first = s->schema->first[i];

        /* The program's own use has the names that every program's has, below. */
        if (s->schema->metrics.metric[first].group != RECORD_GROUP_SELF)
            machine_family(p, s, first);
    }
    if (s->has_processes)
        gauge(p, "vedette_processes_dropped", "Processes beyond the table's limit.",
              (double)s->dropped_processes);
}

/* ---- the verdict ---- */

/* Writes what the detectors said of the last tick. One that is not ready has no line. */
static void verdict(struct page *p, const struct show_snapshot *s)
{
    const struct record_verdict *v = &s->verdict;

    if (!s->filled)
        return;
    gauge(p, "vedette_anomaly_score",
          "Combined score of the last tick: 1 normal, below 0 anomalous, -1 worst.",
          v->score);
    gauge(p, "vedette_confidence", "How much of the warm-up has been seen, 0 to 1.",
          v->confidence);
    gauge(p, "vedette_detect_seconds", "Time all detectors took on the last tick.",
          v->latency_us / 1e6);
    family(p, "vedette_detector_score", "gauge",
           "Score of one detector on the last tick, as vedette_anomaly_score.");
    for (size_t i = 0; i < v->n; i++)
        sample(p, "vedette_detector_score", "", "detector", v->detector[i].name,
               v->detector[i].ready ? v->detector[i].score : NAN);
    family(p, "vedette_detector_seconds", "gauge",
           "Time one detector took on the last tick.");
    for (size_t i = 0; i < v->n; i++)
        sample(p, "vedette_detector_seconds", "", "detector", v->detector[i].name,
               v->detector[i].ready ? v->detector[i].latency_us / 1e6 : NAN);
    gauge(p, "vedette_tick_jitter_seconds", "How late the last tick began.",
          (double)s->jitter_ns / 1e9);
    gauge(p, "vedette_tick_timestamp_seconds", "When the last tick began, since 1970.",
          (double)(s->time_ns / 1000000) / 1e3);
}

/* Writes the counters of events and alerts. All severities are there from the start, so
 * that a rate can be taken of the first event. */
static void alerts(struct page *p, const struct show_server *server,
                   const struct show_status *status)
{
    family(p, "vedette_events", "counter", "Events opened since the start.");
    for (int i = RECORD_LOW; i <= RECORD_CRITICAL; i++)
        sample(p, "vedette_events", "_total", "severity",
               record_severity_name((enum record_severity)i), (double)server->events[i]);
    counter(p, "vedette_points", "Ticks seen.", (double)status->points);
    counter(p, "vedette_anomalies", "Ticks found anomalous.", (double)status->anomalies);
    counter(p, "vedette_alerts", "Alerts that went out.", (double)status->alerts);
    gauge(p, "vedette_budget_per_week", "False alarms allowed in a week.",
          status->budget_per_week);
    gauge(p, "vedette_false_alarms_per_week", "False alarms measured, per week.",
          status->achieved_per_week);
    gauge(p, "vedette_threshold_surprise",
          "Surprise (-log10 of the tail probability) at which the score is 0.",
          status->threshold_surprise);
    gauge(p, "vedette_training_rows", "Rows the models were last trained on.",
          (double)status->training_rows);
    gauge(p, "vedette_quarantined_rows", "Rows kept out of training.",
          (double)status->quarantined_rows);
}

/* ---- the program ---- */

/* Writes three counters for each sink, family by family. */
static void sinks(struct page *p, const struct show_status *status)
{
    static const struct {
        const char *name, *help;
    } kind[] = {
        {"vedette_sink_sent", "Records a sink took."},
        {"vedette_sink_retried", "Records a sink was asked again to take."},
        {"vedette_sink_lost", "Records a sink lost."},
    };

    for (size_t k = 0; k < 3; k++) {
        family(p, kind[k].name, "counter", kind[k].help);
        for (size_t i = 0; i < status->n_sinks; i++) {
            const struct show_sink *sink = &status->sink[i];
            const uint64_t value[] = {sink->sent, sink->retried, sink->lost};

            sample(p, kind[k].name, "_total", "sink", sink->name, (double)value[k]);
        }
    }
}

/* Writes what became of the alerts, in the order of `kind`. */
static void receivers(struct page *p, const struct show_status *status)
{
    static const struct {
        const char *name, *help;
        bool counter;
    } kind[] = {
        {"vedette_receiver_sent", "Alerts a receiver took.", true},
        {"vedette_receiver_retried", "Alerts that were tried again.", true},
        {"vedette_receiver_given_up", "Alerts refused, or too old to be told.", true},
        {"vedette_receiver_lost", "Alerts that left a full outbox.", true},
        {"vedette_receiver_waiting", "Alerts that wait for a receiver.", false},
        {"vedette_receiver_failing_seconds", "For how long a receiver fails.", false},
    };

    for (size_t k = 0; k < sizeof kind / sizeof kind[0]; k++) {
        family(p, kind[k].name, kind[k].counter ? "counter" : "gauge", kind[k].help);
        for (size_t i = 0; i < status->n_receivers; i++) {
            const struct show_receiver *r = &status->receiver[i];
            const double value[] = {(double)r->sent,     (double)r->retried,
                                    (double)r->given_up, (double)r->lost,
                                    (double)r->waiting,  r->failing_s};

            sample(p, kind[k].name, kind[k].counter ? "_total" : "", "receiver", r->name,
                   value[k]);
        }
    }
}

/* Writes a series for each collector that fails. The number of them is there always, to
 * alert by. */
static void collectors(struct page *p, const struct show_status *status)
{
    gauge(p, "vedette_collectors_failing",
          "Sources that have failed for a minute or more.", (double)status->n_troubles);
    family(p, "vedette_collector_failing", "gauge",
           "1: this source has failed for a minute.");
    for (size_t i = 0; i < status->n_troubles; i++)
        sample(p, "vedette_collector_failing", "", "collector", status->trouble[i].name,
               1);
}

/* Gives the CPU time of the whole process, user and system together. */
static double cpu_seconds(void)
{
    struct rusage use;

    if (getrusage(RUSAGE_SELF, &use) != 0)
        return NAN;
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* Writes the use of the program itself, by the names that every program's metrics
 * have. */
static void program(struct page *p, const struct show_server *server,
                    const struct show_status *status)
{
    family(p, p->openmetrics ? "vedette_build" : "vedette_build_info", "info",
           "The version that runs.");
    sample(p, "vedette_build", "_info", "version", server->version, 1);
    gauge(p, "vedette_interval_seconds", "Time between two ticks.", status->interval_s);
    counter(p, "process_cpu_seconds", "CPU time it took itself.", cpu_seconds());
    gauge(p, "process_resident_memory_bytes", "Memory it takes itself.",
          status->self_rss_bytes);
    gauge(p, "process_start_time_seconds", "When it started, since 1970.",
          (double)(status->started_ns / 1000000) / 1e3);
    family(p, "vedette_stage_seconds", "gauge", "Time of a stage on the last tick.");
    for (size_t i = 0; i < status->n_stages; i++)
        sample(p, "vedette_stage_seconds", "", "stage", status->stage_name[i],
               status->stage_us[i] / 1e6);
    counter(p, "vedette_dropped", "Samples, metrics and processes left out.",
            (double)status->dropped);
    sinks(p, status);
    receivers(p, status);
    collectors(p, status);
    gauge(p, "vedette_live_clients", "Pages that are connected.",
          (double)server->n_clients);
    counter(p, "vedette_live_clients_dropped", "Pages dropped because they were slow.",
            (double)server->dropped_clients);
    counter(p, "vedette_http_requests", "Requests answered.", (double)server->requests);
    counter(p, "vedette_http_refused", "Requests refused: malformed or of strangers.",
            (double)server->refused);
    counter(p, "vedette_http_evicted", "Connections closed to make room for others.",
            (double)server->evicted);
    counter(p, "vedette_http_timed_out", "Connections closed at a deadline.",
            (double)server->timed_out);
}

void show_openmetrics(struct show_json *out, struct show_server *server, bool openmetrics)
{
    struct page page = {.out = out, .openmetrics = openmetrics};
    struct show_status status;

    show_ask_status(server, &status);
    machine(&page, &server->snapshot);
    verdict(&page, &server->snapshot);
    alerts(&page, server, &status);
    program(&page, server, &status);
    if (openmetrics)
        put(&page, "# EOF\n");
}
