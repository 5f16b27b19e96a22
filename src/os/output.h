/* Files that a person asked for: they are there whole or not at all. */
#ifndef VD_OS_OUTPUT_H
#define VD_OS_OUTPUT_H

#include <limits.h>
#include <stdio.h>

#include "vedette/status.h"

/* A file being written. It is "PATH.part" until it is whole, then it takes the place of
 * PATH (of what PATH points to). A pipe or a device is never replaced: it is written to
 * as it is. */
struct os_output {
    FILE *file;          /* NULL = not open; write here */
    char path[PATH_MAX]; /* where the file goes */
    char part[PATH_MAX]; /* "" = path is written to itself */
};

/* VD_ERR_IO names the path; VD_ERR_ARGUMENT when it is too long. */
enum vd_status os_output_open(struct os_output *out, const char *path,
                              struct vd_error *err);

/* Syncs and renames; what was not written whole is removed. An output that is not open is
 * left alone. */
enum vd_status os_output_close(struct os_output *out, struct vd_error *err);

/* Closes and removes what has been written. */
void os_output_drop(struct os_output *out);

/* Makes the folder with all those above it; VD_ERR_IO also when nothing may be written to
 * it. */
enum vd_status os_folder_make(const char *path, struct vd_error *err);

#endif
