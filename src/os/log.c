/* Messages. A line is formatted on the stack and handed to write(2) once, so that threads
 * need no lock, and a child forked at any moment can still write: the file is opened with
 * O_APPEND, and a new file takes over the descriptor's number with dup2.
 *
 * Times are UTC: to ask for the zone takes a lock of the C library, which a child forked
 * at the wrong moment would never get. */
#include "os/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "os/clock.h"
#include "os/terminal.h"

/* A line stays below PIPE_BUF (4096), up to which a pipe takes a write whole. */
enum { LINE_MAX_BYTES = 2000, NAME_MAX_BYTES = 128 };

/* The log belongs to the process: there is one standard error and one log file. */
static atomic_int console_level = OS_LOG_INFO;
static atomic_int log_fd = -1;
static atomic_size_t lost;

/* The log file. All but the atomic fields is guarded by `changing`. A thread that wants
 * to rotate only tries that lock: when another has it, that one rotates. */
static struct {
    pthread_mutex_t changing;
    struct os_data_dir dir; /* owned */
    char name[64];
    double max_bytes;
    long keep;
    atomic_size_t size;
    pthread_t packer; /* compresses NAME.1 */
    bool has_packer;
    atomic_bool packing;
} file = {.changing = PTHREAD_MUTEX_INITIALIZER};

void os_log_set_level(enum os_log_level level)
{
    atomic_store(&console_level, (int)level);
}

enum os_log_level os_log_get_level(void)
{
    return (enum os_log_level)atomic_load(&console_level);
}

size_t os_log_lost(void)
{
    return atomic_load(&lost);
}

/* ---- rotation ---- */

/* Makes the name of an older file: NAME.N.gz, or NAME.1 without the ending while it waits
 * to be compressed. */
static void old_name(char name[NAME_MAX_BYTES], long n, const char *ending)
{
    snprintf(name, NAME_MAX_BYTES, "%s.%ld%s", file.name, n, ending);
}

/* Compresses what is left of one file into another; false on any failure. */
static bool copy_packed(int from, gzFile to)
{
    char block[16384];
    ssize_t got;

    while ((got = read(from, block, sizeof block)) > 0) {
        if (gzwrite(to, block, (unsigned)got) != (int)got)
            return false;
    }
    return got == 0;
}

/* Makes a packed copy of `plain`; false when it is not whole. */
static bool pack_into(const char *plain, const char *packed)
{
    int from = os_data_dir_file(&file.dir, plain, O_RDONLY, NULL);
    bool good = false;
    gzFile to;
    int fd;

    if (from < 0)
        return false;
    unlinkat(file.dir.fd, packed, 0);
    fd = os_data_dir_file(&file.dir, packed, O_WRONLY | O_CREAT | O_EXCL, NULL);
    to = fd < 0 ? NULL : gzdopen(fd, "wb");
    if (to != NULL) {
        good = copy_packed(from, to);
        good &= gzclose(to) == Z_OK;
    } else if (fd >= 0) {
        close(fd);
    }
    close(from);
    return good;
}

/* Makes NAME.1.gz of NAME.1 by way of a temporary name, so that a reader never sees half
 * a file. Runs in a thread of its own; when it fails NAME.1 stays as it is. */
static void *pack(void *unused)
{
    char plain[NAME_MAX_BYTES], packed[NAME_MAX_BYTES], half[NAME_MAX_BYTES];
    int dir = file.dir.fd;

    (void)unused;
    old_name(plain, 1, "");
    old_name(packed, 1, ".gz");
    old_name(half, 1, ".gz.tmp");
    if (pack_into(plain, half) && renameat(dir, half, dir, packed) == 0)
        unlinkat(dir, plain, 0);
    else
        unlinkat(dir, half, 0);
    atomic_store(&file.packing, false);
    return NULL;
}

/* Starts the thread that compresses the rotated file. One at a time: the one before is
 * waited for, which has ended long ago unless files fill within seconds. */
static void start_packing(void)
{
    if (file.has_packer)
        pthread_join(file.packer, NULL);
    atomic_store(&file.packing, true);
    file.has_packer = pthread_create(&file.packer, NULL, pack, NULL) == 0;
    if (!file.has_packer)
        atomic_store(&file.packing, false);
}

