/* Writing beside and renaming: a reader sees the old file or the new one. */
#include "os/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum vd_status failed(const char *path, struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", path, strerror(errno));
}

/* Finds where `path` leads, whether a file is there or not, so that the new file is
 * written beside the old one and not beside a link to it. False, with errno, for a link
 * to nothing. */
static bool resolve(const char *path, char out[PATH_MAX])
{
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    char folder[PATH_MAX];
    struct stat link;
    size_t used;

    if (realpath(path, out) != NULL)
        return true;
    if (errno != ENOENT || lstat(path, &link) == 0)
        return false;
    snprintf(folder, sizeof folder, "%.*s.", (int)(name - path), path);
    if (realpath(folder, out) == NULL)
        return false;
    used = strlen(out);
    errno = ENAMETOOLONG;
    return snprintf(out + used, PATH_MAX - used, "/%s", name) < (int)(PATH_MAX - used);
}

/* Opens what is there and no regular file: a pipe or device is written to directly, as
 * there is nothing to rename over. */
static enum vd_status open_stream(struct os_output *out, const char *path, mode_t mode,
                                  enum os_output_rule rule, struct vd_error *err)
{
    errno = EISDIR;
    if (S_ISDIR(mode))
        return failed(path, err);
    if (rule != OS_OUTPUT_ANY || !(S_ISFIFO(mode) || S_ISCHR(mode)))
        return vd_error_set(err, VD_ERR_IO, "name a file",
                            "%s: it is no regular file, and is not replaced", path);
    snprintf(out->path, sizeof out->path, "%s", path);
    out->file = fopen(path, "we");
    return out->file == NULL ? failed(path, err) : VD_OK;
}

/* Makes the file that is written beside. One that was left behind, or a link that someone
 * put there, is removed and not written to. `old` is the file to be replaced, NULL when
 * there is none: what its group may do is for that group alone. */
static bool open_part(struct os_output *out, const struct stat *old)
{
    int fd;

    unlink(out->part);
    fd = open(out->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return false;
    if (old != NULL) {
        bool same = fchown(fd, old->st_uid, old->st_gid) == 0;

        fchmod(fd, old->st_mode & (same ? 0777 : 0707));
    }
    out->file = fdopen(fd, "w");
    if (out->file == NULL)
        close(fd);
    return out->file != NULL;
}

enum vd_status os_output_open_as(struct os_output *out, const char *path,
                                 enum os_output_rule rule, struct vd_error *err)
{
    struct stat old;
    bool there = stat(path, &old) == 0;

    *out = (struct os_output){0};
    if (there && rule == OS_OUTPUT_NEW)
        return vd_error_set(err, VD_ERR_IO, "name another file, or give --force",
                            "%s: %s", path, strerror(EEXIST));
    if (there && !S_ISREG(old.st_mode))
        return open_stream(out, path, old.st_mode, rule, err);
    if (!resolve(path, out->path))
        return failed(path, err);
    /* The pid keeps two programs apart that write the same file; the last one wins. */
    snprintf(out->part, sizeof out->part, "%s.%ld.part", out->path, (long)getpid());
    if (open_part(out, there ? &old : NULL))
        return VD_OK;
    failed(path, err);
    os_output_drop(out);
    return VD_ERR_IO;
}

enum vd_status os_output_open(struct os_output *out, const char *path,
                              struct vd_error *err)
{
    return os_output_open_as(out, path, OS_OUTPUT_ANY, err);
}

/* Tells whether all that was written is on the disk; false with errno. */
static bool has_reached_disk(const struct os_output *out)
{
    errno = EIO; /* of a write that failed long ago nothing else may be known */
    return fflush(out->file) == 0 && !ferror(out->file) &&
           (*out->part == '\0' || fsync(fileno(out->file)) == 0);
}

/* Renames only when all files are on the disk, so that a full disk replaces none of them.
 */
enum vd_status os_output_commit(struct os_output *out, size_t n, struct vd_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!has_reached_disk(&out[i]))
            return failed(out[i].path, err);
    for (size_t i = 0; i < n; i++) {
        if (*out[i].part != '\0' && rename(out[i].part, out[i].path) != 0)
            return failed(out[i].path, err);
        *out[i].part = '\0';
    }
    return VD_OK;
}

enum vd_status os_output_close(struct os_output *out, struct vd_error *err)
{
    enum vd_status status;

    if (out->file == NULL)
        return VD_OK;
    status = os_output_commit(out, 1, err);
    os_output_drop(out);
    return status;
}

/* Throws away what was written and not committed; calling it again does nothing. */
void os_output_drop(struct os_output *out)
{
    if (out->file != NULL)
        fclose(out->file);
    if (*out->part != '\0')
        unlink(out->part);
    *out = (struct os_output){0};
}

/* Makes every folder on the way to `path`, and itself. It cuts the path in place for
 * that, and leaves it cut after a failure. */
static bool make_all(char *path)
{
    for (char *end = path; *end != '\0';) {
        char cut;

        end += 1 + strcspn(end + 1, "/");
        cut = *end;
        *end = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return false;
        *end = cut;
    }
    return true;
}

enum vd_status os_folder_make(const char *path, struct vd_error *err)
{
    char *copy = strdup(path);
    struct stat info;
    bool good;

    if (copy == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for a path");
    good = make_all(copy) && stat(path, &info) == 0;
    free(copy);
    if (good && !S_ISDIR(info.st_mode)) {
        errno = ENOTDIR;
        good = false;
    }
    return good && access(path, W_OK | X_OK) == 0 ? VD_OK : failed(path, err);
}
