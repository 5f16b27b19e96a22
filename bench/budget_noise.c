#include "budget_noise.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

static const double TWO_PI = 6.28318530717958647692;

static double exponential(struct vd_rng *rng, double mean)
{
    return -mean * log(1 - vd_rng_uniform(rng));
}

static double poisson(struct vd_rng *rng, double mean)
{
    double limit = exp(-mean), product = vd_rng_uniform(rng);
    int count = 0;

    for (; product > limit; count++)
        product *= vd_rng_uniform(rng);
    return count;
}

static double gaussian(struct noise *n, int64_t second)
{
    (void)second;
    return 20 + 3 * vd_rng_normal(&n->rng);
}

/* Student's t with 3 degrees of freedom: infinite kurtosis. */
static double heavy(struct noise *n, int64_t second)
{
    double chi = 0;

    (void)second;
    for (int i = 0; i < 3; i++) {
        double z = vd_rng_normal(&n->rng);

        chi += z * z;
    }
    return 50 + 5 * vd_rng_normal(&n->rng) / sqrt(chi / 3);
}

static double correlated(struct noise *n, int64_t second)
{
    (void)second;
    n->level = 0.99 * n->level + 0.14106736 * vd_rng_normal(&n->rng);
    return 40 + 5 * n->level;
}

/* Quiet, and every ten minutes on the average some seconds of work of any height. */
static double bursty(struct noise *n, int64_t second)
{
    (void)second;
    if (n->left-- <= 0) {
        bool begins = n->level == 0;

        n->level = begins;
        n->left = (int64_t)exponential(&n->rng, begins ? 15 : 600);
        n->height = 20 * exp(0.7 * vd_rng_normal(&n->rng));
    }
    return 2 + 0.5 * fabs(vd_rng_normal(&n->rng)) +
           n->level * n->height * (1 + 0.1 * vd_rng_normal(&n->rng));
}

static double counts(struct noise *n, int64_t second)
{
    (void)second;
    return poisson(&n->rng, 3);
}

static double rare_counts(struct noise *n, int64_t second)
{
    (void)second;
    return poisson(&n->rng, 0.002);
}

static double on_off(struct noise *n, int64_t second)
{
    (void)second;
    if (n->left-- <= 0) {
        n->level = n->level == 0;
        n->left = (int64_t)exponential(&n->rng, 90);
    }
    return n->level > 0 ? 100 : 0;
}

static double daily(struct noise *n, int64_t second)
{
    return 30 + 10 * sin(TWO_PI * (double)(second % 86400) / 86400) +
           2 * vd_rng_normal(&n->rng);
}

/* Work of ten seconds every five minutes, as timers make it. */
static double periodic(struct noise *n, int64_t second)
{
    return 3 + 0.5 * fabs(vd_rng_normal(&n->rng)) +
           (second % 300 < 10 ? 35 + 2 * vd_rng_normal(&n->rng) : 0);
}

const struct noise_kind noise_kinds[] = {
    {"gaussian", "normal law", gaussian},
    {"heavy", "Student t, 3 degrees of freedom", heavy},
    {"correlated", "AR(1), 0.99 a second", correlated},
    {"bursty", "bursts of any height, every 10 minutes or so", bursty},
    {"counts", "Poisson, mean 3", counts},
    {"rare_counts", "Poisson, mean 0.002", rare_counts},
    {"on_off", "two levels, 90 s each or so", on_off},
    {"daily", "normal law on a daily course", daily},
    {"periodic", "10 s of work every 5 minutes", periodic},
    {NULL, NULL, NULL},
};
