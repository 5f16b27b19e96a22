/* What a request asks for: the parameters of the API's addresses, the bodies and messages
 * that clients send. Everything here comes from outside and is checked.
 */
#ifndef VD_SHOW_QUERY_H
#define VD_SHOW_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"
#include "vedette/status.h"

enum {
    SHOW_QUERY_METRICS = 64, /* series in one answer */
    SHOW_QUERY_NAME = 160,
    SHOW_QUERY_VALUES = 65536, /* metrics x points: bounds the memory of an answer */
    SHOW_BODY_MAX = 1024,      /* bytes of a request's body, and of a WebSocket message */
};

/* Which parameters an address takes. */
enum show_query_kind {
    SHOW_QUERY_NONE,
    SHOW_QUERY_HISTORY,
    SHOW_QUERY_EVENTS,
    SHOW_QUERY_PREVIEW
};

/* Plain data. */
struct show_query {
    enum show_query_kind kind;
    char metric[SHOW_QUERY_METRICS][SHOW_QUERY_NAME];
    size_t n_metrics;
    int64_t from_ns, to_ns; /* 0 = not given */
    size_t points, limit;
    int64_t before;
    const char *event_kind; /* static; NULL = all */
    bool alerted, judged, open;
    const char *word; /* what would be said: as show_query_feedback gives it */
};

void show_query_init(struct show_query *q, enum show_query_kind kind);

/* Takes one "name=value" of `size` bytes, already decoded. A name that the address does
 * not take and a value that does not fit are VD_ERR_ARGUMENT. */
enum vd_status show_query_add(struct show_query *q, const char *pair, size_t size,
                              struct vd_error *err);

/* Fills in what was not given (the last hour) and checks what hangs together. */
enum vd_status show_query_finish(struct show_query *q, int64_t now_ns,
                                 struct vd_error *err);

/* What of an event an address is about. */
enum show_event_part { SHOW_EVENT_WHOLE, SHOW_EVENT_FEEDBACK, SHOW_EVENT_PREVIEW };

/* "/api/v1/events/17", with "/feedback" or "/preview" behind it -> 17 and the part; false
 * when it is none of them. */
bool show_query_event_path(const char *path, int64_t *id, enum show_event_part *part);

/* {"feedback": "normal"} -> the word, one of "normal", "real", "expected", "". */
enum vd_status show_query_feedback(const char *body, size_t size, const char **word,
                                   struct vd_error *err);

/* What of a tick a live page shows. */
struct show_view {
    bool all_metrics;
    uint64_t metrics[RECORD_METRICS_MAX / 64]; /* by index in the schema, a bit each */
    bool detectors;                            /* each detector's score and cost */
    bool top;                                  /* the busiest processes */
};

bool show_view_has(const struct show_view *view, size_t metric);

enum show_wish_kind { SHOW_WISH_OTHER, SHOW_WISH_PROCESSES, SHOW_WISH_VIEW };

/* What a live page asks for. */
struct show_wish {
    enum show_wish_kind kind; /* OTHER is left alone: a newer page may ask for more */
    bool on;                  /* processes: send them with each tick */
    bool changes;             /* processes: whole once, then what changed */
    struct show_view view;
};

/* {"type": "processes", "on": true, "changes": true}, the last one may be missing, or
 * {"type": "view", "metrics": [0, [4, 9]], "detectors": true, "top": true}, each of which
 * may be missing: without "metrics" all of them. An item is an index in the schema, or
 * the first and the last of a run. false when it is no such message, or none at all. */
bool show_query_message(const char *text, size_t size, struct show_wish *wish);

#endif
