/* What scores are common in a table that may hold anomalies. Internal to the analysis. */
#ifndef VD_BATCH_ANALYSE_TAIL_H
#define VD_BATCH_ANALYSE_TAIL_H

#include <stdbool.h>

#include "vedette/calibration.h"

/* Calibrates on n raw scores (NaN is left out). `clean`: all are of normal rows. Else the
 * scores that the tail of the others does not explain are no part of it; they may be a
 * tenth at most, since what makes up more is no exception. `ordered`: high scores on end
 * are one thing that happened. */
enum vd_status batch_tail_fit(struct vd_calibration *c, const double *score, size_t n,
                              bool clean, bool ordered, struct vd_error *err);

#endif
