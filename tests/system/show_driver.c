/* The page's server on made-up records, for tests of the server alone: the metrics, the
 * processes (some with hostile names), the events and the store are those written here,
 * so that a test knows every number.
 *
 *     show_driver [--port N] [--interval-ms N] [--metrics N] [--processes N]
 *                 [--store-delay-ms N] [--no-ticks] [--no-store] [--max-clients N]
 *
 * Prints "port N" when it listens; SIGTERM ends it cleanly. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include <zlib.h>

#include "show/assets.h"
#include "show/server.h"

enum { EVENTS = 30, POINTS = 50 };

struct driver {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t signal;
    show_server *server;
    struct record_schema schema;
    double *value;
    struct record_processes processes;
    struct record_event event;
    char feedback[24];
    uint64_t tick;
    long port, interval_ms, metrics, n_processes, store_delay_ms, max_clients;
    bool no_ticks, no_store, churn;
    const char *address;
};

/* ---- the page ---- */

static const unsigned char page[] = "<!doctype html><title>driver</title>";
static unsigned char script[256];
static struct os_asset assets[2] = {
    {"/index.html", "text/html; charset=utf-8", "a1b2c3", page, sizeof page - 1, false},
    {"/app.js", "text/javascript; charset=utf-8", "d4e5f6", script, 0, true},
};

const struct os_asset *show_assets(size_t *n)
{
    *n = 2;
    return assets;
}

static void pack_script(void)
{
    static const char text[] = "console.log('driver');\n";
    z_stream z = {.next_in = (unsigned char *)text,
                  .avail_in = sizeof text - 1,
                  .next_out = script,
                  .avail_out = sizeof script};

    deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    deflate(&z, Z_FINISH);
    assets[1].size = z.total_out;
    deflateEnd(&z);
}

/* ---- records ---- */

static void fill_schema(struct driver *d)
{
    static const struct record_metric cpu = {.name = "cpu_percent",
                                             .unit = "%",
                                             .help = "CPU use of the machine",
                                             .group = RECORD_GROUP_CPU,
                                             .core = true};
    static const struct record_metric memory = {
        .name = "memory_available_gb", .unit = "GB", .help = "Memory to be had"};
    static const struct record_metric disk = {.name = "disk_busy_percent",
                                              .unit = "%",
                                              .help = "Time a disk was \"busy\"\\\n",
                                              .label_key = "device"};

    record_schema_add(&d->schema, &cpu, NULL);
    record_schema_add(&d->schema, &memory, NULL);
    record_schema_add(&d->schema, &disk, NULL);
    record_schema_add(&d->schema, &disk, "sda");
    record_schema_add(&d->schema, &disk, "evil\"\\\n\xff{}");
    for (long i = 5; i < d->metrics; i++) {
        char label[32];

        snprintf(label, sizeof label, "disk%ld", i);
        record_schema_add(&d->schema, &disk, label);
    }
    d->value = calloc(RECORD_METRICS_MAX, sizeof *d->value);
}

static void fill_processes(struct driver *d)
{
    struct record_process *p;

    d->processes.at = calloc((size_t)d->n_processes, sizeof *d->processes.at);
    d->processes.n = (size_t)d->n_processes;
    d->processes.threads = 1234;
    for (size_t i = 0; i < d->processes.n; i++) {
        p = &d->processes.at[i];
        p->pid = (int)i + 1;
        p->parent = 1;
        p->uid = 1000;
        p->threads = 3;
        p->state = 'S';
        snprintf(p->comm, sizeof p->comm, "worker%zu", i);
        snprintf(p->command, sizeof p->command, "/usr/bin/worker --number %zu", i);
        p->cpu_percent = (double)i / 100;
        p->rss_bytes = 1048576.0 * (double)(i + 1);
        p->pss_bytes = NAN;
        p->swap_bytes = i == 0 ? 1048576 : 0;
        p->major_faults_s = i == 0 ? 2.5 : NAN;
        p->read_bytes_s = i == 7 ? 5e6 : 0;
        p->write_bytes_s = NAN;
        p->gpu_percent = p->gpu_bytes = NAN;
    }
    p = d->processes.at;
    memcpy(p->comm, "<script>\xff\xc0\x80\x1b\"\n", 14);
    memcpy(p->command, "<img src=x onerror=alert(1)>\xed\xa0\x80", 32);
    p->cpu_percent = 90000;
    p->state = '\xfe';
}

