/* The rows of an open table by blocks, on several threads: the way through large tables.
 *
 * A block is some thousand rows on end, in the order in which format_table_next gives
 * them, with their numbers and their bytes. Blocks are worked on at the same time and
 * handed back in order.
 */
#ifndef VD_FORMAT_BLOCKS_H
#define VD_FORMAT_BLOCKS_H

#include "format/table.h"

/* What `work` and `done` get; valid while they run, and the same in both. */
struct format_block {
    size_t n;                /* rows */
    double *value;           /* n x table->n_metrics, row by row: metrics in the order of
                                the columns; NaN = missing or no number */
    struct format_scan *row; /* n: their bytes, with the newline if they have one */
    int64_t *time_ns;        /* n, UTC; 0 where the table has no time */
    int8_t *label;           /* n: 0, 1 or -1; 0 where labels are not read */
    void *own; /* memory of the user's for this block, own_size bytes: all 0 at first, and
                  then as it was left after an earlier block */
};

/* What is done with the blocks. Both functions may fail, which ends everything with that
 * status; the first block in order that fails says why. */
struct format_blocks_user {
    /* On any thread, several blocks at a time. Changes the block, nothing else. NULL =
     * nothing. */
    enum vd_status (*work)(const struct format_table *table, struct format_block *block,
                           void *context, struct vd_error *err);
    /* On the caller's thread, block after block. `first` is the number of the block's
     * first row in the table, from 0. */
    enum vd_status (*done)(const struct format_table *table, struct format_block *block,
                           size_t first, void *context, struct vd_error *err);
    /* Frees what `own` holds, not itself. NULL = nothing. */
    void (*release)(void *own);
    size_t own_size;
    void *context;
};

/* Goes through all rows from the first on, on up to `threads` threads with the caller's
 * among them. VD_ERR_IO when the file changed meanwhile, VD_ERR_MEMORY, and what the
 * user's functions give. */
enum vd_status format_blocks_each(struct format_table *table, unsigned threads,
                                  const struct format_blocks_user *user,
                                  struct vd_error *err);

/* Some rows drawn from all of the table, in order: all of them where there are no more
 * than `most`, else between half as many and `most`, each row with the same chance. The
 * same seed draws the same rows. They were drawn when the table was opened with
 * options.sample = most. The caller frees *value, *n rows of table->n_metrics. */
enum vd_status format_blocks_sample(struct format_table *table, double **value, size_t *n,
                                    struct vd_error *err);

#endif
