/* A voice that is alone is held back to DETECT_ALONE above the second, and what all say
 * together is never above the loudest of them. So where all others stay that much below
 * the threshold, the last one cannot make the row odd. */
#include "batch/analyse_quiet.h"

#include <math.h>
#include <string.h>

#include "detect/combine.h"

/* How far below the bounds lie for rounding, and the least bound: a combination of voices
 * that all say nothing may be a little above them. */
static const double MARGIN = 0.01, LEAST = 1;

/* Tells whether the member takes far longer than a distance. */
static bool is_slow(const struct batch_member *member)
{
    return member->kind == BATCH_MEMBER_LIBRARY && !member->repeats &&
           strcmp(member->name, "mahalanobis") != 0 && strcmp(member->name, "pca") != 0;
}

void batch_quiet_find(struct batch_quiet *quiet, const struct batch_scorer *scorer,
                      double threshold)
{
    double odd =
        scorer->has_whole ? vd_calibration_raw(&scorer->whole, threshold) : threshold;
    double most = odd - DETECT_ALONE - MARGIN;
    size_t voices = 0;

    *quiet = (struct batch_quiet){.late = SIZE_MAX};
    for (size_t m = 0; m < scorer->n_members; m++) {
        const struct batch_member *member = &scorer->member[m];

        if (quiet->late == SIZE_MAX && is_slow(member))
            quiet->late = m;
        else
            voices += !member->repeats;
        quiet->most[m] = vd_calibration_raw(&member->calibration, most);
        if (member->is_distance) /* its calibration is of the logarithm */
            quiet->most[m] = expm1(quiet->most[m]);
    }
    if (voices == 0 || !(most >= LEAST))
        quiet->late = SIZE_MAX;
}

bool batch_quiet_is_sure(const struct batch_quiet *quiet,
                         const struct batch_scorer *scorer, const double *raw,
                         size_t stride)
{
    bool sure = quiet->late != SIZE_MAX;

    for (size_t m = 0; m < scorer->n_members; m++)
        sure = sure && (m == quiet->late || raw[m * stride] <= quiet->most[m]);
    return sure;
}
