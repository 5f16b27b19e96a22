/* The library's one way to memory.
 *
 * Every allocation of the library goes through these five functions, so tests can make
 * the k-th one fail and count them (tests link with --wrap=malloc and its sisters).
 * Size products are checked: an overflow gives NULL, like any other lack of memory.
 */
#ifndef VD_BASE_ALLOC_H
#define VD_BASE_ALLOC_H

#include <stddef.h>

/* `count` items of `size` bytes, uninitialised; NULL when there is no memory.
 * A count of 0 gives a valid pointer to nothing. */
void *vd__alloc(size_t count, size_t size);

/* The same, filled with zero bytes. */
void *vd__alloc_zero(size_t count, size_t size);

/* Like vd__alloc, aligned to 64 bytes (a cache line, the widest vector). */
void *vd__alloc_aligned(size_t count, size_t size);

/* Resizes what vd__alloc gave; on failure the old block stays valid. */
void *vd__realloc(void *block, size_t count, size_t size);

/* Takes what any of the above gave, and NULL. */
void vd__free(void *block);

#endif
