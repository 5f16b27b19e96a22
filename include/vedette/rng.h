/* Random numbers from a seed: xoshiro256++ (Blackman and Vigna, ACM TOMS 2021), seeded by
 * splitmix64. Everything random in the library draws from a generator that the caller
 * hands in, so the same seed gives the same model on any machine and thread count.
 * Not for secrets. A generator is used by one thread at a time. */
#ifndef VD_RNG_H
#define VD_RNG_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vd_rng {
    uint64_t s[4];
};

/* Any seed is good, 0 too. */
void vd_rng_init(struct vd_rng *rng, uint64_t seed);

/* A generator of its own for part `stream` (a tree, a thread) of the work seeded by
 * `seed`: streams do not overlap in practice and do not depend on drawing order. */
void vd_rng_init_stream(struct vd_rng *rng, uint64_t seed, uint64_t stream);

uint64_t vd_rng_next(struct vd_rng *rng);

/* Uniform in [0, 1), 53 bits. */
double vd_rng_uniform(struct vd_rng *rng);

/* Uniform in 0 .. bound - 1 without bias (Lemire, ACM TOMACS 2019). bound > 0. */
uint64_t vd_rng_below(struct vd_rng *rng, uint64_t bound);

/* Standard normal (polar method of Marsaglia; one draw per call, none is kept). */
double vd_rng_normal(struct vd_rng *rng);

/* The first `k` of a random permutation of 0 .. n - 1, written to `index` (room for n).
 * k <= n. */
void vd_rng_sample(struct vd_rng *rng, size_t *index, size_t n, size_t k);

#ifdef __cplusplus
}
#endif

#endif
