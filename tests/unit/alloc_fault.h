/* Memory that runs out on purpose, and a count of allocations.
 *
 * Every unit test is linked with malloc, calloc, realloc, aligned_alloc, strdup and
 * strndup going through here. Allocations inside shared libraries (libc's own, SQLite's)
 * do not.
 *
 *     for (long k = 1;; k++) {
 *         alloc_fault_at(k);
 *         status = thing_new(&thing);
 *         if (!alloc_fault_happened())
 *             break;                       // fewer than k allocations: all were tried
 *         assert_int_equal(status, VD_ERR_MEMORY);
 *     }
 *     alloc_fault_at(0);
 */
#ifndef VD_ALLOC_FAULT_H
#define VD_ALLOC_FAULT_H

#include <stdbool.h>

/* Only the k-th allocation from now on fails, on whatever thread; 0 = none. Also sets the
 * count back to 0. */
void alloc_fault_at(long k);

/* The k-th and all after it fail. */
void alloc_fault_from(long k);

/* Whether one failed since the last call of the two above. */
bool alloc_fault_happened(void);

/* Allocations asked for since then. */
long alloc_fault_count(void);

#endif
