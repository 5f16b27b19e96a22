#include "alloc_fault.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

/* The linker sends `malloc` to __wrap_malloc and gives the real one this name. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);

static atomic_long count, first, last;
static atomic_bool happened;

static void set(long from, long to)
{
    atomic_store(&first, 0);
    atomic_store(&last, 0);
    atomic_store(&count, 0);
    atomic_store(&happened, false);
    atomic_store(&last, to);
    atomic_store(&first, from);
}

void alloc_fault_at(long k)
{
    set(k, k);
}

void alloc_fault_from(long k)
{
    set(k, __LONG_MAX__);
}

bool alloc_fault_happened(void)
{
    return atomic_load(&happened);
}

long alloc_fault_count(void)
{
    return atomic_load(&count);
}

static bool fails(void)
{
    long k = atomic_fetch_add(&count, 1) + 1;
    long from = atomic_load(&first);

    if (from == 0 || k < from || k > atomic_load(&last))
        return false;
    atomic_store(&happened, true);
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

char *__wrap_strndup(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    char *copy = __wrap_malloc(length + 1);

    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, strlen(text));
}
