/* The metric layer: one metric, one number at a time, no look ahead, bounded state.
 *
 * Five parts look at every sample, and each answers with a distance:
 *   VALUE   how far is it from the nearest value seen before?
 *   DAILY   how far is it outside the range seen at this time of day on past days?
 *   SPREAD  the same question for the standard deviation of the last 48 samples
 *   SHORT   how far is the course of the last 8 samples from the nearest earlier course?
 *   LONG    the same question for the last 48 samples
 *
 * Each distance becomes a surprise: -log10 of the share of its own past that was as
 * large. z combines them so that a little surprise in all parts weighs more than much in
 * one.
 *
 * Two judgements follow from z. `surprise` is -log10 of how many events as large as z are
 * expected in one sample under its own past; compare it with a threshold from
 * vd_surprise_of_budget. `alarm` is raised once for each new kind of event, which is what
 * the NAB benchmark counts: each alarm makes the next one harder for a while.
 *
 * Time is counted in samples, so the layer works with a sample a second as with a row
 * every five minutes. Only the parts DAILY and SPREAD read the clock.
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

/* Returns the defaults: warm-up 60, memory 600, and the threshold of the study
 * (docs/streaming.md). */
struct vd_stream_params vd_stream_params_default(void);

/* The verdict of the layer on one sample. Plain data. */
struct vd_stream_verdict {
    bool ready;      /* false while warming up and for NaN: do not use the rest */
    bool alarm;      /* the habituating alarm is raised on this sample */
    double z;        /* squared mean of the roots of the parts' surprises, 0 .. 8 */
    double surprise; /* of z, 0 .. VD_SURPRISE_MAX; 0 before the 60th sample */
    double score;    /* 0 .. 1 in NAB's sense: 0.5 and above on an alarm, below without */
    double distance[VD_STREAM_PARTS]; /* in the unit of the metric; NaN = not yet known */
    double part[VD_STREAM_PARTS];     /* the parts' surprises, 0 .. 8 */
};

/* The state of one metric; used by one thread at a time. */
typedef struct vd_stream vd_stream;

/* Makes the state of a metric without history: one block of vd_stream_size() zero bytes,
 * whose pages are taken only as history grows. `params` (copied) NULL = the defaults. The
 * caller owns *out and frees it with vd_stream_free; it is NULL on VD_ERR_MEMORY. */
enum vd_status vd_stream_new(vd_stream **out, const struct vd_stream_params *params);

/* Frees the state; takes NULL. */
void vd_stream_free(vd_stream *stream);

/* Returns the bytes of one state. It never grows. */
size_t vd_stream_size(void);

/* Counts the samples seen, without NaN. */
uint64_t vd_stream_count(const vd_stream *stream);

/* Takes one sample, judges it and learns it. `time_s` is the wall clock in seconds since
 * 1970, plus the offset of the local time where days should follow the local clock; it
 * may jump either way. NaN and infinity mean that there is no sample: nothing is learned.
 * `out` NULL = the verdict is not wanted (back-fill). Allocates nothing. */
void vd_stream_push(vd_stream *stream, int64_t time_s, double x,
                    struct vd_stream_verdict *out);

/* Returns the name of a part: "value", "daily", "spread", "short", "long"; static. */
const char *vd_stream_part_name(enum vd_stream_part part);

/* Appends the state to `w`, with a checksum; a young state is short. Check w->status. */
void vd_stream_save(const vd_stream *stream, struct vd_writer *w);

/* Reads what vd_stream_save wrote, trusting nothing. VD_ERR_FORMAT (and r->failed),
 * VD_ERR_VERSION, VD_ERR_MEMORY; then *out is NULL. */
enum vd_status vd_stream_load(vd_stream **out, struct vd_reader *r, struct vd_error *err);

#ifdef __cplusplus
}
#endif

#endif
