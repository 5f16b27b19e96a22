/* Keeps each sum from falling. Let a process end that held c, and its heir's heritage
 * grow by g: the sum loses c, wins g, and the debt becomes max(0, debt + c - g), which is
 * never less than what the sum lost on balance. */
#include "collect/tree_account.h"

#include <math.h>

void collect_tree_take(struct collect_tree_part *part,
                       const double all[COLLECT_TREE_COUNTERS],
                       const double heritage[COLLECT_TREE_COUNTERS], bool first)
{
    for (int i = 0; i < COLLECT_TREE_COUNTERS; i++) {
        /* fmax() takes the other one where one is NaN. */
        part->all[i] = fmax(part->all[i], all[i]);
        part->heritage[i] = fmax(part->heritage[i], heritage[i]);
        if (first)
            part->paid_to[i] = part->heritage[i];
    }
}

void collect_tree_bequeath(struct collect_tree_part *heir,
                           const struct collect_tree_part *gone)
{
    for (int i = 0; i < COLLECT_TREE_COUNTERS; i++)
        heir->owed[i] += gone->all[i] + gone->owed[i];
}

void collect_tree_pay(struct collect_tree_part *part, double rest[COLLECT_TREE_COUNTERS])
{
    for (int i = 0; i < COLLECT_TREE_COUNTERS; i++) {
        double paid = fmin(part->owed[i], rest[i]);

        part->owed[i] -= paid;
        rest[i] -= paid;
    }
}

void collect_tree_settle(struct collect_tree_part *part,
                         double rest[COLLECT_TREE_COUNTERS])
{
    for (int i = 0; i < COLLECT_TREE_COUNTERS; i++) {
        rest[i] = part->heritage[i] - part->paid_to[i];
        part->paid_to[i] = part->heritage[i];
    }
    collect_tree_pay(part, rest);
}

void collect_tree_add(double sum[COLLECT_TREE_COUNTERS],
                      const struct collect_tree_part *part)
{
    for (int i = 0; i < COLLECT_TREE_COUNTERS; i++)
        sum[i] += part->all[i] + part->owed[i];
}
