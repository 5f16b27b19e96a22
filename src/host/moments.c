/* The flight recorder's copies: of every event, however short, from a minute before it
 * began to half a minute after. Each is taken once when the event opens, in case that
 * this is the last thing the machine does, and once more when the half minute is
 * complete. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "host/state.h"

enum {
    COPIES = 2, /* on one tick: each is a walk over the ring, and no tick may be late */
    MOMENTS_MAX = 128, /* events that wait at once: more than may be open and just over */
};

static const int64_t AFTER_NS = (int64_t)RECORDER_AFTER_S * 1000000000;
static const int64_t BEFORE_NS = (int64_t)RECORDER_BEFORE_S * 1000000000;

/* Copies what the ring has around the event; false when that is nothing. */
static bool copy(const host *h, const struct host_moments *of, struct host_copy *out)
{
    out->event_id = of->event_id;
    return explain_recorder_span(h->recorder, of->began_ns - BEFORE_NS,
                                 of->began_ns + AFTER_NS, &out->moment, &out->n) == VD_OK;
}

/* Removes the i-th event from those that wait for a copy. */
static void forget(host *h, size_t i)
{
    assert(i < h->n_moments);
    h->n_moments--;
    memmove(&h->moments[i], &h->moments[i + 1], (h->n_moments - i) * sizeof *h->moments);
}

/* Makes room for one more; false at the bound or without memory. */
static bool make_room(host *h)
{
    size_t capacity = h->moments_capacity * 2 + 4;
    struct host_moments *grown;

    if (h->n_moments < h->moments_capacity)
        return true;
    if (capacity > MOMENTS_MAX)
        capacity = MOMENTS_MAX;
    if (capacity == h->moments_capacity)
        return false;
    grown = realloc(h->moments, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    h->moments = grown;
    h->moments_capacity = capacity;
    return true;
}

/* Notes that the event is to be kept. A limit that has to hold for long began before what
 * the ring reaches back to; then the moments around its opening are kept. */
void host_moments_begin(host *h, const struct alert_course *course)
{
    int64_t around_ns = course->opened_ns - course->began_ns > AFTER_NS
                            ? course->opened_ns
                            : course->began_ns;

    if (!h->config.keeps_moments)
        return;
    if (!make_room(h)) {
        if (h->n_moments == 0)
            return;
        forget(h, 0); /* the longest there: a first copy of it is most likely kept */
    }
    h->moments[h->n_moments++] = (struct host_moments){
        .event_id = course->event.id,
        .began_ns = around_ns,
        .due_ns = around_ns + AFTER_NS,
    };
}

/* Takes the first copy of an event at once, the second when the time after the beginning
 * is complete. */
bool host_copy_next(host *h, struct host_copy *out)
{
    for (size_t i = 0; i < h->n_moments && h->n_copied < COPIES;) {
        struct host_moments of = h->moments[i];
        bool complete = h->record.mono_ns >= of.due_ns;

        if (of.kept && !complete) {
            i++;
            continue;
        }
        h->n_copied++;
        h->moments[i].kept = true;
        if (complete)
            forget(h, i);
        if (copy(h, &of, out))
            return true;
    }
    return false;
}

bool host_copy_rest(host *h, struct host_copy *out)
{
    while (h->n_moments > 0) {
        struct host_moments of = h->moments[0];

        forget(h, 0);
        if (copy(h, &of, out))
            return true;
    }
    return false;
}
