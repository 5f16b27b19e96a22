/* Work shared out to threads. */
#ifndef VD_BASE_THREADS_H
#define VD_BASE_THREADS_H

#include <stddef.h>

/* Does item `i`; items may run at the same time and in any order, so each writes only
 * what is its own. */
typedef void vd__work_fn(void *context, size_t i);

/* Runs work(context, i) for i = 0 .. n - 1 on up to `threads` threads, the caller's among
 * them, and returns when all is done. threads = 0 or 1 runs everything in the caller, in
 * order. A thread that cannot be started only makes it slower. */
void vd__parallel_for(size_t n, unsigned threads, vd__work_fn *work, void *context);

#endif
