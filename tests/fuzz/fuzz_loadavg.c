/* /proc/loadavg. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "collect/loadavg.h"

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

    struct collect_loadavg load;

    collect_loadavg_parse(text, size, &load);
    for (int i = 0; i < 3; i++)
        assert(is_counter(load.load[i]));
    assert(is_counter(load.tasks) && is_counter(load.last_pid));
    return 0;
}
