/* CPU time is what two reads of the kernel's counters come to (collect/cpu_time.h). The
 * machine's own line is rounded less than the sum of its cores' and is taken where they
 * agree with it; where they do not, a core's column is unknown, or a core came or went,
 * the sum of what is known of the cores is.
 */
#include "collect/stat.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/collectors.h"
#include "collect/file.h"
#include "collect/fill.h"
#include "format/scan.h"

enum { PLAIN_ROWS = 5 };

/* By part; BUSY is the core metric. */
static const struct record_metric total_rows[COLLECT_CPU_PARTS] = {
    [COLLECT_CPU_PROGRAMS] = COLLECT_ROW("cpu_user_percent", "%", CPU, 2, RATIO, 100,
                                         "CPU time spent in programs."),
    [COLLECT_CPU_KERNEL] = COLLECT_ROW("cpu_system_percent", "%", CPU, 2, RATIO, 100,
                                       "CPU time spent in the kernel."),
    [COLLECT_CPU_WAITING] = COLLECT_ROW("cpu_iowait_percent", "%", CPU, 2, RATIO, 100,
                                        "CPU time idle while a disk was waited for."),
    [COLLECT_CPU_STOLEN] = COLLECT_ROW("cpu_steal_percent", "%", CPU, 2, RATIO, 100,
                                       "CPU time that the hypervisor gave to others."),
};

/* Only the first row exists on machines with more cores than DETAILED_CORES. */
static const struct record_metric core_rows[COLLECT_CPU_PARTS] = {
    [COLLECT_CPU_BUSY] = COLLECT_ROW_OF("cpu", "cpu_core_percent", "%", CPU, 2, RATIO,
                                        100, "CPU time used on this core."),
    [COLLECT_CPU_PROGRAMS] =
        COLLECT_ROW_OF("cpu", "cpu_core_user_percent", "%", CPU, 2, RATIO, 100,
                       "Time of this core spent in programs."),
    [COLLECT_CPU_KERNEL] =
        COLLECT_ROW_OF("cpu", "cpu_core_system_percent", "%", CPU, 2, RATIO, 100,
                       "Time of this core spent in the kernel."),
    [COLLECT_CPU_WAITING] =
        COLLECT_ROW_OF("cpu", "cpu_core_iowait_percent", "%", CPU, 2, RATIO, 100,
                       "Time of this core idle while a disk was waited for."),
    [COLLECT_CPU_STOLEN] =
        COLLECT_ROW_OF("cpu", "cpu_core_steal_percent", "%", CPU, 2, RATIO, 100,
                       "Time of this core that the hypervisor gave to others."),
};

static const struct record_metric plain_rows[PLAIN_ROWS] = {
    COLLECT_ROW("context_switches", "1/s", CPU, 2000, RATE, 1,
                "Switches from one task to another."),
    COLLECT_ROW("forks", "1/s", PROCESSES, 10, RATE, 1, "Processes and threads started."),
    COLLECT_ROW("tasks_running", "", PROCESSES, 5, GAUGE, 1,
                "Tasks that run or wait for a core."),
    COLLECT_ROW("tasks_blocked", "", PROCESSES, 5, GAUGE, 1,
                "Tasks that wait for a disk."),
    COLLECT_ROW("interrupts", "1/s", CPU, 2000, RATE, 1,
                "Interrupts of devices and timers."),
};

/* Keeps the table of metrics from being filled by the parts of the cores of large
 * machines. */
enum { DETAILED_CORES = 128 };

struct stat_collector {
    struct collect_file file;
    struct collect_buffer buffer;
    struct collect_stat now, before;
    int64_t before_ns; /* when `before` was read; 0 = never */
    double hz;         /* clock ticks a second */
    size_t n_known;    /* cores with metrics */
    struct collect_cpu_time time, core_time[COLLECT_CPUS_MAX];
    size_t total[COLLECT_CPU_PARTS], plain[PLAIN_ROWS];
    size_t core[COLLECT_CPUS_MAX][COLLECT_CPU_PARTS];
};

/* cpu  3678 31 2913 217817 1442 0 73 26 0 0
 *      user nice system idle iowait irq softirq steal guest guest_nice
 * Kernels before 2.6.11 end earlier; guest time is part of user. */
