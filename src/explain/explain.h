/* Saying why: the metrics that deviate most, in words, with the pattern's name and the
 * processes behind it. */
#ifndef VD_EXPLAIN_EXPLAIN_H
#define VD_EXPLAIN_EXPLAIN_H

#include "explain/recorder.h"
#include "record.h"

/* One tick as the explanation sees it. */
struct explain_input {
    const struct record_schema *schema;
    const double *value;    /* schema->n each; NaN = not there */
    const double *expected; /* what is normal */
    const double *z;        /* robust sigmas away; NaN = nothing to say yet */
};

/* Fills top, explanation, factor, n_top and reason of the event: the metrics with the
 * largest |z|, one per family, those people know by name before those with a label, and
 * a second one of a group only before others that deviate half as much. Returns how much
 * there is to tell: the sum of the weighted |z|. */
double explain_event(const struct explain_input *in, struct record_event *event);

/* True when the event is a drop: its first metric fell, and less of it is not worse. */
bool explain_is_drop(const struct record_event *event);

/* Copies what explain_event filled in. */
void explain_copy(struct record_event *to, const struct record_event *from);

/* Fills the suspects: processes by their share of the excess, since `since_ns`
 * (monotonic), of the resource that the event's first metrics are about. Where there is
 * no excess, or it is not known, the largest users now (of_use). Keeps those that the
 * event has when the recorder does not reach back to before it any more. */
void explain_suspects(const explain_recorder *recorder, int64_t since_ns,
                      struct record_event *event);

/* "gpu_memory: 14.2 (high, expected ≈9.4, z=1.9)" into text; returns text. */
char *explain_deviation_text(const struct record_schema *schema,
                             const struct record_deviation *deviation, char *text,
                             size_t size);

/* Writes a number as people read it: "85.7", "1200", "0.02". */
void explain_number_text(double x, char *text, size_t size);

/* Writes a severity factor: "CPU: 85.7%", "Disk: 120.4 MB/s". */
void explain_factor_text(const struct record_schema *schema,
                         const struct record_deviation *deviation, char *text,
                         size_t size);

/* The course of an event, followed from tick to tick to name its pattern. */
struct explain_course {
    size_t metric;       /* the one that leads; SIZE_MAX = none yet */
    uint32_t serial;     /* and its serial number in the schema */
    double first, last;  /* its expected value at the start, its value now */
    double largest_jump; /* between two ticks, in the direction of the deviation */
    size_t ticks;
    size_t groups; /* that deviate at once, most so far */
};

void explain_course_start(struct explain_course *course);
void explain_course_add(struct explain_course *course, const struct explain_input *in,
                        const struct record_event *event);

/* "spike", "step", "leak", "contention", "flooding" or "sustained bottleneck", after
 * `seconds` of the event. */
const char *explain_pattern(const struct explain_course *course,
                            const struct explain_input *in,
                            const struct record_event *event, double seconds);

#endif
