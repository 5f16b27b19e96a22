/* The library's one way to memory.
 *
 * Every allocation of the library goes through these five functions, so tests can count
 * allocations and make the k-th one fail (tests link with --wrap=malloc and the like).
 * The product of count and size is checked: an overflow gives NULL, like any other lack
 * of memory. Any thread may call them. The caller owns what it gets.
 */
#ifndef VD_BASE_ALLOC_H
#define VD_BASE_ALLOC_H

#include <stddef.h>

/* Allocates `count` items of `size` bytes, uninitialised; NULL when there is no memory.
 * A count of 0 gives a valid pointer to nothing. */
void *vd__alloc(size_t count, size_t size);

/* Allocates like vd__alloc and fills with zero bytes. */
void *vd__alloc_zero(size_t count, size_t size);

/* Allocates like vd__alloc, aligned to 64 bytes (a cache line, the widest vector). */
void *vd__alloc_aligned(size_t count, size_t size);

/* Resizes a block of vd__alloc or vd__alloc_zero. On failure (NULL) the old block stays
 * valid and owned. */
void *vd__realloc(void *block, size_t count, size_t size);

/* Frees a block of any of the above; takes NULL. */
void vd__free(void *block);

#endif
