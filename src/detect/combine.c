/* Holds back the voice that is alone, then combines. The live verdict and the analysis of
 * files are made by the same function. */
#include "detect/combine.h"

#include <assert.h>
#include <math.h>

#include "record.h"
#include "vedette/calibration.h"

/* Rows that are held back at once. */
enum { STEP = 128 };

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
        if (surprise[i] > second + DETECT_ALONE && !voice[i].may_be_alone)
            surprise[i] = second + DETECT_ALONE;
    }
    return vd_surprise_combine(surprise, NULL, n);
}

/* Writes how much one voice may say of each of n rows, STEP at most. */
static void find_limits(const struct detect_voices *voices, size_t n_voices, size_t from,
                        size_t n, double *limit)
{
    double first[STEP];

    for (size_t i = 0; i < n; i++)
        first[i] = limit[i] = -INFINITY;
    for (size_t v = 0; v < n_voices; v++)
        for (size_t i = 0; i < n && !voices[v].repeats; i++) {
            double said = voices[v].surprise[from + i];
            double surprise = said >= 0 ? said : -INFINITY; /* NaN: no verdict */
            double lower = surprise < first[i] ? surprise : first[i];

            limit[i] = lower > limit[i] ? lower : limit[i];
            first[i] = surprise > first[i] ? surprise : first[i];
        }
    for (size_t i = 0; i < n; i++) /* without a second voice nothing is held back */
        limit[i] = limit[i] < 0 ? INFINITY : limit[i] + DETECT_ALONE;
}

/* Holds a voice back to the limits. */
static void hold_back(const struct detect_voices *voice, size_t from, size_t n,
                      const double *limit)
{
    double *surprise = voice->surprise + from;

    for (size_t i = 0; i < n; i++)
        if (surprise[i] > limit[i] &&
            (voice->may_be_alone == NULL || !voice->may_be_alone[from + i]))
            surprise[i] = limit[i];
}

void detect_combine_rows(const struct detect_voices *voices, size_t n_voices, size_t n,
                         double *combined)
{
    const double *surprise[RECORD_DETECTORS_MAX];

    assert(n_voices <= RECORD_DETECTORS_MAX);
    for (size_t from = 0; from < n; from += STEP) {
        size_t rows = n - from < STEP ? n - from : STEP;
        double limit[STEP];

        find_limits(voices, n_voices, from, rows, limit);
        for (size_t v = 0; v < n_voices; v++)
            hold_back(&voices[v], from, rows, limit);
    }
    for (size_t v = 0; v < n_voices; v++)
        surprise[v] = voices[v].surprise;
    vd_surprises_combine(surprise, n_voices, n, combined);
}
