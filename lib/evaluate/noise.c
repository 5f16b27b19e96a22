/* Noise like a quiet machine's metrics: stationary, without anything to be alarmed at.
 *
 * No expression draws twice: C leaves open which operand is computed first, and compilers
 * differ in it.
 */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/real.h"
#include "vedette/simulate.h"

/* Draws a waiting time of the exponential law. */
static double exponential(struct vd_rng *rng, double mean)
{
    return -mean * vd__log(1 - vd_rng_uniform(rng));
}

/* Counts how many uniform factors it takes to fall below e^-mean (Knuth). */
static double poisson(struct vd_rng *rng, double mean)
{
    double limit = vd__exp(-mean), product = vd_rng_uniform(rng);
    int count = 0;

    for (; product > limit; count++)
        product *= vd_rng_uniform(rng);
    return count;
}

static double gaussian(struct vd_noise *n, int64_t second)
{
    (void)second;
    return 20 + 3 * vd_rng_normal(&n->rng);
}

/* Student's t with 3 degrees of freedom: infinite kurtosis. */
static double heavy(struct vd_noise *n, int64_t second)
{
    double chi = 0;

    (void)second;
    for (int i = 0; i < 3; i++) {
        double z = vd_rng_normal(&n->rng);

        chi += z * z;
    }
    return 50 + 5 * vd_rng_normal(&n->rng) / sqrt(chi / 3);
}

static double correlated(struct vd_noise *n, int64_t second)
{
    (void)second;
    n->level = 0.99 * n->level + 0.14106736 * vd_rng_normal(&n->rng);
    return 40 + 5 * n->level;
}

/* Quiet, and every ten minutes on the average some seconds of work of any height. */
static double bursty(struct vd_noise *n, int64_t second)
{
    double quiet, work;

    (void)second;
    if (n->left-- <= 0) {
        bool begins = n->level == 0;

        n->level = begins;
        n->left = (int64_t)exponential(&n->rng, begins ? 15 : 600);
        n->height = 20 * vd__exp(0.7 * vd_rng_normal(&n->rng));
    }
    quiet = 2 + 0.5 * fabs(vd_rng_normal(&n->rng));
    work = n->height * (1 + 0.1 * vd_rng_normal(&n->rng));
    return quiet + n->level * work;
}

static double counts(struct vd_noise *n, int64_t second)
{
    (void)second;
    return poisson(&n->rng, 3);
}

static double rare_counts(struct vd_noise *n, int64_t second)
{
    (void)second;
    return poisson(&n->rng, 0.002);
}

static double on_off(struct vd_noise *n, int64_t second)
{
    (void)second;
    if (n->left-- <= 0) {
        n->level = n->level == 0;
        n->left = (int64_t)exponential(&n->rng, 90);
    }
    return n->level > 0 ? 100 : 0;
}

static double daily(struct vd_noise *n, int64_t second)
{
    return 30 + 10 * vd__sin_turns((double)(second % 86400) / 86400) +
           2 * vd_rng_normal(&n->rng);
}

/* Work of ten seconds every five minutes, as timers make it. */
static double periodic(struct vd_noise *n, int64_t second)
{
    double quiet = 3 + 0.5 * fabs(vd_rng_normal(&n->rng));

    return second % 300 < 10 ? quiet + 35 + 2 * vd_rng_normal(&n->rng) : quiet;
}

static const struct vd_noise_kind KINDS[] = {
    {"gaussian", "normal law", gaussian},
    {"heavy", "Student t, 3 degrees of freedom", heavy},
    {"correlated", "AR(1), 0.99 a second", correlated},
    {"bursty", "bursts of any height, every 10 minutes or so", bursty},
    {"counts", "Poisson, mean 3", counts},
    {"rare_counts", "Poisson, mean 0.002", rare_counts},
    {"on_off", "two levels, 90 s each or so", on_off},
    {"daily", "normal law on a daily course", daily},
    {"periodic", "10 s of work every 5 minutes", periodic},
};

const struct vd_noise_kind *vd_noise_kinds(size_t *n)
{
    *n = sizeof KINDS / sizeof *KINDS;
    return KINDS;
}
