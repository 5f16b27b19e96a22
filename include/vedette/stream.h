/* The metric layer: one metric, one number at a time, no look ahead, bounded state.
 *
 * Five questions are asked of every sample, each answered by a distance. VALUE: how far
 * is it from the nearest value seen before? DAILY: how far is it outside the range seen
 * at this time of day on past days? SPREAD: the same for the standard deviation of the
 * last 48 samples. SHORT: how far is the course of the last 8 samples from the nearest
 * earlier course? LONG: the same for the last 48 samples.
 *
 * Each distance becomes a surprise, -log10 of the share of its own past that was as
 * large; z combines them so that a little surprise in all weighs more than much in one.
 *
 * Two judgements follow from z. `surprise` is -log10 of the events as large as z to be
 * expected in one sample under its own past: what a threshold from vd_surprise_of_budget
 * is compared with. `alarm` is made to speak once for each new kind of event, which is
 * what NAB counts: each alarm makes the next one harder for a while.
 *
 * Time steps are samples: the layer works at 1 Hz as at one row in 5 minutes; only the
 * parts DAILY and SPREAD read the clock.
 */
#ifndef VD_STREAM_H
#define VD_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/bytes.h"
#include "vedette/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum vd_stream_part {
    VD_STREAM_VALUE,
    VD_STREAM_DAILY,
    VD_STREAM_SPREAD,
    VD_STREAM_SHORT,
    VD_STREAM_LONG,
    VD_STREAM_PARTS
};

struct vd_stream_params {
    size_t warm_up;   /* samples before the first verdict */
    size_t memory;    /* W: samples over which the alarm habituates; 0 = warm_up */
    double threshold; /* of the habituating alarm, on z */
};

/* warm-up 60, memory 600, the threshold of the study (docs/streaming.md). */
struct vd_stream_params vd_stream_params_default(void);

struct vd_stream_verdict {
    bool ready; /* false while warming up and for NaN: everything below is NaN or 0 */
    bool alarm; /* the habituating alarm spoke on this sample */
    double z;   /* squared mean of the roots of the parts' surprises, 0 .. 8 */
    double surprise; /* of z, 0 .. VD_SURPRISE_MAX; 0 before the 60th sample */
    double score;    /* 0 .. 1 in NAB's sense: 0.5 and above on an alarm, below without */
    double distance[VD_STREAM_PARTS]; /* in the unit of the metric; NaN = not yet known */
    double part[VD_STREAM_PARTS];     /* the parts' surprises, 0 .. 8 */
};

typedef struct vd_stream vd_stream;

/* One block of vd_stream_size() bytes, zero, so that its pages are taken only as history
 * grows. `params` NULL = the defaults. One thread at a time. */
enum vd_status vd_stream_new(vd_stream **out, const struct vd_stream_params *params);
void vd_stream_free(vd_stream *stream);
size_t vd_stream_size(void);

/* Samples seen, NaN left out. */
uint64_t vd_stream_count(const vd_stream *stream);

/* One sample. `time_s` is the wall clock in seconds since 1970, plus the offset of the
 * local time where days should follow the local clock; it may jump either way. NaN and
 * infinity = no sample. `out` may be NULL (back-fill). Allocates nothing. */
void vd_stream_push(vd_stream *stream, int64_t time_s, double x,
                    struct vd_stream_verdict *out);

/* The name of a part, "value", "daily", "spread", "short", "long"; static. */
const char *vd_stream_part_name(enum vd_stream_part part);

/* Appends the state to `w`, as short as its history, with a checksum; check w->status. */
void vd_stream_save(const vd_stream *stream, struct vd_writer *w);

/* Reads what vd_stream_save wrote, trusting nothing: VD_ERR_FORMAT, VD_ERR_VERSION,
 * VD_ERR_MEMORY. `*out` is NULL on failure. */
enum vd_status vd_stream_load(vd_stream **out, struct vd_reader *r, struct vd_error *err);

#ifdef __cplusplus
}
#endif

#endif
