/* The flight recorder's copies: of every event, however short, from a minute before it
 * began to half a minute after. Each is kept once when the event opens, in case that this
 * is the last thing the machine does, and once more when the half minute is complete. */
#include <assert.h>
#include <string.h>

#include "pipeline_state.h"

/* Bounds the copies made on one tick: each is a walk over the ring, and the tick must not
 * be late. */
enum { COPIES = 2 };

/* Copies what the ring has around the event and gives it to the store. */
static void keep(pipeline *p, const struct pipeline_moments *of)
{
    struct history_moment *moment;
    size_t n;

    if (explain_recorder_span(
            p->recorder, of->began_ns - (int64_t)RECORDER_BEFORE_S * 1000000000,
            of->began_ns + (int64_t)RECORDER_AFTER_S * 1000000000, &moment, &n) != VD_OK)
        return;
    store_set_moments(p->store, of->event_id, moment, n);
    history_moments_free(moment, n);
}

/* Removes the i-th event from those that wait for a copy. */
static void forget(pipeline *p, size_t i)
{
    assert(i < p->n_moments);
    p->n_moments--;
    memmove(&p->moments[i], &p->moments[i + 1], (p->n_moments - i) * sizeof *p->moments);
}

/* Notes that the event is to be kept. A limit that has to hold for long began before what
 * the ring reaches back to; then the moments around its opening are kept. */
void pipeline_moments_begin(pipeline *p, const struct alert_course *course)
{
    /* A limit that has to hold for long began when the ring did not reach back to. */
    int64_t around_ns =
        course->opened_ns - course->began_ns > (int64_t)RECORDER_AFTER_S * 1000000000
            ? course->opened_ns
            : course->began_ns;

    if (p->store == NULL)
        return;
    if (p->n_moments == PIPELINE_MOMENTS) {
        /* What there is of the oldest is better than nothing. */
        keep(p, &p->moments[0]);
        forget(p, 0);
    }
    p->moments[p->n_moments++] = (struct pipeline_moments){
        .event_id = course->event.id,
        .began_ns = around_ns,
        .due_ns = around_ns + (int64_t)RECORDER_AFTER_S * 1000000000,
    };
}

/* Makes the copies that are due: the first at once, the second when the time after the
 * beginning is complete. */
void pipeline_moments_keep(pipeline *p)
{
    size_t copies = 0;

    for (size_t i = 0; i < p->n_moments && copies < COPIES; i++) {
        struct pipeline_moments *of = &p->moments[i];
        bool complete = p->record.mono_ns >= of->due_ns;

        if (of->kept && !complete)
            continue;
        keep(p, of);
        copies++;
        of->kept = true;
        if (complete)
            forget(p, i--);
    }
}

/* Keeps at the end what there is of all events that still wait. */
void pipeline_moments_finish(pipeline *p)
{
    while (p->n_moments > 0) {
        keep(p, &p->moments[0]);
        forget(p, 0);
    }
}
