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

static int read_pid(int fd)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return atoi(text);
}

/* The pid is for people; the lock holds without it, also on a full disk. */
static bool write_pid(int fd)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    return ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) == n;
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
        write_pid(*fd);
        return VD_OK;
    }
    if (errno == EWOULDBLOCK)
        status = vd_error_set(err, VD_ERR_BUSY,
                              "stop that one, or give this one another data directory",
                              "another vedette (pid %d) uses %s", read_pid(*fd), dir);
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
    char path[PATH_MAX + 16];
    int fd, pid = 0;

    snprintf(path, sizeof path, "%s/vedette.lock", dir);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    /* A shared lock: two who ask do not see each other. */
    if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        pid = read_pid(fd);
    close(fd);
    return pid;
}
