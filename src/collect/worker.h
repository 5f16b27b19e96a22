/* A thread for sources that may be slow or never answer: sensors behind a slow bus, a
 * mount whose server is gone, a graphics driver that is waking up. A tick asks and takes
 * what is ready; it never waits.
 *
 * The context passes back and forth: while the worker runs it belongs to the thread, at
 * all other times to the collector. So neither needs a lock.
 */
#ifndef VD_COLLECT_WORKER_H
#define VD_COLLECT_WORKER_H

#include <stdbool.h>

#include "vedette/status.h"

typedef struct collect_worker collect_worker;

/* `work(context)` is done on each start; `free_context` is called once at the end, by
 * whoever is last. The worker owns the context from here on, also on failure. Without
 * `threads` the work is done in the caller. The thread is started with the first work. */
enum vd_status collect_worker_new(collect_worker **out, void (*work)(void *context),
                                  void (*free_context)(void *context), void *context,
                                  bool threads);

/* Whether the thread has the context now. */
bool collect_worker_is_running(const collect_worker *worker);

/* Starts the work unless it is running. False when a thread could not be started; the
 * next call tries again. */
bool collect_worker_start(collect_worker *worker);

/* Never waits for work: a worker that is running is left alone, and frees its context
 * when the work comes to its end. Takes NULL. */
void collect_worker_free(collect_worker *worker);

#endif
