/* A parallel loop over POSIX threads that live for one call. There is no pool: work that
 * is worth threads takes much longer than starting them.
 */
#include "base/threads.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

enum { MAX_THREADS = 256 };

/* The state that the threads of one call share; it lives on the caller's stack. */
struct share {
    vd__work_fn *work;
    void *context;
    size_t n;
    atomic_size_t next;
};

/* Does items until none is left. They are handed out one by one, so uneven items (deep
 * and shallow trees) balance. */
static void *run_items(void *context)
{
    struct share *share = context;
    size_t i;

    while ((i = atomic_fetch_add(&share->next, 1)) < share->n)
        share->work(share->context, i);
    return NULL;
}

void vd__parallel_for(size_t n, unsigned threads, vd__work_fn *work, void *context)
{
    struct share share = {.work = work, .context = context, .n = n};
    pthread_t thread[MAX_THREADS];
    unsigned started = 0;

    if (threads > MAX_THREADS)
        threads = MAX_THREADS;
    while (started + 1 < threads && started + 1 < n) {
        if (pthread_create(&thread[started], NULL, run_items, &share) != 0)
            break;
        started++;
    }
    run_items(&share);
    /* The threads see `share` until they have ended. */
    while (started > 0)
        pthread_join(thread[--started], NULL);
    assert(atomic_load(&share.next) >= n);
}
