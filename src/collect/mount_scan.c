/* Runs on a worker's thread. Walks the list of mounts, leaves out images, duplicates and
 * those that hung before, and asks the others one by one with statvfs(2); before each it
 * says which one, so that the collector knows whom to blame when no answer comes. */
#include "collect/mount_scan.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* What is said to be larger is made up: servers without an end say so. */
static const double BYTES_MAX = 1152921504606846976.0; /* 2^60 */

/* Tells whether asking this mount would hang as well: it hangs already, or waits for the
 * same server as one that does. */
static bool is_left_alone(const struct collect_mount_scan *scan,
                          const struct collect_mount *mount)
{
    for (int i = 0; i < COLLECT_HUNG_MAX; i++) {
        const struct collect_mount *hung = &scan->skipped[i];

        if (hung->point[0] != '\0' && (strcmp(hung->point, mount->point) == 0 ||
                                       collect_mount_same_server(hung, mount)))
            return true;
    }
    return false;
}

/* Returns the share in percent; NaN when it is none. Some file systems have 0 inodes, or
 * more free than there are. */
static double share(double part, double whole)
{
    return whole > 0 && part >= 0 && part <= whole ? 100 * part / whole : NAN;
}

/* Fills in what df(1) would show: space that is reserved for root is neither used nor
 * free. */
static void fill(struct collect_filesystem *fs, const struct statvfs *info)
{
    double used = (double)info->f_blocks - (double)info->f_bfree;
    double bytes = (double)info->f_blocks * (double)info->f_frsize;

    fs->answered = info->f_blocks > 0 && bytes < BYTES_MAX;
    if (!fs->answered)
        return;
    fs->value[COLLECT_MOUNT_PERCENT] = share(used, used + (double)info->f_bavail);
    if (info->f_bavail <= info->f_blocks)
        fs->value[COLLECT_MOUNT_FREE] = (double)info->f_bavail * (double)info->f_frsize;
    fs->value[COLLECT_MOUNT_INODES] =
        share((double)info->f_files - (double)info->f_ffree, (double)info->f_files);
}

/* Tells whether people would call the mount a file system. Single files that are mounted
 * into a container (hosts, resolv.conf) are none. What a server gives is one in any case
 * and is not asked, as stat(2) could hang. */
static bool is_meant(const struct collect_mount *mount, const char *path)
{
    struct stat info;

    return collect_mount_same_server(mount, mount) || stat(path, &info) != 0 ||
           S_ISDIR(info.st_mode);
}

/* Asks one mount. Its number stands in `asking` while the kernel may take its time, so
 * that the collector can name the mount when no answer comes. */
static void ask(struct collect_mount_scan *scan, struct collect_filesystem *fs)
{
    char path[COLLECT_PATH_MAX];
    struct statvfs info;
    int code;

    if (!collect_path(path, scan->root, fs->mount.point, NULL)) {
        scan->left_out++;
        return;
    }
    atomic_store(&scan->asking, (int)(fs - scan->fs));
    code = statvfs(path, &info);
    if (code == 0 && is_meant(&fs->mount, path))
        fill(fs, &info);
    atomic_store(&scan->asking, -1);
    /* What this user may not see, or has just gone, is no news. */
    if (code == 0 || errno == ENOENT || errno == EACCES || errno == EPERM)
        return;
    scan->broken_errno = errno;
    memcpy(scan->broken, fs->mount.point, sizeof scan->broken);
}

static bool has_room(struct collect_mount_scan *scan)
{
    size_t capacity = scan->capacity == 0 ? 8 : scan->capacity * 2;
    struct collect_filesystem *fs;

    if (scan->n < scan->capacity)
        return true;
    fs = scan->n < COLLECT_MOUNTS_MAX ? realloc(scan->fs, capacity * sizeof *fs) : NULL;
    if (fs == NULL)
        return false;
    scan->fs = fs;
    scan->capacity = capacity;
    return true;
}

/* Removes what a later mount covers: its path leads to the later one now. */
static void remove_hidden(struct collect_mount_scan *scan,
                          const struct collect_mount *later)
{
    size_t kept = 0;

    for (size_t i = 0; i < scan->n; i++)
        if (!collect_mount_hides(later, &scan->fs[i].mount) && kept++ != i)
            scan->fs[kept - 1] = scan->fs[i];
    scan->n = kept;
}

/* Lists the mounts in the kernel's order. Also those that are no storage can hide earlier
 * ones. */
static void list(struct collect_mount_scan *scan)
{
    struct format_scan t = format_scan_of(scan->buffer.at, scan->buffer.size);
    struct collect_mount mount;

    while (collect_mounts_next(&t, &mount, &scan->left_out)) {
        remove_hidden(scan, &mount);
        if (!collect_mount_is_storage(&mount))
            continue;
        if (!has_room(scan)) {
            scan->left_out++;
            continue;
        }
        scan->fs[scan->n++] =
            (struct collect_filesystem){.mount = mount, .value = {NAN, NAN, NAN}};
    }
}

/* Tells whether the same disk was asked at another mount: it is as full there. The root
 * is asked before all others; of the rest, the first one speaks for the disk. */
static bool is_shown_elsewhere(const struct collect_mount_scan *scan, size_t i)
{
    for (size_t k = 0; k < scan->n; k++)
        if (k != i && scan->fs[k].answered &&
            collect_mount_is_same(&scan->fs[k].mount, &scan->fs[i].mount))
            return true;
    return false;
}

static void ask_all(struct collect_mount_scan *scan, bool roots)
{
    for (size_t i = 0; i < scan->n; i++) {
        struct collect_filesystem *fs = &scan->fs[i];

        if ((strcmp(fs->mount.point, "/") == 0) == roots &&
            !is_left_alone(scan, &fs->mount) && !is_shown_elsewhere(scan, i))
            ask(scan, fs);
    }
}

void collect_mount_scan(void *context)
{
    struct collect_mount_scan *scan = context;

    scan->n = scan->left_out = 0;
    scan->broken_errno = 0;
    scan->unread = collect_file_read(&scan->mounts, &scan->buffer, NULL) != VD_OK;
    if (scan->unread)
        return;
    list(scan);
    ask_all(scan, true);
    ask_all(scan, false);
}

struct collect_mount_scan *collect_mount_scan_new(const char *root)
{
    struct collect_mount_scan *scan = calloc(1, sizeof *scan);

    if (scan == NULL)
        return NULL;
    atomic_store(&scan->asking, -1);
    if (root != NULL)
        snprintf(scan->root, sizeof scan->root, "%s", root);
    collect_file_init(&scan->mounts, root, "/proc/mounts");
    return scan;
}

void collect_mount_scan_free(void *context)
{
    struct collect_mount_scan *scan = context;

    collect_file_release(&scan->mounts);
    collect_buffer_release(&scan->buffer);
    free(scan->fs);
    free(scan);
}
