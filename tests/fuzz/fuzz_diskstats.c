/* /proc/diskstats: names are terminated, counters are counters. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "collect/diskstats.h"

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
    struct collect_diskstats disk;

    while (collect_diskstats_next(&t, &disk)) {
        assert(memchr(disk.name, '\0', sizeof disk.name) != NULL && disk.name[0] != '\0');
        for (int i = 0; i < COLLECT_DISK_COUNTERS; i++)
            assert(is_counter(disk.counter[i]));
    }
    assert(t.at == t.end);
    return 0;
}
