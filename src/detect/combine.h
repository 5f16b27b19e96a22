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

#endif
