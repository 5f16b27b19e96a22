/* How full file systems are. A worker looks at all of them (collect/mount_scan.h). When
 * one does not answer within DEADLINE, the worker is left to it, that mount is set aside
 * (NaN, and told as an error), and another worker goes on with the rest. When the lost
 * worker returns, its mount is asked again. What waits for the same server is left alone
 * meanwhile, so a dead server costs one worker.
 *
 * Of more mounts than can have metrics, the fullest have them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "collect/collectors.h"
#include "collect/fill.h"
#include "collect/mount_scan.h"
#include "collect/worker.h"

#define GIB_OF_BYTE (1.0 / (1024 * 1024 * 1024))

enum { ROWS = COLLECT_MOUNT_ROWS, PERCENT = COLLECT_MOUNT_PERCENT };

static const struct record_metric rows[ROWS] = {
    [COLLECT_MOUNT_PERCENT] =
        COLLECT_ROW_OF("mount", "filesystem_percent", "%", DISK, 2, GAUGE, 1,
                       "Space in use, of what programs may have.", .fills = true),
    [COLLECT_MOUNT_FREE] = COLLECT_ROW_OF(
        "mount", "filesystem_free_gb", "GB", DISK, 0.1, GAUGE, GIB_OF_BYTE,
        "Space that programs can still have.", .less_is_worse = true, .fills = true),
    [COLLECT_MOUNT_INODES] =
        COLLECT_ROW_OF("mount", "filesystem_inodes_percent", "%", DISK, 2, GAUGE, 1,
                       "Files that exist, of all that can.", .fills = true),
};

/* Mounts with metrics: hosts of containers have thousands, and all metrics share one
 * table. */
enum { SHOWN_MAX = 64 };

/* Space fills up slowly, so it is asked for every five seconds. A file system that works
 * answers within milliseconds; two seconds also forgive a busy disk. */
static const int64_t period_ns = 5000000000, deadline_ns = 2000000000;

/* In percent of the space: a mount must be fuller than another by so much to take its
 * place, or two that are about as full would change places all the time. */
static const double FULLER = 5;

/* A mount that has metrics, and what the scan taken last said of it. */
struct shown {
    char point[sizeof((struct collect_mount *)0)->point];
    bool listed; /* in the scan that is being taken */
    size_t id[ROWS];
    double value[ROWS];
};

struct filesystem_collector {
    struct collect_config config;
    collect_worker *worker;
    struct collect_mount_scan *scan; /* the worker's context */
    bool waiting;                    /* a scan was started and not taken yet */
    int64_t started_ns;
    struct shown shown[SHOWN_MAX];
    size_t n;
    /* of the scan taken last */
    size_t left_out;
    int broken_errno;
    char broken[sizeof((struct collect_mount *)0)->point];
    struct {
        collect_worker *worker; /* NULL = free slot */
        struct collect_mount mount;
    } hung[COLLECT_HUNG_MAX];
};

/* Makes a worker with a scan of its own: one that hangs keeps its scan, so nothing of it
 * may be used again. */
static enum vd_status make_worker(struct filesystem_collector *self)
{
    self->waiting = false;
    self->scan = collect_mount_scan_new(self->config.root);
    if (self->scan == NULL)
        return VD_ERR_MEMORY;
    return collect_worker_new(&self->worker, collect_mount_scan, collect_mount_scan_free,
                              self->scan, self->config.threads);
}

/* ---- which mounts have metrics ---- */

static struct shown *find_shown(struct filesystem_collector *self, const char *point)
{
    for (size_t i = 0; i < self->n; i++)
        if (strcmp(self->shown[i].point, point) == 0)
            return &self->shown[i];
    return NULL;
}

static void remove_shown(struct filesystem_collector *self, struct record_schema *schema,
                         size_t i)
{
    collect_hide(schema, self->shown[i].id, ROWS);
    self->shown[i] = self->shown[--self->n];
}