/* Opens the file. The new descriptor takes over the number of the old one, so a thread
 * that writes at this moment writes into one of the two. */
static bool open_file(struct vd_error *err)
{
    int fd = os_data_dir_file(&file.dir, file.name, O_WRONLY | O_APPEND | O_CREAT, err);
    int old = atomic_load(&log_fd);
    struct stat st;

    if (fd < 0)
        return false;
    atomic_store(&file.size, fstat(fd, &st) == 0 ? (size_t)st.st_size : 0);
    if (old < 0) {
        atomic_store(&log_fd, fd);
        return true;
    }
    if (dup3(fd, old, O_CLOEXEC) < 0) {
        close(fd);
        return false;
    }
    close(fd);
    return true;
}

/* Moves the files on: NAME.2.gz -> NAME.3.gz, NAME.1.gz -> NAME.2.gz, NAME -> NAME.1,
 * which is then packed. While the last one is still being packed the file grows beyond
 * its limit. */
static void rotate(void)
{
    char from[NAME_MAX_BYTES], to[NAME_MAX_BYTES];

    if (pthread_mutex_trylock(&file.changing) != 0)
        return;
    if (!atomic_load(&file.packing) &&
        (double)atomic_load(&file.size) >= file.max_bytes) {
        for (long n = file.keep; n > 1; n--) {
            old_name(from, n - 1, ".gz");
            old_name(to, n, ".gz");
            renameat(file.dir.fd, from, file.dir.fd, to);
        }
        old_name(to, 1, "");
        renameat(file.dir.fd, file.name, file.dir.fd, to);
        open_file(NULL);
        start_packing();
    }
    pthread_mutex_unlock(&file.changing);
}

/* Lets the file go. Must be called with `changing` held. */
static void release_file(void)
{
    os_data_dir_close(&file.dir);
    file.name[0] = '\0';
}

