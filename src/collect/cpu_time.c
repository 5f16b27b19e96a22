/* The base of a share is the sum of what really grew: clocks of virtual machines run
 * unevenly, and the sum is what the kernel gave away. Time by the monotonic clock is only
 * its judge, and stands in for idle time that is unknown.
 */
#include "collect/cpu_time.h"

#include <math.h>

/* The clock is read some time before the counters, and a busy machine may stop us in
 * between: so much more than the elapsed ticks may have passed, and a quarter of a
 * second.
 */
#define LATE_SHARE 1.25
#define LATE_TICKS 25

/* Less than this share of the elapsed time missing says that what is unknown was small.
 */
#define MISSING_SHARE 0.1

/* Returns the most ticks that so many CPUs can have counted; more is no time that passed,
 * but a counter that was reset or went back. */
static double most_ticks(size_t cpus, double elapsed)
{
    return (double)cpus * (LATE_SHARE * elapsed + LATE_TICKS);
}

static double sum_of(const struct collect_cpu_step *step)
{
    double sum = 0;

    for (int i = 0; i < COLLECT_CPU_COLUMNS; i++)
        sum += step->ticks[i];
    return sum;
}

/* Takes each column by itself, because the kernel lets iowait (proc(5) warns of it) and
 * on some virtual machines idle and steal time go back. Such a column is unknown for the
 * step and the others stand, unless their sum is more than can have passed. */
struct collect_cpu_step collect_cpu_step_of(const struct collect_cpu_ticks *now,
                                            const struct collect_cpu_ticks *before,
                                            size_t cpus, double elapsed)
{
    struct collect_cpu_step step = {.cpus = cpus}, nothing = {.cpus = 0};
    double most = most_ticks(cpus, elapsed);

    if (!now->known || !before->known)
        return nothing;
    for (int i = 0; i < COLLECT_CPU_COLUMNS; i++) {
        /* Unsigned, so a counter that goes back makes a step of nearly 2^64. */
        uint64_t ticks = now->at[i] - before->at[i];

        step.unknown[i] = (double)ticks > most;
        step.ticks[i] = step.unknown[i] ? 0 : (double)ticks;
    }
    return sum_of(&step) <= most ? step : nothing;
}

void collect_cpu_step_add(struct collect_cpu_step *sum,
                          const struct collect_cpu_step *step)
{
    if (step->cpus == 0)
        return;
    sum->cpus += step->cpus;
    for (int i = 0; i < COLLECT_CPU_COLUMNS; i++) {
        sum->ticks[i] += step->ticks[i];
        sum->unknown[i] |= step->unknown[i];
    }
}

/* The columns of each part; BUSY is all but the two kinds of idle time. */
static const struct {
    enum collect_cpu_part part;
    enum collect_cpu_column column;
} columns[] = {
    {COLLECT_CPU_BUSY, COLLECT_CPU_USER},      {COLLECT_CPU_BUSY, COLLECT_CPU_NICE},
    {COLLECT_CPU_BUSY, COLLECT_CPU_SYSTEM},    {COLLECT_CPU_BUSY, COLLECT_CPU_IRQ},
    {COLLECT_CPU_BUSY, COLLECT_CPU_SOFTIRQ},   {COLLECT_CPU_BUSY, COLLECT_CPU_STEAL},
    {COLLECT_CPU_PROGRAMS, COLLECT_CPU_USER},  {COLLECT_CPU_PROGRAMS, COLLECT_CPU_NICE},
    {COLLECT_CPU_KERNEL, COLLECT_CPU_SYSTEM},  {COLLECT_CPU_KERNEL, COLLECT_CPU_IRQ},
    {COLLECT_CPU_KERNEL, COLLECT_CPU_SOFTIRQ}, {COLLECT_CPU_WAITING, COLLECT_CPU_IOWAIT},
    {COLLECT_CPU_STOLEN, COLLECT_CPU_STEAL},
};

enum { COLUMNS = sizeof columns / sizeof *columns };

void collect_cpu_time_add(struct collect_cpu_time *time,
                          const struct collect_cpu_step *step, double elapsed)
{
    double ticks[COLLECT_CPU_PARTS] = {0}, sum = sum_of(step), whole = sum;
    bool unknown[COLLECT_CPU_PARTS] = {false};
    double expected = (double)step->cpus * elapsed;
    bool lacks = expected - sum > MISSING_SHARE * expected;
    bool idle = step->unknown[COLLECT_CPU_IDLE] || step->unknown[COLLECT_CPU_IOWAIT];

    if (sum == 0) /* no column that is known moved */
        return;
    for (int i = 0; i < COLUMNS; i++) {
        ticks[columns[i].part] += step->ticks[columns[i].column];
        unknown[columns[i].part] |= step->unknown[columns[i].column];
    }
    /* What passed and is in no column that is known was in one of those that are not. */
    if (idle || (unknown[COLLECT_CPU_BUSY] && lacks))
        whole = fmax(sum, expected);
    /* Where nothing is missing, the unknown columns hardly moved, so BUSY is known. */
    unknown[COLLECT_CPU_BUSY] &= lacks;
    for (int i = 0; i < COLLECT_CPU_PARTS; i++) {
        if (unknown[i])
            continue;
        time->part[i] += ticks[i];
        time->whole[i] += whole;
    }
}
