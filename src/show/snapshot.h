/* The last tick, copied: what new clients, requests and scrapes are answered from. */
#ifndef VD_SHOW_SNAPSHOT_H
#define VD_SHOW_SNAPSHOT_H

#include "record.h"

/* The metrics as they were at one moment, shared with worker threads: nobody writes to
 * one that is published. The count of users is touched by the loop's thread alone. */
struct show_schema {
    size_t users;
    double cores; /* of this machine */
    struct record_schema metrics;
    /* The metrics by family, since a scrape lists a family's samples together: the first
     * metric of each, and after each metric the next one of its family (0 = none). */
    uint16_t *first, *next;
    size_t n_families;
};

struct show_schema *show_schema_hold(struct show_schema *schema);
/* The last user frees it. NULL is allowed. */
void show_schema_drop(struct show_schema *schema);

/* Zero-initialise. */
struct show_snapshot {
    bool filled; /* a tick has been seen */
    int64_t time_ns, mono_ns, jitter_ns;
    uint64_t tick;
    struct show_schema *schema;
    double *value; /* schema->metrics.n */
    size_t value_capacity;
    double *previous_value; /* those of the tick before; as many, 0 after a new schema */
    size_t n_previous_values, previous_value_capacity;
    struct record_verdict verdict;
    bool has_processes;
    struct record_process *process;
    size_t n_processes, process_capacity, n_threads, dropped_processes;
    struct record_process *previous; /* the table of the tick before, by pid as well */
    size_t n_previous, previous_capacity;
    bool has_event;
    struct record_event event; /* the newest one that was published */
};

/* Copies the record; allocates only when something grew. *grew is set when there are new
 * metrics. VD_ERR_MEMORY leaves the old tick in place. */
enum vd_status show_snapshot_take(struct show_snapshot *s, const struct record *record,
                                  bool *grew);

void show_snapshot_release(struct show_snapshot *s);

/* By which processes are ranked. */
enum show_rank { SHOW_RANK_CPU, SHOW_RANK_MEMORY, SHOW_RANK_IO };

enum { SHOW_TOP = 5 };

/* The indices of the (at most five) processes that use most, the most first; those that
 * use nothing are left out. Returns how many. */
size_t show_snapshot_top(const struct show_snapshot *s, enum show_rank rank,
                         size_t top[SHOW_TOP]);

/* MB and GB are powers of two, as in the metrics. */
#define SHOW_MB 1048576.0

/* Above half of the machine's CPU or 500 MB of memory. */
bool show_is_suspicious(const struct record_process *process, double cores);

#endif
