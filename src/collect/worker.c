/* One semaphore wakes the thread and one atomic state says whose turn it is; who changes
 * it from RUNNING decides who frees. A worker that is left while it works is detached and
 * frees everything itself when it comes back. */
#include "collect/worker.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Deep enough for a vendor's driver library and for dlopen. */
enum { STACK = 512 * 1024 };

/* IDLE: the owner may touch the context and start. RUNNING: only the thread may. QUIT:
 * the owner asked the resting thread to end. ABANDONED: the owner left while it worked.
 */
enum state { IDLE, RUNNING, QUIT, ABANDONED };

struct collect_worker {
    void (*work)(void *context);
    void (*free_context)(void *context);
    void *context;
    bool threads, started;
    _Atomic enum state state;
    sem_t wake;
    pthread_t thread;
};

/* Frees everything. Only one of owner and thread may call it, the one that is left. */
static void release(collect_worker *worker)
{
    assert(atomic_load(&worker->state) != RUNNING);
    worker->free_context(worker->context);
    sem_destroy(&worker->wake);
    free(worker);
}

/* Ends by QUIT (the owner joins and releases) or, when the owner left during the work, by
 * ABANDONED (nobody is left but this thread). */
static void *run(void *context)
{
    collect_worker *worker = context;

    for (;;) {
        enum state expected = RUNNING;

        while (sem_wait(&worker->wake) != 0 && errno == EINTR)
            ;
        if (atomic_load(&worker->state) == QUIT)
            return NULL;
        worker->work(worker->context);
        if (!atomic_compare_exchange_strong(&worker->state, &expected, IDLE)) {
            release(worker);
            return NULL;
        }
    }
}

enum vd_status collect_worker_new(collect_worker **out, void (*work)(void *context),
                                  void (*free_context)(void *context), void *context,
                                  bool threads)
{
    collect_worker *worker = calloc(1, sizeof *worker);

    *out = worker;
    if (worker == NULL) {
        free_context(context);
        return VD_ERR_MEMORY;
    }
    assert(work != NULL && free_context != NULL);
    worker->work = work;
    worker->free_context = free_context;
    worker->context = context;
    worker->threads = threads;
    sem_init(&worker->wake, 0, 0);
    return VD_OK;
}

bool collect_worker_is_running(const collect_worker *worker)
{
    return atomic_load(&worker->state) == RUNNING;
}

/* Signals are for the main thread; the worker's mask is inherited from here. */
static bool start_thread(collect_worker *worker)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int code;

    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(&worker->thread, &attributes, run, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    worker->started = code == 0;
    return worker->started;
}

/* Only the owner may call it. The thread is made with the first work and then kept. */
bool collect_worker_start(collect_worker *worker)
{
    if (!worker->threads) {
        worker->work(worker->context);
        return true;
    }
    if (collect_worker_is_running(worker))
        return true;
    if (!worker->started && !start_thread(worker))
        return false;
    assert(atomic_load(&worker->state) == IDLE);
    /* The state changes before the thread wakes, or it could end before it was running.
     */
    atomic_store(&worker->state, RUNNING);
    sem_post(&worker->wake);
    return true;
}

/* Leaves at once a thread that works: a driver or server that hangs must not hold up the
 * end of the program. */
void collect_worker_free(collect_worker *worker)
{
    enum state expected = RUNNING;

    if (worker == NULL)
        return;
    if (!worker->started) {
        release(worker);
        return;
    }
    if (atomic_compare_exchange_strong(&worker->state, &expected, ABANDONED)) {
        pthread_detach(worker->thread);
        return;
    }
    atomic_store(&worker->state, QUIT);
    sem_post(&worker->wake);
    pthread_join(worker->thread, NULL);
    release(worker);
}