/* Gives the mount metrics; false when the places or the schema are full. */
static bool add_shown(struct filesystem_collector *self, struct record_sample *sample,
                      const struct collect_filesystem *fs)
{
    struct shown *shown = &self->shown[self->n];

    if (self->n == SHOWN_MAX ||
        !collect_show(sample, rows, ROWS, fs->mount.point, shown->id))
        return false;
    memcpy(shown->point, fs->mount.point, sizeof shown->point);
    memcpy(shown->value, fs->value, sizeof shown->value);
    shown->listed = true;
    self->n++;
    return true;
}

/* Finds the least full mount that is shown, SIZE_MAX when there is none. The root is
 * never taken. */
static size_t least_full(const struct filesystem_collector *self)
{
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < self->n; i++)
        if (strcmp(self->shown[i].point, "/") != 0 &&
            (least == SIZE_MAX ||
             self->shown[i].value[PERCENT] < self->shown[least].value[PERCENT]))
            least = i;
    return least;
}

/* Gives the mount metrics, in the place of the least full one if there is no room; false
 * when it gets none. The root need not be fuller than the one that it replaces. */
static bool make_place(struct filesystem_collector *self, struct record_sample *sample,
                       const struct collect_filesystem *fs)
{
    size_t least;

    if (add_shown(self, sample, fs))
        return true;
    least = least_full(self);
    if (least == SIZE_MAX)
        return false;
    if (strcmp(fs->mount.point, "/") != 0 &&
        !(fs->value[PERCENT] > self->shown[least].value[PERCENT] + FULLER))
        return false;
    remove_shown(self, sample->schema, least);
    return add_shown(self, sample, fs);
}

static void forget_values(struct shown *shown)
{
    shown->listed = false;
    for (int k = 0; k < ROWS; k++)
        shown->value[k] = NAN;
}

/* Takes over the scan that has ended. A mount that is not listed any more gives its
 * metrics back; but when the list itself could not be read, nobody knows what is gone. */
static void take(struct filesystem_collector *self, struct record_sample *sample)
{
    const struct collect_mount_scan *scan = self->scan;

    self->waiting = false;
    self->left_out = scan->left_out;
    self->broken_errno = scan->broken_errno;
    memcpy(self->broken, scan->broken, sizeof self->broken);
    for (size_t i = 0; i < self->n; i++)
        forget_values(&self->shown[i]);
    for (size_t i = 0; i < scan->n; i++) {
        struct shown *shown = find_shown(self, scan->fs[i].mount.point);

        if (shown == NULL)
            continue;
        shown->listed = true;
        memcpy(shown->value, scan->fs[i].value, sizeof shown->value);
    }
    for (size_t i = self->n; i-- > 0;)
        if (!self->shown[i].listed && !scan->unread)
            remove_shown(self, sample->schema, i);
    for (size_t i = 0; i < scan->n; i++)
        if (scan->fs[i].answered && find_shown(self, scan->fs[i].mount.point) == NULL)
            self->left_out += !make_place(self, sample, &scan->fs[i]);
}

/* ---- mounts that do not answer ---- */

/* Sets the mount aside that the worker hangs on, and the worker with it. False when so
 * many hang already that there is no place left, or when the worker is between two mounts
 * and only slow. */
static bool set_aside(struct filesystem_collector *self)
{
    int slot = 0, asking = atomic_load(&self->scan->asking);
    struct shown *shown;

    while (slot < COLLECT_HUNG_MAX && self->hung[slot].worker != NULL)
        slot++;
    if (slot == COLLECT_HUNG_MAX || asking < 0)
        return false;
    self->hung[slot].mount = self->scan->fs[asking].mount;
    self->hung[slot].worker = self->worker;
    self->worker = NULL;
    shown = find_shown(self, self->hung[slot].mount.point);
    if (shown != NULL)
        forget_values(shown);
    return true;
}

/* Frees the workers that came back from their mounts, which lets those be asked again,
 * and tells of a mount that still does not answer. */
static enum vd_status check_hung(struct filesystem_collector *self, struct vd_error *err)
{
    enum vd_status status = VD_OK;

