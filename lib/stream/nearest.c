/* The part VALUE: the distance to the nearest value seen before (Knorr and Ng, VLDB
 * 1998).
 *
 * The set keeps up to 1,024 values in order. When it is full the least gap between two of
 * them is widened until a quarter is free: the set gets coarser, and no part of the range
 * is forgotten. How often a value came is not kept.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "stream/state.h"

/* Counts the values of the set that are below x. */
static uint32_t rank_of(const struct vd__nearest *set, float x)
{
    const float *at = set->at;
    uint32_t n = set->n;

    while (n > 0) {
        uint32_t half = n / 2;

        if (at[half] < x) {
            at += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return (uint32_t)(at - set->at);
}

/* Computes the distance of x, which belongs at `rank`, to the nearer neighbour. */
static float distance_at(const struct vd__nearest *set, uint32_t rank, float x)
{
    float below = rank > 0 ? x - set->at[rank - 1] : INFINITY;
    float above = rank < set->n ? set->at[rank] - x : INFINITY;

    return below < above ? below : above;
}

float vd__nearest_distance(const struct vd__nearest *set, float x)
{
    return set->n == 0 ? -1 : distance_at(set, rank_of(set, x), x);
}

/* Widens the gap until a quarter of the set is free. */
static void thin_out(struct vd__nearest *set)
{
    float range = set->at[set->n - 1] - set->at[0];
    uint32_t kept = 0;

    while (set->n > NEAREST_MAX / 4 * 3) {
        set->gap = fmaxf(2 * set->gap, range / (8 * NEAREST_MAX));
        kept = 1;
        for (uint32_t i = 1; i < set->n; i++)
            if (set->at[i] - set->at[kept - 1] > set->gap)
                set->at[kept++] = set->at[i];
        set->n = kept;
    }
}

/* Inserts x unless a value within the gap is there. */
static void insert(struct vd__nearest *set, float x)
{
    uint32_t rank = rank_of(set, x);

    if (set->n > 0 && distance_at(set, rank, x) <= set->gap)
        return;
    if (set->n == NEAREST_MAX) {
        thin_out(set);
        rank = rank_of(set, x);
    }
    assert(set->n < NEAREST_MAX && rank <= set->n);
    memmove(set->at + rank + 1, set->at + rank, (set->n - rank) * sizeof *set->at);
    set->at[rank] = x;
    set->n++;
}

void vd__nearest_add(struct vd__nearest *set, float x)
{
    if (set->n_late == NEAREST_DELAY)
        insert(set, set->late[set->next_late]);
    else
        set->n_late++;
    set->late[set->next_late] = x;
    set->next_late = (set->next_late + 1) % NEAREST_DELAY;
}
