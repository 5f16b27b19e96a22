/* Silence is a signal: a metric that stopped reporting, a sensor that froze, ticks that
 * never came. */
#ifndef VD_DETECT_SILENCE_H
#define VD_DETECT_SILENCE_H

#include "record.h"

/* Per metric: when it was last there, when its value last changed. */
struct detect_silence_state {
    int64_t seen_ns, changed_ns;
    double last;
    uint32_t present, moves; /* ticks seen, ticks on which the value differed */
    uint32_t present_then;   /* `present` when it last changed */
    uint32_t serial;         /* of the metric in the schema */
};

struct detect_silence {
    struct detect_silence_state *state; /* one per metric */
    size_t n;
    int64_t last_ns; /* monotonic time of the tick before; 0 = none */
    double interval_s;
};

/* Zero-initialise and set interval_s before the first use. */
void detect_silence_release(struct detect_silence *s);

/* Looks at one tick; the worst hit goes to `hit`. False when all is heard. Metrics with a
 * label are left alone: a disk that is pulled out is no incident. */
bool detect_silence_check(struct detect_silence *s, const struct record_schema *schema,
                          const double *value, int64_t mono_ns,
                          struct record_silence *hit);

#endif
