/* One watched host, and nothing else: what is normal for it, what is open on it, and what
 * people said of that. A sample goes in, an output comes out; work for other threads is
 * begun, run and ended; what has to be kept is bytes. There is no loop, thread, file or
 * socket in here, and no clock but a stop-watch: the time is that of the samples. Who
 * reads the samples, and who is told, is the business of the monitor around it.
 *
 * All functions but host_work_run() and host_work_stop() are for one thread.
 */
#ifndef VD_HOST_H
#define VD_HOST_H

#include "alert/events.h"
#include "detect/detect.h"
#include "detect/rules.h"
#include "history.h"
#include "record.h"

typedef struct host host;

struct host_config {
    double interval_s; /* from sample to sample */
    struct detect_config detect;
    const struct detect_rules *rules; /* may be shared; have to outlive the host */
    struct alert_config alert;
    bool keeps_moments; /* copies of the flight recorder are wanted */
    /* Numbers a new event, so that it is unique where events are kept. */
    int64_t (*next_event_id)(void *context);
    /* Says what a metric is about: a number that equal subjects share. */
    int (*group_of)(const char *metric);
    void *context;
};

/* Makes a host of the metrics in `schema`, which its source owns and fills; both that and
 * the callbacks have to outlive it. VD_ERR_MEMORY, or what the detectors refuse. */
enum vd_status host_new(host **out, const struct host_config *config,
                        const struct record_schema *schema, struct vd_error *err);

/* Takes NULL. The job under way, if any, has to be ended before. */
void host_free(host *h);

/* ---- a tick ---- */

/* A change that receivers of alerts are to hear of. */
struct host_told {
    struct record_event event;
    enum record_event_change change;
};

/* What a tick gave. Everything in it is the host's, until its next tick. */
struct host_output {
    const struct record *record;  /* for store and page */
    const struct host_told *told; /* n_told, in the order in which they happened */
    size_t n_told;
    bool judged_ended; /* an event is over of which something was said: what was said is
                          to be judged again, with all of its samples */
    double feature_us, detect_us, explain_us;
};

/* Leads the host through one sample, which is the source's. After warm-up nothing is
 * allocated unless an event begins. */
const struct host_output *host_tick(host *h, const struct record_sample *sample);

/* One copy out of the flight recorder, around the beginning of an event. */
struct host_copy {
    int64_t event_id;
    struct history_moment *moment; /* n; the caller frees them: history_moments_free() */
    size_t n;
};

/* Takes the next copy that is due after a tick; false when there is none, or when as many
 * were taken as one tick has time for. */
bool host_copy_next(host *h, struct host_copy *out);

/* The same at the end: all that still wait, complete or not. */
bool host_copy_rest(host *h, struct host_copy *out);

/* ---- work for another thread ---- */

typedef struct host_job host_job;

/* Begins a training that is due, one at a time; NULL when none is. One that is under way
 * when the next is due is hurried. */
host_job *host_work_begin(host *h);
void host_work_run(host_job *job);
/* Lets a job that runs come to its end soon, since the program ends: what it gives may be
 * less. */
void host_work_stop(host_job *job);
/* Puts to use what was learned, and frees the job. */
void host_work_end(host *h, host_job *job);

/* ---- the past ---- */

/* Learns the steps of a series of this schema's metrics, oldest first, but for those
 * within one of the n anomalies. */
void host_learn_past(host *h, const struct history_series *series,
                     const struct record_event *event, size_t n);

/* Takes up an event that was open when the last run ended, at `last_ns` at the latest: it
 * goes on when its condition holds again. False when it cannot: it is over. The newest
 * come first. */
bool host_resume(host *h, const struct record_event *event, int64_t last_ns);

/* Remembers an anomaly of the last days, oldest first: it may be a habit, and its alert
 * counts for the week. */
void host_remember(host *h, const struct record_event *event);

/* ---- what people say ---- */

/* The samples of an event: rows of the multivariate layer's columns. None when they are
 * known already, or when there are none. */
struct host_rows {
    double *value;
    size_t n;
};

/* Takes over all that was said, newest first, in place of what was said before. `rows`
 * may be NULL. VD_ERR_MEMORY leaves it as it was. */
enum vd_status host_judge(host *h, const struct record_event *event,
                          const struct host_rows *rows, size_t n);

/* Whether the samples of the event are known by what was said of it. */
bool host_has_labels(const host *h, int64_t event_id);

/* The i-th event of which something was said; 0 behind the last. */
int64_t host_judged_at(const host *h, size_t i);

/* Notes what was just said of an event, in case it is open. */
void host_hear(host *h, int64_t event_id, const char *text);

/* ---- what is kept ---- */

void host_save(const host *h, struct vd_writer *w);

/* Restores what it can, and says in the log what it could not. */
void host_load(host *h, struct vd_reader *r);

/* ---- what is asked ---- */

struct host_status {
    double confidence; /* 0 = no verdicts yet */
    int64_t habit_ns;  /* what is seen now is a habit since then; 0 = is none */
    uint64_t ticks, events, alerts; /* since the start */
    uint64_t quarantined;           /* samples that were not learned */
    double budget_per_week, used_this_week,
        achieved_per_week;    /* NaN = too early to say */
    double threshold;         /* surprise */
    int64_t trained_ns;       /* wall clock; 0 = never */
    int64_t next_training_ns; /* wall clock; 0 = nothing to learn from */
    size_t rows;              /* the multivariate layer's */
    size_t supervised;        /* detectors that learn from labels and have verdicts */
};

void host_status(const host *h, struct host_status *out);

/* The record of the last tick. */
const struct record *host_record(const host *h);

/* How a rule stands: "off", "exceeded", "kept", or "no metric" when it has none here. */
const char *host_rule_state(const host *h, size_t rule);

/* An event of the last days whose like is a habit by now. */
struct host_habit {
    int64_t event_id, since_ns, seen_ns;
};

/* Fills in at most `most` habits; returns how many. */
size_t host_habits(const host *h, struct host_habit *out, size_t most);

#endif
