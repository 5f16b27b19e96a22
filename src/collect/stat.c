/* Idle and I/O wait of /proc/stat may step back a little: the kernel adds up per-CPU
 * clocks that it reads without locks (proc(5) says so of iowait). A small step back is
 * held at the earlier value, so it is not taken for a reset of the counter.
 */
#include "collect/stat.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "collect/collectors.h"
#include "collect/file.h"
#include "collect/fill.h"
#include "format/scan.h"

enum { TOTAL_ROWS = 4, CORE_ROWS = 5, PLAIN_ROWS = 4 };

static const struct record_metric total_rows[TOTAL_ROWS] = {
    COLLECT_ROW("cpu_user_percent", "%", RATIO, 100, "CPU time spent in programs."),
    COLLECT_ROW("cpu_system_percent", "%", RATIO, 100, "CPU time spent in the kernel."),
    COLLECT_ROW("cpu_iowait_percent", "%", RATIO, 100,
                "CPU time idle while a disk was waited for."),
    COLLECT_ROW("cpu_steal_percent", "%", RATIO, 100,
                "CPU time that the hypervisor gave to others."),
};

/* Only the first row exists on machines with more cores than DETAILED_CORES. */
static const struct record_metric core_rows[CORE_ROWS] = {
    COLLECT_ROW_OF("cpu", "cpu_core_percent", "%", RATIO, 100,
                   "CPU time used on this core."),
    COLLECT_ROW_OF("cpu", "cpu_core_user_percent", "%", RATIO, 100,
                   "Time of this core spent in programs."),
    COLLECT_ROW_OF("cpu", "cpu_core_system_percent", "%", RATIO, 100,
                   "Time of this core spent in the kernel."),
    COLLECT_ROW_OF("cpu", "cpu_core_iowait_percent", "%", RATIO, 100,
                   "Time of this core idle while a disk was waited for."),
    COLLECT_ROW_OF("cpu", "cpu_core_steal_percent", "%", RATIO, 100,
                   "Time of this core that the hypervisor gave to others."),
};

static const struct record_metric plain_rows[PLAIN_ROWS] = {
    COLLECT_ROW("context_switches", "1/s", RATE, 1, "Switches from one task to another."),
    COLLECT_ROW("forks", "1/s", RATE, 1, "Processes and threads started."),
    COLLECT_ROW("tasks_running", "", GAUGE, 1, "Tasks that run or wait for a core."),
    COLLECT_ROW("tasks_blocked", "", GAUGE, 1, "Tasks that wait for a disk."),
};

enum { DETAILED_CORES = 128 };

struct stat_collector {
    struct collect_file file;
    struct collect_buffer buffer;
    struct collect_stat now, held; /* held: idle and iowait of the tick before */
    size_t n_known;                /* cores with metrics */
    size_t cpu_percent, total[TOTAL_ROWS], plain[PLAIN_ROWS];
    size_t core[COLLECT_CPUS_MAX][CORE_ROWS];
};

static const struct collect_stat_cpu no_cpu = {NAN, NAN, NAN, NAN, NAN};

/* cpu  3678 31 2913 217817 1442 0 73 26 0 0
 *      user nice system idle iowait irq softirq steal guest guest_nice
 * Kernels before 2.6.11 end earlier; guest time is part of user. */
static struct collect_stat_cpu parse_cpu(struct collect_text *t)
{
    uint64_t field[8] = {0};
    size_t n = 0;

    while (n < 8 && collect_text_u64(t, &field[n]))
        n++;
    collect_text_skip_blanks(t);
    if (n < 4 || (n < 8 && t->at < t->end && *t->at != '\n'))
        return no_cpu;
    return (struct collect_stat_cpu){
        .user = (double)field[0] + (double)field[1],
        .system = (double)field[2] + (double)field[5] + (double)field[6],
        .idle = (double)field[3],
        .iowait = (double)field[4],
        .steal = (double)field[7],
    };
}

static void parse_cpu_line(struct collect_text *t, struct collect_stat *stat)
{
    uint64_t cpu;

    if (t->at < t->end && *t->at == ' ') {
        stat->total = parse_cpu(t);
        return;
    }
    if (!collect_text_u64(t, &cpu) || cpu >= COLLECT_CPUS_MAX)
        return;
    for (; stat->n_cores <= cpu; stat->n_cores++)
        stat->core[stat->n_cores] = no_cpu;
    stat->core[cpu] = parse_cpu(t);
}

