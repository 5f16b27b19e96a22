/* Frees what a reader of the history gave. */
#include "history.h"

#include <stdlib.h>

/* Frees the arrays and leaves an empty series, so that releasing it twice does no
 * harm. */
void history_series_release(struct history_series *series)
{
    if (series == NULL)
        return;
    free(series->time_ns);
    free(series->mean);
    free(series->min);
    free(series->max);
    *series = (struct history_series){0};
}

/* Frees the moments with the processes of each. */
void history_moments_free(struct history_moment *moment, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(moment[i].process);
    free(moment);
}
