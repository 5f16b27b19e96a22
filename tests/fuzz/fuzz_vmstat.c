/* /proc/vmstat. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "collect/vmstat.h"

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

    struct collect_vmstat vm;

    collect_vmstat_parse(text, size, &vm);
    assert(is_counter(vm.faults) && is_counter(vm.major_faults));
    assert(is_counter(vm.swapped_in) && is_counter(vm.swapped_out));
    assert(is_counter(vm.oom_kills));
    return 0;
}
