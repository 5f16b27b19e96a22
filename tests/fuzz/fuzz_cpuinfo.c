/* The clock rates of /proc/cpuinfo. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "collect/cpufreq.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    double mhz[64];
    size_t n = collect_cpuinfo_parse(text, size, mhz, 64);

    assert(n <= 64);
    for (size_t i = 0; i < n; i++)
        assert(isnan(mhz[i]) || (mhz[i] > 0 && mhz[i] < 1e6));
    return 0;
}
