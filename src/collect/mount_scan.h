/* One look at all file systems, done by a worker: which there are, each once, and how
 * full they are. statvfs(2) of a mount whose server is gone blocks for ever, so the scan
 * says which one it is asking. */
#ifndef VD_COLLECT_MOUNT_SCAN_H
#define VD_COLLECT_MOUNT_SCAN_H

#include <stdatomic.h>

#include "collect/file.h"
#include "collect/mounts.h"

enum {
    COLLECT_MOUNT_PERCENT,
    COLLECT_MOUNT_FREE,
    COLLECT_MOUNT_INODES,
    COLLECT_MOUNT_ROWS
};

/* Looked at in one scan, and set aside because they do not answer. */
enum { COLLECT_MOUNTS_MAX = 1024, COLLECT_HUNG_MAX = 16 };

struct collect_filesystem {
    struct collect_mount mount;
    double value[COLLECT_MOUNT_ROWS]; /* %, bytes, %; NaN = unknown */
    bool answered;
};

/* Belongs to the worker's thread while it runs, but for `asking` and the mount it leads
 * to, which is not written again while it is asked. */
struct collect_mount_scan {
    char root[COLLECT_PATH_MAX]; /* a copy: a hung thread outlives the configuration */
    struct collect_file mounts;
    struct collect_buffer buffer;
    struct collect_filesystem *fs; /* owned */
    size_t n, capacity;
    size_t left_out;  /* for want of room, or their names are too long */
    bool unread;      /* the list itself could not be read: n is 0 */
    int broken_errno; /* of the last one that is there and gives an error; 0 = none */
    char broken[sizeof((struct collect_mount *)0)->point];
    struct collect_mount skipped[COLLECT_HUNG_MAX]; /* to be left alone */
    atomic_int asking; /* index of the file system asked now; -1 = none */
};

/* NULL without memory. */
struct collect_mount_scan *collect_mount_scan_new(const char *root);

/* The work. Listed and not asked (their values are NaN) are those that are to be left
 * alone and what waits for the same servers. */
void collect_mount_scan(void *scan);

void collect_mount_scan_free(void *scan);

#endif
