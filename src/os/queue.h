/* A bounded queue of messages: one ring of bytes, oldest out when it is full.
 *
 * The reader copies messages out and releases them later, when they are durable: until
 * then they stay and can be read again. Not locked: the owner locks around every call.
 * Nothing is allocated after init. While it is empty it starts again at its beginning, so
 * only the pages that a backlog really needed are ever touched.
 */
#ifndef VD_OS_QUEUE_H
#define VD_OS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/status.h"

struct os_queue {
    uint8_t *at; /* owned ring */
    size_t capacity, head, used;
    uint64_t first, next; /* numbers of the oldest message and of the next one pushed */
    uint64_t lost;        /* left unread, or did not fit at all */
    /* Told of each message that leaves, read or not, with its bytes; NULL = nobody. */
    void (*leave)(const void *message, size_t size);
    uint8_t *scratch; /* owned: a message on its way to `leave`; only with `leave` */
};

enum vd_status os_queue_init(struct os_queue *q, size_t capacity,
                             void (*leave)(const void *message, size_t size));
void os_queue_release(struct os_queue *q);

/* Whether a message of that size fits in without another one leaving. */
bool os_queue_has_room(const struct os_queue *q, size_t size);

/* Puts a copy in, at the cost of the oldest ones where there is no room. False when it
 * can never fit: counted as lost. */
bool os_queue_push(struct os_queue *q, const void *message, size_t size);

/* A walk over the messages, oldest first; zero-initialise to start at the oldest. */
struct os_cursor {
    uint64_t seq;
    size_t at; /* where in the ring `seq` begins */
};

/* Copies the message at the cursor into `room` (at least os_queue_peek bytes) and
 * steps on. When the oldest ones have left meanwhile the walk goes on with the first that
 * is there. Returns its size, 0 when there is none. */
size_t os_queue_read(struct os_queue *q, struct os_cursor *cursor, void *room,
                     size_t size);

/* The size of the message that a read would give, 0 when there is none. */
size_t os_queue_peek(struct os_queue *q, struct os_cursor *cursor);

/* Lets go of everything before `seq`: it was written, and is not lost even if the ring
 * had to drop it meanwhile; `from` is where the batch began. Returns how many of the
 * batch there were. */
uint64_t os_queue_done(struct os_queue *q, uint64_t from, uint64_t seq);

#endif
