/* A ring of pieces under one lock. The caller's thread fills and empties it, and works
 * when there is nothing else to do for it. */
#include "os/pieces.h"

#include <pthread.h>
#include <stdlib.h>

enum { THREADS_MAX = 64 };

struct os_pieces_ring {
    struct os_pieces of;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread[THREADS_MAX];
    unsigned threads;             /* that were started */
    bool *done;                   /* owned, of each slot */
    size_t oldest, taken, filled; /* pieces so far: emptied, taken to work on, filled */
    bool held;                    /* the oldest is the caller's now */
    bool ended;                   /* there is no next one */
    bool over;                    /* the threads are to end */
};

size_t os_pieces_slots(unsigned threads)
{
    return threads <= 1 ? 1 : 2 * (size_t)(threads < THREADS_MAX ? threads : THREADS_MAX);
}

static size_t slot_of(const os_pieces_ring *r, size_t i)
{
    return i % r->of.slots;
}

static void *piece_at(const os_pieces_ring *r, size_t i)
{
    return (char *)r->of.piece + slot_of(r, i) * r->of.size;
}

/* Works on the next piece that waits; the lock is held before and after. */
static void work_on_next(os_pieces_ring *r)
{
    size_t i = r->taken++;

    pthread_mutex_unlock(&r->lock);
    r->of.work(r->of.context, piece_at(r, i));
    pthread_mutex_lock(&r->lock);
    r->done[slot_of(r, i)] = true;
    pthread_cond_broadcast(&r->changed);
}

static void *work(void *context)
{
    os_pieces_ring *r = context;

    pthread_mutex_lock(&r->lock);
    while (!r->over) {
        if (r->taken < r->filled)
            work_on_next(r);
        else
            pthread_cond_wait(&r->changed, &r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

os_pieces_ring *os_pieces_begin(const struct os_pieces *pieces, unsigned threads)
{
    os_pieces_ring *r = calloc(1, sizeof *r);

    if (r != NULL)
        r->done = calloc(pieces->slots, sizeof *r->done);
    if (r == NULL || r->done == NULL) {
        free(r);
        return NULL;
    }
    r->of = *pieces;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    while (r->threads + 1 < threads && r->threads < THREADS_MAX &&
           pthread_create(&r->thread[r->threads], NULL, work, r) == 0)
        r->threads++;
    return r;
}

static void fill_next(os_pieces_ring *r)
{
    size_t i = r->filled;
    bool more;

    pthread_mutex_unlock(&r->lock);
    more = r->of.next(r->of.context, piece_at(r, i));
    pthread_mutex_lock(&r->lock);
    r->done[slot_of(r, i)] = false;
    r->ended = !more;
    r->filled += more;
    if (more)
        pthread_cond_broadcast(&r->changed);
}

/* Does what is most useful until the oldest piece is done: fills first, so that the
 * others have work while the caller looks at his piece. */
void *os_pieces_take(os_pieces_ring *r)
{
    void *piece = NULL;

    pthread_mutex_lock(&r->lock);
    r->oldest += r->held;
    r->held = false;
    while (!r->held && !(r->ended && r->oldest == r->filled)) {
        if (!r->ended && r->filled - r->oldest < r->of.slots)
            fill_next(r);
        else if (r->oldest < r->taken && r->done[slot_of(r, r->oldest)])
            r->held = true;
        else if (r->taken < r->filled)
            work_on_next(r);
        else
            pthread_cond_wait(&r->changed, &r->lock);
    }
    if (r->held)
        piece = piece_at(r, r->oldest);
    pthread_mutex_unlock(&r->lock);
    return piece;
}

void os_pieces_end(os_pieces_ring *r)
{
    if (r == NULL)
        return;
    pthread_mutex_lock(&r->lock);
    r->over = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    for (unsigned i = 0; i < r->threads; i++)
        pthread_join(r->thread[i], NULL);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->changed);
    free(r->done);
    free(r);
}
