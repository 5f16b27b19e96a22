/* Checked allocation over malloc, calloc, aligned_alloc and realloc; see alloc.h. It
 * neither pools nor counts: sizes are checked and the C library does the rest.
 */
#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>

/* Multiplies to a byte count; 0 = it does not fit. An empty request still asks for one
 * byte, so that NULL always means failure. */
static size_t byte_count(size_t count, size_t size)
{
    if (size != 0 && count > PTRDIFF_MAX / size)
        return 0;
    return count * size == 0 ? 1 : count * size;
}

void *vd__alloc(size_t count, size_t size)
{
    size_t bytes = byte_count(count, size);

    return bytes == 0 ? NULL : malloc(bytes);
}

void *vd__alloc_zero(size_t count, size_t size)
{
    size_t bytes = byte_count(count, size);

    return bytes == 0 ? NULL : calloc(1, bytes);
}

/* Rounds the size up, because aligned_alloc wants a multiple of the alignment. */
void *vd__alloc_aligned(size_t count, size_t size)
{
    size_t bytes = byte_count(count, size);

    if (bytes == 0 || bytes > PTRDIFF_MAX - 63)
        return NULL;
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

void *vd__realloc(void *block, size_t count, size_t size)
{
    size_t bytes = byte_count(count, size);

    return bytes == 0 ? NULL : realloc(block, bytes);
}

void vd__free(void *block)
{
    free(block);
}
