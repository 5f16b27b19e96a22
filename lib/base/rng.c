/* xoshiro256++ and what is drawn from it; the sources are in rng.h. Every draw is made of
 * whole numbers and of base/real.h, so a seed gives the same numbers on any machine.
 */
#include "vedette/rng.h"

#include <assert.h>
#include <math.h>

#include "base/real.h"

/* Steps splitmix64 (Steele, Lea and Flood, OOPSLA 2014), which spreads poor seeds. */
static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15U);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void vd_rng_init(struct vd_rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        rng->s[i] = splitmix64(&seed);
}

void vd_rng_init_stream(struct vd_rng *rng, uint64_t seed, uint64_t stream)
{
    /* Two rounds of mixing keep neighbouring seeds and streams apart: stream 1 of seed 0
     * must not be stream 0 of seed 1. */
    uint64_t mixed = splitmix64(&seed) ^ (stream * 0xd1342543de82ef95U);

    vd_rng_init(rng, splitmix64(&mixed));
}

uint64_t vd_rng_next(struct vd_rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotate_left(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double vd_rng_uniform(struct vd_rng *rng)
{
    return (double)(vd_rng_next(rng) >> 11) * 0x1.0p-53;
}

/* Returns the high 64 bits of a 128-bit product; *low receives the others. */
static uint64_t multiply_high(uint64_t a, uint64_t b, uint64_t *low)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;

    *low = (uint64_t)product;
    return (uint64_t)(product >> 64);
}

uint64_t vd_rng_below(struct vd_rng *rng, uint64_t bound)
{
    uint64_t low, high;

    assert(bound > 0);
    high = multiply_high(vd_rng_next(rng), bound, &low);
    if (low < bound) {
        uint64_t threshold = -bound % bound;

        while (low < threshold)
            high = multiply_high(vd_rng_next(rng), bound, &low);
    }
    return high;
}

double vd_rng_normal(struct vd_rng *rng)
{
    double u, v, s;

    do {
        u = 2 * vd_rng_uniform(rng) - 1;
        v = 2 * vd_rng_uniform(rng) - 1;
        s = u * u + v * v;
    } while (s >= 1 || s == 0);
    return u * sqrt(-2 * vd__log(s) / s);
}

/* Shuffles as Fisher and Yates do, but only the first k places. */
void vd_rng_sample(struct vd_rng *rng, size_t *index, size_t n, size_t k)
{
    assert(k <= n);
    for (size_t i = 0; i < n; i++)
        index[i] = i;
    for (size_t i = 0; i < k; i++) {
        size_t j = i + (size_t)vd_rng_below(rng, n - i);
        size_t swap = index[i];

        index[i] = index[j];
        index[j] = swap;
    }
}
