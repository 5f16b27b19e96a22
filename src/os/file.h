/* Whole files, read at once. */
#ifndef VD_OS_FILE_H
#define VD_OS_FILE_H

#include <stddef.h>

#include "vedette/status.h"

/* All bytes of a file, or of a pipe until it ends, allocated; not terminated. VD_ERR_IO
 * when it cannot be read or has more than `max` bytes. */
enum vd_status os_file_read(const char *path, size_t max, char **bytes, size_t *size,
                            struct vd_error *err);

/* Reads a regular file alone: pipes, devices and folders are refused unread. */
enum vd_status os_file_read_regular(const char *path, size_t max, char **bytes,
                                    size_t *size, struct vd_error *err);

#endif
