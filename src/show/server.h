/* The dashboard's server: HTTP, WebSocket, JSON API (docs/api.md) and OpenMetrics, on the
 * program's libuv loop. All calls from the loop's thread.
 *
 * Safe by default: loopback only, Host and Origin checked on every request and upgrade, a
 * strict content security policy, bounded connections and messages, slow clients
 * conflated and then dropped.
 */
#ifndef VD_SHOW_SERVER_H
#define VD_SHOW_SERVER_H

#include <uv.h>

#include "history.h"
#include "os/data_dir.h"
#include "record.h"
#include "show/json.h"

typedef struct show_server show_server;

struct show_config {
    const char *address; /* "127.0.0.1"; anything but loopback is refused for now */
    int port;            /* 5000; 0 = any free one */
    size_t max_clients;  /* WebSocket clients at once, 32 */
    const char *version;
    double upload_max;   /* bytes of one table; 0 = nothing is taken */
    double uploads_disk; /* bytes of all analyses that are kept */
};

struct show_config show_config_default(void);

enum { SHOW_TROUBLES = 8, SHOW_SINKS_MAX = 12 };

/* What the page says about the program itself; the monitor fills it in on request. */
struct show_status {
    const char *host;
    const char *state; /* "warming", "learning", "watching", "paused" */
    int64_t started_ns;
    double interval_s, confidence;
    int64_t habit_ns; /* what is odd now is a habit since then; 0 = it is none */
    uint64_t points, anomalies, alerts;
    double budget_per_week;    /* the setting */
    double budget_used;        /* alerts of the last seven days that nobody confirmed */
    double achieved_per_week;  /* measured; NaN = too early to say */
    double threshold_surprise; /* s0 */
    double trained_ns, next_training_ns; /* 0 = not yet */
    size_t training_rows, quarantined_rows;
    double self_cpu_percent, self_rss_bytes; /* of one core */
    uint64_t dropped;          /* samples, metrics, processes: all that was left out */
    const char *stage_name[8]; /* time of the last tick per stage */
    double stage_us[8];
    size_t n_stages;
    struct show_sink {
        const char *name, *unavailable;
        uint64_t sent, retried, lost;
    } sink[SHOW_SINKS_MAX];
    size_t n_sinks;
    struct show_trouble { /* sources that have failed for a minute or more */
        const char *name;
        int64_t since_ns;
        char reason[384];
    } trouble[SHOW_TROUBLES];
    size_t n_troubles;
    struct show_receiver { /* of alerts */
        const char *name, *unavailable;
        const char *state; /* "well", "slow", "failing" */
        uint64_t sent, retried, waiting, given_up, lost;
        double failing_s, oldest_s; /* 0 = it does not fail; nothing waits */
        bool kept;                  /* what waits outlives the program */
        char error[160];            /* "" = none */
    } receiver[8];
    size_t n_receivers;
    struct show_detector { /* the detectors' table and their running figures */
        const char *name, *title, *unavailable;
        bool ready;
        bool from_labels; /* learns from what people say of events, and from nothing else
                           */
        double average_us, p99_us, max_us;
    } detector[RECORD_DETECTORS_MAX];
    size_t n_detectors;
};

/* A hard limit, and how it stands. */
enum { SHOW_LIMITS_MAX = 64 };
struct show_limit {
    char rule[RECORD_RULE_MAX]; /* "cpu_percent > 95 for 10 s" */
    enum record_severity severity;
    bool builtin;
    const char *state; /* "kept", "exceeded", "off", "no metric"; static */
};

/* An event whose like comes and goes so often that it is none any more. */
enum { SHOW_HABITS_MAX = 256 };
struct show_habit {
    int64_t event_id;
    int64_t since_ns, seen_ns; /* the first of them began; one came last */
};

/* How an uploaded table is to be analysed. */
struct show_analysis_settings {
    double contamination; /* share of the rows to flag; NaN = by the calibrated tail */
    char detector[32];    /* "" = chosen */
    uint64_t seed;
    bool raw_counters; /* of prmon's tables */
};

/* An analysis that is to be done, on a thread of its own. */
struct show_analysis_task {
    const char *input;  /* the table */
    const char *title;  /* what it is called in texts */
    const char *output; /* the scored rows as CSV are written there */
    const char *report; /* and a report as one page of HTML, where this build has it */
    const struct show_analysis_settings *settings;
    /* Is told how much is done, 0 .. 1, and of how many rows; false ends it. */
    bool (*progress)(void *context, double done, size_t rows);
    /* Is given how surprising each row is, in order: -log10 of its probability. */
    void (*take_row)(void *context, double surprise);
    void *context;
};

/* What the server asks of the monitor. Called in the loop's thread but for `history`. */
struct show_source {
    void *context;
    void (*status)(void *context, struct show_status *out);
    /* All limits, built in or written down; returns how many. */
    size_t (*limits)(void *context, struct show_limit out[SHOW_LIMITS_MAX]);
    /* The events that belong to a habit; returns how many. */
    size_t (*habits)(void *context, struct show_habit out[SHOW_HABITS_MAX]);
    const struct history_reader *history; /* called on worker threads */
    /* The operator said what an event was: "normal", "real", "expected", "" = undone. */
    enum vd_status (*feedback)(void *context, int64_t event_id, const char *feedback,
                               struct vd_error *err);
    /* What that would change. Called on worker threads. */
    enum vd_status (*preview)(void *context, int64_t event_id, const char *feedback,
                              struct record_preview *out, struct vd_error *err);
    /* Analyses a table. On success `summary` and `result` are JSON objects, a few lines
     * and all that was found. Called on threads of their own; NULL = nobody does. */
    enum vd_status (*analyse)(void *context, const struct show_analysis_task *task,
                              struct show_json *summary, struct show_json *result,
                              struct vd_error *err);
    const struct os_data_dir *folder; /* where tables are kept; NULL = nowhere */
};

/* Listens. VD_ERR_BUSY with a hint when the port is taken. */
enum vd_status show_server_new(show_server **out, uv_loop_t *loop,
                               const struct show_config *config,
                               const struct show_source *source, struct vd_error *err);

/* The port it listens on. */
int show_server_port(const show_server *server);

/* The latest tick: kept for new clients, sent to those who are there. Nothing in `record`
 * is used after the call. */
void show_server_publish(show_server *server, const struct record *record);

/* Closes all connections and waits for questions to the store that have begun: after it
 * `source` is not used any more. The loop must then run until it has nothing left to do,
 * which takes a few turns. NULL is allowed. Not from within a call that the server makes.
 */
void show_server_free(show_server *server);

#endif
