/* The univariate layer: one streaming detector per metric (vedette/stream.h), and one raw
 * score of all of them. Its memory is bounded by the number of streams: metrics without a
 * label come first, what is left over is watched by its robust z alone. */
#ifndef VD_DETECT_UNIVARIATE_H
#define VD_DETECT_UNIVARIATE_H

#include "record.h"
#include "vedette/bytes.h"

typedef struct detect_univariate detect_univariate;

enum vd_status detect_univariate_new(detect_univariate **out, size_t streams_max,
                                     double interval_s);
void detect_univariate_free(detect_univariate *univariate);

/* Pushes each metric's value into its stream. Returns the raw score of the layer: the
 * largest surprise of any metric, NaN while none has a verdict. `z` tells which
 * deviations are large enough to matter: a metric within two sigmas of its baseline has
 * no say. */
double detect_univariate_read(detect_univariate *univariate,
                              const struct record_schema *schema, const double *value,
                              const double *z, int64_t time_ns);

/* The streams by metric name. Load takes those whose metric this run has, too; what does
 * not read is learnt anew. */
void detect_univariate_save(const detect_univariate *univariate,
                            const struct record_schema *schema, struct vd_writer *w);
enum vd_status detect_univariate_load(detect_univariate *univariate,
                                      const struct record_schema *schema,
                                      struct vd_reader *r, struct vd_error *err);

#endif