static void fill_event(struct record_event *event, int64_t id, int64_t now_ns)
{
    *event = (struct record_event){.id = id,
                                   .start_ns = now_ns - 5000000000,
                                   .peak_ns = now_ns - 3000000000,
                                   .end_ns = now_ns,
                                   .state = RECORD_EVENT_CLOSED,
                                   .severity = RECORD_HIGH,
                                   .score = -0.62,
                                   .confidence = 1,
                                   .alerted = id % 2 == 0,
                                   .kind = RECORD_ANOMALY,
                                   .pattern = "spike",
                                   .reason = "High CPU usage detected",
                                   .n_top = 1,
                                   .n_suspects = 1};
    event->top[0] =
        (struct record_deviation){.metric = 0, .value = 98.5, .expected = 12, .z = 7.25};
    strcpy(event->explanation[0], "cpu_percent: 98.5 (high, expected \xe2\x89\x88"
                                  "12, z=7.2)");
    strcpy(event->factor[0], "CPU: 98.5%");
    event->suspect[0].process.pid = 4242;
    strcpy(event->suspect[0].process.comm, "bad\xffname");
    event->suspect[0].resource = RECORD_DISK_READ;
    event->suspect[0].during = 25 * 1048576.0;
    event->suspect[0].share = 0.9;
}

/* ---- the store ---- */

static enum vd_status read_series(void *context, const struct history_query *query,
                                  struct history_series *out, struct vd_error *err)
{
    const struct driver *d = context;

    usleep((useconds_t)d->store_delay_ms * 1000);
    for (size_t k = 0; k < query->n_metrics; k++)
        if (strcmp(query->metric[k], "no_such_metric") == 0)
            return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "no metric no_such_metric");
    out->n = POINTS;
    out->n_metrics = query->n_metrics;
    out->step_s = (double)(query->to_ns - query->from_ns) / 1e9 / POINTS;
    out->time_ns = calloc(POINTS, sizeof *out->time_ns);
    out->mean = calloc(POINTS * query->n_metrics, sizeof *out->mean);
    out->min = calloc(POINTS * query->n_metrics, sizeof *out->min);
    out->max = calloc(POINTS * query->n_metrics, sizeof *out->max);
    for (size_t i = 0; i < POINTS; i++) {
        out->time_ns[i] = query->from_ns + (int64_t)(out->step_s * 1e9 * (double)i);
        for (size_t k = 0; k < query->n_metrics; k++) {
            out->mean[k * POINTS + i] = i == 3 ? NAN : (double)(i + 100 * k);
            out->min[k * POINTS + i] = (double)i - 1;
            out->max[k * POINTS + i] = (double)i + 1;
        }
    }
    return VD_OK;
}

static enum vd_status read_events(void *context, const struct history_event_query *query,
                                  struct record_event **out, size_t *n,
                                  struct vd_error *err)
{
    const struct driver *d = context;
    int64_t last = query->before_id > 0 ? query->before_id - 1 : EVENTS;

    (void)err;
    usleep((useconds_t)d->store_delay_ms * 1000);
    *out = calloc(EVENTS, sizeof **out);
    *n = 0;
    for (int64_t id = last; id > 0 && *n < query->limit; id--)
        if ((!query->alerted_only || id % 2 == 0) &&
            (query->kind == NULL || strcmp(query->kind, "anomaly") == 0))
            fill_event(&(*out)[(*n)++], id, 1700000000000000000);
    return VD_OK;
}

