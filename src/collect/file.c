/* A file of /proc says nothing of its size, so reading goes on until a read gives
 * nothing. The kernel hands out whole lines, a page at a time at most. So a first read
 * that gives less than half of the smallest page, ending with a line, was all of it:
 * small files cost one system call instead of two.
 */
#include "collect/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/scan.h"

/* Bytes: half of 4 KiB, the smallest page that Linux runs on. */
enum { SURELY_WHOLE = 2048 };

void collect_buffer_release(struct collect_buffer *buffer)
{
    free(buffer->at);
    *buffer = (struct collect_buffer){0};
}

/* Doubles the buffer, for one more read and the NUL behind it; false at its limit. */
static bool grow(struct collect_buffer *buffer)
{
    size_t capacity = buffer->capacity == 0 ? 4096 : buffer->capacity * 2;
    char *at;

    if (buffer->capacity >= COLLECT_FILE_MAX)
        return false;
    at = realloc(buffer->at, capacity);
    if (at == NULL)
        return false;
    buffer->at = at;
    buffer->capacity = capacity;
    return true;
}

bool collect_root_is_live(const char *root)
{
    return root == NULL || root[0] == '\0' || strcmp(root, "/") == 0;
}

bool collect_path(char out[COLLECT_PATH_MAX], const char *root, const char *path,
                  const char *name)
{
    int length;

    if (collect_root_is_live(root))
        root = "";
    length = snprintf(out, COLLECT_PATH_MAX, "%s%s%s", root, path, name ? name : "");
    return length >= 0 && length < COLLECT_PATH_MAX;
}

enum vd_status collect_file_init(struct collect_file *file, const char *root,
                                 const char *path)
{
    file->fd = -1;
    file->keep = collect_root_is_live(root);
    if (!collect_path(file->path, root, path, NULL)) {
        file->path[0] = '\0';
        return VD_ERR_LIMIT;
    }
    return VD_OK;
}

/* Closes the file, so that the next read opens it anew: what came back under the same
 * path is another file. Uses errno. */
static enum vd_status fail(struct collect_file *file, const char *what,
                           struct vd_error *err)
{
    int code = errno;

    collect_file_release(file);
    /* What went away: a device unplugged, a process gone, a CPU offline. */
    if (code == ENOENT || code == ENODEV || code == ENXIO || code == ESRCH)
        return VD_ERR_UNAVAILABLE;
    return vd_error_set(err, code == ENOMEM ? VD_ERR_MEMORY : VD_ERR_IO, NULL,
                        "cannot %s %s: %s", what, file->path, strerror(code));
}

/* Reads by pread from the beginning on, which makes the kernel write the text of /proc
 * anew; the descriptor can so be used on each tick. */
static enum vd_status read_all(struct collect_file *file, struct collect_buffer *buffer,
                               struct vd_error *err)
{
    ssize_t got;

    buffer->size = 0;
    do {
        size_t room;

        if (buffer->size + 1 >= buffer->capacity && !grow(buffer)) {
            collect_file_release(file);
            return vd_error_set(err, VD_ERR_LIMIT, NULL, "%s is too large", file->path);
        }
        room = buffer->capacity - buffer->size - 1;
        do
            got = pread(file->fd, buffer->at + buffer->size, room, (off_t)buffer->size);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return fail(file, "read", err);
        buffer->size += (size_t)got;
        if (got > 0 && buffer->size < SURELY_WHOLE && buffer->at[got - 1] == '\n')
            break;
    } while (got > 0);
    buffer->at[buffer->size] = '\0';
    return VD_OK;
}

enum vd_status collect_file_read(struct collect_file *file, struct collect_buffer *buffer,
                                 struct vd_error *err)
{
    enum vd_status status;

    if (file->fd < 0) {
        /* A pipe in the place of a file must not hold up the tick, hence O_NONBLOCK. */
        file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (file->fd < 0)
            return fail(file, "open", err);
    }
    status = read_all(file, buffer, err);
    if (!file->keep)
        collect_file_release(file);
    return status;
}

void collect_file_release(struct collect_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

/* Reads once: the kernel gives a file of /sys, and what fits into a page of /proc, whole.
 * The newline at the end is cut off. */
long collect_file_small(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got;

    text[0] = '\0';
    if (fd < 0)
        return -1;
    do
        got = read(fd, text, size - 1);
    while (got < 0 && errno == EINTR);
    close(fd);
    if (got < 0)
        return -1;
    if (got > 0 && text[got - 1] == '\n')
        got--;
    text[got] = '\0';
    return got;
}

double collect_file_number(const char *path)
{
    char text[64];
    long length = collect_file_small(path, text, sizeof text);

    return length <= 0 ? NAN : format_scan_only_number(text, (size_t)length);
}

/* Sorts numbers within names by their value: "hwmon10" comes behind "hwmon9". */
static int by_version(const void *a, const void *b)
{
    return strverscmp(a, b);
}

static bool is_like(const char *name, const char *prefix, const char *suffix)
{
    size_t length = strlen(name), first = strlen(prefix), last = strlen(suffix);

    return length >= first + last && strncmp(name, prefix, first) == 0 &&
           strcmp(name + length - last, suffix) == 0;
}

/* Leaves out names that are too long, since a name that is cut leads elsewhere. What is
 * taken of more than `max` entries is up to the file system's order. */
size_t collect_folder_like(const char *path, const char *prefix, const char *suffix,
                           char *names, size_t size, size_t max)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    size_t n = 0;

    if (folder == NULL)
        return 0;
    while (n < max && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.' || strlen(entry->d_name) >= size ||
            !is_like(entry->d_name, prefix, suffix))
            continue;
        strcpy(names + n++ * size, entry->d_name);
    }
    closedir(folder);
    qsort(names, n, size, by_version);
    return n;
}

size_t collect_folder(const char *path, char *names, size_t size, size_t max)
{
    return collect_folder_like(path, "", "", names, size, max);
}
