/* A message lies in the ring as its size (4 bytes) and its bytes, and may go around the
 * end. Messages have numbers that only grow; the ring holds [first, next).
 */
#include "os/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = sizeof(uint32_t) };

/* Takes all memory at once, so that a push never allocates. */
enum vd_status os_queue_init(struct os_queue *q, size_t capacity,
                             void (*leave)(const void *message, size_t size))
{
    *q = (struct os_queue){.capacity = capacity, .leave = leave};
    q->at = malloc(capacity);
    if (leave != NULL)
        q->scratch = malloc(capacity);
    if (q->at == NULL || (leave != NULL && q->scratch == NULL)) {
        os_queue_release(q);
        return VD_ERR_MEMORY;
    }
    return VD_OK;
}

/* Copies into the ring from `at` on, in two parts where it goes around the end. */
static void copy_in(struct os_queue *q, size_t at, const void *bytes, size_t size)
{
    size_t until_end;

    assert(size <= q->capacity);
    at %= q->capacity;
    until_end = q->capacity - at;
    if (size <= until_end) {
        memcpy(q->at + at, bytes, size);
        return;
    }
    memcpy(q->at + at, bytes, until_end);
    memcpy(q->at, (const uint8_t *)bytes + until_end, size - until_end);
}

/* Copies out of the ring, as copy_in copies in. */
static void copy_out(const struct os_queue *q, size_t at, void *bytes, size_t size)
{
    size_t until_end;

    assert(size <= q->capacity);
    at %= q->capacity;
    until_end = q->capacity - at;
    if (size <= until_end) {
        memcpy(bytes, q->at + at, size);
        return;
    }
    memcpy(bytes, q->at + at, until_end);
    memcpy((uint8_t *)bytes + until_end, q->at, size - until_end);
}

/* Returns the size of the message at `at`, by copying: four bytes may go around the end,
 * too. */
static size_t size_at(const struct os_queue *q, size_t at)
{
    uint32_t size;

    copy_out(q, at, &size, HEAD);
    return size;
}

/* Lets the oldest message leave. `leave` needs it in one piece, hence `scratch`. */
static void pop(struct os_queue *q)
{
    size_t size = size_at(q, q->head);

    assert(q->first < q->next);
    assert(q->used >= HEAD + size);
    if (q->leave != NULL) {
        copy_out(q, q->head + HEAD, q->scratch, size);
        q->leave(q->scratch, size);
    }
    q->head = (q->head + HEAD + size) % q->capacity;
    q->used -= HEAD + size;
    q->first++;
    if (q->used == 0)
        q->head = 0;
}

/* Lets what is left leave one by one, so that what the messages own is freed. */
void os_queue_release(struct os_queue *q)
{
    if (q == NULL)
        return;
    while (q->at != NULL && q->first != q->next)
        pop(q);
    free(q->at);
    free(q->scratch);
    *q = (struct os_queue){0};
}

bool os_queue_has_room(const struct os_queue *q, size_t size)
{
    return q->capacity - q->used >= HEAD + size;
}

bool os_queue_push(struct os_queue *q, const void *message, size_t size)
{
    uint32_t head = (uint32_t)size;

    if (size == 0 || size > UINT32_MAX || q->capacity < HEAD ||
        size > q->capacity - HEAD) {
        q->lost++;
        return false;
    }
    /* The oldest messages go for the newest one: what happens now matters more. */
    while (!os_queue_has_room(q, size)) {
        pop(q);
        q->lost++;
    }
    copy_in(q, q->head + q->used, &head, HEAD);
    copy_in(q, q->head + q->used + HEAD, message, size);
    q->used += HEAD + size;
    assert(q->used <= q->capacity && q->first <= q->next);
    q->next++;
    return true;
}

/* A cursor whose message has been dropped goes on with the oldest that is there. */
size_t os_queue_peek(struct os_queue *q, struct os_cursor *cursor)
{
    if (cursor->seq <= q->first) {
        cursor->seq = q->first;
        cursor->at = q->head;
    }
    return cursor->seq == q->next ? 0 : size_at(q, cursor->at);
}

size_t os_queue_read(struct os_queue *q, struct os_cursor *cursor, void *room,
                     size_t size)
{
    size_t found = os_queue_peek(q, cursor);

    assert(cursor->seq >= q->first && cursor->seq <= q->next);
    if (found == 0 || found > size)
        return 0;
    copy_out(q, cursor->at + HEAD, room, found);
    cursor->at = (cursor->at + HEAD + found) % q->capacity;
    cursor->seq++;
    return found;
}

uint64_t os_queue_done(struct os_queue *q, uint64_t from, uint64_t seq)
{
    /* Those that the ring dropped while they were being written were counted as lost. */
    if (q->first > from)
        q->lost -= (q->first < seq ? q->first : seq) - from;
    while (q->first < seq && q->first != q->next)
        pop(q);
    return seq - from;
}
