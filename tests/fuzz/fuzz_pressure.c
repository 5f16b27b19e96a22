/* The files of /proc/pressure. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "collect/pressure.h"

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

    struct collect_pressure p;

    collect_pressure_parse(text, size, &p);
    assert(is_counter(p.some) && is_counter(p.full));
    return 0;
}
