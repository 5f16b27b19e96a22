/* Two locks, one after the other: the directory, which cannot be removed and made again
 * behind our back as a file can, and the file with our pid. A file system that cannot
 * lock a directory (NFS) leaves the second alone to hold.
 */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char lock_file[] = "vedette.lock";

/* Reads "4242\n127.0.0.1:5000\n": returns the pid, and gives the second line in `address`
 * when that is not NULL. -1 when there is no pid in the file. */
static int read_owner(const struct os_data_dir *dir, char *address, size_t size)
{
    int fd = os_data_dir_file(dir, lock_file, O_RDONLY, NULL);
    char text[128] = "";
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
    const char *line;
    int pid;

    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    line = strchr(text, '\n');
    if (address != NULL)
        snprintf(address, size, "%.*s", line == NULL ? 0 : (int)strcspn(line + 1, "\n"),
                 line == NULL ? "" : line + 1);
    pid = atoi(text);
    return pid > 0 ? pid : -1;
}

/* Writes who holds the lock, for people and `vedette` commands to read. The lock holds
 * without it, also on a full disk, so callers may ignore a failure. */
static bool write_owner(int fd, const char *address)
{
    char text[128];
    int n = snprintf(text, sizeof text, "%ld\n%.100s%s", (long)getpid(), address,
                     *address == '\0' ? "" : "\n");

    return ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) == n;
}

void store_lock_announce(int fd, const char *address)
{
    write_owner(fd, address);
}

/* Locks the directory; returns 0, or the errno that says why there is no lock. A lock
 * that this file system does not know counts as taken: the one on the file must do. */
static int lock_directory(int fd, int how)
{
    if (flock(fd, how | LOCK_NB) == 0 || errno == EBADF || errno == EOPNOTSUPP ||
        errno == ENOLCK || errno == EINVAL)
        return 0;
    return errno;
}

/* Says who uses the directory, as far as that one wrote it down. */
static enum vd_status in_use(const struct os_data_dir *dir, struct vd_error *err)
{
    static const char hint[] = "stop that one, or give this one another data directory";
    int pid = read_owner(dir, NULL, 0);

    if (pid < 0)
        return vd_error_set(err, VD_ERR_BUSY, hint, "another vedette uses %s", dir->path);
    return vd_error_set(err, VD_ERR_BUSY, hint, "another vedette (pid %d) uses %s", pid,
                        dir->path);
}

/* The lock on the directory goes when its descriptor is closed, so a failure further down
 * has nothing to undo. */
enum vd_status store_lock_take(const struct os_data_dir *dir, int *fd,
                               struct vd_error *err)
{
    enum vd_status status;
    int error = lock_directory(dir->fd, LOCK_EX);

    *fd = -1;
    if (error == EWOULDBLOCK)
        return in_use(dir, err);
    if (error != 0)
        return vd_error_set(err, VD_ERR_IO, NULL, "cannot lock %s: %s", dir->path,
                            strerror(error));
    *fd = os_data_dir_file(dir, lock_file, O_RDWR | O_CREAT, err);
    if (*fd < 0)
        return VD_ERR_IO;
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0) {
        write_owner(*fd, "");
        return VD_OK;
    }
    status = errno == EWOULDBLOCK
                 ? in_use(dir, err)
                 : vd_error_set(err, VD_ERR_IO, NULL, "cannot lock %s/%s: %s", dir->path,
                                lock_file, strerror(errno));
    store_lock_release(*fd);
    *fd = -1;
    return status;
}

void store_lock_release(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* Tells whether somebody holds what `fd` is, and closes it. It asks by a shared lock, so
 * that two who ask do not take each other for the owner; closing lets the lock go. */
static bool is_held(int fd)
{
    bool held;

    if (fd < 0)
        return false;
    held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return held;
}

/* Asks the locks and not the file: its pid may be that of a program which was killed. */
int store_lock_owner(const struct os_data_dir *dir, char *address, size_t size)
{
    if (address != NULL)
        *address = '\0';
    if (is_held(openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) ||
        is_held(os_data_dir_file(dir, lock_file, O_RDONLY, NULL)))
        return read_owner(dir, address, size);
    return 0;
}
