/* The process table is the dearest source of all: one system call for each process, some
 * 3 microseconds each. Three things keep it cheap.
 *
 * - The file `stat` of each process stays open, so reading it again is one pread.
 * - /proc is listed now and then only; in between process_list.c looks up the pids that
 *   were given out.
 * - Processes that used no CPU time on their last reads are read in turns, each one every
 *   TURNS ticks. Nothing can hide that way: when the machine used more CPU time than the
 *   processes that were read explain, all others are read on the same tick. Processes
 *   that begin and end between two ticks are never explained; so when that second look
 *   finds little, the next one waits, twice as long each time up to PATIENCE_MAX ticks,
 *   unless much more is to be explained than before.
 *
 * I/O counters are read when a process has used CPU time: one that has not did no I/O.
 * Swap stands in `status`, which takes the kernel longer than all the rest: only while
 * something is swapped out it is read, of a few processes on each tick, in turns.
 * The command line is read when a process is seen first and when it changes its name
 * (which exec does).
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "collect/collectors.h"
#include "collect/file.h"
#include "collect/fill.h"
#include "collect/hidden.h"
#include "collect/process_list.h"
#include "vedette/rate.h"

enum {
    TURNS = 16,       /* ticks from one read of a quiet process to the next */
    QUIET_AFTER = 4,  /* reads without CPU time that make a process quiet */
    SWAPS_A_TICK = 8, /* processes whose swap is read on a tick */
    PATIENCE_MAX = 8, /* ticks without a second look after those that found nothing */
    SPARE_FILES = 384 /* descriptors left to the rest of the program */
};

enum { COUNT, ZOMBIES, ROWS };

static const struct record_metric rows[ROWS] = {
    [COUNT] =
        COLLECT_ROW("processes", "", PROCESSES, 5, GAUGE, 1, "Processes that exist."),
    [ZOMBIES] = COLLECT_ROW("processes_zombie", "", PROCESSES, 5, GAUGE, 1,
                            "Processes that ended and are waited for by nobody."),
};

struct process_collector {
    struct os_peek *peek; /* borrowed; NULL = none */
    struct collect_process_list list;
    struct collect_process_table table;
    struct collect_hidden hidden;
    struct record_processes processes; /* what the sample points to */
    uint64_t tick;
    int64_t before_ns;    /* of the tick before */
    double machine_ticks; /* CPU time of the machine at the last tick */
    /* After second looks that found little: how much they were to explain at most, and
     * how many ticks the next one waits. */
    double futile_ticks;
    unsigned patience, wait;
    size_t user_id, system_id, swap_id;
    size_t next_swap;        /* whose turn it is */
    size_t files_max, files; /* descriptors kept open */
    double hz, page;
    char note[80];
    size_t id[ROWS];
};

/* ---- one process ---- */

