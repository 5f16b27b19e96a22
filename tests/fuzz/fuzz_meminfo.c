/* /proc/meminfo. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "collect/meminfo.h"

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

    struct collect_meminfo mem;
    double fields[sizeof mem / sizeof(double)], available;

    collect_meminfo_parse(text, size, &mem);
    memcpy(fields, &mem, sizeof fields);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        assert(is_counter(fields[i]));
    available = collect_meminfo_available(&mem, 0);
    assert(is_counter(available));
    assert(isnan(available) || isnan(mem.total) || available <= mem.total);
    return 0;
}
