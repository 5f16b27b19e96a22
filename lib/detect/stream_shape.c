/* The course of the last 48 samples is four means of 12. Every third course is kept, once
 * it is 48 samples old, in a ring of 1,024; the distance is Euclid's to the nearest.
 */
#include <math.h>

#include "detect/stream_state.h"

static float recent_mean(const struct vd__shape *shape)
{
    float sum = 0;

    for (int i = 0; i < SHAPE_STEP; i++)
        sum += shape->recent[i];
    return sum / SHAPE_STEP;
}

/* The k-th mean of the course that ended `age` samples ago. */
static float mean_at(const struct vd__shape *shape, uint32_t age, uint32_t k)
{
    return shape->mean[(shape->rows - 1 - age - k * SHAPE_STEP) % SHAPE_RING];
}

static void keep(struct vd__shape *shape)
{
    for (uint32_t k = 0; k < SHAPE_MEANS; k++)
        shape->at[k][shape->next] = mean_at(shape, SHAPE_AGE, k);
    shape->next = (shape->next + 1) % SHAPE_MAX;
    if (shape->n < SHAPE_MAX)
        shape->n++;
}

static float nearest(const struct vd__shape *shape)
{
    float a = mean_at(shape, 0, 0), b = mean_at(shape, 0, 1);
    float c = mean_at(shape, 0, 2), d = mean_at(shape, 0, 3);
    float best = INFINITY;

    for (uint32_t i = 0; i < shape->n; i++) {
        float da = shape->at[0][i] - a, db = shape->at[1][i] - b;
        float dc = shape->at[2][i] - c, dd = shape->at[3][i] - d;
        float square = da * da + db * db + dc * dc + dd * dd;

        best = square < best ? square : best;
    }
    return sqrtf(best);
}

float vd__shape_push(struct vd__shape *shape, float x)
{
    enum { FIRST_MEAN = SHAPE_STEP, FIRST = SHAPE_STEP * SHAPE_MEANS };

    shape->recent[shape->rows % SHAPE_STEP] = x;
    shape->rows++;
    if (shape->rows < FIRST_MEAN)
        return -1;
    shape->mean[(shape->rows - 1) % SHAPE_RING] = recent_mean(shape);
    if (shape->rows >= FIRST + SHAPE_AGE && shape->rows % SHAPE_EVERY == 0)
        keep(shape);
    return shape->n == 0 ? -1 : nearest(shape);
}