/* Opens /proc/PID/name; the descriptor or -1. */
static int open_file(const struct process_collector *self, int pid, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "%d/%s", pid, name);
    return openat(dirfd(self->list.folder), path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static ssize_t read_fd(int fd, char *text, size_t size)
{
    ssize_t got;

    do
        got = pread(fd, text, size, 0);
    while (got < 0 && errno == EINTR);
    return got;
}

/* Keeps `fd` open in *slot while descriptors are left, closes it otherwise. */
static void keep_or_close(const struct process_collector *self, int *slot, int fd)
{
    if (!self->list.recorded && self->files < self->files_max) {
        *slot = fd;
    } else {
        close(fd);
        *slot = -1;
    }
}

/* Reads by the descriptor in *slot, or opens the file and keeps it there if one may be
 * kept. Returns -1 with the errno of what failed. */
static ssize_t read_slot(struct process_collector *self, int *slot, int pid,
                         const char *name, char *text, size_t size)
{
    int fd = *slot >= 0 ? *slot : open_file(self, pid, name);
    ssize_t got;
    int code;

    if (fd < 0)
        return -1;
    got = read_fd(fd, text, size);
    code = errno;
    if (got < 0)
        close(fd), *slot = -1;
    else if (*slot < 0)
        keep_or_close(self, slot, fd);
    errno = code;
    return got;
}

/* Reads the command line and takes its file's owner as the user of the process. A thread
 * of the kernel has no command line. */
static void read_command(struct process_collector *self, struct record_process *record)
{
    char text[RECORD_COMMAND_MAX];
    int fd = open_file(self, record->pid, "cmdline");
    struct stat info;
    ssize_t got;

    record->command[0] = '\0';
    if (fd < 0)
        return;
    got = read_fd(fd, text, sizeof text);
    if (got > 0)
        collect_process_command(text, (size_t)got, record->command,
                                sizeof record->command);
    if (fstat(fd, &info) == 0)
        record->uid = info.st_uid;
    close(fd);
}

/* Reads the I/O counters, which only the same user and root may, hence os_peek where
 * there is one. A process whose counters were refused is not asked again. */
static void read_io(struct process_collector *self, struct collect_process *own,
                    struct record_process *record, double seconds)
{
    struct collect_process_io io;
    char text[512];
    ssize_t got;

    if (own->io_denied || own->kernel_thread)
        return;
    got = self->peek != NULL
              ? os_peek_read(self->peek, own->pid, OS_PEEK_IO, text, sizeof text)
              : read_slot(self, &own->io_fd, own->pid, "io", text, sizeof text);
    if (got < 0) {
        own->io_denied = errno == EACCES || errno == EPERM || errno == ENOENT;
        record->read_bytes_s = record->write_bytes_s = NAN;
        return;
    }
    collect_process_io_parse(text, (size_t)got, &io);
    record->read_bytes_s = vd_rate(io.read_bytes, own->io.read_bytes, seconds);
    record->write_bytes_s = vd_rate(io.written_bytes, own->io.written_bytes, seconds);
    own->io = io;
}

/* Tells whether the process began after the tick before, so that all that it has used is
 * of this tick. A tenth of a second allows for the two clocks. */
static bool is_newborn(const struct process_collector *self, int64_t now,
                       const struct collect_process_stat *stat)
{
    struct timespec boot;
    double age;

    if (self->tick == 0)
        return false;
    if (self->list.recorded) /* its clock stands still */
        return true;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    age = (double)boot.tv_sec + (double)boot.tv_nsec * 1e-9 -
          (double)stat->start_ticks / self->hz;
    return age <= (double)(now - self->before_ns) * 1e-9 + 0.1;
}

/* Sets what the first read is compared with: nothing for a newborn process, the unknown
 * for an older one, since when it used its time cannot be known. */
static void begin(const struct process_collector *self, struct collect_process *own,
                  int64_t now, const struct collect_process_stat *stat)
{
    bool newborn = is_newborn(self, now, stat);

    own->kernel_thread = stat->kernel_thread;
    own->mono_ns = self->before_ns;
    own->cpu_ticks = own->major_faults = newborn ? 0 : NAN;
    if (!newborn)
        own->io = (struct collect_process_io){NAN, NAN, NAN, NAN};
}

/* Fills the record from a stat that was read at `now`; returns the CPU ticks used since
 * the read before. */
static double take(struct process_collector *self, size_t i, int64_t now,
                   const struct collect_process_stat *stat)
{
    struct collect_process *own = &self->table.own[i];
    struct record_process *record = &self->table.record[i];
    bool renamed = own->fresh || strcmp(record->comm, stat->comm) != 0;
    double seconds, used;

    if (own->fresh)
        begin(self, own, now, stat);
    seconds = (double)(now - own->mono_ns) * 1e-9;
    used = vd_delta((double)stat->cpu_ticks, own->cpu_ticks);
    record->cpu_percent =
        100 / self->hz * vd_rate((double)stat->cpu_ticks, own->cpu_ticks, seconds);
    record->major_faults_s =
        vd_rate((double)stat->major_faults, own->major_faults, seconds);
    record->parent = stat->parent;
    record->state = stat->state;
    record->start_ticks = stat->start_ticks;
    record->threads = stat->threads;
    record->rss_bytes = (double)stat->rss_pages * self->page;
    if (renamed) {
        memcpy(record->comm, stat->comm, sizeof record->comm);
        read_command(self, record);
    }
    if (own->fresh || used > 0)
        read_io(self, own, record, seconds);
    else if (!isnan(own->io.read_bytes) && !own->io_denied)
        record->read_bytes_s = record->write_bytes_s = 0;
    own->cpu_ticks = (double)stat->cpu_ticks;
    own->major_faults = (double)stat->major_faults;
    own->mono_ns = now;
    own->fresh = false;
    own->quiet = used > 0 || record->major_faults_s > 0
                     ? 0
                     : (uint8_t)(own->quiet + (own->quiet < UINT8_MAX));
    return isnan(used) ? 0 : used;
}

/* Reads one process; returns the CPU ticks it used since it was read before. */
static double read_process(struct process_collector *self, size_t i, int64_t now)
{
    struct collect_process *own = &self->table.own[i];
    struct collect_process_stat stat;
    char text[2048];
    int before = own->stat_fd;
    ssize_t got = read_slot(self, &own->stat_fd, own->pid, "stat", text, sizeof text);

    self->files += (own->stat_fd >= 0) - (before >= 0);
    if (got <= 0 || !collect_process_stat_parse(text, (size_t)got, &stat)) {
        /* It has ended, or is no process after all. */
        own->gone = true;
        return 0;
    }
    /* The pid was given out again since the last read. */
    if (!own->fresh && stat.start_ticks != self->table.record[i].start_ticks) {
        self->files -= own->stat_fd >= 0;
        collect_process_table_renew(&self->table, i);
    }
    return take(self, i, now, &stat);
}

/* ---- all of them ---- */

/* Tells whether the process is read on this tick. Quiet ones take turns by their pid,
 * which spreads them evenly. */
static bool is_due(const struct process_collector *self,
                   const struct collect_process *own)
{
    return self->list.recorded || own->fresh || own->quiet < QUIET_AFTER ||
           ((uint64_t)own->pid + self->tick) % TURNS == 0;
}

/* Returns the CPU ticks that the machine used since the last tick; NaN when the collector
 * of /proc/stat is not there to say it. */
static double machine_used(struct process_collector *self,
                           const struct record_sample *sample)
{
    double now = NAN, used;

    if (self->user_id != COLLECT_NO_METRIC && self->system_id != COLLECT_NO_METRIC)
        now = sample->raw[self->user_id] + sample->raw[self->system_id];
    used = vd_delta(now, self->machine_ticks);
    self->machine_ticks = now;
    return used;
}

/* Tells whether the processes that are not due should be read as well. `missing` is the
 * CPU time, in ticks, of which nobody is charged; some always is missing: interrupts, and
 * ticks that are rounded. */
static bool needs_second_look(struct process_collector *self, double used, double missing)
{
    if (self->list.recorded || self->tick == 0 || missing <= 5 + 0.1 * used)
        return false;
    if (self->wait > 0 && missing < 2 * self->futile_ticks) {
        self->wait--;
        return false;
    }
    return true;
}

/* Reads all others. When they explain less than a quarter of what was missing, the look
 * was in vain, and the next one waits longer. */
static void look_again(struct process_collector *self, int64_t now, double missing)
{
    double found = 0;

    for (size_t i = 0; i < self->table.n; i++)
        if (self->table.own[i].mono_ns != now && !self->table.own[i].gone)
            found += read_process(self, i, now);
    if (isnan(missing) || found >= missing / 4) {
        self->patience = self->wait = 0;
        self->futile_ticks = 0;
        return;
    }
    self->patience = self->patience == 0 ? 1 : self->patience * 2;
    if (self->patience > PATIENCE_MAX)
        self->patience = PATIENCE_MAX;
    self->wait = self->patience;
    self->futile_ticks = fmax(self->futile_ticks, missing);
}

static void read_all(struct process_collector *self, const struct record_sample *sample)
{
    double used = machine_used(self, sample), explained = 0;
    double seconds = (double)(sample->mono_ns - self->before_ns) * 1e-9;

    self->processes.machine_cpu_percent =
        seconds > 0 ? 100 / self->hz * used / seconds : NAN;

    for (size_t i = 0; i < self->table.n; i++)
        if (is_due(self, &self->table.own[i]))
            explained += read_process(self, i, sample->mono_ns);
    if (needs_second_look(self, used, used - explained))
        look_again(self, sample->mono_ns, used - explained);
    collect_process_table_sweep(&self->table);
}

/* Reads how much of one process is swapped out; threads of the kernel have no memory of
 * their own. */
static void read_swap(struct process_collector *self, size_t i)
{
    struct record_process *record = &self->table.record[i];
    char text[4096];
    ssize_t got = -1;
    int fd;

    if (self->table.own[i].kernel_thread) {
        record->swap_bytes = 0;
        return;
    }
    fd = open_file(self, record->pid, "status");
    if (fd >= 0) {
        got = read_fd(fd, text, sizeof text);
        close(fd);
    }
    record->swap_bytes = got > 0 ? collect_process_swap_parse(text, (size_t)got) : NAN;
}

/* Reads the swap of a few processes, in turns. Where the machine has nothing swapped out,
 * no process has. */
static void read_swaps(struct process_collector *self, const struct record_sample *sample)
{
    size_t n = self->table.n;

    if (self->swap_id != COLLECT_NO_METRIC && sample->raw[self->swap_id] == 0) {
        for (size_t i = 0; i < n; i++)
            self->table.record[i].swap_bytes = 0;
        return;
    }
    if (!self->list.recorded && n > SWAPS_A_TICK)
        n = SWAPS_A_TICK;
    for (; n > 0; n--) {
        self->next_swap = (self->next_swap + 1) % self->table.n;
        read_swap(self, self->next_swap);
    }
}

static void fill(struct process_collector *self, struct record_sample *sample)
{
    size_t threads = 0, zombies = 0, denied = 0;

    for (size_t i = 0; i < self->table.n; i++) {
        threads += self->table.record[i].threads;
        zombies += self->table.record[i].state == 'Z';
        denied += self->table.own[i].io_denied;
    }
    self->note[0] = '\0';
    if (denied > 0)
        snprintf(self->note, sizeof self->note, "the I/O of %zu of %zu cannot be read",
                 denied, self->table.n);
    self->processes.at = self->table.record;
    self->processes.n = self->table.n;
    self->processes.threads = threads;
    self->processes.dropped = self->list.dropped;
    sample->processes = &self->processes;
    collect_put(sample, self->id[COUNT], (double)self->table.n);
    collect_put(sample, self->id[ZOMBIES], (double)zombies);
}

/* Counts the open descriptors, anew on each tick since the table closes some by itself.
 * Quiet processes give back theirs of `io`, which is not read while they are quiet. */
static void count_files(struct process_collector *self)
{
    self->files = 0;
    for (size_t i = 0; i < self->table.n; i++) {
        struct collect_process *own = &self->table.own[i];

        if (own->io_fd >= 0 && own->quiet >= QUIET_AFTER) {
            close(own->io_fd);
            own->io_fd = -1;
        }
        self->files += (own->stat_fd >= 0) + (own->io_fd >= 0);
    }
}

static enum vd_status read_processes(void *context, struct record_sample *sample,
                                     struct vd_error *err)
{
    struct process_collector *self = context;
    enum vd_status status = collect_process_list_update(&self->list, &self->table, err);

    if (status != VD_OK)
        return status;
    count_files(self);
    read_all(self, sample);
    read_swaps(self, sample);
    fill(self, sample);
    if (self->tick % TURNS == 0)
        collect_hidden_look(&self->hidden, &self->table, &self->list.buffer);
    self->before_ns = sample->mono_ns;
    self->tick++;
    if (self->list.dropped > 0)
        return vd_error_set(err, VD_ERR_LIMIT, NULL,
                            "%zu processes are left out: there are too many",
                            self->list.dropped);
    return collect_hidden_tell(&self->hidden, err);
}

/* Returns how many files of processes may stay open; none where the limit is so low that
 * the rest of the program might need it all. */
static size_t files_max(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < 2 * SPARE_FILES)
        return 0;
    return (size_t)limit.rlim_cur - SPARE_FILES;
}

