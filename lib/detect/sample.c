/* Sampling without replacement whose time and memory depend on the sample's size only: R.
 * W. Floyd, in Bentley, "A sample of brilliance", CACM 30 (1987). The set of numbers
 * taken so far is an open-addressed table at most a quarter full. The order is not
 * random. */
#include "detect/class.h"

#include <assert.h>
#include <string.h>

size_t vd__sample_set_size(size_t k)
{
    size_t size = 4;

    while (size < 4 * k)
        size *= 2;
    return size;
}

/* Adds `value` to the set; false when it is there already. Entries hold value + 1, and 0
 * means empty. */
static bool add(uint32_t *set, size_t mask, uint32_t value)
{
    size_t at = (value * 0x9e3779b1U) & mask;

    while (set[at] != 0) {
        if (set[at] == value + 1)
            return false;
        at = (at + 1) & mask;
    }
    set[at] = value + 1;
    return true;
}

void vd__sample(struct vd_rng *rng, uint32_t *chosen, size_t n, size_t k, uint32_t *set)
{
    size_t mask = vd__sample_set_size(k) - 1;

    if (k >= n) {
        for (size_t i = 0; i < n; i++)
            chosen[i] = (uint32_t)i;
        return;
    }
    memset(set, 0, (mask + 1) * sizeof *set);
    for (size_t i = 0; i < k; i++) {
        size_t last = n - k + i;
        uint32_t value = (uint32_t)vd_rng_below(rng, last + 1);

        if (!add(set, mask, value)) {
            value = (uint32_t)last;
            add(set, mask, value);
        }
        assert(value < n);
        chosen[i] = value;
    }
}
