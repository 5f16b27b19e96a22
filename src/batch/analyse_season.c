/* Learns what is usual at a time of the day from all days together. A day says of a slot
 * what its lower tenth, its median and its upper tenth are, in the slot and in those
 * beside it, so that a job may begin a little sooner or later. Over the days the median
 * is what is expected, and how far the tenths reach is the spread; of each five days the
 * farthest is not counted, so that what was odd on one of them is not usual.
 */
#include "batch/analyse_season.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "vedette/stats.h"

enum { DAY_S = 86400, WEEK_S = 7 * DAY_S, SLOT_S = 600, SLOWEST_S = 3600 };

/* Sets how many periods there have to be, and of how many the farthest is left out. */
enum { PERIODS_LEAST = 3, PERIODS_PER_ODD = 5, PERIODS_MAX = 64 };

/* A slot is no steadier than this share of what the column does all in all. */
static const double STEADIEST = 0.3;

static const double PI = 3.14159265358979323846;

/* Holds what one period said of one slot. */
struct said {
    double low, middle, high; /* the least, the median and the largest value */
    double sigmas;            /* how far those are from the median by chance */
};

/* ---- the period ---- */

/* Chooses day or week, and slots that hold a row or more; false = there is no season. */
static bool choose_period(struct batch_season *season, const struct vd_matrix *x,
                          const int64_t *time_ns)
{
    double span_s, pace_s;
    int64_t period_s;

    if (x->n < 2 || time_ns[0] == 0 || time_ns[x->n - 1] == 0)
        return false;
    span_s = (double)(time_ns[x->n - 1] - time_ns[0]) * 1e-9;
    pace_s = span_s / (double)(x->n - 1);
    if (!(pace_s > 0) || pace_s > SLOWEST_S ||
        span_s < (double)PERIODS_LEAST * DAY_S - pace_s)
        return false;
    period_s = span_s < (double)PERIODS_LEAST * WEEK_S - pace_s ? DAY_S : WEEK_S;
    season->slot_s = pace_s <= SLOT_S ? SLOT_S : SLOWEST_S;
    season->slots = period_s / season->slot_s;
    return true;
}

static int64_t slot_number(const struct batch_season *season, int64_t time_ns)
{
    int64_t local_s = os_clock_local_s(time_ns);

    return local_s / season->slot_s - (local_s % season->slot_s < 0);
}

static int64_t slot_of(const struct batch_season *season, int64_t number)
{
    return (number % season->slots + season->slots) % season->slots;
}

long batch_season_slot(const struct batch_season *season, int64_t time_ns)
{
    if (season->level == NULL || time_ns == 0)
        return BATCH_NO_SLOT;
    return (long)slot_of(season, slot_number(season, time_ns));
}

const struct batch_season_level *batch_season_at(const struct batch_season *season,
                                                 long slot, size_t k)
{
    const struct batch_season_level *level;

    if (slot == BATCH_NO_SLOT)
        return NULL;
    assert(slot >= 0 && slot < season->slots && k < season->d);
    level = &season->level[(size_t)slot * season->d + k];
    return isnan(level->middle) ? NULL : level;
}

/* ---- learning ---- */

/* Holds the rows by the number of their slot, counted from the first one. */
struct calendar {
    const struct vd_matrix *x;
    const bool *odd;
    size_t *first; /* owned: total + 1, the first row of each slot */
    int64_t begin; /* number of the first slot */
    size_t total;  /* slots from the first row to the last */
    double *value; /* owned: room for the values of three slots */
};

static void calendar_release(struct calendar *c)
{
    free(c->first);
    free(c->value);
}

static bool calendar_init(struct calendar *c, const struct batch_season *season,
                          const int64_t *time_ns)
{
    size_t n = c->x->n, at = 0, most = 0;

    c->begin = slot_number(season, time_ns[0]);
    c->total = (size_t)(slot_number(season, time_ns[n - 1]) - c->begin) + 1;
    c->first = calloc(c->total + 1, sizeof *c->first);
    if (c->first == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        int64_t slot = slot_number(season, time_ns[i]) - c->begin;

        /* A clock that was put back stays in its slot. */
        while (at < c->total && (int64_t)at < slot)
            c->first[++at] = i;
    }
    while (at < c->total)
        c->first[++at] = n;
    for (size_t s = 0; s < c->total; s++) {
        size_t from = s == 0 ? 0 : s - 1, to = s + 2 > c->total ? c->total : s + 2;
        size_t rows = c->first[to] - c->first[from];

        most = rows > most ? rows : most;
    }
    c->value = malloc((most + 1) * sizeof *c->value);
    return c->value != NULL;
}

