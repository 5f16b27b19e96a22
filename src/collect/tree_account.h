/* What a tree of processes has used, through births and deaths: sums that never fall and
 * lose no process, however short it lived.
 *
 * The kernel hands the counters of a process that ended to whoever waited for it. So what
 * all members of the tree hold, with what they were handed, is the sum; but a process
 * can end between two reads, its heir be read before it inherits, or nobody wait for it
 * (SIGCHLD ignored). Therefore each member that is gone leaves a debt with its heir,
 * which is part of the sum and shrinks by what the heir's counters are seen to inherit.
 */
#ifndef VD_COLLECT_TREE_ACCOUNT_H
#define VD_COLLECT_TREE_ACCOUNT_H

#include <stdbool.h>

enum collect_tree_counter {
    COLLECT_TREE_USER,   /* seconds of CPU time */
    COLLECT_TREE_SYSTEM, /* likewise */
    COLLECT_TREE_READ_CHARS,
    COLLECT_TREE_WRITTEN_CHARS,
    COLLECT_TREE_READ_BYTES, /* from storage */
    COLLECT_TREE_WRITTEN_BYTES,
    COLLECT_TREE_COUNTERS
};

/* One holder of counters: a process, or the recorder that waits for the last of them.
 * Zero-initialise. */
struct collect_tree_part {
    double all[COLLECT_TREE_COUNTERS];      /* its own and what it inherited */
    double heritage[COLLECT_TREE_COUNTERS]; /* of that, where inheriting shows */
    double paid_to[COLLECT_TREE_COUNTERS];  /* heritage that was compared with debts */
    double owed[COLLECT_TREE_COUNTERS];     /* of the gone, not inherited yet */
};

/* Takes what was read of a holder. NaN is a counter that may not be read: it stays as it
 * was. A counter that was less than before does, too. `first` = it was never read: what
 * it holds is no heritage of debts. */
void collect_tree_take(struct collect_tree_part *part,
                       const double all[COLLECT_TREE_COUNTERS],
                       const double heritage[COLLECT_TREE_COUNTERS], bool first);

/* Leaves what `gone` held as a debt with its heir. */
void collect_tree_bequeath(struct collect_tree_part *heir,
                           const struct collect_tree_part *gone);

/* Shrinks the debt by what the heritage grew since the last call, and leaves in `rest`
 * what is not needed. */
void collect_tree_settle(struct collect_tree_part *part,
                         double rest[COLLECT_TREE_COUNTERS]);

/* Shrinks another holder's debt by such a rest: of several heirs it is not known before
 * who inherits. */
void collect_tree_pay(struct collect_tree_part *part, double rest[COLLECT_TREE_COUNTERS]);

/* Adds a holder to the sum. */
void collect_tree_add(double sum[COLLECT_TREE_COUNTERS],
                      const struct collect_tree_part *part);

#endif
