/* What the store remembers, as the rest of the program asks for it.
 *
 * The store fills in a `struct history_reader`; the monitor hands it to the page and to
 * the back-fill. Calls may block on the disk: they run on worker threads, never on a
 * tick, and any number may run at once. Results are owned by the caller and freed as
 * said.
 */
#ifndef VD_HISTORY_H
#define VD_HISTORY_H

#include "record.h"

/* Some metrics over a span. The store picks the finest tier (raw, 1 minute, 1 hour) that
 * covers it within `points` and averages what is finer than asked for. */
struct history_query {
    const char *const
        *metric; /* names as in record_metric_label: "disk_busy_percent{sda}",
                    and "score", "score.isolation_forest" for verdicts */
    size_t n_metrics;
    int64_t from_ns, to_ns;
    size_t points; /* at most so many per series, 10 .. 10000 */
};

/* Arrays of n values; series k of metric k. NaN = nothing was seen. */
struct history_series {
    size_t n, n_metrics;
    double step_s;
    int64_t *time_ns;         /* n: start of each step, ascending */
    double *mean, *min, *max; /* n_metrics x n, row-major */
};

/* A page of events, newest first. */
struct history_event_query {
    int64_t from_ns, to_ns; /* 0, 0 = all */
    int64_t before_id;      /* page on: ids below this; 0 = from the newest */
    const char *kind;       /* NULL = all */
    bool alerted_only;
    bool judged_only; /* only those that people said something of */
    bool open_only;   /* only those without an end */
    size_t limit;     /* 1 .. 1000 */
};

/* The process table of one tick as the flight recorder keeps it: who did anything. */
struct history_moment {
    int64_t time_ns;
    size_t n;
    struct record_process *process; /* n */
};

/* What a receiver of alerts has not been told yet. */
enum { HISTORY_NOTICES_MAX = 10000 };

struct history_notice {
    char receiver[16]; /* as in alert/channel.h */
    int64_t event_id;
    enum record_event_change change; /* opened or ended */
    int64_t queued_ns;               /* wall clock */
};

struct history_reader {
    void *context;
    enum vd_status (*series)(void *context, const struct history_query *query,
                             struct history_series *out, struct vd_error *err);
    enum vd_status (*events)(void *context, const struct history_event_query *query,
                             struct record_event **out, size_t *n, struct vd_error *err);
    /* VD_ERR_DATA when there is no such event. */
    enum vd_status (*event)(void *context, int64_t id, struct record_event *out,
                            struct vd_error *err);
    /* Oldest first, HISTORY_NOTICES_MAX at most; free(). */
    enum vd_status (*notices)(void *context, struct history_notice **out, size_t *n,
                              struct vd_error *err);
    /* The time of the last row of samples, rows of a clock that was ahead left aside;
     * 0 = there is none. */
    enum vd_status (*last)(void *context, int64_t *time_ns, struct vd_error *err);
    /* The flight recorder of an event, oldest first; *n = 0 when none was kept. */
    enum vd_status (*moments)(void *context, int64_t event_id,
                              struct history_moment **out, size_t *n,
                              struct vd_error *err);
};

void history_series_release(struct history_series *series);
void history_moments_free(struct history_moment *moment, size_t n);

#endif