/* ctxt 163427, processes 6624, procs_running 3, procs_blocked 0 */
static void parse_plain_line(struct collect_text *t, struct collect_stat *stat)
{
    uint64_t value;
    double *field = NULL;

    if (collect_text_skip(t, "ctxt "))
        field = &stat->context_switches;
    else if (collect_text_skip(t, "processes "))
        field = &stat->forks;
    else if (collect_text_skip(t, "procs_running "))
        field = &stat->running;
    else if (collect_text_skip(t, "procs_blocked "))
        field = &stat->blocked;
    if (field != NULL && collect_text_u64(t, &value))
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
    struct collect_text t = collect_text_of(text, size);

    stat->total = no_cpu;
    for (size_t i = 0; i < stat->n_cores; i++)
        stat->core[i] = no_cpu;
    stat->context_switches = stat->forks = NAN;
    stat->running = stat->blocked = NAN;
    if (size == 0)
        return;
    do {
        if (collect_text_skip(&t, "cpu"))
            parse_cpu_line(&t, stat);
        else
            parse_plain_line(&t, stat);
    } while (collect_text_next_line(&t));
}

/* A step back of less than a second of 100 Hz ticks is the kernel's rounding. */
static double hold(double now, double *before)
{
    if (now < *before && *before - now < 100)
        return *before;
    *before = now;
    return now;
}

static void fill_cpu(struct record_sample *sample, const struct collect_stat_cpu *cpu,
                     struct collect_stat_cpu *held, const size_t *id, size_t percent_id)
{
    double idle = hold(cpu->idle, &held->idle);
    double iowait = hold(cpu->iowait, &held->iowait);
    double busy = cpu->user + cpu->system + cpu->steal;
    double all = busy + idle + iowait;

    collect_put_ratio(sample, percent_id, busy, all);
    collect_put_ratio(sample, id[0], cpu->user, all);
    collect_put_ratio(sample, id[1], cpu->system, all);
    collect_put_ratio(sample, id[2], iowait, all);
    collect_put_ratio(sample, id[3], cpu->steal, all);
}

/* Cores that were never seen before get their metrics. */
static void add_cores(struct stat_collector *self, struct record_sample *sample)
{
    char label[16];

    for (; self->n_known < self->now.n_cores; self->n_known++) {
        size_t rows = self->n_known < DETAILED_CORES ? CORE_ROWS : 1;
        size_t *id = self->core[self->n_known];

        for (size_t i = 0; i < CORE_ROWS; i++)
            id[i] = COLLECT_NO_METRIC;
        self->held.core[self->n_known] = no_cpu;
        snprintf(label, sizeof label, "%zu", self->n_known);
        collect_add_rows_now(sample, core_rows, rows, label, id);
    }
}

static enum vd_status read_stat(void *context, struct record_sample *sample,
                                struct vd_error *err)
{
    struct stat_collector *self = context;
    enum vd_status status = collect_file_read(&self->file, &self->buffer, err);

    if (status != VD_OK)
        return status;
    collect_stat_parse(self->buffer.at, self->buffer.size, &self->now);
    add_cores(self, sample);
    fill_cpu(sample, &self->now.total, &self->held.total, self->total, self->cpu_percent);
    for (size_t i = 0; i < self->n_known; i++)
        fill_cpu(sample, &self->now.core[i], &self->held.core[i], self->core[i] + 1,
                 self->core[i][0]);
    collect_put(sample, self->plain[0], self->now.context_switches);
    collect_put(sample, self->plain[1], self->now.forks);
    collect_put(sample, self->plain[2], self->now.running);
    collect_put(sample, self->plain[3], self->now.blocked);
    if (isnan(self->now.total.user))
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
    self->held.total = no_cpu;
    self->cpu_percent = collect_core(schema, COLLECT_CPU_PERCENT);
    collect_add_rows(schema, total_rows, TOTAL_ROWS, NULL, self->total);
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
    .summary = "CPU time of the machine and of each core, context switches, forks",
    .create = create,
    .read = read_stat,
    .destroy = destroy,
};
