/* A line is one write(2), which a signal does not cut: the kernel takes it whole or, when
 * the disk is full, its beginning. A summary is written beside and renamed. */
#include "recording/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the table ---- */

enum vd_status recording_table_open(struct recording_table *table, const char *path,
                                    struct vd_error *err)
{
    struct stat info;

    *table = (struct recording_table){.path = path};
    table->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0666);
    if (table->fd < 0)
        return vd_error_set(err, VD_ERR_IO, NULL, "--filename: %s: %s", path,
                            strerror(errno));
    table->regular = fstat(table->fd, &info) == 0 && S_ISREG(info.st_mode);
    return VD_OK;
}

/* Writes as much as is taken; false with errno when that is not all. */
static bool write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t done = write(fd, text, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        text += done;
        size -= (size_t)done;
    }
    return true;
}

void recording_table_write(struct recording_table *table, const char *line, size_t size)
{
    if (write_all(table->fd, line, size)) {
        table->size += (off_t)size;
        return;
    }
    if (table->lost++ == 0)
        snprintf(table->why, sizeof table->why, "%s", strerror(errno));
    /* Without success the file would end within a line; nothing better can be done. */
    if (table->regular && ftruncate(table->fd, table->size) != 0)
        table->regular = false;
}

void recording_table_close(struct recording_table *table)
{
    if (table->path != NULL && table->fd >= 0)
        close(table->fd);
    *table = (struct recording_table){.fd = -1};
}

/* ---- the summary ---- */

enum vd_status recording_summary_open(struct recording_summary *summary, const char *path,
                                      struct vd_error *err)
{
    struct stat info;
    int length = snprintf(summary->path, PATH_MAX, "%s", path);
    int fd;

    if (length < 0 || length > PATH_MAX - 16)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                            "--json-summary: the name is too long");
    snprintf(summary->snapshot, PATH_MAX, "%.*s_snapshot", PATH_MAX - 16, path);
    snprintf(summary->beside, PATH_MAX, "%.*s_tmp", PATH_MAX - 16, path);
    summary->snapshot_ns = INT64_MIN / 2;
    summary->in_place = stat(path, &info) == 0 && !S_ISREG(info.st_mode);
    if (summary->in_place)
        return VD_OK;
    unlink(summary->snapshot);
    unlink(path);
    /* Finds out now whether it can be written at the end. */
    fd = open(summary->beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return vd_error_set(err, VD_ERR_IO, NULL, "--json-summary: %s: %s", path,
                            strerror(errno));
    close(fd);
    unlink(summary->beside);
    return VD_OK;
}

/* Writes the object into a file; false with errno. */
static bool write_json(const char *path, const json_t *root)
{
    char *text =
        json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
    bool good;
    int fd;

    errno = ENOMEM;
    fd = text == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    good = fd >= 0 && write_all(fd, text, strlen(text)) && write_all(fd, "\n", 1);
    if (fd >= 0 && close(fd) != 0)
        good = false;
    free(text);
    return good;
}

bool recording_summary_is_due(const struct recording_summary *summary, int64_t mono_ns)
{
    return !summary->in_place && mono_ns - summary->snapshot_ns >= 1000000000;
}

void recording_summary_snapshot(struct recording_summary *summary, const json_t *root,
                                int64_t mono_ns)
{
    summary->snapshot_ns = mono_ns;
    if (!write_json(summary->beside, root) ||
        rename(summary->beside, summary->snapshot) != 0)
        unlink(summary->beside);
}

enum vd_status recording_summary_close(struct recording_summary *summary,
                                       const json_t *root, struct vd_error *err)
{
    const char *path = summary->in_place ? summary->path : summary->beside;

    if (!write_json(path, root) ||
        (!summary->in_place && rename(summary->beside, summary->path) != 0)) {
        vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", summary->path, strerror(errno));
        if (!summary->in_place)
            unlink(summary->beside);
        return VD_ERR_IO;
    }
    if (!summary->in_place)
        unlink(summary->snapshot);
    return VD_OK;
}