/* Gives how many sigmas the largest of n numbers of the normal law is from their middle,
 * by the law of Gumbel. */
static double sigmas_of_largest(size_t n)
{
    double far = sqrt(2 * log(fmax((double)n, 2)));

    return far + (0.5772 - (log(log(fmax((double)n, 2))) + log(4 * PI)) / 2) / far;
}

/* Asks one period about a slot, by its number from the first one. */
static bool ask(const struct calendar *c, size_t slot, size_t k, struct said *said)
{
    size_t from = slot == 0 ? 0 : slot - 1, n = 0;
    size_t to = slot + 2 > c->total ? c->total : slot + 2;

    for (size_t i = c->first[from]; i < c->first[to]; i++) {
        double value = vd_matrix_row(c->x, i)[k];

        if (!isnan(value) && (c->odd == NULL || !c->odd[i]))
            c->value[n++] = value;
    }
    if (n == 0)
        return false;
    vd_sort(c->value, n);
    *said = (struct said){c->value[0], vd_quantile_sorted(c->value, n, 0.5),
                          c->value[n - 1], sigmas_of_largest(n)};
    return true;
}

/* Puts together what n periods said. */
static struct batch_season_level join(const struct said *said, size_t n, double least)
{
    double down[PERIODS_MAX], middle[PERIODS_MAX], up[PERIODS_MAX], expected;
    size_t odd = n / PERIODS_PER_ODD < 1 ? 1 : n / PERIODS_PER_ODD;

    if (n < PERIODS_LEAST)
        return (struct batch_season_level){NAN, NAN, NAN};
    for (size_t i = 0; i < n; i++)
        middle[i] = said[i].middle;
    vd_sort(middle, n);
    expected = vd_quantile_sorted(middle, n, 0.5);
    for (size_t i = 0; i < n; i++) {
        const struct said *day = &said[i];

        down[i] = fmax(expected - day->middle, (expected - day->low) / day->sigmas);
        up[i] = fmax(day->middle - expected, (day->high - expected) / day->sigmas);
    }
    vd_sort(down, n);
    vd_sort(up, n);
    return (struct batch_season_level){(float)expected,
                                       (float)fmax(up[n - 1 - odd], least),
                                       (float)fmax(down[n - 1 - odd], least)};
}

static void learn_slot(struct batch_season *season, const struct calendar *c,
                       int64_t slot, const double *sigma)
{
    size_t first = (size_t)slot_of(season, slot - slot_of(season, c->begin));
    size_t step = (size_t)season->slots, periods = (c->total - 1) / step + 1;

    /* Of a long table the last periods are asked. */
    if (periods > PERIODS_MAX)
        first += (periods - PERIODS_MAX) * step;
    for (size_t k = 0; k < season->d; k++) {
        struct said said[PERIODS_MAX];
        size_t n = 0;

        for (size_t at = first; at < c->total && n < PERIODS_MAX; at += step)
            n += ask(c, at, k, &said[n]);
        season->level[(size_t)slot * season->d + k] = join(said, n, STEADIEST * sigma[k]);
    }
}

enum vd_status batch_season_learn(struct batch_season *season, const struct vd_matrix *x,
                                  const int64_t *time_ns, const bool *odd,
                                  const double *sigma, struct vd_error *err)
{
    struct calendar c = {.x = x, .odd = odd};
    enum vd_status status = VD_OK;

    batch_season_release(season);
    if (!choose_period(season, x, time_ns))
        return VD_OK;
    season->d = x->d;
    season->level = calloc((size_t)season->slots * x->d + 1, sizeof *season->level);
    if (season->level == NULL || !calendar_init(&c, season, time_ns)) {
        batch_season_release(season);
        status = vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the days");
    }
    for (int64_t slot = 0; status == VD_OK && slot < season->slots; slot++)
        learn_slot(season, &c, slot, sigma);
    calendar_release(&c);
    return status;
}

void batch_season_release(struct batch_season *season)
{
    free(season->level);
    *season = (struct batch_season){0};
}
