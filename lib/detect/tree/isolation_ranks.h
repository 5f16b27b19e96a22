/* Isolation trees on whole numbers: the fast way through many rows with AVX2.
 *
 * All splits of a column are sorted once. A row then needs one search for each column,
 * for how many of them lie below its value, and every comparison of its walks becomes one
 * of 16-bit numbers with the same outcome.
 */
#ifndef VD_TREE_ISOLATION_RANKS_H
#define VD_TREE_ISOLATION_RANKS_H

#include "detect/tree/isolation_shape.h"

/* Most columns that a row may have here, and rows that are taken at once. */
enum { ISOLATION_RANK_COLUMNS = 16, ISOLATION_RANK_ROWS = 256 };

struct isolation_ranks;

/* Makes the ranks of a forest, which are owned by the caller: *out stays NULL where the
 * forest or the processor is not of the kind. VD_ERR_MEMORY. */
enum vd_status vd__isolation_ranks_new(struct isolation_ranks **out,
                                       const struct isolation_forest *f);

void vd__isolation_ranks_free(struct isolation_ranks *ranks);

/* Returns the bytes that they take. */
size_t vd__isolation_ranks_size(const struct isolation_ranks *ranks);

/* Writes the sums of the path lengths of n rows, at most ISOLATION_RANK_ROWS, into
 * sum[ISOLATION_RANK_ROWS]. */
void vd__isolation_ranks_sum(const struct isolation_ranks *ranks,
                             const struct isolation_forest *f, const double *rows,
                             size_t n, uint64_t *sum);

#endif
