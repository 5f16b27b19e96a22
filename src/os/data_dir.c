/* The checks stand before each open, and again behind it on what was opened: the folder
 * belongs to us and nobody else may write to it, so that only we could change a name in
 * between, and a link is not followed even then (O_NOFOLLOW).
 */
#include "os/data_dir.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- the folder ---- */

/* Makes the folder (0700) and those above it that are not there. */
static enum vd_status make(const char *path, struct vd_error *err)
{
    char part[PATH_MAX];

    snprintf(part, sizeof part, "%s", path);
    for (char *at = part + 1; *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        /* That a folder above may not be made is no matter where it exists; if it does
         * not, the last mkdir fails and tells. */
        if (mkdir(part, 0755) != 0 && errno != EEXIST && errno != EROFS &&
            errno != EACCES && errno != EPERM)
            break;
        *at = '/';
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return vd_error_set(err, VD_ERR_IO, "choose another data directory",
                            "cannot create %s: %s", path, strerror(errno));
    return VD_OK;
}

/* Refuses a link that belongs to another user, since its owner decides where it leads.
 * Links of root and our own are followed. */
static enum vd_status check_link(const char *path, struct vd_error *err)
{
    struct stat link;

    if (lstat(path, &link) == 0 && S_ISLNK(link.st_mode) && link.st_uid != 0 &&
        link.st_uid != geteuid())
        return vd_error_set(err, VD_ERR_IO, "name the folder itself",
                            "%s is a link that belongs to user %u: it is not followed",
                            path, (unsigned)link.st_uid);
    return VD_OK;
}

/* Tells whether the folder is used by us alone: it is empty, or has a file in it that
 * only we make. */
static bool is_for_us_alone(const struct os_data_dir *dir)
{
    int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    bool empty = list != NULL;

    while (empty) {
        const struct dirent *entry = readdir(list);

        if (entry == NULL)
            break;
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    if (list != NULL)
        closedir(list);
    else if (fd >= 0)
        close(fd);
    return empty || faccessat(dir->fd, "vedette.lock", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
           faccessat(dir->fd, "vedette.db", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Checks whose the folder is, and who may write to it. One that is ours alone is closed
 * to others. A folder with other things in it keeps its mode: the files of ours in it are
 * closed to others all the same. */
static enum vd_status check_folder(struct os_data_dir *dir, struct vd_error *err)
{
    struct stat info;

    if (fstat(dir->fd, &info) != 0)
        return vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", dir->path, strerror(errno));
    dir->owner = info.st_uid;
    dir->device = info.st_dev;
    dir->inode = info.st_ino;
    if (info.st_uid != geteuid() && (dir->ours || geteuid() != 0))
        return vd_error_set(err, VD_ERR_IO,
                            "run it as that user, or choose another data directory",
                            "%s belongs to user %u, and this is user %u: it is not used",
                            dir->path, (unsigned)info.st_uid, (unsigned)geteuid());
    if ((info.st_mode & 022) != 0)
        return vd_error_set(err, VD_ERR_IO, "chmod go-w it, or choose another one",
                            "others may write to %s (mode %03o): it is not used",
                            dir->path, (unsigned)info.st_mode & 07777);
    if (dir->ours && (info.st_mode & 077) != 0 && is_for_us_alone(dir))
        fchmod(dir->fd, 0700);
    return VD_OK;
}

/* Takes an open folder over, or says why it could not be opened. The checks are made on
 * the descriptor: the path could lead elsewhere by now. */
static enum vd_status adopt(struct os_data_dir *dir, int fd, struct vd_error *err)
{
    enum vd_status status;

    if (fd < 0 && errno == ENOENT)
        return vd_error_set(err, VD_ERR_IO, NULL,
                            "cannot read %s: there is no such folder", dir->path);
    if (fd < 0)
        return vd_error_set(err, VD_ERR_IO, "choose another data directory",
                            "cannot open the folder %s: %s", dir->path,
                            errno == ELOOP ? "it is a link" : strerror(errno));
    dir->fd = fd;
    status = check_folder(dir, err);
    if (status != VD_OK)
        os_data_dir_close(dir);
    return status;
}

enum vd_status os_data_dir_open(struct os_data_dir *dir, const char *path,
                                enum os_data_dir_use use, struct vd_error *err)
{
    enum vd_status status = VD_OK;
    size_t length = path == NULL ? 0 : strlen(path);

    *dir = OS_DATA_DIR_CLOSED;
    dir->ours = use == OS_DATA_DIR_WRITE;
    if (length == 0 || length >= sizeof dir->path - 64)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "no usable data directory");
    while (length > 1 && path[length - 1] == '/')
        length--;
    snprintf(dir->path, sizeof dir->path, "%.*s", (int)length, path);
    status = check_link(dir->path, err);
    if (status == VD_OK && dir->ours)
        status = make(dir->path, err);
    if (status == VD_OK)
        status = adopt(dir, open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err);
    return status;
}

enum vd_status os_data_dir_below(struct os_data_dir *below, const struct os_data_dir *dir,
                                 const char *name, struct vd_error *err)
{
    assert(dir->fd >= 0 && strchr(name, '/') == NULL);
    *below = OS_DATA_DIR_CLOSED;
    below->ours = dir->ours;
    snprintf(below->path, sizeof below->path, "%.*s/%s",
             (int)(sizeof below->path - NAME_MAX - 2), dir->path, name);
    if (below->ours && mkdirat(dir->fd, name, 0700) != 0 && errno != EEXIST)
        return vd_error_set(err, VD_ERR_IO, NULL, "cannot create %s: %s", below->path,
                            strerror(errno));
    return adopt(below,
                 openat(dir->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
                 err);
}

void os_data_dir_close(struct os_data_dir *dir)
{
    if (dir->fd >= 0)
        close(dir->fd);
    dir->fd = -1;
}

/* Compares what is open with what has the name now. A removed folder can still be written
 * to by its descriptor, which nobody would ever see. */
enum vd_status os_data_dir_is_there(const struct os_data_dir *dir, struct vd_error *err)
{
    struct stat open_one, named;

    if (fstat(dir->fd, &open_one) != 0 || open_one.st_nlink == 0)
        return vd_error_set(err, VD_ERR_UNAVAILABLE, "start vedette again",
                            "%s was removed", dir->path);
    if (stat(dir->path, &named) != 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            return VD_OK; /* a parent that may not be searched: nothing is known */
        return vd_error_set(err, VD_ERR_UNAVAILABLE,
                            "put it back, or start vedette again", "%s was moved away",
                            dir->path);
    }
    if (named.st_dev != dir->device || named.st_ino != dir->inode)
        return vd_error_set(err, VD_ERR_UNAVAILABLE,
                            "put it back, or start vedette again",
                            "%s was replaced by another folder", dir->path);
    return VD_OK;
}

/* ---- a file ---- */

/* Says why a file is not used. It is never removed by us: it may be somebody's. */
static enum vd_status refuse(const struct os_data_dir *dir, const char *name,
                             const char *why, struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_IO, "remove it, or choose another data directory",
                        "%s/%s %s: it is not touched", dir->path, name, why);
}

/* Refuses everything but a regular file of the folder's owner with one name: a second
 * name could lie where others read it, or be another file that must not be changed. */
static enum vd_status check_file(const struct os_data_dir *dir, const char *name,
                                 const struct stat *info, struct vd_error *err)
{
    char why[64];

    if (!S_ISREG(info->st_mode))
        return refuse(dir, name,
                      S_ISLNK(info->st_mode)    ? "is a link"
                      : S_ISDIR(info->st_mode)  ? "is a folder"
                      : S_ISFIFO(info->st_mode) ? "is a pipe"
                      : S_ISSOCK(info->st_mode) ? "is a socket"
                                                : "is a device",
                      err);
    if (info->st_uid != dir->owner) {
        snprintf(why, sizeof why, "belongs to user %u, not to %u", (unsigned)info->st_uid,
                 (unsigned)dir->owner);
        return refuse(dir, name, why, err);
    }
    if (info->st_nlink > 1)
        return refuse(dir, name, "has a second name (a hard link)", err);
    return VD_OK;
}

enum vd_status os_data_dir_look(const struct os_data_dir *dir, const char *name,
                                struct stat *info, struct vd_error *err)
{
    struct stat found;

    assert(dir->fd >= 0);
    if (fstatat(dir->fd, name, &found, AT_SYMLINK_NOFOLLOW) != 0)
        return vd_error_set(err, errno == ENOENT ? VD_ERR_DATA : VD_ERR_IO, NULL,
                            "%s/%s: %s", dir->path, name, strerror(errno));
    if (info != NULL)
        *info = found;
    return check_file(dir, name, &found, err);
}

/* O_NONBLOCK: a pipe that was put there between the check and the opening must not stop
 * us. */
int os_data_dir_file(const struct os_data_dir *dir, const char *name, int flags,
                     struct vd_error *err)
{
    enum vd_status status = os_data_dir_look(dir, name, NULL, NULL);
    struct stat info;
    int fd, error;

    /* A file that is refused has no errno of its own; this is one that no waiting cures.
     */
    errno = ELOOP;
    if (status == VD_ERR_IO) {
        os_data_dir_look(dir, name, NULL, err);
        return -1;
    }
    fd = openat(dir->fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                0600);
    if (fd < 0 || fstat(fd, &info) != 0) {
        error = errno;
        vd_error_set(err, VD_ERR_IO, NULL, "cannot open %s/%s: %s", dir->path, name,
                     strerror(error));
    } else if (check_file(dir, name, &info, err) != VD_OK) {
        error = ELOOP;
    } else {
        if (dir->ours && (info.st_mode & 077) != 0)
            fchmod(fd, 0600);
        return fd;
    }
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

bool os_data_dir_holds(const struct os_data_dir *dir, const char *name, int fd)
{
    struct stat named, open_one;

    return fstat(fd, &open_one) == 0 &&
           fstatat(dir->fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           named.st_dev == open_one.st_dev && named.st_ino == open_one.st_ino;
}

/* Leads through the descriptor, so that it stays right when the folder is moved. */
void os_data_dir_path(const struct os_data_dir *dir, const char *name, char *out,
                      size_t size)
{
    snprintf(out, size, "/proc/self/fd/%d/./%s", dir->fd, name);
}
