/* Looks for a byte in 64 of them at a time, with SSE2; without it there is nothing here.
 */
#ifndef VD_FORMAT_MARKS_H
#define VD_FORMAT_MARKS_H

#ifdef __SSE2__
#include <emmintrin.h>
#include <stdint.h>

/* Marks the bytes that are equal to `one`: bit i for the i-th of the four parts' 64. */
static inline uint64_t format_marks(const __m128i part[4], char one)
{
    const __m128i wanted = _mm_set1_epi8(one);
    uint64_t bits = 0;

    for (int i = 0; i < 4; i++)
        bits |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(part[i], wanted))
                << 16 * i;
    return bits;
}
#endif

#endif
