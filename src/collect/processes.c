/* The process table is the dearest source of all: one system call for each process, some
 * 3 microseconds each. Three things keep it cheap.
 *
 * - The file `stat` of each process stays open, so reading it again is one pread.
 * - /proc is listed only when a pid was given out since the last tick (/proc/loadavg says
 *   which was last), and now and then.
 * - Processes that used no CPU time on their last reads are read in turns, each one every
 *   TURNS ticks. Nothing can hide that way: when the machine used more CPU time than the
 *   processes that were read explain, all others are read on the same tick. Processes
 *   that begin and end between two ticks are never explained; so when that second look
 *   finds little, the next one waits, twice as long each time up to PATIENCE_MAX ticks,
 *   unless much more is to be explained than before.
 *
 * I/O counters are read when a process has used CPU time: one that has not did no I/O.
 * The command line is read when a process is seen first and when it changes its name
 * (which exec does).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/collectors.h"
#include "collect/file.h"
#include "collect/fill.h"
#include "collect/loadavg.h"
#include "collect/process_table.h"
#include "collect/text.h"
#include "vedette/rate.h"

enum {
    TURNS = 16,       /* ticks from one read of a quiet process to the next */
    QUIET_AFTER = 4,  /* reads without CPU time that make a process quiet */
    LIST_EVERY = 16,  /* ticks after which /proc is listed whatever loadavg says */
    PATIENCE_MAX = 8, /* ticks without a second look after those that found nothing */
    SPARE_FILES = 384 /* descriptors left to the rest of the program */
};

enum { COUNT, ZOMBIES, ROWS };

static const struct record_metric rows[ROWS] = {
    [COUNT] = COLLECT_ROW("processes", "", GAUGE, 1, "Processes that exist."),
    [ZOMBIES] = COLLECT_ROW("processes_zombie", "", GAUGE, 1,
                            "Processes that ended and are waited for by nobody."),
};

struct process_collector {
    bool recorded; /* below a root: everything is read on each tick */
    char proc[COLLECT_PATH_MAX];
    DIR *folder; /* NULL = to be opened */
    struct collect_file loadavg;
    struct collect_buffer buffer;
    struct collect_process_table table;
    struct record_processes processes; /* what the sample points to */
    int *pid;                          /* COLLECT_PROCESSES_MAX, touched as needed */
    double last_pid;                   /* of loadavg when /proc was listed */
    uint64_t tick;
    int64_t listed_ns;    /* when a process that is fresh now did not exist yet */
    double machine_ticks; /* CPU time of the machine at the last tick */
    /* After a second look that found little: how much it was to explain, and how many
     * ticks the next one waits. */
    double futile_ticks;
    unsigned patience, wait;
    size_t user_id, system_id;
    size_t files_max, files; /* descriptors kept open */
    double hz, page;
    size_t id[ROWS];
};

/* ---- who is there ---- */

