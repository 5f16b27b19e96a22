/* Orders columns by what they say: how far they were out in events and worst rows. */
#include "batch/shown.h"

#include <math.h>
#include <stdlib.h>

/* A column with its weight. */
struct weighed {
    size_t column;
    double weight;
};

/* Adds what the deviations of a row weigh; a row of few does not weigh less. */
static void weigh(const struct batch_reason *why, double *weight, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < why->n_top; i++)
        sum += fabs(why->top[i].z);
    for (size_t i = 0; i < why->n_top && sum > 0; i++)
        if (why->top[i].metric < n)
            weight[why->top[i].metric] += fabs(why->top[i].z) / sum;
}

/* Puts the heavier before the lighter, and equals in their order. */
static int by_weight(const void *a, const void *b)
{
    const struct weighed *one = a, *other = b;

    if (one->weight != other->weight)
        return one->weight > other->weight ? -1 : 1;
    return one->column < other->column ? -1 : one->column > other->column;
}

size_t *batch_shown(const struct batch_analysis *a, size_t *n)
{
    double *weight = calloc(a->schema.n + 1, sizeof *weight);
    struct weighed *some = calloc(a->n_columns + 1, sizeof *some);
    size_t *shown = calloc(a->n_columns + 1, sizeof *shown);

    *n = 0;
    if (weight == NULL || some == NULL || shown == NULL) {
        free(shown);
        shown = NULL;
        goto out;
    }
    for (size_t i = 0; i < a->n_events; i++)
        weigh(&a->event[i].peak.why, weight, a->schema.n);
    for (size_t i = 0; i < a->n_worst && a->n_events == 0; i++)
        weigh(&a->worst[i].why, weight, a->schema.n);
    for (size_t c = 0; c < a->n_columns; c++)
        if (a->column[c].metric < a->schema.n && a->column[c].low != NULL)
            some[(*n)++] = (struct weighed){c, weight[a->column[c].metric]};
    qsort(some, *n, sizeof *some, by_weight);
    for (size_t i = 0; i < *n; i++)
        shown[i] = some[i].column;
out:
    free(some);
    free(weight);
    return shown;
}
