/* /dev/kmsg: which processes the kernel killed because memory ran out. Each read gives
 * one record, and nothing when there is no new one. It may be opened by root alone on
 * most machines (kernel.dmesg_restrict), before capabilities are dropped; without it the
 * names come from the table of processes.
 */
#include "collect/kernel_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/collectors.h"
#include "format/scan.h"

/* Records that are read on one tick: a kernel that says thousands a second is heard in
 * part on each. A record is 8 KiB at most. */
enum { RECORDS_MAX = 256, RECORD_BYTES = 8192 };

/* The prefix of a record is priority + 8 * facility; the kernel is facility 0. */
enum { KERNEL_BELOW = 8 };

struct kernel_log {
    int fd; /* -1 = may not be read */
    struct record_killed killed[RECORD_KILLED_MAX];
    char record[RECORD_BYTES];
};

/* Looks for "6,812,1234,-;Out of memory: Killed process 4163 (stress) total-vm:..., ...".
 * What programs write into the log themselves has another facility and is not believed.
 */
bool collect_kernel_log_parse(const char *record, size_t size,
                              struct record_killed *killed)
{
    static const char said[] = "Killed process ";
    struct format_scan t = format_scan_of(record, size);
    const char *found, *close;
    uint64_t priority, pid;
    size_t length;

    if (!format_scan_u64(&t, &priority) || priority >= KERNEL_BELOW)
        return false;
    found = memmem(record, size, said, sizeof said - 1);
    if (found == NULL)
        return false;
    found += sizeof said - 1;
    t = format_scan_of(found, size - (size_t)(found - record));
    if (!format_scan_u64(&t, &pid) || pid == 0 || pid > INT32_MAX ||
        !format_scan_skip(&t, " ("))
        return false;
    /* A name may hold brackets: it ends before what follows it, or at the last one. */
    length = size - (size_t)(t.at - record);
    close = memmem(t.at, length, ") total-vm", 10);
    if (close == NULL)
        close = memrchr(t.at, ')', length);
    if (close == NULL)
        return false;
    length = (size_t)(close - t.at);
    killed->pid = (int)pid;
    snprintf(killed->name, sizeof killed->name, "%.*s",
             (int)(length < sizeof killed->name ? length : sizeof killed->name - 1),
             t.at);
    return true;
}

int collect_kernel_log_open(const char *root)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/dev/kmsg", root == NULL ? "" : root);
    return open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct kernel_log *self = calloc(1, sizeof *self);

    (void)schema;
    (void)err;
    if (self == NULL)
        return VD_ERR_MEMORY;
    self->fd = config->kernel_log != 0 ? config->kernel_log
                                       : collect_kernel_log_open(config->root);
    /* What was said before the program began is no news. */
    if (self->fd >= 0)
        lseek(self->fd, 0, SEEK_END);
    *out = self;
    return VD_OK;
}

/* Reads the next record and returns its size, 0 when there is no new one. EPIPE says that
 * the kernel wrote over records that were not read; the read after it goes on behind
 * them. */
static size_t next_record(struct kernel_log *self)
{
    ssize_t n;

    do
        n = read(self->fd, self->record, sizeof self->record);
    while (n < 0 && (errno == EINTR || errno == EPIPE));
    return n > 0 ? (size_t)n : 0;
}

static enum vd_status read_log(void *context, struct record_sample *sample,
                               struct vd_error *err)
{
    struct kernel_log *self = context;
    size_t size;

    (void)err;
    sample->killed = self->killed;
    sample->n_killed = 0;
    sample->killed_known = self->fd >= 0;
    if (self->fd < 0)
        return VD_OK;
    /* Reading goes on when the list is full, or old kills would be told on later ticks.
     */
    for (int i = 0; i < RECORDS_MAX && (size = next_record(self)) > 0; i++)
        if (sample->n_killed < RECORD_KILLED_MAX &&
            collect_kernel_log_parse(self->record, size, &self->killed[sample->n_killed]))
            sample->n_killed++;
    return VD_OK;
}

static void destroy(void *context)
{
    struct kernel_log *self = context;

    if (self == NULL)
        return;
    if (self->fd >= 0)
        close(self->fd);
    free(self);
}

static const char *note(const void *context)
{
    const struct kernel_log *self = context;

    return self->fd >= 0 ? ""
                         : "the kernel's log may not be read: who is killed when memory "
                           "runs out is taken from the table of processes";
}

const struct collect_type collect_kernel_log = {
    .name = "kernel_log",
    .summary = "names of processes that the kernel killed",
    .create = create,
    .read = read_log,
    .destroy = destroy,
    .note = note,
};
