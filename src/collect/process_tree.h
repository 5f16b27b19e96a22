/* A tree of processes as one thing: one process, and all that came from it.
 *
 * Who belongs to it stays in it, whoever its parent becomes. A process whose parent ended
 * is given to the nearest subreaper (prctl(2)); a recorder that is one tells so
 * (`adopter`), and then nobody who leaves its parent leaves the tree.
 */
#ifndef VD_COLLECT_PROCESS_TREE_H
#define VD_COLLECT_PROCESS_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "collect/tree_account.h"
#include "vedette/status.h"

struct collect_tree_config {
    const char *root; /* prefix of /proc, for tests; NULL = this machine */
    int pid;          /* the first process */
    int adopter;      /* whose children all belong to the tree; 0 = nobody's */
    /* The proportional size is read of all processes at every Nth sample. 0 = as needed:
     * of those whose memory has changed, and of all once what has changed could make the
     * sum wrong by a hundredth, or after ten samples. */
    long pss_every;
};

/* What the tree uses. Bytes and seconds; NaN = may not be read, or the kernel has none.
 */
struct collect_tree_use {
    double counter[COLLECT_TREE_COUNTERS]; /* they never fall */
    double pss, rss, swap, vmem;
    double age_s;              /* since the first process began */
    size_t processes, threads; /* that run: no zombies */
    bool has_root;             /* the first process is still there, and no zombie */
    size_t io_refused, memory_refused; /* processes whose files are someone else's */
};

typedef struct collect_tree collect_tree;

/* VD_ERR_DATA when there is no such process, VD_ERR_IO without /proc, VD_ERR_MEMORY. */
enum vd_status collect_tree_new(collect_tree **out,
                                const struct collect_tree_config *config,
                                struct vd_error *err);

/* Reads the tree. `waited` is what was inherited by waiting for members: the counters of
 * the adopter's children that ended; NULL = nobody waits. A member must not be waited for
 * while this runs. */
void collect_tree_read(collect_tree *tree, const double waited[COLLECT_TREE_COUNTERS],
                       struct collect_tree_use *use);

/* The members at the last reading, ascending; *n of them, valid until the next one. */
const int *collect_tree_pids(collect_tree *tree, size_t *n);

void collect_tree_free(collect_tree *tree);

#endif
