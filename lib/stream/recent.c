/* The last 48 samples, their mean and their spread. They are summed anew each time,
 * because a running sum would gather rounding errors over months. Eight partial sums let
 * the compiler use vectors, in the same order on every machine.
 */
#include <assert.h>
#include <math.h>

#include "stream/state.h"

enum { LANES = 8 };

void vd__recent_add(struct vd__recent *recent, float x)
{
    recent->at[recent->n % RECENT] = x;
    recent->n++;
}

float vd__recent_mean(const struct vd__recent *recent, uint32_t count)
{
    float sum = 0;

    assert(count > 0 && count <= RECENT && count <= recent->n);
    for (uint32_t i = 1; i <= count; i++)
        sum += recent->at[(recent->n - i) % RECENT];
    return sum / (float)count;
}

/* Adds the lanes pairwise. */
static float sum_lanes(const float lane[LANES])
{
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
           ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

float vd__recent_spread(const struct vd__recent *recent)
{
    float lane[LANES] = {0}, mean;

    for (int i = 0; i < RECENT; i += LANES)
        for (int k = 0; k < LANES; k++)
            lane[k] += recent->at[i + k];
    mean = sum_lanes(lane) / RECENT;
    for (int k = 0; k < LANES; k++)
        lane[k] = 0;
    for (int i = 0; i < RECENT; i += LANES)
        for (int k = 0; k < LANES; k++)
            lane[k] += (recent->at[i + k] - mean) * (recent->at[i + k] - mean);
    return sqrtf(sum_lanes(lane) / RECENT);
}
