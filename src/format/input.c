/* A regular file stays where it is; only what comes through a pipe or is unpacked is
 * kept.
 */
#include "format/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/unpack.h"

/* Sets how much of the beginning tells the kind of a file. */
enum { HEAD_BYTES = 64 };

/* Lists how files begin that are often given for a table, what they are, and what to do
 * with them. */
static const struct kind {
    const char *begin;
    size_t size;
    const char *what, *hint;
} kinds[] = {
    {"\x1f\x8b", 2, "compressed (gzip) twice", "unpack it: zcat FILE | vedette ... -"},
    {"BZh", 3, "compressed (bzip2)", "unpack it: bzcat FILE | vedette ... -"},
    {"\xfd"
     "7zXZ",
     5, "compressed (xz)", "unpack it: xzcat FILE | vedette ... -"},
    {"\x28\xb5\x2f\xfd", 4, "compressed (zstd) twice",
     "unpack it: zstdcat FILE | vedette ... -"},
    {"PK\x03\x04", 4, "a zip archive or a spreadsheet", "save the table as CSV"},
    {"\xd0\xcf\x11\xe0", 4, "an old spreadsheet", "save the table as CSV"},
    {"PAR1", 4, "a Parquet file", "write the table as CSV"},
    {"SQLite format 3", 15, "a database", "for a monitor's own see vedette store export"},
    {"\xff\xfe", 2, "no text in UTF-8 but UTF-16", "save it as CSV in UTF-8"},
    {"\xfe\xff", 2, "no text in UTF-8 but UTF-16", "save it as CSV in UTF-8"},
    {"{", 1, "JSON", "write it as CSV: one line of names, then one row a line"},
    {"[", 1, "JSON", "write it as CSV: one line of names, then one row a line"},
    {"<", 1, "HTML or XML", "save the table as CSV"},
    {"AAA,", 4, "a recording of nmon", "give one of its tables as CSV"},
    {"Linux ", 6, "a report for people", "sadf -d writes a table of the same numbers"},
};

/* Refuses what is no text table with words that help, before a reader of tables calls it
 * wrong in some line. */
static enum vd_status check_kind(const struct format_input *in, struct vd_error *err)
{
    char head[HEAD_BYTES];
    size_t got, at = 0;
    enum vd_status status = format_input_read(in, 0, head, sizeof head, &got, err);

    if (status != VD_OK)
        return status;
    if (got >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0) /* the mark of UTF-8 */
        at = 3;
    while (at < got && strchr(" \r\n\t", head[at]) != NULL && head[at] != '\0')
        at++;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (got - at >= kinds[i].size &&
            memcmp(head + at, kinds[i].begin, kinds[i].size) == 0)
            return vd_error_set(err, VD_ERR_DATA, kinds[i].hint,
                                "%s: it is %s, and a text table (CSV) is needed",
                                in->path, kinds[i].what);
    return VD_OK;
}

static void close_file(struct format_input *in)
{
    if (in->fd >= 0)
        close(in->fd);
    in->fd = -1;
}

/* Makes the bytes of a spool those of the input. */
static void take_over(struct format_input *in, struct format_spool *spool)
{
    in->fd = spool->fd;
    in->text = in->owned = spool->text;
    in->size = spool->size;
    spool->fd = -1;
    spool->text = NULL;
}

/* Unpacks what is compressed. The unpacked text takes the place of the input as soon as
 * it is there. */
static enum vd_status look_inside(struct format_input *in, struct vd_error *err)
{
    struct format_spool spool = {.name = in->path, .fd = -1};
    const struct format_packing *packing;
    enum vd_status status = format_packing_of(in, &packing, err);

    if (status == VD_OK && packing != NULL)
        status = packing->unpack(in, &spool, err);
    if (status != VD_OK) {
        format_spool_release(&spool);
        return status;
    }
    if (packing != NULL) {
        close_file(in);
        free(in->owned);
        take_over(in, &spool);
    }
    return check_kind(in, err);
}

static enum vd_status failed(const struct format_input *in, struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", in->path, strerror(errno));
}

