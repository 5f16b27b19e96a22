/* The pipeline's insides, shared by its files: pipeline.c (the tick), pipeline_anomaly.c,
 * pipeline_limits.c and pipeline_events.c (what begins and ends on it),
 * pipeline_moments.c (the flight recorder), pipeline_start.c (start, stop, training,
 * saving), pipeline_alerts.c (alerts over restarts), pipeline_analyse.c (uploaded
 * tables), pipeline_feedback.c, pipeline_health.c and pipeline_show.c (answers for the
 * dashboard).
 */
#ifndef VD_PIPELINE_STATE_H
#define VD_PIPELINE_STATE_H

#include <stdarg.h>

#include "alert/departure.h"
#include "alert/feedback.h"
#include "alert/habits.h"
#include "alert/policy.h"
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

enum {
    PIPELINE_LATENCIES = 512,
    PIPELINE_LIMITS = 64, /* events of limits at once, and those of the last hour */
    PIPELINE_TOLD = 3,    /* alerts of one limit that are remembered */
    PIPELINE_MOMENTS = 32,
};

/* What the explanation keeps beside the course of an event. */
struct pipeline_story {
    struct explain_course trend;
    int64_t explained_ns; /* monotonic; 0 = never */
};

/* One metric under one hard limit. */
struct pipeline_limit {
    struct alert_course course;
    struct pipeline_story story;
    size_t rule, metric; /* metric SIZE_MAX: an event of an earlier run, known by texts */
    uint32_t serial;     /* of the metric in the schema */
    int64_t since_ns;    /* monotonic: since when it has been exceeded */
    uint64_t tick;       /* on which it was exceeded last */
    int64_t told_by; /* the anomaly whose alert told of the open event; 0 = none did */
    int64_t told_ns[PIPELINE_TOLD]; /* monotonic: alerts, newest first; 0 = none */
};

/* Who was killed in the course of the open event of processes that were. */
struct pipeline_kills {
    double count;
    struct record_killed killed[RECORD_KILLED_MAX];
    size_t n;
    bool sure;     /* the kernel named them */
    bool open;     /* their event is */
    uint64_t tick; /* on which the kernel named the last one */
};

/* A copy of the flight recorder that is due. */
struct pipeline_moments {
    int64_t event_id;
    int64_t began_ns, due_ns; /* monotonic */
    bool kept;                /* a first version was, when the event opened */
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
    struct alert_week week;
    struct pipeline_story anomaly_story;
    struct pipeline_limit *limit[PIPELINE_LIMITS]; /* owned */
    size_t n_limits;
    size_t limits_left_out;
    struct pipeline_kills kills;
    struct alert_course silence_course, drift_course;
    struct pipeline_story silence_story, drift_story;
    struct pipeline_moments moments[PIPELINE_MOMENTS]; /* oldest first */
    size_t n_moments;
    struct alert_feedback feedback;
    struct alert_habits habits;
    int64_t habit_ns;  /* what is over the threshold now is one since then; 0 = none */
    unsigned database; /* generation of the store's that holds what receivers are owed */
    alert_channels *channels;
    store_set *store;  /* NULL = off */
    show_server *show; /* NULL = off */

    struct detect_silence silence;
    struct record_event why; /* explanation of the sample that tells most so far */
    double why_told;
    struct alert_departures departures;
    /* Of them, as bits: those that alerts of the open anomaly, or of the level that is
     * being adopted, were about; and those that got into trouble while the detectors
     * were not sure. */
    unsigned told_groups, apart_groups;
    struct pipeline_change *change; /* owned: what waits to leave with a record */
    size_t n_changes, changes_capacity;
    struct pipeline_change leaving; /* with this one */

