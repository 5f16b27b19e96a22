/* CPU time by getrusage(2). For I/O there is no such call, but /proc/self/io is the sum
 * of the threads and of what was waited for, and each thread has a file of its own: the
 * difference is what was inherited. */
#include "collect/tree_waited.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "collect/file.h"
#include "collect/process_stat.h"

static double seconds_of(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec * 1e-6;
}

/* Reads a file of I/O counters; returns its bytes, 0 when it cannot be read. */
static long read_io(const char *path, struct collect_process_io *io)
{
    char text[512];
    long got = collect_file_small(path, text, sizeof text);

    collect_process_io_parse(text, got > 0 ? (size_t)got : 0, io);
    return got > 0 ? got + 1 : 0;
}

static void subtract_thread(double counter[COLLECT_TREE_COUNTERS], const char *thread)
{
    struct collect_process_io io;
    char path[64];

    snprintf(path, sizeof path, "/proc/self/task/%s/io", thread);
    if (read_io(path, &io) == 0)
        return;
    counter[COLLECT_TREE_READ_CHARS] -= io.read_chars;
    counter[COLLECT_TREE_WRITTEN_CHARS] -= io.written_chars;
    counter[COLLECT_TREE_READ_BYTES] -= io.read_bytes;
    counter[COLLECT_TREE_WRITTEN_BYTES] -= io.written_bytes;
}

/* Subtracts all threads, this one first: reading the others' files adds to its own. */
static void subtract_threads(double counter[COLLECT_TREE_COUNTERS])
{
    DIR *folder = opendir("/proc/self/task");
    struct dirent *entry;
    char own[16];

    snprintf(own, sizeof own, "%d", (int)gettid());
    subtract_thread(counter, own);
    while (folder != NULL && (entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, own) != 0)
            subtract_thread(counter, entry->d_name);
    if (folder != NULL)
        closedir(folder);
}

void collect_tree_waited(double counter[COLLECT_TREE_COUNTERS])
{
    struct rusage usage;
    struct collect_process_io io;
    long length = read_io("/proc/self/io", &io);

    getrusage(RUSAGE_CHILDREN, &usage);
    counter[COLLECT_TREE_USER] = seconds_of(&usage.ru_utime);
    counter[COLLECT_TREE_SYSTEM] = seconds_of(&usage.ru_stime);
    /* The bytes of the file that was just read are in the thread's counter by now. */
    counter[COLLECT_TREE_READ_CHARS] = io.read_chars + (double)length;
    counter[COLLECT_TREE_WRITTEN_CHARS] = io.written_chars;
    counter[COLLECT_TREE_READ_BYTES] = io.read_bytes;
    counter[COLLECT_TREE_WRITTEN_BYTES] = io.written_bytes;
    if (!isnan(io.read_chars))
        subtract_threads(counter);
}