enum vd_status os_log_open(const struct os_data_dir *dir, const char *name,
                           double max_bytes, long keep, struct vd_error *err)
{
    enum vd_status status = VD_OK;
    char left[NAME_MAX_BYTES];

    assert(strlen(name) < sizeof file.name && file.name[0] == '\0');
    pthread_mutex_lock(&file.changing);
    snprintf(file.name, sizeof file.name, "%s", name);
    file.max_bytes = max_bytes;
    file.keep = keep < 1 ? 1 : keep;
    file.dir = *dir;
    /* The caller may close its folder while the log still needs it. */
    file.dir.fd = fcntl(dir->fd, F_DUPFD_CLOEXEC, 0);
    if (file.dir.fd < 0)
        status = vd_error_set(err, VD_ERR_IO, NULL, "%s/%s: %s", dir->path, name,
                              strerror(errno));
    else if (!open_file(err))
        status = VD_ERR_IO;
    old_name(left, 1, "");
    /* A program that was killed while compressing leaves this. */
    if (status == VD_OK && faccessat(file.dir.fd, left, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        start_packing();
    if (status != VD_OK)
        release_file();
    pthread_mutex_unlock(&file.changing);
    return status;
}

void os_log_reopen(void)
{
    if (atomic_load(&log_fd) < 0)
        return;
    pthread_mutex_lock(&file.changing);
    /* There is no log to say it in, so that the log is gone is counted as a lost line. */
    if (!open_file(NULL))
        atomic_fetch_add(&lost, 1);
    pthread_mutex_unlock(&file.changing);
}

/* Takes the descriptor away first, so that no thread begins to write while it is closed.
 */
void os_log_close(void)
{
    int fd = atomic_exchange(&log_fd, -1);

    pthread_mutex_lock(&file.changing);
    if (file.has_packer)
        pthread_join(file.packer, NULL);
    file.has_packer = false;
    if (file.name[0] != '\0')
        release_file();
    pthread_mutex_unlock(&file.changing);
    if (fd >= 0)
        close(fd);
}

/* ---- one line ---- */

/* Writes `text` into the line from `at` on, and a line break. Bytes that could steer a
 * terminal become \xNN: controls, and the C1 controls (UTF-8 c2 80 .. c2 9f). Returns the
 * length of the line; what does not fit is cut. */
static size_t make_safe(const char *text, char *line, size_t at)
{
    const unsigned char *p = (const unsigned char *)text;

    for (; *p != '\0' && at + 6 < LINE_MAX_BYTES; p++) {
        bool c1 = *p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f;

        if (*p >= 0x20 && *p != 0x7f && !c1)
            line[at++] = (char)*p;
        else
            at += (size_t)snprintf(line + at, 5, "\\x%02x", *p);
    }
    line[at++] = '\n';
    return at;
}

/* Begins the line with the time, "2026-01-31T12:00:00.123+00:00 ", and returns its
 * length. */
static size_t put_time(char *line)
{
    char text[OS_CLOCK_TEXT];

    return (size_t)snprintf(line, OS_CLOCK_TEXT + 1, "%s ",
                            os_clock_text_at(os_clock_wall_ns(), 0, text));
}

/* Writes a line in one call, so that lines of several threads do not mix; what does not
 * go out whole is counted. */
static void write_line(int fd, const char *line, size_t size)
{
    ssize_t done;

    do
        done = write(fd, line, size);
    while (done < 0 && errno == EINTR);
    if (done != (ssize_t)size)
        atomic_fetch_add(&lost, 1);
}

/* Writes to standard error, with the level in colour where that is wanted. */
static void to_console(enum os_log_level level, const char *text)
{
    static const char *const plain[] = {"debug: ", "", "warning: ", "error: "};
    static const char *const color[] = {"\033[2mdebug: ", "",
                                        "\033[33mwarning: ", "\033[31merror: "};
    bool colored = level != OS_LOG_INFO && os_terminal_has_color(stderr);
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    char line[LINE_MAX_BYTES + 64];
    size_t size;

    /* A line of status would stand in front of the message. */
    os_terminal_status(NULL);
    size = (size_t)snprintf(line, sizeof line, "vedette: %s",
                            colored ? color[level] : plain[level]);
    size = make_safe(text, line, size);
    if (colored)
        size = size - 1 + (size_t)snprintf(line + size - 1, 8, "\033[0m\n");
    /* A pipe that nobody empties, or a stopped terminal, must not stop us. */
    if (poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0)
        write_line(STDERR_FILENO, line, size);
    else
        atomic_fetch_add(&lost, 1);
}

/* Appends to the log file and rotates it when it has grown too large. */
static void to_file(enum os_log_level level, const char *text)
{
    static const char *const names[] = {"DEBUG ", "INFO ", "WARNING ", "ERROR "};
    int fd = atomic_load(&log_fd);
    char line[LINE_MAX_BYTES + 64];
    size_t size;

    if (fd < 0)
        return;
    size = put_time(line);
    size += (size_t)snprintf(line + size, 16, "%s", names[level]);
    size = make_safe(text, line, size);
    write_line(fd, line, size);
    if ((double)(atomic_fetch_add(&file.size, size) + size) >= file.max_bytes)
        rotate();
}

/* Keeps errno, so that a message can be logged between a failure and its report. The file
 * gets every message, but those for debugging only when the console shows them as well.
 */
void os_log(enum os_log_level level, const char *format, ...)
{
    enum os_log_level least = os_log_get_level();
    char text[1024];
    va_list args;
    int saved = errno;

    if (level >= least || level >= OS_LOG_INFO) {
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        if (level >= least)
            to_console(level, text);
        to_file(level, text);
    }
    errno = saved;
}

void os_log_record(enum os_log_level level, const char *format, ...)
{
    char text[1024];
    va_list args;
    int saved = errno;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    to_file(level, text);
    errno = saved;
}

void os_log_tell(const struct os_log_to *to, enum os_log_level level, const char *format,
                 ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (to->hear != NULL)
        to->hear(to->context, level, text);
    else
        os_log(level, "%s", text);
}

void os_log_failure(const struct vd_error *err)
{
    os_log_error("%s%s%s", err->text, *err->hint != '\0' ? ": " : "", err->hint);
}