static struct collect_cpu_ticks parse_cpu(struct format_scan *t)
{
    struct collect_cpu_ticks cpu = {.known = false};
    size_t n = 0;

    while (n < COLLECT_CPU_COLUMNS && format_scan_u64(t, &cpu.at[n]))
        n++;
    format_scan_skip_blanks(t);
    cpu.known = n >= 4 && (n == COLLECT_CPU_COLUMNS || t->at == t->end || *t->at == '\n');
    return cpu;
}

/* Takes a line "cpu ..." of all or "cpuN ..." of one. Cores that are off have no line, so
 * those up to N that were not seen become unknown. */
static void parse_cpu_line(struct format_scan *t, struct collect_stat *stat)
{
    uint64_t cpu;

    if (t->at < t->end && *t->at == ' ') {
        stat->total = parse_cpu(t);
        return;
    }
    if (!format_scan_u64(t, &cpu))
        return;
    stat->n_lines++;
    if (cpu >= COLLECT_CPUS_MAX)
        return;
    for (; stat->n_cores <= cpu; stat->n_cores++)
        stat->core[stat->n_cores].known = false;
    stat->core[cpu] = parse_cpu(t);
}

/* Takes one of the lines with a single number, of which intr has more behind it:
 * intr 219068 0 0 ..., ctxt 163427, processes 6624, procs_running 3, procs_blocked 0 */
static void parse_plain_line(struct format_scan *t, struct collect_stat *stat)
{
    uint64_t value;
    double *field = NULL;

    if (format_scan_skip(t, "ctxt "))
        field = &stat->context_switches;
    else if (format_scan_skip(t, "processes "))
        field = &stat->forks;
    else if (format_scan_skip(t, "procs_running "))
        field = &stat->running;
    else if (format_scan_skip(t, "procs_blocked "))
        field = &stat->blocked;
    else if (format_scan_skip(t, "intr "))
        field = &stat->interrupts;
    if (field != NULL && format_scan_u64(t, &value))
        *field = (double)value;
}

/* cpu  3678 31 2913 217817 1442 0 73 26 0 0
 * cpu0 1397 18 1041 110432 61 0 8 9 0 0
 * intr 219068 0 0 0 ...
 * ctxt 163427
 * btime 1795230302
 * processes 6624
 * procs_running 3
 * procs_blocked 0
 * softirq 77777 0 123 ... */
void collect_stat_parse(const char *text, size_t size, struct collect_stat *stat)
{
    struct format_scan t = format_scan_of(text, size);

    stat->total.known = false;
    stat->n_lines = 0;
    for (size_t i = 0; i < stat->n_cores; i++)
        stat->core[i].known = false;
    stat->context_switches = stat->forks = stat->interrupts = NAN;
    stat->running = stat->blocked = NAN;
    if (size == 0)
        return;
    do {
        if (format_scan_skip(&t, "cpu"))
            parse_cpu_line(&t, stat);
        else
            parse_plain_line(&t, stat);
    } while (format_scan_next_line(&t));
}

static void fill_cpu(struct record_sample *sample, const struct collect_cpu_time *time,
                     const size_t *id)
{
    for (int i = 0; i < COLLECT_CPU_PARTS; i++)
        collect_put_ratio(sample, id[i], time->part[i], time->whole[i]);
}

/* Gives metrics to the cores that are seen for the first time. */
static void add_cores(struct stat_collector *self, struct record_sample *sample)
{
    char label[16];

    for (; self->n_known < self->now.n_cores; self->n_known++) {
        size_t rows = self->n_known < DETAILED_CORES ? COLLECT_CPU_PARTS : 1;
        size_t *id = self->core[self->n_known];

        for (size_t i = 0; i < COLLECT_CPU_PARTS; i++)
            id[i] = COLLECT_NO_METRIC;
        snprintf(label, sizeof label, "%zu", self->n_known);
        collect_add_rows_now(sample, core_rows, rows, label, id);
    }
}

/* Returns the step of the machine: its own line's, but that of the cores in the columns
 * in which they differ by more than the rounding of each, a tick for a core. Where not
 * all cores fit the table, only the machine's line knows all. */
