/* The files of a control group. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/unit_use.h"

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
    struct collect_unit_use use;
    struct collect_unit_io io;
    size_t devices = 0;

    collect_unit_cpu_parse(text, size, &use);
    assert(is_counter(use.cpu_us) && is_counter(use.periods) &&
           is_counter(use.throttled));
    assert(is_counter(collect_unit_cache_parse(text, size)));
    while (collect_unit_io_next(&t, &io)) {
        assert(is_counter(io.read_bytes) && is_counter(io.written_bytes));
        assert(++devices <= size);
    }
    return 0;
}
