/* Sums in a fixed order, so that code with the widest vectors and code with none give the
 * same bits.
 *
 * A reduction runs in eight lanes (element i goes to lane i mod 8), and the lanes are
 * added pairwise at the end. A function marked VD_LANES is compiled once for each width
 * of vectors, and the program picks a version when it starts; the library is built
 * without contraction to fused multiply-add, so all versions agree. Sanitizers cannot run
 * the code that picks. Defining VD_PLAIN leaves only the version for any processor, here
 * and in detect/tree/heap_wide.h: tests/unit/fingerprint.c compares the two.
 */
#ifndef VD_BASE_LANES_H
#define VD_BASE_LANES_H

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||               \
    __has_feature(memory_sanitizer)
#define VD_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VD_SANITIZED 1
#endif

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(VD_SANITIZED) &&               \
    !defined(__clang__) && !defined(VD_PLAIN)
#define VD_LANES                                                                         \
    __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VD_LANES
#endif

/* Eight numbers side by side as one type, so that the compiler does not look for vectors
 * along another side. It may stand wherever a double may. */
typedef double vd__eight __attribute__((vector_size(64), aligned(8), may_alias));

/* Adds eight lanes pairwise: numbers, or rows side by side. One order serves all, so that
 * the bits are the same. */
#define VD__LANES_ADDED(lane)                                                            \
    ((((lane)[0] + (lane)[4]) + ((lane)[2] + (lane)[6])) +                               \
     (((lane)[1] + (lane)[5]) + ((lane)[3] + (lane)[7])))

/* Adds the eight lanes. */
static inline double vd__add_lanes(const double lane[8])
{
    return VD__LANES_ADDED(lane);
}

/* Adds the lanes of eight rows at once. */
static inline void vd__add_lanes_eight(const vd__eight lane[8], vd__eight *sum)
{
    *sum = VD__LANES_ADDED(lane);
}

/* Four numbers side by side: a register of AVX2. */
typedef double vd__four __attribute__((vector_size(32), aligned(8), may_alias));

/* Computes the inner product of a, the same for four rows, and b, with the operations of
 * vd__dot in their order. Lanes are named by constants once the loops are unrolled, so
 * that they stay in registers. */
static inline __attribute__((always_inline)) void
vd__dot_four(const double *a, const vd__four *b, size_t n, vd__four *dot)
{
    vd__four lane[8];

#pragma GCC unroll 8
    for (size_t k = 0; k < 8; k++)
        lane[k] = (vd__four){0};
    for (size_t i = 0; i < n; i += 8)
#pragma GCC unroll 8
        for (size_t k = 0; k < 8; k++)
            if (i + k < n)
                lane[k] += a[i + k] * b[i + k];
    *dot = VD__LANES_ADDED(lane);
}

/* Computes the inner product of a and b, n numbers each. */
static inline double vd__dot(const double *a, const double *b, size_t n)
{
    double lane[8] = {0};
    size_t i = 0;

    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++)
            lane[k] += a[i + k] * b[i + k];
    for (size_t k = 0; i + k < n; k++)
        lane[k] += a[i + k] * b[i + k];
    return vd__add_lanes(lane);
}

/* Computes the squared Euclidean distance of a and b, n numbers each. */
static inline double vd__distance2(const double *a, const double *b, size_t n)
{
    double lane[8] = {0};
    size_t i = 0;

    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++)
            lane[k] += (a[i + k] - b[i + k]) * (a[i + k] - b[i + k]);
    for (size_t k = 0; i + k < n; k++)
        lane[k] += (a[i + k] - b[i + k]) * (a[i + k] - b[i + k]);
    return vd__add_lanes(lane);
}

#endif
