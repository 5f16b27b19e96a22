/* /proc/spl/kstat/zfs/arcstats. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/meminfo.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    double arc = collect_arcstats_parse((const char *)data, size);

    assert(isnan(arc) || (arc >= 0 && arc <= 0x1p54));
    return 0;
}
