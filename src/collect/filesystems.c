/* How full file systems are. statvfs(2) of a mount whose server is gone blocks for ever
 * and cannot be interrupted, so it is called by a worker. When one call takes longer than
 * DEADLINE, the worker is left to it, that mount is set aside (NaN, and told as an
 * error), and another worker goes on with the rest. When the lost worker returns, its
 * mount is asked again. At most HUNG_MAX mounts can be lost that way at a time.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "collect/collectors.h"
#include "collect/file.h"
#include "collect/fill.h"
#include "collect/mounts.h"
#include "collect/worker.h"

#define GIB_OF_BYTE (1.0 / (1024 * 1024 * 1024))

enum { PERCENT, FREE, INODES, ROWS };

static const struct record_metric rows[ROWS] = {
    [PERCENT] = COLLECT_ROW_OF("mount", "filesystem_percent", "%", GAUGE, 1,
                               "Space in use, of what programs may have."),
    [FREE] = COLLECT_ROW_OF("mount", "filesystem_free_gb", "GB", GAUGE, GIB_OF_BYTE,
                            "Space that programs can still have."),
    [INODES] = COLLECT_ROW_OF("mount", "filesystem_inodes_percent", "%", GAUGE, 1,
                              "Files that exist, of all that can."),
};

enum { MOUNTS_MAX = 64, HUNG_MAX = 4 };

static const int64_t period_ns = 5000000000, deadline_ns = 2000000000;

struct filesystem {
    char point[256], source[256];
    double value[ROWS];
};

/* Belongs to the worker's thread while it runs, but for `asking` and the mount point it
 * leads to, which is not written again during a scan. */
struct scan {
    char root[COLLECT_PATH_MAX]; /* a copy: a hung thread outlives the configuration */
    struct collect_file mounts;
    struct collect_buffer buffer;
    struct filesystem fs[MOUNTS_MAX];
    size_t n;
    char skipped[HUNG_MAX][256]; /* mount points to leave alone */
    atomic_int asking;           /* index of the file system asked now; -1 = none */
};

struct shown {
    char point[RECORD_LABEL_MAX];
    size_t id[ROWS];
    double value[ROWS];
};

struct filesystem_collector {
    struct collect_config config;
    collect_worker *worker;
    struct scan *scan; /* the worker's context */
    bool waiting;      /* a scan was started and not taken yet */
    int64_t started_ns;
    struct shown shown[MOUNTS_MAX];
    size_t n;
    struct {
        collect_worker *worker; /* NULL = free slot */
        char point[256];
    } hung[HUNG_MAX];
};

/* ---- the work ---- */

static bool is_skipped(const struct scan *scan, const char *point)
{
    for (int i = 0; i < HUNG_MAX; i++)
        if (strcmp(scan->skipped[i], point) == 0)
            return true;
    return false;
}

/* The same device mounted again somewhere else (bind mounts) is as full there. */
static bool is_listed(const struct scan *scan, const struct collect_mount *mount)
{
    for (size_t i = 0; i < scan->n; i++)
        if (strcmp(scan->fs[i].source, mount->source) == 0 ||
            strcmp(scan->fs[i].point, mount->point) == 0)
            return true;
    return false;
}

static double share(double part, double whole)
{
    return whole > 0 && part >= 0 && part <= whole ? 100 * part / whole : NAN;
}

/* The percentage of df(1): what is reserved for root counts as neither. */
static void ask(struct scan *scan, struct filesystem *fs)
{
    char path[COLLECT_PATH_MAX];
    struct statvfs info;
    double used;
    int code;

    for (int i = 0; i < ROWS; i++)
        fs->value[i] = NAN;
    if (!collect_path(path, scan->root, fs->point, NULL))
        return;
    atomic_store(&scan->asking, (int)(fs - scan->fs));
    code = statvfs(path, &info);
    atomic_store(&scan->asking, -1);
    if (code != 0 || info.f_blocks == 0)
        return;
    used = (double)info.f_blocks - (double)info.f_bfree;
    fs->value[PERCENT] = share(used, used + (double)info.f_bavail);
    fs->value[FREE] = (double)info.f_bavail * (double)info.f_frsize;
    fs->value[INODES] =
        share((double)info.f_files - (double)info.f_ffree, (double)info.f_files);
}

static void work(void *context)
{
    struct scan *scan = context;
    struct collect_mount mount;
    struct collect_text t;

    scan->n = 0;
    if (collect_file_read(&scan->mounts, &scan->buffer, NULL) != VD_OK)
        return;
    t = collect_text_of(scan->buffer.at, scan->buffer.size);
    while (scan->n < MOUNTS_MAX && collect_mounts_next(&t, &mount)) {
        struct filesystem *fs = &scan->fs[scan->n];

        if (!collect_mount_is_storage(&mount) || is_listed(scan, &mount) ||
            is_skipped(scan, mount.point))
            continue;
        memcpy(fs->point, mount.point, sizeof fs->point);
        memcpy(fs->source, mount.source, sizeof fs->source);
        ask(scan, fs);
        scan->n++;
    }
}

