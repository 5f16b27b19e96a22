/* What this process inherited from the children that it waited for. */
#ifndef VD_COLLECT_TREE_WAITED_H
#define VD_COLLECT_TREE_WAITED_H

#include "collect/tree_account.h"

/* Reads the sums over all children so far, with all that those had waited for. Counters
 * of I/O are NaN where the kernel keeps none. */
void collect_tree_waited(double counter[COLLECT_TREE_COUNTERS]);

#endif
