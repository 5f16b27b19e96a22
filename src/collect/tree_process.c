/* Keeps the files of a process open from its second reading on: opening costs as much as
 * reading, and most processes live either for less than one interval or for long. A
 * descriptor belongs to the process and not to its number, so a number that is used again
 * does no harm. The one exception is the memory's file: it belongs to what the process
 * ran when it was opened, and execve(2) gives the process another memory.
 */
#include "collect/tree_process.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes for one read: more than stat, io and smaps_rollup ever are. */
enum { PIECE = 8192, MEMORY_TEXT_MAX = 64 << 20 };

void collect_tree_process_init(struct collect_tree_process *process, int pid)
{
    *process = (struct collect_tree_process){
        .stat_fd = -1, .io_fd = -1, .memory_fd = -1, .stat.pid = pid};
}

static void close_slot(int *fd, struct collect_tree_proc *proc)
{
    if (*fd < 0)
        return;
    close(*fd);
    *fd = -1;
    proc->open--;
}

void collect_tree_process_close(struct collect_tree_process *process,
                                struct collect_tree_proc *proc)
{
    close_slot(&process->stat_fd, proc);
    close_slot(&process->io_fd, proc);
    close_slot(&process->memory_fd, proc);
}

static int open_file(const struct collect_tree_proc *proc, int pid, const char *name)
{
    char path[48];

    snprintf(path, sizeof path, "%d/%s", pid, name);
    return openat(proc->folder, path, O_RDONLY | O_CLOEXEC);
}

/* Reads a descriptor into the buffer, whole when `long_text`, else by one read. Returns
 * the bytes, or -1 with errno. */
static ssize_t read_text(int fd, struct collect_tree_proc *proc, bool long_text)
{
    struct collect_buffer *buffer = &proc->buffer;
    ssize_t got;

    buffer->size = 0;
    do {
        if (buffer->capacity < buffer->size + PIECE) {
            size_t capacity = buffer->capacity == 0 ? PIECE : 2 * buffer->capacity;
            char *at = capacity > MEMORY_TEXT_MAX ? NULL : realloc(buffer->at, capacity);

            if (at == NULL) {
                errno = ENOMEM;
                return -1;
            }
            buffer->at = at;
            buffer->capacity = capacity;
        }
        do
            got = pread(fd, buffer->at + buffer->size, PIECE, (off_t)buffer->size);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return -1;
        buffer->size += (size_t)got;
    } while (long_text && got > 0);
    return (ssize_t)buffer->size;
}

/* Reads a file of the process by its slot, which is filled when the process was seen
 * before and there is room for one more descriptor. */
static ssize_t read_slot(struct collect_tree_process *process, int *slot,
                         const char *name, bool long_text, struct collect_tree_proc *proc)
{
    bool keep = process->known && proc->open < proc->open_max;
    int fd = *slot >= 0 ? *slot : open_file(proc, process->stat.pid, name), code;
    ssize_t got;

    if (fd < 0)
        return -1;
    got = read_text(fd, proc, long_text);
    code = errno;
    if (*slot < 0 && keep && got > 0) {
        *slot = fd;
        proc->open++;
    } else if (*slot < 0)
        close(fd);
    else if (got <= 0)
        close_slot(slot, proc);
    errno = code;
    return got;
}

static bool is_refusal(int code)
{
    return code == EACCES || code == EPERM;
}

bool collect_tree_stat(struct collect_tree_proc *proc, int pid,
                       struct collect_process_stat *stat)
{
    int fd = open_file(proc, pid, "stat");
    ssize_t got;

    if (fd < 0)
        return false;
    got = read_text(fd, proc, false);
    close(fd);
    return got > 0 && collect_process_stat_parse(proc->buffer.at, (size_t)got, stat);
}

/* Reads the counters of I/O, NaN where they are refused or the kernel has none. A process
 * that was refused once is not asked again: it would have to be asked at every sample. */
static void read_io(struct collect_tree_process *process, struct collect_tree_proc *proc,
                    double all[COLLECT_TREE_COUNTERS])
{
    struct collect_process_io io = {NAN, NAN, NAN, NAN};
    ssize_t got = -1;

    if (!process->io_refused) {
        got = read_slot(process, &process->io_fd, "io", false, proc);
        process->io_refused = got < 0 && is_refusal(errno);
    }
    if (got > 0)
        collect_process_io_parse(proc->buffer.at, (size_t)got, &io);
    process->io_known |= !isnan(io.read_chars);
    all[COLLECT_TREE_READ_CHARS] = io.read_chars;
    all[COLLECT_TREE_WRITTEN_CHARS] = io.written_chars;
    all[COLLECT_TREE_READ_BYTES] = io.read_bytes;
    all[COLLECT_TREE_WRITTEN_BYTES] = io.written_bytes;
}

