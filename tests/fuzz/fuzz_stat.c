/* /proc/stat, twice: parted by an empty line: the shares of any two reads are
 * shares. */
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

static struct collect_stat earlier, stat; /* one thread, too large for the stack */

static void check_time(const struct collect_cpu_time *time)
{
    for (int i = 0; i < COLLECT_CPU_PARTS; i++) {
        assert(is_counter(time->part[i]) && !isnan(time->part[i]));
        assert(time->part[i] <= time->whole[i]);
    }
    if (time->whole[COLLECT_CPU_BUSY] == 0)
        return;
    for (int i = COLLECT_CPU_PROGRAMS; i < COLLECT_CPU_PARTS; i++)
        assert(i == COLLECT_CPU_WAITING || time->part[i] <= time->part[COLLECT_CPU_BUSY]);
}

/* What two texts of any content, a second apart, come to. */
static void check_step(const struct collect_cpu_ticks *now,
                       const struct collect_cpu_ticks *before, size_t cpus)
{
    struct collect_cpu_step step = collect_cpu_step_of(now, before, cpus, 100);
    struct collect_cpu_time time = {{0}, {0}};

    assert(step.cpus == 0 || step.cpus == cpus);
    collect_cpu_time_add(&time, &step, 100);
    check_time(&time);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *empty = memmem(text, size, "\n\n", 2);
    size_t first = empty == NULL ? size / 2 : (size_t)(empty - text) + 1;

    stat.n_cores = earlier.n_cores = 0;
    collect_stat_parse(text, first, &earlier);
    collect_stat_parse(text + first, size - first, &stat);
    assert(stat.n_cores <= COLLECT_CPUS_MAX);
    check_step(&stat.total, &earlier.total, 4);
    for (size_t i = 0; i < stat.n_cores && i < earlier.n_cores; i++)
        check_step(&stat.core[i], &earlier.core[i], 1);
    assert(is_counter(stat.context_switches) && is_counter(stat.forks));
    assert(is_counter(stat.running) && is_counter(stat.blocked));
    return 0;
}
