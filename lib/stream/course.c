/* The parts SHORT and LONG: the distance of the metric's course to the nearest earlier
 * one.
 *
 * A course is four means, one after the other. The courses of the past are kept in a
 * ring, and the nearest by Euclidean distance is found by comparing with all of them: 512
 * x 4 floats, one row for each of the four means, take a vector unit a tenth of a
 * microsecond. Courses are compared at their level: one that is only shifted up is far
 * away.
 *
 * Related: discords, Keogh, Lin and Fu, ICDM 2005; this form does not look ahead and has
 * bounded memory.
 */
#include <assert.h>
#include <math.h>

#include "stream/state.h"

enum { LANES = 8 };

/* Returns the k-th mean, the newest first, of the course that ended `age` samples ago. */
static float mean_at(const struct vd__course *course, const struct vd__course_kind *kind,
                     uint64_t n, uint32_t age, uint32_t k)
{
    return course->mean[(n - 1 - age - (uint64_t)k * kind->step) % COURSE_RING];
}

/* Keeps the course that ended kind->age samples ago; the oldest makes room. */
static void keep(struct vd__course *course, const struct vd__course_kind *kind,
                 uint64_t n)
{
    for (uint32_t k = 0; k < COURSE_MEANS; k++)
        course->at[k][course->next] = mean_at(course, kind, n, kind->age, k);
    course->next = (course->next + 1) % COURSE_MAX;
    if (course->n < COURSE_MAX)
        course->n++;
}

/* Computes the squared distance of course i to `now`. */
static float square_at(const struct vd__course *course, uint32_t i,
                       const float now[COURSE_MEANS])
{
    float a = course->at[0][i] - now[0], b = course->at[1][i] - now[1];
    float c = course->at[2][i] - now[2], d = course->at[3][i] - now[3];

    return (a * a + b * b) + (c * c + d * d);
}

/* Finds the distance to the nearest course: a minimum in eight lanes, then over them. */
static float nearest(const struct vd__course *course, const float now[COURSE_MEANS])
{
    float lane[LANES], best = INFINITY;
    uint32_t whole = course->n - course->n % LANES;

    for (int k = 0; k < LANES; k++)
        lane[k] = INFINITY;
    for (uint32_t i = 0; i < whole; i += LANES) {
        for (uint32_t k = 0; k < LANES; k++) {
            float square = square_at(course, i + k, now);

            lane[k] = square < lane[k] ? square : lane[k];
        }
    }
    for (int k = 0; k < LANES; k++)
        best = lane[k] < best ? lane[k] : best;
    for (uint32_t i = whole; i < course->n; i++) {
        float square = square_at(course, i, now);

        best = square < best ? square : best;
    }
    return sqrtf(best);
}

float vd__course_push(struct vd__course *course, const struct vd__course_kind *kind,
                      const struct vd__recent *recent)
{
    uint64_t n = recent->n;
    float now[COURSE_MEANS];

    assert(kind->age + (COURSE_MEANS - 1) * kind->step < COURSE_RING);
    if (n < kind->step)
        return -1;
    course->mean[(n - 1) % COURSE_RING] = vd__recent_mean(recent, kind->step);
    if (n >= kind->age + COURSE_MEANS * kind->step && n % kind->every == 0)
        keep(course, kind, n);
    if (course->n == 0)
        return -1;
    for (uint32_t k = 0; k < COURSE_MEANS; k++)
        now[k] = mean_at(course, kind, n, 0, k);
    return nearest(course, now);
}
