/* A rolling verdict on a recording: whether the tree does what it did so far. Each column
 * is watched by itself, as the monitor's univariate layer does: by its distance from its
 * own baseline and by the streaming detector. */
#ifndef VD_RECORDING_VERDICT_H
#define VD_RECORDING_VERDICT_H

#include <jansson.h>

#include "format/prmon.h"
#include "vedette/status.h"

enum recording_change { RECORDING_SAME, RECORDING_ODD_BEGAN, RECORDING_ODD_ENDED };

typedef struct recording_verdict recording_verdict;

enum vd_status recording_verdict_new(recording_verdict **out,
                                     const struct format_prmon *prmon, double interval_s,
                                     struct vd_error *err);

/* Judges a row and learns it, unless it is odd. */
enum recording_change recording_verdict_read(recording_verdict *verdict,
                                             const double value[FORMAT_PRMON_COLUMNS],
                                             int64_t time_ns, int64_t mono_ns);

/* What there is to say now, as a few words: "normal", "learning", "unusual: pss 812000
 * (expected 20100)"; valid until the next row. */
const char *recording_verdict_text(const recording_verdict *verdict);

/* The anomalies so far, each with start, end and text; borrowed. */
json_t *recording_verdict_list(const recording_verdict *verdict);

void recording_verdict_free(recording_verdict *verdict);

#endif
