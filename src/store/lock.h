/* The data directory, and whose it is: one process writes it at a time. */
#ifndef VD_STORE_LOCK_H
#define VD_STORE_LOCK_H

#include <stddef.h>

#include "vedette/status.h"

/* Creates `dir` with mode 0700, and the parents that are not there. */
enum vd_status store_lock_directory(const char *dir, struct vd_error *err);

/* Takes DIR/vedette.lock (flock, so it is free again however the process ends) and writes
 * our pid into it. VD_ERR_BUSY names the pid of the one that has it. */
enum vd_status store_lock_take(const char *dir, int *fd, struct vd_error *err);

/* Writes behind the pid where the one that has the lock can be asked: "127.0.0.1:5000".
 */
void store_lock_announce(int fd, const char *address);

/* Gives it back; -1 is allowed. */
void store_lock_release(int fd);

/* The pid of the process that has it, 0 when nobody has. */
int store_lock_owner(const char *dir);

/* The same, and where it can be asked, "" when it did not say. */
int store_lock_address(const char *dir, char *address, size_t size);

#endif
