/* A folder of ours, opened once and used through its descriptor.
 *
 * Nothing below it is ever reached by a path of names that somebody could change in
 * between: files are opened relative to the descriptor, no link is followed, and what is
 * no regular file, has a second name (a hard link) or belongs to somebody else is refused
 * before a byte of it is read or written. A folder is 0700, a file 0600.
 */
#ifndef VD_OS_DATA_DIR_H
#define VD_OS_DATA_DIR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "vedette/status.h"

enum os_data_dir_use {
    OS_DATA_DIR_READ,  /* as it is; root may read what belongs to somebody else */
    OS_DATA_DIR_WRITE, /* ours alone; made when it is not there */
};

struct os_data_dir {
    int fd;    /* -1 = not open */
    bool ours; /* opened to be written */
    uid_t owner;
    dev_t device;
    ino_t inode;
    char path[PATH_MAX]; /* as it was given: for messages, and to see whether it moved */
};

/* Opens the folder. A link on the way in is followed when it belongs to root or to us.
 * For writing the folder and its parents are made, and it is closed to others (0700) when
 * it is empty or has been ours before. VD_ERR_IO when it belongs to somebody else, when
 * others may write to it, or when it cannot be opened or made. */
enum vd_status os_data_dir_open(struct os_data_dir *dir, const char *path,
                                enum os_data_dir_use use, struct vd_error *err);

/* The folder `name` inside, never through a link; for writing it is made. */
enum vd_status os_data_dir_below(struct os_data_dir *below, const struct os_data_dir *dir,
                                 const char *name, struct vd_error *err);

/* Takes one that was never opened when it was set to OS_DATA_DIR_CLOSED. */
void os_data_dir_close(struct os_data_dir *dir);

#define OS_DATA_DIR_CLOSED ((struct os_data_dir){.fd = -1})

/* Looks at a file without opening it. VD_ERR_DATA when it is not there, VD_ERR_IO with
 * the reason when it is not to be touched; `info` (NULL = not wanted) is filled
 * otherwise. */
enum vd_status os_data_dir_look(const struct os_data_dir *dir, const char *name,
                                struct stat *info, struct vd_error *err);

/* Opens a file with the flags of open(2), mode 0600. -1 with the error and errno set;
 * ELOOP stands for everything that os_data_dir_look refuses. Never waits: a FIFO is
 * refused, not opened. */
int os_data_dir_file(const struct os_data_dir *dir, const char *name, int flags,
                     struct vd_error *err);

/* Whether `fd` is still the file of this name. */
bool os_data_dir_holds(const struct os_data_dir *dir, const char *name, int fd);

/* Whether the folder is still where it was opened. VD_ERR_UNAVAILABLE when it was
 * removed, moved away or replaced: what is written from then on is in no place where
 * anybody looks for it. */
enum vd_status os_data_dir_is_there(const struct os_data_dir *dir, struct vd_error *err);

/* The name of the file for a library that knows only paths: by way of the descriptor
 * (/proc/self/fd/N/./NAME), so that it does not matter where the folder is. */
void os_data_dir_path(const struct os_data_dir *dir, const char *name, char *out,
                      size_t size);

#endif
