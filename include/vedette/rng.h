/* Random numbers from a seed: xoshiro256++ (Blackman and Vigna, ACM TOMS 2021), seeded by
 * splitmix64.
 *
 * Everything random in the library draws from a generator that the caller hands in, so
 * the same seed gives the same model on any machine and at any number of threads. Not for
 * secrets. A generator is plain data, copied freely, and used by one thread at a time.
 */
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

/* Starts a generator; every seed is good, also 0. */
void vd_rng_init(struct vd_rng *rng, uint64_t seed);

/* Starts a generator for part `stream` (such as a tree) of the work seeded by `seed`. The
 * streams of a seed do not overlap in practice, and the order in which parts are done
 * does not matter. */
void vd_rng_init_stream(struct vd_rng *rng, uint64_t seed, uint64_t stream);

/* Draws 64 random bits. */
uint64_t vd_rng_next(struct vd_rng *rng);

/* Draws a number uniform in [0, 1), with 53 random bits. */
double vd_rng_uniform(struct vd_rng *rng);

/* Draws a number uniform in 0 .. bound - 1, without bias (Lemire, ACM TOMACS 2019).
 * bound > 0. */
uint64_t vd_rng_below(struct vd_rng *rng, uint64_t bound);

/* Draws from the standard normal law by the polar method (Marsaglia and Bray, SIAM Review
 * 1964). The second number that the method gives is dropped, so there is no hidden state.
 */
double vd_rng_normal(struct vd_rng *rng);

/* Draws the first `k` numbers of a random permutation of 0 .. n - 1 into index[0 .. k -
 * 1]. `index` has room for n: the rest of it is used as scratch. k <= n. */
void vd_rng_sample(struct vd_rng *rng, size_t *index, size_t n, size_t k);

#ifdef __cplusplus
}
#endif

#endif
