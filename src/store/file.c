/* Appends with pwrite(2) at an offset of its own. At opening and after a failed write the
 * file is cut back to its last whole line, so that no reader ever sees a half one of
 * ours. */
#include "store/file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Sorts errors: VD_ERR_RETRY for what waiting may cure, as a full disk, a quota, a lack
 * of kernel memory or a server that is away; VD_ERR_IO for what needs a human. */
static enum vd_status status_of(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EINTR:
    case EAGAIN:
    case ENOMEM:
    case EIO:
        return VD_ERR_RETRY;
    default:
        return VD_ERR_IO;
    }
}

static enum vd_status failed(const struct store_file *file, const char *what,
                             struct vd_error *err)
{
    int error = errno;

    return vd_error_set(err, status_of(error), NULL, "cannot %s %s: %s", what, file->path,
                        strerror(error));
}

/* Writes `size` bytes at offset `at`; false, with an errno, when not all could be
 * written. A write of no bytes would repeat for ever and counts as a full disk. */
static bool write_all(int fd, const void *bytes, size_t size, int64_t at)
{
    const char *from = bytes;

    while (size > 0) {
        ssize_t n = pwrite(fd, from, size, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENOSPC;
        if (n <= 0)
            return false;
        from += n;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

/* Returns how many of the first `size` bytes are whole lines: up to the last line end,
 * searched from behind in blocks. 0 when there is none, or reading fails. */
static int64_t whole_lines(int fd, int64_t size)
{
    char block[4096];

    while (size > 0) {
        size_t want = size < (int64_t)sizeof block ? (size_t)size : sizeof block;
        ssize_t n = pread(fd, block, want, size - (int64_t)want);

        if (n != (ssize_t)want)
            return 0;
        for (; n > 0; n--)
            if (block[n - 1] == '\n')
                return size - (int64_t)want + n;
        size -= (int64_t)want;
    }
    return 0;
}

/* Tells whether the file begins with our header; a lack of memory counts as no. */
static bool has_header(const struct store_file *file)
{
    size_t length = strlen(file->header);
    char *found = malloc(length);
    bool same = found != NULL && pread(file->fd, found, length, 0) == (ssize_t)length &&
                memcmp(found, file->header, length) == 0;

    free(found);
    return same;
}

/* Splits a name into its stem and its extension: "performance_log" and ".csv". */
static void split_name(const char *name, char stem[64], const char **extension)
{
    const char *dot = strrchr(name, '.');

    *extension = dot == NULL ? "" : dot;
    snprintf(stem, 64, "%.*s", dot == NULL ? (int)strlen(name) : (int)(dot - name), name);
}

/* Tells whether the entry is one of ours that was set aside: STEM.DATE-TIME.EXT. */
static bool is_older_one(const struct dirent *entry, const struct store_file *file)
{
    const char *extension;
    char stem[64];
    size_t length = strlen(entry->d_name), first;

    split_name(file->name, stem, &extension);
    first = strlen(stem);
    return length >= first + 16 + strlen(extension) &&
           strncmp(entry->d_name, stem, first) == 0 && entry->d_name[first] == '.' &&
           entry->d_name[first + 1] >= '0' && entry->d_name[first + 1] <= '9' &&
           strcmp(entry->d_name + length - strlen(extension), extension) == 0;
}

/* Removes files that were set aside earlier, but for the newest STORE_FILE_KEEP. Their
 * names sort by time. */
static void remove_older_ones(const struct store_file *file)
{
    int folder = file->config->folder->fd, older = 0;
    struct dirent **entry = NULL;
    int n = scandirat(folder, ".", &entry, NULL, alphasort);

    for (int i = 0; i < n; i++)
        older += is_older_one(entry[i], file);
    for (int i = 0; i < n; i++) {
        if (is_older_one(entry[i], file) && older-- > STORE_FILE_KEEP)
            unlinkat(folder, entry[i]->d_name, 0);
        free(entry[i]);
    }
    free(entry);
}

/* Closes the file and puts the time into its name, with a number behind it when that name
 * is taken. Readers of the old name find no file until a new one begins. */
static enum vd_status set_aside(struct store_file *file, const char *why,
                                struct vd_error *err)
{
    const struct os_data_dir *folder = file->config->folder;
    char stem[64], date[32], name[128];
    const char *extension;
    time_t now = time(NULL);
    struct tm tm = {0};

    localtime_r(&now, &tm);
    strftime(date, sizeof date, "%Y%m%d-%H%M%S", &tm);
    split_name(file->name, stem, &extension);
    for (int k = 0; k < 100; k++) {
        snprintf(name, sizeof name, "%s.%s%s%.0d%s", stem, date, k == 0 ? "" : "-", k,
                 extension);
        if (faccessat(folder->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
            break;
    }
    if (renameat(folder->fd, file->name, folder->fd, name) != 0)
        return failed(file, "rename", err);
    os_log_tell(&file->config->log, OS_LOG_INFO, "%s: %s; it is now %s/%s", file->name,
                why, folder->path, name);
    close(file->fd);
    file->fd = -1;
    remove_older_ones(file);
    return VD_OK;
}

/* Opens the file by its name. *size is what it has, file->size what of it is whole lines.
 */
static enum vd_status open_path(struct store_file *file, int64_t *size,
                                struct vd_error *err)
{
    struct stat stat;

    file->fd = os_data_dir_file(file->config->folder, file->name, O_RDWR | O_CREAT, err);
    if (file->fd < 0)
        return status_of(errno);
    if (fstat(file->fd, &stat) != 0)
        return failed(file, "open", err);
    file->size = whole_lines(file->fd, stat.st_size);
    *size = stat.st_size;
    return VD_OK;
}

/* Goes back before the bytes that close the file, since the next line goes in their
 * place. Where a crash tore them, the file ends after its last whole line. */
static void step_before_close(struct store_file *file)
{
    size_t length = strlen(file->close);
    char end[16] = "";

    if (file->size >= (int64_t)length &&
        pread(file->fd, end, length, file->size - (int64_t)length) == (ssize_t)length &&
        memcmp(end, file->close, length) == 0) {
        file->size -= (int64_t)length;
        return;
    }
    file->size -= 1; /* the line end, with which `close` begins, and a comma before it */
    if (file->size > 0 && pread(file->fd, end, 1, file->size - 1) == 1 && end[0] == ',')
        file->size -= 1;
}

/* Tells whether the file is somebody else's: it has less than one whole line, and those
 * bytes are not how a file of ours begins. */
static bool is_foreign(const struct store_file *file, int64_t size)
{
    /* The headers of all our files are shorter. */
    char found[512];
    size_t length = file->header == NULL ? 0 : strlen(file->header);

    if (size == 0 || file->size > 0)
        return false;
    if (size > (int64_t)length || size > (int64_t)sizeof found)
        return true;
    return pread(file->fd, found, (size_t)size, 0) != size ||
           memcmp(found, file->header, (size_t)size) != 0;
}

/* Writes the header into an empty file. When that fails the file is emptied again, so the
 * next opening does not take half a header for lines. */
static bool begin(struct store_file *file)
{
    size_t length = file->header == NULL ? 0 : strlen(file->header);

    if (file->size > 0 || length == 0)
        return true;
    file->size = (int64_t)length;
    return write_all(file->fd, file->header, length, 0) || ftruncate(file->fd, 0) != 0;
}

/* Cuts off what was torn, and closes the file again. */
static enum vd_status finish_open(struct store_file *file, struct vd_error *err)
{
    if (file->size > 0 && file->close != NULL)
        step_before_close(file);
    if (!begin(file))
        return failed(file, "write", err);
    if (ftruncate(file->fd, file->size) != 0 ||
        (file->close != NULL &&
         !write_all(file->fd, file->close, strlen(file->close), file->size)))
        return failed(file, "write", err);
    return VD_OK;
}

/* Opens the file and makes it fit to be appended to: one with other columns is set aside,
 * a torn line is cut off. */
static enum vd_status open_again(struct store_file *file, struct vd_error *err)
{
    int64_t size = 0;
    enum vd_status status = open_path(file, &size, err);

    if (status == VD_OK &&
        (is_foreign(file, size) ||
         (file->size > 0 && file->header != NULL && !has_header(file)))) {
        status = set_aside(file, "it has other columns", err);
        if (status == VD_OK)
            status = open_path(file, &size, err);
    }
    if (status == VD_OK)
        status = finish_open(file, err);
    if (status != VD_OK && file->fd >= 0) {
        close(file->fd);
        file->fd = -1;
    }
    return status;
}

enum vd_status store_file_open(struct store_file *file, const struct store_config *config,
                               const char *name, const char *header, const char *close,
                               struct vd_error *err)
{
    *file = (struct store_file){
        .config = config, .name = name, .header = header, .close = close, .fd = -1};
    snprintf(file->path, sizeof file->path, "%.*s/%s",
             (int)(sizeof file->path - sizeof "/" - strlen(name)), config->folder->path,
             name);
    return open_again(file, err);
}

/* Serves sinks that are a single file and nothing else. */
enum vd_status store_file_new(void **out, const struct store_config *config,
                              const char *name, const char *header, const char *close,
                              struct vd_error *err)
{
    struct store_file *file = malloc(sizeof *file);
    enum vd_status status;

    if (file == NULL)
        return vd_error_set(err, VD_ERR_RETRY, NULL, "no memory");
    status = store_file_open(file, config, name, header, close, err);
    if (status == VD_OK)
        *out = file;
    else
        free(file);
    return status;
}

/* Makes sure that lines go into the file that has our name. When somebody removed it,
 * moved it away (logrotate) or emptied it, a new one begins; a full one is set aside. */
static enum vd_status look_after(struct store_file *file, struct vd_error *err)
{
    struct stat stat;

    if (file->fd >= 0 && fstat(file->fd, &stat) == 0 && stat.st_size >= file->size &&
        os_data_dir_holds(file->config->folder, file->name, file->fd)) {
        if (file->size < STORE_FILE_MAX_BYTES)
            return VD_OK;
        if (set_aside(file, "it is full", err) != VD_OK)
            return VD_ERR_RETRY;
    }
    store_file_reopen(file);
    return open_again(file, err);
}

/* The lines leave `pending` in any case: after STORE_RETRY the writer hands over the same
 * messages again, and their lines are made anew. The bytes that close the file are
 * written with the lines, in one call, so that no reader finds the file open. */
enum store_result store_file_flush(void *sink, struct vd_error *err)
{
    struct store_file *file = sink;
    size_t n = file->pending.size;

    if (n == 0)
        return STORE_OK;
    file->pending.size = 0;
    if (file->pending.status != VD_OK) {
        file->pending.status = VD_OK;
        vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for a line");
        return STORE_RETRY;
    }
    assert(file->size >= 0);
    if (look_after(file, err) != VD_OK)
        return STORE_RETRY;
    if (file->close != NULL) {
        file->pending.size = n;
        vd_write_bytes(&file->pending, file->close, strlen(file->close));
        file->pending.size = 0;
    }
    if (!write_all(file->fd, file->pending.at,
                   n + (file->close == NULL ? 0 : strlen(file->close)), file->size)) {
        failed(file, "write", err);
        /* What stood after the last line comes back; that much room was there. */
        if (ftruncate(file->fd, file->size) == 0 && file->close != NULL)
            write_all(file->fd, file->close, strlen(file->close), file->size);
        return STORE_RETRY;
    }
    file->size += (int64_t)n;
    return STORE_OK;
}

void store_file_reopen(void *sink)
{
    struct store_file *file = sink;

    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

/* Waits for the disk once, at the end. Before that the kernel writes lines when it likes,
 * so a power cut may cost the last seconds of them. */
void store_file_close(struct store_file *file)
{
    if (file->fd >= 0) {
        fdatasync(file->fd);
        close(file->fd);
    }
    file->fd = -1;
    vd_writer_release(&file->pending);
}

void store_file_free(void *file)
{
    store_file_close(file);
    free(file);
}

static bool write_synced(int fd, const void *bytes, size_t size)
{
    return write_all(fd, bytes, size, 0) && fsync(fd) == 0;
}

/* Writes a file beside and renames it when its bytes are on the disk: a power cut leaves
 * the old file or the new one, and never half of it. */
enum vd_status store_file_replace(const struct os_data_dir *dir, const char *name,
                                  const void *bytes, size_t size, struct vd_error *err)
{
    char temporary[NAME_MAX + 8];
    enum vd_status status = VD_OK;
    int fd;

    snprintf(temporary, sizeof temporary, "%.*s.tmp", NAME_MAX - 4, name);
    /* One that was left behind, or a link that somebody put there, is not written to. */
    unlinkat(dir->fd, temporary, 0);
    fd = os_data_dir_file(dir, temporary, O_WRONLY | O_CREAT | O_EXCL, err);
    if (fd < 0)
        return status_of(errno);
    if (!write_synced(fd, bytes, size) ||
        renameat(dir->fd, temporary, dir->fd, name) != 0) {
        status = vd_error_set(err, status_of(errno), NULL, "cannot write %s/%s: %s",
                              dir->path, name, strerror(errno));
        unlinkat(dir->fd, temporary, 0);
    } else {
        fsync(dir->fd); /* the rename is durable when the directory is */
    }
    close(fd);
    return status;
}
