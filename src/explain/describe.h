/* What events say that need no deviation from the normal: limits, silence, drift. */
#ifndef VD_EXPLAIN_DESCRIBE_H
#define VD_EXPLAIN_DESCRIBE_H

#include "record.h"

/* Fills the reason of an event of processes that were killed when memory ran out:
 * "2 processes killed, memory ran out: stress (1234), python3 (1240)". `kills` may be
 * more than the names that are known. `sure`: the kernel named them. */
void explain_killed(double kills, const struct record_killed *killed, size_t n, bool sure,
                    struct record_event *event);

/* A metric that exceeds a hard limit. */
struct explain_limit {
    size_t metric;
    double value;   /* the worst so far */
    double above_s; /* exceeded for so long without a break */
    struct record_words words;
};

/* Fills reason and the first of top, explanation and factor of an event whose limit is
 * set: "cpu_percent 98.5 %, limit 95 % for 10 s, above it for 27 min". */
void explain_limit(const struct record_schema *schema, const struct explain_limit *now,
                   struct record_event *event);

/* Fills the reason of an event of silence: what is not heard, and for how long. */
void explain_silence(const struct record_schema *schema,
                     const struct record_silence *silence, struct record_event *event);

void explain_drift(struct record_event *event);

#endif
