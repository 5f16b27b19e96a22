/* Whose the data directory is: one process writes it at a time. */
#ifndef VD_STORE_LOCK_H
#define VD_STORE_LOCK_H

#include <stddef.h>

#include "os/data_dir.h"
#include "vedette/status.h"

/* Takes the directory itself (flock on its descriptor, so it is free again however the
 * process ends, and no file has to be there for it) and DIR/vedette.lock, which says who
 * we are and which an older vedette looks at. `*fd` is that of the file. VD_ERR_BUSY
 * names the pid of the one that has it. */
enum vd_status store_lock_take(const struct os_data_dir *dir, int *fd,
                               struct vd_error *err);

/* Writes behind the pid where the one that has the lock can be asked: "127.0.0.1:5000".
 */
void store_lock_announce(int fd, const char *address);

/* Gives it back; -1 is allowed. The directory's own lock goes when it is closed. */
void store_lock_release(int fd);

/* The pid of the process that has it: 0 when nobody has, -1 when it is not known.
 * `address` (NULL = not wanted) is where it can be asked, "" when it did not say. */
int store_lock_owner(const struct os_data_dir *dir, char *address, size_t size);

#endif
