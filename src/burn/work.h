/* The loads that `vedette burn` makes. Each function is one worker's thread: it works
 * until *stop is set, adds to `done` as it goes, and leaves nothing behind. */
#ifndef VD_BURN_WORK_H
#define VD_BURN_WORK_H

#include <netdb.h>
#include <stdatomic.h>

#include "vedette/status.h"

struct burn_plan {
    double load;   /* cpu: percent of one core for each worker */
    double amount; /* memory, disk: bytes for each worker */
    double rate;   /* memory, leak, disk, network: bytes a second for each worker; 0 = all
                      it   can; leak: so that it reaches `amount` in `seconds` */
    double seconds;            /* leak: how long it will run */
    const char *folder;        /* disk */
    const struct addrinfo *to; /* network: where datagrams go; NULL = through loopback */
};

struct burn_worker {
    const struct burn_plan *plan;
    const atomic_bool *stop;
    atomic_ullong done;  /* cpu: ns of CPU time; else bytes */
    struct vd_error err; /* read after the thread was joined */
};

/* Integer arithmetic in the given share of each tenth of a second. */
void burn_cpu(struct burn_worker *worker);

/* Takes `amount` bytes, touching each page, and keeps them in use. */
void burn_memory(struct burn_worker *worker);

/* Takes memory in small pieces, as a program does that forgets to free it, at the rate,
 * without end. It is given back when the worker stops. */
void burn_leak(struct burn_worker *worker);

/* Writes a file of `amount` bytes without a name, past the cache, and reads it back,
 * again and again. */
void burn_disk(struct burn_worker *worker);

/* Sends datagrams to plan->to, or a stream through loopback to itself. */
void burn_network(struct burn_worker *worker);

#endif