static void destroy(void *context)
{
    struct process_collector *self = context;

    if (self == NULL)
        return;
    collect_process_table_release(&self->table);
    collect_process_list_release(&self->list);
    collect_hidden_release(&self->hidden);
    free(self);
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct process_collector *self = calloc(1, sizeof *self);

    if (self == NULL)
        return VD_ERR_MEMORY;
    collect_hidden_init(&self->hidden, config->root);
    if (collect_process_list_init(&self->list, config->root) != VD_OK) {
        destroy(self);
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the processes");
    }
    self->peek = config->peek;
    self->machine_ticks = NAN;
    self->user_id = record_schema_find(schema, "cpu_user_percent");
    self->system_id = record_schema_find(schema, "cpu_system_percent");
    self->swap_id = record_schema_find(schema, "swap_percent");
    self->files_max = files_max();
    self->hz = (double)sysconf(_SC_CLK_TCK);
    self->page = (double)sysconf(_SC_PAGESIZE);
    collect_add_rows(schema, rows, ROWS, NULL, self->id);
    *out = self;
    return VD_OK;
}

static const char *note(const void *context)
{
    const struct process_collector *self = context;

    return self->note;
}

double collect_process_pss(const struct collect_config *config, int pid)
{
    char path[64], full[COLLECT_PATH_MAX], text[OS_PEEK_MAX];
    long length;

    if (config->peek != NULL) {
        length = os_peek_read(config->peek, pid, OS_PEEK_MEMORY, text, sizeof text);
    } else {
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
        if (!collect_path(full, config->root, path, NULL))
            return NAN;
        length = collect_file_small(full, text, sizeof text);
    }
    return length <= 0 ? NAN : collect_process_pss_parse(text, (size_t)length);
}

const struct collect_type collect_processes = {
    .name = "processes",
    .summary = "every process: CPU, memory, I/O, threads, command line",
    .rows = {COLLECT_TABLE(rows)},
    .create = create,
    .read = read_processes,
    .destroy = destroy,
    .note = note,
};
