/* /proc/stat: times of any CPU are all there or all NaN. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "collect/stat.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A counter: absent, or a number that is not negative. */
static int is_counter(double x)
{
    return isnan(x) || (x >= 0 && isfinite(x));
}

static struct collect_stat stat; /* one thread, and too large for the stack */

static void check(const struct collect_stat_cpu *cpu)
{
    double sum = cpu->user + cpu->system + cpu->idle + cpu->iowait + cpu->steal;

    assert(is_counter(sum));
    assert(!isnan(sum) || (isnan(cpu->user) && isnan(cpu->steal)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    stat.n_cores = 0;
    collect_stat_parse(text, size, &stat);
    assert(stat.n_cores <= COLLECT_CPUS_MAX);
    check(&stat.total);
    for (size_t i = 0; i < stat.n_cores; i++)
        check(&stat.core[i]);
    assert(is_counter(stat.context_switches) && is_counter(stat.forks));
    assert(is_counter(stat.running) && is_counter(stat.blocked));
    return 0;
}
