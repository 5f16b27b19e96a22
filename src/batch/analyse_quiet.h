/* Which rows are quiet for sure before the slowest member was asked: it may say no more
 * than a bound above what the others say. Internal to the analysis. */
#ifndef VD_BATCH_ANALYSE_QUIET_H
#define VD_BATCH_ANALYSE_QUIET_H

#include "batch/analyse_score.h"

struct batch_quiet {
    size_t late; /* the member that is asked last; SIZE_MAX = none */
    double
        most[BATCH_MEMBERS_MAX]; /* scores of the detectors up to which a row is quiet */
};

/* Finds the bounds for a threshold. There are none where it is low, or where no member is
 * slow or none is quick. */
void batch_quiet_find(struct batch_quiet *quiet, const struct batch_scorer *scorer,
                      double threshold);

/* Tells whether a row is quiet whatever the late member says, by what the detectors of
 * the others gave, `stride` apart. Without a late member no row is. */
bool batch_quiet_is_sure(const struct batch_quiet *quiet,
                         const struct batch_scorer *scorer, const double *raw,
                         size_t stride);

#endif