    for (int i = 0; i < COLLECT_HUNG_MAX; i++) {
        if (self->hung[i].worker == NULL)
            continue;
        if (!collect_worker_is_running(self->hung[i].worker)) {
            collect_worker_free(self->hung[i].worker);
            self->hung[i].worker = NULL;
            self->hung[i].mount.point[0] = '\0';
            continue;
        }
        status = vd_error_set(err, VD_ERR_IO, "is its server or disk gone?",
                              "the file system at %s does not answer",
                              self->hung[i].mount.point);
    }
    return status;
}

/* Forgets all numbers when the worker hangs and cannot be replaced: they would grow old
 * unnoticed. */
static enum vd_status give_up(struct filesystem_collector *self, struct vd_error *err)
{
    for (size_t i = 0; i < self->n; i++)
        forget_values(&self->shown[i]);
    return vd_error_set(err, VD_ERR_LIMIT, NULL,
                        "too many file systems do not answer: none is read now");
}

/* ---- the tick ---- */

static enum vd_status start(struct filesystem_collector *self, int64_t now)
{
    if (self->worker == NULL) {
        enum vd_status status = make_worker(self);

        if (status != VD_OK)
            return status;
    }
    for (int i = 0; i < COLLECT_HUNG_MAX; i++)
        self->scan->skipped[i] = self->hung[i].mount;
    self->started_ns = now;
    self->waiting = collect_worker_start(self->worker);
    return self->waiting ? VD_OK : VD_ERR_RETRY;
}

/* Tells what went wrong in the last scan: first a file system that is broken, then those
 * that have no metrics. */
static enum vd_status complain(const struct filesystem_collector *self,
                               struct vd_error *err)
{
    if (self->broken_errno != 0)
        return vd_error_set(err, VD_ERR_IO, NULL, "the file system at %s: %s",
                            self->broken, strerror(self->broken_errno));
    return collect_left_out(err, "file systems", self->left_out);
}

/* Takes a scan that has ended, sets aside a mount that hangs, and starts the next scan,
 * all without waiting: statvfs(2) on a dead server may never return. */
static enum vd_status read_filesystems(void *context, struct record_sample *sample,
                                       struct vd_error *err)
{
    struct filesystem_collector *self = context;
    int64_t age = sample->mono_ns - self->started_ns;
    bool running = self->waiting && collect_worker_is_running(self->worker);
    enum vd_status status, other = VD_OK;

    if (self->waiting && !running)
        take(self, sample);
    else if (running && age > deadline_ns && set_aside(self))
        running = self->waiting = false;
    status = check_hung(self, err);
    /* The worker hangs, and could not be set aside for two rounds. */
    if (running && age > 2 * (period_ns + deadline_ns))
        other = give_up(self, err);
    if (!running && (self->started_ns == 0 || age >= period_ns || self->worker == NULL)) {
        other = start(self, sample->mono_ns);
        if (self->waiting && !self->config.threads)
            take(self, sample);
    }
    if (status == VD_OK)
        status = other;
    for (size_t i = 0; i < self->n; i++)
        for (int k = 0; k < ROWS; k++)
            collect_put(sample, self->shown[i].id[k], self->shown[i].value[k]);
    return status == VD_OK ? complain(self, err) : status;
}

static void destroy(void *context)
{
    struct filesystem_collector *self = context;

    if (self == NULL)
        return;
    collect_worker_free(self->worker);
    for (int i = 0; i < COLLECT_HUNG_MAX; i++)
        collect_worker_free(self->hung[i].worker);
    free(self);
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct filesystem_collector *self = calloc(1, sizeof *self);

    (void)schema;
    (void)err;
    if (self == NULL)
        return VD_ERR_MEMORY;
    self->config = *config;
    if (make_worker(self) != VD_OK) {
        destroy(self);
        return VD_ERR_MEMORY;
    }
    *out = self;
    return VD_OK;
}

const struct collect_type collect_filesystems = {
    .name = "filesystems",
    .summary = "space and files used on disks and servers",
    .rows = {COLLECT_TABLE(rows)},
    .create = create,
    .read = read_filesystems,
    .destroy = destroy,
};
