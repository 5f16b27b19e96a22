/* The monitor's insides, shared by its files: monitor.c (tick, start, stop), work.c
 * (trainings and saving on worker threads), restore.c (what the last run left),
 * feedback.c, alerts.c (the store as keeper of what receivers are owed), names.c (names
 * in the settings), status.c and troubles.c (answers for the page), analyse.c (uploaded
 * tables).
 */
#ifndef VD_MONITOR_STATE_H
#define VD_MONITOR_STATE_H

#include "monitor/monitor.h"

enum monitor_stage {
    MONITOR_COLLECT,
    MONITOR_FEATURE,
    MONITOR_DETECT,
    MONITOR_EXPLAIN,
    MONITOR_STORE,
    MONITOR_SHOW,
    MONITOR_STAGES
};

enum { MONITOR_LATENCIES = 512 };

/* What the models are called in the store. */
#define MONITOR_MODEL "monitor"

/* Latencies of one detector, for the average and the 99th percentile. */
struct monitor_latency {
    const char *name;
    float us[MONITOR_LATENCIES];
    size_t n, next;
    double max;
    bool ready;
};

/* Work for a worker's thread, and its end on the loop's. */
struct monitor_work {
    uv_work_t request;
    monitor *m;
};

struct monitor {
    struct monitor_config config;
    struct record_schema schema;
    struct record_sample sample;
    collect_set *collect;
    host *host;
    alert_channels *channels;
    store_set *store;  /* NULL = off */
    show_server *show; /* NULL = off */

    unsigned database; /* generation of the store's that holds what receivers are owed */
    int64_t last_event_id; /* where there is no store */
    int64_t started_ns;    /* wall clock */
    int64_t save_due_ns;   /* monotonic */
    host_job *job;         /* on a worker thread now; NULL = none */
    struct monitor_work training;
    bool saving;           /* likewise */
    bool reading_feedback; /* what people said is being read, on a worker thread */
    bool feedback_changed; /* and has changed since that began */
    int64_t watch_ns;
    double stage_us[MONITOR_STAGES];
    struct monitor_latency latency[RECORD_DETECTORS_MAX];
    size_t n_latencies;
    char host_name[64];
};

const char *monitor_stage_name(enum monitor_stage stage);

/* ---- work.c ---- */

/* Runs `begin` on a worker thread and then `end` on the loop's; both here and now where
 * there is no loop. `work` is the caller's until `end` has run. */
void monitor_run(monitor *m, struct monitor_work *work, uv_work_cb begin,
                 uv_after_work_cb end);

/* Lowers the priority of a worker's thread: it must never take the processor from what is
 * being watched. */
void monitor_be_nice(const monitor *m);

/* Begins the trainings that are due. */
void monitor_train_when_due(monitor *m);
void monitor_save_when_due(monitor *m);
void monitor_save(monitor *m);

/* Whether a worker still uses the monitor. */
bool monitor_is_busy(const monitor *m);

/* ---- restore.c ---- */

/* Takes up what the last run left in the store: models or the past, feedback, habits; the
 * alerts last, when events can go on. */
void monitor_restore(monitor *m);

/* ---- feedback.c ---- */

/* Reads what people said from the store, for the first time. */
void monitor_feedback_restore(monitor *m);
/* The same after it changed: on a worker thread, taken over on the loop's. */
void monitor_feedback_reread(monitor *m);
/* Answers for the page: see struct show_source. */
enum vd_status monitor_feedback_take(void *context, int64_t event_id, const char *text,
                                     struct vd_error *err);
enum vd_status monitor_feedback_ask(void *context, int64_t event_id, const char *text,
                                    struct record_preview *out, struct vd_error *err);

/* ---- alerts.c ---- */

/* Gives the channels who keeps what waits. Before they are made. */
void monitor_keep_alerts(monitor *m);
/* Once more, when another database is written than before. Once a tick. */
void monitor_keep_again(monitor *m);
/* Takes up notices that nobody was told, and events without an end. */
void monitor_alerts_restore(monitor *m);

/* ---- troubles.c: collectors that fail for long, and that are well again ---- */

void monitor_tell_troubles(const monitor *m);
void monitor_fill_troubles(const monitor *m, struct show_status *out);

/* ---- analyse.c ---- */

/* Analyses an uploaded table: see struct show_source. Any thread. */
enum vd_status monitor_analyse(void *context, const struct show_analysis_task *task,
                               struct show_json *summary, struct show_json *result,
                               struct vd_error *err);

/* ---- status.c ---- */

void monitor_count_latency(monitor *m);
struct show_source monitor_show_source(monitor *m);

#endif
