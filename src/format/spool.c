/* The file is deleted as soon as it is open, so that nothing is left behind, whatever
 * happens. */
#include "format/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Sets the first room in memory, and how much of the disk stays free: a twentieth. */
enum { FIRST_ROOM = 64 << 10, FREE_PART = 20 };

static const char *folder(void)
{
    const char *named = getenv("TMPDIR");

    return named == NULL || named[0] != '/' ? "/tmp" : named;
}

static enum vd_status failed(const struct format_spool *s, struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_IO, "TMPDIR names another folder",
                        "%s: more than %d MiB have to be kept in %s: %s", s->name,
                        FORMAT_SPOOL_MEMORY >> 20, folder(), strerror(errno));
}

/* Refuses to fill the disk: a small file may unpack to a huge one. */
static enum vd_status check_disk(const struct format_spool *s, struct vd_error *err)
{
    struct statvfs disk;

    if (fstatvfs(s->fd, &disk) != 0 || disk.f_bavail >= disk.f_blocks / FREE_PART)
        return VD_OK;
    return vd_error_set(err, VD_ERR_LIMIT, "TMPDIR names another folder",
                        "%s: after %llu MiB of it hardly any room is left in %s", s->name,
                        (unsigned long long)(s->size >> 20), folder());
}

static enum vd_status write_all(struct format_spool *s, const char *bytes, size_t size,
                                struct vd_error *err)
{
    while (size > 0) {
        ssize_t one = write(s->fd, bytes, size);

        if (one < 0 && errno == EINTR)
            continue;
        if (one <= 0)
            return failed(s, err);
        bytes += one;
        size -= (size_t)one;
    }
    return check_disk(s, err);
}

/* Goes over to a file. What is surely no text is not worth one. */
static enum vd_status open_file(struct format_spool *s, struct vd_error *err)
{
    char path[512];
    enum vd_status status;

    if (memchr(s->text, '\0', FIRST_ROOM) != NULL)
        return vd_error_set(err, VD_ERR_DATA, "save it as CSV in UTF-8",
                            "%s: a NUL byte: it is no text, or one in UTF-16", s->name);
    snprintf(path, sizeof path, "%s/vedette-XXXXXX", folder());
    s->fd = mkostemp(path, O_CLOEXEC);
    if (s->fd < 0)
        return failed(s, err);
    unlink(path);
    status = write_all(s, s->text, s->used, err);
    free(s->text);
    s->text = NULL;
    s->used = s->capacity = 0;
    return status;
}

static enum vd_status make_room(struct format_spool *s, size_t size, struct vd_error *err)
{
    size_t capacity = s->capacity == 0 ? FIRST_ROOM : s->capacity;
    char *larger;

    while (capacity < s->used + size)
        capacity *= 2;
    if (capacity == s->capacity)
        return VD_OK;
    larger = realloc(s->text, capacity);
    if (larger == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to read it",
                            s->name);
    s->text = larger;
    s->capacity = capacity;
    return VD_OK;
}

enum vd_status format_spool_put(struct format_spool *s, const char *bytes, size_t size,
                                struct vd_error *err)
{
    enum vd_status status = VD_OK;

    if (s->fd < 0 && s->used + size > FORMAT_SPOOL_MEMORY)
        status = open_file(s, err);
    else if (s->fd < 0)
        status = make_room(s, size, err);
    if (status != VD_OK)
        return status;
    s->size += size;
    if (s->fd >= 0)
        return write_all(s, bytes, size, err);
    memcpy(s->text + s->used, bytes, size);
    s->used += size;
    return VD_OK;
}

void format_spool_release(struct format_spool *s)
{
    if (s->fd >= 0)
        close(s->fd);
    free(s->text);
    *s = (struct format_spool){.name = s->name, .fd = -1};
}
