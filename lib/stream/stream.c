/* The metric layer: each of the five parts turns the sample into a distance, each
 * distance becomes a surprise under its own past, and the mean of the surprises becomes a
 * surprise under its own past and feeds the habituating alarm. One metric at a time: what
 * two metrics do together is the detectors' business.
 *
 * Related: Ahmad et al., "Unsupervised real-time anomaly detection for streaming data",
 * Neurocomputing 2017 (surprise under the recent past of the score itself); Knorr and Ng,
 * VLDB 1998 (distance to the nearest neighbours).
 */
#include "vedette/stream.h"

#include <assert.h>
#include <math.h>

#include "base/alloc.h"
#include "stream/state.h"
#include "vedette/calibration.h"

static const double PART_CAP = 8;
static const double PART_MEMORY = 1e5; /* samples after which the past counts half */
static const struct vd__course_kind BRIEF = {.step = 2, .age = 16, .every = 2};
static const struct vd__course_kind SLOW = {.step = 12, .age = 48, .every = 3};
static const float VALUE_MAX = 1e18F; /* its square is still a float */

struct vd_stream_params vd_stream_params_default(void)
{
    return (struct vd_stream_params){.warm_up = 60, .memory = 600, .threshold = 0.6};
}

enum vd_status vd_stream_new(vd_stream **out, const struct vd_stream_params *params)
{
    vd_stream *stream = vd__alloc_zero(1, sizeof *stream);

    *out = stream;
    if (stream == NULL)
        return VD_ERR_MEMORY;
    stream->params = params == NULL ? vd_stream_params_default() : *params;
    if (stream->params.memory == 0)
        stream->params.memory = stream->params.warm_up;
    if (stream->params.memory == 0)
        stream->params.memory = 1;
    return VD_OK;
}

void vd_stream_free(vd_stream *stream)
{
    vd__free(stream);
}

size_t vd_stream_size(void)
{
    return sizeof(struct vd_stream);
}

uint64_t vd_stream_count(const vd_stream *stream)
{
    return stream->rows;
}

const char *vd_stream_part_name(enum vd_stream_part part)
{
    static const char *const names[VD_STREAM_PARTS] = {"value", "daily", "spread",
                                                       "short", "long"};

    assert(part < VD_STREAM_PARTS);
    return names[part];
}

/* Converts a sample to the float that the parts hold; the first samples set the scale. */
static float held(vd_stream *stream, double x)
{
    double difference;

    if (stream->rows == 0)
        stream->origin = x;
    difference = fmin(fmax(x / 4 - stream->origin / 4, -1e307), 1e307);
    if (stream->scale == 0 && difference != 0) {
        int exponent = ilogb(difference);

        exponent = exponent < -1000 ? -1000 : exponent > 1000 ? 1000 : exponent;
        stream->scale = ldexp(1, -exponent);
    }
    return (float)fmin(fmax(difference * stream->scale, -VALUE_MAX), VALUE_MAX);
}

/* Asks every part for its distance, -1 = not known yet, and lets it learn the sample. */
static void ask_parts(vd_stream *stream, int64_t time_s, float x,
                      float distance[VD_STREAM_PARTS])
{
    vd__recent_add(&stream->recent, x);
    distance[VD_STREAM_VALUE] = vd__nearest_distance(&stream->value, x);
    vd__nearest_add(&stream->value, x);
    distance[VD_STREAM_DAILY] = vd__daily_push(&stream->daily, time_s, x);
    distance[VD_STREAM_SPREAD] = -1;
    if (stream->recent.n >= RECENT)
        distance[VD_STREAM_SPREAD] =
            vd__daily_push(&stream->spread, time_s, vd__recent_spread(&stream->recent));
    distance[VD_STREAM_SHORT] = vd__course_push(&stream->brief, &BRIEF, &stream->recent);
    distance[VD_STREAM_LONG] = vd__course_push(&stream->slow, &SLOW, &stream->recent);
}

/* Combines the surprises of the parts that have an answer: the mean of their roots,
 * squared. An anomaly shows in several parts, noise in one at a time. */
static double combine(vd_stream *stream, const float distance[VD_STREAM_PARTS],
                      double part[VD_STREAM_PARTS])
{
    double sum = 0;
    uint32_t known = 0;

    for (int i = 0; i < VD_STREAM_PARTS; i++) {
        part[i] = NAN;
        if (distance[i] < 0)
            continue;
        part[i] = vd__tail_surprise(&stream->tail[i], distance[i], PART_CAP);
        vd__tail_add(&stream->tail[i], distance[i], PART_MEMORY);
        sum += sqrt(part[i]);
        known++;
    }
    if (known == 0)
        return 0;
    if (known > stream->known)
        vd__odds_fade(&stream->z);
    stream->known = known;
    sum /= known;
    return fmin(sum * sum, PART_CAP);
}

/* Decides the habituating alarm. Each alarm adds to two habits, which fade again, and the
 * alarm is raised when z less the habits (`*left`) reaches the threshold, but not again
 * within a tenth of the memory. During the warm-up it habituates without being heard, so
 * that common values do not raise it right afterwards. */
static bool habituating_alarm(vd_stream *stream, double z, double *left)
{
    double memory = (double)stream->params.memory;
    bool rested = stream->last_alarm == 0 ||
                  (double)(stream->rows - stream->last_alarm) > 0.1 * memory;

    stream->habit_fast *= exp(-1 / (0.5 * memory));
    stream->habit_slow *= exp(-1 / (10 * memory));
    *left = z - stream->habit_fast - stream->habit_slow;
    if (!(*left >= stream->params.threshold) || !rested)
        return false;
    stream->habit_fast += 0.6;
    stream->habit_slow += 0.1;
    stream->last_alarm = stream->rows;
    return stream->rows > stream->params.warm_up;
}

/* Maps `left` to NAB's score: 0.5 and above on an alarm, below 0.5 without one. */
static double score_of(double left, double threshold, bool alarm)
{
    double score = 0.5 * fmax(left, 0) / threshold;

    if (alarm)
        return fmin(0.5 + (left - threshold) / 16, 1);
    return fmin(score, 0.499);
}

void vd_stream_push(vd_stream *stream, int64_t time_s, double x,
                    struct vd_stream_verdict *out)
{
    struct vd_stream_verdict v = {.z = NAN, .surprise = NAN};
    float distance[VD_STREAM_PARTS];
    double left = 0;

    for (int i = 0; i < VD_STREAM_PARTS; i++)
        v.distance[i] = v.part[i] = NAN;
    if (isfinite(x)) {
        ask_parts(stream, time_s, held(stream, x), distance);
        stream->rows++;
        v.z = combine(stream, distance, v.part);
        v.ready = stream->rows > stream->params.warm_up;
        v.surprise = fmin(vd__odds_surprise(&stream->z, v.z), VD_SURPRISE_MAX);
        vd__odds_add(&stream->z, v.z);
        for (int i = 0; i < VD_STREAM_PARTS; i++)
            if (distance[i] >= 0)
                v.distance[i] = stream->scale > 0 ? distance[i] / stream->scale * 4 : 0;
        v.alarm = habituating_alarm(stream, v.z, &left);
        if (v.ready)
            v.score = score_of(left, stream->params.threshold, v.alarm);
    }
    if (out != NULL)
        *out = v;
}
