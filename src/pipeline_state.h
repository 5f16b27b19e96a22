/* The pipeline's insides, shared by its three files: pipeline.c (the tick),
 * pipeline_start.c (start, stop, training, saving) and pipeline_show.c (answers for the
 * dashboard). */
#ifndef VD_PIPELINE_STATE_H
#define VD_PIPELINE_STATE_H

#include <stdarg.h>

#include "alert/feedback.h"
#include "alert/habits.h"
#include "detect/silence.h"
#include "explain/explain.h"
#include "feature/rates.h"
#include "os/believed.h"
#include "pipeline.h"

enum pipeline_stage {
    PIPELINE_COLLECT,
    PIPELINE_FEATURE,
    PIPELINE_DETECT,
    PIPELINE_EXPLAIN,
    PIPELINE_STORE,
    PIPELINE_SHOW,
    PIPELINE_STAGES
};

enum { PIPELINE_CHANGES = 16, PIPELINE_LATENCIES = 512 };

/* Beside an open event. */
struct pipeline_event {
    struct explain_course course;
    int64_t explained_ns;    /* monotonic; 0 = never */
    int64_t recorder_due_ns; /* when the flight recorder is kept for good; 0 = done */
    bool recorder_first;     /* a first version was kept when the event opened */
};

struct pipeline_change {
    struct record_event event;
    enum record_event_change change;
};

/* Latencies of one detector, for the average and the 99th percentile. */
struct pipeline_latency {
    const char *name;
    float us[PIPELINE_LATENCIES];
    size_t n, next;
    double max;
    bool ready;
};

struct pipeline {
    struct pipeline_config config;
    struct record_schema schema;
    struct record_sample sample;
    struct record record;
    collect_set *collect;
    feature_rates *rates;
    detect_set *detect;
    explain_recorder *recorder;
    struct os_believed believed;
    struct alert_events events;
    struct alert_feedback feedback;
    struct alert_habits habits;
    bool habitual; /* what is over the threshold now is one */
    alert_channels *channels;
    store_set *store;  /* NULL = off */
    show_server *show; /* NULL = off */

    struct detect_rule_hit hit[DETECT_HITS_MAX];
    /* Metrics that the open event of limits alerted of in an earlier run; "" = none. */
    char told_before[RECORD_TOP][RECORD_NAME_MAX + RECORD_LABEL_MAX];
    size_t n_hits;
    struct detect_silence silence;
    struct detect_silence_hit silence_hit;
    struct record_event why; /* explanation of the sample that tells most so far */
    double why_told;
    int64_t deviates_ns; /* monotonic: since when a core metric does; 0 = none does */
    struct pipeline_event event[RECORD_EVENT_KINDS];
    struct pipeline_change change[PIPELINE_CHANGES];
    size_t first_change, n_changes;

    uint64_t ticks, anomalies, quarantined;
    int64_t started_ns;                /* wall clock */
    int64_t trained_ns;                /* wall clock; 0 = never */
    int64_t save_due_ns;               /* monotonic */
    detect_multivariate_job *training; /* on a worker thread now; NULL = none */
    bool saving;                       /* likewise */
    bool reading_feedback; /* what people said is being read, on a worker thread */
    bool feedback_changed; /* and has changed since that began */
    detect_supervised_job
        *supervised_job;  /* detectors learn from labels, on a worker thread */
    bool supervised_said; /* what a model lacks was told */
    int64_t watch_ns;
    double stage_us[PIPELINE_STAGES];
    struct pipeline_latency latency[RECORD_DETECTORS_MAX];
    size_t n_latencies;
    char host_name[64];
};

const char *pipeline_stage_name(enum pipeline_stage stage);

/* pipeline_start.c */
void pipeline_keep_moments(pipeline *p);
void pipeline_train_when_due(pipeline *p);
void pipeline_save_when_due(pipeline *p);

/* Runs `begin` on a worker thread and then `end` on the loop's; both here and now where
 * there is no loop. */
struct pipeline_work {
    uv_work_t request;
    pipeline *p;
};
void pipeline_run(pipeline *p, struct pipeline_work *work, uv_work_cb begin,
                  uv_after_work_cb end);

/* A worker thread must never take the processor from what is being watched. */
void pipeline_be_nice(const pipeline *p);

/* pipeline_feedback.c */

/* Reads what people said from the store, for the first time. */
void pipeline_feedback_restore(pipeline *p);
/* The same after it changed: on a worker thread, taken over on the loop's. */
void pipeline_feedback_reread(pipeline *p);
/* An answer for the dashboard: see struct show_source. */
enum vd_status pipeline_feedback_take(void *context, int64_t event_id, const char *text,
                                      struct vd_error *err);
enum vd_status pipeline_feedback_ask(void *context, int64_t event_id, const char *text,
                                     char *answer, size_t size, struct vd_error *err);
/* An event is over: what was said of it is said of all its samples. */
void pipeline_feedback_event_ended(pipeline *p, const struct record_event *event);
/* Trains the detectors that learn from labels, when that is due. */
void pipeline_train_supervised_when_due(pipeline *p);
/* What people said of events like the anomaly that runs now, or begins. */
enum alert_word pipeline_feedback_match(pipeline *p, const struct explain_input *in);
/* Anomalies of the last days, from the store. */
void pipeline_habits_restore(pipeline *p);

/* pipeline_alerts.c */

/* Gives the channels who keeps what waits. Before they are made. */
void pipeline_keep_alerts(pipeline *p);
/* What the last run left: notices that nobody was told, events without an end. */
void pipeline_alerts_restore(pipeline *p);

/* What an event of an earlier run alerted of, and goes on, is no news: of the hits of
 * this tick. */
void pipeline_recall_told(pipeline *p);
/* Whether it is so early that the detectors may only not be ready yet. */
bool pipeline_may_still_tell(const pipeline *p);

/* pipeline_health.c: collectors that fail for long, and that are well again */
void pipeline_tell_troubles(const pipeline *p);
void pipeline_fill_troubles(const pipeline *p, struct show_status *out);

/* pipeline_show.c */
void pipeline_count_latency(pipeline *p);
struct show_source pipeline_show_source(pipeline *p);

#endif
