/* The objects of docs/api.md as JSON. `key` is NULL for an item of an array. */
#ifndef VD_SHOW_ENCODE_H
#define VD_SHOW_ENCODE_H

#include "history.h"
#include "show/json.h"
#include "show/query.h"
#include "show/server.h"
#include "show/snapshot.h"

/* `whole`: with what the program costs, its detectors and where records go. */
void show_encode_status(struct show_json *j, const char *key,
                        const struct show_status *status, const char *version,
                        int64_t now_ns, bool whole);

/* Write the limits and the habits as lists. */
void show_encode_limits(struct show_json *j, const struct show_limit *limit, size_t n);
void show_encode_habits(struct show_json *j, const struct show_habit *habit, size_t n);
void show_encode_metrics(struct show_json *j, const char *key,
                         const struct record_schema *schema);
/* null while there was no tick. */
void show_encode_tick(struct show_json *j, const char *key,
                      const struct show_snapshot *snapshot);
/* Encodes what the detectors say, as fields of the object that is open. */
void show_encode_detectors(struct show_json *j, const struct record_verdict *verdict);
/* {"type": "processes", ...}, the whole table. */
void show_encode_processes(struct show_json *j, const struct show_snapshot *snapshot);
/* {"type": "process_changes", ...}: what differs from the tick before. */
void show_encode_process_changes(struct show_json *j,
                                 const struct show_snapshot *snapshot);

/* `moments` is NULL where the event is one of many; else they are its recorder. `schema`
 * may be NULL: its metrics then have no name. */
void show_encode_event(struct show_json *j, const char *key,
                       const struct record_event *event, const struct show_schema *schema,
                       const struct history_moment *moments, size_t n_moments);
void show_encode_series(struct show_json *j, const struct show_query *query,
                        const struct history_series *series);
/* {"error": ...} */
void show_encode_error(struct show_json *j, const char *code, const char *message,
                       const char *hint);

#endif
