/* When a failure is worth telling: a source that stumbles for a tick comes back by
 * itself, one that fails for a minute does not. It is told once, and once more when all
 * has been well for a minute. */
#ifndef VD_COLLECT_TROUBLE_H
#define VD_COLLECT_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "vedette/status.h"

/* Zero-initialise. */
struct collect_trouble {
    bool told;         /* it is in trouble, and that has been said */
    bool worked;       /* it gave something once */
    bool well;         /* on the last tick */
    int64_t turned_ns; /* monotonic: since when `well` is what it is; 0 = no tick yet */
    int64_t since_ns;  /* wall clock: since when it fails */
    struct vd_error error; /* what it said last */
};

enum collect_news { COLLECT_NO_NEWS, COLLECT_FAILS, COLLECT_IS_WELL };

/* Takes what a tick came to. A source that this machine never had (VD_ERR_UNAVAILABLE
 * from the start) is no trouble. */
enum collect_news collect_trouble_tick(struct collect_trouble *trouble,
                                       const struct vd_error *error, int64_t mono_ns,
                                       int64_t wall_ns);

#endif