static enum vd_status read_event(void *context, int64_t id, struct record_event *out,
                                 struct vd_error *err)
{
    (void)context;
    if (id > EVENTS)
        return vd_error_set(err, VD_ERR_DATA, NULL, "there is no event %lld",
                            (long long)id);
    fill_event(out, id, 1700000000000000000);
    return VD_OK;
}

static enum vd_status read_moments(void *context, int64_t event_id,
                                   struct history_moment **out, size_t *n,
                                   struct vd_error *err)
{
    const struct driver *d = context;

    (void)err;
    *n = event_id == 1 ? 0 : 2;
    *out = calloc(2, sizeof **out);
    for (size_t i = 0; i < *n; i++) {
        (*out)[i].time_ns = 1700000000000000000 + (int64_t)i * 1000000000;
        (*out)[i].n = 1;
        (*out)[i].process = calloc(1, sizeof *(*out)[i].process);
        (*out)[i].process[0] = d->processes.at[0];
    }
    return VD_OK;
}

static enum vd_status take_feedback(void *context, int64_t event_id, const char *feedback,
                                    struct vd_error *err)
{
    struct driver *d = context;

    if (event_id > EVENTS)
        return vd_error_set(err, VD_ERR_DATA, NULL, "there is no event %lld",
                            (long long)event_id);
    snprintf(d->feedback, sizeof d->feedback, "%s", feedback);
    return VD_OK;
}

static void give_status(void *context, struct show_status *out)
{
    struct driver *d = context;

    out->host = "driver";
    out->state = "watching";
    out->started_ns = 1700000000000000000;
    out->interval_s = (double)d->interval_ms / 1000;
    out->confidence = 0.5;
    out->points = d->tick;
    out->budget_per_week = 1;
    out->achieved_per_week = NAN;
    out->threshold_surprise = 5.78;
    out->self_rss_bytes = 12 * 1048576.0;
    out->dropped = 3;
    out->stage_name[0] = "collect";
    out->stage_us[0] = 812.5;
    out->n_stages = 1;
    out->sink[0] = (struct show_sink){"sqlite", NULL, 10, 1, 0};
    out->sink[1] = (struct show_sink){"kafka", "built without librdkafka", 0, 0, 0};
    out->n_sinks = 2;
    out->receiver[0] = (struct show_receiver){
        "webhook", NULL, "failing", 7, 3, 2, 1, 4, 61.5, 90, true, "answered \"500\""};
    out->n_receivers = 1;
    out->trouble[0] =
        (struct show_trouble){"filesystems", INT64_C(1700000001500000000),
                              "the file system at /mnt/\xff does not answer"};
    out->n_troubles = 1;
    out->detector[0] = (struct show_detector){
        "isolation_forest", "Isolation forest", NULL, true, false, 1.5, 2.5, 9};
    out->n_detectors = 1;
}

/* ---- the loop ---- */

/* Every 10th tick an event opens, the next two update it, the fourth ends it. */
static void set_event(struct driver *d, struct record *record)
{
    uint64_t phase = d->tick % 10;

    if (phase > 3)
        return;
    if (phase == 0)
        fill_event(&d->event, EVENTS + 1 + (int64_t)(d->tick / 10), record->time_ns);
    d->event.state = phase < 3 ? RECORD_EVENT_OPEN : RECORD_EVENT_CLOSED;
    record->event = &d->event;
    record->change = phase == 0  ? RECORD_EVENT_OPENED
                     : phase < 3 ? RECORD_EVENT_UPDATED
                                 : RECORD_EVENT_ENDED;
}

