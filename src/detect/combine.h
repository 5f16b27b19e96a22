/* One surprise of several: the Cauchy combination, in which nobody decides alone. */
#ifndef VD_DETECT_COMBINE_H
#define VD_DETECT_COMBINE_H

#include <stdbool.h>
#include <stddef.h>

struct detect_voice {
    double surprise;   /* NaN = no verdict */
    bool repeats;      /* it says what others say: held back with them, and no voice */
    bool may_be_alone; /* it needs no second voice */
};

/* Combines the surprises of n voices; NaN when none has a verdict. */
double detect_combine(const struct detect_voice *voice, size_t n);

/* What a voice says of many rows. */
struct detect_voices {
    double *surprise;         /* of each row; is held back in place */
    const bool *may_be_alone; /* of each row; NULL = of none */
    bool repeats;
};

/* Does the same for each of n rows, faster; equal but for rounding. */
void detect_combine_rows(const struct detect_voices *voices, size_t n_voices, size_t n,
                         double *combined);

/* How far the voice that is alone may be above the second most surprised. */
#define DETECT_ALONE 2.0

#endif
