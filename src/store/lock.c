#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum vd_status store_lock_directory(const char *dir, struct vd_error *err)
{
    char path[PATH_MAX];

    if (dir == NULL || dir[0] == '\0' || strlen(dir) >= sizeof path - 64)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "no usable data directory");
    snprintf(path, sizeof path, "%s", dir);
    for (char *at = path + 1; *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST && errno != EROFS &&
            errno != EACCES)
            break;
        *at = '/';
    }
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return vd_error_set(err, VD_ERR_IO, "choose another data directory",
                            "cannot create %s: %s", dir, strerror(errno));
    return VD_OK;
}

/* "4242\n127.0.0.1:5000\n": the pid and, in `address` when that is not NULL, the second
 * line. */
static int read_owner(int fd, char *address, size_t size)
{
    char text[128] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    const char *line;

    text[n > 0 ? n : 0] = '\0';
    line = strchr(text, '\n');
    if (address != NULL)
        snprintf(address, size, "%.*s", line == NULL ? 0 : (int)strcspn(line + 1, "\n"),
                 line == NULL ? "" : line + 1);
    return atoi(text);
}

/* The lock holds without it, also on a full disk. */
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

enum vd_status store_lock_take(const char *dir, int *fd, struct vd_error *err)
{
    enum vd_status status = VD_OK;
    char path[PATH_MAX + 16];

    snprintf(path, sizeof path, "%s/vedette.lock", dir);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return vd_error_set(err, VD_ERR_IO, "choose another data directory",
                            "cannot open %s: %s", path, strerror(errno));
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0) {
        write_owner(*fd, "");
        return VD_OK;
    }
    if (errno == EWOULDBLOCK)
        status = vd_error_set(
            err, VD_ERR_BUSY, "stop that one, or give this one another data directory",
            "another vedette (pid %d) uses %s", read_owner(*fd, NULL, 0), dir);
    else
        status = vd_error_set(err, VD_ERR_IO, NULL, "cannot lock %s: %s", path,
                              strerror(errno));
    store_lock_release(*fd);
    *fd = -1;
    return status;
}

void store_lock_release(int fd)
{
    if (fd >= 0)
        close(fd);
}

int store_lock_owner(const char *dir)
{
    return store_lock_address(dir, NULL, 0);
}

int store_lock_address(const char *dir, char *address, size_t size)
{
    char path[PATH_MAX + 16];
    int fd, pid = 0;

    if (address != NULL)
        *address = '\0';
    snprintf(path, sizeof path, "%s/vedette.lock", dir);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    /* A shared lock: two who ask do not see each other. */
    if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        pid = read_owner(fd, address, size);
    close(fd);
    return pid;
}
