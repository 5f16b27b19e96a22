/* Reads a file to its end into a buffer that grows, so that pipes and files of /proc,
 * which have no size, can be read; os_file_read_regular refuses everything else. */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/options.h"

static enum vd_status io_error(const char *path, struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", path, strerror(errno));
}

static enum vd_status too_large(const char *path, size_t max, struct vd_error *err)
{
    char limit[32];

    return vd_error_set(err, VD_ERR_IO, NULL, "%s: more than %s, the most that is read",
                        path, os_format_size((double)max, limit, sizeof limit));
}

/* Reads to the end. The buffer begins with the size that the file says it has, and
 * doubles: pipes and files of /proc say nothing, and a file may grow meanwhile. */
static enum vd_status read_stream(FILE *file, const char *path, size_t max, char **bytes,
                                  size_t *size, struct vd_error *err)
{
    struct stat info;
    size_t capacity;

    if (fstat(fileno(file), &info) != 0)
        return io_error(path, err);
    if (info.st_size > 0 && (size_t)info.st_size > max)
        return too_large(path, max, err);
    for (capacity = (size_t)info.st_size + 1;; capacity *= 2) {
        char *larger = realloc(*bytes, capacity);

        if (larger == NULL)
            return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to read it",
                                path);
        *bytes = larger;
        *size += fread(*bytes + *size, 1, capacity - *size, file);
        if (ferror(file))
            return io_error(path, err);
        if (*size > max)
            return too_large(path, max, err);
        if (*size < capacity)
            return VD_OK;
    }
}

/* Reads the file and closes it, also after a failure. *bytes is the caller's, NULL after
 * one; a `file` of NULL is one that could not be opened, with its errno. */
static enum vd_status read_and_close(FILE *file, const char *path, size_t max,
                                     char **bytes, size_t *size, struct vd_error *err)
{
    enum vd_status status;

    *bytes = NULL;
    *size = 0;
    if (file == NULL)
        return io_error(path, err);
    status = read_stream(file, path, max, bytes, size, err);
    fclose(file);
    if (status != VD_OK) {
        free(*bytes);
        *bytes = NULL;
    }
    return status;
}

/* Waits for a pipe to be written, which is what people want who name one. */
enum vd_status os_file_read(const char *path, size_t max, char **bytes, size_t *size,
                            struct vd_error *err)
{
    return read_and_close(fopen(path, "rbe"), path, max, bytes, size, err);
}

enum vd_status os_file_read_regular(const char *path, size_t max, char **bytes,
                                    size_t *size, struct vd_error *err)
{
    /* Does not wait for who writes to a pipe. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat info;

    *bytes = NULL;
    *size = 0;
    if (fd >= 0 && fstat(fd, &info) == 0 && !S_ISREG(info.st_mode)) {
        close(fd);
        return vd_error_set(err, VD_ERR_IO, "name a file", "%s: it is no regular file",
                            path);
    }
    return read_and_close(fd < 0 ? NULL : fdopen(fd, "rb"), path, max, bytes, size, err);
}