static struct collect_cpu_step total_step(const struct stat_collector *self,
                                          const struct collect_cpu_step *cores,
                                          double elapsed)
{
    size_t cpus = self->now.n_lines > 0 ? self->now.n_lines : 1;
    struct collect_cpu_step step =
        collect_cpu_step_of(&self->now.total, &self->before.total, cpus, elapsed);
    bool all_fit = self->now.n_lines > 0 && self->now.n_lines <= COLLECT_CPUS_MAX;

    if (!all_fit)
        return step;
    if (step.cpus != cores->cpus)
        return *cores;
    for (int i = 0; i < COLLECT_CPU_COLUMNS; i++) {
        double apart = fabs(step.ticks[i] - cores->ticks[i]);

        if (!cores->unknown[i] && !step.unknown[i] && apart <= (double)cpus)
            continue;
        step.ticks[i] = cores->ticks[i];
        step.unknown[i] = cores->unknown[i];
    }
    return step;
}

/* Adds what passed since the read before. A CPU that was away then, or is now, adds
 * nothing. */
static void count(struct stat_collector *self, int64_t now_ns)
{
    double elapsed = (double)(now_ns - self->before_ns) * 1e-9 * self->hz;
    struct collect_cpu_step cores = {.cpus = 0}, step;

    for (size_t i = 0; i < self->now.n_cores; i++) {
        step = collect_cpu_step_of(&self->now.core[i], &self->before.core[i], 1, elapsed);
        collect_cpu_time_add(&self->core_time[i], &step, elapsed);
        collect_cpu_step_add(&cores, &step);
    }
    step = total_step(self, &cores, elapsed);
    collect_cpu_time_add(&self->time, &step, elapsed);
}

static void fill(struct stat_collector *self, struct record_sample *sample)
{
    fill_cpu(sample, &self->time, self->total);
    for (size_t i = 0; i < self->n_known; i++)
        fill_cpu(sample, &self->core_time[i], self->core[i]);
    collect_put(sample, self->plain[0], self->now.context_switches);
    collect_put(sample, self->plain[1], self->now.forks);
    collect_put(sample, self->plain[2], self->now.running);
    collect_put(sample, self->plain[3], self->now.blocked);
    collect_put(sample, self->plain[4], self->now.interrupts);
}

/* Reads, counts and only then keeps what was read as the base of the next tick. */
static enum vd_status read_stat(void *context, struct record_sample *sample,
                                struct vd_error *err)
{
    struct stat_collector *self = context;
    enum vd_status status = collect_file_read(&self->file, &self->buffer, err);

    if (status != VD_OK)
        return status;
    collect_stat_parse(self->buffer.at, self->buffer.size, &self->now);
    add_cores(self, sample);
    count(self, sample->mono_ns);
    fill(self, sample);
    self->before.total = self->now.total;
    memcpy(self->before.core, self->now.core, self->now.n_cores * sizeof *self->now.core);
    self->before_ns = sample->mono_ns;
    if (!self->now.total.known)
        return vd_error_set(err, VD_ERR_FORMAT, NULL, "%s has no line of all CPUs",
                            self->file.path);
    return VD_OK;
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct stat_collector *self = calloc(1, sizeof *self);

    if (self == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for /proc/stat");
    collect_file_init(&self->file, config->root, "/proc/stat");
    self->hz = (double)sysconf(_SC_CLK_TCK);
    self->total[COLLECT_CPU_BUSY] = collect_core(schema, COLLECT_CPU_PERCENT);
    for (int i = COLLECT_CPU_BUSY + 1; i < COLLECT_CPU_PARTS; i++)
        collect_add_rows(schema, &total_rows[i], 1, NULL, &self->total[i]);
    collect_add_rows(schema, plain_rows, PLAIN_ROWS, NULL, self->plain);
    *out = self;
    return VD_OK;
}

static void destroy(void *context)
{
    struct stat_collector *self = context;

    if (self == NULL)
        return;
    collect_file_release(&self->file);
    collect_buffer_release(&self->buffer);
    free(self);
}

const struct collect_type collect_stat = {
    .name = "stat",
    .summary =
        "CPU time of the machine and of each core, context switches, forks, interrupts",
    .rows = {COLLECT_TABLE(total_rows), COLLECT_TABLE(core_rows),
             COLLECT_TABLE(plain_rows)},
    .create = create,
    .read = read_stat,
    .destroy = destroy,
};