static void free_scan(void *context)
{
    struct scan *scan = context;

    collect_file_release(&scan->mounts);
    collect_buffer_release(&scan->buffer);
    free(scan);
}

static enum vd_status make_worker(struct filesystem_collector *self)
{
    struct scan *scan = calloc(1, sizeof *scan);

    if (scan == NULL)
        return VD_ERR_MEMORY;
    atomic_store(&scan->asking, -1);
    if (self->config.root != NULL)
        snprintf(scan->root, sizeof scan->root, "%s", self->config.root);
    collect_file_init(&scan->mounts, self->config.root, "/proc/mounts");
    self->scan = scan;
    self->waiting = false;
    return collect_worker_new(&self->worker, work, free_scan, scan, self->config.threads);
}

/* ---- the tick's side ---- */

static struct shown *shown_of(struct filesystem_collector *self,
                              struct record_sample *sample, const char *point)
{
    struct shown *shown;

    for (size_t i = 0; i < self->n; i++)
        if (strncmp(self->shown[i].point, point, RECORD_LABEL_MAX - 1) == 0)
            return &self->shown[i];
    if (self->n == MOUNTS_MAX)
        return NULL;
    shown = &self->shown[self->n++];
    snprintf(shown->point, sizeof shown->point, "%s", point);
    collect_add_rows_now(sample, rows, ROWS, shown->point, shown->id);
    return shown;
}

static void take(struct filesystem_collector *self, struct record_sample *sample)
{
    for (size_t i = 0; i < self->n; i++)
        for (int k = 0; k < ROWS; k++)
            self->shown[i].value[k] = NAN;
    for (size_t i = 0; i < self->scan->n; i++) {
        struct shown *shown = shown_of(self, sample, self->scan->fs[i].point);

        if (shown != NULL)
            memcpy(shown->value, self->scan->fs[i].value, sizeof shown->value);
    }
    self->waiting = false;
}

/* Sets the mount that the worker hangs on aside, and the worker with it. False when there
 * are too many of them, or the worker is only slow in between. */
static bool set_aside(struct filesystem_collector *self)
{
    int slot = 0, asking = atomic_load(&self->scan->asking);

    while (slot < HUNG_MAX && self->hung[slot].worker != NULL)
        slot++;
    if (slot == HUNG_MAX || asking < 0)
        return false;
    memcpy(self->hung[slot].point, self->scan->fs[asking].point,
           sizeof self->hung[slot].point);
    self->hung[slot].worker = self->worker;
    self->worker = NULL;
    for (size_t i = 0; i < self->n; i++)
        if (strncmp(self->shown[i].point, self->hung[slot].point, RECORD_LABEL_MAX - 1) ==
            0)
            for (int k = 0; k < ROWS; k++)
                self->shown[i].value[k] = NAN;
    return true;
}

static enum vd_status check_hung(struct filesystem_collector *self, struct vd_error *err)
{
    enum vd_status status = VD_OK;

    for (int i = 0; i < HUNG_MAX; i++) {
        if (self->hung[i].worker == NULL)
            continue;
        if (!collect_worker_is_running(self->hung[i].worker)) {
            collect_worker_free(self->hung[i].worker);
            self->hung[i].worker = NULL;
            self->hung[i].point[0] = '\0';
            continue;
        }
        status =
            vd_error_set(err, VD_ERR_IO, "is its server or disk gone?",
                         "the file system at %s does not answer", self->hung[i].point);
    }
    return status;
}

static enum vd_status start(struct filesystem_collector *self, int64_t now)
{
    if (self->worker == NULL) {
        enum vd_status status = make_worker(self);

        if (status != VD_OK)
            return status;
    }
    for (int i = 0; i < HUNG_MAX; i++)
        memcpy(self->scan->skipped[i], self->hung[i].point, sizeof self->hung[i].point);
    self->started_ns = now;
    self->waiting = collect_worker_start(self->worker);
    return self->waiting ? VD_OK : VD_ERR_RETRY;
}

static enum vd_status read_filesystems(void *context, struct record_sample *sample,
                                       struct vd_error *err)
{
    struct filesystem_collector *self = context;
    int64_t age = sample->mono_ns - self->started_ns;
    bool running = self->waiting && collect_worker_is_running(self->worker);
    enum vd_status status;

    if (self->waiting && !running)
        take(self, sample);
    else if (running && age > deadline_ns && set_aside(self))
        running = self->waiting = false;
    status = check_hung(self, err);
    if (!running && (self->started_ns == 0 || age >= period_ns || self->worker == NULL)) {
        enum vd_status started = start(self, sample->mono_ns);

        status = status == VD_OK ? started : status;
        if (self->waiting && !self->config.threads)
            take(self, sample);
    }
    for (size_t i = 0; i < self->n; i++)
        for (int k = 0; k < ROWS; k++)
            collect_put(sample, self->shown[i].id[k], self->shown[i].value[k]);
    return status;
}

static void destroy(void *context)
{
    struct filesystem_collector *self = context;

    if (self == NULL)
        return;
    collect_worker_free(self->worker);
    for (int i = 0; i < HUNG_MAX; i++)
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