    uint64_t ticks, anomalies, alerts, quarantined;
    int64_t last_event_id;             /* where there is no store */
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

/* pipeline.c */

/* Whether the sample of this tick is normal: what was flagged is kept out. */
bool pipeline_is_to_learn(const pipeline *p);

/* pipeline_events.c */

/* An input of this tick: not active, confidence 1. */
struct alert_input pipeline_input(const pipeline *p, enum record_event_kind kind);

/* Moves a course on. One that opens gets an id, and its flight recorder begins. */
struct alert_step pipeline_step(pipeline *p, struct alert_course *course,
                                const struct alert_input *in);

/* Whether the event is to be explained on this tick: when it opens, at new peaks and
 * every few seconds, since walking the recorder on each tick of a long event would be
 * waste. */
bool pipeline_explains_now(pipeline *p, struct pipeline_story *story,
                           const struct alert_step *step);

/* Fills the suspects of an event, by what changed since `since_ns` (monotonic). */
void pipeline_explain_who(const pipeline *p, int64_t since_ns,
                          struct record_event *event);

/* Ends a step that changed something: alert or not, note, pattern, log, and what leaves
 * to channels, store and page. */
void pipeline_settle(pipeline *p, struct alert_course *course,
                     struct pipeline_story *story, const struct explain_input *in,
                     const struct alert_step *step, struct alert_answer answer);

void pipeline_remember_why(pipeline *p, const struct explain_input *in);
void pipeline_update_others(pipeline *p, const struct explain_input *in);

/* Takes the next change from the queue into the record of this tick. */
void pipeline_take_change(pipeline *p);

/* The course whose open event this is; NULL = none. */
struct alert_course *pipeline_course_of(pipeline *p, int64_t event_id);

/* pipeline_anomaly.c */
/* Notes what this tick's verdict and values say, before anything is made of it. */
void pipeline_note_tick(pipeline *p);
void pipeline_update_anomaly(pipeline *p, const struct explain_input *in);

/* pipeline_limits.c */
void pipeline_update_limits(pipeline *p, const struct explain_input *in);

/* A course for one more limit, empty; NULL when there are too many. */
struct pipeline_limit *pipeline_limit_add(pipeline *p);

/* pipeline_moments.c */
void pipeline_moments_begin(pipeline *p, const struct alert_course *course);
/* Keeps what is due on this tick. */
void pipeline_moments_keep(pipeline *p);
/* Keeps what there is of those that are not complete: at the end. */
void pipeline_moments_finish(pipeline *p);

/* pipeline_start.c */
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
                                     struct record_preview *out, struct vd_error *err);
/* An event is over: what was said of it is said of all its samples. */
void pipeline_feedback_event_ended(pipeline *p, const struct record_event *event);
/* Trains the detectors that learn from labels, when that is due. */
void pipeline_train_supervised_when_due(pipeline *p);
/* What people said of events like the anomaly that runs now, or begins. */
struct alert_said pipeline_feedback_match(pipeline *p, const struct explain_input *in);
/* Anomalies of the last days, from the store. */
void pipeline_habits_restore(pipeline *p);

/* pipeline_alerts.c */

/* Gives the channels who keeps what waits. Before they are made. */
void pipeline_keep_alerts(pipeline *p);
/* Once more, when another database is written than before. Once a tick. */
void pipeline_keep_again(pipeline *p);
/* What the last run left: notices that nobody was told, events without an end. */
void pipeline_alerts_restore(pipeline *p);

/* Whether it is so early that the detectors may only not be ready yet. */
bool pipeline_may_still_tell(const pipeline *p);

/* pipeline_health.c: collectors that fail for long, and that are well again */
void pipeline_tell_troubles(const pipeline *p);
void pipeline_fill_troubles(const pipeline *p, struct show_status *out);

/* pipeline_analyse.c */

/* Analyses an uploaded table: see struct show_source. Any thread. */
enum vd_status pipeline_analyse(void *context, const struct show_analysis_task *task,
                                struct show_json *summary, struct show_json *result,
                                struct vd_error *err);

/* pipeline_show.c */
void pipeline_count_latency(pipeline *p);
struct show_source pipeline_show_source(pipeline *p);

#endif
