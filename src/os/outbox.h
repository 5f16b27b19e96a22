/* An outbox: what one receiver is owed, told in order by a thread of its own.
 *
 * Whoever has something to tell copies a message in and goes on; the queue is bounded and
 * its oldest message leaves, counted, when there is no more room. The engine owns the
 * retries: a receiver says what became of one try and knows nothing of time. While it
 * fails, the pauses grow with the outage: a message is late by a quarter of the outage at
 * most, and by pause_max_s. The first message holds up those behind it, so that order is
 * kept.
 *
 * All times come in as monotonic nanoseconds; os_outbox_step alone is the engine without
 * its thread.
 */
#ifndef VD_OS_OUTBOX_H
#define VD_OS_OUTBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/status.h"

typedef struct os_outbox os_outbox;

/* What became of one try. */
enum os_outbox_result {
    OS_OUTBOX_DONE,    /* taken */
    OS_OUTBOX_LATER,   /* down, slow or busy: tried again until it is keep_s old */
    OS_OUTBOX_REFUSED, /* not as things are: tried again until it is refused_s old */
    OS_OUTBOX_NEVER,   /* not this one: given up at once */
};

struct os_outbox_answer {
    enum os_outbox_result result;
    double wait_s; /* the receiver asks for so long a pause; 0 = it does not */
};

/* How a message leaves. */
enum os_outbox_end {
    OS_OUTBOX_DELIVERED,
    OS_OUTBOX_GIVEN_UP,   /* too old, or refused for good */
    OS_OUTBOX_PUSHED_OUT, /* the oldest of a full queue */
};

enum os_outbox_state {
    OS_OUTBOX_WELL,
    OS_OUTBOX_SLOW,    /* takes messages, but longer than slow_s for one */
    OS_OUTBOX_FAILING, /* the last try failed */
};

struct os_outbox_config {
    const char *thread; /* its name, 15 bytes at most; borrowed */
    size_t queue_bytes; /* of messages that wait; allocated with the first */
    size_t message_max; /* bytes of the largest */
    double keep_s, refused_s;
    double pause_min_s, pause_max_s;
    double slow_s;
    void *context;
    /* One try; may block. `*hurry` becomes true when it should come to its end. */
    struct os_outbox_answer (*send)(void *context, const void *message, size_t size,
                                    struct vd_error *err);
    /* A message has left; `err` says why when it was not delivered, else it is clear.
     * On the outbox's thread, for those pushed out on the pusher's and under the lock:
     * no call back into the outbox. NULL = nobody listens. */
    void (*left)(void *context, const void *message, size_t size, enum os_outbox_end end,
                 const struct vd_error *err);
    /* The state is another one than before, on the outbox's thread. */
    void (*turned)(void *context, enum os_outbox_state state, const struct vd_error *err);
    /* The thread ends: let go of what `send` made. */
    void (*close)(void *context);
    atomic_bool *hurry; /* borrowed */
};

struct os_outbox_counts {
    uint64_t sent, retried, given_up, pushed_out, waiting;
    enum os_outbox_state state;
    double failing_s; /* for so long; 0 = it does not */
    double oldest_s;  /* age of the first that waits; 0 = none does */
    char error[160];  /* of the last try that failed; "" = none did since it was well */
};

/* Nothing but memory: the thread starts with the first message. */
enum vd_status os_outbox_new(os_outbox **out, const struct os_outbox_config *config,
                             struct vd_error *err);

/* Copies a message in that is `age_s` old already. Never waits for a receiver. False when
 * there is no memory or no thread, or it is larger than message_max: it counts as pushed
 * out. Any thread. */
bool os_outbox_push(os_outbox *o, const void *message, size_t size, double age_s);

void os_outbox_counts(os_outbox *o, struct os_outbox_counts *out);

/* Shows each message that waits, oldest first, with its age in seconds. Under the lock:
 * no call back into the outbox. Any thread. */
void os_outbox_each(os_outbox *o,
                    void (*visit)(void *context, const void *message, size_t size,
                                  double age_s),
                    void *context);

/* Asks the thread to end, and does not wait for it: what waits is tried once more in
 * order, until a try fails. */
void os_outbox_stop(os_outbox *o);

/* The same, and waits until it has ended, for `seconds`. Returns how many messages still
 * wait, and frees. When a send does not come to its end two seconds after `*hurry` the
 * thread is left behind with its memory: *left_behind says so, and what the callbacks use
 * has to stay. */
uint64_t os_outbox_free(os_outbox *o, double seconds, bool *left_behind);

/* ---- without the thread, for tests ---- */

/* Puts in as os_outbox_push does, at `now_ns`, and starts nothing. */
bool os_outbox_put(os_outbox *o, const void *message, size_t size, double age_s,
                   int64_t now_ns);

/* Makes one try, when one is due at `now_ns`. Returns when the next is due, INT64_MAX
 * when nothing waits. */
int64_t os_outbox_step(os_outbox *o, int64_t now_ns);

void os_outbox_counts_at(os_outbox *o, int64_t now_ns, struct os_outbox_counts *out);

#endif
