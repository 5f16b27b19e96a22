/* Files that a person asked for: they are there whole or not at all. */
#ifndef VD_OS_OUTPUT_H
#define VD_OS_OUTPUT_H

#include <limits.h>
#include <stdio.h>

#include "vedette/status.h"

/* A file being written. It is "PATH.PID.part" until it is whole, then it takes the place
 * of PATH (of what PATH points to) and keeps that one's mode. What is no regular file is
 * never replaced: a rename would put a file where a device or a pipe stands. */
struct os_output {
    FILE *file;               /* NULL = not open; write here */
    char path[PATH_MAX];      /* where the file goes */
    char part[PATH_MAX + 32]; /* "" = in its place, or path is written to itself */
};

enum os_output_rule {
    OS_OUTPUT_ANY,  /* a pipe or a character device is written to as it is */
    OS_OUTPUT_FILE, /* a regular file, there or not */
    OS_OUTPUT_NEW,  /* nothing may be there; the hint is --force */
};

/* OS_OUTPUT_ANY. VD_ERR_IO names the path. */
enum vd_status os_output_open(struct os_output *out, const char *path,
                              struct vd_error *err);
enum vd_status os_output_open_as(struct os_output *out, const char *path,
                                 enum os_output_rule rule, struct vd_error *err);

/* Puts n outputs in their places once all of them have reached the disk. They stay open,
 * and what is written from now on goes there. After a failure they are still to be
 * dropped. */
enum vd_status os_output_commit(struct os_output *out, size_t n, struct vd_error *err);

/* Commits and closes; what was not written whole is removed. An output that is not open
 * is left alone. */
enum vd_status os_output_close(struct os_output *out, struct vd_error *err);

/* Closes and removes what has not been committed; takes an output that is not open. */
void os_output_drop(struct os_output *out);

/* Makes the folder with all those above it; VD_ERR_IO also when nothing may be written to
 * it. */
enum vd_status os_folder_make(const char *path, struct vd_error *err);

#endif
