/* The flight recorder: who did what during the last minute and a half.
 *
 * A ring of process tables, one moment a second. A moment keeps the processes that did
 * anything (CPU or disk) and the largest in memory; names are kept once per process in a
 * table beside it. Bounded: RECORDER_MOMENTS x RECORDER_WIDTH entries of 40 bytes, about
 * 0.3 MB, all allocated at start.
 */
#ifndef VD_EXPLAIN_RECORDER_H
#define VD_EXPLAIN_RECORDER_H

#include "history.h"
#include "record.h"

enum { RECORDER_BEFORE_S = 60, RECORDER_AFTER_S = 30 };

typedef struct explain_recorder explain_recorder;

enum vd_status explain_recorder_new(explain_recorder **out);
void explain_recorder_free(explain_recorder *recorder);

/* Keeps the table of this tick; at most one a second, more often is left out. NULL
 * processes are fine. The moment is found by its monotonic time: the wall clock, which
 * the store is told, may be set while something goes on. */
void explain_recorder_add(explain_recorder *recorder, int64_t time_ns, int64_t mono_ns,
                          const struct record_processes *processes);

/* Returns what was recorded in [from_ns, to_ns] (monotonic), oldest first, as the store
 * takes it. Free with history_moments_free. VD_ERR_MEMORY leaves *n = 0. */
enum vd_status explain_recorder_span(const explain_recorder *recorder, int64_t from_ns,
                                     int64_t to_ns, struct history_moment **out,
                                     size_t *n);

/* By what processes are ranked. Excess: the mean use from `since_ns` (monotonic) on less
 * the mean use in the minute before, over the sum of all such increases. Use: the mean
 * use from `since_ns` on, over the sum of all. Of CPU time the sum is what the machine
 * used when that is more: processes that nobody saw had a part in it. */
enum explain_rank { EXPLAIN_BY_EXCESS, EXPLAIN_BY_USE };

/* Writes the processes with the largest share of a resource, largest first, at most
 * `max`; returns how many. Left out are processes below 5 % of the whole and, by excess,
 * those that use too little more to be the cause of anything. */
size_t explain_recorder_suspects(const explain_recorder *recorder, int64_t since_ns,
                                 enum record_resource resource, enum explain_rank rank,
                                 struct record_suspect *out, size_t max);

/* All excess since `since_ns` as a share of all use since then; NaN when the recorder
 * does not reach back to before it. */
double explain_recorder_excess(const explain_recorder *recorder, int64_t since_ns,
                               enum record_resource resource);

/* Writes the processes that the moment before the newest showed and `now` does not, the
 * largest in memory first, at most `max`; returns how many. What was smaller than half of
 * the largest then is left out: it ended by itself. */
size_t explain_recorder_gone(const explain_recorder *recorder,
                             const struct record_processes *now,
                             struct record_killed *out, size_t max);

/* The monotonic time of the newest moment; 0 = there is none. */
int64_t explain_recorder_newest_ns(const explain_recorder *recorder);

#endif
