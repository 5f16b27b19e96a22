/* Holds back the voice that is alone, then combines. The live verdict and the analysis of
 * files are made by the same function. */
#include "detect/combine.h"

#include <assert.h>
#include <math.h>

#include "record.h"
#include "vedette/calibration.h"

/* Sets how far, where two or more have a verdict, one may be above the second most
 * surprised. One detector with a tail that came out too short would otherwise be a false
 * alarm of the whole. */
static const double ALONE = 2;

/* Gives the surprise of the second most surprised voice; NaN with fewer than two. */
static double second_of(const struct detect_voice *voice, size_t n)
{
    double first = NAN, second = NAN;

    for (size_t i = 0; i < n; i++) {
        double surprise = voice[i].surprise;

        if (voice[i].repeats)
            continue;
        if (isnan(first) || surprise > first) {
            second = first;
            first = surprise;
        } else if (isnan(second) || surprise > second) {
            second = surprise;
        }
    }
    return second;
}

double detect_combine(const struct detect_voice *voice, size_t n)
{
    double second = second_of(voice, n), surprise[RECORD_DETECTORS_MAX];

    assert(n <= RECORD_DETECTORS_MAX);
    for (size_t i = 0; i < n; i++) {
        surprise[i] = voice[i].surprise;
        if (surprise[i] > second + ALONE && !voice[i].may_be_alone)
            surprise[i] = second + ALONE;
    }
    return vd_surprise_combine(surprise, NULL, n);
}
