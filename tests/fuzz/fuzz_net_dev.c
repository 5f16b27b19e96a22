/* /proc/net/dev: names are terminated, counters are counters. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "collect/net_dev.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A counter: absent, or a number that is not negative. */
static int is_counter(double x)
{
    return isnan(x) || (x >= 0 && isfinite(x));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    struct format_scan t = format_scan_of(text, size);
    struct collect_net_dev dev;

    while (collect_net_dev_next(&t, &dev)) {
        assert(memchr(dev.name, '\0', sizeof dev.name) != NULL && dev.name[0] != '\0');
        for (int i = 0; i < COLLECT_NET_COUNTERS; i++)
            assert(is_counter(dev.counter[i]));
    }
    assert(t.at == t.end);
    return 0;
}
