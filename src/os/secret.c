/* Secrets are kept out of the list of processes by a file, and the file out of the sight
 * of others by its mode; both are looked at here. What a secret says is never printed. */
#include "os/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/log.h"

/* A word of a path that is longer is more likely a key than a name. */
enum { WORD_MAX = 11 };

/* Warns when every user can read the file. That a group can is often meant so. */
void os_secret_warn(const char *path, const char *name)
{
    struct stat info;

    if (stat(path, &info) == 0 && (info.st_mode & S_IROTH) != 0)
        os_log_warning(
            "%s holds a secret (%s) and every user of this machine can read it "
            "(mode %04o): chmod o-r %s",
            path, name, (unsigned)info.st_mode & 07777, path);
}

static enum vd_status cannot_read(const char *path, int reason, struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", path, strerror(reason));
}

/* Opens a regular file and nothing else: a FIFO or a terminal would make the start wait
 * for ever. */
static enum vd_status open_regular(const char *path, int *fd, struct vd_error *err)
{
    struct stat info;

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*fd < 0)
        return cannot_read(path, errno, err);
    if (fstat(*fd, &info) == 0 && S_ISREG(info.st_mode))
        return VD_OK;
    close(*fd);
    return vd_error_set(err, VD_ERR_IO, NULL, "%s: is no regular file", path);
}

/* Reads once, which gives all that a regular file has, up to `room`. */
static enum vd_status read_bytes(const char *path, char *bytes, size_t room, size_t *size,
                                 struct vd_error *err)
{
    int fd;
    ssize_t got;
    enum vd_status status = open_regular(path, &fd, err);

    if (status != VD_OK)
        return status;
    got = read(fd, bytes, room);
    if (got < 0)
        status = cannot_read(path, errno, err);
    close(fd);
    *size = got < 0 ? 0 : (size_t)got;
    return status;
}

/* Takes one line end off, which editors put there; anything else behind the secret is a
 * mistake. */
enum vd_status os_secret_read(const char *path, char text[OS_SECRET_MAX],
                              struct vd_error *err)
{
    size_t size;
    enum vd_status status = read_bytes(path, text, OS_SECRET_MAX, &size, err);

    if (status != VD_OK)
        return status;
    if (size == OS_SECRET_MAX)
        return vd_error_set(err, VD_ERR_FORMAT, NULL, "%s: has more than %d bytes", path,
                            OS_SECRET_MAX - 1);
    if (size > 0 && text[size - 1] == '\n')
        size--;
    if (size > 0 && text[size - 1] == '\r')
        size--;
    text[size] = '\0';
    if (size == 0)
        return vd_error_set(err, VD_ERR_FORMAT, NULL, "%s: is empty", path);
    if (strlen(text) != size || strpbrk(text, "\r\n") != NULL)
        return vd_error_set(err, VD_ERR_FORMAT, NULL,
                            "%s: has more than the one line that is expected", path);
    return VD_OK;
}

/* Guesses carefully: a user before the host, a query, a long word or more than one word
 * in the path may be a key, as in the addresses of webhooks. */
bool os_secret_in_url(const char *url)
{
    const char *host = strstr(url, "://");
    const char *path;
    size_t words = 0;

    host = host == NULL ? url : host + 3;
    path = host + strcspn(host, "/?#");
    if (memchr(host, '@', (size_t)(path - host)) != NULL || strchr(path, '?') != NULL)
        return true;
    while (*path != '\0') {
        size_t length = strcspn(path += *path == '/', "/");

        if (length > WORD_MAX)
            return true;
        words += length > 0;
        path += length;
    }
    return words > 1;
}
