/* A small process of our own that keeps the rights to look into the processes of others,
 * so that the one that talks to the network needs none. It is forked before anything is
 * opened and answers two questions over a socket pair: the I/O counters of a process and
 * its proportional memory, as /proc has them. It writes nothing, opens nothing else, and
 * ends when we do.
 */
#ifndef VD_OS_PEEK_H
#define VD_OS_PEEK_H

#include <stddef.h>
#include <sys/types.h>

#include "vedette/status.h"

enum os_peek_what { OS_PEEK_IO, OS_PEEK_MEMORY }; /* /proc/PID/io, .../smaps_rollup */

enum { OS_PEEK_MAX = 1024 };

typedef struct os_peek os_peek;

/* Before the first thread is started. */
enum vd_status os_peek_start(os_peek **out, struct vd_error *err);

/* The first bytes of the file, at most `size`; -1 with errno: EACCES, ENOENT ... of the
 * file, EPIPE when the helper is gone (which is said once), ETIMEDOUT when it takes
 * longer than a second. One thread at a time. */
ssize_t os_peek_read(os_peek *peek, int pid, enum os_peek_what what, char *text,
                     size_t size);

/* Lets it end; takes NULL. */
void os_peek_stop(os_peek *peek);

#endif
