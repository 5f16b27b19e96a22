/* A ring of pieces under one lock. The caller's thread fills and empties it, and works
 * when there is nothing else to do for it. */
#include "os/pieces.h"

#include <pthread.h>

enum { THREADS_MAX = 64, SLOTS_MAX = 2 * THREADS_MAX };

enum state { EMPTY, READY, BUSY, DONE };

struct ring {
    const struct os_pieces *of;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum state state[SLOTS_MAX];
    size_t oldest, taken, filled; /* pieces so far: emptied, taken to work on, filled */
    bool ended;                   /* there is no next one */
    bool over;                    /* the workers are to end */
};

size_t os_pieces_slots(unsigned threads)
{
    if (threads <= 1)
        return 1;
    return 2 * (size_t)(threads < THREADS_MAX ? threads : THREADS_MAX);
}

static void *piece_at(const struct ring *r, size_t i)
{
    return (char *)r->of->piece + i % r->of->slots * r->of->size;
}

/* Works on the next piece that is ready; the lock is held before and after. */
static void work_on_next(struct ring *r)
{
    size_t i = r->taken++;

    r->state[i % r->of->slots] = BUSY;
    pthread_mutex_unlock(&r->lock);
    r->of->work(r->of->context, piece_at(r, i));
    pthread_mutex_lock(&r->lock);
    r->state[i % r->of->slots] = DONE;
    pthread_cond_broadcast(&r->changed);
}

static void *worker(void *context)
{
    struct ring *r = context;

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

/* Gives the result of the oldest piece away; false when the user has enough. */
static bool empty_oldest(struct ring *r)
{
    size_t i = r->oldest;
    bool more;

    pthread_mutex_unlock(&r->lock);
    more = r->of->done(r->of->context, piece_at(r, i));
    pthread_mutex_lock(&r->lock);
    r->state[i % r->of->slots] = EMPTY;
    r->oldest++;
    return more;
}

static void fill_next(struct ring *r)
{
    size_t i = r->filled;
    bool more;

    pthread_mutex_unlock(&r->lock);
    more = r->of->next(r->of->context, piece_at(r, i));
    pthread_mutex_lock(&r->lock);
    if (!more) {
        r->ended = true;
        return;
    }
    r->state[i % r->of->slots] = READY;
    r->filled++;
    pthread_cond_broadcast(&r->changed);
}

/* Does what is most useful, until all is done: results first, as they make room, then new
 * pieces for the others, then work. */
static void run_caller(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    while (!r->ended || r->oldest < r->filled) {
        if (r->oldest < r->filled && r->state[r->oldest % r->of->slots] == DONE) {
            if (!empty_oldest(r))
                break;
        } else if (!r->ended && r->filled - r->oldest < r->of->slots) {
            fill_next(r);
        } else if (r->taken < r->filled) {
            work_on_next(r);
        } else {
            pthread_cond_wait(&r->changed, &r->lock);
        }
    }
    r->over = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void run_alone(const struct os_pieces *of)
{
    bool more = true;

    while (more && of->next(of->context, of->piece)) {
        of->work(of->context, of->piece);
        more = of->done(of->context, of->piece);
    }
}

void os_pieces_run(const struct os_pieces *pieces, unsigned threads)
{
    struct ring ring = {.of = pieces,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .changed = PTHREAD_COND_INITIALIZER};
    pthread_t thread[THREADS_MAX];
    unsigned n = 0;

    if (threads <= 1 || pieces->slots < 2) {
        run_alone(pieces);
        return;
    }
    while (n + 1 < threads && n < THREADS_MAX &&
           pthread_create(&thread[n], NULL, worker, &ring) == 0)
        n++;
    run_caller(&ring);
    for (unsigned i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
    pthread_mutex_destroy(&ring.lock);
    pthread_cond_destroy(&ring.changed);
}