static int by_number(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

static int pid_of(const char *name)
{
    struct collect_text t = collect_text_of(name, strlen(name));
    uint64_t pid;

    return collect_text_u64(&t, &pid) && t.at == t.end && pid > 0 && pid <= INT32_MAX
               ? (int)pid
               : 0;
}

static enum vd_status list(struct process_collector *self, struct vd_error *err)
{
    struct dirent *entry;
    size_t n = 0, dropped = 0;
    bool sorted = true;

    if (self->folder != NULL && self->recorded) {
        closedir(self->folder);
        self->folder = NULL;
    }
    if (self->folder == NULL)
        self->folder = opendir(self->proc);
    else
        rewinddir(self->folder);
    if (self->folder == NULL)
        return vd_error_set(err, VD_ERR_IO, NULL, "cannot list %s: %s", self->proc,
                            strerror(errno));
    while ((entry = readdir(self->folder)) != NULL) {
        int pid = pid_of(entry->d_name);

        if (pid == 0)
            continue;
        if (n == COLLECT_PROCESSES_MAX) {
            dropped++;
            continue;
        }
        sorted = sorted && (n == 0 || self->pid[n - 1] < pid);
        self->pid[n++] = pid;
    }
    if (!sorted)
        qsort(self->pid, n, sizeof *self->pid, by_number);
    collect_process_table_update(&self->table, self->pid, n);
    self->processes.dropped = dropped + self->table.dropped;
    return VD_OK;
}

/* Whether some process may have begun since /proc was listed. */
static bool must_list(struct process_collector *self)
{
    struct collect_loadavg load;
    double before = self->last_pid;

    self->last_pid = NAN;
    if (collect_file_read(&self->loadavg, &self->buffer, NULL) == VD_OK) {
        collect_loadavg_parse(self->buffer.at, self->buffer.size, &load);
        self->last_pid = load.last_pid;
    }
    return self->recorded || self->tick % LIST_EVERY == 0 || !(self->last_pid == before);
}

/* ---- one process ---- */

/* Opens /proc/PID/name; the descriptor or -1. */
static int open_file(const struct process_collector *self, int pid, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "%d/%s", pid, name);
    return openat(dirfd(self->folder), path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
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
    if (!self->recorded && self->files < self->files_max) {
        *slot = fd;
    } else {
        close(fd);
        *slot = -1;
    }
}

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

static void read_io(struct process_collector *self, struct collect_process *own,
                    struct record_process *record, double seconds)
{
    struct collect_process_io io;
    char text[512];
    ssize_t got;

    if (own->io_denied || own->kernel_thread)
        return;
    got = read_slot(self, &own->io_fd, own->pid, "io", text, sizeof text);
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

/* A process that is fresh on the first tick has a past that is not known; one that is
 * fresh later began after /proc was listed last, with all its counters at 0. */
static void begin(const struct process_collector *self, struct collect_process *own,
                  const struct collect_process_stat *stat)
{
    own->kernel_thread = stat->kernel_thread;
    own->mono_ns = self->listed_ns;
    own->cpu_ticks = self->tick == 0 ? NAN : 0;
    if (self->tick == 0)
        own->io = (struct collect_process_io){NAN, NAN};
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
        begin(self, own, stat);
    seconds = (double)(now - own->mono_ns) * 1e-9;
    used = vd_delta((double)stat->cpu_ticks, own->cpu_ticks);
    record->cpu_percent =
        100 / self->hz * vd_rate((double)stat->cpu_ticks, own->cpu_ticks, seconds);
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
    own->mono_ns = now;
    own->fresh = false;
    own->quiet = used > 0 ? 0 : (uint8_t)(own->quiet + (own->quiet < UINT8_MAX));
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
        /* Gone since /proc was listed, or not a process after all. Its pid may belong to
         * another one by now, so /proc is listed on the next tick. */
        own->gone = true;
        self->last_pid = NAN;
        return 0;
    }
    if (!own->fresh && stat.start_ticks != self->table.record[i].start_ticks) {
        self->files -= own->stat_fd >= 0;
        collect_process_table_renew(&self->table, i);
    }
    return take(self, i, now, &stat);
}

/* ---- all of them ---- */

static bool is_due(const struct process_collector *self,
                   const struct collect_process *own)
{
    return self->recorded || own->fresh || own->quiet < QUIET_AFTER ||
           ((uint64_t)own->pid + self->tick) % TURNS == 0;
}

/* CPU ticks that the machine used since the last tick; NaN when nobody read it. */
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

/* Whether the processes that are not due should be read too. `missing` is the CPU time
 * that nobody is charged with; some always is: interrupts, and ticks that are rounded. */
static bool needs_second_look(struct process_collector *self, double used, double missing)
{
    if (self->recorded || self->tick == 0 || missing <= 5 + 0.1 * used)
        return false;
    if (self->wait > 0 && missing < 2 * self->futile_ticks) {
        self->wait--;
        return false;
    }
    return true;
}

static void look_again(struct process_collector *self, int64_t now, double missing)
{
    double found = 0;

    for (size_t i = 0; i < self->table.n; i++)
        if (self->table.own[i].mono_ns != now && !self->table.own[i].gone)
            found += read_process(self, i, now);
    if (isnan(missing) || found >= missing / 4) {
        self->patience = self->wait = 0;
        return;
    }
    self->patience = self->patience == 0 ? 1 : self->patience * 2;
    if (self->patience > PATIENCE_MAX)
        self->patience = PATIENCE_MAX;
    self->wait = self->patience;
    self->futile_ticks = missing;
}

static void read_all(struct process_collector *self, const struct record_sample *sample)
{
    double used = machine_used(self, sample), explained = 0;

    for (size_t i = 0; i < self->table.n; i++)
        if (is_due(self, &self->table.own[i]))
            explained += read_process(self, i, sample->mono_ns);
    if (needs_second_look(self, used, used - explained))
        look_again(self, sample->mono_ns, used - explained);
    collect_process_table_sweep(&self->table);
}

static void fill(struct process_collector *self, struct record_sample *sample)
{
    size_t threads = 0, zombies = 0;

    for (size_t i = 0; i < self->table.n; i++) {
        threads += self->table.record[i].threads;
        zombies += self->table.record[i].state == 'Z';
    }
    self->processes.at = self->table.record;
    self->processes.n = self->table.n;
    self->processes.threads = threads;
    sample->processes = &self->processes;
    collect_put(sample, self->id[COUNT], (double)self->table.n);
    collect_put(sample, self->id[ZOMBIES], (double)zombies);
}

/* Counted anew on each tick: the table closes descriptors by itself. */
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
    enum vd_status status = VD_OK;

    if (must_list(self))
        status = list(self, err);
    if (status != VD_OK)
        return status;
    count_files(self);
    read_all(self, sample);
    fill(self, sample);
    self->listed_ns = sample->mono_ns;
    self->tick++;
    return VD_OK;
}

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
    if (self->folder != NULL)
        closedir(self->folder);
    collect_process_table_release(&self->table);
    collect_file_release(&self->loadavg);
    collect_buffer_release(&self->buffer);
    free(self->pid);
    free(self);
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct process_collector *self = calloc(1, sizeof *self);

    if (self == NULL)
        return VD_ERR_MEMORY;
    collect_file_init(&self->loadavg, config->root, "/proc/loadavg");
    self->recorded = !self->loadavg.keep;
    collect_path(self->proc, config->root, "/proc", NULL);
    self->pid = malloc(COLLECT_PROCESSES_MAX * sizeof *self->pid);
    if (self->pid == NULL) {
        destroy(self);
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the processes");
    }
    self->last_pid = NAN;
    self->machine_ticks = NAN;
    self->user_id = record_schema_find(schema, "cpu_user_percent");
    self->system_id = record_schema_find(schema, "cpu_system_percent");
    self->files_max = files_max();
    self->hz = (double)sysconf(_SC_CLK_TCK);
    self->page = (double)sysconf(_SC_PAGESIZE);
    collect_add_rows(schema, rows, ROWS, NULL, self->id);
    *out = self;
    return VD_OK;
}

double collect_process_pss(const char *root, int pid)
{
    char path[64], full[COLLECT_PATH_MAX], text[512];
    long length;

    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    if (!collect_path(full, root, path, NULL))
        return NAN;
    length = collect_file_small(full, text, sizeof text);
    return length <= 0 ? NAN : collect_process_pss_parse(text, (size_t)length);
}

const struct collect_type collect_processes = {
    .name = "processes",
    .summary = "every process: CPU, memory, I/O, threads, command line",
    .create = create,
    .read = read_processes,
    .destroy = destroy,
};
