/* The store and the alert channels without the monitor around them, for the system tests:
 *
 *     store_driver push DIR FROM N PAUSE_US [MAX_BYTES]
 *         pushes ticks FROM .. FROM+N-1 and prints "acked K" when the first K of this run
 *         are committed, at the end "done SENT RETRIED LOST" of the database's sink
 *     store_driver alert N PAUSE_MS [webhook=URL] [desktop] [timeout=S] [close=S]
 *         sends N events and prints "NAME SENT RETRIED LOST WAITING" of each channel;
 * LOST is what was given up and what was pushed out
 *
 * What the store and the channels say goes to standard error.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alert/channels.h"
#include "store/sinks.h"

enum { METRICS = 50 };

/* "0 text" for what is worth knowing, 1 for a warning, 2 for an error. */
static void listen(void *context, enum os_log_level level, const char *text)
{
    (void)context;
    fprintf(stderr, "%d %s\n", (int)level - OS_LOG_INFO, text);
}

static void make_schema(struct record_schema *schema)
{
    static const struct record_metric row[] = {
        {.name = "cpu_percent", .unit = "%", .scale = 1},
        {.name = "disk_busy_percent", .unit = "%", .scale = 1, .label_key = "device"},
    };

    record_schema_add(schema, &row[0], NULL);
    for (int i = 1; i < METRICS; i++) {
        char label[16];

        snprintf(label, sizeof label, "sd%d", i);
        record_schema_add(schema, &row[1], label);
    }
}

static void make_event(struct record_event *event, int64_t id)
{
    memset(event, 0, sizeof *event);
    event->id = id;
    event->start_ns = event->peak_ns = (int64_t)time(NULL) * 1000000000;
    event->severity = RECORD_HIGH;
    event->score = -0.6;
    event->alerted = true;
    event->kind = RECORD_ANOMALY;
    snprintf(event->reason, sizeof event->reason, "High CPU usage <b>detected</b> %lld",
             (long long)id);
    snprintf(event->explanation[0], sizeof event->explanation[0],
             "cpu_percent: 97.1 (high, expected ≈9.4, z=8.8)");
    event->n_top = 1;
    event->suspect[0].process.pid = 4242;
    snprintf(event->suspect[0].process.comm, RECORD_COMM_MAX, "burn\x1b[2J");
    event->suspect[0].resource = RECORD_CPU;
    event->suspect[0].share = 0.8;
    event->n_suspects = 1;
}

/* What the database's sink has done so far. */
static struct store_counters counters_of(store_set *set)
{
    struct store_counters counters[12];
    size_t n = store_set_counters(set, counters, 12);

    for (size_t i = 0; i < n; i++)
        if (strcmp(counters[i].name, "sqlite") == 0)
            return counters[i];
    return (struct store_counters){0};
}

static void tell(const char *text)
{
    if (write(STDOUT_FILENO, text, strlen(text)) < 0)
        exit(1);
}

static void push_tick(store_set *set, struct record_schema *schema, long k)
{
    double value[METRICS];
    struct record_event event;
    struct record record = {.time_ns = (INT64_C(1700000000) + k) * 1000000000,
                            .mono_ns = (int64_t)k * 1000000000,
                            .tick = (uint64_t)k,
                            .schema = schema,
                            .value = value};

    for (int i = 0; i < METRICS; i++)
        value[i] = (double)(k % 1000) + i;
    record.verdict.n = 1;
    record.verdict.detector[0].name = "isolation_forest";
    record.verdict.score = 0.5;
    if (k % 7 == 0) {
        make_event(&event, store_set_next_event_id(set));
        event.start_ns = event.peak_ns = record.time_ns;
        record.event = &event;
        record.change = RECORD_EVENT_OPENED;
    }
    store_set_push(set, &record);
}

static int push(int argc, char **argv)
{
    struct store_config config = store_config_default();
    struct record_schema schema = {0};
    struct store_counters counters;
    struct vd_error err = {0};
    uint64_t acked = 0;
    store_set *set;
    char line[64];
    long from, n, pause_us;

    if (argc < 6)
        return 2;
    from = atol(argv[3]);
    n = atol(argv[4]);
    pause_us = atol(argv[5]);
    config.dir = argv[2];
    config.log.hear = listen;
    config.retention_raw_s = 1e9; /* the ticks are of 2023 */
    config.retention_minute_s = 1e9;
    config.retention_hour_s = 1e9;
    if (argc > 6)
        config.max_bytes = atof(argv[6]);
    if (store_set_new(&set, &config, &err) != VD_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    make_schema(&schema);
    for (long k = from; k < from + n; k++) {
        push_tick(set, &schema, k);
        if (pause_us > 0)
            usleep((useconds_t)pause_us);
        counters = counters_of(set);
        if (counters.sent != acked) {
            acked = counters.sent;
            snprintf(line, sizeof line, "acked %llu\n", (unsigned long long)acked);
            tell(line);
        }
    }
    store_set_settle(set, 60);
    counters = counters_of(set);
    snprintf(line, sizeof line, "done %llu %llu %llu\n",
             (unsigned long long)counters.sent, (unsigned long long)counters.retried,
             (unsigned long long)counters.lost);
    tell(line);
    store_set_close(set);
    record_schema_release(&schema);
    return 0;
}

static int alert(int argc, char **argv)
{
    struct alert_channels_config config = alert_channels_config_default();
    struct alert_counters counters[8];
    alert_channels *channels;
    struct record_event event;
    struct vd_error err = {0};
    size_t n;

    config.terminal = config.desktop = false;
    config.log.hear = listen;
    config.host = "testhost";
    for (int i = 4; i < argc; i++) {
        if (strcmp(argv[i], "desktop") == 0)
            config.desktop = true;
        if (strncmp(argv[i], "webhook=", 8) == 0)
            config.webhook = argv[i] + 8;
        if (strncmp(argv[i], "timeout=", 8) == 0)
            config.webhook_timeout_s = atof(argv[i] + 8);
        if (strncmp(argv[i], "close=", 6) == 0)
            config.close_s = atof(argv[i] + 6);
    }
    if (alert_channels_new(&channels, &config, &err) != VD_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (int k = 0; k < atoi(argv[2]); k++) {
        make_event(&event, k + 1);
        alert_channels_send(channels, &event, RECORD_EVENT_OPENED);
        usleep((useconds_t)atoi(argv[3]) * 1000);
    }
    n = alert_channels_counters(channels, counters, 8);
    for (size_t i = 0; i < n; i++)
        printf("%s %llu %llu %llu %llu\n", counters[i].name,
               (unsigned long long)counters[i].sent,
               (unsigned long long)counters[i].retried,
               (unsigned long long)(counters[i].given_up + counters[i].lost),
               (unsigned long long)counters[i].waiting);
    fflush(stdout);
    alert_channels_free(channels);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "push") == 0)
        return push(argc, argv);
    if (argc >= 4 && strcmp(argv[1], "alert") == 0)
        return alert(argc, argv);
    return 2;
}