static void on_tick(uv_timer_t *timer)
{
    struct driver *d = timer->data;
    static const struct record_metric plugged = {
        .name = "disk_busy_percent", .unit = "%", .help = "", .label_key = "device"};
    struct timespec now;
    struct record record = {.tick = d->tick, .schema = &d->schema, .value = d->value};

    clock_gettime(CLOCK_REALTIME, &now);
    record.time_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    record.jitter_ns = 250000;
    record.processes = &d->processes;
    if (d->churn) { /* one process changes, one ends, one begins */
        d->processes.at[d->tick % (d->processes.n - 1)].threads++;
        d->processes.at[d->processes.n - 1].pid = 100000 + (int)d->tick;
    }
    if (d->tick == 5)
        record_schema_add(&d->schema, &plugged, "plugged");
    for (size_t i = 0; i < d->schema.n; i++)
        d->value[i] = i % 7 == 5 ? NAN : (double)d->tick + (double)i / 3;
    record.verdict.n = 2;
    record.verdict.detector[0] =
        (struct record_score){"isolation_forest", true, 0.4, 1.25, 0.78, 1.5};
    record.verdict.detector[1] = (struct record_score){"pca", false, NAN, NAN, NAN, NAN};
    record.verdict.score = 0.78;
    record.verdict.confidence = 0.5;
    record.verdict.latency_us = 3;
    set_event(d, &record);
    d->tick++;
    show_server_publish(d->server, &record);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct driver *d = signal->data;

    (void)number;
    uv_timer_stop(&d->timer);
    uv_close((uv_handle_t *)&d->timer, NULL);
    uv_close((uv_handle_t *)signal, NULL);
    show_server_free(d->server);
}

static void read_options(struct driver *d, int argc, char **argv)
{
    d->address = "127.0.0.1";
    struct {
        const char *name;
        long *number;
        bool *flag;
    } option[] = {
        {"--port", &d->port, NULL},
        {"--interval-ms", &d->interval_ms, NULL},
        {"--metrics", &d->metrics, NULL},
        {"--processes", &d->n_processes, NULL},
        {"--store-delay-ms", &d->store_delay_ms, NULL},
        {"--max-clients", &d->max_clients, NULL},
        {"--no-ticks", NULL, &d->no_ticks},
        {"--no-store", NULL, &d->no_store},
        {"--churn", NULL, &d->churn},
    };

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--address") == 0 && i + 1 < argc)
            d->address = argv[++i];
        for (size_t k = 0; k < sizeof option / sizeof *option; k++) {
            if (strcmp(argv[i], option[k].name) != 0)
                continue;
            if (option[k].flag != NULL)
                *option[k].flag = true;
            else if (i + 1 < argc)
                *option[k].number = strtol(argv[++i], NULL, 10);
            break;
        }
    }
}

int main(int argc, char **argv)
{
    struct driver d = {
        .interval_ms = 100, .metrics = 20, .n_processes = 50, .max_clients = 8};
    struct history_reader reader = {.context = &d,
                                    .series = read_series,
                                    .events = read_events,
                                    .event = read_event,
                                    .moments = read_moments};
    struct show_source source = {.context = &d,
                                 .status = give_status,
                                 .history = &reader,
                                 .feedback = take_feedback};
    struct show_config config = show_config_default();
    struct vd_error err = {0};

    read_options(&d, argc, argv);
    pack_script();
    fill_schema(&d);
    fill_processes(&d);
    config.port = (int)d.port;
    config.address = d.address;
    config.max_clients = (size_t)d.max_clients;
    config.version = "0.0.test";
    if (d.no_store)
        source.history = NULL;
    uv_loop_init(&d.loop);
    if (show_server_new(&d.server, &d.loop, &config, &source, &err) != VD_OK) {
        fprintf(stderr, "%s (%s)\n", err.text, err.hint);
        return 1;
    }
    uv_timer_init(&d.loop, &d.timer);
    d.timer.data = &d;
    if (!d.no_ticks)
        uv_timer_start(&d.timer, on_tick, 0, (uint64_t)d.interval_ms);
    uv_signal_init(&d.loop, &d.signal);
    d.signal.data = &d;
    uv_signal_start(&d.signal, on_signal, SIGTERM);
    printf("port %d\n", show_server_port(d.server));
    fflush(stdout);
    uv_run(&d.loop, UV_RUN_DEFAULT);
    free(d.processes.at);
    free(d.value);
    record_schema_release(&d.schema);
    return uv_loop_close(&d.loop) == 0 ? 0 : 2;
}
