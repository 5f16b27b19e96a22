/* Follows for each metric when it was last there and when it last moved. Only metrics
 * that have reported for a while can fall silent, and only sensors can freeze. */
#include "detect/silence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sets how many ticks a metric has to be there before its absence says anything, and how
 * often a sensor has to move before its standing still does. */
enum { PRESENT_MIN = 60, MOVES_MIN = 30 };

/* Sets the seconds without a value, without a movement, and between two ticks from which
 * it is worth an event. */
static const double GONE_S = 10, FROZEN_S = 600, GAP_S = 10;

void detect_silence_release(struct detect_silence *s)
{
    free(s->state);
    *s = (struct detect_silence){0};
}

/* Makes room for new metrics. Without memory nothing is said of silence on this tick. */
static bool grow(struct detect_silence *s, size_t n)
{
    struct detect_silence_state *state;

    if (n <= s->n)
        return true;
    state = realloc(s->state, n * sizeof *state);
    if (state == NULL)
        return false;
    memset(state + s->n, 0, (n - s->n) * sizeof *state);
    s->state = state;
    s->n = n;
    return true;
}

/* Only what measures a physical quantity moves all the time and can freeze; a disk that
 * reads nothing is at peace. */
static bool is_sensor(const struct record_metric *metric)
{
    return strcmp(metric->unit, "C") == 0;
}

/* Notes the value of one metric. The counts stop at their limit and do not wrap. */
static void look(struct detect_silence_state *state, double value, int64_t mono_ns)
{
    if (isnan(value))
        return;
    state->seen_ns = mono_ns;
    if (state->present == 0 || value != state->last) {
        state->changed_ns = mono_ns;
        state->present_then = state->present;
        if (state->present > 0 && state->moves < UINT32_MAX)
            state->moves++;
    }
    if (state->present < UINT32_MAX)
        state->present++;
    state->last = value;
}

/* A sensor that moved on more than every other tick is expected to go on doing so. */
static bool moves_often(const struct detect_silence_state *state)
{
    return state->moves >= MOVES_MIN && state->moves > state->present_then / 2;
}

/* Finds the longest silence. Metrics with a label are passed over: devices come and
 * go. */
bool detect_silence_check(struct detect_silence *s, const struct record_schema *schema,
                          const double *value, int64_t mono_ns,
                          struct record_silence *hit)
{
    double least = fmax(GONE_S, 5 * s->interval_s);
    double gap = s->last_ns == 0 ? 0 : (double)(mono_ns - s->last_ns) * 1e-9;

    s->last_ns = mono_ns;
    hit->seconds = 0;
    if (!grow(s, schema->n))
        return false;
    if (gap > fmax(GAP_S, 5 * s->interval_s))
        *hit = (struct record_silence){RECORD_SILENCE_GAP, SIZE_MAX, gap};
    for (size_t i = 0; i < schema->n; i++) {
        struct detect_silence_state *state = &s->state[i];
        double gone, frozen;

        if (state->serial != schema->metric[i].serial)
            *state = (struct detect_silence_state){.serial = schema->metric[i].serial};
        look(state, value[i], mono_ns);
        if (state->present < PRESENT_MIN || schema->metric[i].label[0] != '\0')
            continue;
        gone = (double)(mono_ns - state->seen_ns) * 1e-9;
        frozen = (double)(mono_ns - state->changed_ns) * 1e-9;
        /* After a gap every metric was away: that is one thing, not hundred. */
        if (gone - (gap > least ? gap : 0) > least && gone > hit->seconds)
            *hit = (struct record_silence){RECORD_SILENCE_GONE, i, gone};
        else if (is_sensor(&schema->metric[i]) && moves_often(state) &&
                 frozen > FROZEN_S && gone == 0 && frozen > hit->seconds)
            *hit = (struct record_silence){RECORD_SILENCE_FROZEN, i, frozen};
    }
    return hit->seconds > 0;
}