/* Takes the counters. The kernel keeps CPU time that was inherited apart; with I/O it is
 * one number, whose growth may be either. */
static void take_counters(struct collect_tree_process *process,
                          struct collect_tree_proc *proc)
{
    const struct collect_process_stat *stat = &process->stat;
    double all[COLLECT_TREE_COUNTERS], heritage[COLLECT_TREE_COUNTERS];

    read_io(process, proc, all);
    memcpy(heritage, all, sizeof heritage);
    heritage[COLLECT_TREE_USER] = (double)stat->children_user_ticks / proc->ticks_per_s;
    heritage[COLLECT_TREE_SYSTEM] =
        (double)stat->children_system_ticks / proc->ticks_per_s;
    all[COLLECT_TREE_USER] =
        (double)(stat->user_ticks + stat->children_user_ticks) / proc->ticks_per_s;
    all[COLLECT_TREE_SYSTEM] =
        (double)(stat->system_ticks + stat->children_system_ticks) / proc->ticks_per_s;
    collect_tree_take(&process->part, all, heritage, !process->known);
}

enum collect_tree_answer collect_tree_process_read(struct collect_tree_process *process,
                                                   struct collect_tree_proc *proc)
{
    ssize_t got = read_slot(process, &process->stat_fd, "stat", false, proc);
    struct collect_process_stat stat;

    if (got <= 0 || !collect_process_stat_parse(proc->buffer.at, (size_t)got, &stat) ||
        (process->known && stat.start_ticks != process->stat.start_ticks))
        return COLLECT_TREE_GONE;
    process->stat = stat;
    take_counters(process, proc);
    process->known = true;
    return COLLECT_TREE_READ;
}

bool collect_tree_process_lives(const struct collect_tree_process *process)
{
    return !process->gone && process->stat.state != 'Z' && process->stat.state != 'X';
}

double collect_tree_process_change(const struct collect_tree_process *process,
                                   const struct collect_tree_proc *proc)
{
    const struct collect_process_stat *stat = &process->stat;
    uint64_t faults = stat->minor_faults + stat->major_faults;
    double pages = (double)stat->rss_pages - (double)process->memory_rss_pages;

    if (!process->memory_known || stat->image != process->memory_image)
        return (double)stat->rss_pages * proc->page_bytes;
    return ((double)(faults - process->memory_faults) + fabs(pages)) * proc->page_bytes;
}

/* Reads the memory's file; when the open one belongs to a memory that is gone, once more
 * from a new one. */
static ssize_t read_memory(struct collect_tree_process *process,
                           struct collect_tree_proc *proc)
{
    bool long_text = strcmp(proc->memory, "smaps") == 0, was_open;
    ssize_t got;

    if (process->memory_image != process->stat.image)
        close_slot(&process->memory_fd, proc);
    was_open = process->memory_fd >= 0;
    got = read_slot(process, &process->memory_fd, proc->memory, long_text, proc);
    if (got <= 0 && was_open)
        got = read_slot(process, &process->memory_fd, proc->memory, long_text, proc);
    return got;
}

enum collect_tree_answer
collect_tree_process_read_memory(struct collect_tree_process *process,
                                 struct collect_tree_proc *proc)
{
    ssize_t got;

    if (process->memory_refused)
        return COLLECT_TREE_REFUSED;
    got = read_memory(process, proc);
    if (got < 0 && is_refusal(errno)) {
        process->memory_refused = true;
        return COLLECT_TREE_REFUSED;
    }
    process->memory_known = true;
    process->memory_image = process->stat.image;
    process->memory_faults = process->stat.minor_faults + process->stat.major_faults;
    process->memory_rss_pages = process->stat.rss_pages;
    /* One that has just ended has no memory any more, nor has a thread of the kernel. */
    if (got <= 0 ||
        !collect_process_memory_parse(proc->buffer.at, (size_t)got, &process->memory))
        process->memory = (struct collect_process_memory){0};
    return COLLECT_TREE_READ;
}