/* Tells whether the path is that of a pipe which this program was started with. */
static bool is_given(const char *path)
{
    return strcmp(path, "/dev/stdin") == 0 || strncmp(path, "/dev/fd/", 8) == 0 ||
           strncmp(path, "/proc/self/fd/", 14) == 0;
}

static enum vd_status fill_spool(struct format_spool *spool, int fd, struct vd_error *err)
{
    enum vd_status status = VD_OK;
    char piece[64 << 10];
    ssize_t got = 1;

    while (status == VD_OK && got != 0) {
        got = read(fd, piece, sizeof piece);
        if (got < 0 && errno != EINTR)
            return vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", spool->name,
                                strerror(errno));
        if (got > 0)
            status = format_spool_put(spool, piece, (size_t)got, err);
    }
    return status;
}

/* Reads a pipe to its end, since a table is read more than once. */
static enum vd_status read_pipe(struct format_input *in, const char *path,
                                struct vd_error *err)
{
    struct format_spool spool = {.name = in->path, .fd = -1};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    enum vd_status status;

    if (fd < 0)
        return failed(in, err);
    status = fill_spool(&spool, fd, err);
    close(fd);
    if (status == VD_OK)
        take_over(in, &spool);
    else
        format_spool_release(&spool);
    return status == VD_OK ? look_inside(in, err) : status;
}

/* Opens a file. Opening never waits for the other end of a FIFO, and a terminal never
 * becomes ours. */
static enum vd_status open_file(struct format_input *in, const char *path,
                                struct vd_error *err)
{
    const char *what;
    struct stat info;

    in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (in->fd < 0 || fstat(in->fd, &info) != 0)
        return failed(in, err);
    if (S_ISREG(info.st_mode)) {
        in->size = (uint64_t)info.st_size;
        posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        return look_inside(in, err);
    }
    what = S_ISDIR(info.st_mode)    ? "a directory"
           : S_ISFIFO(info.st_mode) ? "a FIFO"
           : S_ISSOCK(info.st_mode) ? "a socket"
                                    : "a device";
    if (S_ISFIFO(info.st_mode) && is_given(path)) {
        close_file(in);
        return read_pipe(in, path, err);
    }
    return vd_error_set(err, VD_ERR_IO, "give a file, or - for standard input",
                        "%s: it is %s and no file", in->path, what);
}

enum vd_status format_input_open(struct format_input *in, const char *path,
                                 const char *title, struct vd_error *err)
{
    bool standard = strcmp(path, "-") == 0;

    *in = (struct format_input){.path = path, .fd = -1};
    if (title != NULL)
        in->path = title;
    else if (standard)
        in->path = "standard input";
    return standard ? read_pipe(in, "/dev/stdin", err) : open_file(in, path, err);
}

enum vd_status format_input_of(struct format_input *in, const char *text, size_t size,
                               const char *name, struct vd_error *err)
{
    *in = (struct format_input){.path = name, .fd = -1, .text = text, .size = size};
    return look_inside(in, err);
}

/* Reads at an offset. The size is that of opening: rows that are written meanwhile are
 * not seen, and a file that was cut is an error. */
enum vd_status format_input_read(const struct format_input *in, uint64_t offset, char *to,
                                 size_t size, size_t *got, struct vd_error *err)
{
    ssize_t one = 1;

    *got = 0;
    if (offset >= in->size)
        return VD_OK;
    if (in->size - offset < size)
        size = (size_t)(in->size - offset);
    if (in->fd < 0) {
        memcpy(to, in->text + offset, size);
        *got = size;
        return VD_OK;
    }
    while (*got < size && one != 0) {
        one = pread(in->fd, to + *got, size - *got, (off_t)(offset + *got));
        if (one < 0 && errno != EINTR)
            return failed(in, err);
        *got += one > 0 ? (size_t)one : 0;
    }
    if (*got < size)
        return vd_error_set(err, VD_ERR_IO, NULL, "%s: it became shorter meanwhile",
                            in->path);
    return VD_OK;
}

void format_input_release(struct format_input *in)
{
    close_file(in);
    free(in->owned);
    *in = (struct format_input){.fd = -1};
}
